"""Definitions by policy: defaults, renaming, lengths, constraints, and what stays refused. Compared with plain tables over
the simple and the extended protocol."""

import decimal
import unittest

import psycopg

import logs
from stack import Stack, run, wait_until
from two_databases import PROTOCOLS, TwoDatabases

POLICY = {"tables": {
    "public.people": {"columns": {
        "ssn": {"type": "text", "search": "equality", "context": "ssn"},
        "name": {"type": "varchar(12)"},
        "full_name": {"type": "varchar(12)", "context": "public.people.name"},
        "mail": {"type": "varchar(30)", "search": "equality"},
        "born": {"type": "date", "search": "order"}}},
    "public.slips": {"columns": {"note": {"type": "text", "bind_to": ["id"]}}},
    "public.persons": {"columns": {
        "ssn": {"type": "text", "search": "equality", "context": "ssn"},
        "name": {"type": "varchar(12)", "context": "public.people.name"},
        "mail": {"type": "varchar(30)", "search": "equality", "context": "public.people.mail"},
        "born": {"type": "date", "search": "order", "context": "public.people.born"}}},
    "public.visits": {"columns": {"ssn": {"type": "text", "search": "equality", "context": "ssn"}}},
    "archive.visits": {"columns": {"ssn": {"type": "text", "search": "equality", "context": "ssn"}}},
    "public.later": {"columns": {"word": {"type": "text", "search": "equality"},
                                 "number": {"type": "numeric(8,2)", "search": "equality"},
                                 "mark": {"type": "text"}}}}}

SCHEMA = """
CREATE TABLE people (id int PRIMARY KEY, ssn text, name varchar(12), mail varchar(30), born date, city text);
CREATE TABLE slips (id int, note text);
CREATE TABLE visits (id int, ssn text);
CREATE TABLE plain (id int PRIMARY KEY, word text);
CREATE TABLE copied (id int);
CREATE SCHEMA archive;
CREATE VIEW numbers AS SELECT 1 AS n;
INSERT INTO people VALUES (1, 'one', 'Ann', 'a@b', '2000-01-01', 'Bonn'), (2, 'two', 'Bob', NULL, NULL, 'Ulm');
INSERT INTO visits VALUES (1, 'one'), (2, 'two'), (3, NULL);
"""

# Scripts: each in a transaction that is rolled back.
ALLOWED = [
    ("CREATE TABLE later (id int, word text DEFAULT 'dunno' NOT NULL, number numeric(8,2) DEFAULT 2.505, mark text DEFAULT 'm'::text,"
     " city text DEFAULT 'Bonn')", "INSERT INTO later (id) VALUES (1), (2)", "INSERT INTO later DEFAULT VALUES",
     "INSERT INTO later VALUES (3, DEFAULT, 7, DEFAULT)", "UPDATE later SET number = DEFAULT, mark = 'other' WHERE id = 3",
     "SELECT * FROM later", "SELECT count(*) FROM later WHERE word = 'dunno' AND number = 2.51"),
    ("CREATE TABLE later (id int)", "INSERT INTO later VALUES (1)", "ALTER TABLE later ADD COLUMN word text DEFAULT 'all' NOT NULL,"
     " ADD mark text", "INSERT INTO later VALUES (2)", "SELECT * FROM later",
     "ALTER TABLE later ALTER word SET DEFAULT 'next', ALTER mark SET DEFAULT 'mm'", "INSERT INTO later (id) VALUES (3)",
     "ALTER TABLE later ALTER word DROP DEFAULT, ALTER COLUMN mark SET DEFAULT NULL", "INSERT INTO later VALUES (4, 'four')",
     "SELECT * FROM later", "INSERT INTO later (id) VALUES (5)"),
    ("CREATE TABLE later (id int, number numeric(8,2) DEFAULT 'x')",),
    ("ALTER TABLE people RENAME COLUMN name TO full_name", "SELECT * FROM people", "UPDATE people SET full_name = 'Eve' WHERE id = 1",
     "SELECT full_name FROM people", "SELECT name FROM people"),
    ("ALTER TABLE people RENAME city TO town", "SELECT ssn, town FROM people WHERE town = 'Ulm'"),
    ("ALTER TABLE people RENAME TO persons", "SELECT * FROM persons WHERE ssn = 'one'", "INSERT INTO persons (id, ssn) VALUES (3, 'x')",
     "UPDATE persons SET mail = 'b@c' WHERE id = 2", "TABLE persons", "SELECT 1 FROM people"),
    ("ALTER TABLE visits SET SCHEMA archive", "SELECT * FROM archive.visits WHERE ssn <> 'one'"),
    ("ALTER TABLE plain RENAME TO plainer", "SELECT * FROM plainer", "ALTER TABLE plainer SET SCHEMA archive"),
    ("ALTER TABLE people RENAME nothing TO whatever",),
    ("ALTER TABLE IF EXISTS later ADD COLUMN word text DEFAULT 'SECRET', ALTER mark SET DEFAULT 'SECRET'", "SELECT ssn FROM people"),
    ("ALTER TABLE IF EXISTS ONLY public.later * DROP COLUMN word", "ALTER TABLE IF EXISTS later RENAME TO sooner"),
    ("ALTER TABLE IF EXISTS later RENAME word TO mark", "ALTER TABLE IF EXISTS later SET SCHEMA archive",
     "ALTER TABLE IF EXISTS nowhere.later DROP COLUMN word", "ALTER TABLE IF EXISTS nobody DROP COLUMN word"),
    ("ALTER TABLE IF EXISTS people ALTER mail SET DEFAULT 'x@y'", "INSERT INTO people (id) VALUES (9) RETURNING mail"),
    ("ALTER TABLE later ADD COLUMN word text",),
    ("ALTER TABLE people ALTER COLUMN mail TYPE varchar(30)", "SELECT mail FROM people WHERE mail = 'a@b'"),
    ("ALTER TABLE people ADD CONSTRAINT k UNIQUE (ssn)", "ALTER TABLE visits ADD FOREIGN KEY (ssn) REFERENCES people (ssn)",
     "INSERT INTO visits VALUES (9, 'nobody')"),
    ("CREATE UNIQUE INDEX people_mail ON people (mail)", "ALTER TABLE people ADD CONSTRAINT m UNIQUE USING INDEX people_mail",
     "INSERT INTO people (id, mail) VALUES (3, 'a@b')"),
    ("ALTER TABLE people DROP CONSTRAINT people_pkey", "ALTER TABLE people ADD PRIMARY KEY (ssn)",
     "ALTER TABLE people RENAME CONSTRAINT people_pkey TO pk", "INSERT INTO people (id, ssn) VALUES (3, 'one')"),
    ("ALTER TABLE people ALTER mail SET NOT NULL",),
    ("ALTER TABLE people ALTER ssn SET NOT NULL", "INSERT INTO people (id) VALUES (3)"),
    ("ALTER TABLE people DROP COLUMN born, DROP COLUMN city", "SELECT * FROM people"),
    ("ALTER TABLE visits ADD FOREIGN KEY (ssn) REFERENCES people (ssn)",),
    ("ALTER TABLE people ALTER id ADD GENERATED BY DEFAULT AS IDENTITY (START WITH 7)", "INSERT INTO people (ssn) VALUES ('x') RETURNING id",
     "ALTER TABLE people ALTER id SET GENERATED ALWAYS, ALTER id RESTART WITH 9", "INSERT INTO people (mail) VALUES ('x') RETURNING id",
     "INSERT INTO people (id) VALUES (20)"),
    ("ALTER TABLE people ALTER city ADD GENERATED ALWAYS AS IDENTITY",),
    ("CREATE SEQUENCE numbers_of_people OWNED BY people.id", "ALTER TABLE people ALTER id SET DEFAULT nextval('numbers_of_people'::regclass)",
     "ALTER SEQUENCE numbers_of_people START 5 RESTART OWNED BY public.people.id", "INSERT INTO people (ssn) VALUES ('x') RETURNING id, ssn",
     "DROP SEQUENCE numbers_of_people"),
    ("CREATE SEQUENCE numbers_of_people OWNED BY people.nothing",),
    ("ALTER TABLE people ADD EXCLUDE USING hash (city WITH =) WHERE (id > 0)", "INSERT INTO people VALUES (3, 'x', NULL, NULL, NULL, 'Ulm')"),
    ("ALTER TABLE people ALTER city SET STORAGE EXTERNAL", "ALTER TABLE people ALTER id SET STORAGE EXTERNAL"),
    ("CREATE STATISTICS of_people ON id, city FROM people", "ANALYZE people", "DROP STATISTICS of_people"),
    ("CREATE TABLE IF NOT EXISTS people (id int)", "SELECT * FROM people"),
    ("TRUNCATE visits", "SELECT * FROM visits"),
    ("LOCK TABLE people IN SHARE MODE", "SELECT ssn FROM people"),
    ("COMMENT ON COLUMN people.ssn IS 'a number'", "COMMENT ON TABLE people IS NULL", "GRANT SELECT (ssn, name) ON people TO app", "GRANT SELECT (ssn) ON people TO pgveil",
     "REVOKE ALL ON people FROM PUBLIC", "ANALYZE people", "REINDEX TABLE people", "CLUSTER people USING people_pkey",
     "SELECT name FROM people"),
]

# (statement, what the message or the hint names)
REFUSED = [
    ("CREATE TABLE later (word text DEFAULT lower('SECRET'))", "later.word"),
    ("ALTER TABLE slips ALTER note SET DEFAULT 'SECRET'", "slips.note"),
    ("ALTER TABLE people ALTER born SET DEFAULT CURRENT_DATE", "people.born"),
    ("ALTER TABLE people RENAME ssn TO number", '"context": "ssn"'),
    ("ALTER TABLE people RENAME ssn TO mail", "/tables/public.people/columns/mail"),
    ("ALTER TABLE slips RENAME id TO number", "slips.note"),
    ("ALTER TABLE people RENAME city TO full_name", "/tables/public.people/columns/full_name"),
    ("ALTER TABLE people RENAME TO folk", "public.folk.ssn"),
    ("ALTER TABLE people SET SCHEMA archive", "archive.people.ssn"),
    ("ALTER TABLE plain RENAME TO visits", "public.visits"),
    ("ALTER TABLE people RENAME CONSTRAINT pgveil_ssn TO mine", "pgveil_"),
    ("ALTER TABLE people ALTER mail TYPE varchar(31)", "/tables/public.people/columns/mail"),
    ("ALTER TABLE people ALTER born TYPE timestamp", "people.born"),
    ("ALTER TABLE people ADD CHECK (ssn <> 'SECRET')", "people.ssn"),
    ("ALTER TABLE people ADD CHECK ((people).ssn <> 'SECRET')", "people."),
    ("CREATE INDEX ON people (id) WHERE (people).ssn = 'SECRET'", "people."),
    ("ALTER TABLE people ADD UNIQUE (name)", "people.name"),
    ("ALTER TABLE people ADD COLUMN g text GENERATED ALWAYS AS (ssn || 'SECRET') STORED", "people.ssn"),
    ("ALTER TABLE people ADD EXCLUDE USING hash (ssn WITH =)", "people.ssn"),
    ("ALTER TABLE people ADD EXCLUDE USING hash (city WITH =) WHERE (ssn <> 'SECRET')", "people.ssn"),
    ("ALTER TABLE people ALTER ssn ADD GENERATED ALWAYS AS IDENTITY", "people.ssn"),
    ("CREATE SEQUENCE s OWNED BY people.ssn", "people.ssn"),
    ("ALTER TABLE slips ALTER id ADD GENERATED ALWAYS AS IDENTITY", "slips.note"),
    ("ALTER TABLE people ALTER ssn SET STORAGE PLAIN", "people.ssn"),
    ("ALTER TABLE people ADD FOREIGN KEY (mail) REFERENCES visits (ssn)", "people.mail"),
    ("CREATE INDEX ON people (lower(ssn))", "people.ssn"),
    ("CREATE INDEX ON people (id) WHERE ssn = 'SECRET'", "people.ssn"),
    ("CREATE STATISTICS s ON ssn, mail FROM people", "people.ssn"),
    ("CREATE POLICY p ON people USING (ssn = 'SECRET')", "people"),
    ("CREATE RULE r AS ON DELETE TO people DO INSTEAD NOTHING", "people"),
    ("CREATE TRIGGER t BEFORE UPDATE ON people FOR EACH ROW WHEN (OLD.ssn = 'SECRET') EXECUTE FUNCTION suppress_redundant_updates_trigger()",
     "people"),
    ("CREATE TABLE twin (LIKE people INCLUDING ALL)", "people"),
    ("CREATE TABLE later (LIKE plain)", "later"),
]


def setUpModule():
    global STACK, BOTH
    STACK = Stack.start(POLICY)
    BOTH = TwoDatabases(STACK, SCHEMA)


def tearDownModule():
    BOTH.close()
    STACK.stop()


class SameAnswers(unittest.TestCase):
    maxDiff = 4000

    def test_definitions(self):
        for script in ALLOWED:
            for how in PROTOCOLS:
                with self.subTest(script[0], how=how):
                    veiled, plain = BOTH.answers(script, how)
                    if STACK.has_newer_grammar:
                        plain = ["0A000" if answer == "42601" else answer for answer in plain]
                    self.assertEqual(veiled, plain)

    def test_a_default_is_not_stored_or_shown_as_a_value(self):
        with BOTH.veiled.transaction(force_rollback=True):
            BOTH.veiled.execute("CREATE TABLE later (id int, word text DEFAULT 'Marigold', mark text DEFAULT NULL, n int DEFAULT 7)")
            for sql in ("SELECT column_default FROM information_schema.columns WHERE table_name = 'later' ORDER BY ordinal_position",
                        "SELECT pg_get_expr(d.adbin, d.adrelid) FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid"
                        " AND d.adnum = a.attnum WHERE a.attrelid = 'later'::regclass AND a.attnum > 0 ORDER BY a.attnum"):
                self.assertEqual(BOTH.veiled.execute(sql).fetchall(), [(None,), (None,), (None,), ("7",)])
            self.assertEqual(BOTH.veiled.execute("SELECT attname FROM pg_attribute WHERE attrelid = 'later'::regclass AND"
                                                 " atthasdef").fetchall(), [("n",)])

    def test_a_table_and_its_first_rows_in_one_text(self):
        """As migration tools send them. The plain columns stand between the protected ones."""
        self.addCleanup(BOTH.veiled.execute, "DROP TABLE later")
        STACK.mark_server_log()
        BOTH.veiled.execute("CREATE TABLE later (id int PRIMARY KEY, city text, mark text, n int, word text);"
                            " CREATE INDEX ON later (word); INSERT INTO later VALUES (1, 'Bonn', 'Marigold', 7, 'Tansy');"
                            " ALTER TABLE later DROP COLUMN city, ADD COLUMN number numeric(8,2);"
                            " INSERT INTO later VALUES (2, 'Marigold', 8, 'Sorrel', 2.5);"
                            " UPDATE later SET mark = 'Yarrow' WHERE word = 'Sorrel'")
        self.assertEqual(BOTH.veiled.execute("SELECT id, mark, n, word, number FROM later ORDER BY id").fetchall(),
                         [(1, "Marigold", 7, "Tansy", None), (2, "Yarrow", 8, "Sorrel", decimal.Decimal("2.50"))])
        sent = logs.through_pgveil(STACK.server_log_since_mark())
        self.assertIn("Bonn", sent)
        for value in ("Marigold", "Tansy", "Sorrel", "Yarrow"):
            self.assertNotIn(value, sent)

    def test_rows_with_a_default_hold_the_same_stored_value(self):
        """Of a randomized column, too; positive control: values that a client sends differ."""
        self.addCleanup(BOTH.veiled.execute, "DROP TABLE later")
        BOTH.veiled.execute("CREATE TABLE later (id int, mark text DEFAULT 'Marigold')")
        BOTH.veiled.execute("INSERT INTO later VALUES (1), (2)")
        BOTH.veiled.execute("INSERT INTO later VALUES (3, 'Marigold'), (4, 'Marigold')")
        stored = "SELECT count(DISTINCT mark::bytea) FROM later WHERE id {} 2"
        self.assertEqual(STACK.superuser(stored.format("<="), "clinic"), [(1,)])
        self.assertEqual(STACK.superuser(stored.format(">"), "clinic"), [(2,)])
        self.assertEqual(BOTH.veiled.execute("SELECT mark FROM later").fetchall(), [("Marigold",)] * 4)

    def test_the_row_type_of_a_protected_table(self):
        """A table that was made past pgveil has a column of it: no value of it leaves."""
        with STACK.direct() as owner:
            owner.execute("CREATE DOMAIN rows AS people[]")
            owner.execute("CREATE TABLE history (id int, old people, more rows)")
        self.addCleanup(STACK.superuser, "DROP TABLE history; DROP DOMAIN rows", "clinic")
        STACK.mark_server_log()
        for sql in ("INSERT INTO history (old) VALUES (ROW(1, 'SECRET'))", "INSERT INTO history (more) VALUES ('{}')",
                    "SELECT * FROM history", "SELECT '(1,SECRET,,,,)'::people", "CREATE TABLE other (old people)",
                    "SELECT * FROM json_populate_record(NULL::people, '{\"ssn\": \"SECRET\"}')"):
            with self.subTest(sql), self.assertRaises(psycopg.errors.FeatureNotSupported):
                BOTH.veiled.execute(sql)
        self.assertNotIn("SECRET", logs.through_pgveil(STACK.server_log_since_mark()))

    def test_an_index_is_renamed(self):
        with BOTH.veiled.transaction(force_rollback=True):
            BOTH.veiled.execute("CREATE INDEX by_mail ON people (mail)")
            BOTH.veiled.execute("ALTER INDEX by_mail RENAME TO by_post")
            BOTH.veiled.execute("DROP INDEX by_post")

    def test_a_default_needs_shares_and_other_definitions_do_not(self):
        with STACK.connect("") as connection:
            connection.execute("BEGIN")
            connection.execute("CREATE TABLE later (id int, word text)")
            with self.assertRaises(psycopg.errors.InvalidAuthorizationSpecification):
                connection.execute("ALTER TABLE later ALTER word SET DEFAULT 'x'")
            connection.execute("ROLLBACK")

    def test_vacuum(self):
        self.assertEqual(BOTH.veiled.pgconn.exec_(b"VACUUM ANALYZE people").command_status, b"VACUUM")

    def test_check_finds_the_guard_of_a_renamed_column(self):
        BOTH.veiled.execute("ALTER TABLE people RENAME name TO full_name")
        self.addCleanup(BOTH.veiled.execute, "ALTER TABLE people RENAME full_name TO name")
        said = run([*STACK.as_owner(), STACK.dir / "bin" / "pgveil", "check", "--config", STACK.settings]).stdout
        self.assertIn("public.people.name", said)  # the entry of the old name may go
        self.assertNotIn("CHECK", said)


class RightToCreate(unittest.TestCase):
    """A role that may create tables, but no schemas, in a database where no protected table was made before."""

    def test_the_owner_gets_two_lines_to_run(self):
        STACK.superuser("CREATE ROLE landlord")
        STACK.superuser("CREATE DATABASE bare OWNER landlord")
        STACK.superuser("GRANT CREATE ON SCHEMA public TO app", "bare")
        with STACK.connect(database="bare") as connection:
            connection.execute("CREATE TABLE anything (id int)")  # positive control: only the schema is missing
            refused = []
            for prepare in (False, True):
                with self.assertRaises(psycopg.errors.InsufficientPrivilege) as caught:
                    connection.execute("CREATE TABLE visits (id int, ssn text)", prepare=prepare)
                refused.append(caught.exception.diag)
            self.assertEqual(refused[0].message_primary, refused[1].message_primary)
            self.assertEqual(refused[0].message_primary, "schema pgveil does not exist in this database and permission denied for database bare")
            introduction, lines = refused[0].message_hint.split(": ", 1)
            self.assertEqual(introduction, "Have the owner of the database run")
            self.assertEqual(lines.split("\n"), ["CREATE SCHEMA pgveil; GRANT USAGE ON SCHEMA pgveil TO PUBLIC;",
                                                 "CREATE DOMAIN pgveil.ciphertext AS pg_catalog.bytea;"])
            with STACK.direct("postgres", "bare") as owner:
                owner.execute("SET ROLE landlord")
                for line in lines.split("\n"):
                    owner.execute(line)
            connection.execute("CREATE TABLE visits (id int, ssn text)")
            connection.execute("INSERT INTO visits VALUES (1, 'one')")
            self.assertEqual(connection.execute("SELECT * FROM visits WHERE ssn = 'one'").fetchall(), [(1, "one")])
            self.assertNotIn((b"one",), STACK.superuser("SELECT ssn::bytea FROM visits", "bare"))


class WhatIsRefused(unittest.TestCase):
    def test_each_with_a_hint_and_nothing_reaches_the_server(self):
        STACK.mark_server_log()
        for sql, subject in REFUSED:
            for prepare in (False, True):
                with self.subTest(sql, prepare=prepare), self.assertRaises(psycopg.errors.FeatureNotSupported) as caught:
                    BOTH.veiled.execute(sql, prepare=prepare)
                said = caught.exception.diag
                self.assertIn(subject, f"{said.message_primary} {said.message_detail} {said.message_hint}", sql)
        BOTH.veiled.execute("SELECT 'the last line'")
        wait_until(lambda: "the last line" in STACK.server_log_since_mark(), "the server's log")
        self.assertNotIn("SECRET", logs.through_pgveil(STACK.server_log_since_mark()))


if __name__ == "__main__":
    unittest.main()
