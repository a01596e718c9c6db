"""What a hostile database can and cannot do to stored values: the limits that docs/SECURITY.md states, shown.

Every test that shows something undetected has its positive control beside it: the nearest thing that is detected.
"""

import unittest

import psycopg

import clinic
from stack import Stack, run, wait_until

TAMPERED = "XX001"


def setUpModule():
    global STACK
    STACK = Stack.start()
    clinic.Clinic(STACK)


def tearDownModule():
    STACK.stop()


def ask(sql):
    with STACK.connect() as connection:
        return connection.execute(sql).fetchall()


def stored(column, patient):
    """The envelope as the database holds it."""
    return STACK.superuser(f"SELECT {column}::bytea FROM patients WHERE id = {patient}", "clinic")[0][0]


def put(column, patient, envelope):
    """What the owner of the database can always do."""
    STACK.superuser(f"UPDATE patients SET {column} = '\\x{envelope.hex()}'::bytea WHERE id = {patient}", "clinic")


class Limits(unittest.TestCase):
    def setUp(self):
        self.kept = {(column, patient): stored(column, patient) for column in ("name", "ssn") for patient in (1, 2)}

    def tearDown(self):
        for (column, patient), envelope in self.kept.items():
            put(column, patient, envelope)

    def assert_detected(self, sql):
        with self.assertRaises(psycopg.Error) as caught:
            ask(sql)
        self.assertEqual(caught.exception.sqlstate, TAMPERED, caught.exception)
        self.assertIn("name", str(caught.exception))

    def test_an_older_value_of_the_same_cell_is_not_detected(self):
        before = ask("SELECT name FROM patients WHERE id = 1")
        with STACK.connect() as connection:
            connection.execute("UPDATE patients SET name = 'Someone New' WHERE id = 1")
        self.assertEqual(ask("SELECT name FROM patients WHERE id = 1"), [("Someone New",)])
        put("name", 1, self.kept["name", 1])
        self.assertEqual(ask("SELECT name FROM patients WHERE id = 1"), before)

    def test_values_swapped_between_rows_of_one_column_are_not_detected_without_bind_to(self):
        first, second = ask("SELECT name FROM patients WHERE id IN (1, 2) ORDER BY id")
        put("name", 1, self.kept["name", 2])
        put("name", 2, self.kept["name", 1])
        self.assertEqual(ask("SELECT name FROM patients WHERE id IN (1, 2) ORDER BY id"), [second, first])

    def test_dropped_and_invented_rows_are_not_detected(self):
        rows = ask("SELECT name FROM patients")
        STACK.superuser("CREATE TABLE hidden AS SELECT * FROM patients WHERE id = 3", "clinic")
        STACK.superuser("ALTER TABLE patients DISABLE TRIGGER ALL", "clinic")
        STACK.superuser("DELETE FROM patients WHERE id = 3", "clinic")
        self.assertEqual(len(ask("SELECT name FROM patients")), len(rows) - 1)
        STACK.superuser("INSERT INTO patients SELECT * FROM hidden", "clinic")
        STACK.superuser("INSERT INTO patients (id, ssn, name) SELECT 9003, ssn, name FROM hidden", "clinic")
        self.assertEqual(len(ask("SELECT name FROM patients")), len(rows) + 1)
        STACK.superuser("DELETE FROM patients WHERE id = 9003", "clinic")
        STACK.superuser("ALTER TABLE patients ENABLE TRIGGER ALL", "clinic")
        STACK.superuser("DROP TABLE hidden", "clinic")
        self.assertEqual(sorted(ask("SELECT name FROM patients")), sorted(rows))

    def test_altered_plain_columns_are_not_detected(self):
        (before,) = ask("SELECT title FROM departments WHERE code = 'PED'")
        STACK.superuser("UPDATE departments SET title = 'Surgery' WHERE code = 'PED'", "clinic")
        self.assertEqual(ask("SELECT title FROM departments WHERE code = 'PED'"), [("Surgery",)])
        STACK.superuser(f"UPDATE departments SET title = '{before[0]}' WHERE code = 'PED'", "clinic")

    def swap_ids(self):
        STACK.superuser("UPDATE patients SET id = -id WHERE id IN (1, 2)", "clinic")
        STACK.superuser("UPDATE patients SET id = 3 + id WHERE id IN (-1, -2)", "clinic")

    def test_an_answer_with_another_row_is_not_detected(self):
        """The question goes by a plain column, which is the database's word."""
        first, second = ask("SELECT name FROM patients WHERE id IN (1, 2) ORDER BY id")
        self.assertNotEqual(first, second)
        STACK.superuser("ALTER TABLE patients DISABLE TRIGGER ALL", "clinic")
        self.swap_ids()
        try:
            self.assertEqual(ask("SELECT name FROM patients WHERE id = 1"), [second])
        finally:
            self.swap_ids()
            STACK.superuser("ALTER TABLE patients ENABLE TRIGGER ALL", "clinic")
        self.assertEqual(ask("SELECT name FROM patients WHERE id = 1"), [first])

    def test_equality_null_and_length_show(self):
        with STACK.connect() as connection:
            connection.execute("INSERT INTO patients (id, ssn, name, born, remark) VALUES (9101, 'a', 'x', '2000-01-01', NULL),"
                               " (9102, 'b', 'x', '2000-01-01', 'four')")
        self.addCleanup(STACK.superuser, "DELETE FROM patients WHERE id > 9100", "clinic")
        self.assertEqual(stored("born", 9101), stored("born", 9102))
        self.assertIsNone(stored("remark", 9101))
        self.assertEqual(len(stored("remark", 9102)), 46 + len("four"))
        self.assertNotEqual(stored("ssn", 9101), stored("ssn", 9102))  # the controls: nothing more shows
        self.assertNotEqual(stored("name", 9101), stored("name", 9102))

    def test_arguments_of_functions_at_the_server_show(self):
        """In a statement without a protected column; with one, it is refused."""
        STACK.mark_server_log()
        ask("SELECT upper('a plain argument')")
        self.assertIn("a plain argument", STACK.server_log_since_mark())
        with self.assertRaises(psycopg.errors.FeatureNotSupported):
            ask("SELECT upper('a kept argument') FROM patients WHERE name = upper('a kept argument')")
        self.assertNotIn("a kept argument", STACK.server_log_since_mark())

    def test_a_function_over_a_protected_table_is_refused_and_listed(self):
        STACK.superuser("CREATE FUNCTION everybody() RETURNS SETOF patients LANGUAGE sql AS 'SELECT * FROM public.patients'",
                        "clinic")
        self.addCleanup(STACK.superuser, "DROP FUNCTION everybody()", "clinic")
        for sql in ("SELECT name FROM everybody()", "SELECT name FROM everybody() WHERE name = 'as written'"):
            with self.assertRaises(psycopg.errors.FeatureNotSupported):
                ask(sql)
        self.assertNotIn("as written", STACK.server_log())
        found = run([*STACK.as_owner(), STACK.dir / "bin" / "pgveil", "check", "--config", STACK.settings])
        self.assertIn("function everybody() sees it", found.stdout)

    def test_constants_compared_with_a_function_that_hides_what_it_reads_show(self):
        """The name is put together at run time. Its values do not come through; the constant leaves."""
        STACK.superuser("CREATE FUNCTION hiding() RETURNS SETOF bytea LANGUAGE plpgsql AS $$BEGIN"
                        " RETURN QUERY EXECUTE 'SELECT name::bytea FROM pati' || 'ents'; END$$", "clinic")
        self.addCleanup(STACK.superuser, "DROP FUNCTION hiding()", "clinic")
        with self.assertRaises(psycopg.errors.FeatureNotSupported):
            ask("SELECT * FROM hiding()")
        self.assertEqual(ask("SELECT 1 FROM hiding() AS h WHERE h = 'a shown constant'"), [])
        wait_until(lambda: "a shown constant" in STACK.server_log(), "the constant in the server's log")

    def test_control_every_flipped_byte_of_a_value_is_detected(self):
        envelope = self.kept["name", 1]
        for at in range(2, len(envelope)):  # the CHECK takes no other first two bytes
            put("name", 1, envelope[:at] + bytes([envelope[at] ^ 1]) + envelope[at + 1:])
            self.assert_detected("SELECT name FROM patients WHERE id = 1")

    def test_a_lone_change_has_committed_when_its_returning_does_not_open(self):
        """In one simple Query. The extended protocol and a block fail before."""
        envelope = self.kept["name", 1]
        put("name", 1, envelope[:-1] + bytes([envelope[-1] ^ 1]))
        change = "UPDATE patients SET department = {} WHERE id = 1 RETURNING name"
        read = "SELECT department FROM patients WHERE id = 1"
        (before,), = STACK.superuser(read, "clinic")
        self.addCleanup(STACK.superuser, f"UPDATE patients SET department = '{before}' WHERE id = 1", "clinic")
        other = "PED" if before == "ER" else "ER"
        for text, kept in ((f"BEGIN; {change.format(repr(other))}; COMMIT", before), (change.format(repr(other)), other)):
            with STACK.connect() as connection, self.assertRaises(psycopg.Error) as caught:
                connection.pgconn.exec_(b"SELECT 1")
                psycopg.ClientCursor(connection).execute(text)
            self.assertEqual(caught.exception.sqlstate, TAMPERED)
            self.assertEqual(STACK.superuser(read, "clinic"), [(kept,)], text)
        with STACK.connect() as connection, self.assertRaises(psycopg.Error) as caught:
            connection.execute(change.format("%s"), (before,), prepare=True)
        self.assertEqual(caught.exception.sqlstate, TAMPERED)
        self.assertEqual(STACK.superuser(read, "clinic"), [(other,)])

    def test_control_a_value_moved_to_another_column_is_detected(self):
        put("name", 1, stored("remark", 1))
        self.assert_detected("SELECT name FROM patients WHERE id = 1")


class KeyringMirror(unittest.TestCase):
    """The keyring's rows in the home database, which any superuser can change."""

    def rows(self):
        return STACK.superuser("SELECT * FROM pgveil.keyring ORDER BY key_id", "pgveil_home")

    def log_of_a_restart(self):
        mark = len(STACK.proxy_log())
        STACK.restart_proxy()
        return STACK.proxy_log()[mark:]

    def assert_put_right(self, change, words):
        kept = self.rows()
        STACK.superuser(change, "pgveil_home")
        log = self.log_of_a_restart()
        self.assertIn(words, log)
        self.assertIn("somebody changed pgveil.keyring", log)
        # Signed anew, so only the columns in clear are the same.
        self.assertEqual([row[:3] for row in self.rows()], [row[:3] for row in kept])
        self.assertEqual(len(ask("SELECT name FROM patients WHERE id = 1")), 1)

    def test_control_rows_that_nobody_changed_are_not_objected_to(self):
        self.assertTrue(self.rows())
        self.assertNotIn("pgveil.keyring", self.log_of_a_restart())

    def test_an_altered_row_is_named_and_put_right(self):
        self.assert_put_right("UPDATE pgveil.keyring SET version = version + 1", "a keyring row is foreign or altered")
        self.assert_put_right("UPDATE pgveil.keyring SET entry = overlay(entry placing 'AAAA' from 200)",
                              "a keyring row is foreign or altered")

    def test_a_row_of_another_key_is_named_and_taken_out(self):
        self.assert_put_right("INSERT INTO pgveil.keyring SELECT key_group, key_id + 1, version, entry FROM pgveil.keyring",
                              "holds rows that are not the share store's")


if __name__ == "__main__":
    unittest.main()
