"""EXPLAIN shows what runs, with envelopes where values were; CREATE TABLE AS; and commands that only have to pass."""

import unittest

import psycopg

from forms import SECRET, FormCase, stop as tearDownModule

EXPLAINED = (
    "SELECT name FROM people WHERE ssn = '222-XK'",
    "SELECT p.name, c.zone FROM people p JOIN cities c USING (city) WHERE age > 30 ORDER BY born",
    "INSERT INTO people (id, name, ssn) VALUES (9, 'Eve Evans', '555-XK') RETURNING name",
    "UPDATE people SET name = 'Eve Evans', age = 41 WHERE ssn = '222-XK'",
    "DELETE FROM people WHERE born BETWEEN '1990-01-02' AND '1990-01-03'",
    "DECLARE c CURSOR FOR SELECT name FROM people WHERE ssn = '111-XK'",
    "CREATE TABLE made AS SELECT id FROM people WHERE ssn = '111-XK'",
    "EXECUTE p('222-XK')",
)


class Explain(FormCase):
    def setUp(self):
        super().setUp()
        for connection in (self.twins.veiled, self.twins.plain):
            connection.execute("PREPARE p AS SELECT name FROM people WHERE ssn = $1")

    def plan(self, connection, statement):
        cursor = psycopg.ClientCursor(connection)
        cursor.execute(statement)
        shape = [(column.name, column.type_code) for column in cursor.description], cursor.statusmessage
        return shape, "\n".join(str(line) for line, in cursor.fetchall())

    def test_envelopes_and_never_values(self):
        for statement in EXPLAINED:
            for options in ("", "VERBOSE", "(COSTS off)", "(FORMAT json)", "(FORMAT xml, VERBOSE)"):
                shape, text = self.plan(self.twins.veiled, f"EXPLAIN {options} {statement}")
                self.assertEqual(shape, self.plan(self.twins.plain, f"EXPLAIN {options} {statement}")[0])
                with self.subTest(statement, options=options):
                    self.assertFalse([word for word in SECRET if word in text], text)
        self.assertIn("222-XK", self.plan(self.twins.plain, f"EXPLAIN {EXPLAINED[0]}")[1])  # the positive control
        self.assertRegex(self.plan(self.twins.veiled, f"EXPLAIN {EXPLAINED[0]}")[1], r"ssn.* = '\\x0102")

    def test_the_index_is_used(self):
        self.twins.veiled.execute("SET enable_seqscan = off")
        self.assertIn("people_ssn_key", self.plan(self.twins.veiled, f"EXPLAIN {EXPLAINED[0]}")[1])

    def test_analyze_runs_it(self):
        quiet = "EXPLAIN (ANALYZE, COSTS off, TIMING off, SUMMARY off, BUFFERS off)"
        for connection in (self.twins.veiled, self.twins.plain):
            connection.execute("BEGIN")
            for statement in EXPLAINED:
                connection.execute(f"{quiet} {statement}")
        self.assert_same("SELECT id, name, age FROM people ORDER BY id", "SELECT * FROM made", "ROLLBACK", protocols=["simple"])

    def test_analyze_without_constants(self):
        quiet = "EXPLAIN (ANALYZE, BUFFERS off, COSTS off, TIMING off, SUMMARY off)"
        self.assert_same(f"{quiet} SELECT name FROM people", f"{quiet} SELECT count(age) FROM people",
                         "EXPLAIN (COSTS off) SELECT name, note FROM people ORDER BY id")

    def test_errors(self):
        self.assert_same("EXPLAIN SELECT nosuch FROM cities", "EXPLAIN (NOSUCH) SELECT name FROM people",
                         "EXPLAIN EXECUTE nosuch(1)", "EXPLAIN EXECUTE p", protocols=["simple"])
        self.assertEqual(self.veiled_error("EXPLAIN SELECT nosuch FROM people"), "42703")

    def test_parameters(self):
        for connection in (self.twins.veiled, self.twins.plain):
            answer = connection.pgconn.exec_params(b"EXPLAIN (COSTS off) SELECT id FROM people WHERE ssn = $1", [b"222-XK"])
            self.assertEqual(answer.command_status, b"EXPLAIN")
            self.assertEqual(answer.ftype(0), 25)

    def test_refusals(self):
        for statement in ("SELECT upper(name) FROM people", "SELECT name FROM people WHERE name = 'x'",
                          "CREATE TABLE made AS SELECT name FROM people", "CREATE MATERIALIZED VIEW v AS SELECT upper(name) FROM people",
                          "SELECT set_config('pgveil.user_id', 'x', false)", "SELECT pgveil.apply('x')"):
            for analyze in ("", "ANALYZE"):
                self.assertEqual(self.veiled_error(f"EXPLAIN {analyze} {statement}"), "0A000", statement)

    def test_without_shares(self):
        with self.stack.connect(options="") as nobody:
            nobody.execute("EXPLAIN SELECT name FROM people")
            with self.assertRaises(psycopg.errors.InvalidAuthorizationSpecification):
                nobody.execute("EXPLAIN SELECT name FROM people WHERE ssn = 'x'")


class NewTables(FormCase):
    def test_of_plain_columns(self):
        self.assert_same("BEGIN", "CREATE TABLE made AS SELECT id, city FROM people WHERE ssn <> '222-XK'",
                         "SELECT * FROM made ORDER BY id", "SELECT id, city AS town INTO TEMP kept FROM people WHERE age > 20",
                         "SELECT * FROM kept ORDER BY id", "PREPARE p AS SELECT id FROM people WHERE ssn = $1",
                         "CREATE TABLE more AS EXECUTE p('111-XK')", "SELECT * FROM more", "DEALLOCATE p", "ROLLBACK",
                         protocols=["simple"])

    def test_of_protected_columns(self):
        self.twins.veiled.execute("PREPARE p AS SELECT ssn FROM people")
        for statement in ("CREATE TABLE made AS SELECT id, name FROM people", "SELECT ssn INTO made FROM people",
                          "SELECT ssn INTO made FROM people UNION ALL SELECT ssn FROM people", "CREATE TABLE made AS EXECUTE p",
                          "CREATE TABLE made AS TABLE people",
                          "CREATE TABLE copies AS SELECT 1 AS id, 'x' AS ssn", "SELECT 'x' AS ssn INTO TEMP copies"):
            self.assertEqual(self.veiled_error(statement), "0A000", statement)


class Commands(FormCase):
    """Commands that have nothing to do with protected columns answer as they do directly."""

    def test_they_pass(self):
        self.assert_same("LISTEN people", "NOTIFY people, 'x'", "SELECT count(*) FROM pg_listening_channels()", "UNLISTEN *",
                         "SELECT pg_advisory_lock(7)", "SELECT pg_try_advisory_lock(7)", "SELECT pg_advisory_unlock(7)",
                         "SELECT pg_advisory_unlock_all()", "BEGIN", "SELECT pg_advisory_xact_lock(1, 2)", "COMMIT")

    def test_notifications_arrive(self):
        for connection in (self.twins.veiled, self.twins.plain):
            seen = []
            connection.add_notify_handler(lambda notify: seen.append((notify.channel, notify.payload)))
            connection.execute("LISTEN people")
            connection.execute("NOTIFY people, 'hello'")
            connection.execute("SELECT 1")
            self.assertEqual(seen, [("people", "hello")])

    def test_large_objects(self):
        self.assert_same("BEGIN", "SELECT lo_create(4711)", "SELECT lo_put(4711, 0, '\\x0102030405')",
                         "SELECT lo_get(4711, 1, 3)", "SELECT lo_open(4711, 393216)", "SELECT lo_lseek(0, 2, 0)",
                         "SELECT loread(0, 2)", "SELECT lowrite(0, '\\xff')", "SELECT lo_close(0)", "SELECT lo_get(4711)",
                         "SELECT name FROM people WHERE ssn = '111-XK'", "SELECT lo_unlink(4711)", "ROLLBACK")

    def test_mixed_in_one_text(self):
        self.assert_same(
            "BEGIN; SELECT pg_advisory_xact_lock(3); SELECT lo_create(4712); PREPARE p AS SELECT name FROM people WHERE ssn = $1;"
            " DECLARE c CURSOR FOR SELECT id, name FROM people ORDER BY id; UPDATE people SET name = 'Eve Evans' WHERE id = 1;"
            " NOTIFY people; EXECUTE p('111-XK')", "FETCH 2 FROM c; MOVE 1 IN c; FETCH c", "ROLLBACK", "DEALLOCATE p",
            protocols=["simple"])


if __name__ == "__main__":
    unittest.main()
