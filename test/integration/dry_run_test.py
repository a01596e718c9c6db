"""`pgveil explain` and `pgveil check --log`: what would be done, found out without doing it."""

import unittest

from stack import CLINIC, Stack, psql, run, succeeded


def setUpModule():
    global STACK
    STACK = Stack.start()
    succeeded(psql(STACK.url(), "-q", "-v", "ON_ERROR_STOP=1", "-f", CLINIC / "schema.sql", options=STACK.options()))


def tearDownModule():
    STACK.stop()


def pgveil(*arguments):
    return run([*STACK.as_owner(), STACK.dir / "bin" / "pgveil", *arguments, "--config", STACK.settings])


def explain(sql):
    return pgveil("explain", "--database", "clinic", sql)


class Explain(unittest.TestCase):
    maxDiff = None

    def test_says_what_is_sent_and_sends_nothing(self):
        STACK.mark_server_log()
        done = explain("UPDATE patients SET remark = 'not for the log' WHERE id = 7 RETURNING remark")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"\Aon database clinic\nstatement 1: allowed\n  sent:   UPDATE \"public\".\"patients\" SET remark = E'")
        self.assertIn("opens:  result column 1, public.patients.remark", done.stdout)
        self.assertIn("shows:  of public.patients.remark", done.stdout)
        for text in (done.stdout, STACK.server_log_since_mark()):
            self.assertNotIn("not for the log", text)
        # The proxy, too, writes to the same server: what the share store's version is.
        self.assertNotRegex(STACK.server_log_since_mark(), r'UPDATE ("public"\.)?"?patients')

    def test_says_why_not(self):
        done = explain("SELECT id FROM patients WHERE remark LIKE 'x%'")
        self.assertEqual(done.returncode, 1)
        self.assertIn("refused with 0A000 at character", done.stdout)
        self.assertIn("instead: ", done.stdout)

    def test_knows_what_the_database_does_not_have(self):
        self.assertIn("touches nothing protected", explain("SELECT * FROM no_such_table").stdout)
        done = explain("SELECT nonsense FROM patients")
        self.assertEqual(done.returncode, 1)
        self.assertIn("42703", done.stdout)

    def test_a_database_that_is_not_there_is_said(self):
        done = pgveil("explain", "--database", "nowhere", "SELECT 1")
        self.assertEqual(done.returncode, 2)
        self.assertIn('database "nowhere" does not exist', done.stderr)


class Log(unittest.TestCase):
    """The log of an application that still works on plain tables of its own."""

    maxDiff = None

    @classmethod
    def setUpClass(cls):
        STACK.superuser("CREATE DATABASE before")
        STACK.superuser("GRANT CONNECT ON DATABASE before TO PUBLIC; GRANT ALL ON SCHEMA public TO app", "before")
        with STACK.direct(database="before") as connection:
            connection.execute((CLINIC / "schema.sql").read_text())
            STACK.mark_server_log()
            for number in range(3):
                connection.execute("SELECT id FROM patients WHERE remark LIKE %s", [f"a{number}"])
            connection.execute("SELECT id,\n\tremark\nFROM patients WHERE id = 1")
            connection.execute("SELECT upper(remark) FROM patients")
            connection.execute("SELECT 1")
        cls.log = STACK.dir / "before.log"
        cls.log.write_text(STACK.server_log_since_mark())

    def test_lists_what_would_be_refused(self):
        done = pgveil("check", "--log", self.log, "--database", "before")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertRegex(done.stdout, r"\A3 x LIKE: .*public\.patients\.remark .*\n    line \d+ \d+ \d+\n1 x function upper: .*\n    line \d+\n")
        self.assertRegex(done.stdout, r"4 of \d+ statements \(\d+ different\) on before would be refused\n\Z")

    def test_counts_no_statement_that_is_fine(self):
        fine = STACK.dir / "fine.log"
        fine.write_text("x LOG:  statement: SELECT remark FROM patients\nx LOG:  statement: SELECT nonsense\n")
        done = pgveil("check", "--log", fine, "--database", "before")
        self.assertEqual((done.returncode, done.stdout),
                         (0, "0 of 2 statements (2 different) on before would be refused\n"), done.stderr)

    def test_a_file_that_is_not_there_is_said(self):
        done = pgveil("check", "--log", "/no/such.log")
        self.assertEqual(done.returncode, 2)
        self.assertIn("/no/such.log cannot be read", done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
