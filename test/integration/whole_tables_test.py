"""A Query for whole tables goes to the server as a batch, so that encrypted values come in binary. The client does not
see that: every message is the one that PostgreSQL sends for a Query of plain tables, notices, settings and notifications
in their places included.
"""

import re
import struct
import unittest

from stack import Stack, psql, succeeded, wait_until
from wire import Wire, fields_of

POLICY = {
    "tables": {
        "public.ledger": {"columns": {"entry": {"type": "text", "search": "equality"},
                                      "note": {"type": "text", "bind_to": ["id"]},
                                      "sum": {"type": "int8"}}}}}

TABLES = """
CREATE TABLE ledger (id int PRIMARY KEY, entry text, note text, sum int8);
INSERT INTO ledger VALUES (1, 'one', 'first', 10), (2, 'two', NULL, -20), (3, NULL, 'third', 9223372036854775807);
"""

# What happens while rows are read, as the setting says: row-level security calls it, which no text tells.
WITNESS = """
CREATE TABLE IF NOT EXISTS late (n int UNIQUE DEFERRABLE INITIALLY DEFERRED);
GRANT ALL ON late TO PUBLIC;
CREATE FUNCTION witness() RETURNS bool LANGUAGE plpgsql AS $f$
DECLARE what text := pg_catalog.current_setting('witness.what', true);
BEGIN
    IF what = 'speak' THEN
        RAISE NOTICE 'a row is read';
        PERFORM pg_catalog.pg_notify('seen', 'a row');
        PERFORM pg_catalog.set_config('application_name', 'read', false);
    ELSIF what = 'fail late' THEN
        INSERT INTO public.late VALUES (1);
    ELSIF what = 'sleep' THEN
        PERFORM pg_catalog.pg_sleep(30);
    END IF;
    RETURN true;
END $f$;
ALTER TABLE ledger ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY seen ON ledger USING (witness());
"""

ALL = "SELECT * FROM ledger ORDER BY id"


def setUpModule():
    global STACK
    STACK = Stack.start(POLICY)
    STACK.superuser("CREATE DATABASE clinic_plain OWNER app")
    succeeded(psql(STACK.url("direct", "app", "clinic_plain"), "-q", "-v", "ON_ERROR_STOP=1", stdin=TABLES))
    succeeded(psql(STACK.url(), "-q", "-v", "ON_ERROR_STOP=1", options=STACK.options(), stdin=TABLES))
    for database in ("clinic", "clinic_plain"):
        STACK.superuser(WITNESS, database)


def tearDownModule():
    STACK.stop()


def told(letter, body):
    """What a client learns from a message; without what differs between two databases."""
    if letter == "T":
        columns, at = [], 2
        while at < len(body):
            end = body.index(b"\0", at)
            columns.append((body[at:end], struct.unpack_from("!hIhih", body, end + 5)))
            at = end + 19
        return letter, columns
    if letter in "EN":
        # Where in PostgreSQL's source: errors that are foreseen do not say it.
        return letter, {code: value for code, value in fields_of(body).items() if code not in "FLR"}
    return (letter, body[4:]) if letter == "A" else (letter, body)  # which process notifies


class WholeTables(unittest.TestCase):
    def setUp(self):
        self.veiled = Wire(STACK, STACK.options())
        self.plain = Wire(STACK, "", database="clinic_plain", port=STACK.pg_port)
        for wire in (self.veiled, self.plain):
            self.addCleanup(wire._socket.close)
            wire.patience(120)

    def assert_same(self, *said, ready=1):
        """`said`: texts of a Query, or calls of a Wire. They leave together."""
        heard = []
        for wire in (self.veiled, self.plain):
            for each in said:
                wire.query(each) if isinstance(each, str) else each(wire)
            wire.send()
            came = []
            while sum(letter == "Z" for letter, _ in came) < ready:
                came.append(told(*wire._read()))
            heard.append(came)
        self.assertEqual(heard[0], heard[1])
        return "".join(letter for letter, _ in heard[0])

    def left(self, sql):
        """How it reached the server: "statement" (a Query) or "execute <unnamed>"."""
        STACK.mark_server_log()
        self.veiled.query(sql).replies()
        wait_until(lambda: "ledger" in STACK.server_log_since_mark(), "the server's log")
        lines = [line for line in STACK.server_log_since_mark().splitlines() if "ledger" in line and "LOG:" in line]
        return re.search(r"LOG: +(?:[0-9A-Z]{5}: )?([^:]+):", lines[-1])[1]

    def test_leave_as_a_batch_and_others_do_not(self):
        self.assertEqual(self.left(ALL), "execute <unnamed>")
        for sql in ("SELECT entry FROM ledger WHERE id = 1", "SELECT entry FROM ledger ORDER BY id LIMIT 1",
                    "SELECT id FROM ledger ORDER BY id", "EXPLAIN (COSTS off) SELECT id FROM ledger",
                    "SELECT entry FROM ledger ORDER BY id; SELECT 1"):
            with self.subTest(sql):
                self.assertEqual(self.left(sql), "statement")

    def test_rows(self):
        for sql in (ALL, f"  {ALL} ; ", f"{ALL} -- all", "TABLE ledger", "SELECT note FROM ledger ORDER BY id",
                    "SELECT 'a', entry, NULL, 1.50, '\\x00'::bytea, sum AS s FROM ledger ORDER BY id",
                    "SELECT a.entry, b.note FROM ledger a JOIN ledger b USING (id) ORDER BY a.id",
                    "SELECT entry FROM ledger FOR UPDATE"):
            with self.subTest(sql):
                self.assertIn("TD", self.assert_same(sql))
        self.assertEqual(self.assert_same("BEGIN", "DELETE FROM ledger", ALL, "ROLLBACK", ready=4), "CZCZTCZCZ")

    def test_errors(self):
        for sql, letters in (("SELECT entry, no_such FROM ledger", "EZ"), ("SELECT entry, 1 / 0 FROM ledger", "EZ"),
                             ("SELECT entry, 1 / (id - 1) FROM ledger ORDER BY id", "TEZ"),
                             ("SELECT entry, 1 / (id - 2) FROM ledger ORDER BY id", None)):
            with self.subTest(sql):
                said = self.assert_same(sql)
                self.assertEqual(said, letters or said)
                # Nothing of the batch that failed is there to be used.
                for rest in (lambda wire: wire.message("D", b"S\0").sync(), lambda wire: wire.bind("", "").sync()):
                    self.assert_codes("26000", rest)
                self.assert_same("BEGIN", "SELECT 1 / 0", sql, ALL, "ROLLBACK", ready=5)

    def assert_codes(self, code, said):
        for wire in (self.veiled, self.plain):
            said(wire)
            self.assertEqual(wire.letters(), f"E{code}Z")

    def test_what_is_open_afterwards(self):
        self.assert_same(lambda wire: wire.parse("", "SELECT 1").sync(), ALL, ready=2)
        self.assert_codes("26000", lambda wire: wire.message("D", b"S\0").sync())
        self.assert_codes("34000", lambda wire: wire.execute("").sync())
        # A portal that is still open would not let the table be emptied.
        self.assert_same("BEGIN", ALL, lambda wire: wire.parse("", "TRUNCATE ledger").bind("p", "").execute("p").sync(),
                         "ROLLBACK", ready=4)

    def test_pipelines(self):
        self.assert_same(ALL, ALL, "SELECT 1", "SELECT entry, 1 / 0 FROM ledger", ALL, ready=5)
        self.assert_same(lambda wire: wire.parse("", "SELECT 1").bind("", "").execute(""), ALL, lambda wire: wire.sync(), ready=2)

    def test_what_the_server_says_beside_it(self):
        self.assert_same("LISTEN seen", "SET witness.what = 'speak'", ready=2)
        said = self.assert_same(ALL)
        for letter in "NSA":
            self.assertIn(letter, said)

    def test_the_commit_fails(self):
        self.assert_same("SET witness.what = 'fail late'")
        self.assertEqual(self.assert_same(ALL), "TDDDEZ")
        self.assertEqual(self.assert_same("BEGIN", ALL, "COMMIT", ready=3), "CZTDDDCZEZ")
        self.assert_same("SET witness.what = ''", ALL, ready=2)

    def test_time_is_over(self):
        self.assert_same("SET witness.what = 'sleep'", "SET statement_timeout = '300ms'", ready=2)
        self.assertIn("EZ", self.assert_same(ALL))
        self.assert_same("RESET witness.what", ALL, ready=2)


if __name__ == "__main__":
    unittest.main()
