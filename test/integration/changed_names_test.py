"""What a name stands for may change between two runs of one statement: search_path, and definitions of other sessions.
A statement that would then mean something else is refused or decided anew; none runs on for what it was decided on."""

import unittest

import psycopg

import logs
from stack import Stack, wait_until

POLICY = {"tables": {
    "*.patients": {"columns": {"ssn": {"type": "text", "search": "equality", "context": "patients.ssn"}}},
    "public.letters": {"columns": {"body": {"type": "text", "search": "equality"}}}}}
SCHEMA = """
CREATE SCHEMA a; CREATE SCHEMA b; CREATE SCHEMA shown;
CREATE TABLE a.patients (id int PRIMARY KEY, ssn text, who text); CREATE TABLE b.patients (id int PRIMARY KEY, ssn text, who text);
CREATE TABLE a.visits (who text); CREATE TABLE b.visits (who text);
CREATE TABLE letters (id int PRIMARY KEY, body text); CREATE VIEW shown.notes AS SELECT id, body FROM letters;
CREATE TABLE notes (id int, body text);
INSERT INTO a.patients VALUES (1, 'one', 'a'); INSERT INTO b.patients VALUES (1, 'one', 'b');
INSERT INTO a.visits VALUES ('a'); INSERT INTO b.visits VALUES ('b');
INSERT INTO letters VALUES (1, 'one'), (2, 'two')
"""
CANARY = "CANARY-7731"
# PostgreSQL's, for a plan that has become another one: drivers know it.
CHANGED = ("0A000", "cached plan must not change result type", "RevalidateCachedQuery")


def setUpModule():
    global STACK
    STACK = Stack.start(POLICY)
    STACK.never_logged = [CANARY]
    STACK.superuser("GRANT CREATE ON DATABASE clinic TO app")
    STACK.superuser("CREATE DATABASE plains OWNER app")
    for statement in SCHEMA.strip().split(";"):
        for connection in (veiled, plain):
            with connection() as session:
                session.execute(statement)


def tearDownModule():
    STACK.stop()


def veiled():
    return STACK.connect()


def plain():
    return STACK.direct("app", "plains")


def refusal_of(run):
    try:
        run()
    except psycopg.Error as error:
        found = error.diag
        return found.sqlstate, found.message_primary, found.source_function
    return None


class SearchPath(unittest.TestCase):
    READ = "SELECT who FROM patients WHERE ssn = %s"

    def prepared(self, session, query, *values):
        return session.execute(query, values, prepare=True)

    def test_a_prepared_query_of_another_schema(self):
        with plain() as session:
            session.execute("SET search_path = a")
            self.prepared(session, self.READ, "one")
            session.execute("SET search_path = b")
            self.assertEqual(self.prepared(session, self.READ, "one").fetchall(), [("b",)], "what PostgreSQL does")
        with veiled() as session:
            session.execute("SET search_path = a")
            self.assertEqual(self.prepared(session, self.READ, "one").fetchall(), [("a",)])
            session.execute("SET search_path = b")
            self.assertEqual(refusal_of(lambda: self.prepared(session, self.READ, "one")), CHANGED)
            self.assertEqual(session.execute(self.READ + " LIMIT 9", ["one"]).fetchall(), [("b",)])

    def test_it_runs_on_where_its_names_mean_the_same(self):
        with veiled() as session:
            session.execute("SET search_path = a")
            self.prepared(session, self.READ, "one")
            for path in ("a, b", "shown, a", "a, public", "a"):
                session.execute(f"SET search_path = {path}")
                self.assertEqual(self.prepared(session, self.READ, "one").fetchall(), [("a",)], path)

    def test_prepare_and_execute(self):
        with veiled() as session:
            session.execute("SET search_path = a")
            session.execute("PREPARE u (text) AS UPDATE patients SET ssn = $1 WHERE id = 1")
            session.execute("PREPARE q AS SELECT who FROM patients WHERE ssn = 'one'")
            session.execute("SET search_path = b")
            for call in ("EXECUTE u('other')", "EXECUTE q", "EXPLAIN EXECUTE q", "CREATE TEMP TABLE t AS EXECUTE q"):
                self.assertEqual(refusal_of(lambda: session.execute(call)), CHANGED, call)
                self.assertEqual(refusal_of(lambda: session.execute(call, prepare=True)), CHANGED, call)
            session.execute("SET search_path = a")
            self.assertEqual(session.execute("EXECUTE q").fetchall(), [("a",)])
            self.assertEqual(session.execute("SELECT ssn FROM a.patients UNION ALL SELECT ssn FROM b.patients").fetchall(),
                             [("one",), ("one",)])

    def test_set_local_and_rollback(self):
        with veiled() as session:
            session.execute("SET search_path = b")
            session.execute("BEGIN")
            session.execute("SET LOCAL search_path = a")
            session.execute("PREPARE q AS SELECT who FROM patients")
            self.assertEqual(session.execute("EXECUTE q").fetchall(), [("a",)])
            session.execute("COMMIT")
            self.assertEqual(refusal_of(lambda: session.execute("EXECUTE q")), CHANGED)

    def test_in_one_text(self):
        with veiled() as session:
            session.execute("SET search_path = a")
            session.execute("PREPARE q AS SELECT who FROM visits")
            self.assertEqual(session.execute("EXECUTE q").fetchall(), [("a",)])
            self.assertEqual(refusal_of(lambda: session.execute("SET search_path = b; EXECUTE q"))[0], "0A000")
            self.assertEqual(refusal_of(lambda: session.execute("CREATE TEMP TABLE visits (who text); EXECUTE q"))[0], "0A000")

    def test_plain_tables_follow_as_in_postgresql(self):
        for connection in (plain, veiled):
            with connection() as session:
                session.execute("SET search_path = a")
                session.execute("PREPARE q AS SELECT who FROM visits")
                self.prepared(session, "SELECT who FROM visits WHERE who <> %s", "x")
                session.execute("SET search_path = b")
                self.assertEqual(session.execute("EXECUTE q").fetchall(), [("b",)])
                self.assertEqual(self.prepared(session, "SELECT who FROM visits WHERE who <> %s", "x").fetchall(), [("b",)])


class PlainNamesThatBecomeProtected(unittest.TestCase):
    def assert_unseen(self):
        """The canary did not reach the server, which writes down what it gets."""
        STACK.superuser("SELECT 'the last line'")
        wait_until(lambda: "the last line" in STACK.server_log_since_mark(), "the server's log")
        self.assertNotIn(CANARY, logs.through_pgveil(STACK.server_log_since_mark()))

    def test_by_search_path(self):
        STACK.mark_server_log()
        with veiled() as session:
            session.execute("PREPARE q AS SELECT id FROM notes WHERE body = 'one'")
            session.execute("PREPARE d AS DELETE FROM notes WHERE body <> 'one'")
            session.execute("SELECT 1 FROM notes WHERE body = %s", ["x"], prepare=True)
            session.execute("SET search_path = shown")
            for run in (lambda: session.execute("EXECUTE q"), lambda: session.execute("EXECUTE d"),
                        lambda: session.execute("SELECT 1 FROM notes WHERE body = %s", [CANARY], prepare=True)):
                self.assertEqual(refusal_of(run), CHANGED)
            self.assertEqual(session.execute("SELECT count(*) FROM public.letters").fetchone(), (2,))
        self.assert_unseen()

    def test_by_a_view_that_another_session_makes_anew(self):
        STACK.mark_server_log()
        fresh = "SELECT id FROM changing WHERE body = %s"
        with veiled() as other, veiled() as session:
            other.execute("CREATE VIEW changing AS SELECT id, body FROM notes")
            session.execute("PREPARE q AS SELECT id FROM changing WHERE body = 'one'")
            session.execute(fresh, ["x"], prepare=True)
            session.execute("SELECT id FROM changing WHERE body = 'x'")
            other.execute("BEGIN")
            other.execute("DROP VIEW changing")
            other.execute("CREATE VIEW changing AS SELECT id, body FROM letters")
            other.execute("COMMIT")
            self.assertEqual(session.execute("SELECT id FROM changing WHERE body = 'one'").fetchall(), [(1,)])
            self.assertEqual(session.execute(fresh.replace("id", "id, 1"), [CANARY]).fetchall(), [])
            self.assertEqual(refusal_of(lambda: session.execute("EXECUTE q")), CHANGED)
            self.assertEqual(refusal_of(lambda: session.execute(fresh, [CANARY], prepare=True)), CHANGED)
            other.execute("DROP VIEW changing")
        self.assert_unseen()


class OtherDefinitions(unittest.TestCase):
    def test_what_concerns_no_column_of_it(self):
        """A driver's prepared statements live through a migration."""
        with veiled() as other, veiled() as session:
            other.execute("CREATE TABLE IF NOT EXISTS growing (id int)")
            for run in range(3):
                self.assertEqual(session.execute("SELECT body FROM letters WHERE id = %s", [1], prepare=True).fetchall(), [("one",)])
                self.assertEqual(session.execute("SELECT count(id) FROM growing WHERE id > %s", [run], prepare=True).fetchone(), (0,))
                other.execute(f"ALTER TABLE letters ADD COLUMN more{run} int")
                other.execute("CREATE INDEX ON letters (body)")
                other.execute("DROP TABLE growing")
                other.execute("CREATE TABLE growing (id int, again text)")
            for run in range(3):
                other.execute(f"ALTER TABLE letters DROP COLUMN more{run}")

    def test_what_does(self):
        with veiled() as other, veiled() as session:
            other.execute("CREATE VIEW columns_of AS SELECT id, body AS one, id AS two FROM letters")
            session.execute("SELECT one FROM columns_of WHERE one = %s", ["one"], prepare=True)
            other.execute("DROP VIEW columns_of")
            other.execute("CREATE VIEW columns_of AS SELECT id, body AS two, id::text AS one FROM letters")
            self.assertEqual(refusal_of(lambda: session.execute("SELECT one FROM columns_of WHERE one = %s", ["one"], prepare=True)),
                             CHANGED)
            other.execute("DROP VIEW columns_of")


if __name__ == "__main__":
    unittest.main()
