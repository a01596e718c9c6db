"""Key groups through the real programs: made, granted and revoked; a statement that needs a missing one; columns that show
NULL to who lacks theirs. dora has groups default and medical, cleo has default."""

import signal
import unittest

import psycopg

from stack import Stack, run, succeeded, wait_until

POLICY = {"tables": {
    "public.patients": {"columns": {
        "name": {"type": "varchar(40)", "search": "equality"},
        "born": {"type": "date", "search": "order", "group": "medical"},
        "code": {"type": "int4", "search": "order", "group": "medical", "on_missing_key": "null"},
        "note": {"type": "text", "group": "medical", "on_missing_key": "null"},
        "seal": {"type": "text", "group": "medical", "on_missing_key": "null", "bind_to": ["id"]}}},
    "public.labels": {"columns": {"name": {"type": "text"}}},
    "public.boxes": {"columns": {"name": {"type": "text"}}}}}
SHOWN = "SELECT id, name, code, note, seal FROM patients ORDER BY id"
DORA = [(1, "Ann", 7, "cough", "s1"), (2, "Bob", None, None, None), (3, "Cy", 5, "", "s3")]
CLEO = [(number, name, None, None, None) for number, name, *_ in DORA]


def setUpModule():
    global STACK
    STACK = Stack.start(POLICY)
    STACK.never_logged = ["cough", "Ann'"]
    make_users()
    with STACK.connect(options_of("dora")) as dora:
        dora.execute("CREATE TABLE patients (id int PRIMARY KEY, name varchar(40), born date, code int4, note text, seal text)")
        dora.execute("CREATE TABLE labels (id int PRIMARY KEY, name text)")
        for row in DORA:
            dora.execute("INSERT INTO patients (id, name, code, note, seal) VALUES (%s, %s, %s, %s, %s)", row)
        dora.execute("INSERT INTO labels VALUES (0, 'fragile')")
        dora.execute("UPDATE patients SET born = '1980-02-03' WHERE id = 1")


def tearDownModule():
    STACK.stop()


def tool(*words, out="users", bare=True):
    """pgveil-tenant, with its commands sent at once."""
    return STACK.tenant_tool(*words, "--out", STACK.dir / out, "--apply", STACK.url(), *(["--no-passphrase"] if bare else []))


def make_users():
    succeeded(tool("user", "add", "dora", "--group", "default", "--group", "medical"))
    succeeded(tool("user", "add", "cleo"))


def options_of(name, folder="users"):
    files = STACK.dir / folder
    return succeeded(run([*STACK.as_owner(), STACK.dir / "bin" / "pgveil-user", "options", "--key", files / f"{name}.user",
                          "--app-share", files / f"{name}.app", "--from", STACK.url(), "--valid", 600])).strip()


class Failure:
    def __init__(self, error=None):
        self.sqlstate = error.sqlstate if error else ""
        self.message = str(error) if error else ""


def failure(options, sql, arguments=None):
    """How the statement fails; an empty Failure if it does not."""
    with STACK.connect(options) as connection:
        try:
            connection.execute(sql, arguments)
            return Failure()
        except psycopg.Error as error:
            return Failure(error)


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dora, cls.cleo = [STACK.connect(options_of(name)) for name in ("dora", "cleo")]

    @classmethod
    def tearDownClass(cls):
        cls.dora.close()
        cls.cleo.close()

    def ask(self, connection, sql, arguments=None, **how):
        return connection.cursor(**how).execute(sql, arguments).fetchall()

    def assert_nothing_changed(self):
        self.assertEqual(self.ask(self.dora, SHOWN), DORA)

    def assert_needs(self, sql, arguments=None, column="", group="medical"):
        """Refused to cleo, naming group and column, and never seen by the server; done for dora, and rolled back."""
        STACK.mark_server_log()
        with self.subTest(sql), self.assertRaises(psycopg.errors.InsufficientPrivilege) as refused:
            self.cleo.execute(sql, arguments)
        self.assertIn(f"user cleo does not have key group {group}", str(refused.exception))
        self.assertIn(f"public.patients.{column}", str(refused.exception))
        self.assertIn(f"group grant cleo {group}", refused.exception.diag.message_hint)
        self.assertNotIn("patients", "".join(line for line in STACK.server_log_since_mark().splitlines()
                                             if "LOG:  statement" in line or "LOG:  execute" in line))
        with self.subTest(f"control: {sql}"), self.dora.transaction(force_rollback=True):
            self.dora.execute(sql, arguments)


class MissingGroup(Case):
    def test_a_statement_that_needs_it_is_refused_before_it_runs(self):
        for sql, arguments in (("SELECT born FROM patients", None), ("SELECT id FROM patients WHERE born = %s", ["1980-02-03"]),
                               ("SELECT id FROM patients WHERE born < '1990-01-01'", None),
                               ("SELECT name FROM patients ORDER BY born", None),
                               ("UPDATE patients SET name = 'x' RETURNING born", None),
                               ("DELETE FROM patients WHERE id = %s RETURNING born", [1]),
                               ("INSERT INTO patients (id, born) VALUES (%s, %s)", [9, "2000-01-01"]),
                               ("COPY patients (id, born) TO STDOUT", None)):
            if not sql.startswith("COPY"):
                self.assert_needs(sql, arguments, column="born")
            else:
                with self.assertRaises(psycopg.errors.InsufficientPrivilege), self.cleo.cursor().copy(sql) as copy:
                    copy.read()
        self.assert_nothing_changed()

    def test_what_does_not_need_it_works(self):
        for sql in ("SELECT name FROM patients WHERE name = 'Bob'", "SELECT count(born) FROM patients",
                    "SELECT name FROM patients WHERE born IS NULL ORDER BY id"):
            self.assertEqual(self.ask(self.cleo, sql), self.ask(self.dora, sql), sql)

    def test_only_that_statement_of_several_is_refused(self):
        with self.assertRaises(psycopg.errors.InsufficientPrivilege):
            self.cleo.execute("INSERT INTO labels VALUES (1, 'sent'); SELECT born FROM patients; INSERT INTO labels VALUES (2, 'no')")
        self.assertEqual(self.ask(self.dora, "SELECT id FROM labels"), [(0,)])  # one transaction

    def test_a_transaction_fails_as_with_any_error(self):
        with self.assertRaises(psycopg.errors.InsufficientPrivilege), self.cleo.transaction():
            self.cleo.execute("INSERT INTO labels VALUES (4, 'lost')")
            self.cleo.execute("SELECT born FROM patients", prepare=True)
        self.assertEqual(self.ask(self.cleo, "SELECT id FROM labels WHERE id = 4"), [])


class Hidden(Case):
    def test_it_is_null_in_every_protocol_and_format(self):
        for how in ({}, {"binary": True}):
            for arguments in (None, []):
                self.assertEqual(self.ask(self.dora, SHOWN, arguments, **how), DORA)
                self.assertEqual(self.ask(self.cleo, SHOWN, arguments, **how), CLEO)
        for _ in range(7):  # prepared on the way
            self.assertEqual(self.ask(self.cleo, SHOWN + " LIMIT %s", [9]), CLEO)

    def test_it_is_null_through_cursors_prepare_sub_queries_unions_and_returning(self):
        for sql, hidden in (
                ("SELECT s.note FROM (SELECT note, id FROM patients) s ORDER BY id", [(None,)] * 3),
                ("SELECT note FROM patients UNION ALL SELECT name FROM labels WHERE false", [(None,)] * 3),
                ("SELECT CASE WHEN id = 1 THEN note END FROM patients ORDER BY id", [(None,)] * 3),
                ("UPDATE patients SET name = name WHERE id = 1 RETURNING id, note", [(1, None)]),
                ("EXECUTE p (1)", [("Ann", None)]),
                ("FETCH ALL FROM c", [(None, "Ann"), (None, "Bob"), (None, "Cy")])):
            for connection in (self.dora, self.cleo):
                with self.subTest(sql), connection.transaction(force_rollback=True):
                    connection.execute("PREPARE p (int) AS SELECT name, note FROM patients WHERE id = $1")
                    connection.execute("DECLARE c CURSOR FOR SELECT note, name FROM patients ORDER BY id")
                    rows = self.ask(connection, sql)
                    connection.execute("DEALLOCATE p")
                if connection is self.cleo:
                    self.assertEqual(sorted(rows, key=str), sorted(hidden, key=str), sql)
                else:
                    self.assertNotEqual(rows, hidden, sql)

    def test_copy_to_writes_it_as_null(self):
        columns = "id, code, note, seal"
        for options, dora, cleo in (
                ("", "1\t7\tcough\ts1\n", "1\t\\N\t\\N\t\\N\n"),
                (" (FORMAT csv, FORCE_QUOTE *)", '"1","7","cough","s1"\n', '"1",,,\n'),
                (" (FORMAT csv, NULL 'none', HEADER)", "id,code,note,seal\n1,7,cough,s1\n", "id,code,note,seal\n1,none,none,none\n")):
            sql = f"COPY (SELECT {columns} FROM patients WHERE id = 1) TO STDOUT{options}"
            for connection, expected in ((self.dora, dora), (self.cleo, cleo)):
                with self.subTest(sql), connection.cursor().copy(sql) as copy:
                    self.assertEqual(b"".join(copy).decode(), expected)
        for connection, expected in ((self.dora, DORA), (self.cleo, CLEO)):
            cursor = connection.cursor()
            with cursor.copy("COPY patients (id, name, code, note, seal) TO STDOUT (FORMAT binary)") as copy:
                copy.set_types(["int4", "varchar", "int4", "text", "text"])
                self.assertEqual(sorted(copy.rows()), expected)

    def test_searching_by_it_is_refused(self):
        for sql, arguments in (("SELECT id FROM patients WHERE code = 7", None), ("SELECT id FROM patients WHERE code > %s", [3]),
                               ("SELECT id, code FROM patients ORDER BY code", None),
                               ("SELECT code, name FROM patients GROUP BY code, name", None),
                               ("SELECT DISTINCT code FROM patients", None), ("SELECT max(code) FROM patients", None),
                               ("SELECT a.name FROM patients a JOIN patients b ON a.code = b.code", None),
                               ("SELECT name FROM patients WHERE code IN (SELECT code FROM patients)", None),
                               ("SELECT coalesce(code, 0) FROM patients", None),
                               ("DELETE FROM patients WHERE code = %s", [7])):
            self.assert_needs(sql, arguments, column="code")
        self.assert_nothing_changed()

    def test_writing_it_is_refused_null_included(self):
        for sql, arguments in (("INSERT INTO patients (id, note) VALUES (9, 'new')", None),
                               ("INSERT INTO patients (id, note) VALUES (%s, %s)", [9, None]),
                               ("UPDATE patients SET note = NULL WHERE id = 1", None),
                               ("UPDATE patients SET name = %s, note = %s WHERE id = 1", ["Anna", None]),
                               ("UPDATE patients SET note = DEFAULT WHERE id = 1", None)):
            self.assert_needs(sql, arguments, column="note")
        with self.assertRaises(psycopg.errors.InsufficientPrivilege), self.cleo.cursor().copy("COPY patients (id, note) FROM STDIN") as copy:
            copy.write("9\t\\N\n")
        self.assert_nothing_changed()
        self.cleo.execute("PREPARE w (text) AS UPDATE patients SET note = $1 WHERE id = 1")
        with self.assertRaises(psycopg.errors.InsufficientPrivilege):
            self.cleo.execute("EXECUTE w (NULL)")
        with STACK.connect("") as nobody, self.assertRaises(psycopg.errors.InvalidAuthorizationSpecification):
            nobody.execute("UPDATE patients SET note = NULL WHERE id = 1")
        self.assert_nothing_changed()

    def test_what_names_no_value_of_it_works(self):
        for sql in ("SELECT count(note) FROM patients", "SELECT id FROM patients WHERE note IS NULL",
                    "UPDATE patients SET name = name WHERE id = 1 RETURNING name"):
            self.assertEqual(self.ask(self.cleo, sql), self.ask(self.dora, sql), sql)
        self.cleo.execute("INSERT INTO patients (id, name) VALUES (8, 'Dee')")
        self.cleo.execute("DELETE FROM patients WHERE name = 'Dee'")
        self.assert_nothing_changed()

    def test_a_value_that_is_not_of_the_group_is_an_error_and_no_null(self):
        STACK.superuser("CREATE TABLE kept AS SELECT id, note FROM patients", "clinic")
        STACK.superuser("UPDATE patients SET note = (SELECT name FROM labels WHERE id = 0) WHERE id = 1", "clinic")
        for connection in (self.dora, self.cleo):
            with self.assertRaises(psycopg.errors.DataCorrupted):
                connection.execute("SELECT note FROM patients WHERE id = 1")
        STACK.superuser("UPDATE patients p SET note = k.note FROM kept k WHERE k.id = p.id AND p.id = 1", "clinic")
        self.assert_nothing_changed()


class Grants(unittest.TestCase):
    def test_a_grant_and_a_revoke_replace_all_shares_of_the_user(self):
        succeeded(tool("user", "add", "gil"))
        first = options_of("gil")
        succeeded(tool("group", "grant", "gil", "medical", out="granted"))
        self.assertIn("gil has key group medical already", tool("group", "grant", "gil", "medical", out="granted").stderr)
        second = options_of("gil", "granted")
        self.assertIn("stale", failure(first, SHOWN).message)
        with STACK.connect(second) as session:
            self.assertEqual(session.execute(SHOWN).fetchall(), DORA)
            succeeded(tool("group", "revoke", "gil", "medical", out="revoked"))
            with self.assertRaises(psycopg.errors.InvalidAuthorizationSpecification):
                session.execute(SHOWN)  # at once, in a session that was open
        for options in (first, second):
            self.assertEqual(failure(options, SHOWN).sqlstate, "28000")
        with STACK.connect(options_of("gil", "revoked")) as session:
            self.assertEqual(session.execute(SHOWN).fetchall(), CLEO)
        self.assertIn("gil\tactive\tepoch 3\tdefault\n", STACK.tenant_tool("user", "list").stdout)

    def test_a_group_is_made_while_the_proxy_runs(self):
        policy = STACK.dir / "policy.json"
        before = policy.read_text()
        STACK.write("policy.json", before.replace('boxes": {"columns": {"name": {"type": "text"', 'boxes": {"columns": {"name": {"type": "text", "group": "lab"'))
        STACK.signal_proxy(signal.SIGHUP)
        with STACK.connect(options_of("dora")) as dora:
            wait_until(lambda: "reloaded" in STACK.proxy_log(), "the reload")
            dora.execute("CREATE TABLE boxes (id int, name text)")
            with self.assertRaises(psycopg.errors.InsufficientPrivilege) as refused:
                dora.execute("SELECT name FROM boxes")
            self.assertIn("key group lab, which the tenant has not made", str(refused.exception))
            self.assertIn("group create lab", refused.exception.diag.message_hint)
            succeeded(tool("group", "create", "lab", bare=False))
            self.assertEqual(dora.execute("SELECT name FROM patients WHERE name = 'Bob'").fetchall(), [("Bob",)])
        self.assertIn("already", tool("group", "create", "lab", bare=False).stderr)
        succeeded(tool("user", "add", "lea", "--group", "lab"))
        lea = options_of("lea")
        # The proxy writes the row into the home database by itself, and reads its "0" from there.
        wait_until(lambda: failure(lea, "INSERT INTO boxes VALUES (1, 'cough drops')").sqlstate == "", "the new group")
        with STACK.connect(lea) as session:
            self.assertEqual(session.execute("SELECT name FROM boxes").fetchall(), [("cough drops",)])
            with self.assertRaises(psycopg.errors.InsufficientPrivilege):
                session.execute("SELECT name FROM patients")
        self.assertRegex(STACK.tenant_tool("group", "list").stdout,
                         r"^default\tactive\tkey id 1\t\d+ users\nmedical\tactive\tkey id 2\t\d+ users\nlab\tactive\tkey id 3\t1 user\n$")
        rows = STACK.superuser("SELECT key_group, key_id FROM pgveil.keyring ORDER BY key_id", "pgveil_home")
        self.assertEqual(rows, [("default", 1), ("medical", 2), ("lab", 3)])
        self.assertNotIn("somebody changed pgveil.keyring", STACK.proxy_log())


if __name__ == "__main__":
    unittest.main()
