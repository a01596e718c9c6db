"""A database administrator who wants plaintext: whatever the catalog is made to say, none leaves pgveil.

Each attack is tried on a session that has known the table before and on a fresh one. What is asked for first is
refused. A session that knew the table may still send what it planned before the attack, envelopes only; its values
never reach the server in another form: the rows and the server's log say so. All of it is tried without pinned shapes
and with them (`pgveil check --pin`), and before each attack both statements work.
"""

import re
import signal
import unittest

import psycopg

import clinic
from stack import Stack, run, succeeded, wait_until

CANARY = "Hostile Canary 4711"
TYPE_OF_NAME = ("(SELECT format_type(atttypid, atttypmod) FROM pg_attribute"
                " WHERE attrelid = to_regclass('patients') AND attname = 'name')")
WRITE = f"INSERT INTO patients (id, ssn, name) VALUES (%d, '{CANARY}', '{CANARY}')"
SEARCH = f"SELECT id, name FROM patients WHERE ssn = '{CANARY}'"
WORKS = ["", ""]  # what WRITE and SEARCH end with
SHAPE = "0A000"  # of another shape than the pinned one


def setUpModule():
    global STACK
    STACK = Stack.start()
    STACK.never_logged = [*STACK.never_logged, CANARY]
    clinic.Clinic(STACK)
    STACK.superuser("DROP DATABASE clinic_plain")  # or its plain tables would be pinned, too


def tearDownModule():
    STACK.stop()


def pins():
    return STACK.dir / "policy.pins.json"


def reload():
    """The proxy reads the pins that are there now."""
    mark = len(STACK.proxy_log())
    STACK.signal_proxy(signal.SIGHUP)
    wait_until(lambda: "reloaded" in STACK.proxy_log()[mark:], "the reload")


class Attacks:
    """The cases; a class below says whether the shapes of the tables are pinned."""

    number = 1000
    swapped = "XX001"  # what reading swapped columns ends with
    extended = WORKS   # what WRITE and SEARCH on a table with one more column end with

    def attack(self, *statements, undo=(), shows):
        """Runs the statements as superuser between two statements of a session; tries to write and to search in that
        session and in a new one. `shows`: SQL for whether the attack took place. Returns what the tries ended with:
        SQLSTATEs, "" for success."""
        with STACK.connect() as known:
            self.assertEqual(self.ends_of(known), WORKS)
            self.assertEqual(STACK.superuser(f"SELECT {shows}", "clinic"), [(False,)], shows)
            self.as_superuser(statements)
            try:
                self.assertEqual(STACK.superuser(f"SELECT {shows}", "clinic"), [(True,)], shows)
                ends = self.ends_of(known)
                with STACK.connect() as fresh:
                    ends += self.ends_of(fresh)
                stray = self.plaintext_rows()
                written = STACK.superuser("SELECT ssn::text FROM patients WHERE id > 1000", "clinic")
            finally:
                self.as_superuser([*undo, "DELETE FROM patients WHERE id > 1000"])
        self.assertEqual([row for row in written if not row[0].startswith("\\x01")], [], "no envelope was stored")
        self.assertEqual(stray, [], "plaintext was stored")
        self.assertNotIn(CANARY, STACK.server_log().replace(f"LIKE '%{CANARY}%'", ""))
        return ends

    def ends_of(self, connection):
        return [self.outcome(connection, sql) for sql in self.tries()]

    def tries(self):
        Attacks.number += 1
        return WRITE % Attacks.number, SEARCH

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
        self.assertEqual(self.attack(
            "CREATE SCHEMA harmless", undo=["DROP SCHEMA harmless"],
            shows="to_regnamespace('harmless') IS NOT NULL"), WORKS * 2)

    def test_a_plain_table_of_the_name_in_another_schema_of_the_search_path(self):
        ends = self.attack(
            "CREATE SCHEMA evil", "GRANT ALL ON SCHEMA evil TO PUBLIC",
            "CREATE TABLE evil.patients (id int, ssn text, name text)", "GRANT ALL ON evil.patients TO PUBLIC",
            "ALTER ROLE app SET search_path = evil, public",
            undo=["ALTER ROLE app RESET search_path", "DROP SCHEMA evil CASCADE"],
            shows="to_regclass('evil.patients') IS NOT NULL")
        # The known session keeps its own path; the new one finds evil.patients first.
        self.assertEqual(ends[:2], ["", ""])
        self.assert_refused(ends)

    def test_a_view_of_the_name_in_another_schema_of_the_search_path(self):
        ends = self.attack(
            "CREATE SCHEMA evil", "GRANT ALL ON SCHEMA evil TO PUBLIC",
            "CREATE VIEW evil.patients AS SELECT id, ssn::text AS ssn, name::text AS name FROM public.patients",
            "GRANT ALL ON evil.patients TO PUBLIC", "ALTER ROLE app SET search_path = evil, public",
            undo=["ALTER ROLE app RESET search_path", "DROP SCHEMA evil CASCADE"],
            shows="to_regclass('evil.patients') IS NOT NULL")
        self.assert_refused(ends)

    def test_a_plain_table_in_place_of_the_protected_one(self):
        ends = self.attack(
            "ALTER TABLE patients RENAME TO hidden", "CREATE TABLE patients (id int, ssn text, name text)",
            "GRANT ALL ON patients TO PUBLIC",
            undo=["DROP TABLE patients", "ALTER TABLE hidden RENAME TO patients"],
            shows=TYPE_OF_NAME + " = 'text'")
        self.assert_refused(ends)

    def test_a_view_in_place_of_the_protected_table(self):
        ends = self.attack(
            "ALTER TABLE patients RENAME TO hidden",
            "CREATE VIEW patients AS SELECT id, ssn::text AS ssn, name::text AS name FROM hidden",
            "GRANT ALL ON patients TO PUBLIC",
            undo=["DROP VIEW patients", "ALTER TABLE hidden RENAME TO patients"],
            shows="(SELECT relkind FROM pg_class WHERE oid = to_regclass('patients')) = 'v'")
        self.assert_refused(ends)

    def test_a_replaced_view_over_the_table(self):
        ends = self.attack(
            "CREATE VIEW shown AS SELECT id FROM patients", "GRANT ALL ON shown TO PUBLIC",
            "DROP VIEW shown", "CREATE VIEW shown AS SELECT id, name FROM patients", "GRANT ALL ON shown TO PUBLIC",
            undo=["DROP VIEW shown"], shows="to_regclass('shown') IS NOT NULL")
        self.assertEqual(ends, WORKS * 2)

    def test_a_dropped_check_lets_no_plaintext_through_pgveil(self):
        checks = STACK.superuser(
            "SELECT replace(conname, 'pgveil_', ''), pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE conrelid = 'patients'::regclass AND conname IN ('pgveil_ssn', 'pgveil_name')", "clinic")
        self.assertEqual(len(checks), 2)
        ends = self.attack(
            "ALTER TABLE patients DROP CONSTRAINT pgveil_ssn, DROP CONSTRAINT pgveil_name",
            undo=[f"ALTER TABLE patients ADD CONSTRAINT pgveil_{column} {check}" for column, check in checks],
            shows="NOT EXISTS (SELECT FROM pg_constraint WHERE conname IN ('pgveil_ssn', 'pgveil_name'))")
        self.assertEqual(ends, WORKS * 2)

    def test_a_changed_column_type(self):
        ends = self.attack(
            "ALTER TABLE patients RENAME COLUMN name TO kept", "ALTER TABLE patients ADD name text",
            "ALTER TABLE patients ALTER kept DROP NOT NULL",
            undo=["ALTER TABLE patients DROP COLUMN name", "ALTER TABLE patients RENAME COLUMN kept TO name",
                  "DELETE FROM patients WHERE name IS NULL", "ALTER TABLE patients ALTER name SET NOT NULL"],
            shows=TYPE_OF_NAME + " = 'text'")
        self.assert_refused(ends)

    def test_the_marker_domain_over_another_type(self):
        ends = self.attack(
            "ALTER DOMAIN pgveil.ciphertext RENAME TO kept", "CREATE DOMAIN pgveil.ciphertext AS text",
            undo=["DROP DOMAIN pgveil.ciphertext", "ALTER DOMAIN pgveil.kept RENAME TO ciphertext"],
            shows="(SELECT typbasetype FROM pg_type WHERE oid = to_regtype('pgveil.ciphertext')) = 'text'::regtype")
        self.assert_refused(ends)

    def test_columns_that_change_their_names(self):
        """Envelopes of one column in another one do not open; a pinned table is not even asked."""
        STACK.superuser("INSERT INTO patients (id, ssn, name) SELECT 900, ssn, name FROM patients WHERE id = 1", "clinic")
        swap = ["ALTER TABLE patients RENAME COLUMN name TO spare", "ALTER TABLE patients RENAME COLUMN remark TO name",
                "ALTER TABLE patients RENAME COLUMN spare TO remark"]
        remark = "SELECT remark FROM patients WHERE id = 900"
        with STACK.connect() as connection:
            self.assertEqual(self.outcome(connection, remark), "")
        self.as_superuser(swap)
        try:
            with STACK.connect() as connection:
                self.assertEqual(self.outcome(connection, remark), self.swapped)
        finally:
            self.as_superuser(swap)
            STACK.superuser("DELETE FROM patients WHERE id = 900", "clinic")
        with STACK.connect() as connection:
            self.assertEqual(self.outcome(connection, "SELECT name, remark FROM patients"), "")

    def test_a_column_that_the_policy_does_not_know(self):
        ends = self.attack(
            "ALTER TABLE patients ADD extra text", undo=["ALTER TABLE patients DROP extra"],
            shows="EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass('patients') AND attname = 'extra')")
        self.assertEqual(ends[2:], self.extended)

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


class WithoutPins(Attacks, unittest.TestCase):
    def setUp(self):
        self.assertFalse(pins().exists())


class WithPins(Attacks, unittest.TestCase):
    """The same on tables whose shape is pinned."""

    swapped = SHAPE
    extended = [SHAPE, SHAPE]

    def setUp(self):
        done = run([*STACK.as_owner(), STACK.dir / "bin" / "pgveil", "check", "--pin", "--config", STACK.settings])
        self.assertIn("pinned", succeeded(done))
        self.addCleanup(reload)
        self.addCleanup(pins().unlink)
        reload()


if __name__ == "__main__":
    unittest.main()
