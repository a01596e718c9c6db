"""Tokens of limited scope: what an application that holds one can do with it, and nothing else. Each refusal has the same
statement under an unrestricted token beside it."""

import functools
import re
import signal
import unittest

import psycopg

from stack import Stack, run, succeeded

POLICY = {"tables": {
    "public.patients": {"columns": {"name": {"type": "varchar(40)", "search": "equality"}}},
    "public.labels": {"columns": {"name": {"type": "text"}}}}}
READ = "SELECT name FROM patients WHERE id = 1"


def setUpModule():
    global STACK
    STACK = Stack.start(POLICY)
    succeeded(STACK.tenant_tool("user", "add", "dora", "--out", STACK.dir / "users", "--apply", STACK.url(), "--no-passphrase"))
    with STACK.connect(options()) as connection:
        connection.execute("CREATE TABLE patients (id int PRIMARY KEY, name varchar(40), ward int)")
        connection.execute("CREATE TABLE labels (id int PRIMARY KEY, name text)")
        connection.execute("CREATE TABLE plain (id int)")
        connection.execute("INSERT INTO patients VALUES (1, 'Ann', 7), (2, 'Bob', 7)")
        connection.execute("INSERT INTO labels VALUES (1, 'fragile')")
    STACK.superuser("CREATE FUNCTION purge() RETURNS int LANGUAGE sql AS 'DELETE FROM plain; SELECT 1'", "clinic")


def tearDownModule():
    STACK.stop()


@functools.cache
def options(*scope):
    """Made once for each scope: the counted ones are each of one test."""
    files = STACK.dir / "users"
    return succeeded(run([*STACK.as_owner(), STACK.dir / "bin" / "pgveil-user", "options", "--key", files / "dora.user",
                          "--app-share", files / "dora.app", "--from", STACK.url(), "--valid", 300, *scope])).strip()


def token(*scope):
    return re.search(r"pgveil\.user_token=(\S+)", options(*scope)).group(1)


class Case(unittest.TestCase):
    def connect(self, *scope):
        connection = STACK.connect(options(*scope))
        self.addCleanup(connection.close)
        return connection

    def assert_beyond(self, connection, sql, *words, arguments=None, **how):
        """Refused before the server sees it; done under an unrestricted token, and rolled back."""
        STACK.mark_server_log()
        with self.subTest(sql), self.assertRaises(psycopg.errors.InsufficientPrivilege) as refused:
            connection.execute(sql, arguments, **how)
        for word in ("the token of user dora", *words):
            self.assertIn(word, str(refused.exception), sql)
        self.assertTrue(refused.exception.diag.message_hint)
        ran = [line for line in STACK.server_log_since_mark().splitlines() if "LOG:  statement" in line or "LOG:  execute" in line]
        self.assertNotIn("patients", "".join(ran), sql)
        with self.subTest(f"control: {sql}"), self.connect() as control, control.transaction(force_rollback=True):
            control.execute(sql, arguments)

    def assert_spent(self, connection, *words):
        with self.assertRaises(psycopg.errors.InvalidAuthorizationSpecification) as refused:
            connection.execute(READ)
        for word in words:
            self.assertIn(word, str(refused.exception))


class ReadOnly(Case):
    def test_P15_it_reads_and_writes_nothing(self):
        reader = self.connect("--read-only")
        for sql in ("INSERT INTO patients VALUES (3, 'Cy', 1)", "UPDATE patients SET name = 'x'",
                    "UPDATE patients SET ward = 1", "DELETE FROM patients WHERE id = 1", "TRUNCATE patients",
                    "WITH d AS (DELETE FROM patients WHERE id = 1 RETURNING id) SELECT id FROM d",
                    "EXPLAIN ANALYZE DELETE FROM patients", "ALTER TABLE patients ADD COLUMN extra int",
                    "CREATE INDEX ON patients (name)", "INSERT INTO plain SELECT count(*) FROM patients",
                    "SELECT name, purge() FROM patients"):
            self.assert_beyond(reader, sql, "scope read_only")
        with self.assertRaises(psycopg.errors.InsufficientPrivilege), reader.cursor().copy("COPY patients FROM STDIN") as copy:
            copy.write_row((3, "Cy", 1))
        self.assertEqual(reader.execute(READ).fetchall(), [("Ann",)])
        self.assertEqual(reader.execute("SELECT count(*) FROM patients").fetchone(), (2,))
        with reader.transaction():
            reader.execute("DECLARE c CURSOR FOR SELECT name FROM patients ORDER BY id")
            self.assertEqual(reader.execute("FETCH ALL FROM c").fetchall(), [("Ann",), ("Bob",)])
        for sql in ("INSERT INTO plain VALUES (1)", "SELECT purge()", "DO $$ BEGIN DELETE FROM plain; END $$"):
            self.assert_beyond(reader, sql, "scope read_only")
        reader.execute("RESET pgveil.user_token")
        reader.execute(f"SET pgveil.user_token = '{token()}'")
        reader.execute("UPDATE patients SET ward = 8 WHERE id = 2")

    def test_a_plan_is_judged_by_the_token_of_the_moment(self):
        """One prepared statement, two tokens: nothing of either decision stays with the plan."""
        reading, writing = token("--read-only"), token()
        connection = self.connect()
        update = "UPDATE patients SET name = %s WHERE id = 2"
        for _ in range(2):
            connection.execute(update, ["Bob"], prepare=True)
            connection.execute(f"SET pgveil.user_token = '{reading}'")
            self.assert_beyond(connection, update, "scope read_only", arguments=["Eve"], prepare=True)
            connection.execute(f"SET pgveil.user_token = '{writing}'")
        connection.execute("PREPARE p AS DELETE FROM patients WHERE id = 2")
        connection.execute(f"SET pgveil.user_token = '{reading}'")
        with self.assertRaises(psycopg.errors.InsufficientPrivilege):
            connection.execute("EXECUTE p")
        self.assertEqual(connection.execute("SELECT name FROM patients WHERE id = 2").fetchone(), ("Bob",))


class Tables(Case):
    def test_it_opens_no_other_table(self):
        connection = self.connect("--tables", "patients")
        for sql in ("SELECT name FROM labels", "SELECT count(*) FROM labels", "DELETE FROM labels",
                    "INSERT INTO labels VALUES (2, 'x')",
                    "SELECT p.name FROM patients p WHERE EXISTS (SELECT 1 FROM labels l WHERE l.id = p.id)"):
            self.assert_beyond(connection, sql, "is not for table public.labels", "scope tables")
        self.assertEqual(connection.execute(READ).fetchall(), [("Ann",)])
        connection.execute("INSERT INTO plain VALUES (1)")
        with self.connect("--tables", "public.labels,patients") as both:
            self.assertEqual(both.execute("SELECT name FROM labels").fetchall(), [("fragile",)])


class Role(Case):
    def test_it_is_for_one_login(self):
        self.assertEqual(self.connect("--role", "app").execute(READ).fetchall(), [("Ann",)])
        self.assert_spent(self.connect("--role", "reports"), 'role "reports" only', "scope role")


class Channel(Case):
    def test_it_is_for_one_tls_connection(self):
        """agent_test has the control: an agent's tokens are good on its own connection."""
        foreign = succeeded(run([*STACK.as_owner(), STACK.dir / "bin" / "pgveil-user", "token", "--key", STACK.dir / "users" / "dora.user",
                                 "--from", STACK.url(), "--tls-exporter", "A" * 43])).strip()
        connection = self.connect()
        self.assertEqual(connection.execute(READ).fetchall(), [("Ann",)])
        connection.execute(f"SET pgveil.user_token = '{foreign}'")
        self.assert_spent(connection, "one TLS connection", "scope tls")


class Counts(Case):
    def test_uses_are_sessions_also_after_a_kill(self):
        two = options("--uses", 2)
        first = STACK.connect(two)
        self.assertEqual(first.execute(READ).fetchall(), first.execute(READ).fetchall())
        first.close()
        STACK.stop_proxy(signal.SIGKILL)
        STACK.start_proxy()
        with STACK.connect(two) as second, STACK.connect(two) as third:
            self.assertEqual(second.execute(READ).fetchall(), [("Ann",)])
            self.assert_spent(third, "for 2 sessions", "scope uses")

    def test_statements_are_counted_across_sessions_and_a_kill(self):
        four = options("--statements", 4)
        with STACK.connect(four) as first:
            first.execute(READ)
            first.execute("SELECT count(*) FROM patients")  # needs no keys
            first.execute("SELECT name FROM patients WHERE name = %s", ["Ann"])
        STACK.stop_proxy(signal.SIGKILL)
        STACK.start_proxy()
        with STACK.connect(four) as second:
            self.assertEqual(second.execute(READ).fetchall(), [("Ann",)])
        with STACK.connect(four) as third:
            with self.assertRaises(psycopg.errors.InvalidAuthorizationSpecification) as refused:
                third.cursor().execute(f"{READ}; {READ}")
            self.assertIn("for 4 statements", str(refused.exception))
            self.assert_spent(third, "scope statements")


if __name__ == "__main__":
    unittest.main()
