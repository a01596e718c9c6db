"""Times, intervals, addresses, JSON and arrays: the same answers on a protected table as on a plain one, in text and in
binary, as literals and as parameters, under every style."""

import unittest

from psycopg import pq

import typed
from stack import Stack
from typed import STYLES, VALUES, WRONG, extended, literal, parameter_types, simple


def setUpModule():
    global STACK, TABLES
    STACK = Stack.start(typed.POLICY)
    STACK.never_logged = ["quo\\", "10.1.2.3", "178956970", "spaced out"]
    TABLES = typed.TwoTables(STACK)


def tearDownModule():
    TABLES.close()
    STACK.stop()


class EveryType(unittest.TestCase):
    maxDiff = 2000

    def setUp(self):
        self.same(lambda c: simple(c, "DELETE FROM things"))
        TABLES.set_styles(*STYLES[0])

    def same(self, ask):
        """The answer of both."""
        veiled, plain = [ask(connection) for connection in TABLES.both()]
        self.assertEqual(veiled, plain)
        return plain

    def insert_all(self):
        number = 0
        for column, values in VALUES.items():
            for text in values:
                number += 1
                done = self.same(lambda c: simple(
                    c, f"INSERT INTO things (id, {column}) VALUES ({number}, {literal(text)})"))
                self.assertNotEqual(done[0], "error", f"{column}: {text}")
        return number

    def test_the_database_sees_no_value(self):
        """Positive control: what is compared below is not plain in the server."""
        self.insert_all()
        with STACK.direct() as direct:
            for column in VALUES:
                kinds = direct.execute(f"SELECT DISTINCT pg_typeof({column})::text, substr({column}::bytea, 1, 1) "
                                       f"FROM things WHERE {column} IS NOT NULL").fetchall()
                self.assertEqual(kinds, [("pgveil.ciphertext", b"\x01")], column)

    def test_literals_under_every_style(self):
        for styles in STYLES:
            self.same(lambda c: simple(c, "DELETE FROM things"))
            TABLES.set_styles(*styles)
            number = 0
            for column, values in VALUES.items():
                for text in values:
                    number += 1
                    with self.subTest(column, text=text, styles=styles):
                        self.same(lambda c: simple(
                            c, f"INSERT INTO things (id, {column}) VALUES ({number}, {literal(text)})"))
            # Each style is written once and shown once; the first is shown in all of them.
            for shown in STYLES if styles is STYLES[0] else [styles]:
                TABLES.set_styles(*shown)
                for column in VALUES:
                    with self.subTest(column, written=styles, shown=shown):
                        said = self.same(lambda c: simple(c, f"SELECT id, {column} FROM things ORDER BY id"))
                        self.assertGreaterEqual(len(said[2]), len(VALUES[column]))

    def test_binary_results_and_binary_parameters(self):
        count = self.insert_all()
        for column in VALUES:
            with self.subTest(column):
                ask = f"SELECT {column}, id FROM things WHERE {column} IS NOT NULL ORDER BY id"
                rows = self.same(lambda c: extended(c, ask, result_format=1))[2]
                self.assertEqual(len(rows), len(VALUES[column]))
                for value, _ in rows:
                    count += 1
                    self.same(lambda c: extended(
                        c, f"INSERT INTO things (id, {column}) VALUES ({count}, $1)", [value], None, [1]))
                self.same(lambda c: extended(c, ask))

    def test_text_parameters(self):
        for styles in STYLES[::2]:
            TABLES.set_styles(*styles)
            for column, values in VALUES.items():
                for text in values:
                    with self.subTest(column, text=text, styles=styles):
                        self.same(lambda c: simple(c, "DELETE FROM things"))
                        self.same(lambda c: extended(
                            c, f"INSERT INTO things (id, {column}) VALUES (1, $1)", [text.encode()]))
                        self.same(lambda c: extended(c, f"SELECT {column} FROM things"))

    def test_negative_scales(self):
        if STACK.server_major < 15:
            self.skipTest("negative scales are new in PostgreSQL 15")
        self.same(lambda c: simple(c, "CREATE TABLE coarse (id int, titre decimal(6, -2))"))
        for value in ("1234", "1250.5", "-9950", "0", "'NaN'", "99999949", "99999950", "'x'"):
            self.same(lambda c: simple(c, f"INSERT INTO coarse VALUES (1, {value})"))
            self.same(lambda c: extended(c, "INSERT INTO coarse VALUES (2, $1)", [value.strip("'").encode()]))
        self.assertEqual(len(self.same(lambda c: simple(c, "SELECT * FROM coarse ORDER BY id"))[2]), 12)

    def test_null(self):
        columns = ", ".join(VALUES)
        self.same(lambda c: simple(c, f"INSERT INTO things (id, {columns}) VALUES (1{', NULL' * len(VALUES)})"))
        self.same(lambda c: extended(c, "UPDATE things SET iv = $1, texts = $2", [None, None]))
        for how in (0, 1):
            self.same(lambda c: extended(c, "SELECT * FROM things", result_format=how))

    def test_errors(self):
        for column, values in WRONG.items():
            for text in values:
                with self.subTest(column, text=text):
                    said = self.same(lambda c: simple(
                        c, f"INSERT INTO things (id, {column}) VALUES (1, {literal(text)})"))
                    self.assertEqual(said[0], "error")
                    self.same(lambda c: extended(
                        c, f"INSERT INTO things (id, {column}) VALUES (1, $1)", [text.encode()]))

    def test_wrong_binary_parameters(self):
        wrong = {"t": [b"\xff" * 8, b"\x00" * 7], "tz": [b"\x00" * 8 + b"\x00\x01\x00\x00"], "iv": [b"\x00" * 15],
                 "ip": [b"\x04\x20\x00\x04\x0a\x00\x00\x01", b"\x02\x21\x00\x04\x0a\x00\x00\x01", b"\x02\x20\x00\x05",
                        b"\x02\x20\x00\x04\x0a\x00\x00"],
                 "net": [b"\x02\x08\x01\x04\x0a\x00\x00\x01"], "js": [b"{"], "jb": [b"\x02{}", b"\x01{", b""],
                 "ints": [b"\x00" * 11, b"\x00\x00\x00\x07" + b"\x00" * 7 + b"\x17", b"\x00" * 4 + b"\x00\x00\x00\x02"
                          + b"\x00\x00\x00\x17", b"\x00" * 8 + b"\x00\x00\x00\x19"]}
        for column, values in wrong.items():
            for value in values:
                with self.subTest(column, value=value):
                    veiled, plain = [extended(c, f"INSERT INTO things (id, {column}) VALUES (1, $1)", [value], None, [1])
                                     for c in TABLES.both()]
                    self.assertEqual((veiled[0], veiled[1]), (plain[0], plain[1]))
                    self.assertEqual(veiled[0], "error")

    def test_typed_constants_and_casts(self):
        for column, constant in [
                ("t", "time '04:05'"), ("t", "'12:34:56.789'::time(1)"), ("t", "timestamp '2024-01-31 10:20:30.5'"),
                ("t", "interval '26:00'"), ("t", "'10:00+05'::timetz"), ("t", "timestamptz '2024-07-01 10:00+00'"),
                ("tz", "timestamptz '2024-07-01 10:00+00'"), ("tz", "time with time zone '10:00-08'"),
                ("iv", "'1.23456 sec'::interval(2)"), ("iv", "'1 day 02:03:04'::interval hour to minute"),
                ("iv", "interval(1) '1.26 s'"), ("iv", "time '10:00'"), ("ip", "cidr '10.0.0.0/8'"),
                ("net", "inet '10.1.2.3/8'"), ("js", "jsonb '{\"b\":1,\"a\":2}'"), ("jb", "json '{\"b\":1,\"a\":2}'"),
                ("jb", "'{\"x\": 1}'::jsonb"), ("ints", "'{1,2}'::int[]"), ("ints", "'{1,2}'::bigint[]"),
                ("short", "'{abcdefgh,x}'::varchar(3)[]"), ("short", "'{abc,x}'::text[]"), ("texts", "'{1,2}'::int[]"),
                ("sums", "'{1.255}'::numeric[]"), ("days", "'{2024-02-29 10:00}'::timestamp[]")]:
            with self.subTest(column, constant=constant):
                self.same(lambda c: simple(c, "DELETE FROM things"))
                done = self.same(lambda c: simple(c, f"INSERT INTO things (id, {column}) VALUES (1, {constant})"))
                self.assertNotEqual(done[0], "error")
                self.same(lambda c: simple(c, f"SELECT {column} FROM things"))

    def test_searches(self):
        self.insert_all()
        for column, values in [("t", VALUES["t"]), ("tz", VALUES["tz"]), ("ip", VALUES["ip"]),
                               ("net", VALUES["net"] + ["10.1.2.3/32"])]:
            operators = ["=", "<>", "<", "<=", ">", ">="] if column[0] == "t" else ["=", "<>"]
            for text in values:
                for operator in operators:
                    with self.subTest(column, operator=operator, text=text):
                        ask = f"SELECT id FROM things WHERE {column} {operator}"
                        self.same(lambda c: simple(c, f"{ask} {literal(text)} ORDER BY id"))
                        self.same(lambda c: extended(c, f"{ask} $1 ORDER BY id", [text.encode()]))
                        self.same(lambda c: parameter_types(c, f"{ask} $1"))
            listed = ", ".join(("cidr " if column == "net" else "") + literal(text) for text in values[:3])
            self.same(lambda c: simple(c, f"SELECT id FROM things WHERE {column} IN ({listed}) ORDER BY id"))
            self.same(lambda c: simple(c, f"SELECT count(DISTINCT {column}) FROM things"))
            self.same(lambda c: simple(c, f"SELECT a.id, b.id FROM things a JOIN things b ON a.{column} = b.{column} "
                                          "ORDER BY 1, 2"))
        for column in ("t", "tz"):
            self.same(lambda c: simple(c, f"SELECT id, {column} FROM things ORDER BY {column}, id"))
            self.same(lambda c: simple(c, f"SELECT min({column}), max({column}) FROM things"))
        self.same(lambda c: simple(c, "SELECT id FROM things WHERE net = inet '10.0.0.0/8' OR ip = cidr '10.0.0.0/8' "
                                      "ORDER BY id"))

    def test_parameter_types(self):
        for column in VALUES:
            with self.subTest(column):
                self.same(lambda c: parameter_types(c, f"INSERT INTO things (id, {column}) VALUES (1, $1)"))
                self.same(lambda c: parameter_types(c, f"UPDATE things SET {column} = $1 WHERE id = $2"))

    def test_the_catalog_shows_the_plain_types(self):
        for ask in (
                "SELECT column_name, ordinal_position, data_type, datetime_precision, interval_type, interval_precision, "
                "udt_schema, udt_name, character_maximum_length, numeric_precision, is_nullable, domain_name "
                "FROM information_schema.columns WHERE table_name = 'things' ORDER BY 2",
                "SELECT attname, atttypid, attlen, atttypmod, attndims, attbyval, attalign, attstorage, attcollation, "
                "format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'things'::regclass AND attnum > 0 "
                "ORDER BY attnum"):
            self.same(lambda c: simple(c, ask))

    def test_what_is_refused(self):
        for sql in ("INSERT INTO things (id, ints) VALUES (1, ARRAY[1, 2])",
                    "INSERT INTO things (id, iv) VALUES (1, interval '1' day)",
                    "INSERT INTO things (id, t) VALUES (1, 'now')", "INSERT INTO things (id, iv) VALUES (1, '0.3 year')",
                    "SELECT id FROM things WHERE iv = '1 day'", "SELECT id FROM things WHERE jb = '{}'",
                    "SELECT id FROM things WHERE jb @> '{}'", "SELECT jb -> 'a' FROM things",
                    "SELECT id FROM things WHERE ip << '10.0.0.0/8'", "SELECT id FROM things WHERE ip < '10.0.0.1'",
                    "SELECT id FROM things WHERE net IN ('10', '10.0.0.0/8')", "SELECT ints[1] FROM things", "SELECT id FROM things WHERE 1 = ANY (ints)",
                    "SELECT id FROM things WHERE ints = '{1}'", "SELECT id FROM things ORDER BY iv",
                    "SELECT id FROM things WHERE t = interval '1 hour'", "UPDATE things SET ints[1] = 5"):
            with self.subTest(sql):
                self.assertEqual(simple(TABLES.veiled, sql)[:2], ("error", "0A000"))

    def test_settings_under_which_constants_mean_something_else(self):
        """Statements with values are refused, the session and the proxy go on."""
        STACK.superuser("ALTER ROLE app SET array_nulls = off")
        with STACK.connect() as fresh:
            self.assertEqual(simple(fresh, "UPDATE things SET texts = '{NULL}'")[1], "0A000")
        STACK.superuser("ALTER ROLE app RESET array_nulls")
        for setting, value in (("timezone_abbreviations", "Australia"), ("array_nulls", "off"), ("client_encoding", "LATIN1")):
            TABLES.veiled.execute(f"SET {setting} = '{value}'")
            for ask in (lambda: simple(TABLES.veiled, "INSERT INTO things (id, texts) VALUES (1, '{a,NULL}')"),
                        lambda: extended(TABLES.veiled, "UPDATE things SET texts = $1", [b"{NULL}"]),
                        lambda: simple(TABLES.veiled, "SELECT texts FROM things WHERE t = '10:00'")):
                said = ask()
                self.assertEqual(said[:2], ("error", "0A000"), setting)
                self.assertIn(setting, said[2])
            self.assertEqual(simple(TABLES.veiled, "SELECT count(id) FROM things")[0], b"SELECT 1")
            TABLES.veiled.execute(f"RESET {setting}")
        TABLES.veiled.execute("SET timezone_abbreviations = 'India'")
        self.same(lambda c: simple(c, "INSERT INTO things (id, texts) VALUES (1, '{a,NULL}')"))
        TABLES.veiled.execute("RESET timezone_abbreviations")

    def test_a_value_that_a_parameter_cannot_be_names_its_column(self):
        for sql, value, column in (("SELECT id FROM things WHERE t = $1", b"now", "things.t"),
                                   ("UPDATE things SET iv = $1", b"0.3 year", "things.iv"),
                                   ("UPDATE things SET ints = $1", b"{{},{}}", "things.ints")):
            said = extended(TABLES.veiled, sql, [value])
            self.assertEqual(said[:2], ("error", "0A000"), sql)
            self.assertIn(f"public.{column}", said[2])

    def test_what_is_left_out_of_errors(self):
        """The detail of a malformed array, and the line of JSON in CONTEXT."""
        field = pq.DiagnosticField
        for column, value, left_out, where in (("ints", "{1,2", field.MESSAGE_DETAIL, "Unexpected end of input"),
                                               ("js", "{", field.CONTEXT, "JSON data, line 1")):
            sql = f"INSERT INTO things (id, {column}) VALUES (1, {literal(value)})".encode()
            veiled, plain = [c.pgconn.exec_(sql).error_field(left_out) for c in TABLES.both()]
            self.assertIn(where, plain.decode())
            self.assertNotIn(where, (veiled or b"").decode())

    def test_a_timetz_without_an_offset(self):
        TABLES.set_styles("postgres", "ISO, MDY", "Europe/Berlin")
        self.assertEqual(simple(TABLES.veiled, "INSERT INTO things (id, tz) VALUES (1, '10:00')")[:2], ("error", "0A000"))
        TABLES.set_styles("postgres", "ISO, MDY", "Asia/Kolkata")
        self.same(lambda c: simple(c, "INSERT INTO things (id, tz) VALUES (1, '10:00')"))
        self.same(lambda c: simple(c, "SELECT tz FROM things"))

    def test_a_style_set_inside_a_transaction(self):
        self.same(lambda c: simple(c, "INSERT INTO things (id, iv) VALUES (1, '1 year 2 days')"))
        for connection in TABLES.both():
            connection.execute("BEGIN")
            connection.execute("SET LOCAL IntervalStyle = 'iso_8601'")
        self.same(lambda c: simple(c, "SELECT iv FROM things"))
        for connection in TABLES.both():
            connection.execute("ROLLBACK")
        self.same(lambda c: simple(c, "SELECT iv FROM things"))


if __name__ == "__main__":
    unittest.main()
