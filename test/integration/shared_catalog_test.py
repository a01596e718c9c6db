"""What the database said to one session confirms what it said to another, only where it would say the same."""

import json
import re
import unittest

from stack import Stack, psql, succeeded, wait_until

POLICY = {
    "tables": {"public.ledger": {"columns": {"entry": {"type": "text", "search": "equality"}}}},
    "plain": ["archive.ledger"]}

SCHEMA = """
CREATE TABLE ledger (id int PRIMARY KEY, entry text);
CREATE TABLE plain_table (id int PRIMARY KEY, n int);
CREATE SCHEMA archive;
CREATE TABLE archive.ledger (id int, entry text);
"""

ROWS = "INSERT INTO ledger VALUES (1, 'one'); INSERT INTO plain_table VALUES (1, 1); INSERT INTO archive.ledger VALUES (1, 'old')"

WHOLE = "wanted AS ("
SHORT = "SELECT pg_catalog.concat_ws"


def setUpModule():
    global STACK
    STACK = Stack.start(POLICY)
    for part in (SCHEMA, ROWS):
        succeeded(psql(STACK.url(), "-q", "-v", "ON_ERROR_STOP=1", options=STACK.options(), stdin=part))
    settings = json.loads(re.sub(r"^\s*//.*$", "", STACK.settings.read_text(), flags=re.M))
    STACK.stop_proxy()
    # Nothing grows old while the test runs; all sessions are neighbours.
    STACK.write("pgveil.json", json.dumps({**settings, "workers": 1, "limits": {"catalog_ttl_ms": 60000}}))
    STACK.start_proxy()


def tearDownModule():
    STACK.stop()


class SharedCatalogTest(unittest.TestCase):
    def session(self, path=None):
        options = STACK.options() + (f" -c search_path={path}" if path else "")
        session = STACK.connect(options)
        self.addCleanup(session.close)
        return session

    def asked(self, session, statement):
        """The rows, and what was asked of the server for them."""
        STACK.mark_server_log()
        rows = session.execute(statement).fetchall()
        session.execute("SELECT 'the last line'")
        wait_until(lambda: "the last line" in STACK.server_log_since_mark(), "the server's log")
        said = STACK.server_log_since_mark()
        return rows, [name for name, text in (("short", SHORT), ("whole", WHOLE)) if text in said]

    def define(self):
        """From now on nobody trusts what was said before."""
        SharedCatalogTest.number += 1
        self.session().execute(f"CREATE TABLE more_{self.number} (id int)")

    number = 0

    def two(self, statement, path=None):
        """Two sessions that know the statement's table, the second with a search_path of its own; after definitions the
        first has asked anew."""
        first, second = self.session(), self.session(path)
        for session in (first, second):
            self.assertEqual(self.asked(session, statement)[1], ["whole"])
        self.define()
        self.assertEqual(self.asked(first, statement)[1], ["whole"])
        return first, second

    def test_what_another_session_was_told_confirms_what_is_known(self):
        _, second = self.two("SELECT n FROM plain_table")
        self.assertEqual(self.asked(second, "SELECT n FROM plain_table"), ([(1,)], ["short"]))
        self.assertEqual(self.asked(second, "SELECT n FROM plain_table"), ([(1,)], []))

    def test_protected_tables_as_well(self):
        _, second = self.two("SELECT entry FROM ledger")
        self.assertEqual(self.asked(second, "SELECT entry FROM ledger"), ([("one",)], ["short"]))

    def test_a_new_session_asks_itself(self):
        self.two("SELECT n FROM plain_table")
        self.assertEqual(self.asked(self.session(), "SELECT n FROM plain_table"), ([(1,)], ["whole"]))

    def test_a_session_with_another_search_path_asks_itself(self):
        _, second = self.two("SELECT entry FROM ledger", path="archive,public")
        self.assertEqual(self.asked(second, "SELECT entry FROM ledger"), ([("old",)], ["short", "whole"]))

    def test_a_search_path_that_changes_in_the_session_counts(self):
        _, second = self.two("SELECT entry FROM ledger")
        second.execute("SET search_path = archive")
        self.assertEqual(self.asked(second, "SELECT entry FROM ledger"), ([("old",)], ["short", "whole"]))

    def test_a_table_that_has_changed_meanwhile_is_looked_at(self):
        first, second = self.session(), self.session()
        for session in (first, second):
            session.execute("SELECT n FROM plain_table")
        STACK.superuser("ALTER TABLE plain_table ADD COLUMN later int", "clinic")
        self.addCleanup(STACK.superuser, "ALTER TABLE plain_table DROP COLUMN later", "clinic")
        self.define()
        self.assertEqual(self.asked(first, "SELECT n FROM plain_table")[1], ["whole"])
        self.assertEqual(self.asked(second, "SELECT * FROM plain_table"), ([(1, 1, None)], ["short", "whole"]))

    def test_what_a_transaction_was_told_confirms_nothing(self):
        """Its snapshot may be older than what somebody has changed since."""
        first, second = self.session(), self.session()
        for session in (first, second):
            session.execute("SELECT n FROM plain_table")
        self.define()
        first.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        self.assertEqual(self.asked(first, "SELECT n FROM plain_table")[1], ["whole"])
        self.assertEqual(self.asked(second, "SELECT n FROM plain_table"), ([(1,)], ["whole"]))
        first.execute("COMMIT")

    def test_a_temporary_table_is_its_session_s_own(self):
        owner, other = self.two("SELECT n FROM plain_table")
        owner.execute("CREATE TEMP TABLE plain_table (words text)")
        owner.execute("INSERT INTO plain_table VALUES ('mine')")
        self.assertEqual(self.asked(owner, "SELECT words FROM plain_table")[0], [("mine",)])
        self.assertEqual(self.asked(other, "SELECT n FROM plain_table")[0], [(1,)])


if __name__ == "__main__":
    unittest.main(verbosity=2)
