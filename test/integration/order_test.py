"""The order scheme against a plain table: the same rows in the same order, and the server's own indexes at work."""

import pathlib
import re
import tempfile
import unittest

import psycopg

import ordered
from ordered import COLUMNS
from stack import Stack

PROTOCOLS = ("simple", "extended", "prepared", "binary")
ORDERS = ("", "DESC", "ASC NULLS FIRST", "DESC NULLS LAST")


def setUpModule():
    global STACK, TABLES, FOLDER
    FOLDER = tempfile.TemporaryDirectory()
    pathlib.Path(FOLDER.name).chmod(0o755)
    policy = pathlib.Path(FOLDER.name) / "policy.json"
    policy.write_text(ordered.POLICY)
    STACK = Stack.start(policy)
    STACK.never_logged = ordered.SECRET
    TABLES = ordered.TwoTables(STACK)


def tearDownModule():
    TABLES.veiled.close()
    TABLES.plain.close()
    STACK.stop()
    FOLDER.cleanup()


class SameAnswers(unittest.TestCase):
    maxDiff = 2000

    def assert_same(self, query, parameters=(), protocols=PROTOCOLS):
        """Equal answers; returns the rows of the last."""
        for how in protocols:
            with self.subTest(query, parameters=parameters, how=how):
                veiled, plain = TABLES.answers(query, parameters, how)
                self.assertIsInstance(plain, tuple, "PostgreSQL itself refuses this")
                self.assertEqual(veiled, plain)
        return plain[1]

    def test_the_database_sees_no_value(self):
        """Positive control: what is compared below is not plain in the server."""
        with STACK.direct() as direct:
            kinds = direct.execute("SELECT DISTINCT substr(d::bytea, 1, 2) FROM events WHERE d IS NOT NULL").fetchall()
            sizes = direct.execute("SELECT DISTINCT octet_length(i4) FROM events WHERE i4 IS NOT NULL").fetchall()
            with self.assertRaises(psycopg.errors.CheckViolation):
                direct.execute("UPDATE events SET i4 = substr(i4, 1, 37) WHERE i4 IS NOT NULL")
        self.assertEqual([bytes(kind) for kind, in kinds], [b"\x01\x03"])
        self.assertEqual(sizes, [(6 + 32 + 16 + 4,)])

    def test_order_by(self):
        for column in COLUMNS:
            for order in ORDERS:
                rows = self.assert_same(f"SELECT id, {column} FROM events ORDER BY {column} {order}, id")
                self.assertEqual(len(rows), TABLES.ROWS)

    def test_order_by_number_alias_and_several_columns(self):
        self.assert_same("SELECT id, d FROM events ORDER BY 2 DESC, 1")
        self.assert_same("SELECT d AS day, id FROM events ORDER BY day, id")
        self.assert_same("SELECT id, i2, c FROM events ORDER BY i2, c DESC NULLS LAST, id LIMIT 50 OFFSET 7")
        self.assert_same("SELECT DISTINCT c, i2 FROM events ORDER BY i2, c")
        self.assert_same("SELECT DISTINCT ON (i2) i2, d, id FROM events ORDER BY i2, d DESC NULLS LAST, id")
        self.assert_same("SELECT d FROM events UNION SELECT d2 FROM events ORDER BY d")
        self.assert_same("SELECT room, string_agg(id::text, ',' ORDER BY n, id) FROM events GROUP BY room ORDER BY 1")

    def test_comparisons_with_hundreds_of_values(self):
        for column in COLUMNS:
            for round_ in range(24):
                value = TABLES.value(column)
                for operator in ("<", "<=", ">", ">=", "=", "<>"):
                    self.assert_same(f"SELECT id, {column} FROM events WHERE {column} {operator} %s ORDER BY id",
                                     (value,), [PROTOCOLS[round_ % 4]])

    def test_between(self):
        for column in COLUMNS:
            for round_ in range(8):
                bounds = (TABLES.value(column), TABLES.value(column))
                for between in ("BETWEEN", "NOT BETWEEN", "BETWEEN SYMMETRIC", "NOT BETWEEN SYMMETRIC"):
                    self.assert_same(f"SELECT id FROM events WHERE {column} {between} %s AND %s ORDER BY id", bounds,
                                     [PROTOCOLS[round_ % 4]])

    def test_columns_of_one_context(self):
        for operator in ("<", "<=", ">", ">=", "="):
            self.assert_same(f"SELECT id FROM events WHERE d {operator} d2 ORDER BY id")
        self.assert_same("SELECT count(*) FROM events a JOIN events b ON a.d < b.d2 AND a.id > b.id")
        self.assert_same("SELECT id FROM events WHERE d2 BETWEEN d AND '2020-06-06' ORDER BY id")

    def test_parameters_of_other_types(self):
        self.assert_same("SELECT id FROM events WHERE i8 < %b ORDER BY id", (7,), ("extended", "prepared", "binary"))
        self.assert_same("SELECT id FROM events WHERE i2 >= %s::int8 ORDER BY id", ("7",), ("extended", "simple"))
        self.assert_same("SELECT id FROM events WHERE n < 5 ORDER BY id")
        self.assert_same("SELECT id FROM events WHERE n >= 2.500 ORDER BY id")
        self.assert_same("SELECT id FROM events WHERE f8 < 2 ORDER BY id")
        self.assert_same("SELECT id FROM events WHERE i4 > 2.0 ORDER BY id")
        self.assert_same("SELECT id FROM events WHERE d < timestamp '2015-01-01' ORDER BY id")
        self.assert_same("SELECT id FROM events WHERE ts < date '2015-01-01' ORDER BY id")
        self.assert_same("SELECT id FROM events WHERE c < 'abc'::text ORDER BY id")
        for odd in ("d < timestamp '2015-01-01 10:00'", "i4 < 2.5", "n < 0.0005", "f4 < 0.1", "v < N'ab'",
                    "d < now()", "tz < timestamp '2015-01-01'", "d < '2015-01-01' COLLATE \"C\""):
            self.assertEqual(TABLES.answers(f"SELECT id FROM events WHERE {odd}")[0], "0A000", odd)
        self.assertEqual(TABLES.answers("SELECT id FROM events WHERE b < %s", ("\\x" + 13 * "00",))[0], "22001")

    def test_rows(self):
        page = (None, None)
        seen = []
        while True:
            rows = self.assert_same("SELECT d, id FROM events WHERE d IS NOT NULL AND (%s::int IS NULL OR (d, id) > (%s, %s)) "
                                    "ORDER BY d, id LIMIT 60", (page[1], page[0], page[1] or 0), ("extended", "prepared"))
            seen += [number for _, number in rows]
            if len(rows) < 60:
                break
            page = (rows[-1][0].decode(), int(rows[-1][1]))
        self.assertEqual(len(seen), len(set(seen)))
        self.assertGreater(len(seen), 200)
        self.assert_same("SELECT id FROM events WHERE (i2, c, id) <= (3, 'abc', 70) ORDER BY id")
        self.assert_same("SELECT id FROM events WHERE (i2, d) = (1, '2000-01-01') ORDER BY id")

    def test_min_and_max_of_bytea_on_every_version(self):
        """PostgreSQL itself has them from 18 on."""
        for name, order in (("min", "ASC"), ("max", "DESC")):
            found = TABLES.veiled.execute(f"SELECT {name}(b) FROM events").fetchone()[0]
            first = TABLES.plain.execute(f"SELECT b FROM events WHERE b IS NOT NULL ORDER BY b {order}").fetchone()[0]
            self.assertEqual(found, first)

    def test_min_and_max(self):
        for column in COLUMNS:
            if column == "b":
                continue
            for name in ("min", "max"):
                call = f"{name}({column})"
                self.assert_same(f"SELECT {call} FROM events")
                self.assert_same(f"SELECT {call}, count(*) FROM events WHERE id < 0")
                self.assert_same(f"SELECT room, {call} FROM events GROUP BY room ORDER BY {call} DESC, room")
                self.assert_same(f"SELECT {call} FILTER (WHERE room > 3) AS late FROM events", (), ["extended"])
                self.assert_same(f"SELECT id, {call} OVER (PARTITION BY room ORDER BY {column}, id ROWS 3 PRECEDING) "
                                 "FROM events ORDER BY id", (), ["extended", "binary"])
                self.assert_same(f"SELECT id FROM events WHERE {column} = (SELECT {call} FROM events) ORDER BY id")
        self.assert_same("SELECT room FROM events GROUP BY room HAVING max(ts) > %s AND min(t) IS NOT NULL ORDER BY 1",
                         ("2029-01-01",))
        self.assert_same("SELECT s.min FROM (SELECT min(v), room FROM events GROUP BY room) s ORDER BY s.min, s.room")
        self.assert_same("SELECT id FROM events WHERE d >= ALL (SELECT d2 FROM events WHERE d2 IS NOT NULL) ORDER BY id")

    def test_groups_and_windows(self):
        for column in COLUMNS:
            self.assert_same(f"SELECT {column}, count(*) FROM events GROUP BY {column} ORDER BY {column}")
        self.assert_same("SELECT id, rank() OVER (ORDER BY i2), dense_rank() OVER (PARTITION BY i2 ORDER BY d DESC NULLS LAST) "
                         "FROM events ORDER BY id")
        self.assert_same("SELECT id, sum(id) OVER w FROM events WINDOW w AS (ORDER BY i2 RANGE UNBOUNDED PRECEDING) ORDER BY id")
        self.assert_same("SELECT id, count(*) OVER (ORDER BY i2 GROUPS 1 PRECEDING) FROM events ORDER BY id")
        self.assertEqual(TABLES.answers("SELECT sum(id) OVER (ORDER BY d RANGE '1 day' PRECEDING) FROM events")[0], "0A000")
        self.assertEqual(TABLES.answers("SELECT sum(id) OVER (w RANGE '1 day' PRECEDING) FROM events WINDOW w AS (ORDER BY d)")[0],
                         "0A000")

    def test_changed_values_keep_their_order(self):
        with TABLES.veiled.transaction(force_rollback=True), TABLES.plain.transaction(force_rollback=True):
            for statement in ("UPDATE events SET i2 = 5, d = '1999-12-31' WHERE d < '2005-01-01'",
                              "UPDATE events SET d2 = d WHERE d2 > d", "DELETE FROM events WHERE n > 100000"):
                counts = [connection.execute(statement).rowcount for connection in (TABLES.veiled, TABLES.plain)]
                self.assertEqual(*counts)
                self.assertGreater(counts[0], 0)
            self.assert_same("SELECT id, i2, d, d2, n FROM events ORDER BY d, d2, n, id")

    def test_what_equality_allows(self):
        for connection in (TABLES.veiled, TABLES.plain):
            with connection.transaction(), connection.cursor() as cursor:
                cursor.executemany("INSERT INTO calendar VALUES (%s, %s, %s)",
                                   [(f"2005-{month}-11", month, month) for month in range(1, 13)])
                cursor.execute("UPDATE events SET d = (SELECT max(d) FROM calendar WHERE event < 4) WHERE room = 2")
        self.assert_same("SELECT id, moon FROM events JOIN calendar USING (d) ORDER BY id")
        self.assert_same("SELECT id FROM events WHERE d IN (SELECT d FROM calendar) OR d IN ('2005-03-11', NULL) ORDER BY id")
        self.assert_same("SELECT id FROM events WHERE d NOT IN (SELECT d FROM calendar) ORDER BY id")
        self.assert_same("SELECT c.d, count(e.id) FROM calendar c LEFT JOIN events e ON e.d < c.d GROUP BY c.d ORDER BY c.d DESC")
        self.assert_same("SELECT count(DISTINCT d), count(d) FROM events WHERE d IS DISTINCT FROM '2005-03-11'")
        self.assert_same("SELECT d FROM events INTERSECT SELECT d FROM calendar ORDER BY 1")
        for statement, error in (("INSERT INTO calendar VALUES ('2005-01-11', 77)", psycopg.errors.UniqueViolation),
                                 ("INSERT INTO calendar VALUES ('2006-01-11', 5)", psycopg.errors.UniqueViolation),
                                 ("INSERT INTO calendar VALUES ('2006-01-11', NULL)", psycopg.errors.NotNullViolation)):
            with self.assertRaises(error) as plain:
                TABLES.plain.execute(statement)
            with self.assertRaises(error) as veiled:
                TABLES.veiled.execute(statement)
            self.assertEqual(veiled.exception.diag.message_primary, plain.exception.diag.message_primary)
            shown = veiled.exception.diag.message_detail
            if error is psycopg.errors.UniqueViolation:
                self.assertEqual(shown, plain.exception.diag.message_detail)
            self.assertNotIn("\\x", shown)

    def test_a_value_that_is_too_long_is_refused(self):
        with self.assertRaises(psycopg.errors.StringDataRightTruncation):
            TABLES.veiled.execute("INSERT INTO events (id, t) VALUES (-1, %s)", ("x" * 41,))
        TABLES.veiled.execute("INSERT INTO events (id, t) VALUES (-1, %s)", ("x" * 40,))
        TABLES.veiled.execute("DELETE FROM events WHERE id = -1")


class Plans(unittest.TestCase):
    def plan_of(self, query):
        """The server's plan for what pgveil makes of a query."""
        STACK.mark_server_log()
        psycopg.ClientCursor(TABLES.veiled).execute(query)
        sent = re.findall(r'statement: (SELECT .*"events".*)', STACK.server_log_since_mark())
        self.assertEqual(len(sent), 1, sent)
        with STACK.direct() as direct:
            direct.execute("SET enable_seqscan = off")
            direct.execute("SET enable_bitmapscan = off")
            return "\n".join(line for line, in direct.execute("EXPLAIN " + sent[0]).fetchall())

    def test_indexes_are_used(self):
        for query, index in (("SELECT id FROM events WHERE d < '2001-01-01'", "events_d"),
                             ("SELECT id FROM events WHERE d BETWEEN '2001-01-01' AND '2002-01-01'", "events_d"),
                             ("SELECT id FROM events ORDER BY d LIMIT 5", "events_d"),
                             ("SELECT min(d) FROM events", "events_d"),
                             ("SELECT max(e.d) AS last FROM events e WHERE room > 0", "events_d"),
                             ("SELECT id FROM events ORDER BY n DESC NULLS LAST, id LIMIT 5", "events_n"),
                             ("SELECT id FROM events WHERE t >= 'Wordsworth'", "events_t"),
                             ("SELECT id FROM events WHERE (t, id) > ('Wordsworth', 7) ORDER BY t, id LIMIT 9", "events_t")):
            with self.subTest(query):
                plan = self.plan_of(query)
                self.assertRegex(plan, rf"Index (Only )?Scan (Backward )?using {index}")
                self.assertNotIn("Sort", plan)
                if "WHERE" in query:
                    self.assertIn("Index Cond", plan)


class Collation(unittest.TestCase):
    def test_text_is_ordered_under_a_collation_of_bytes_only(self):
        STACK.superuser("CREATE DATABASE latin OWNER app TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'")
        databases = [("clinic", ["B", "a"]), ("latin", None)]
        # PostgreSQL 14 has no databases that ICU orders, and the C library's locales are not on every machine.
        if int(STACK.superuser("SHOW server_version_num")[0][0]) >= 150000:
            STACK.superuser("CREATE DATABASE linguistic OWNER app TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en'")
            databases.append(("linguistic", None))
        for database, expected in databases:
            with self.subTest(database), STACK.connect(database=database, client_encoding="utf8") as connection:
                connection.execute("CREATE TABLE novels (id int, title text)")
                connection.execute("INSERT INTO novels VALUES (1, 'a'), (2, 'B')")
                self.assertEqual(connection.execute("SELECT id FROM novels WHERE title = 'a'").fetchall(), [(1,)])
                connection.execute("INSERT INTO novels VALUES (3, '渡')")  # has no place in LATIN1
                self.assertEqual(connection.execute("DELETE FROM novels WHERE title = '渡' RETURNING title").fetchone(), ("渡",))
                query = "SELECT title FROM novels WHERE title < 'zz' ORDER BY title"
                if expected is None:
                    with self.assertRaisesRegex(psycopg.errors.FeatureNotSupported, "collation"):
                        connection.execute(query)
                else:
                    self.assertEqual([title for title, in connection.execute(query).fetchall()], expected)


if __name__ == "__main__":
    unittest.main()
