"""Times, intervals, addresses, JSON and arrays: the same answers on a protected table as on a plain one, in text and in
binary, as literals and as parameters, under every style."""

import unittest

from psycopg import pq

import typed
from stack import Stack
from typed import STYLES, VALUES, WRONG, extended, literal, parameter_types, said, simple


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
            fresh.execute("INSERT INTO things (id, texts) VALUES (77, '{NULL}')")
            self.assertEqual(fresh.execute("DELETE FROM things WHERE id = 77 RETURNING texts").fetchone(), (["NULL"],), "a word")
        STACK.superuser("ALTER ROLE app RESET array_nulls")
        for setting, value in (("timezone_abbreviations", "Australia"), ("client_encoding", "LATIN1")):
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


class Samples(unittest.TestCase):
    """What a value keeps, and what settings make of it."""
    maxDiff = 2000
    ASK = "SELECT id, raw, ratio FROM samples ORDER BY id"
    INSERT = "INSERT INTO samples (id, raw, ratio) VALUES (1, '\\x4142', '0.30000000000000004'), (2, '', '1')"

    def setUp(self):
        TABLES.set_styles(*STYLES[0])
        self.same(lambda c: simple(c, "RESET ALL"))
        self.same(lambda c: simple(c, "DELETE FROM samples"))
        self.same(lambda c: simple(c, self.INSERT))

    def same(self, ask):
        veiled, plain = [ask(connection) for connection in TABLES.both()]
        self.assertEqual(veiled, plain, self.id())
        return plain

    def asked(self, *texts):
        """The same answers to each text; that to the last."""
        return [self.same(lambda c: simple(c, text)) for text in texts][-1]

    def test_a_padded_column_keeps_the_value_as_it_is(self):
        values = {"blanks": ["", "a  ", "abc", " "], "five": ["a", "a    ", "abcde", ""],
                  "single": ["-0", "0", "NaN", "-Infinity"], "double": ["-0", "0", "NaN", "1e-320"]}
        binary = {"single": [b"\x80\0\0\0", b"\xff\xc0\0\1"], "double": [b"\x80" + bytes(7), b"\xff\xf8" + bytes(5) + b"\1"]}
        number = 10
        for column, texts in values.items():
            for text in texts:
                for form, given in ((literal(text), []), ("$1", [text.encode()])):
                    number += 1
                    done = self.same(lambda c: extended(
                        c, f"INSERT INTO samples (id, {column}) VALUES ({number}, {form})", given))
                    self.assertEqual(done[0], b"INSERT 0 1", (column, text, form))
            for value in binary.get(column, []):
                number += 1
                self.same(lambda c: extended(
                    c, f"INSERT INTO samples (id, {column}) VALUES ({number}, $1)", [value], None, [1]))
            for how in (0, 1):
                rows = self.same(lambda c: extended(c, f"SELECT id, {column} FROM samples ORDER BY id", result_format=how))
            if column in binary:
                self.assertIn(binary[column][0], [row[1] for row in rows[2]])

    def test_a_timestamp_rounded_beyond_the_range(self):
        self.asked("UPDATE samples SET at = '294276-12-31 23:59:59.6', attz = '294276-12-31 23:59:59.6+00'")
        for style in STYLES:
            TABLES.set_styles(*style)
            shown = self.asked("SELECT id, at, attz FROM samples ORDER BY id")
            self.assertIn(b"294277", shown[2][0][1])
        self.same(lambda c: extended(c, "SELECT id, at, attz FROM samples ORDER BY attz, id", result_format=1))
        self.asked("SELECT id FROM samples WHERE attz > '294276-12-31 23:59:59+00' ORDER BY id",
                   "UPDATE samples SET at = '294277-01-01'", "SELECT max(attz) FROM samples")
        self.same(lambda c: extended(c, "UPDATE samples SET at = $1", [(9223371331200000000).to_bytes(8, "big")], None, [1]))

    def test_settings_that_something_called_changes(self):
        for how in ("SELECT set_config('{}', '{}', false)", "SELECT change('{}', '{}')",
                    "SELECT id FROM samples WHERE id = change('{}', '{}')",
                    "INSERT INTO samples (id) SELECT 20 WHERE change('{}', '{}') = 0", "CALL change_by_call('{}', '{}')",
                    "DO $$ BEGIN PERFORM set_config('{}', '{}', false);END $$",
                    "PREPARE changing AS SELECT change('{}', '{}'); EXECUTE changing; DEALLOCATE changing",
                    "BEGIN; DECLARE changing CURSOR FOR SELECT change('{}', '{}'); FETCH changing; COMMIT",
                    "BEGIN; DECLARE changing CURSOR FOR SELECT raw, change('{}', '{}') FROM samples; MOVE changing; COMMIT"):
            for output, digits in (("escape", 0), ("hex", 1)):
                for name, value in (("bytea_output", output), ("extra_float_digits", digits)):
                    for text in how.format(name, value).split("; "):
                        self.assertNotEqual(self.asked(text)[0], "error", text)
                    shown = self.asked(self.ASK)
                self.assertEqual(shown[2][0][1:], [b"AB", b"0.3"] if digits == 0 else [b"\\x4142", b"0.30000000000000004"], how)

    def test_settings_that_a_transaction_takes_back(self):
        for texts in (("BEGIN", "SELECT change('bytea_output', 'escape')", self.ASK, "ROLLBACK"),
                      ("BEGIN", "SELECT change('bytea_output', 'escape', true)", self.ASK, "COMMIT"),
                      ("BEGIN", "SAVEPOINT s", "SELECT change('bytea_output', 'escape')", self.ASK, "ROLLBACK TO s", self.ASK,
                       "COMMIT"),
                      ("BEGIN", "SELECT change('bytea_output', 'escape')", self.ASK, "SELECT 1/0", self.ASK, "ROLLBACK"),
                      ("SELECT change('bytea_output', 'escape'), 1/0",)):
            self.assertEqual(self.asked(*texts, self.ASK)[2][0][1], b"\\x4142", texts)

    def test_settings_that_change_in_a_pipeline(self):
        def ask(connection):
            with connection.pipeline():
                cursors = [connection.execute(sql) for sql in (
                    "SELECT change('bytea_output', 'escape')", "SELECT raw::text, raw IS NULL FROM (SELECT 1 AS raw) x",
                    self.ASK, "SELECT change('DateStyle', 'German, DMY')",
                    "UPDATE samples SET at = '03.02.2001 00:00:00' WHERE id = 1", "SELECT at FROM samples ORDER BY id")]
            return [said(cursor.pgresult) for cursor in cursors]
        shown = self.same(ask)
        self.assertEqual(shown[2][2][0][1], b"AB")
        self.assertEqual(shown[-1][2][0][0], b"03.02.2001 00:00:00")

    def test_array_nulls(self):
        asks = ["UPDATE samples SET tags = '{NULL,x}', code = 'b', counts = '{1}'", "SELECT tags FROM samples ORDER BY id",
                "SELECT id FROM samples WHERE code <> ALL ('{NULL,a}') ORDER BY id",
                "SELECT id FROM samples WHERE code = ANY ('{null,b}') ORDER BY id", "UPDATE samples SET counts = '{NULL}'",
                "SELECT counts FROM samples"]
        for setting in ("SET array_nulls = off", "SET array_nulls = on", "SELECT change('array_nulls', 'off')",
                        "SELECT set_config('array_nulls', 'on', false)"):
            self.asked(setting, *asks)
            is_on = "on" in setting[-12:]
            self.assertEqual(self.asked(asks[1])[2][0][0], b"{NULL,x}" if is_on else b'{"NULL",x}')
            self.asked(setting)
            self.same(lambda c: extended(c, "UPDATE samples SET tags = $1", [b"{NULL,null}"]))
            self.same(lambda c: extended(c, "SELECT id FROM samples WHERE code <> ALL ($1) ORDER BY id", [b"{NULL,a}"]))
            self.same(lambda c: extended(c, "SELECT tags FROM samples"))
            self.asked(asks[0])
            self.assertEqual(self.asked(setting, asks[4])[0], b"UPDATE 2" if is_on else "error")

    def test_comments_inside_of_a_constant(self):
        self.asked("UPDATE samples SET code = 'zq' -- it's\n'one' WHERE id = 1",
                   "UPDATE samples SET code = U&'!007aq' /* x */ UESCAPE -- y\n'!' WHERE id = 2",
                   "SELECT id, code, 'a' -- b\n'c' FROM samples ORDER BY id")
        found = self.asked("SELECT id FROM samples WHERE code IN ('zqo' --\n -- x\n'ne', 'a'\n'b')")
        self.assertEqual(len(found[2]), 1)
        for wrong in ("SELECT id FROM samples WHERE code = 'a' /* x */\n'b'", "SELECT code FROM samples -- x\n WHERE WHERE 'a' --\n'b'"):
            veiled, plain = (simple(connection, wrong)[:2] for connection in TABLES.both())
            self.assertEqual(plain, ("error", "42601"))
            self.assertEqual(veiled, ("error", "0A000") if STACK.has_newer_grammar else plain)


if __name__ == "__main__":
    unittest.main()
