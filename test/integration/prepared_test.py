"""SQL PREPARE, EXECUTE and DEALLOCATE over protected columns, beside the protocol's own prepared statements."""

import json
import signal
import unittest

import psycopg

import logs
from forms import BINARY, FormCase, stop as tearDownModule
from stack import wait_until
from wire import Wire


class Prepared(FormCase):
    def setUp(self):
        super().setUp()
        self.stack.mark_server_log()

    def test_queries(self):
        for types, query, calls in (
                ("", "SELECT id, name FROM people WHERE ssn = $1", ("'222-XK'", "NULL", "'nobody'", "222")),
                ("(text)", "SELECT name, note FROM people WHERE ssn = $1", ("'111-XK'", "'111-XK'::text", "'111-XK'::varchar")),
                ("(text, int)", "SELECT born FROM people WHERE ssn = $1 AND id > $2", ("'222-XK', 1", "'222-XK', 1 + 2")),
                ("(int)", "SELECT name FROM people WHERE id = $1 OR ssn = $2", ("1, '444-XK'",)),
                ("(unknown, date)", "SELECT id FROM people WHERE age < $1 AND born > $2",
                 ("35, '1990-01-01'", "34.6, '1990-01-01'", "'20', date '2000-01-01'", "NULL::int, NULL::date")),
                ("(varchar(3))", "SELECT id FROM people WHERE ssn = $1", ("'333-XK'",)),
                ("", "SELECT name, $1::int + 1 FROM people WHERE age BETWEEN $2 AND $3 ORDER BY age", ("7, 19, 30",))):
            self.assert_same(f"PREPARE p {types} AS {query}", *(f"EXECUTE p({call})" for call in calls), "DEALLOCATE p")

    def test_it_finds_rows_and_sends_no_value(self):
        """Positive control: the values are there, and only envelopes reach the server."""
        self.twins.veiled.execute("PREPARE p AS SELECT name FROM people WHERE ssn = $1")
        cursor = psycopg.ClientCursor(self.twins.veiled)
        self.assertEqual(cursor.execute("EXECUTE p('222-XK')").fetchall(), [("Bob Baker",)])
        self.twins.veiled.execute("SELECT 'the last line'")
        wait_until(lambda: "the last line" in self.stack.server_log_since_mark(), "the server's log")
        sent = logs.through_pgveil(self.stack.server_log_since_mark())
        self.assertIn("EXECUTE p(E'", sent)
        self.assertNotIn("222-XK", sent)

    def test_changes(self):
        self.assert_same(
            "BEGIN", "PREPARE i AS INSERT INTO people (id, name, ssn, age) VALUES ($1, $2, $3, $4) RETURNING id, name",
            "EXECUTE i(9, 'Eve Evans', '555-XK', 40)", "SELECT name, ssn, age FROM people WHERE id = 9",
            "PREPARE u(int, text) AS UPDATE people SET name = $2 WHERE id = $1", "EXECUTE u(9, 'Bob Baker')",
            "SELECT name FROM people WHERE id = 9", "PREPARE d AS DELETE FROM people WHERE ssn = $1 RETURNING name",
            "EXECUTE d('555-XK')", "ROLLBACK", "DEALLOCATE ALL")

    def test_it_survives_a_rollback(self):
        self.assert_same("BEGIN", "PREPARE p AS SELECT name FROM people WHERE ssn = $1", "ROLLBACK", "EXECUTE p('222-XK')",
                         "BEGIN", "DEALLOCATE p", "ROLLBACK", "EXECUTE p('222-XK')")

    def test_names(self):
        self.assert_same("PREPARE \"My P\" AS SELECT name FROM people WHERE ssn = $1", "EXECUTE \"My P\"('222-XK')",
                         "EXECUTE myp('222-XK')", "DEALLOCATE \"My P\"", "PREPARE P AS SELECT city FROM cities ORDER BY 1",
                         "EXECUTE p", "PREPARE p AS SELECT name FROM people", "DEALLOCATE PREPARE p",
                         "PREPARE p AS SELECT name FROM people ORDER BY id", "EXECUTE p", "DISCARD PLANS", "EXECUTE p",
                         "DEALLOCATE ALL", "EXECUTE p")
        self.assert_same("PREPARE p AS SELECT name FROM people ORDER BY id", "DISCARD ALL", "EXECUTE p", protocols=["simple"])

    def test_errors_are_those_of_postgresql(self):
        self.assert_same("PREPARE p(text) AS SELECT name FROM people WHERE ssn = $1", "EXECUTE p", "EXECUTE p('a', 'b')",
                         "EXECUTE q('a')", "DEALLOCATE p", "DEALLOCATE p")
        self.assert_same("PREPARE p(text, date, varchar) AS UPDATE people SET ssn = $1, born = $2, name = $3 WHERE false",
                         "EXECUTE p('x', '2020-02-30', 'n')", "EXECUTE p('x', NULL, 'a name of more than twenty')",
                         "DEALLOCATE p", protocols=["simple"])

    def test_several_statements_in_one_text(self):
        self.assert_same("PREPARE p AS SELECT name FROM people WHERE ssn = $1; EXECUTE p('222-XK')", "DEALLOCATE p",
                         "BEGIN; PREPARE p AS UPDATE people SET name = $1 WHERE id = 1; EXECUTE p('Eve Evans');"
                         " EXECUTE p('Bob Baker'); SELECT name FROM people WHERE id = 1", "ROLLBACK",
                         "DEALLOCATE p; PREPARE p AS SELECT 1; EXECUTE p; DEALLOCATE p", protocols=["simple"])

    def test_refusals(self):
        self.twins.veiled.execute("PREPARE p AS UPDATE people SET name = $1 WHERE id = $2 AND city = $3")
        for call, state in (("'a' || 'b', 1, 'c'", "0A000"), ("upper('eve'), 1, 'c'", "0A000"), ("$1, 1, 'c'", "42P02"),
                            ("'Eve Evans', 1, 'Eve Evans'", "0A000"), ("'Eve', 1 + 0, lower('X')", "")):
            self.assertEqual(self.veiled_error(f"EXECUTE p({call})"), state, call)
        for sql in ("DO $$ BEGIN END $$", "CALL nosuch()"):
            self.assertEqual(self.veiled_error(sql), "0A000", "it could execute p with a plain value")
        self.assertEqual(self.veiled_error("DEALLOCATE p; MERGE INTO cities c USING cities d ON true WHEN NOT MATCHED BY"
                                           " SOURCE THEN DELETE"), "0A000", "what this text does to p nobody can read")
        self.twins.veiled.execute("PREPARE n AS UPDATE people SET note = $1 WHERE id = $2")
        self.assertEqual(self.veiled_error("EXECUTE n('Eve Evans', 1)"), "0A000", "bind_to")
        self.assertEqual(self.veiled_error("PREPARE t(point) AS SELECT 1 FROM people WHERE ssn = $1"), "0A000")
        self.assertEqual(self.veiled_error("PREPARE t AS SELECT set_config($1, $2, false) FROM people"), "0A000")
        self.assertEqual(self.veiled_error("EXECUTE n(NULL, 77)"), "")

    def test_when_the_table_changes(self):
        for connection in (self.twins.veiled, self.twins.plain):
            connection.execute("CREATE TABLE copies (id int, ssn text)")
            connection.execute("PREPARE s AS SELECT * FROM copies")
            connection.execute("PREPARE w AS SELECT id FROM copies WHERE ssn IS NULL")
            connection.execute("ALTER TABLE copies ADD COLUMN more int")
        self.assert_same("EXECUTE s", "EXECUTE w", protocols=["simple"])
        for connection in (self.twins.veiled, self.twins.plain):
            connection.execute("DROP TABLE copies")
            with self.assertRaises(psycopg.errors.UndefinedTable) as caught:
                connection.execute("EXECUTE w")
            self.assertEqual(caught.exception.diag.message_primary, 'relation "copies" does not exist')

    def test_a_constant_that_does_not_fit_is_found_at_once(self):
        """PostgreSQL finds it when it plans the statement."""
        states = []
        for connection in (self.twins.veiled, self.twins.plain):
            text = b"UPDATE people SET name = 'a name of more than twenty' WHERE false"
            for result in (connection.pgconn.prepare(b"late", text), connection.pgconn.exec_prepared(b"late", [])):
                states.append(result.error_field(psycopg.pq.DiagnosticField.SQLSTATE))
        self.assertEqual(states, [b"22001", b"26000", None, b"22001"])

    def test_a_name_that_a_function_made_is_not_known(self):
        self.stack.superuser("CREATE OR REPLACE FUNCTION make_one() RETURNS void LANGUAGE plpgsql AS"
                             " $$BEGIN EXECUTE 'PREPARE made AS SELECT 7'; END$$", "clinic")
        self.twins.veiled.execute("SELECT make_one()")
        self.assertEqual(self.veiled_error("EXECUTE made"), "26000")
        self.twins.veiled.execute("DO $$ BEGIN END $$")
        self.assertEqual(self.veiled_error("EXECUTE made"), "", "now it may be there")

    def reload_with(self, policy):
        self.stack.write("policy.json", policy)
        mark = len(self.stack.proxy_log())
        self.stack.signal_proxy(signal.SIGHUP)
        wait_until(lambda: "reloaded" in self.stack.proxy_log()[mark:], "the reload")

    def test_under_another_policy_it_has_to_be_prepared_again(self):
        veiled = self.twins.veiled
        policy = (self.stack.dir / "policy.json").read_text()
        other = json.loads(policy)
        other["tables"]["public.added"] = {"columns": {"word": {"type": "text"}}}
        self.addCleanup(self.reload_with, policy)
        veiled.execute("PREPARE p AS SELECT name FROM people WHERE ssn = $1")
        veiled.pgconn.prepare(b"q", b"SELECT name FROM people WHERE ssn = $1")
        self.assertEqual(self.veiled_error("EXECUTE p('222-XK')"), "")
        self.reload_with(json.dumps(other))
        self.assertEqual(self.veiled_error("EXECUTE p('222-XK')"), "0A000")
        answer = veiled.pgconn.exec_prepared(b"q", [b"222-XK"])
        self.assertEqual(answer.error_field(psycopg.pq.DiagnosticField.SQLSTATE), b"0A000")
        self.assertIn(b"the policy was reloaded", answer.error_field(psycopg.pq.DiagnosticField.MESSAGE_PRIMARY))
        veiled.execute("DEALLOCATE p")
        veiled.execute("PREPARE p AS SELECT name FROM people WHERE ssn = $1")
        self.assertEqual(self.veiled_error("EXECUTE p('222-XK')"), "")


class OneNameSpace(FormCase):
    def test_the_protocol_binds_what_sql_has_prepared(self):
        for connection in (self.twins.veiled, self.twins.plain):
            connection.execute("PREPARE p(text) AS SELECT name, born FROM people WHERE ssn = $1")
            described = connection.pgconn.describe_prepared(b"p")
            self.assertEqual([described.param_type(0), described.ftype(0), described.ftype(1)], [25, 1043, 1082])
            answer = connection.pgconn.exec_prepared(b"p", [b"222-XK"], result_format=BINARY)
            self.assertEqual(answer.get_value(0, 0), b"Bob Baker")
            self.assertEqual(len(answer.get_value(0, 1)), 4)

    def test_sql_executes_what_the_protocol_has_prepared(self):
        for connection in (self.twins.veiled, self.twins.plain):
            connection.pgconn.prepare(b"p", b"SELECT name FROM people WHERE ssn = $1 AND id > $2")
        self.assert_same("EXECUTE p('222-XK', 0)", "EXPLAIN (COSTS off, ANALYZE, TIMING off, SUMMARY off) EXECUTE q(1)",
                         "EXECUTE p(NULL, 1)", "DEALLOCATE p", "EXECUTE p('a', 1)", protocols=["simple"])

    def test_sql_does_not_execute_what_pgveil_answers(self):
        veiled = self.twins.veiled
        for text, call, state in ((b"SELECT pgveil.token_key()", "EXECUTE a", "0A000"),
                                  (b"SELECT set_config('pgveil.user_id', $1, false)", "EXECUTE a('Eve Evans')", "0A000"),
                                  (b"SELECT set_config($1, $2, false)", "EXECUTE a('x.y', 'Eve Evans')", "0A000"),
                                  (b"SELECT set_config('x.y', $1, false)", "EXECUTE a('z')", "")):
            veiled.pgconn.prepare(b"a", text)
            self.assertEqual(self.veiled_error(call), state, text)
            veiled.execute("DEALLOCATE a")

    def test_an_execute_that_was_prepared_notices_another_statement_of_that_name(self):
        veiled = self.twins.veiled
        veiled.execute("PREPARE p AS SELECT name FROM people WHERE ssn = $1")
        veiled.pgconn.prepare(b"e", b"EXECUTE p('222-XK')")
        self.assertEqual(veiled.pgconn.exec_prepared(b"e", []).get_value(0, 0), b"Bob Baker")
        veiled.execute("DEALLOCATE p")
        veiled.execute("PREPARE p AS SELECT city FROM people WHERE city = $1")
        answer = veiled.pgconn.exec_prepared(b"e", [])
        self.assertEqual(answer.error_field(psycopg.pq.DiagnosticField.SQLSTATE), b"0A000")

    def test_pipelined(self):
        """PREPARE and what uses it in one batch, and in one go."""
        with Wire(self.stack, self.stack.options()) as wire:
            wire.parse("s", "PREPARE p AS SELECT name FROM people WHERE ssn = $1").bind("", "s").execute("").sync()
            wire.query("EXECUTE p('222-XK')")
            self.assertEqual(wire.letters(), "12CZ")
            self.assertIn(b"Bob Baker", b"".join(body for _, body in wire.replies()))

    def test_a_failed_prepare_leaves_no_name(self):
        self.assert_same("PREPARE p AS SELECT nosuch FROM people", "EXECUTE p", "PREPARE p AS SELECT name FROM people LIMIT 0",
                         "EXECUTE p", "PREPARE p AS SELECT born FROM people", "EXECUTE p", "DEALLOCATE p")


if __name__ == "__main__":
    unittest.main()
