"""`pgveil check`: every kind of difference between policy and database, made by a superuser behind the proxy's back."""

import json
import signal
import time
import unittest

import psycopg

from stack import CLINIC, Stack, psql, run, succeeded, wait_until


def setUpModule():
    global STACK
    STACK = Stack.start()
    succeeded(psql(STACK.url(), "-q", "-v", "ON_ERROR_STOP=1", "-f", CLINIC / "schema.sql", options=STACK.options()))


def tearDownModule():
    STACK.stop()


def check(*arguments, settings=None):
    return run([*STACK.as_owner(), STACK.dir / "bin" / "pgveil", "check", "--config", settings or STACK.settings,
                *arguments])


CASES = [
    # what a superuser does, how it is undone, the subject, a word of what is said
    ("ALTER TABLE patients RENAME TO gone", "ALTER TABLE gone RENAME TO patients",
     "public.patients", "there is no such table"),
    ("ALTER TABLE patients RENAME remark TO gone", "ALTER TABLE patients RENAME gone TO remark",
     "public.patients.remark", "no such column"),
    ("ALTER TABLE patients ADD extra pgveil.ciphertext", "ALTER TABLE patients DROP extra",
     "public.patients.extra", "no entry in the policy"),
    ("ALTER TABLE patients DROP photo; ALTER TABLE patients ADD photo bytea",
     "ALTER TABLE patients DROP photo; ALTER TABLE patients ADD photo pgveil.ciphertext, ADD CONSTRAINT pgveil_photo {photo}",
     "public.patients.photo", "is a plain column (bytea)"),
    ("ALTER TABLE visits DROP CONSTRAINT pgveil_reason", "ALTER TABLE visits ADD CONSTRAINT pgveil_reason {reason}",
     "public.visits.reason", "has no CHECK pgveil_reason"),
    ("ALTER TABLE visits DROP CONSTRAINT pgveil_reason; ALTER TABLE visits ADD CONSTRAINT pgveil_reason CHECK (true)",
     "ALTER TABLE visits DROP CONSTRAINT pgveil_reason; ALTER TABLE visits ADD CONSTRAINT pgveil_reason {reason}",
     "public.visits.reason", "has another CHECK pgveil_reason"),
    ("ALTER TABLE visits DROP CONSTRAINT pgveil_reason; ALTER TABLE visits ADD CONSTRAINT pgveil_reason {reason} NOT VALID",
     "ALTER TABLE visits VALIDATE CONSTRAINT pgveil_reason", "public.visits.reason", "not validated"),
    ("ALTER DOMAIN pgveil.ciphertext ADD CHECK (octet_length(VALUE) > 0)",
     "ALTER DOMAIN pgveil.ciphertext DROP CONSTRAINT ciphertext_check", "pgveil.ciphertext", "has a constraint"),
    ("ALTER DOMAIN pgveil.ciphertext RENAME TO mine; CREATE DOMAIN pgveil.ciphertext AS text",
     "DROP DOMAIN pgveil.ciphertext; ALTER DOMAIN pgveil.mine RENAME TO ciphertext",
     "pgveil.ciphertext", "is not a domain over bytea"),
    ("ALTER DOMAIN pgveil.ciphertext RENAME TO mine", "ALTER DOMAIN pgveil.mine RENAME TO ciphertext",
     "pgveil.ciphertext", "is missing: CREATE SCHEMA"),
    ("CREATE SCHEMA b; CREATE TABLE b.patients (id int)", "DROP SCHEMA b CASCADE", "b.patients", "list it under \"plain\""),
    ("CREATE SCHEMA b; CREATE VIEW b.visits AS SELECT 1 AS x", "DROP SCHEMA b CASCADE", "b.visits", "list it under"),
    ("CREATE EXTENSION file_fdw; CREATE SERVER f FOREIGN DATA WRAPPER file_fdw; CREATE SCHEMA b;"
     " CREATE FOREIGN TABLE b.patients (id int) SERVER f OPTIONS (filename '/dev/null')",
     "DROP SCHEMA b CASCADE; DROP EXTENSION file_fdw CASCADE", "b.patients", "list it under"),
    ("CREATE TABLE stray (secret pgveil.ciphertext)", "DROP TABLE stray", "public.stray.secret", "no entry for its table"),
    ("CREATE TABLE child (other pgveil.ciphertext) INHERITS (visits)", "DROP TABLE child", "public.child.other", "no entry in the policy"),
    ("CREATE TABLE child () INHERITS (visits); ALTER TABLE child NO INHERIT visits; ALTER TABLE child DROP CONSTRAINT pgveil_reason;"
     " ALTER TABLE visits DROP CONSTRAINT pgveil_reason; ALTER TABLE child INHERIT visits; ALTER TABLE visits ADD CONSTRAINT pgveil_reason"
     " {reason} NOT VALID", "DROP TABLE child; ALTER TABLE visits VALIDATE CONSTRAINT pgveil_reason", "public.child.reason", "not validated"),
    ("CREATE VIEW first AS SELECT id FROM patients; CREATE VIEW second AS SELECT * FROM first", "DROP VIEW first CASCADE",
     "public.patients", "view second sees it"),
    ("CREATE MATERIALIZED VIEW kept AS SELECT id FROM visits", "DROP MATERIALIZED VIEW kept",
     "public.visits", "materialized view kept sees it"),
    ("CREATE RULE no_delete AS ON DELETE TO visits DO INSTEAD NOTHING", "DROP RULE no_delete ON visits",
     "public.visits", "rule no_delete sees it"),
    ("CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
     " CREATE TRIGGER t BEFORE INSERT ON visits FOR EACH ROW EXECUTE FUNCTION f()", "DROP FUNCTION f CASCADE",
     "public.visits", "trigger t sees it"),
    ("CREATE POLICY mine ON visits USING (true)", "DROP POLICY mine ON visits",
     "public.visits", "row-level security policy mine sees it"),
    ("CREATE FUNCTION f(x int) RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM Patients'", "DROP FUNCTION f",
     "public.patients", "function f(integer) sees it"),
    ("CREATE FUNCTION f() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM patients; END", "DROP FUNCTION f",
     "public.patients", "function f() sees it"),
]


class Check(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        rows = STACK.superuser("SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conname LIKE 'pgveil%'",
                               "clinic")
        self.checks = {name.removeprefix("pgveil_"): definition for name, definition in rows}

    def behind_the_proxy(self, text):
        STACK.superuser(text.format(**self.checks), "clinic")

    def assert_clean(self):
        done = check()
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        self.assertEqual(done.stdout, "no differences between the policy and clinic, pgveil_home, postgres\n")

    def test_every_difference_is_named_and_gone_when_undone(self):
        self.assert_clean()
        for change, undo, subject, words in CASES:
            with self.subTest(change):
                self.behind_the_proxy(change)
                try:
                    done = check("--database", "clinic")
                finally:
                    self.behind_the_proxy(undo)
                lines = done.stdout.splitlines()
                self.assertEqual((done.returncode, done.stderr), (1, ""), done.stdout)
                self.assertTrue(any(line.startswith(f"clinic: {subject}") and words in line for line in lines), done.stdout)
                self.assertTrue(lines[-1].endswith("differences between the policy and clinic"), done.stdout)
        self.assert_clean()

    def test_what_does_not_concern_protected_tables_is_no_difference(self):
        self.behind_the_proxy("CREATE VIEW plain_view AS SELECT * FROM departments; CREATE TABLE subpatients (id int);"
                              " CREATE FUNCTION f() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM subpatients'")
        self.addCleanup(self.behind_the_proxy, "DROP VIEW plain_view; DROP TABLE subpatients; DROP FUNCTION f")
        self.assert_clean()

    def test_a_table_may_lie_in_any_database_unless_one_is_named(self):
        done = check("--database", "postgres")
        self.assertEqual(done.returncode, 1)
        self.assertIn("postgres: public.patients: is in the policy, but there is no such table", done.stdout)
        self.assert_clean()

    def test_the_databases_of_the_policy_are_looked_into(self):
        policy = (CLINIC / "policy.json").read_text().replace('{\n    "tables"', '{\n    "databases": ["clinic"],\n    "tables"')
        self.assertIn("databases", policy)
        STACK.write("one.json", policy)
        settings = STACK.write("one_settings.json",
                               STACK.settings.read_text().replace('"policy.json"', json.dumps("one.json")))
        done = check(settings=settings)
        self.assertEqual((done.returncode, done.stdout), (0, "no differences between the policy and clinic\n"), done.stderr)

    def test_a_database_that_cannot_be_read_is_an_error(self):
        done = check("--database", "nowhere")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("nowhere", done.stderr)
        self.assertEqual(check(settings="/nowhere/pgveil.json").returncode, 2)
        self.assertEqual(run([STACK.dir / "bin" / "pgveil", "check"]).returncode, 2)

    def reload(self):
        """The proxy reads the pins that are there now."""
        mark = len(STACK.proxy_log())
        STACK.signal_proxy(signal.SIGHUP)
        wait_until(lambda: "reloaded" in STACK.proxy_log()[mark:], "the reload")

    def answer(self, sql):
        with STACK.connect() as connection:
            try:
                return connection.execute(sql).fetchall()
            except psycopg.Error as error:
                return error.sqlstate + " " + error.diag.message_primary

    def test_a_pinned_table_that_changes_is_refused_until_pinned_again(self):
        pins = STACK.dir / "policy.pins.json"
        read = "SELECT count(*) FROM patients"
        write = "INSERT INTO patients (id, ssn, name) VALUES (1, 'x', 'y') RETURNING id"
        self.assertEqual(check("--pin", "--database", "clinic").returncode, 2)
        self.assertFalse(pins.exists())
        done = check("--pin")
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        self.assertIn("pinned 3 tables in ", done.stdout)
        self.addCleanup(pins.unlink)
        self.assert_clean()
        self.reload()
        self.assertEqual(self.answer(read), [(0,)])
        self.behind_the_proxy("ALTER TABLE patients ADD extra text")
        time.sleep(1.1)  # limits.catalog_ttl_ms
        for statement in (read, write, "DELETE FROM public.patients"):
            self.assertEqual(self.answer(statement), "0A000 public.patients: has another shape than the pinned one")
        self.assertEqual(self.answer("SELECT count(*) FROM visits"), [(0,)])
        done = check()
        self.assertEqual(done.returncode, 1)
        self.assertIn("clinic: public.patients: has another shape than the pinned one", done.stdout)
        self.assertIn('"extra" 25', done.stdout)
        self.assertEqual(check("--pin").returncode, 0)
        self.reload()
        self.assertEqual(self.answer(read), [(0,)])
        self.behind_the_proxy("ALTER TABLE patients DROP extra")
        self.assertEqual(check("--pin").returncode, 0)
        self.reload()

    def test_damaged_pins_are_an_error_and_can_be_pinned_anew(self):
        pins = STACK.write("policy.pins.json", "{")
        self.addCleanup(pins.unlink)
        done = check()
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("policy.pins.json", done.stderr)
        self.assertEqual(check("--pin").returncode, 0)
        self.assert_clean()

    def test_a_name_cannot_write_lines_of_its_own(self):
        self.behind_the_proxy('CREATE TABLE "x\nclinic: no differences" (c pgveil.ciphertext)')
        self.addCleanup(self.behind_the_proxy, 'DROP TABLE "x\nclinic: no differences"')
        self.assertEqual(len(check().stdout.splitlines()), 2)

    def test_the_role_that_checks_reads_no_table(self):
        STACK.mark_server_log()
        self.assert_clean()
        log = STACK.server_log_since_mark()
        self.assertIn("pg_catalog.pg_attribute", log)
        self.assertNotIn("FROM public.", log)


if __name__ == "__main__":
    unittest.main()
