"""The clinic through libpq from C++: simple, extended, prepared, pipelined and row by row, against plain tables."""

import datetime
import os
import pathlib
import re
import subprocess
import unittest

import clinic
from stack import Stack

CLIENT = pathlib.Path(os.environ["PGVEIL_BIN"]) / "clinic_client"


def setUpModule():
    global STACK, CLINICS
    STACK = Stack.start()
    CLINICS = clinic.Clinic(STACK)


def tearDownModule():
    STACK.stop()


def field(value):
    """A value as clinic_client reads it: what a C program would send as text."""
    if value is None:
        return "\\N"
    if isinstance(value, bytes):
        value = "\\x" + value.hex()
    if isinstance(value, bool):
        value = "true" if value else "false"
    if isinstance(value, datetime.datetime):
        value = value.isoformat(sep=" ")
    return str(value).replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")


def line(verb, sql, values=()):
    return "\t".join([verb, field(sql), *map(field, values)]) + "\n"


class ThroughLibpq(unittest.TestCase):
    maxDiff = None

    def answer(self, script, url, options=""):
        done = subprocess.run([CLIENT, url], input=script, capture_output=True, text=True, check=False, timeout=60,
                              env={**os.environ, "PGOPTIONS": options})
        return done.stdout + done.stderr

    def assert_same(self, script):
        plain = self.answer(script, CLINICS.plain_url)
        self.assertEqual(self.answer(script, STACK.url(), STACK.options()), plain)
        return plain

    def test_reads_in_every_way_of_asking(self):
        for verb in ("simple", "text", "binary", "prepared", "pipeline", "rows"):
            with self.subTest(verb):
                plain = self.assert_same("".join(line(verb, sql) for sql in clinic.READS))
                self.assertIn("TUPLES", plain)
                self.assertNotIn("FATAL", plain)

    def test_parameters_in_every_way_of_asking(self):
        for verb in ("text", "binary", "prepared", "pipeline"):
            for sql, values in clinic.PARAMETERS:
                with self.subTest(f"{verb}: {sql}"):
                    # Twice inside a transaction that is rolled back: the second run meets the cached plan.
                    script = "".join([line("simple", "BEGIN"), line(verb, sql, values), line("simple", "ROLLBACK")]) * 2
                    self.assert_same(script)

    def test_parameters_leave_the_same_tables(self):
        self.assert_same("".join(line("binary", sql, values) for sql, values in clinic.PARAMETERS))
        self.assert_same("".join(line("binary", sql) for sql in clinic.TABLES))

    def test_writes(self):
        self.assert_same("".join(line("text", sql) for sql in clinic.WRITES))
        self.assert_same("".join(line("text", sql) for sql in clinic.TABLES))

    def test_errors_and_what_follows_in_the_pipeline(self):
        for verb in ("simple", "text", "pipeline"):
            for sql in clinic.ERRORS:
                with self.subTest(f"{verb}: {sql}"):
                    self.assertIn("error ", self.assert_same(line(verb, sql) + line("simple", "SELECT 1")))

    def test_errors_of_prepared_statements(self):
        """The same SQLSTATE, perhaps earlier: a constant that does not fit its column is found at Parse."""
        def first_error(said):
            return re.search(r"error (\w+)", said).group(1)
        for sql in clinic.ERRORS:
            with self.subTest(sql):
                script = line("prepared", sql) + line("simple", "SELECT 1")
                veiled = self.answer(script, STACK.url(), STACK.options())
                plain = self.answer(script, CLINICS.plain_url)
                self.assertEqual(first_error(veiled), first_error(plain))
                self.assertEqual(veiled.rsplit("==", 1)[1], plain.rsplit("==", 1)[1])

    def test_bad_parameter_values(self):
        for sql, values in [("SELECT id FROM patients WHERE born = $1", ("31 June 2024",)),
                            ("SELECT id FROM visits WHERE weight_g = $1", ("2147483648",)),
                            ("SELECT id FROM visits WHERE urgent = $1", ("perhaps",)),
                            ("UPDATE patients SET name = $1 WHERE id = 1", ("n" * 81,)),
                            ("UPDATE patients SET card = $1 WHERE id = 1", ("6f9b1c3e",))]:
            with self.subTest(sql):
                self.assertIn("error 22", self.assert_same(line("text", sql, values)))


if __name__ == "__main__":
    unittest.main()
