"""pgveil migrate and unmigrate: a table in use becomes an encrypted one and plain again; no write is lost, no plain value is
left in its file, and whatever is killed goes on."""

import datetime
import random
import subprocess
import threading
import time
import unittest

import psycopg

from leaks import needles, scan
from operation import settings_of, write_settings
from stack import Stack, StackError, run, succeeded

COLUMNS = {"name": {"type": "varchar(40)"}, "ssn": {"type": "text", "search": "equality"},
           "born": {"type": "date", "search": "order"}}
NOTE = {"columns": {"note": {"type": "text", "search": "equality"}}}
LABELS = {"columns": {"note": {"type": "text", "search": "equality"}, "price": {"type": "numeric(9,2)", "search": "order"},
                      "doc": {"type": "jsonb", "pad_to": 64}, "tags": {"type": "varchar(9)[]"}, "at": {"type": "timestamptz"},
                      "code": {"type": "char(4)"}, "raw": {"type": "bytea"}, "share": {"type": "float8"},
                      "own": {"type": "text", "bind_to": ["a"]}}}
VALUES = r"""n, 'it''s' || chr(9) || n, CASE WHEN n % 3 > 0 THEN E'l\\\t' || n END, n / 8.0, jsonb_build_object('n', n, 'k', '"'),
    ARRAY['a b', NULL, E'\\"' || n], timestamptz '2001-02-03 04:05:06.7+00' + n * interval '7 hours', 'c' || n % 9,
    decode('005c' || n + 10, 'hex'), 0.1 + n / 7.0::float8, E'line\n' || n"""
POLICY = {"tables": {"public.patients": {"columns": COLUMNS}, "public.labels": LABELS, "public.stays": NOTE,
                     **{f"public.bad{n}": NOTE for n in range(4)}},
          "migrating": ["public.patients", "public.labels", *[f"public.bad{n}" for n in range(4)]]}
PLANTED = [f"Quendolin {n:03}" for n in range(1000, 1020)]


def setUpModule():
    global STACK
    STACK = Stack.start(POLICY)
    # The table is away for as long as proxies believe what they were told of it.
    write_settings(STACK, limits={**settings_of(STACK).get("limits", {}), "catalog_ttl_ms": 200})
    STACK.restart_proxy()
    STACK.never_logged = []  # a table that is plain is used in plain words
    succeeded(STACK.tenant_tool("user", "add", "mover", "--out", STACK.dir / "users", "--apply", STACK.url(), "--no-passphrase"))
    with STACK.direct() as database:
        database.execute("CREATE TABLE wards (id int PRIMARY KEY)")
        database.execute("INSERT INTO wards SELECT generate_series(1, 9)")
        database.execute("CREATE TABLE patients (id serial PRIMARY KEY, name varchar(40) NOT NULL, ssn text CONSTRAINT one_ssn UNIQUE, "
                         "ward int REFERENCES wards, born date DEFAULT '1970-01-01', seen timestamptz DEFAULT now(), CHECK (id > 0))")
        database.execute("CREATE INDEX by_birth ON patients (born, ward)")
        database.execute("CREATE INDEX by_ward ON patients (ward) WHERE ward > 5")
        database.execute("CREATE TABLE visits (id serial PRIMARY KEY, patient int REFERENCES patients ON DELETE CASCADE)")
        database.execute("GRANT SELECT ON patients TO PUBLIC")
        database.execute("INSERT INTO patients (name, ssn, ward, born) SELECT 'Quendolin ' || n, 's' || n, n % 9 + 1, "
                         "date '1950-01-01' + n FROM generate_series(1, 1500) n")


def tearDownModule():
    STACK.stop()


def words(verb, table, *options):
    users = STACK.dir / "users"
    return [*STACK.as_owner(), STACK.dir / "bin" / "pgveil", verb, table, "--config", STACK.settings, "--direct", STACK.url("direct"),
            "--proxy", STACK.url(), "--key", users / "mover.user", "--app-share", users / "mover.app", *options]


def moved(verb, table, *options):
    done = run(words(verb, table, *options))
    succeeded(done)
    return done.stderr


def killed_at(verb, table, text, *options, delay_s=0):
    """kill -9 as soon as it says so; False: it came to its end before."""
    child = subprocess.Popen([str(word) for word in words(verb, table, *options)], stderr=subprocess.PIPE, text=True)
    with child:
        for line in child.stderr:
            if text in line:
                time.sleep(delay_s)
                child.kill()
                return True
    return False


def stored_as(column, table="patients"):
    ((name,),) = STACK.superuser("SELECT format_type(atttypid, atttypmod) FROM pg_attribute "
                                 f"WHERE attrelid = '{table}'::regclass AND attname = '{column}'", "clinic")
    return name


def files_of(table):
    """The bytes of a table, as they lie on the disk."""
    STACK.superuser(f"VACUUM FULL {table}", "clinic")
    STACK.superuser("CHECKPOINT", "clinic")
    ((path,), ) = STACK.superuser(f"SELECT pg_relation_filepath('{table}')", "clinic")
    return STACK.dir / "postgres" / path


def planted_in(path):
    return [word for word in PLANTED if word.encode() in path.read_bytes()]


class Writer(threading.Thread):
    """An application that goes on writing, one row after the other, and knows what has to be there."""

    def __init__(self, rows):
        super().__init__()
        self.rows, self.ends, self.errors, self.count = rows, threading.Event(), [], 0
        self.random = random.Random(7)

    def run(self):
        self.connection = STACK.connect()
        while not self.ends.is_set():
            self.step()
        self.connection.close()

    def step(self):
        key = self.random.choice(list(self.rows))
        name, ssn = f"Quendolin {self.random.randrange(1000, 1020)}", f"w{self.count}"
        if self.count % 7 == 0:
            key = self.certainly("INSERT INTO patients (name, ssn, ward) VALUES (%s, %s, 3) RETURNING id", (name, ssn))
            self.rows[key] = (name, ssn)
        elif self.count % 11 == 0:
            self.certainly("DELETE FROM patients WHERE id = %s RETURNING id", (key,))
            del self.rows[key]
        else:
            self.certainly("UPDATE patients SET name = %s, ssn = %s WHERE ssn = %s RETURNING id", (name, ssn, self.rows[key][1]))
            self.rows[key] = (name, ssn)
        self.count += 1

    def certainly(self, sql, values):
        """What fails at the switch is tried again, on a new connection: the old one has prepared its statements. Nothing
        finds no row."""
        for _ in range(400):
            try:
                return self.connection.execute(sql, values).fetchone()[0]
            except psycopg.Error as error:
                self.errors.append(error)
                self.connection.close()
                time.sleep(0.05)
                self.connection = STACK.connect()
        raise StackError(f"it keeps failing: {self.errors[-1]}")


class LiveTable(unittest.TestCase):
    def test_it_is_encrypted_under_load_and_loses_no_write(self):
        with STACK.connect() as connection:
            rows = {key: (name, ssn) for key, name, ssn in connection.execute("SELECT id, name, ssn FROM patients")}
        STACK.superuser("ANALYZE patients", "clinic")
        writer = Writer(rows)
        writer.start()
        try:
            self.assertTrue(killed_at("migrate", "patients", "rows to bring over", "--batch", "50", "--rows-per-second", "500",
                                      delay_s=0.5))
            self.assertEqual(stored_as("name"), "character varying(40)")
            moved("migrate", "patients", "--batch", "200")
            self.assertEqual(stored_as("name"), "pgveil.ciphertext")
            before = writer.count
            while writer.is_alive() and writer.count < before + 20:
                time.sleep(0.05)
        finally:
            writer.ends.set()
            writer.join()
        self.assertGreater(writer.count, before, writer.errors[-1:])
        for error in writer.errors:
            self.assertIn(error.sqlstate, ("42P01", "0A000", "23514", "42804"), error)
        with STACK.connect() as connection:
            found = {key: (name, ssn) for key, name, ssn in connection.execute("SELECT id, name, ssn FROM patients")}
            self.assertEqual(found, writer.rows)
            self.definitions_are_kept(connection)
        self.no_plain_value_is_left()

    def definitions_are_kept(self, connection):
        with self.assertRaises(psycopg.errors.UniqueViolation) as broken:
            connection.execute("INSERT INTO patients (name, ssn) SELECT name, ssn FROM patients LIMIT 1")
        self.assertEqual(broken.exception.diag.constraint_name, "one_ssn")
        with self.assertRaises(psycopg.errors.ForeignKeyViolation):
            connection.execute("INSERT INTO patients (name, ward) VALUES ('x', 77)")
        with self.assertRaises(psycopg.errors.ForeignKeyViolation):
            connection.execute("INSERT INTO visits (patient) VALUES (-1)")
        row = connection.execute("INSERT INTO patients VALUES (DEFAULT, 'In order', 'o', 4) RETURNING born, ward").fetchone()
        self.assertEqual(row, (datetime.date(1970, 1, 1), 4))
        self.assertGreater(connection.execute("SELECT count(*) FROM patients WHERE born > '1951-01-01'").fetchone()[0], 100)
        indexes = STACK.superuser("SELECT indexname FROM pg_indexes WHERE tablename = 'patients' ORDER BY 1", "clinic")
        self.assertEqual([name for name, in indexes], ["by_birth", "by_ward", "one_ssn", "patients_pkey"])
        rights = STACK.superuser("SELECT has_table_privilege('pgveil', 'patients', 'SELECT'), "
                                 "bool_and(convalidated) FROM pg_constraint WHERE contype = 'f'", "clinic")
        self.assertEqual(rights, [(True, True)])

    def no_plain_value_is_left(self):
        self.assertTrue(planted_in(files_of("patients__plain")), "the control: the old table has them")
        self.assertEqual(planted_in(files_of("patients")), [])
        moved("migrate", "patients", "--drop")
        STACK.superuser("VACUUM FULL pg_statistic", "clinic")
        STACK.superuser("VACUUM", "clinic")
        STACK.superuser("CHECKPOINT", "clinic")
        self.assertEqual(scan([STACK.dir / "postgres" / "base"], needles(PLANTED)), {})
        self.assertEqual(STACK.superuser("SELECT count(*) FROM pg_class WHERE relname LIKE 'patients\\_\\_%'", "clinic"), [(0,)])


class Steps(unittest.TestCase):
    def setUp(self):
        with STACK.direct() as database:
            database.execute("DROP TABLE IF EXISTS labels, labels__veiled, labels__plain, labels__marks")
            database.execute("DROP FUNCTION IF EXISTS labels__mark")
            database.execute("CREATE TABLE labels (a int, b text, note text, price numeric(9,2), doc jsonb, tags varchar(9)[], "
                             "at timestamptz, code char(4), raw bytea, share float8, own text, twice int GENERATED ALWAYS AS (a * 2) STORED, "
                             "number int GENERATED ALWAYS AS IDENTITY, PRIMARY KEY (b, a)) WITH (fillfactor = 80)")
            database.execute("COMMENT ON TABLE labels IS 'it''s mine'")
            database.execute("CREATE INDEX by_note ON labels (note, price)")
            database.execute("INSERT INTO labels SELECT " + VALUES + " FROM generate_series(1, 30) n")

    def rows(self):
        """For a moment the table is away."""
        for _ in range(400):
            try:
                with STACK.connect() as connection:
                    return connection.execute("SELECT * FROM labels ORDER BY a").fetchall()
            except psycopg.errors.UndefinedTable:
                time.sleep(0.05)
        raise StackError("the table does not come back")

    def test_killed_at_any_step_it_goes_on(self):
        before = self.rows()
        for text in ("making", "rows to bring", "switching", "is encrypted"):
            self.assertTrue(killed_at("migrate", "labels", text), text)
            self.assertEqual(self.rows(), before, text)
        moved("migrate", "public.labels")
        self.assertIn("--drop", moved("migrate", "labels"))
        self.assertTrue(killed_at("migrate", "labels", "dropped", "--drop"))
        self.assertIn("is encrypted", moved("migrate", "labels", "--drop"))
        self.assertEqual(self.rows(), before)
        self.assertEqual(stored_as("note", "labels"), "pgveil.ciphertext")
        self.assertEqual(STACK.superuser("SELECT obj_description(oid, 'pg_class'), reloptions FROM pg_class WHERE relname = 'labels'", "clinic"),
                         [("it's mine", ["fillfactor=80"])])

    def test_it_goes_back_with_what_was_written_since(self):
        moved("migrate", "labels")
        with STACK.connect() as connection:
            connection.execute("UPDATE labels SET note = 'written since' WHERE a = 7")
            connection.execute("DELETE FROM labels WHERE a = 8")
            connection.execute("INSERT INTO labels VALUES (99, 'new', 'new since', 1.5)")
        after = self.rows()
        STACK.superuser("ALTER TABLE labels RENAME TO labels__veiled", "clinic")  # the server crashed within the switch
        moved("migrate", "labels")
        self.assertEqual(self.rows(), after)
        moved("migrate", "labels", "--back")
        self.assertEqual((stored_as("note", "labels"), self.rows()), ("text", after))
        self.assertIn("written since", [note for *_, note in STACK.superuser("SELECT a, note FROM labels", "clinic")])
        moved("migrate", "labels", "--drop")
        self.assertEqual(run(words("migrate", "labels", "--back")).returncode, 2)
        moved("unmigrate", "labels", "--drop")
        self.assertEqual((stored_as("note", "labels"), self.rows()), ("text", after))

    def test_what_is_altered_at_the_database_meanwhile_is_not_switched(self):
        self.assertTrue(killed_at("migrate", "labels", "switching"))
        STACK.superuser("DELETE FROM labels__veiled WHERE a = 5", "clinic")
        done = run(words("migrate", "labels"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("stand in one of", done.stderr)
        self.assertEqual(stored_as("note", "labels"), "text")
        moved("migrate", "labels", "--back")


class Refused(unittest.TestCase):
    def assert_told(self, table, *told, options=("--plan",)):
        done = run(words("migrate", table, *options))
        self.assertEqual(done.returncode, 2, done.stderr)
        for text in told:
            self.assertIn(text, done.stdout + done.stderr)

    def test_what_cannot_be_migrated_says_why(self):
        with STACK.direct() as database:
            database.execute("CREATE TABLE bad0 (id int, note text)")
            database.execute("CREATE TABLE bad1 (id int PRIMARY KEY, note varchar(3) CHECK (note > ''))")
            database.execute("CREATE VIEW over_bad1 AS SELECT note FROM bad1")
            database.execute("CREATE FUNCTION all_bad1() RETURNS SETOF bad1 LANGUAGE sql AS 'SELECT NULL::bad1'")
            database.execute("CREATE TABLE bad2 (id int PRIMARY KEY, other text)")
        self.assert_told("bad0", "no primary key")
        self.assert_told("bad1", "view over_bad1", "function all_bad1() uses its row type", "is character varying(3), but text", "checks note")
        self.assert_told("bad2", "names column note")
        self.assert_told("bad3", "there is no table public.bad3")
        self.assert_told("stays", 'not list public.stays under "migrating"')
        self.assert_told("wards", "no entry for public.wards")
        self.assert_told("bad1", "nothing was changed", options=())
        self.assertEqual(run(words("migrate", "labels", "--back", "--drop")).returncode, 2)


if __name__ == "__main__":
    unittest.main()
