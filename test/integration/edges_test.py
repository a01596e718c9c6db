"""Statements and messages at the edges: what stands where nobody looks, and what goes wrong half-way."""

import unittest

import psycopg
from psycopg import pq

import logs
from stack import Stack, psql, succeeded, wait_until

POLICY = {
    "tables": {
        "public.ledger": {"columns": {"entry": {"type": "text", "search": "equality"},
                                      "note": {"type": "text", "bind_to": ["id"]},
                                      "sum": {"type": "int4", "search": "equality"}}}},
    "plain": ["archive.ledger"]}

SCHEMA = """
CREATE TABLE ledger (id int PRIMARY KEY, entry text, note text, sum int4);
CREATE TABLE plain_table (id int PRIMARY KEY, words text[], n int);
CREATE SCHEMA archive;
CREATE TABLE archive.ledger (id int, entry text);
CREATE FUNCTION use_path(path text) RETURNS void LANGUAGE plpgsql AS
    $f$ BEGIN PERFORM set_config('search_path', path, false); END $f$;
INSERT INTO plain_table VALUES (1, '{a,b}', 1);
"""

ROWS = "INSERT INTO ledger VALUES (1, 'one', 'first', 10), (2, 'two', 'second', 20)"

QUERY = "(SELECT count(*) FROM ledger WHERE entry = 'HIDDEN')"


def setUpModule():
    global STACK, PLAIN
    STACK = Stack.start(POLICY)
    STACK.superuser("CREATE DATABASE clinic_plain OWNER app")
    PLAIN = STACK.url("direct", "app", "clinic_plain")
    for url, options in ((PLAIN, ""), (STACK.url(), STACK.options())):
        # CREATE FUNCTION names nothing protected, but stands in a text with what does.
        for part in (SCHEMA.split("CREATE FUNCTION")[0], "CREATE FUNCTION" + SCHEMA.split("CREATE FUNCTION")[1], ROWS):
            succeeded(psql(url, "-q", "-v", "ON_ERROR_STOP=1", options=options, stdin=part))


def tearDownModule():
    STACK.stop()


def answer(result):
    if result.status == pq.ExecStatus.FATAL_ERROR:
        return result.error_field(pq.DiagnosticField.SQLSTATE).decode()
    return (result.command_status, [[result.get_value(row, column) for column in range(result.nfields)]
                                    for row in range(result.ntuples)])


class EdgeCase(unittest.TestCase):
    def setUp(self):
        self.veiled = STACK.connect()
        self.plain = psycopg.connect(PLAIN, autocommit=True)
        self.addCleanup(self.veiled.close)
        self.addCleanup(self.plain.close)

    def both(self, statements, extended=False):
        """Each statement's answer through pgveil and on plain tables, in a transaction that is rolled back."""
        said = []
        for connection in (self.veiled, self.plain):
            libpq = connection.pgconn
            libpq.exec_(b"BEGIN")
            run = (lambda sql: libpq.exec_params(sql.encode(), [])) if extended else (
                lambda sql: libpq.exec_(sql.encode()))
            said.append([answer(run(sql)) for sql in statements])
            said[-1].append(libpq.transaction_status)
            libpq.exec_(b"ROLLBACK")
        return said

    def assert_same(self, *statements):
        for extended in (False, True):
            with self.subTest(statements, extended=extended):
                veiled, plain = self.both(statements, extended)
                self.assertEqual(veiled, plain)

    def assert_not_logged(self, word):
        self.veiled.execute("SELECT 'the last line'")
        wait_until(lambda: "the last line" in STACK.server_log_since_mark(), "the server's log")
        self.assertNotIn(word, logs.through_pgveil(STACK.server_log_since_mark()))


class QueriesInOddPlaces(EdgeCase):
    def test_their_constants_do_not_leave(self):
        STACK.mark_server_log()
        for sql in (f"VALUES (1), (2) ORDER BY {QUERY}",
                    f"SELECT id FROM ledger WHERE id IN (VALUES (1) ORDER BY {QUERY})",
                    f"INSERT INTO plain_table VALUES (7) ORDER BY {QUERY}",
                    f"UPDATE plain_table SET words[{QUERY}::int + 1] = 'x' WHERE id = 1 RETURNING words",
                    f"INSERT INTO plain_table (id, words[{QUERY}]) VALUES (8, 'x') RETURNING words"):
            self.assert_same(sql)
        for sql in (f"CREATE TABLE k (a int, CHECK ({QUERY} > 0))", f"CREATE TABLE k (a numeric({QUERY}))",
                    f"ALTER TABLE plain_table ADD CHECK ({QUERY} > 0)", f"SELECT 1::numeric({QUERY})",
                    f"CREATE TABLE k PARTITION OF plain_table FOR VALUES IN ({QUERY})",
                    f"CREATE INDEX ON plain_table (n) WHERE {QUERY} = 1"):
            with self.subTest(sql), self.assertRaises(psycopg.errors.FeatureNotSupported):
                self.veiled.execute(sql)
        self.assert_not_logged("HIDDEN")

    def test_a_multiple_assignment_from_a_query(self):
        self.assert_same("UPDATE plain_table SET (id, n) = (SELECT 5, count(*) FROM ledger WHERE entry = 'one')"
                         " RETURNING *")


class SortedValues(EdgeCase):
    def test_are_not_sorted_by_what_is_stored(self):
        for tail in ("ORDER BY 2 LIMIT 1", "ORDER BY column2"):
            with self.subTest(tail), self.assertRaises(psycopg.errors.FeatureNotSupported):
                self.veiled.execute(f"INSERT INTO ledger (id, entry) VALUES (50, 'b'), (51, 'a') {tail}")

    def test_positions_of_hidden_keys_are_not_there(self):
        self.assert_same("SELECT note FROM ledger ORDER BY 2")
        self.assert_same("SELECT note FROM ledger GROUP BY 2")
        self.assert_same("SELECT note FROM ledger ORDER BY id")


class Names(EdgeCase):
    def test_of_result_columns_without_alias(self):
        self.assert_same("SELECT s.coalesce, s.\"case\", s.exists, s.array FROM (SELECT coalesce(id, 0),"
                         " CASE WHEN true THEN 1 END, EXISTS (SELECT 1), ARRAY[1], entry FROM ledger) s ORDER BY 1")

    def test_of_functions_with_columns_of_their_own(self):
        self.assert_same("SELECT l.entry, x.a FROM ledger l, ROWS FROM (json_to_recordset('[{\"a\":1}]') AS (a int)) x"
                         " ORDER BY l.id")

    def test_a_function_changes_the_search_path(self):
        """A plain twin was read by its last name; then a function makes that name the protected table's."""
        STACK.mark_server_log()
        self.veiled.execute("SET search_path = archive, public")
        self.veiled.execute("SELECT count(*) FROM ledger")
        self.veiled.execute("SELECT public.use_path('public')")
        self.veiled.execute("INSERT INTO ledger (id, entry) VALUES (9, 'unprotected by its name')")
        self.assertEqual(STACK.superuser("SELECT count(*) FROM archive.ledger WHERE id = 9", "clinic"), [(0,)])
        self.assertEqual(self.veiled.execute("DELETE FROM public.ledger WHERE id = 9 RETURNING entry").fetchone(),
                         ("unprotected by its name",))
        self.assertNotIn("unprotected by its name", STACK.server_log_since_mark())
        for sql in ("UPDATE pg_settings SET setting = 'public' WHERE name = 'search_path'",
                    "EXPLAIN ANALYZE UPDATE pg_settings SET setting = 'public' WHERE name = 'search_path'"):
            with self.subTest(sql), self.assertRaises(psycopg.errors.FeatureNotSupported):
                self.veiled.execute(sql)


class Definitions(EdgeCase):
    def test_a_column_that_is_dropped_and_added_keeps_plaintext_out(self):
        self.veiled.execute("BEGIN")
        self.veiled.execute("ALTER TABLE ledger DROP COLUMN entry, ADD COLUMN entry text")
        self.veiled.execute("COMMIT")
        with self.assertRaises(psycopg.errors.CheckViolation):
            STACK.superuser("UPDATE ledger SET entry = 'written around the proxy'", "clinic")
        self.veiled.execute("UPDATE ledger SET entry = 'one' WHERE id = 1")
        self.veiled.execute("UPDATE ledger SET entry = 'two' WHERE id = 2")


class FailedTransactions(EdgeCase):
    def test_syntax_errors_come_before_the_failure(self):
        for mistake in ("DROP", "SELEC 1", "SELECT entry FROM ledger WHERE", "SELECT 'open"):
            statements = ("SELECT 1 / 0", mistake, "SELECT 1")
            if STACK.has_newer_grammar:
                self.assertIn(self.both(statements)[0][1], ("25P02", "42601"), mistake)
            else:
                self.assert_same(*statements)


class Batches(EdgeCase):
    def test_that_fail_before_a_look_up_of_our_own_is_answered_do_not_hang(self):
        """After ROLLBACK TO the proxy reads the parameters back between Parse and Bind; the Parse fails."""
        self.veiled.execute("SELECT entry FROM ledger")
        libpq = self.veiled.pgconn
        for _ in range(3):
            libpq.exec_(b"BEGIN")
            libpq.exec_(b"SAVEPOINT s")
            libpq.exec_(b"SELECT 1 / 0")
            libpq.exec_(b"ROLLBACK TO s")
            libpq.send_query_params(b"SELECT entry FROM ledger WHERE entry = $1 AND no_such_function()", [b"one"])
            wait_until(lambda: self.is_answered(libpq), "the answer to a batch that fails")
            self.assertEqual(answer(libpq.get_result()), "42883")
            self.assertIsNone(libpq.get_result())
            self.assertEqual(libpq.transaction_status, pq.TransactionStatus.INERROR)
            libpq.exec_(b"ROLLBACK")
        self.assertEqual(self.veiled.execute("SELECT entry FROM ledger WHERE id = 1").fetchone(), ("one",))

    @staticmethod
    def is_answered(libpq):
        libpq.consume_input()
        return not libpq.is_busy()

    def test_null_of_a_type_that_cannot_be_assigned(self):
        for connection in (self.veiled, self.plain):
            result = connection.pgconn.exec_params(b"UPDATE ledger SET sum = $1", [None], param_types=[25])
            self.assertIn(answer(result), ("0A000", "42804"))


if __name__ == "__main__":
    unittest.main()
