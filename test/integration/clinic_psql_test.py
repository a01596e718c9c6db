"""The clinic through unmodified psql: loaded, asked and changed, against the same on plain tables."""

import unittest

import clinic
from stack import Stack, psql


def setUpModule():
    global STACK, CLINICS
    STACK = Stack.start()
    CLINICS = clinic.Clinic(STACK)


def tearDownModule():
    STACK.stop()


class ThroughPsql(unittest.TestCase):
    maxDiff = None

    def answers(self, statements, ending=";\n"):
        """(through pgveil, on plain tables) for one script of these statements."""
        script = "".join(statement + ending for statement in statements)
        return (clinic.in_psql(script, STACK.url(), STACK.options()), clinic.in_psql(script, CLINICS.plain_url))

    def assert_same(self, statements, ending=";\n"):
        veiled, plain = self.answers(statements, ending)
        self.assertEqual(veiled, plain)
        return plain

    def test_reads_are_the_same(self):
        for statement in clinic.READS:
            with self.subTest(statement):
                plain = self.assert_same([statement])
                self.assertNotIn("ERROR", plain)

    def test_column_types_are_the_same(self):
        """psql's \\gdesc asks for the types of a prepared statement."""
        for statement in clinic.READS:
            with self.subTest(statement):
                if "--" not in statement:
                    self.assert_same([statement], " \\gdesc\n")

    def test_output_follows_the_settings_of_the_session(self):
        self.assert_same(clinic.STYLES)

    def test_writes_and_their_tags_are_the_same(self):
        for statement in clinic.WRITES:
            with self.subTest(statement):
                self.assertNotIn("ERROR", self.assert_same([statement]))
        self.assert_same(clinic.TABLES)

    def test_errors_of_the_server_are_the_same(self):
        for statement in clinic.ERRORS:
            with self.subTest(statement):
                self.assertIn("ERROR", self.assert_same([statement]))

    def test_an_error_position_points_into_the_users_text(self):
        statement = "SELECT name FROM patients WHERE ssn = '120-44-7781' AND nothing = 1"
        veiled = psql(STACK.url(), "-c", statement, options=STACK.options()).stderr
        plain = psql(CLINICS.plain_url, "-c", statement).stderr
        self.assertEqual(veiled, plain)
        self.assertIn("^", plain)

    def test_several_statements_in_one_query(self):
        text = ("UPDATE patients SET remark = 'twice' WHERE id = 1; SELECT name FROM patients WHERE id = 1;"
                " SELECT remark FROM patients WHERE ssn = '120-44-7781'")
        veiled = psql(STACK.url(), "-c", text, options=STACK.options())
        plain = psql(CLINICS.plain_url, "-c", text)
        self.assertEqual((veiled.stdout, veiled.stderr), (plain.stdout, plain.stderr))

    def test_a_write_behind_rows_to_open_in_one_query_is_refused(self):
        # A value that does not open would be noticed after the write was committed.
        text = "SELECT name FROM patients WHERE id = 1; UPDATE patients SET remark = 'too early' WHERE id = 1"
        refused = psql(STACK.url(), "-c", text, options=STACK.options())
        self.assertIn("send it in a statement of its own", refused.stderr)
        after = psql(STACK.url(), "-c", "SELECT remark FROM patients WHERE id = 1", options=STACK.options())
        self.assertNotIn("too early", after.stdout)

    def test_transactions(self):
        self.assert_same([
            "BEGIN", "UPDATE patients SET name = 'gone' WHERE id = 1", "SELECT name FROM patients WHERE id = 1",
            "ROLLBACK", "SELECT name FROM patients WHERE id = 1",
            "BEGIN", "SAVEPOINT a", "SELECT name FROM patients WHERE nothing = 1", "SELECT name FROM patients",
            "ROLLBACK TO a", "SELECT name FROM patients WHERE id = 2", "COMMIT"])

    def test_what_may_be_refused_is_the_same_or_refused(self):
        for statement in clinic.MAY:
            with self.subTest(statement):
                veiled, plain = self.answers([f"BEGIN; {statement}; ROLLBACK"])
                # Without ORDER BY the order of rows is nobody's promise.
                if sorted(veiled.splitlines()) != sorted(plain.splitlines()):
                    self.assertIn("ERROR:  0A000", veiled)

    def test_without_shares_nothing_of_this_works(self):
        """Positive control: what answers above is the shares, not an open door."""
        for statement in ("SELECT name FROM patients", "INSERT INTO patients (id, ssn, name) VALUES (90, 'x', 'y')"):
            done = psql(STACK.url(), "-v", "VERBOSITY=sqlstate", "-c", statement)
            self.assertIn("28000", done.stderr)


class InTheDatabase(unittest.TestCase):
    """What lies in D is not the plaintext. The positive control is the plain database beside it."""

    PROTECTED = [("name", "patients", b"Aurelia Brandt"), ("ssn", "patients", b"120-44-7781"),
                 ("reason", "visits", b"chest pain"), ("patient_ssn", "visits", b"120-44-7781")]

    def test_protected_columns_hold_envelopes(self):
        for column, table, word in self.PROTECTED:
            with self.subTest(column):
                stored = CLINICS.stored(column, table)
                self.assertTrue(any(stored))
                for value in filter(None, stored):
                    self.assertGreaterEqual(len(value), 22)
                    self.assertEqual(value[0], 1)
                    self.assertNotIn(word, value)

    def test_the_plain_database_holds_the_words(self):
        for column, table, word in self.PROTECTED:
            rows = STACK.superuser(f"SELECT {column} FROM {table}", "clinic_plain")
            self.assertIn((word.decode(),), rows)

    def test_equal_values_are_equal_and_randomized_ones_are_not(self):
        ssn = STACK.superuser("SELECT a.ssn::bytea = v.patient_ssn::bytea FROM patients a JOIN visits v ON v.patient = a.id"
                              " WHERE v.id = 101", "clinic")
        self.assertEqual(ssn, [(True,)])
        names = STACK.superuser("SELECT count(*), count(DISTINCT name::bytea) FROM patients WHERE id IN (1, 6)", "clinic")
        self.assertEqual(names, [(2, 2)])

    def test_null_stays_null(self):
        self.assertEqual(STACK.superuser("SELECT born IS NULL FROM patients WHERE id = 4", "clinic"), [(True,)])

    def test_the_database_refuses_plaintext_of_a_client_that_goes_around(self):
        done = psql(STACK.direct_url, "-c", "UPDATE patients SET name = 'plain'::bytea WHERE id = 1")
        self.assertIn("pgveil_name", done.stderr)


if __name__ == "__main__":
    unittest.main()
