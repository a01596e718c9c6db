"""Statements that change rows: ON CONFLICT, MERGE, SET of several columns, WITH around INSERT, UPDATE and DELETE,
recursion. Each gives the answer of a plain table, over the simple and the extended protocol."""

import unittest

import psycopg

import logs
from stack import Stack, wait_until
from two_databases import PROTOCOLS, TwoDatabases
from wire import Wire

POLICY = {"tables": {
    "public.people": {"columns": {
        "ssn": {"type": "text", "search": "equality", "context": "ssn"},
        "name": {"type": "varchar(12)"},
        "nick": {"type": "varchar(12)", "search": "equality"},
        "born": {"type": "date", "search": "order"},
        "score": {"type": "int4", "search": "order"}}},
    "public.visits": {"columns": {
        "ssn": {"type": "text", "search": "equality", "context": "ssn"},
        "finding": {"type": "text"}}},
    "public.archive": {"columns": {
        "ssn": {"type": "text", "search": "equality", "context": "ssn"},
        "name": {"type": "varchar(12)", "context": "public.people.name"},
        "born": {"type": "date", "search": "order", "context": "public.people.born"}}},
    "public.staff": {"columns": {
        "badge": {"type": "text", "search": "equality", "context": "badge"},
        "boss": {"type": "text", "search": "equality", "context": "badge"}}},
    "public.charts": {"columns": {
        "finding": {"type": "text", "bind_to": ["ward", "number"]},
        "label": {"type": "text", "search": "equality"}}}}}

SCHEMA = """
CREATE TABLE people (id int PRIMARY KEY, ssn text CONSTRAINT people_ssn UNIQUE NOT NULL, name varchar(12),
    nick varchar(12), born date, score int, city text DEFAULT 'Bonn', UNIQUE (nick, born));
CREATE TABLE visits (id serial PRIMARY KEY, ssn text REFERENCES people (ssn) ON UPDATE CASCADE, finding text, day int);
CREATE TABLE archive (id int, ssn text UNIQUE, name varchar(12), born date, city text);
CREATE TABLE staff (badge text PRIMARY KEY, boss text, rank int);
CREATE TABLE charts (ward int2, number int, finding text, label text, PRIMARY KEY (ward, number));
CREATE TABLE plain (id int PRIMARY KEY, title text UNIQUE, n int);
INSERT INTO people VALUES (1, 'one', 'Ann', 'a', '2000-01-01', 10, 'Bonn'), (2, 'two', 'Bob', 'b', '2001-02-03', 20, 'Ulm'),
    (3, 'three', NULL, NULL, NULL, NULL, NULL);
INSERT INTO visits (ssn, finding, day) VALUES ('one', 'well', 1), ('two', 'ill', 2), ('two', NULL, 3), (NULL, 'lost', 4);
INSERT INTO staff VALUES ('root', NULL, 0), ('left', 'root', 1), ('right', 'root', 1), ('leaf', 'left', 2);
INSERT INTO charts VALUES (1, 1, 'clear', 'x'), (1, 2, 'shadow', NULL);
INSERT INTO plain VALUES (1, 'one', 1), (2, 'zwei', 2), (9, 'nine', 9);
"""

ALL_PEOPLE = "SELECT * FROM people ORDER BY id"
ALL_CHARTS = "SELECT * FROM charts ORDER BY ward, number"

UPSERTS = [
    "INSERT INTO people (id, ssn, name) VALUES (7, 'one', 'Zoe') ON CONFLICT (ssn) DO UPDATE SET name = excluded.name RETURNING *",
    "INSERT INTO people (id, ssn) VALUES (1, 'new'), (8, 'eight') ON CONFLICT DO NOTHING RETURNING id, ssn",
    "INSERT INTO people (id, ssn) VALUES (7, 'one') ON CONFLICT ON CONSTRAINT people_ssn DO NOTHING",
    "INSERT INTO people AS p (id, ssn, name, score) VALUES (7, 'two', 'Eve', 99) ON CONFLICT (ssn) DO UPDATE SET"
    " (name, score) = (excluded.name, 5), born = '1999-09-09', city = p.city || '!' WHERE p.score = 20 AND"
    " p.nick IS DISTINCT FROM excluded.nick RETURNING name, score, born, city",
    "INSERT INTO people (id, ssn, score) VALUES (7, 'two', 3) ON CONFLICT (ssn) DO UPDATE SET score = excluded.score WHERE"
    " excluded.score > people.score RETURNING id",
    "INSERT INTO people (id, ssn, nick, born) VALUES (7, 'x', 'a', '2000-01-01') ON CONFLICT (nick, born) DO UPDATE SET"
    " ssn = excluded.ssn, name = DEFAULT, nick = NULL RETURNING *",
    "INSERT INTO people (id, ssn) VALUES (7, 'one'), (8, 'one') ON CONFLICT (ssn) DO UPDATE SET id = excluded.id",
    "INSERT INTO people (id, ssn) VALUES (7, 'one') ON CONFLICT (score) DO NOTHING",
    "INSERT INTO people (id, ssn) VALUES (7, 'one') ON CONFLICT (nick, born) DO NOTHING",
    "INSERT INTO people (id, ssn) VALUES (7, 'one') ON CONFLICT (id) DO UPDATE SET score = 1",
    "INSERT INTO people (id, ssn) VALUES (7, 'one') ON CONFLICT DO UPDATE SET score = 1",
    "INSERT INTO people (id, ssn) VALUES (7, 'one') ON CONFLICT ON CONSTRAINT nothing DO NOTHING",
    "INSERT INTO people (id, ssn) VALUES (1, 'one') ON CONFLICT (ssn) DO UPDATE SET ssn = NULL",
    "INSERT INTO people (id, ssn, name) VALUES (1, 'one', 'much too long for it') ON CONFLICT (ssn) DO NOTHING",
    "INSERT INTO people (id, ssn) SELECT id + 10, ssn FROM visits WHERE ssn IS NOT NULL ON CONFLICT (ssn) DO UPDATE SET"
    " score = (SELECT s.score FROM people s WHERE s.ssn = 'two'), nick = 'again'",
    "INSERT INTO archive (id, ssn, name, born, city) SELECT id, ssn, name, born, city FROM people ON CONFLICT (ssn) DO UPDATE"
    " SET name = excluded.name, born = excluded.born RETURNING *",
    "INSERT INTO plain (id, title, n) SELECT score_of.id, 'one', 3 FROM (SELECT id FROM people WHERE ssn = 'one') score_of ON"
    " CONFLICT (title) DO UPDATE SET n = (SELECT count(*) FROM people WHERE ssn <> 'one') RETURNING *",
    "INSERT INTO people (id, ssn) VALUES (7, 'one') ON CONFLICT (ssn) WHERE score = 1 DO UPDATE SET score = people.score",
]

UPSERTS_WITH_PARAMETERS = [
    ("INSERT INTO people (id, ssn, name) VALUES ($1, $2, $3) ON CONFLICT (ssn) DO UPDATE SET name = $3, score = $4"
     " WHERE people.nick <> $5 RETURNING id, name, score", (7, "two", "Eve", 4, "z")),
    ("INSERT INTO people (id, ssn, name) VALUES ($1, $2, $3) ON CONFLICT (ssn) DO UPDATE SET name = excluded.name", (7, "one", None)),
    ("INSERT INTO people (id, ssn, name) VALUES ($1, $2, $3) ON CONFLICT (ssn) DO UPDATE SET name = excluded.name",
     (7, "one", "much too long for it")),
    ("MERGE INTO people p USING visits v ON p.ssn = v.ssn AND p.ssn = $1 WHEN MATCHED AND p.score > $2 THEN UPDATE SET name = $3"
     " WHEN NOT MATCHED AND v.day = 3 THEN INSERT (id, ssn, born) VALUES (v.day + 90, $4, $5)", ("one", 5, "Mia", "m", "2020-02-29")),
    ("UPDATE people SET (name, score) = ($1, $2) WHERE ssn = $3 RETURNING name, score", ("Mia", 7, "one")),
]

BOUND = [
    "INSERT INTO charts (ward, number, finding) VALUES (1, 1, 'better') ON CONFLICT (ward, number) DO UPDATE SET"
    " finding = excluded.finding, label = 'l' RETURNING finding",
    "INSERT INTO charts (ward, number, finding) VALUES (1, 1, 'better'), (1, 2, 'worse'), (1, 3, 'new') ON CONFLICT"
    " (number, ward) DO UPDATE SET finding = excluded.finding RETURNING *",
    "INSERT INTO charts (ward, number, finding) VALUES (1, 1, 'better') ON CONFLICT (ward, number) DO UPDATE SET"
    " finding = 'constant', ward = excluded.ward RETURNING finding",
    "INSERT INTO charts (ward, number, finding) VALUES (1, 1, 'better') ON CONFLICT (ward, number) DO UPDATE SET finding = NULL",
    "INSERT INTO charts (ward, number, finding) VALUES (1, 1, 'better') ON CONFLICT DO NOTHING RETURNING finding",
    ("INSERT INTO charts (ward, number, finding) VALUES ($1, $2, $3) ON CONFLICT (ward, number) DO UPDATE SET finding = $3",
     (1, 1, "better")),
    ("INSERT INTO charts (ward, number, finding) VALUES ($1, $2, $3) ON CONFLICT (ward, number) DO UPDATE SET finding = $4",
     (1, 2, "better", "other")),
    "WITH k AS (SELECT 1 AS n) INSERT INTO charts (ward, number, finding) VALUES (3, 3, 'three') ON CONFLICT (ward, number)"
    " DO UPDATE SET finding = excluded.finding RETURNING finding",
    "WITH d AS (DELETE FROM charts WHERE number = 2 RETURNING number) UPDATE charts SET (finding, label) = ('set', 'together')"
    " FROM d WHERE ward = 1 AND charts.number = 1 AND d.number = 2 RETURNING finding",
    "MERGE INTO charts c USING plain p ON c.ward = 1 AND c.number = 1 AND p.id = 1 WHEN MATCHED THEN UPDATE SET finding = 'm'"
    " WHEN NOT MATCHED AND p.id = 2 THEN INSERT (ward, number, finding) VALUES (5, 5, 'inserted')",
]

OTHERS = [
    "UPDATE people SET (name, nick, city) = ('Mia', DEFAULT, 'Köln'), (born, score) = ROW('2010-10-10', 1) WHERE ssn = 'one'",
    "UPDATE people SET (name, city) = ('much too long for it', 'x')",
    "UPDATE archive SET (name, born, city) = (SELECT p.name, p.born, p.city FROM people p WHERE p.ssn = archive.ssn) RETURNING *",
    "UPDATE people SET (name, born) = (SELECT o.name, o.born FROM people o WHERE o.ssn = 'two') WHERE ssn = 'one' RETURNING *",
    "UPDATE people SET (name, born) = (SELECT o.name, o.born FROM people o)",
    "UPDATE people SET (name, born) = (SELECT o.name FROM people o WHERE id = 1)",
    "UPDATE people p SET name = o.name, score = 3 FROM people o, visits v WHERE v.ssn = p.ssn AND o.ssn = 'one' AND"
    " v.finding IS NULL RETURNING p.*, o.name",
    "DELETE FROM visits v USING people p WHERE p.ssn = v.ssn AND p.nick = 'b' RETURNING v.finding, p.name",
    "UPDATE people SET name = DEFAULT, city = DEFAULT, ssn = DEFAULT WHERE id = 3",
    "WITH moved AS (DELETE FROM people WHERE ssn = 'three' RETURNING *) INSERT INTO archive (id, ssn, name, born, city) SELECT id,"
    " ssn, name, born, city FROM moved RETURNING *",
    "WITH i AS (INSERT INTO people (id, ssn, name) VALUES (7, 'seven', 'Eve') RETURNING id, ssn, name), u AS (UPDATE visits SET"
    " finding = 'seen' WHERE ssn = 'two' RETURNING ssn, finding) SELECT i.ssn, i.name, u.finding FROM i, u WHERE u.ssn <> 'x'",
    "WITH d AS (DELETE FROM visits) SELECT ssn FROM people",
    "WITH d AS (DELETE FROM visits) SELECT ssn FROM d",
    "WITH k AS (SELECT ssn, name FROM people WHERE score > 10) UPDATE visits SET finding = 'k' FROM k WHERE k.ssn = visits.ssn"
    " RETURNING k.name, finding",
    "WITH k (s) AS (SELECT ssn FROM people WHERE score > 10) DELETE FROM visits WHERE ssn IN (SELECT s FROM k) RETURNING ssn",
    "WITH u AS (INSERT INTO people (id, ssn) VALUES (7, 'one') ON CONFLICT (ssn) DO UPDATE SET name = 'Eve' RETURNING id, name)"
    " INSERT INTO plain (id, n) SELECT id + 100, 1 FROM u WHERE name IS NOT NULL RETURNING *",
    "WITH RECURSIVE under AS (SELECT badge, boss, 0 AS depth FROM staff WHERE badge = 'root' UNION ALL SELECT s.badge, s.boss,"
    " depth + 1 FROM staff s JOIN under u ON s.boss = u.badge) SELECT * FROM under ORDER BY depth",
    "WITH RECURSIVE c (b) AS (SELECT boss FROM staff WHERE badge = 'leaf' UNION SELECT s.boss FROM staff s, c WHERE s.badge = c.b)"
    " SELECT b, count(*) FROM c GROUP BY b",
    "WITH RECURSIVE c AS (SELECT name, 1 AS n FROM people UNION ALL SELECT name, n + 1 FROM c WHERE n < 3) SELECT * FROM c",
    "WITH RECURSIVE c AS (SELECT badge FROM staff WHERE rank = 0 UNION ALL SELECT s.badge FROM staff s JOIN c ON s.boss = c.badge)"
    " DELETE FROM staff USING c WHERE staff.badge = c.badge AND c.badge <> 'root' RETURNING staff.*",
    "INSERT INTO people (id, ssn, name, city) SELECT id + 20, 'fix', 'Fix', title FROM plain WHERE id = 9 ORDER BY id LIMIT 1"
    " RETURNING *",
    "INSERT INTO archive (ssn, city) SELECT ssn, city FROM people WHERE score IS NULL UNION ALL SELECT ssn, 'u'"
    " FROM visits WHERE finding IS NULL",
    "INSERT INTO archive (ssn) SELECT ssn FROM people INTERSECT SELECT ssn FROM visits RETURNING *",
    "SELECT p.name, l.finding FROM people p, LATERAL (SELECT finding FROM visits v WHERE v.ssn = p.ssn AND v.day > p.id LIMIT 1) l",
    "SELECT p.name, l.finding FROM people p LEFT JOIN LATERAL (SELECT * FROM visits v WHERE v.ssn = p.ssn) l ON l.ssn <> 'two'",
    "MERGE INTO archive a USING people p ON a.ssn = p.ssn WHEN MATCHED THEN DELETE WHEN NOT MATCHED AND p.score > 10 THEN INSERT"
    " (id, ssn, name, born, city) VALUES (p.id, p.ssn, p.name, p.born, 'merged') WHEN NOT MATCHED AND p.ssn = 'three' THEN"
    " INSERT (ssn, name, born) VALUES ('literal', 'Eve', DEFAULT)",
    "MERGE INTO people USING (SELECT ssn, max(day) AS day FROM visits WHERE finding IS NULL GROUP BY ssn) v ON people.ssn = v.ssn"
    " WHEN MATCHED AND v.day > 9 THEN DO NOTHING WHEN MATCHED THEN UPDATE SET name = 'Merged', (score, city) = (1, 'm')",
    "MERGE INTO people p USING visits v ON p.ssn = v.ssn WHEN MATCHED THEN UPDATE SET name = 'twice'",
    "MERGE INTO people p USING plain ON p.id = plain.id WHEN NOT MATCHED THEN INSERT (id, ssn) VALUES (plain.id, 'one')",
    "MERGE INTO people p USING plain ON p.id = plain.id WHEN NOT MATCHED THEN INSERT (id, ssn) VALUES (plain.id, NULL)",
    "MERGE INTO plain USING people p ON p.id = plain.id AND p.ssn = 'one' WHEN MATCHED THEN DELETE WHEN NOT MATCHED AND"
    " p.ssn = 'three' THEN INSERT VALUES (p.id, 'from people', 0)",
    "WITH s AS (SELECT ssn FROM visits WHERE ssn = 'two' LIMIT 1) MERGE INTO people p USING s ON p.ssn = s.ssn WHEN MATCHED THEN"
    " UPDATE SET nick = 'seen'",
    "UPDATE visits SET ssn = 'nobody' WHERE day = 1",
    "UPDATE people SET ssn = 'eins' WHERE ssn = 'one'",
    "DELETE FROM people WHERE ssn = 'one'",
]

# (statement, what the message or the hint names)
REFUSED = [
    ("INSERT INTO people (id, ssn) VALUES (7, 'SECRET') ON CONFLICT (name) DO NOTHING", "people.name"),
    ("INSERT INTO people (id, ssn) VALUES (7, 'SECRET') ON CONFLICT (upper(ssn)) DO NOTHING", "people.ssn"),
    ("INSERT INTO people (id, ssn) VALUES (7, 'SECRET') ON CONFLICT (ssn) DO UPDATE SET city = excluded.ssn", "people.ssn"),
    ("INSERT INTO people (id, ssn) VALUES (7, 'SECRET') ON CONFLICT (ssn) DO UPDATE SET name = excluded.nick", "people.name"),
    ("INSERT INTO people (id, ssn) VALUES (7, 'x') ON CONFLICT (ssn) DO UPDATE SET score = 1 WHERE people.name = 'SECRET'", "name"),
    ("INSERT INTO people (id, ssn) VALUES (7, 'x') ON CONFLICT (ssn) DO UPDATE SET nick = people.nick || 'SECRET'", "nick"),
    ("INSERT INTO charts (ward, number, finding) VALUES (1, 1, 'SECRET') ON CONFLICT (label) DO UPDATE SET"
     " finding = excluded.finding", "finding"),
    ("INSERT INTO charts (ward, number, finding) VALUES (1, 1, 'SECRET') ON CONFLICT ON CONSTRAINT charts_pkey DO UPDATE SET"
     " finding = 'SECRET'", "finding"),
    ("INSERT INTO charts (ward, number) VALUES (1, 1), (1, 2) ON CONFLICT (ward, number) DO UPDATE SET finding = 'SECRET'", "finding"),
    ("INSERT INTO charts (ward, number) VALUES (1, 1) ON CONFLICT (ward, number) DO UPDATE SET number = 8", "number"),
    ("INSERT INTO charts (ward, number, finding) VALUES (1, 1, 'x') ON CONFLICT (ward, number) DO UPDATE SET"
     " finding = charts.finding", "a copy"),
    ("WITH i AS (INSERT INTO charts (ward, number, finding) VALUES (1, 7, 'SECRET') RETURNING finding) SELECT * FROM i", "finding"),
    ("UPDATE charts SET (finding, label) = ('SECRET', 'x')", "finding"),
    ("UPDATE people SET (name, score) = (SELECT upper('SECRET'), 1)", "people.name"),
    ("UPDATE people SET (city, score) = (SELECT name, 1 FROM people)", "people.name"),
    ("WITH d AS (DELETE FROM people RETURNING name) UPDATE plain SET title = d.name FROM d", "people.name"),
    ("WITH RECURSIVE a AS (SELECT * FROM b WHERE ssn = 'SECRET'), b AS (SELECT ssn FROM people) SELECT * FROM a", "b"),
    ("WITH RECURSIVE c AS (SELECT ssn FROM people UNION ALL SELECT 'SECRET' FROM c) SELECT * FROM c", "people.ssn"),
    ("WITH RECURSIVE c AS (SELECT badge FROM staff UNION ALL SELECT badge FROM c) SEARCH DEPTH FIRST BY badge SET o"
     " SELECT * FROM c", "SEARCH"),
    ("MERGE INTO people p USING plain ON p.name = 'SECRET' WHEN MATCHED THEN DELETE", "people.name"),
    ("MERGE INTO people p USING plain ON p.ssn = plain.title WHEN MATCHED THEN DELETE", "people.ssn"),
    ("MERGE INTO people p USING plain ON p.id = plain.id WHEN NOT MATCHED THEN INSERT (id, ssn) VALUES (1, upper('SECRET'))",
     "people.ssn"),
    ("MERGE INTO people p USING plain ON p.id = plain.id WHEN NOT MATCHED THEN INSERT (id, ssn) VALUES (1, plain.title)",
     "people.ssn"),
    ("MERGE INTO charts c USING plain p ON c.ward = p.id WHEN MATCHED THEN UPDATE SET finding = 'SECRET'", "finding"),
    ("MERGE INTO charts c USING plain p ON c.ward = p.id WHEN NOT MATCHED THEN INSERT (ward, number, finding) VALUES"
     " (p.id, 1, 'SECRET')", "finding"),
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

    def assert_same(self, *script):
        for how in PROTOCOLS:
            with self.subTest(script[0], how=how):
                veiled, plain = BOTH.answers(script, how)
                self.assertEqual(veiled, plain)
        return plain

    def test_upserts(self):
        said = [self.assert_same(statement, ALL_PEOPLE, "SELECT * FROM archive", "SELECT * FROM plain")[0]
                for statement in UPSERTS]
        self.assertEqual([one for one in said if isinstance(one, str)],
                         ["21000", "42P10", "23505", "23505", "42601", "42704", "23502", "22001", "21000"])

    def test_parameters(self):
        for statement in UPSERTS_WITH_PARAMETERS:
            self.assert_same(statement, ALL_PEOPLE)

    def test_bound_columns(self):
        for statement in BOUND:
            said = self.assert_same(statement, ALL_CHARTS)
            is_new = "MERGE" in statement and STACK.server_major < 15
            self.assertEqual(isinstance(said[0], str), is_new, said)

    def test_other_changes(self):
        for statement in OTHERS:
            self.assert_same(statement, ALL_PEOPLE, "SELECT ssn, finding, day FROM visits", "SELECT * FROM archive",
                             "SELECT * FROM staff", "SELECT * FROM plain")


class Clients(unittest.TestCase):
    UPSERT = ("INSERT INTO people (id, ssn, name) VALUES (%s, %s, %s) ON CONFLICT (ssn) DO UPDATE SET name = EXCLUDED.name"
              " RETURNING id, name")

    def test_psycopg_upserts_in_a_batch_and_prepared(self):
        said = []
        for connection in (BOTH.veiled, BOTH.plain):
            with connection.transaction(force_rollback=True), connection.cursor() as cursor:
                cursor.executemany(self.UPSERT, [(70 + n, f"s{n % 4}", f"n{n}") for n in range(12)], returning=True)
                rows = [cursor.fetchone()]
                while cursor.nextset():
                    rows.append(cursor.fetchone())
                for prepare in (False, True):
                    rows.append(connection.execute(self.UPSERT, (1, "one", "Ann"), prepare=prepare).fetchall())
                said.append(rows)
        self.assertEqual(*said)

    def test_messages_one_by_one(self):
        with Wire(STACK, STACK.options()) as wire:
            wire.query("BEGIN").replies()
            wire.parse("s", "INSERT INTO people (id, ssn) VALUES (7, 'one'), (8, 'eight'), (9, 'two') ON CONFLICT (ssn)"
                            " DO UPDATE SET name = 'W' RETURNING ssn, name")
            wire.bind("p", "s").execute("p").sync()
            replies = wire.replies()
            self.assertEqual("".join(letter for letter, _ in replies), "12DDDCZ")
            self.assertIn(b"eight", replies[3][1])
            self.assertEqual(wire.query("INSERT INTO people (id, ssn) VALUES (1, 'nine')").letters(), "E23505Z")
            wire.query("ROLLBACK").replies()

    def test_a_change_behind_protected_rows_in_one_text(self):
        """A value of the first statement is still to be opened when the second has changed rows."""
        with self.assertRaises(psycopg.errors.FeatureNotSupported):
            psycopg.ClientCursor(BOTH.veiled).execute(
                "SELECT ssn FROM people; WITH d AS (DELETE FROM visits RETURNING 1) SELECT 1")


class WhatIsRefused(unittest.TestCase):
    def test_each_with_a_hint_and_nothing_reaches_the_server(self):
        STACK.mark_server_log()
        for sql, subject in REFUSED:
            for prepare in (False, True):
                expected = STACK.refusal_of(sql)
                with self.subTest(sql, prepare=prepare):
                    with self.assertRaises(expected) as caught:
                        BOTH.veiled.execute(sql, prepare=prepare)
                    said = caught.exception.diag
                    wanted = subject if expected is psycopg.errors.FeatureNotSupported else "MERGE"
                    self.assertIn(wanted, f"{said.message_primary} {said.message_hint}", sql)
        BOTH.veiled.execute("SELECT 'the last line'")
        wait_until(lambda: "the last line" in STACK.server_log_since_mark(), "the server's log")
        self.assertNotIn("SECRET", logs.through_pgveil(STACK.server_log_since_mark()))


if __name__ == "__main__":
    unittest.main()
