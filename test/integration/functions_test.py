"""Functions that somebody made in the database over a protected table: refused where they are called, and nothing of what
the call says reaches the server."""

import json
import re
import time
import unittest

import psycopg

import clinic
from stack import CLINIC, Stack, run

CANARY = "Kept Constant 5521"
NOT_SUPPORTED = "0A000"

MADE = [
    "CREATE FUNCTION f_rows() RETURNS SETOF patients LANGUAGE sql AS 'SELECT * FROM public.patients'",
    "CREATE FUNCTION f_columns() RETURNS TABLE (id int, name pgveil.ciphertext) LANGUAGE sql"
    " AS 'SELECT id, name FROM public.patients'",
    "CREATE FUNCTION f_out(OUT name pgveil.ciphertext) LANGUAGE sql AS 'SELECT name FROM public.patients LIMIT 1'",
    "CREATE FUNCTION f_many() RETURNS pgveil.ciphertext[] LANGUAGE sql AS 'SELECT array_agg(name) FROM public.patients'",
    "CREATE DOMAIN d_kept AS pgveil.ciphertext",
    "CREATE TYPE t_kept AS (number int, kept d_kept)",
    "CREATE FUNCTION f_composite() RETURNS t_kept LANGUAGE sql AS 'SELECT ROW(1, name)::t_kept FROM public.patients LIMIT 1'",
    "CREATE FUNCTION f_takes(pgveil.ciphertext) RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE FUNCTION f_record() RETURNS SETOF record LANGUAGE plpgsql AS"
    " $$BEGIN RETURN QUERY SELECT id, name::bytea FROM public.patients; END$$",
    "CREATE FUNCTION f_bytes() RETURNS bytea LANGUAGE sql AS 'SELECT name::bytea FROM Public.\"patients\" LIMIT 1'",
    "CREATE FUNCTION f_text() RETURNS text LANGUAGE sql AS 'SELECT name::text FROM PATIENTS LIMIT 1'",
    "CREATE FUNCTION f_cursor() RETURNS refcursor LANGUAGE plpgsql AS"
    " $$DECLARE c refcursor := 'kept_cursor'; BEGIN OPEN c FOR SELECT name FROM public.patients; RETURN c; END$$",
    "CREATE FUNCTION f_body() RETURNS bytea BEGIN ATOMIC SELECT name::bytea FROM public.patients LIMIT 1; END",
    "CREATE FUNCTION f_through() RETURNS text LANGUAGE plpgsql AS $$BEGIN RETURN f_text(); END$$",
    "CREATE FUNCTION f_twice() RETURNS text LANGUAGE sql AS 'SELECT \"f_through\"()'",
    "CREATE FUNCTION f_find(text) RETURNS int LANGUAGE sql AS"
    " 'SELECT id FROM public.patients WHERE name::bytea = $1::bytea'",
    "CREATE VIEW v_kept AS SELECT id, name::bytea AS name FROM patients",
    "CREATE FUNCTION f_view() RETURNS text LANGUAGE sql AS 'SELECT name::text FROM v_kept LIMIT 1'",
    "CREATE PROCEDURE p_find(INOUT found text) LANGUAGE plpgsql AS"
    " $$BEGIN SELECT name::text INTO found FROM public.patients WHERE name::text = found; END$$",
    "CREATE FUNCTION upper(int) RETURNS bytea LANGUAGE sql AS 'SELECT name::bytea FROM public.patients WHERE id = $1'",
    # Nobody sees what these name: only their results tell.
    "CREATE FUNCTION h_bytes() RETURNS SETOF bytea LANGUAGE plpgsql AS"
    " $$BEGIN RETURN QUERY EXECUTE 'SELECT name::bytea FROM pati' || 'ents'; END$$",
    "CREATE FUNCTION h_record() RETURNS SETOF record LANGUAGE plpgsql AS"
    " $$BEGIN RETURN QUERY EXECUTE 'SELECT id, name::bytea FROM pati' || 'ents'; END$$",
    "CREATE FUNCTION h_many() RETURNS bytea[] LANGUAGE plpgsql AS"
    " $$DECLARE x bytea[]; BEGIN EXECUTE 'SELECT array_agg(name::bytea) FROM pati' || 'ents' INTO x; RETURN x; END$$",
    "CREATE FUNCTION h_cursor() RETURNS refcursor LANGUAGE plpgsql AS"
    " $$DECLARE c refcursor := 'hidden_cursor'; BEGIN OPEN c FOR EXECUTE 'SELECT id, name FROM pati' || 'ents'; RETURN c; END$$",
    "CREATE PROCEDURE h_call(INOUT x bytea) LANGUAGE plpgsql AS"
    " $$BEGIN EXECUTE 'SELECT name::bytea FROM pati' || 'ents LIMIT 1' INTO x; END$$",
    # These stand in the policy.
    "CREATE FUNCTION g_rows(min_id int) RETURNS SETOF patients LANGUAGE sql AS 'SELECT * FROM public.patients WHERE id >= $1'",
    "CREATE FUNCTION g_row(wanted int) RETURNS patients LANGUAGE plpgsql AS"
    " $$DECLARE p patients; BEGIN SELECT * INTO p FROM public.patients WHERE id = wanted; RETURN p; END$$",
    "CREATE FUNCTION g_ssn(wanted int) RETURNS pgveil.ciphertext LANGUAGE sql AS 'SELECT ssn FROM public.patients WHERE id = $1'",
    "CREATE FUNCTION g_wrong() RETURNS pgveil.ciphertext LANGUAGE sql AS 'SELECT name FROM public.patients LIMIT 1'",
    "CREATE FUNCTION g_count(below int) RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM public.patients WHERE id < $1'",
    "CREATE FUNCTION f_count(below int) RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM public.patients WHERE id < $1'",
    "CREATE FUNCTION public.decode(int) RETURNS pgveil.ciphertext LANGUAGE sql AS 'SELECT ssn FROM public.patients WHERE id = $1'",
    # Controls: nothing of a protected table in them.
    "CREATE FUNCTION f_plain(text) RETURNS text LANGUAGE sql AS 'SELECT $1 || title FROM public.departments LIMIT 1'",
    "CREATE FUNCTION f_number() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM public.patients'",
    "CREATE PROCEDURE p_plain(INOUT n int) LANGUAGE plpgsql AS $$BEGIN n := n + 1; END$$",
]


RETURNS = {"public.g_rows": "public.patients", "public.g_row": "public.patients", "public.g_ssn": "public.patients.ssn",
           "public.g_wrong": "public.patients.ssn", "public.decode": "public.patients.ssn"}


def setUpModule():
    global STACK
    policy = json.loads(re.sub(r"^\s*//.*$", "", (CLINIC / "policy.json").read_text(encoding="utf-8"), flags=re.MULTILINE))
    policy["functions"] = {name: {"returns": returns} for name, returns in RETURNS.items()}
    policy["plain"] = ["public.g_count"]
    STACK = Stack.start(policy)
    STACK.never_logged = [*STACK.never_logged, CANARY]
    clinic.Clinic(STACK)
    for sql in MADE:
        STACK.superuser(sql, "clinic")


def tearDownModule():
    STACK.stop()


def refusal(sql, parameters=None, **options):
    """The error a statement ends with; None if it succeeds."""
    with STACK.connect() as connection:
        try:
            connection.execute(sql, parameters, **options)
            return None
        except psycopg.Error as error:
            return error


class Results(unittest.TestCase):
    """Encrypted values in a result that no rule went through."""

    HIDDEN = ("SELECT * FROM h_bytes()", "SELECT * FROM h_record() AS r(id int, name bytea)", "SELECT h_many()",
              "SELECT r FROM h_record() AS r(id int, name bytea)", "CALL h_call(NULL)", "SELECT ROW(1, ARRAY[h_bytes()])")

    def assert_guarded(self, error, sql):
        self.assertIsNotNone(error, sql)
        self.assertEqual(error.sqlstate, NOT_SUPPORTED, (sql, error))
        self.assertIn("encrypted values that no rule opened", str(error), sql)

    def test_fail_in_every_form(self):
        for sql in self.HIDDEN:
            for binary in (False, True):
                for form in ({"prepare": False}, {"prepare": True}):
                    with self.subTest(sql=sql, binary=binary, **form), STACK.connect() as connection:
                        with self.assertRaises(psycopg.Error) as caught:
                            connection.execute(sql, binary=binary, **form).fetchall()
                        self.assert_guarded(caught.exception, sql)
                        self.assertEqual(connection.execute("SELECT 1").fetchone(), (1,))

    def test_fail_with_escape_output(self):
        with STACK.connect() as connection:
            connection.execute("SET bytea_output = escape")
            for sql in self.HIDDEN:
                with self.subTest(sql=sql), self.assertRaises(psycopg.Error) as caught:
                    connection.execute(sql)
                self.assert_guarded(caught.exception, sql)

    def test_the_column_is_named(self):
        error = refusal("SELECT 1 AS one, h_bytes() AS hidden")
        self.assertIn('column "hidden"', str(error))

    def test_a_cursor_of_a_function(self):
        with STACK.connect(autocommit=False) as connection:
            self.assertEqual(connection.execute("SELECT h_cursor()::text").fetchone(), ("hidden_cursor",))
            with self.assertRaises(psycopg.Error) as caught:
                connection.execute("FETCH ALL FROM hidden_cursor")
            self.assert_guarded(caught.exception, "FETCH")

    def test_fail_the_transaction(self):
        for form in ({"prepare": False}, {"prepare": True}):
            with STACK.connect(autocommit=False) as connection:
                connection.execute("UPDATE departments SET beds = beds + 1000")
                with self.assertRaises(psycopg.Error) as caught:
                    connection.execute("SELECT * FROM h_bytes()", **form)
                self.assert_guarded(caught.exception, form)
                self.assertEqual(connection.info.transaction_status, psycopg.pq.TransactionStatus.INERROR)
                connection.rollback()
                self.assertEqual(connection.execute("SELECT count(*) FROM departments WHERE beds > 1000").fetchone(), (0,))

    def test_in_a_pipeline(self):
        with STACK.connect() as connection, self.assertRaises(psycopg.Error) as caught, connection.pipeline():
            connection.execute("SELECT 1")
            connection.execute("SELECT * FROM h_bytes()")
            connection.execute("SELECT 2")
        self.assert_guarded(caught.exception, "pipeline")

    def test_other_bytes_pass(self):
        values = [b"", b"\x01", b"\x01\x02" + bytes(60), b"\x01\x02\x00\x00", b"\\x0102", bytes(range(256)), bytes(1 << 20)]
        with STACK.connect() as connection:
            for value in values:
                for binary in (False, True):
                    got = connection.execute("SELECT %s::bytea, ARRAY[%s::bytea], ROW(%s::bytea)::text",
                                             [value] * 3, binary=binary).fetchone()
                    self.assertEqual(got[:2], (value, [value]))
            size = connection.execute("SELECT convert_to(repeat('x', 20000000), 'UTF8')").fetchone()
            self.assertEqual(len(size[0]), 20_000_000)

    def test_what_is_not_looked_at(self):
        """Text, json and COPY: envelopes come through, values never do."""
        with STACK.connect() as connection:
            for sql in ("SELECT b::text FROM h_bytes() AS b", "SELECT encode(b, 'hex') FROM h_bytes() AS b",
                        "SELECT json_agg(b) FROM h_bytes() AS b"):
                self.assertIn("0101", str(connection.execute(sql).fetchone()), sql)
            with connection.cursor().copy("COPY (SELECT * FROM h_bytes()) TO STDOUT") as copy:
                self.assertIn(b"x0101", b"".join(bytes(block) for block in copy))

    def test_the_control_the_values_come_without_pgveil(self):
        for sql in self.HIDDEN:
            self.assertIn("01", repr(STACK.superuser(sql, "clinic")))


class Functions(unittest.TestCase):
    def assert_refused(self, sql, name, parameters=None):
        error = refusal(sql, parameters)
        self.assertIsNotNone(error, sql)
        self.assertEqual(error.sqlstate, NOT_SUPPORTED, (sql, error))
        self.assertIn(name, str(error), sql)

    def test_calls_of_functions_over_a_protected_table_are_refused(self):
        for name in ("f_rows", "f_columns", "f_out", "f_many", "f_composite", "f_bytes", "f_text", "f_cursor", "f_body",
                     "f_through", "f_twice", "f_view"):
            with self.subTest(name=name):
                self.assert_refused(f"SELECT * FROM {name}()", name)
                self.assert_refused(f"SELECT {name}()::text = '{CANARY}'", name)
                self.assert_refused(f"SELECT public.{name}()::text = %s", name, [CANARY])
        self.assert_refused("SELECT f_count(3)", "f_count")
        self.assert_refused("SELECT * FROM f_record() AS r(id int, name bytea)", "f_record")

    def test_constants_in_their_arguments_do_not_leave(self):
        for sql in (f"SELECT f_find('{CANARY}')", f"CALL p_find('{CANARY}')", f"SELECT 1 FROM f_rows() WHERE name = '{CANARY}'",
                    f"EXPLAIN SELECT f_find('{CANARY}')", f"COPY (SELECT f_find('{CANARY}')) TO STDOUT",
                    f"DO $$BEGIN PERFORM f_find('{CANARY}'); END$$", f"PREPARE p AS SELECT f_find('{CANARY}')",
                    f"SELECT upper('{CANARY}')"):
            with self.subTest(sql=sql):
                error = refusal(sql)
                self.assertIsNotNone(error)
                self.assertEqual(error.sqlstate, NOT_SUPPORTED, error)
        self.assertNotIn(CANARY, STACK.server_log())

    def test_a_function_that_takes_encrypted_values(self):
        self.assert_refused("SELECT f_takes(NULL)", "f_takes")

    def test_one_made_meanwhile_is_seen(self):
        with STACK.connect() as connection:
            connection.execute("SELECT lower('A')")
            with connection.transaction():
                connection.execute("CREATE FUNCTION f_late() RETURNS int LANGUAGE sql AS 'SELECT 1'")
                self.assertEqual(connection.execute("SELECT f_late()").fetchone(), (1,))
            STACK.superuser("CREATE OR REPLACE FUNCTION f_late() RETURNS int LANGUAGE sql AS 'SELECT 1'", "clinic")
            STACK.superuser("DROP FUNCTION f_late()", "clinic")
            STACK.superuser("CREATE FUNCTION f_late() RETURNS text LANGUAGE sql AS 'SELECT name::text FROM patients LIMIT 1'",
                            "clinic")
            self.addCleanup(STACK.superuser, "DROP FUNCTION f_late()", "clinic")
            time.sleep(1.2)  # limits.catalog_ttl_ms
            with self.assertRaises(psycopg.errors.FeatureNotSupported):
                connection.execute("SELECT f_late()")

    def test_creating_one_through_pgveil_is_refused(self):
        self.assert_refused("CREATE FUNCTION f_new() RETURNS text LANGUAGE sql AS 'SELECT f_text()'", "f_text")

    def test_other_functions_are_called_as_ever(self):
        self.assertIsNone(refusal("SELECT lower('A'), now(), count(*) FROM pg_class"))
        with STACK.connect() as connection:
            self.assertEqual(connection.execute("SELECT f_number() > 0").fetchone(), (True,))
            self.assertEqual(connection.execute("CALL p_plain(2)").fetchone(), (3,))
            self.assertEqual(connection.execute("SELECT g_count(3)").fetchone(), (2,))
            self.assertIsNotNone(connection.execute("SELECT f_plain('x')").fetchone())
            self.assertIsNotNone(connection.execute("SELECT f_plain(%s)", ["x"]).fetchone())

    def test_those_of_the_policy_are_opened(self):
        pairs = [
            ("SELECT * FROM g_rows(3)", "SELECT * FROM patients WHERE id >= 3"),
            ("SELECT * FROM g_row(2)", "SELECT * FROM patients WHERE id = 2"),
            ("SELECT name, born FROM public.g_rows(1) WHERE ssn = %s", "SELECT name, born FROM patients WHERE ssn = %s"),
            ("SELECT id FROM g_rows(1) g WHERE g.born > '1960-01-01' ORDER BY born DESC",
             "SELECT id FROM patients WHERE born > '1960-01-01' ORDER BY born DESC"),
            ("SELECT v.id, g.name FROM visits v JOIN LATERAL g_rows(2) g ON g.ssn = v.patient_ssn ORDER BY 1",
             "SELECT v.id, p.name FROM visits v JOIN patients p ON p.ssn = v.patient_ssn AND p.id >= 2 ORDER BY 1"),
            ("SELECT g_ssn(id) AS ssn FROM patients ORDER BY id", "SELECT ssn FROM patients ORDER BY id"),
            ("SELECT ssn FROM g_ssn(2) AS g(ssn)", "SELECT ssn FROM patients WHERE id = 2"),
            ("SELECT max(born) FROM g_rows(2)", "SELECT max(born) FROM patients WHERE id >= 2"),
            ("SELECT decode(2) AS ssn", "SELECT ssn FROM patients WHERE id = 2"),
            ("SELECT id FROM patients WHERE ssn = g_ssn(2)", "SELECT id FROM patients WHERE id = 2"),
            ("SELECT g.* FROM g_rows(3) WITH ORDINALITY AS g(a, b, c, d, e, f, g, h, i, n)",
             "SELECT *, row_number() OVER () FROM patients WHERE id >= 3"),
        ]
        with STACK.connect() as connection:
            columns = connection.execute("SELECT * FROM patients LIMIT 0").description
            self.assertEqual(len(columns), 9, "g_rows has an alias for each")
            ssn = connection.execute("SELECT ssn FROM patients WHERE id = 2").fetchone()[0]
            for called, written in pairs:
                parameters = [ssn] if "%s" in called else None
                for binary in (False, True):
                    for prepare in (False, True):
                        with self.subTest(called, binary=binary, prepare=prepare):
                            got, expected = (connection.execute(sql, parameters, binary=binary, prepare=prepare)
                                             for sql in (called, written))
                            rows = expected.fetchall()
                            self.assertEqual(got.fetchall(), rows)
                            self.assertTrue(rows, "the control: there is something to compare")
                            self.assertEqual([each.type_code for each in got.description],
                                             [each.type_code for each in expected.description])
            with connection.transaction(force_rollback=True):
                connection.execute("UPDATE visits SET patient_ssn = g_ssn(2)")
                self.assertEqual(connection.execute("SELECT DISTINCT patient_ssn FROM visits").fetchall(), [(ssn,)])

    def test_what_returns_other_values_than_the_policy_says_opens_nothing(self):
        with STACK.connect() as connection:
            with self.assertRaises(psycopg.Error) as caught:
                connection.execute("SELECT g_wrong()").fetchall()
            self.assertEqual(caught.exception.sqlstate, "XX001", caught.exception)
            self.assertEqual(connection.execute(f"SELECT g_wrong() = '{CANARY}'").fetchone(), (False,))
        self.assertNotIn(CANARY, STACK.server_log())

    def test_check_lists_those_that_the_policy_does_not(self):
        done = run([*STACK.as_owner(), STACK.dir / "bin" / "pgveil", "check", "--config", STACK.settings, "--database", "clinic"])
        self.assertEqual(done.returncode, 1, done.stderr)
        for name in ("f_rows()", "f_find(text)", "f_body()", "f_count(integer)"):
            self.assertIn(f"function {name} sees it: ", done.stdout)
        for name in ("g_rows(integer)", "g_ssn(integer)", "g_count(integer)", "f_plain(text)"):
            self.assertNotIn(f"function {name} sees it: ", done.stdout)

    def test_the_control_the_values_are_there(self):
        """What the functions give without pgveil in between."""
        (value,) = STACK.superuser("SELECT f_bytes()", "clinic")[0]
        self.assertEqual(value[0], 1)
        self.assertTrue(STACK.superuser("SELECT f_twice()", "clinic")[0][0].startswith("\\x01"))


if __name__ == "__main__":
    unittest.main()
