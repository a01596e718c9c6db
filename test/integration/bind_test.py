"""bind_to and pad_to: a bound value opens in its own row only, and all else is as on a plain table.

The tests keep one table with bound columns (charts, key (ward, number)), one with a uuid key (letters), and one
without (slips), in a database behind pgveil and in a plain one.
"""

import json
import re
import tempfile
import unittest
import uuid

import psycopg

import clinic
from stack import Stack, psql, succeeded, wait_until

POLICY = {"tables": {
    "public.charts": {"columns": {
        "finding": {"type": "text", "bind_to": ["ward", "number"]},
        "dose": {"type": "int4", "bind_to": ["number", "ward"], "pad_to": 16},
        "label": {"type": "text", "search": "equality"},
        "aside": {"type": "varchar(40)", "pad_to": 32}}},
    "public.letters": {"columns": {"body": {"type": "text", "bind_to": ["id"]}}},
    "public.slips": {"columns": {"note": {"type": "text"}}}}}

SCHEMA = """
CREATE TABLE charts (ward smallint, number int, finding text, dose int4, label text, aside varchar(40), room text,
                     PRIMARY KEY (ward, number));
CREATE TABLE letters (id uuid PRIMARY KEY, ward smallint, number bigint, body text);
CREATE TABLE slips (id serial PRIMARY KEY, note text);
INSERT INTO charts VALUES (1, 1, 'clear', 5, 'a', 'x', 'R1'), (1, 2, NULL, 7, 'b', NULL, 'R2'),
                          (2, 1, 'shadow', NULL, 'a', '', 'R1');
INSERT INTO charts (finding, number, ward) VALUES ('', 2, '2');
INSERT INTO letters VALUES ('00000000-0000-0000-0000-000000000001', 1, 1, 'Dear'),
                           ('00000000-0000-0000-0000-000000000002', 9, 9, 'Sir');
INSERT INTO slips (note) VALUES ('one'), ('two');
"""

READS = [
    "SELECT * FROM charts ORDER BY ward, number",
    "TABLE letters",
    "SELECT finding FROM charts ORDER BY ward, number",
    "SELECT finding, ward FROM charts ORDER BY 2, number DESC",
    "SELECT number, finding, dose, ward FROM charts ORDER BY 1, 4",
    "SELECT dose, finding, dose FROM charts c WHERE c.ward = 1 ORDER BY number",
    "SELECT c.finding AS ward, room FROM public.charts AS c (w, n, finding) ORDER BY w, n",
    "SELECT public.charts.finding FROM public.charts ORDER BY number, charts.ward",
    "SELECT finding -- a comment, FROM here\n, 'x' IS DISTINCT FROM room /* FROM */ FROM charts ORDER BY number, ward",
    "SELECT extract(year FROM date '2020-01-01') AS year, finding FROM charts ORDER BY number, ward LIMIT 2 OFFSET 1",
    "SELECT finding FROM charts WHERE label = 'a' AND finding IS NOT NULL ORDER BY ward",
    "SELECT count(finding), count(*), count(dose) FROM charts",
    "SELECT room, count(finding) FROM charts GROUP BY room ORDER BY room",
    "SELECT ward, number, finding FROM charts GROUP BY ward, number ORDER BY ward, number",
    "SELECT a.finding, b.finding FROM charts a JOIN charts b ON b.number = a.number AND b.ward = 2 ORDER BY a.ward,"
    " a.number",
    "SELECT c.finding, l.body FROM charts c LEFT JOIN letters l ON l.ward = c.ward AND l.number = c.number"
    " ORDER BY c.ward, c.number",
    "SELECT c.finding, body, number FROM charts c LEFT JOIN letters l USING (ward, number) ORDER BY ward, number",
    "SELECT body, c.finding FROM charts c FULL JOIN letters l USING (ward, number) ORDER BY ward, number",
    "SELECT body, c.finding FROM charts c NATURAL RIGHT JOIN letters ORDER BY ward",
    "SELECT id FROM letters WHERE EXISTS (SELECT body FROM letters x WHERE x.id = letters.id) ORDER BY id",
    "SELECT l.body FROM (SELECT ward, number FROM charts) s JOIN letters l USING (number, ward)",
    "WITH w AS (SELECT 1 AS one) SELECT body FROM w, letters ORDER BY id",
    "SELECT body FROM letters WHERE false",
    "SELECT finding FROM charts WHERE ward = 1 AND number = 1 FOR UPDATE",
    "SELECT note FROM slips ORDER BY id",
    "SELECT DISTINCT ON (ward) ward, number, finding FROM charts ORDER BY ward, number",
]

WRITES = [
    "INSERT INTO charts (number, ward, finding, dose) VALUES (3, 1, 'new', -1), (4, 1::int2, NULL, '12'), (-5, '1', 'x', 2)"
    " RETURNING finding",
    "INSERT INTO charts VALUES (7, 7, 'all of it', 7, 'l', 'm', 'n') RETURNING *",
    "INSERT INTO charts (ward, number, label) SELECT 8, number, 'copied' FROM slips, (SELECT 1 AS number) s LIMIT 1",
    "INSERT INTO charts DEFAULT VALUES",
    "UPDATE charts SET finding = 'better', dose = 6, room = 'R9' WHERE ward = 1 AND number = 3 RETURNING finding, dose -- why",
    "UPDATE charts AS c SET finding = 'alias' WHERE (3 = c.number AND label IS NULL) AND c.ward = '1'",
    "UPDATE charts SET finding = NULL, dose = DEFAULT WHERE room = 'R1' RETURNING number, dose",
    "UPDATE charts SET dose = 9 FROM letters l WHERE l.number = 1 AND charts.number = 1 AND charts.ward = 1 RETURNING dose, body",
    "UPDATE charts SET finding = 'nobody' WHERE ward = 1 AND number = 99 RETURNING finding",
    "UPDATE charts SET room = 'R2' WHERE ward = 7 RETURNING finding, room",
    "UPDATE letters SET body = 'by uuid' WHERE id = '{00000000-0000-0000-0000-00000000000000000001}'",
    "UPDATE letters SET body = 'by uuid' WHERE id = '{00000000-0000-0000-0000-000000000001}'::uuid RETURNING body",
    "INSERT INTO letters VALUES (uuid '00000000-0000-0000-0000-00000000000a', 1, 5000000000, 'long') RETURNING body;",
    "DELETE FROM letters WHERE number = 5000000000 RETURNING body, ward",
    "DELETE FROM charts USING letters WHERE charts.ward = 7 RETURNING finding, body",
]

LETTER = uuid.UUID(int=77)

PARAMETERS = [
    ("INSERT INTO charts (ward, number, finding, dose) VALUES ($1, $2, $3, $4) RETURNING finding, dose", (5, 1, "p", 10)),
    ("INSERT INTO charts (ward, number, finding) VALUES ($1, $2, $3), ($1, $4, $5) RETURNING finding",
     (5, 2, "q", 3, None)),
    ("INSERT INTO charts (ward, number, finding) VALUES (5, 70000, $1) RETURNING *", ("mixed",)),
    ("INSERT INTO letters (id, body) VALUES ($1, $2) RETURNING body", (LETTER, "Řehoř")),
    ("SELECT body, ward FROM letters WHERE id = $1", (LETTER,)),
    ("SELECT finding FROM charts WHERE ward = $1 ORDER BY number", (5,)),
    ("UPDATE charts SET finding = $1, dose = $2 WHERE ward = $3 AND number = $4 RETURNING dose", ("r", 11, 5, 1)),
    ("UPDATE charts SET finding = $1 WHERE ward = $2 AND number = 2", (None, 5)),
    ("UPDATE charts SET finding = $1 WHERE ward = $2 AND number = $3 RETURNING finding", ("no row", 5, None)),
    ("UPDATE letters SET body = $1 WHERE id = $2 RETURNING body", ("", LETTER)),
    ("SELECT * FROM charts ORDER BY ward, number", ()),
    ("DELETE FROM letters WHERE id = $1 RETURNING body", (LETTER,)),
    ("DELETE FROM charts WHERE ward = $1 RETURNING finding", (5,)),
]

# (statement, what the message or the hint must name)
REFUSED = [
    ("INSERT INTO charts (ward, finding) VALUES (1, 'SECRET')", "number"),
    ("INSERT INTO charts VALUES (DEFAULT, 1, 'SECRET')", "ward"),
    ("INSERT INTO charts (ward, number, finding) VALUES (1, 1 + 1, 'SECRET')", "number"),
    ("INSERT INTO charts (ward, number, finding) VALUES (1, NULL, 'SECRET')", "number"),
    ("INSERT INTO charts (ward, number, finding) VALUES (1, 2.0, 'SECRET')", "number"),
    ("INSERT INTO charts (ward, number, finding) SELECT 3, 4, 'SECRET'", "INSERT with VALUES"),
    ("INSERT INTO charts (ward, number, finding) SELECT ward, number + 100, finding FROM charts", "a copy"),
    ("INSERT INTO charts (ward, number, finding) VALUES (1, 9, 'SECRET') ON CONFLICT DO NOTHING", "ON CONFLICT"),
    ("UPDATE charts SET finding = 'SECRET'", "WHERE ward"),
    ("UPDATE charts SET finding = 'SECRET' WHERE ward = 1", "WHERE number"),
    ("UPDATE charts SET finding = 'SECRET' WHERE ward = 1 AND number IN (1)", "WHERE number"),
    ("UPDATE charts SET finding = 'SECRET' WHERE ward = 1 AND number > 1", "WHERE number"),
    ("UPDATE charts SET finding = 'SECRET' WHERE ward = 1 AND number = NULL", "WHERE number"),
    ("UPDATE charts SET finding = 'SECRET' WHERE ward = 1 OR number = 1", "WHERE ward"),
    ("UPDATE charts SET finding = 'SECRET' WHERE NOT (ward = 1 AND number = 1)", "WHERE ward"),
    ("UPDATE charts SET finding = 'SECRET' FROM letters l WHERE charts.ward = 1 AND l.number = 1", "WHERE number"),
    ("UPDATE charts SET finding = 'SECRET' FROM letters l WHERE charts.ward = 1 AND charts.number = l.number",
     "WHERE number"),
    ("UPDATE charts SET finding = finding WHERE ward = 1 AND number = 1", "a copy"),
    ("UPDATE charts SET finding = o.finding FROM charts o WHERE charts.ward = 1 AND charts.number = 1", "a copy"),
    ("UPDATE charts SET number = 9 WHERE ward = 1 AND number = 1", "a change of number"),
    ("UPDATE charts SET (room, ward) = ('SECRET', 9)", "a change of ward"),
    ("UPDATE slips SET note = c.finding FROM charts c", "note"),
    ("SELECT DISTINCT finding FROM charts", "finding"),
    ("SELECT DISTINCT ON (ward) finding FROM charts", "select list without the key"),
    ("SELECT finding FROM charts GROUP BY ward, number", "select list without the key"),
    ("SELECT finding FROM charts UNION ALL SELECT finding FROM charts", "set operation"),
    ("SELECT finding FROM charts UNION SELECT finding FROM charts", "finding"),
    ("SELECT s.finding FROM (SELECT * FROM charts) s", "sub-query"),
    ("WITH w AS (SELECT * FROM charts) SELECT * FROM w", "sub-query"),
    ("SELECT (SELECT finding FROM charts LIMIT 1), ward, number FROM charts", "sub-query"),
    ("SELECT j.finding FROM (charts c JOIN letters l ON true) AS j", "sub-query"),
    ("SELECT id FROM charts WHERE finding = 'SECRET'", "finding"),
    ("SELECT COALESCE(finding, 'SECRET') FROM charts", "finding"),
    ("COPY charts TO STDOUT", "charts"),
]


def setUpModule():
    global STACK, PLAIN
    with tempfile.NamedTemporaryFile("w", suffix=".json") as policy:
        json.dump(POLICY, policy)
        policy.flush()
        STACK = Stack.start(policy.name)
    STACK.superuser("CREATE DATABASE clinic_plain OWNER app")
    PLAIN = STACK.url("direct", "app", "clinic_plain")
    for url, options in ((STACK.url(), STACK.options()), (PLAIN, "")):
        succeeded(psql(url, "-q", "-v", "ON_ERROR_STOP=1", options=options, stdin=SCHEMA))


def tearDownModule():
    STACK.stop()


def numbered(sql, style="%(p{})s"):
    """$1 becomes psycopg's way to say it."""
    return re.sub(r"\$(\d+)", lambda match: style.format(match[1]), sql.replace("%", "%%"))


def arguments(values):
    return {f"p{number}": value for number, value in enumerate(values, 1)}


def answer(cursor, sql, values=None, **how):
    """Everything a program can see of an answer."""
    try:
        cursor.execute(sql, values, **how)
    except psycopg.Error as error:
        return ("error", error.sqlstate)
    result = cursor.pgresult
    columns = [(result.fname(i), result.ftype(i), result.fmod(i), result.fsize(i), result.fformat(i),
                result.ftablecol(i)) for i in range(result.nfields)]
    rows = [[result.get_value(row, i) for i in range(result.nfields)] for row in range(result.ntuples)]
    if "ORDER BY" not in sql:
        rows.sort(key=repr)
    return (cursor.statusmessage, columns, rows)


class TheSameAsAPlainTable(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.veiled = STACK.connect()
        self.plain = psycopg.connect(PLAIN, autocommit=True)
        self.addCleanup(self.veiled.close)
        self.addCleanup(self.plain.close)

    def assert_same(self, ask):
        plain = ask(self.plain)
        self.assertEqual(ask(self.veiled), plain)
        return plain

    def both(self, body):
        """body(connection) on both, in a transaction that is rolled back."""
        def ask(connection):
            connection.execute("BEGIN")
            try:
                return body(connection)
            finally:
                connection.execute("ROLLBACK")
        return self.assert_same(ask)

    def test_psql(self):
        for statements in ([[sql] for sql in READS] + [["BEGIN", sql, "TABLE letters", "ROLLBACK"] for sql in WRITES]):
            with self.subTest(statements):
                script = "".join(statement.rstrip(";") + "\n;\n" for statement in statements)
                plain = clinic.in_psql(script, PLAIN)
                self.assertEqual(clinic.in_psql(script, STACK.url(), STACK.options()), plain)

    def test_psql_describes_the_same(self):
        for sql in READS:
            with self.subTest(sql):
                script = sql + " \\gdesc\n"
                self.assertEqual(clinic.in_psql(script, STACK.url(), STACK.options()), clinic.in_psql(script, PLAIN))

    def test_reads_as_text_and_binary(self):
        for binary in (False, True):
            for sql in READS:
                with self.subTest(f"binary={binary}: {sql}"):
                    said = self.assert_same(lambda c: answer(c.cursor(binary=binary), sql))
                    self.assertNotEqual(said[0], "error")

    def test_writes_with_returning(self):
        for binary in (False, True):
            for sql in WRITES:
                with self.subTest(f"binary={binary}: {sql}"):
                    self.both(lambda c: [answer(c.cursor(binary=binary), sql),
                                         answer(c.cursor(), "SELECT * FROM charts ORDER BY ward, number")])

    def test_parameters_bound_by_the_server(self):
        for binary in (False, True):
            for style in ("%(p{})t", "%(p{})b", "%(p{})s"):
                for prepare in (False, True):
                    def body(connection):
                        return [answer(connection.cursor(binary=binary), numbered(sql, style), arguments(values),
                                       prepare=prepare) for sql, values in PARAMETERS]
                    with self.subTest(f"binary={binary} style={style} prepare={prepare}"):
                        said = self.both(body)
                        self.assertNotIn("error", [one[0] for one in said])

    def test_parameters_put_in_by_the_client(self):
        said = self.both(lambda c: [answer(psycopg.ClientCursor(c), numbered(sql), arguments(values))
                                    for sql, values in PARAMETERS if values != ("no row", 5, None)])
        self.assertNotIn("error", [one[0] for one in said])

    def test_undeclared_and_declared_parameters(self):
        """libpq's own calls: types left open, or named, the key as text."""
        text = "UPDATE charts SET finding = $1 WHERE ward = $2 AND number = $3 RETURNING finding"
        for types in (None, [0, 0, 0], [25, 21, 23], [0, 20, 20], [1043, 23, 21]):
            def ask(connection):
                result = connection.pgconn.exec_params(text.encode(), [b"typed", b" 1", b"1"], param_types=types)
                return result.status, result.error_message, [result.get_value(i, 0) for i in range(result.ntuples)]
            with self.subTest(types):
                said = self.assert_same(ask)
                self.assertEqual(said[2], [b"typed"])

    def test_a_statement_prepared_once_and_run_for_many_rows(self):
        def body(connection):
            cursor = connection.cursor()
            cursor.executemany("INSERT INTO charts (ward, number, finding) VALUES (%s, %s, %s) RETURNING finding",
                               [(6, n, f"f{n}") for n in range(30)], returning=True)
            said = []
            for number in range(30):
                said.append(answer(cursor, "SELECT finding FROM charts WHERE ward = 6 AND number = %s", (number,),
                                   prepare=True))
            return said
        self.both(body)

    def test_pipeline_and_portals(self):
        def ask(connection):
            with connection.pipeline():
                cursors = [connection.execute("SELECT finding FROM charts WHERE number = %s ORDER BY ward", (number,))
                           for number in (1, 2, 3)]
                letters = connection.execute("SELECT body FROM letters ORDER BY id")
            return [cursor.fetchall() for cursor in [*cursors, letters]]
        self.assert_same(ask)

    def test_a_null_key_concerns_no_row_and_is_not_stored(self):
        self.assert_same(lambda c: answer(
            c.cursor(), "UPDATE charts SET finding = %s WHERE ward = %s AND number = 1", ("lost", None)))
        said = answer(self.veiled.cursor(), "INSERT INTO charts (ward, number, finding) VALUES (%s, %s, %s)",
                      (None, 1, "lost"))
        self.assertEqual(said, ("error", "22004"))


class WhatIsRefused(unittest.TestCase):
    def setUp(self):
        self.connection = STACK.connect()
        self.addCleanup(self.connection.close)

    def assert_refused(self, sql, subject, ask):
        with self.assertRaises(psycopg.Error, msg=sql) as caught:
            ask(sql)
        said = caught.exception.diag
        self.assertEqual(said.sqlstate, "0A000", f"{sql}: {said.message_primary}")
        self.assertIn(subject, f"{said.message_primary} {said.message_hint}", sql)
        self.assertTrue(said.message_hint, sql)

    def test_each_with_a_hint_and_nothing_reaches_the_server(self):
        STACK.mark_server_log()
        for sql, subject in REFUSED:
            with self.subTest(sql):
                self.assert_refused(sql, subject, self.connection.execute)
                self.assert_refused(sql, subject, lambda text: self.connection.execute(text, prepare=True))
        self.connection.execute("SELECT 'the last line'")
        wait_until(lambda: "the last line" in STACK.server_log_since_mark(), "the server's log")
        self.assertNotIn("SECRET", STACK.server_log_since_mark())

    def test_parameters_whose_row_is_not_certain(self):
        for sql, values, subject in [
                ("INSERT INTO charts (ward, number, finding) VALUES ($1, $2, 'constant')", (1, 1), "is a parameter"),
                ("INSERT INTO charts (ward, number, finding) VALUES (1, 1, $1), (1, 2, $1)", ("x",), "for two rows"),
                ("UPDATE charts SET finding = $1 WHERE ward = 1 AND number = $2::text::int", ("x", "1"),
                 "WHERE number"),
                ("UPDATE charts SET finding = $1 WHERE ward = 1 AND number = $2 AND room <> $2", ("x", "1"),
                 "in another place"),
                ("UPDATE charts SET finding = $1 WHERE ward = 1 AND number = $2", ("x", 1.5), "WHERE number")]:
            with self.subTest(sql):
                self.assert_refused(numbered(sql), subject,
                                    lambda text: self.connection.execute(text, arguments(values)))

    def test_tables_whose_key_the_database_makes(self):
        for keys in ("id int GENERATED BY DEFAULT AS IDENTITY", "id text", "other int"):
            with self.subTest(keys):
                self.connection.execute("BEGIN")
                self.connection.execute("DROP TABLE letters")
                self.assert_refused(f"CREATE TABLE letters ({keys}, body text)", "bind_to", self.connection.execute)
                self.connection.execute("ROLLBACK")
        with self.connection.transaction(force_rollback=True):
            self.connection.execute("DROP TABLE letters")
            self.connection.execute("CREATE TABLE letters (id bigserial PRIMARY KEY, body text)")
            self.connection.execute("INSERT INTO letters VALUES (5, 'serial, but given')")
            self.assertEqual(self.connection.execute("SELECT body FROM letters").fetchone()[0], "serial, but given")


class MovedByTheDatabase(unittest.TestCase):
    """What a database that wants to can do: swap the stored values of two rows."""

    SWAP = "UPDATE {0} SET {1} = o.{1} FROM {0} o WHERE {0}.{2} <> o.{2} AND {0}.{2} IN ({3}) AND o.{2} IN ({3})"

    def setUp(self):
        self.connection = STACK.connect()
        self.addCleanup(self.connection.close)

    def swap(self, table, column, key, values):
        STACK.superuser(self.SWAP.format(table, column, key, values), "clinic")
        self.addCleanup(STACK.superuser, self.SWAP.format(table, column, key, values), "clinic")

    def refused(self, sql, prepare):
        with self.assertRaises(psycopg.Error) as caught:
            self.connection.execute(sql, prepare=prepare)
        self.assertEqual(caught.exception.sqlstate, "XX001")
        return caught.exception.diag.message_primary

    def test_a_bound_value_in_another_row_does_not_open(self):
        ids = "'00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000002'"
        self.swap("letters", "body", "id", ids)
        for prepare in (False, True):
            for sql in ("SELECT body FROM letters", "SELECT * FROM letters", "SELECT id, body FROM letters",
                        "DELETE FROM letters RETURNING body"):
                with self.subTest(f"{sql} prepare={prepare}"):
                    self.connection.execute("BEGIN")
                    self.assertIn("public.letters.body", self.refused(sql, prepare))
                    self.connection.execute("ROLLBACK")

    def test_nor_when_the_key_itself_is_changed(self):
        STACK.superuser("UPDATE charts SET ward = 4 WHERE ward = 1 AND number = 1", "clinic")
        self.addCleanup(STACK.superuser, "UPDATE charts SET ward = 1 WHERE ward = 4 AND number = 1", "clinic")
        self.assertIn("public.charts", self.refused("SELECT finding FROM charts WHERE ward = 4", False))

    def test_an_unbound_value_in_another_row_is_believed(self):
        """The limit that bind_to is for: the same swap is not seen."""
        self.assertEqual([row[0] for row in self.connection.execute("SELECT note FROM slips ORDER BY id")],
                         ["one", "two"])
        self.swap("slips", "note", "id", "1, 2")
        self.assertEqual([row[0] for row in self.connection.execute("SELECT note FROM slips ORDER BY id")],
                         ["two", "one"])


class WhatIsStored(unittest.TestCase):
    def stored(self, column):
        return [bytes(row[0]) for row in STACK.superuser(
            f"SELECT {column}::bytea FROM charts WHERE {column} IS NOT NULL", "clinic")]

    def test_padded_values_show_their_multiple_only(self):
        with STACK.connect() as connection, connection.cursor() as cursor:
            cursor.executemany("INSERT INTO charts (ward, number, aside, dose) VALUES (30, %s, %s, %s)",
                               [(size, "x" * size, 10 ** (size % 9)) for size in range(41)])
            self.addCleanup(STACK.superuser, "DELETE FROM charts WHERE ward = 30", "clinic")
            rows = cursor.execute("SELECT number, aside, dose FROM charts WHERE ward = 30 ORDER BY number").fetchall()
        self.assertEqual(rows, [(size, "x" * size, 10 ** (size % 9)) for size in range(41)])
        self.assertEqual({len(value) for value in self.stored("aside")}, {6 + 24 + 4 + 32 + 16, 6 + 24 + 4 + 64 + 16})
        self.assertEqual({len(value) for value in self.stored("dose")}, {6 + 24 + 4 + 16 + 16})
        self.assertEqual({value[:2] for value in self.stored("aside")}, {b"\x01\x04"})

    def test_the_check_takes_the_scheme_of_the_column_only(self):
        with STACK.direct() as connection:
            for column, good, bad in (("aside", 4, 1), ("finding", 1, 4)):
                value = bytes([1, good]) + bytes(60)
                with connection.transaction(force_rollback=True):
                    connection.execute(f"UPDATE charts SET {column} = %s WHERE ward = 1", (value,))
                for wrong in (bytes([1, bad]) + bytes(60), bytes([1, good]) + bytes(43)):
                    with self.assertRaises(psycopg.errors.CheckViolation):
                        connection.execute(f"UPDATE charts SET {column} = %s WHERE ward = 1", (wrong,))


if __name__ == "__main__":
    unittest.main()
