"""A database administrator who wants plaintext: whatever the catalog is made to say, none leaves pgveil.

Each attack is tried on a session that has known the table before and on a fresh one. What is asked for first is
refused. A session that knew the table may still send what it planned before the attack, envelopes only; its values
never reach the server in another form: the rows and the server's log say so.
"""

import re
import unittest

import psycopg

import clinic
from stack import Stack

CANARY = "Hostile Canary 4711"
WRITE = f"INSERT INTO patients (id, ssn, name) VALUES (%d, '{CANARY}', '{CANARY}')"
SEARCH = f"SELECT id, name FROM patients WHERE ssn = '{CANARY}'"


def setUpModule():
    global STACK
    STACK = Stack.start()
    STACK.never_logged = [*STACK.never_logged, CANARY]
    clinic.Clinic(STACK)


def tearDownModule():
    STACK.stop()


class HostileDba(unittest.TestCase):
    number = 1000

    def attack(self, *statements, undo=()):
        """Runs the statements as superuser between two statements of a session; tries to write and to search in that
        session and in a new one. Returns what the tries ended with: SQLSTATEs, "" for success."""
        with STACK.connect() as known:
            known.execute("SELECT name FROM patients WHERE ssn = '120-44-7781'").fetchone()
            self.as_superuser(statements)
            try:
                ends = [self.outcome(known, sql) for sql in self.tries()]
                with STACK.connect() as fresh:
                    ends += [self.outcome(fresh, sql) for sql in self.tries()]
                stray = self.plaintext_rows()
                written = STACK.superuser("SELECT ssn::text FROM patients WHERE id > 1000", "clinic")
            finally:
                self.as_superuser([*undo, "DELETE FROM patients WHERE id > 1000"])
        self.assertEqual([row for row in written if not row[0].startswith("\\x01")], [], "no envelope was stored")
        self.assertEqual(stray, [], "plaintext was stored")
        self.assertNotIn(CANARY, STACK.server_log().replace(f"LIKE '%{CANARY}%'", ""))
        return ends

    def tries(self):
        HostileDba.number += 1
        return WRITE % HostileDba.number, SEARCH

    def outcome(self, connection, sql):
        try:
            connection.execute(sql)
            return ""
        except psycopg.Error as error:
            return error.sqlstate or "connection"

    def as_superuser(self, statements):
        for sql in statements:
            STACK.superuser(sql, "clinic")

    def plaintext_rows(self):
        """Every table of the database whose rows hold the canary as text."""
        tables = STACK.superuser("SELECT oid::regclass::text FROM pg_class WHERE relkind IN ('r', 'm') AND"
                                 " relnamespace::regnamespace::text NOT IN ('pg_catalog', 'information_schema')", "clinic")
        return [name for (name,) in tables if any(
            CANARY in str(row) for row in STACK.superuser(f"SELECT t::text FROM {name} t", "clinic"))]

    def assert_refused(self, ends):
        """In a session that has not known the table before."""
        self.assertTrue(all(ends[2:]), ends)

    def test_the_tries_succeed_without_an_attack(self):
        """Positive control: what fails below fails because of the attack."""
        self.assertEqual(self.attack(), ["", "", "", ""])

    def test_a_plain_table_of_the_name_in_another_schema_of_the_search_path(self):
        ends = self.attack(
            "CREATE SCHEMA evil", "GRANT ALL ON SCHEMA evil TO PUBLIC",
            "CREATE TABLE evil.patients (id int, ssn text, name text)", "GRANT ALL ON evil.patients TO PUBLIC",
            "ALTER ROLE app SET search_path = evil, public",
            undo=["ALTER ROLE app RESET search_path", "DROP SCHEMA evil CASCADE"])
        # The known session keeps its own path; the new one finds evil.patients first.
        self.assertEqual(ends[:2], ["", ""])
        self.assert_refused(ends)

    def test_a_view_of_the_name_in_another_schema_of_the_search_path(self):
        ends = self.attack(
            "CREATE SCHEMA evil", "GRANT ALL ON SCHEMA evil TO PUBLIC",
            "CREATE VIEW evil.patients AS SELECT id, ssn::text AS ssn, name::text AS name FROM public.patients",
            "GRANT ALL ON evil.patients TO PUBLIC", "ALTER ROLE app SET search_path = evil, public",
            undo=["ALTER ROLE app RESET search_path", "DROP SCHEMA evil CASCADE"])
        self.assert_refused(ends)

    def test_a_plain_table_in_place_of_the_protected_one(self):
        ends = self.attack(
            "ALTER TABLE patients RENAME TO hidden", "CREATE TABLE patients (id int, ssn text, name text)",
            "GRANT ALL ON patients TO PUBLIC",
            undo=["DROP TABLE patients", "ALTER TABLE hidden RENAME TO patients"])
        self.assert_refused(ends)

    def test_a_view_in_place_of_the_protected_table(self):
        ends = self.attack(
            "ALTER TABLE patients RENAME TO hidden",
            "CREATE VIEW patients AS SELECT id, ssn::text AS ssn, name::text AS name FROM hidden",
            "GRANT ALL ON patients TO PUBLIC",
            undo=["DROP VIEW patients", "ALTER TABLE hidden RENAME TO patients"])
        self.assert_refused(ends)

    def test_a_replaced_view_over_the_table(self):
        ends = self.attack(
            "CREATE VIEW shown AS SELECT id FROM patients", "GRANT ALL ON shown TO PUBLIC",
            "DROP VIEW shown", "CREATE VIEW shown AS SELECT id, name FROM patients", "GRANT ALL ON shown TO PUBLIC",
            undo=["DROP VIEW shown"])
        self.assertEqual(ends, ["", "", "", ""])

    def test_a_dropped_check_lets_no_plaintext_through_pgveil(self):
        ends = self.attack(
            "ALTER TABLE patients DROP CONSTRAINT pgveil_ssn, DROP CONSTRAINT pgveil_name")
        self.assertEqual(ends, ["", "", "", ""])

    def test_a_changed_column_type(self):
        ends = self.attack(
            "ALTER TABLE patients RENAME COLUMN name TO kept", "ALTER TABLE patients ADD name text",
            "ALTER TABLE patients ALTER kept DROP NOT NULL",
            undo=["ALTER TABLE patients DROP COLUMN name", "ALTER TABLE patients RENAME COLUMN kept TO name"])
        self.assert_refused(ends)

    def test_the_marker_domain_over_another_type(self):
        ends = self.attack(
            "ALTER DOMAIN pgveil.ciphertext RENAME TO kept", "CREATE DOMAIN pgveil.ciphertext AS text",
            undo=["DROP DOMAIN pgveil.ciphertext", "ALTER DOMAIN pgveil.kept RENAME TO ciphertext"])
        self.assert_refused(ends)

    def test_columns_that_change_their_names(self):
        """Envelopes of one column in another one do not open."""
        STACK.superuser("INSERT INTO patients (id, ssn, name) SELECT 900, ssn, name FROM patients WHERE id = 1", "clinic")
        swap = ["ALTER TABLE patients RENAME COLUMN name TO spare", "ALTER TABLE patients RENAME COLUMN remark TO name",
                "ALTER TABLE patients RENAME COLUMN spare TO remark"]
        self.as_superuser(swap)
        try:
            with STACK.connect() as connection:
                self.assertNotEqual(self.outcome(connection, "SELECT remark FROM patients WHERE id = 900"), "")
        finally:
            self.as_superuser(swap)
            STACK.superuser("DELETE FROM patients WHERE id = 900", "clinic")
        with STACK.connect() as connection:
            self.assertEqual(self.outcome(connection, "SELECT name, remark FROM patients"), "")

    def test_a_forged_handle_is_no_share(self):
        STACK.superuser("ALTER ROLE app SET pgveil.user_token = '0123456789abcdef'", "clinic")
        STACK.superuser("ALTER ROLE app SET pgveil.user_id = 'nurse'", "clinic")
        try:
            with STACK.connect(options="") as connection:
                self.assertEqual([self.outcome(connection, sql) for sql in self.tries()], ["28000", "28000"])
        finally:
            STACK.superuser("ALTER ROLE app RESET ALL", "clinic")
        with STACK.connect() as connection:
            self.assertEqual(self.outcome(connection, SEARCH), "")

    def test_a_handle_of_another_session_is_no_share(self):
        with STACK.connect() as victim:
            victim.execute(SEARCH)
            forged = self.handle_of(victim)
            self.assertRegex(forged, r"^[0-9A-Za-z_-]{16,}$")
            STACK.superuser(f"ALTER ROLE app SET pgveil.app_share = '{forged}'", "clinic")
            try:
                with STACK.connect(options="") as thief:
                    self.assertEqual(self.outcome(thief, SEARCH), "28000")
            finally:
                STACK.superuser("ALTER ROLE app RESET ALL", "clinic")

    def handle_of(self, connection):
        """What the server holds as that session's app share: it sees it in its log."""
        shares = STACK.shares()
        STACK.mark_server_log()
        connection.execute(f"SET pgveil.app_share = '{shares['app_share']}'")
        found = re.search(r"pgveil\.app_share = '([^']+)'", STACK.server_log_since_mark())
        return found.group(1)


if __name__ == "__main__":
    unittest.main()
