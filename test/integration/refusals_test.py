"""What the rules do not allow is refused with 0A000, names the column and a way out, and never reaches the server."""

import unittest

import psycopg

import clinic
import logs
from stack import Stack, wait_until

# (statement, what the message must name: the column, or what cannot be looked into). Every statement holds the word SECRET where a literal may stand:
# it must not be found in the server's log.
REFUSED = [
    ("SELECT upper(name) || 'SECRET' FROM patients", "name"),
    ("SELECT name || 'SECRET' FROM patients", "name"),
    ("SELECT length(name), 'SECRET' FROM patients", "name"),
    ("SELECT id FROM patients WHERE name = 'SECRET'", "name"),
    ("SELECT id FROM patients WHERE name LIKE 'SECRET%'", "name"),
    ("SELECT id FROM patients WHERE ssn LIKE 'SECRET%'", "ssn"),
    ("SELECT id FROM patients WHERE ssn ~ 'SECRET'", "ssn"),
    ("SELECT id FROM patients WHERE ssn > 'SECRET'", "ssn"),
    ("SELECT id FROM patients WHERE ssn BETWEEN 'SECRET1' AND 'SECRET2'", "ssn"),
    ("SELECT id, 'SECRET' FROM patients ORDER BY name", "name"),
    ("SELECT id, 'SECRET' FROM patients ORDER BY ssn", "ssn"),
    ("SELECT max(seen), 'SECRET' FROM visits", "seen"),
    ("SELECT 'SECRET', sum(weight_g) FROM visits", "weight_g"),
    ("SELECT weight_g + 1, 'SECRET' FROM visits", "weight_g"),
    ("SELECT -pulse, 'SECRET' FROM visits", "pulse"),
    ("SELECT id FROM patients WHERE lower(ssn) = 'SECRET'", "ssn"),
    ("SELECT id FROM patients WHERE upper(ssn) LIKE upper('SECRET%')", "ssn"),
    ("SELECT name::bytea, 'SECRET' FROM patients", "name"),
    ("SELECT born::text || 'SECRET' FROM patients", "born"),
    ("SELECT 'SECRET', extract(year FROM born) FROM patients", "born"),
    ("SELECT 'SECRET', p FROM patients p", "patients"),
    ("SELECT 'SECRET', row_to_json(p) FROM patients p", "patients"),
    ("SELECT 'SECRET', json_agg(name) FROM patients", "name"),
    ("SELECT 'SECRET', string_agg(name, ',') FROM patients", "name"),
    ("SELECT 'SECRET' FROM patients p JOIN visits v ON p.ssn = v.reason", "ssn"),
    ("SELECT 'SECRET' FROM patients WHERE ssn = department", "ssn"),
    ("SELECT DISTINCT name, 'SECRET' FROM patients", "name"),
    ("SELECT insured, 'SECRET', count(*) FROM patients GROUP BY insured", "insured"),
    ("UPDATE patients SET name = name || 'SECRET'", "name"),
    ("UPDATE patients SET name = ssn, remark = 'SECRET'", "name"),
    ("UPDATE patients SET department = name, remark = 'SECRET'", "name"),
    ("UPDATE patients SET name = upper('SECRET')", "name"),
    ("INSERT INTO patients (id, ssn, name) VALUES (60, 'SECRET', upper('SECRET'))", "name"),
    ("INSERT INTO departments SELECT ssn, 'SECRET', 1 FROM patients", "ssn"),
    ("INSERT INTO patients (id, ssn, name) SELECT beds + 100, 'SECRET', title FROM departments", "name"),
    ("INSERT INTO visits (id, patient, weight_g, reason) VALUES (900, 1, 1 + 1, 'SECRET')", "weight_g"),
    ("DELETE FROM patients WHERE name = 'SECRET'", "name"),
    ("SELECT CASE WHEN name = 'SECRET' THEN 1 END FROM patients", "name"),
    ("CREATE TABLE copied AS SELECT name, upper('SECRET' || ssn) FROM patients", "patients"),
    ("CREATE INDEX ON patients (upper(name || 'SECRET'))", "name"),
    ("ALTER TABLE patients ADD CONSTRAINT c CHECK (name <> 'SECRET')", "patients"),
    ("COPY patients (name) FROM PROGRAM 'echo SECRET'", "patients"),
    ("DO $$ BEGIN UPDATE patients SET name = 'SECRET'; END $$", "DO"),
    ("CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $$ UPDATE patients SET name = 'SECRET' $$", "CREATE FUNCTION"),
    ("SELECT query_to_xml('SELECT name FROM patients WHERE ssn = ''SECRET''', true, true, '')", "query_to_xml"),
    ("SELECT name, 'SECRET' FROM patients FOR NO REASON AT ALL", "cannot read"),
    ("CREATE VIEW shown AS SELECT upper(name || 'SECRET') FROM patients", "patients"),
]

SYNTAX_ERRORS = {"SELECT name, 'SECRET' FROM patients FOR NO REASON AT ALL"}


def setUpModule():
    global STACK
    STACK = Stack.start()
    clinic.Clinic(STACK)


def tearDownModule():
    STACK.stop()


class Refusals(unittest.TestCase):
    def setUp(self):
        STACK.mark_server_log()
        self.connection = STACK.connect()
        self.addCleanup(self.connection.close)

    def refused(self, sql, ask=None):
        """The psycopg error of a statement that has to be refused."""
        with self.assertRaises(psycopg.Error, msg=sql) as caught:
            (ask or self.connection.execute)(sql)
        return caught.exception

    def assert_well_refused(self, error, sql, subject):
        allowed = ("0A000", "42601") if sql in SYNTAX_ERRORS else ("0A000",)
        self.assertIn(error.sqlstate, allowed, f"{sql}: {error}")
        if error.sqlstate == "0A000":
            self.assertIn(subject, error.diag.message_primary, sql)
            self.assertTrue(error.diag.message_hint, f"no hint for: {sql}")

    def test_thirty_statements_are_refused_by_name_with_a_hint(self):
        self.assertGreaterEqual(len(REFUSED), 30)
        for sql, subject in REFUSED:
            with self.subTest(sql):
                self.assert_well_refused(self.refused(sql), sql, subject)
        self.assertEqual(self.connection.execute("SELECT count(*) FROM patients").fetchone()[0], 6)

    def test_the_same_over_the_extended_protocol(self):
        cursor = self.connection.cursor()
        for sql, subject in REFUSED:
            if ";" in sql and not sql.startswith(("DO", "CREATE")):
                continue
            with self.subTest(sql):
                error = self.refused(sql, lambda text: cursor.execute(text, prepare=True))
                self.assert_well_refused(error, sql, subject)
                self.assertEqual(self.connection.execute("SELECT 1").fetchone()[0], 1)

    def test_with_parameters(self):
        for sql, values in [("SELECT id FROM patients WHERE name = %s", ("SECRET",)),
                            ("SELECT id FROM patients WHERE ssn LIKE %s", ("SECRET%",)),
                            ("SELECT id FROM patients WHERE lower(ssn) = %s", ("SECRET",)),
                            ("SELECT id FROM visits WHERE weight_g > %s", (63900,)),
                            ("UPDATE patients SET name = upper(%s)", ("SECRET",)),
                            ("SELECT name FROM patients ORDER BY %s || name", ("SECRET",))]:
            with self.subTest(sql):
                error = self.refused(sql, lambda text: self.connection.execute(text, values))
                self.assertEqual(error.sqlstate, "0A000")
        self.assert_nothing_leaked()

    def test_a_transaction_is_left_failed(self):
        for sql, _ in REFUSED[:12]:
            with self.subTest(sql):
                self.connection.execute("BEGIN")
                self.refused(sql)
                self.assertEqual(self.connection.info.transaction_status, psycopg.pq.TransactionStatus.INERROR)
                with self.assertRaises(psycopg.errors.InFailedSqlTransaction):
                    self.connection.execute("SELECT 1")
                self.connection.execute("ROLLBACK")

    def test_a_savepoint_brings_the_transaction_back(self):
        self.connection.execute("BEGIN")
        self.connection.execute("SAVEPOINT before")
        self.refused("SELECT upper(name) FROM patients")
        self.connection.execute("ROLLBACK TO before")
        self.assertEqual(self.connection.execute("SELECT count(*) FROM patients").fetchone()[0], 6)
        self.connection.execute("COMMIT")

    def test_statements_before_the_refused_one_keep_their_effect(self):
        self.connection.execute("BEGIN; UPDATE departments SET beds = 13 WHERE code = 'ER'; COMMIT")
        self.refused("BEGIN; UPDATE departments SET beds = 14 WHERE code = 'ER'; COMMIT; SELECT upper(name) FROM patients")
        self.assertEqual(self.connection.execute("SELECT beds FROM departments WHERE code = 'ER'").fetchone()[0], 14)

    def test_a_pipeline_goes_on_after_its_sync(self):
        with self.assertRaises(psycopg.errors.FeatureNotSupported):
            with self.connection.pipeline() as pipeline:
                first = self.connection.execute("SELECT title FROM departments WHERE code = 'ER'")
                self.connection.execute("SELECT upper(name) FROM patients")
                pipeline.sync()
        self.assertEqual(first.fetchone()[0], "Emergency room")
        self.assertEqual(self.connection.execute("SELECT 2").fetchone()[0], 2)

    def test_of_the_refused_text_only_the_marker_reached_the_server(self):
        for sql, _ in REFUSED:
            self.connection.execute("BEGIN")
            self.refused(sql)
            self.connection.execute("ROLLBACK")
        wait_until(lambda: "pgveil:refused:" in STACK.server_log_since_mark(), "the marker in the server's log")
        self.assert_nothing_leaked()

    def assert_nothing_leaked(self):
        self.connection.execute("SELECT 'the last line'")
        wait_until(lambda: "the last line" in STACK.server_log_since_mark(), "the server's log")
        self.assertNotIn("SECRET", STACK.server_log_since_mark())
        self.assertNotIn("SECRET", STACK.proxy_log())

    def test_the_servers_log_would_show_a_literal(self):
        """Positive control, also of what watches the logs of every test file: on the unprotected table a word arrives."""
        self.connection.execute("SELECT code FROM departments WHERE title = 'in plain sight'")
        with STACK.direct() as direct:
            direct.execute("SELECT 'sent around'")
        wait_until(lambda: "sent around" in STACK.server_log_since_mark(), "the words in the server's log")
        self.assertEqual(list(logs.leaked(STACK, ["in plain sight", "sent around"])), ["in plain sight"])
        for said in ("==7==ERROR: AddressSanitizer: heap-use-after-free", "x.cpp:1:2: runtime error: shift"):
            self.assertIn(said, logs.sanitizer_report(f"pgveil: ready\n{said}\n"))

    def test_allowed_statements_send_no_literal_of_a_protected_column(self):
        self.connection.execute("SELECT name FROM patients WHERE ssn = 'SECRET'")
        self.connection.execute("UPDATE patients SET remark = 'SECRET' WHERE ssn = 'SECRET'")
        self.connection.execute("SELECT name FROM patients WHERE ssn = %s", ("SECRET",))
        self.assert_nothing_leaked()


if __name__ == "__main__":
    unittest.main()
