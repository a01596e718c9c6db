"""Statements that differ in their constants alone are analysed once: each is still answered as on a plain table, errors
included, and its constants leave sealed. Simple protocol."""

import itertools
import unittest

import psycopg

import clinic
from stack import Stack

WORDS = ["Anna", "", "x", " two  blanks ", "O''Neil", "back\\slash", "%", "{a,b}", "NULL", "2020-02-30", "na\u00efve", "5", "-5"]
NUMBERS = ["1", "0", "-1", "007", "32767", "-32768", "32768", "-32769", "999999999", "2147483647", "2147483648", "1.0", "'1'",
           "' 1 '", "'one'", "NULL", "- 1", "1e1", "'1'::text"]


def setUpModule():
    global STACK
    STACK = Stack.start()
    clinic.Clinic(STACK)


def tearDownModule():
    STACK.stop()


def answer(connection, sql):
    """Rows, or number of rows, or error."""
    try:
        cursor = psycopg.ClientCursor(connection)
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else cursor.rowcount
    except psycopg.Error as error:
        return error.diag.sqlstate, error.diag.message_primary, error.diag.statement_position


class OtherConstants(unittest.TestCase):
    numbers = itertools.count()

    def setUp(self):
        self.veiled = STACK.connect()
        self.addCleanup(self.veiled.close)
        self.plain = STACK.direct(database="clinic_plain")
        self.addCleanup(self.plain.close)

    def both(self, sql):
        """What is refused by pgveil alone is refused in a text that it has never seen, too."""
        veiled = answer(self.veiled, sql)
        is_refused = isinstance(veiled, tuple) and veiled[0] == "0A000"
        other = answer(self.veiled, f"{sql} -- {next(self.numbers)}") if is_refused else answer(self.plain, sql)
        self.assertEqual(veiled, other, sql)
        return veiled

    def test_strings(self):
        for number, word in enumerate(WORDS * 2):
            self.both(f"INSERT INTO patients (id, ssn, name) VALUES ({700 + number}, '{number}', '{word}')")
            self.both(f"UPDATE patients SET name = '{word}', remark = 'of {number}' WHERE ssn = '{number}'")
        for word in WORDS * 2:
            self.both(f"SELECT id, name, remark FROM patients WHERE ssn = '{word}' OR born = '1970-01-01' ORDER BY id")
        self.assertEqual(self.both("SELECT count(*) FROM patients WHERE id >= 700"), [(2 * len(WORDS),)])
        self.both("SELECT id, name, remark FROM patients WHERE id >= 700 ORDER BY id")

    def test_numbers(self):
        self.both("INSERT INTO visits (id, patient) SELECT 900, min(id) FROM patients")
        for number in NUMBERS * 2:
            self.both(f"UPDATE visits SET pulse = {number}, weight_g = {number} WHERE id = 900")
            self.both(f"SELECT id, pulse, weight_g FROM visits WHERE weight_g = {number} ORDER BY id")
            self.both(f"SELECT id, pulse FROM visits WHERE weight_g IN ({number}, 7) ORDER BY id")

    def test_numbers_as_text(self):
        """The server writes a number anew before it is text: 007 is stored as 7, and -0 as 0."""
        for number in ("5", "007", "-0", "-007", "00", "- 5", "999999999") * 2:
            self.both(f"INSERT INTO patients (id, name, remark) VALUES (777, {number}, {number})")
            self.both(f"UPDATE visits SET reason = {number} WHERE id = 104 RETURNING reason")
            self.both("SELECT name, remark FROM patients WHERE id = 777")
            self.both("DELETE FROM patients WHERE id = 777")

    def test_dates(self):
        for born in ["1970-01-01", "1 May 1970", "yesteryear", "2020-02-30", "infinity", "epoch"] * 2:
            self.both(f"SELECT id, born FROM patients WHERE born < '{born}' ORDER BY id")
        for style in ("SQL, DMY", "SQL, MDY", "ISO, YMD"):
            for connection in (self.veiled, self.plain):
                connection.execute(f"SET DateStyle TO '{style}'")
            self.both("SELECT id FROM patients WHERE born > '01-02-1970' ORDER BY id")
            self.both("SELECT id FROM patients WHERE born > '13-02-1970' ORDER BY id")

    def test_a_value_that_also_stands_open(self):
        text = "SELECT 'one word', id FROM patients WHERE ssn = '{}'"
        self.assertEqual(answer(self.veiled, text.format("another")), [])
        state, message, _ = answer(self.veiled, text.format("one word"))
        self.assertEqual(state, "0A000", message)
        self.assertEqual(answer(self.veiled, text.format("a third")), [])

    def test_nothing_leaves_open(self):
        for word in ("first of them", "second of them", "third of them"):
            self.veiled.execute(f"INSERT INTO patients (id, ssn, name) VALUES (650, '{word}', '{word}')")
            stored = STACK.superuser("SELECT ssn::text, name::text FROM patients WHERE id = 650", "clinic")
            self.assertTrue(all(value.startswith("\\x01") for value in stored[0]), stored)
            self.assertEqual(self.veiled.execute("SELECT ssn, name FROM patients WHERE id = 650").fetchone(), (word, word))
            self.veiled.execute("DELETE FROM patients WHERE id = 650")


if __name__ == "__main__":
    unittest.main()
