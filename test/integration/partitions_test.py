"""Partitioned tables, children, LIKE and temporary tables: the root's columns, the same answers as on plain tables."""

import re
import unittest

import psycopg

import logs
from dump_test import dump
from stack import Stack, psql, succeeded, wait_until
from two_databases import PROTOCOLS, TwoDatabases


def visit(**contexts):
    """The columns of `visits`, for another table under the contexts given."""
    columns = {"ssn": {"type": "text", "search": "equality"}, "note": {"type": "varchar(20)"},
               "born": {"type": "date", "search": "order"}}
    return {"columns": {name: {**entry, **({"context": contexts[name]} if name in contexts else {})}
                        for name, entry in columns.items()}}


ROOTS = {name: f"public.visits.{name}" for name in ("ssn", "note", "born")}
DRAFTS = {name: f"drafts.{name}" for name in ("ssn", "note", "born")}
POLICY = {"tables": {
    "public.visits": visit(), "public.joined": visit(**ROOTS), "public.differs": visit(),
    "public.hashed": visit(), "public.listed": visit(), "public.ranged": visit(),
    "public.people": {"columns": {"ssn": {"type": "text", "search": "equality"}, "name": {"type": "varchar(12)"}}},
    "public.twin": {"columns": {"ssn": {"type": "text", "search": "equality"}, "name": {"type": "varchar(12)"}}},
    "*.draft": visit(**DRAFTS)}}

SCHEMA = """
CREATE TABLE visits (id int, day date, ssn text, note varchar(20), born date, room int DEFAULT 1) PARTITION BY RANGE (id);
CREATE TABLE visits_1 PARTITION OF visits FOR VALUES FROM (MINVALUE) TO (10);
CREATE TABLE visits_2 PARTITION OF visits (note DEFAULT 'none', PRIMARY KEY (ssn)) FOR VALUES FROM (10) TO (20) PARTITION BY LIST (ssn);
CREATE TABLE visits_2a PARTITION OF visits_2 FOR VALUES IN ('one', 'two');
CREATE TABLE visits_2b PARTITION OF visits_2 DEFAULT;
CREATE TABLE visits_3 PARTITION OF visits DEFAULT PARTITION BY HASH (room);
CREATE TABLE visits_3a PARTITION OF visits_3 FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE visits_3b PARTITION OF visits_3 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE hashed (id int, ssn text, note varchar(20)) PARTITION BY HASH (ssn, id);
CREATE TABLE hashed_0 PARTITION OF hashed FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE hashed_1 PARTITION OF hashed FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE listed (id int, ssn text, born date) PARTITION BY LIST (ssn);
CREATE TABLE listed_a PARTITION OF listed FOR VALUES IN ('a', 'A', NULL);
CREATE TABLE ranged (id int, ssn text, born date) PARTITION BY RANGE (born, id);
CREATE TABLE ranged_old PARTITION OF ranged FOR VALUES FROM (MINVALUE, MINVALUE) TO ('2000-01-01', 5);
CREATE TABLE ranged_new PARTITION OF ranged FOR VALUES FROM ('2000-01-01', 5) TO ('2010-01-01', MAXVALUE);
CREATE TABLE people (id int PRIMARY KEY, ssn text, name varchar(12));
CREATE TABLE staff (salary int, CHECK (salary > 0)) INHERITS (people);
CREATE TABLE chiefs (desk text) INHERITS (staff);
CREATE TABLE plain (id int, word text);
CREATE TABLE free (ssn text, born date, day date, id int, note varchar(20), room int);
INSERT INTO visits (id, ssn, note, born) VALUES (1, 'one', 'first', '2000-01-01'), (12, 'one', 'twelfth', NULL), (13, 'six', 'x', '1999-12-31'),
 (30, 'two', NULL, '2001-01-01'), (31, NULL, 'last', '1990-05-05');
INSERT INTO hashed VALUES (1, 'a', 'x'), (2, 'a', 'y'), (3, 'b', NULL), (4, NULL, 'z');
INSERT INTO listed VALUES (1, 'a', '2001-01-01'), (2, 'A', NULL), (3, NULL, '2002-02-02');
INSERT INTO ranged VALUES (1, 'a', '1999-01-01'), (4, 'b', '2000-01-01'), (5, 'c', '2000-01-01'), (6, 'd', '2009-12-31');
INSERT INTO people VALUES (1, 'one', 'Ann'), (2, 'two', 'Bob');
INSERT INTO staff VALUES (3, 'three', 'Cy', 100), (4, 'one', DEFAULT, 200);
INSERT INTO chiefs VALUES (5, 'five', 'Di', 300, 'window')
"""

ALLOWED = [
    ("SELECT * FROM visits", "SELECT * FROM ONLY visits", "SELECT * FROM visits_1", "SELECT * FROM visits_2a WHERE ssn = 'one'",
     ("SELECT id, note FROM visits_3 WHERE ssn = $1", ["two"]), ("SELECT id FROM visits WHERE ssn IN ($1, $2)", ["one", "six"]),
     "SELECT v.id, w.note FROM visits_1 v JOIN visits_2 w ON v.ssn = w.ssn", "SELECT max(born), min(born) FROM visits_3",
     "SELECT tableoid::regclass::text, ssn FROM visits ORDER BY born DESC NULLS LAST"),
    (("INSERT INTO visits_1 (born, id, ssn, note) VALUES ($1, 2, $2, 'two')", ["2020-02-02", "x"]), "SELECT * FROM visits_1",
     "INSERT INTO visits_2 (id, ssn) VALUES (14, 'new') RETURNING *", "INSERT INTO visits_1 (id, ssn) VALUES (50, 'x')"),
    (("UPDATE visits SET ssn = $1 WHERE ssn = $2 RETURNING tableoid::regclass::text, *", ["six", "one"]),),
    (("UPDATE visits SET ssn = $1 WHERE id = 13 RETURNING tableoid::regclass::text, *", ["two"]), "SELECT * FROM visits_2a",
     "UPDATE visits_2b SET note = 'y'", "UPDATE visits SET id = 40 WHERE id = 1", "SELECT tableoid::regclass::text, * FROM visits"),
    ("DELETE FROM visits_2 WHERE ssn = 'six' RETURNING note", "TRUNCATE visits_1", "SELECT * FROM visits", "DROP TABLE visits_2a",
     "SELECT id FROM visits"),
    ("INSERT INTO visits_2 (id, ssn, note) VALUES (15, 'one', 'again') ON CONFLICT (ssn) DO UPDATE SET note = excluded.note, id = 16",
     "SELECT * FROM visits_2"),
    ("CREATE TABLE visits_4 PARTITION OF visits (note NOT NULL DEFAULT 'four', CHECK (room < 9)) FOR VALUES FROM (100) TO (200)",),
    ("DROP TABLE visits_3", "CREATE TABLE visits_4 PARTITION OF visits (note NOT NULL DEFAULT 'four', CHECK (room < 9)) FOR VALUES FROM"
     " (100) TO (200)", "INSERT INTO visits (id, ssn) VALUES (100, 'hundred')", "SELECT * FROM visits_4 WHERE ssn = 'hundred'",
     "INSERT INTO visits (id, ssn, room) VALUES (100, 'hundred', 10)"),
    ("DROP TABLE visits_3", "CREATE TABLE joined (room int, born date, note varchar(20), ssn text, day date, id int)",
     "INSERT INTO joined VALUES (7, '1970-01-01', 'joined', 'one', NULL, 77)",
     "ALTER TABLE visits ATTACH PARTITION joined FOR VALUES FROM (70) TO (80)", "SELECT * FROM visits WHERE ssn = 'one'",
     "SELECT * FROM joined", "INSERT INTO visits (id, born) VALUES (71, '1971-01-01')", "SELECT born FROM joined ORDER BY born",
     "ALTER TABLE visits DETACH PARTITION joined", "SELECT * FROM joined WHERE born > '1970-06-01'", "SELECT count(*) FROM visits"),
    ("ALTER TABLE visits DETACH PARTITION visits_1", "SELECT count(*) FROM visits", "DROP TABLE visits_1"),
    ("ALTER TABLE visits_1 RENAME TO oldest", "SELECT * FROM oldest", "ALTER TABLE visits ALTER note SET DEFAULT 'dunno'",
     "INSERT INTO visits (id) VALUES (3)", "SELECT note FROM oldest", "ALTER TABLE visits DROP COLUMN day", "SELECT * FROM oldest",
     "ALTER TABLE visits ADD COLUMN extra int", "SELECT * FROM visits_3b", "CREATE INDEX ON oldest (ssn)", "CREATE INDEX ON visits (born)"),
    (("SELECT tableoid IS NULL, * FROM hashed WHERE ssn = $1 AND id = 1", ["a"]), "SELECT * FROM hashed WHERE ssn = 'a'",
     "SELECT ssn, count(*) FROM hashed GROUP BY ssn", "UPDATE hashed SET ssn = 'c'", "SELECT * FROM hashed"),
    (("SELECT * FROM listed WHERE ssn = $1", ["A"]), "SELECT * FROM listed_a WHERE ssn IS NULL", "INSERT INTO listed (ssn) VALUES ('b')"),
    ("CREATE TABLE listed_b PARTITION OF listed FOR VALUES IN ('b', 'bb')", "INSERT INTO listed (ssn) VALUES ('b'), ('bb') RETURNING *",
     "UPDATE listed SET ssn = 'b' WHERE ssn = 'a'", "SELECT tableoid::regclass::text, * FROM listed"),
    ("CREATE TABLE listed_b PARTITION OF listed FOR VALUES IN ('b', 'a')",),
    ("SELECT tableoid::regclass::text, * FROM ranged WHERE born >= '2000-01-01'", "INSERT INTO ranged VALUES (9, 'x', '2011-01-01')"),
    ("CREATE TABLE ranged_next PARTITION OF ranged FOR VALUES FROM ('2010-01-01', MAXVALUE) TO (MAXVALUE, MAXVALUE)",
     "INSERT INTO ranged VALUES (9, 'x', '2011-01-01')", "SELECT * FROM ranged_next", "UPDATE ranged SET born = '2050-01-01' WHERE id = 1",
     "SELECT tableoid::regclass::text, * FROM ranged"),
    ("CREATE TABLE ranged_next PARTITION OF ranged FOR VALUES FROM ('2005-01-01', 1) TO ('2020-01-01', 1)",),
    ("SELECT * FROM people", "SELECT * FROM ONLY people", "SELECT * FROM staff", "SELECT * FROM ONLY staff WHERE ssn = 'one'",
     ("SELECT * FROM chiefs WHERE ssn = $1", ["five"]), "SELECT tableoid::regclass::text, ssn FROM people*",
     ("INSERT INTO chiefs (id, ssn, desk) VALUES (6, $1, 'door') RETURNING *", ["six"]), "INSERT INTO staff (id, salary) VALUES (7, -1)"),
    (("UPDATE people SET name = 'all' WHERE ssn = $1", ["one"]), "SELECT * FROM people", "UPDATE ONLY people SET ssn = 'x'",
     "DELETE FROM staff WHERE ssn = 'five'", "TRUNCATE ONLY people", "TABLE people"),
    ("CREATE TABLE kids (toy text, name varchar(12) NOT NULL) INHERITS (people)", "INSERT INTO kids (id, ssn, toy) VALUES (8, 'eight', 'car')",
     "SELECT * FROM kids WHERE ssn = 'eight'", "SELECT * FROM people", "ALTER TABLE kids NO INHERIT people", "SELECT count(*) FROM people",
     "DROP TABLE kids"),
    ("CREATE TABLE twin (id int NOT NULL, extra text, ssn text, name varchar(12))",),
    ("CREATE TEMP TABLE kid (toy text) INHERITS (people)", "INSERT INTO kid (id, ssn) VALUES (9, 'nine')", "SELECT * FROM kid",
     "SELECT * FROM people WHERE ssn = 'nine'"),
    ("CREATE TABLE twin (LIKE people)", "INSERT INTO twin VALUES (1, 'one', DEFAULT)", "SELECT * FROM twin"),
    ("CREATE TABLE twin (LIKE people INCLUDING INDEXES INCLUDING CONSTRAINTS, extra int)", "INSERT INTO twin VALUES (1, 'one', 'x', 5)",
     "SELECT * FROM twin WHERE ssn = 'one'", "INSERT INTO twin VALUES (1)"),
    ("CREATE TEMP TABLE draft (LIKE visits) ON COMMIT DROP", "INSERT INTO draft (id, ssn, born) VALUES (1, 'd', '2000-02-02'), (2, 'e', NULL)",
     "SELECT * FROM draft WHERE ssn = 'd'", "SELECT count(*) FROM draft WHERE born < '2001-01-01'", "INSERT INTO pg_temp.draft (note) VALUES ('n')",
     "SELECT note FROM pg_temp.draft"),
    ("CREATE TEMPORARY TABLE draft (note varchar(20) DEFAULT 'x', n int)", "INSERT INTO draft DEFAULT VALUES", "SELECT * FROM draft"),
    ("CREATE TEMP TABLE people_ids AS SELECT id FROM people", "SELECT * FROM people_ids"),
]

REFUSED = [
    ("INSERT INTO visits_1 (id, note) VALUES (1, lower('SECRET'))", "visits.note"),
    ("SELECT 1 FROM visits_2 WHERE note = 'SECRET'", "visits.note"),
    ("SELECT upper(ssn) FROM staff", "people.ssn"),
    ("CREATE TABLE v PARTITION OF listed FOR VALUES IN (lower('SECRET'))", "listed.ssn"),
    ("CREATE TABLE v PARTITION OF visits (CHECK (note <> 'SECRET')) DEFAULT", "visits.note"),
    ("CREATE TABLE differs PARTITION OF visits FOR VALUES FROM (500) TO (501)", "public.differs."),
    ("ALTER TABLE visits ATTACH PARTITION free FOR VALUES FROM (500) TO (501)", "free"),
    ("CREATE TABLE hashed_x (ssn text) INHERITS (people, plain)", "hashed_x"),
    ("ALTER TABLE plain INHERIT people", "people"),
    ("CREATE TABLE copied (LIKE people)", "people.ssn"),
    ("CREATE TEMP TABLE copied (LIKE people)", "people.ssn"),
    ("CREATE TEMP TABLE copied AS SELECT * FROM people", "people.ssn"),
    ("SELECT * INTO TEMP copied FROM staff", "people.ssn"),
    ("CREATE TEMP TABLE people (ssn text)", "people"),
    ("ALTER TABLE visits_1 DROP CONSTRAINT pgveil_ssn", "pgveil_ssn"),
    ("CREATE TABLE listed (born date) PARTITION BY RANGE ((born + 1))", "listed.born"),
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

    def test_statements(self):
        for script in ALLOWED:
            for how in PROTOCOLS:
                with self.subTest(script[0], how=how):
                    veiled, plain = BOTH.answers(script, how)
                    self.assertEqual(veiled, plain)

    def test_copy_and_cursors(self):
        for sql in ("COPY visits_1 (ssn, id) TO STDOUT", "COPY staff TO STDOUT CSV HEADER"):
            with self.subTest(sql):
                self.assertEqual(copied(BOTH.veiled, sql), copied(BOTH.plain, sql))
        for connection in (BOTH.veiled, BOTH.plain):
            with connection.transaction(force_rollback=True), connection.cursor() as cursor:
                with cursor.copy("COPY visits_2 (note, id, ssn) FROM STDIN") as copy:
                    copy.write(b"copied\t17\tone more\n")
                cursor.execute("SELECT note FROM visits WHERE ssn = 'one more'")
                self.assertEqual(cursor.fetchall(), [("copied",)])

    def test_every_part_has_the_checks(self):
        """What a partition, a child or a copy stores is an envelope, whoever writes it."""
        self.addCleanup(BOTH.veiled.execute, "DROP TABLE IF EXISTS twin; DROP TABLE IF EXISTS draft")
        BOTH.veiled.execute("CREATE TABLE twin (LIKE people)")
        BOTH.veiled.execute("CREATE TEMP TABLE draft (LIKE visits INCLUDING ALL)")
        counts = dict(STACK.superuser(
            "SELECT r.relname, count(*) FROM pg_constraint c JOIN pg_class r ON r.oid = c.conrelid"
            " WHERE conname LIKE 'pgveil!_%' ESCAPE '!' GROUP BY 1", "clinic"))
        for name in ("visits", "visits_1", "visits_2", "visits_2a", "visits_2b", "visits_3b", "draft"):
            self.assertEqual(counts.get(name), 3, name)
        for name in ("people", "staff", "chiefs", "twin", "hashed_0", "listed_a", "ranged_new"):
            self.assertEqual(counts.get(name), 2, name)
        with self.assertRaises(psycopg.errors.CheckViolation), STACK.direct("app") as owner:
            owner.execute("INSERT INTO visits_1 (id, ssn) VALUES (5, 'plaintext')")

    def test_detaching_and_attaching_again(self):
        self.addCleanup(STACK.superuser, "ALTER TABLE ranged ATTACH PARTITION ranged_old FOR VALUES FROM (MINVALUE, MINVALUE)"
                        f" TO ({stored_bound()}, 5)", "clinic")
        BOTH.veiled.execute("ALTER TABLE ranged DETACH PARTITION ranged_old CONCURRENTLY")
        self.assertEqual(BOTH.veiled.execute("SELECT count(*) FROM ranged").fetchone(), (2,))
        with self.assertRaises(psycopg.errors.FeatureNotSupported) as caught:
            BOTH.veiled.execute("SELECT * FROM ranged_old")
        self.assertIn("ranged_old", str(caught.exception))


def stored_bound():
    """The envelope that begins the second part of `ranged`."""
    (bounds,), = STACK.superuser("SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE relname = 'ranged_new'", "clinic")
    return bounds.split("(")[1].split(",")[0]


class Introspection(unittest.TestCase):
    maxDiff = 4000
    TABLES = ("people", "staff", "chiefs", "visits", "visits_1", "visits_3", "visits_3a", "visits_3b")

    def sides(self):
        return [(STACK.url(), STACK.options()), (STACK.url("direct", "app", "plains"), "")]

    def test_psql_shows_plain_tables(self):
        for name in (*self.TABLES, "hashed", "hashed_0", "listed", "ranged"):
            with self.subTest(name):
                shown = [succeeded(psql(url, "-c", f"\\d+ {name}", options=options)) for url, options in self.sides()]
                if name in ("listed", "ranged"):  # the bounds are envelopes
                    shown = [[line for line in text.splitlines() if "FOR VALUES" not in line] for text in shown]
                self.assertEqual(*(re.sub(r"'\d+'::oid", "'the root'::oid", str(text)) for text in shown))

    def test_a_dump_restores_as_plain_tables(self):
        if STACK.server_major > 15:
            self.skipTest("pg_dump refuses a server that is newer than itself")
        listed = [f"--table={name}" for name in self.TABLES]
        dumps = [dump(url, *listed, options=options) for url, options in self.sides()]
        self.assertEqual(*dumps)
        STACK.superuser("CREATE DATABASE restored OWNER app")
        url = STACK.url("direct", "app", "restored")
        succeeded(psql(url, "-q", "-v", "ON_ERROR_STOP=1", stdin=dumps[0]))
        read = "SELECT * FROM people ORDER BY id; SELECT * FROM visits_1; SELECT * FROM visits_3 ORDER BY id"
        self.assertEqual(succeeded(psql(url, "-At", "-c", read)), succeeded(psql(self.sides()[1][0], "-At", "-c", read)))


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

    def test_values_that_errors_quote(self):
        """Of the root they are shown; an error that names a partition is not followed to it."""
        for sql, detail in (("INSERT INTO listed (id, ssn) VALUES (9, 'SECRET')",
                             "Partition key of the failing row contains (ssn) = (SECRET)."),
                            ("INSERT INTO visits (id, ssn) VALUES (15, 'one')", "Key (ssn)=((encrypted)) already exists.")):
            with STACK.connect() as connection, self.assertRaises(psycopg.IntegrityError) as caught:
                connection.execute(sql)
            self.assertEqual(caught.exception.diag.message_detail, detail)

    def test_a_partition_whose_parent_is_hidden(self):
        """Its encrypted columns are known by no entry then."""
        STACK.superuser("ALTER TABLE visits DETACH PARTITION visits_1", "clinic")
        self.addCleanup(STACK.superuser, "ALTER TABLE visits ATTACH PARTITION visits_1 FOR VALUES FROM (MINVALUE) TO (10)",
                        "clinic")
        with STACK.connect() as connection, self.assertRaises(psycopg.errors.FeatureNotSupported) as caught:
            connection.execute("INSERT INTO visits_1 (id, ssn) VALUES (1, 'SECRET')")
        self.assertIn("visits_1", str(caught.exception))


def copied(connection, sql):
    with connection.cursor().copy(sql) as copy:
        return b"".join(bytes(block) for block in copy)


if __name__ == "__main__":
    unittest.main()
