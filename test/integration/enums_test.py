"""Enums: the same answers on a protected table as on a plain one, in text and in binary, as constants and as parameters;
drivers that ask the catalog about the type; ALTER TYPE; what `pgveil check` says of the labels."""

import enum
import unittest

import psycopg
from psycopg.types.enum import EnumInfo, register_enum

from stack import Stack, run
from typed import extended, literal, parameter_types, simple

LABELS = ["sad", "ok", "very happy", "o'clock", "ñandú", ""]
POLICY = {
    "tables": {
        "public.days": {"columns": {
            "mood": {"type": "mood", "search": "equality", "context": "mood"},
            "night": {"type": "public.mood", "search": "equality", "context": "mood"},
            "hidden": {"type": "mood", "pad_to": 32},
            "moods": {"type": "mood[]"},
            "odd": {"type": 'more."Odd Type"', "search": "equality"}}},
        "public.weeks": {"columns": {"mood": {"type": "mood", "search": "equality", "context": "mood"}}}},
    "enums": {"public.mood": LABELS, 'more."Odd Type"': ["A", "b"]}}

# Made around pgveil: CREATE TYPE names the labels, which may not stand in the server's log otherwise.
TYPES = [
    "CREATE SCHEMA more",
    "CREATE TYPE mood AS ENUM ('sad', 'ok', 'very happy', 'o''clock', 'ñandú', '')",
    """CREATE TYPE more."Odd Type" AS ENUM ('A', 'b')""",
]

SCHEMA = [
    "CREATE TABLE weeks (mood mood PRIMARY KEY)",
    """CREATE TABLE days (id int PRIMARY KEY, mood mood DEFAULT 'ok' REFERENCES weeks, night public.mood, hidden mood,
        moods mood[], odd more."Odd Type", UNIQUE (night, id))""",
]


def make(connection):
    with STACK.direct("app", connection.info.dbname) as direct:
        for sql in TYPES:
            direct.execute(sql)
    for sql in SCHEMA:
        connection.execute(sql)


class Side:
    """A connection, and the names of the types of its database by their OIDs."""

    def __init__(self, connection):
        self.connection = connection
        make(connection)
        self.names = {number: name for number, name in connection.execute(
            "SELECT oid, typname FROM pg_type WHERE typname IN ('mood', '_mood', 'Odd Type', '_Odd Type')").fetchall()}

    def named(self, said):
        if said[0] == "error" or not isinstance(said, tuple):
            return said
        tag, shape, rows = said
        return tag, [(name, self.names.get(kind, kind), *rest) for name, kind, *rest in shape], rows


def setUpModule():
    global STACK, VEILED, PLAIN
    STACK = Stack.start(POLICY)
    STACK.never_logged = ["very happy", "ñandú"]
    STACK.superuser("CREATE DATABASE plains OWNER app")
    STACK.superuser("GRANT CREATE ON DATABASE clinic TO app")
    VEILED, PLAIN = Side(STACK.connect()), Side(STACK.direct("app", "plains"))


def tearDownModule():
    VEILED.connection.close()
    PLAIN.connection.close()
    STACK.stop()


class Enums(unittest.TestCase):
    maxDiff = 3000

    def setUp(self):
        for sql in ("DELETE FROM days", "DELETE FROM weeks",
                    f"INSERT INTO weeks VALUES {', '.join(f'({literal(label)})' for label in LABELS)}"):
            self.same(lambda c, sql=sql: simple(c, sql))

    def same(self, ask, fails=False):
        veiled, plain = [side.named(ask(side.connection)) for side in (VEILED, PLAIN)]
        self.assertEqual(veiled, plain)
        if plain:
            self.assertEqual(plain[0] == "error", fails, plain)
        return plain

    def fill(self):
        for number, label in enumerate(LABELS):
            text = literal(label)
            self.same(lambda c: simple(
                c, f"INSERT INTO days (id, mood, night, hidden, odd) VALUES ({number}, {text}, {text}, {text}, 'A')"))

    def test_the_database_sees_no_label(self):
        """Positive control: what is compared below is not plain in the server."""
        self.fill()
        with STACK.direct() as direct:
            kinds = direct.execute("SELECT DISTINCT pg_typeof(mood)::text, pg_typeof(moods)::text FROM days").fetchall()
            self.assertEqual(kinds, [("pgveil.ciphertext", "pgveil.ciphertext")])

    def test_values_in_both_protocols_and_formats(self):
        self.fill()
        for form in (0, 1):
            self.same(lambda c: extended(c, "SELECT * FROM days ORDER BY id", result_format=form))
        self.same(lambda c: simple(c, "SELECT * FROM days ORDER BY id"))
        for number, label in enumerate(LABELS, 10):
            for form in (0, 1):
                value = label.encode()
                self.same(lambda c: extended(c, "INSERT INTO days (id, mood, night, hidden) VALUES ($1, $2, $3, $4::mood)",
                                             [str(number + 10 * form).encode(), value, value, value], None, [0, form, form, form]))
        self.same(lambda c: simple(c, "SELECT * FROM days ORDER BY id"))
        self.same(lambda c: simple(c, "INSERT INTO days (id) VALUES (99)"))
        self.same(lambda c: simple(c, "SELECT mood, hidden FROM days WHERE id = 99"))

    def test_arrays(self):
        for number, text in enumerate(['{}', '{sad,NULL,"very happy"}', '{{sad,ok},{ok,sad}}', '[2:3]={ok,"o\'clock"}', '{""}']):
            self.same(lambda c: simple(c, f"INSERT INTO days (id, moods) VALUES ({number}, {literal(text)})"))
            self.same(lambda c: extended(c, f"INSERT INTO days (id, moods) VALUES ({number} + 100, $1)", [text.encode()]))
        self.same(lambda c: simple(c, "SELECT id, moods FROM days ORDER BY id"))
        for side in (VEILED, PLAIN):  # the element type's OID stands in the binary form
            rows = extended(side.connection, "SELECT moods FROM days ORDER BY id", result_format=1)[2]
            for number, (value,) in enumerate(rows, 200):
                self.assertEqual(side.names[int.from_bytes(value[8:12], "big")], "mood")
                done = extended(side.connection, f"INSERT INTO days (id, moods) VALUES ({number}, $1)", [value], None, [1])
                self.assertNotEqual(done[0], "error", done)
        self.same(lambda c: simple(c, "SELECT moods FROM days ORDER BY id"))
        self.same(lambda c: simple(c, "INSERT INTO days (id, moods) VALUES (300, '{sad,angry}')"), fails=True)

    def test_conditions(self):
        self.fill()
        for condition in (
                "mood = 'sad'", "mood <> 'sad'", "mood = 'sad'::mood", "mood = CAST('ok' AS public.mood)", "mood = mood 'ok'",
                "mood IN ('sad', 'ok')", "mood NOT IN ('sad', 'ok'::mood)", "mood = ANY ('{sad,\"very happy\"}')",
                "mood = ANY ('{sad,ok}'::mood[])", "mood <> ALL (ARRAY['sad', 'ok']::mood[])", "mood = night",
                "mood IS DISTINCT FROM 'sad'", "odd = 'A'", """odd = 'b'::more."Odd Type\"""", "hidden IS NULL",
                "CASE WHEN mood = 'ok' THEN night ELSE 'sad' END = 'ok'", "COALESCE(mood, 'ok') = 'ok'",
                "NULLIF(mood, 'ok') IS NULL", "mood = (SELECT night FROM days WHERE id = 1)", "mood IN (SELECT mood FROM weeks)",
                "mood = 'sad'::text::mood"):
            with self.subTest(condition):
                self.same(lambda c: simple(c, f"SELECT id FROM days WHERE {condition} ORDER BY id"))
        for sql in ("SELECT mood, count(*) FROM days GROUP BY mood HAVING mood = 'ok'", "SELECT count(DISTINCT mood) FROM days",
                    "SELECT CASE WHEN id = 1 THEN mood ELSE 'sad' END AS m FROM days ORDER BY id",
                    "SELECT d.id FROM days d JOIN weeks w USING (mood) ORDER BY 1", "SELECT mood::mood FROM days ORDER BY id",
                    "UPDATE days SET mood = night, night = 'sad' WHERE mood = 'ok' RETURNING mood, night",
                    "INSERT INTO weeks VALUES ('sad') ON CONFLICT (mood) DO NOTHING", "SELECT 'sad'::mood, enum_range(NULL::mood)"):
            with self.subTest(sql):
                self.same(lambda c: simple(c, sql))

    def test_parameters(self):
        self.fill()
        for sql, values in (("SELECT id FROM days WHERE mood = $1", ["ok"]), ("SELECT id FROM days WHERE mood = $1::mood", ["ok"]),
                            ("SELECT id FROM days WHERE mood IN ($1, $2) ORDER BY id", ["ok", "sad"]),
                            ("SELECT id FROM days WHERE mood = ANY ($1) ORDER BY id", ["{ok,sad}"]),
                            ("SELECT id FROM days WHERE mood = ANY ($1::mood[]) ORDER BY id", ["{ok,sad}"]),
                            ("SELECT COALESCE($1, mood) FROM days WHERE id = 1", ["sad"]),
                            ("UPDATE days SET mood = $1, moods = $2", ["ok", "{ok}"])):
            with self.subTest(sql):
                self.same(lambda c: extended(c, sql, [value.encode() for value in values]))
                kinds = [[side.names.get(kind, kind) for kind in parameter_types(side.connection, sql)] for side in (VEILED, PLAIN)]
                self.assertEqual(kinds[0], kinds[1])
        for side in (VEILED, PLAIN):  # declared by the number that the database gave
            number = next(number for number, name in side.names.items() if name == "mood")
            said = extended(side.connection, "SELECT id FROM days WHERE mood = $1", [b"ok"], [number], [1])
            self.assertEqual(len(said[2]), len(LABELS))

    def test_wrong_labels(self):
        for sql in ("INSERT INTO days (id, mood) VALUES (1, 'angry')", "SELECT id FROM days WHERE mood = 'angry'",
                    "SELECT id FROM days WHERE mood = 'Sad'::mood", "SELECT id FROM days WHERE mood IN ('ok', ' ok')",
                    "UPDATE days SET odd = 'a'", "SELECT id FROM days WHERE mood = 'no_such_label_of_the_enum'"):
            with self.subTest(sql):
                said = self.same(lambda c: simple(c, sql), fails=True)
                self.assertEqual(said[1], "22P02")
        positions = []
        for side in (VEILED, PLAIN):
            with self.assertRaises(psycopg.Error) as failed:
                side.connection.execute("SELECT id FROM days WHERE mood = 'angry'")
            positions.append(failed.exception.diag.statement_position)
        self.assertEqual(positions, ["34", "34"])
        self.same(lambda c: extended(c, "INSERT INTO days (id, mood) VALUES (1, $1)", [b"angry"]), fails=True)
        self.same(lambda c: extended(c, "INSERT INTO days (id, mood) VALUES (1, $1)", [b"angry"], None, [1]), fails=True)

    def test_copy(self):
        self.fill()
        self.same(lambda c: simple(c, "UPDATE days SET moods = '{sad,NULL}', hidden = NULL WHERE id < 3"))
        columns = "id, mood, night, hidden, moods, odd"
        for options in ("", "(FORMAT csv)", "(FORMAT binary)"):
            with self.subTest(options):
                taken = []
                for side in (VEILED, PLAIN):
                    with side.connection.cursor() as cursor:
                        with cursor.copy(f"COPY (SELECT {columns} FROM days ORDER BY id) TO STDOUT {options}") as copy:
                            data = b"".join(bytes(part) for part in copy)
                        cursor.execute("DELETE FROM days")
                        with cursor.copy(f"COPY days ({columns}) FROM STDIN {options}") as copy:
                            copy.write(data)
                    taken.append(data)
                if "binary" not in options:
                    self.assertEqual(*taken)
                self.same(lambda c: simple(c, f"SELECT {columns} FROM days ORDER BY id"))
        for side in (VEILED, PLAIN):
            with self.assertRaisesRegex(psycopg.errors.InvalidTextRepresentation, 'invalid input value for enum mood: "angry"'):
                with side.connection.cursor() as cursor, cursor.copy("COPY days (id, mood) FROM STDIN") as copy:
                    copy.write(b"50\tangry\n")

    def test_sql_prepare_and_cursors(self):
        self.fill()
        for sql in ("PREPARE p (mood, int) AS SELECT id, night FROM days WHERE mood = $1 AND id >= $2", "EXECUTE p ('ok', 0)",
                    "EXECUTE p ('sad'::mood, 0)", "DEALLOCATE p", "BEGIN",
                    "DECLARE c CURSOR FOR SELECT mood, moods FROM days WHERE night <> 'sad' ORDER BY id", "FETCH 2 FROM c", "COMMIT"):
            with self.subTest(sql):
                self.same(lambda c: simple(c, sql))

    def test_constraints(self):
        self.fill()
        self.same(lambda c: simple(c, "INSERT INTO weeks VALUES ('sad')")[:2], fails=True)
        self.same(lambda c: simple(c, "DELETE FROM weeks WHERE mood = 'sad'")[:2], fails=True)
        self.same(lambda c: simple(c, "ALTER TABLE days ALTER odd SET DEFAULT 'b'"))
        self.same(lambda c: simple(c, "INSERT INTO days (id) VALUES (70) RETURNING odd, mood"))
        self.same(lambda c: simple(c, "ALTER TABLE days ALTER odd DROP DEFAULT"))

    def test_the_catalog_shows_the_enum(self):
        for ask in (
                "SELECT column_name, data_type, udt_schema, udt_name, is_nullable, domain_name, character_maximum_length "
                "FROM information_schema.columns WHERE table_name = 'days' ORDER BY ordinal_position",
                "SELECT attname, attlen, atttypmod, attndims, attbyval, attalign, attstorage, attcollation, "
                "format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'days'::regclass AND attnum > 0 ORDER BY attnum",
                "SELECT a.attname, e.enumlabel FROM pg_attribute a JOIN pg_enum e ON e.enumtypid = a.atttypid "
                "WHERE a.attrelid = 'days'::regclass ORDER BY a.attnum, e.enumsortorder"):
            self.same(lambda c: simple(c, ask))

    def test_psycopg_with_a_registered_enum(self):
        """It asks the catalog for the labels, and sends and reads by the type's number."""
        mood = enum.Enum("Mood", {"SAD": "sad", "OK": "ok"})
        for side in (VEILED, PLAIN):
            info = EnumInfo.fetch(side.connection, "mood")
            self.assertEqual(list(info.labels), LABELS)
            register_enum(info, side.connection, mood, mapping={mood.SAD: "sad", mood.OK: "ok"})
            for binary in (False, True):
                with side.connection.cursor(binary=binary) as cursor:
                    cursor.execute("DELETE FROM days")
                    cursor.execute("INSERT INTO days (id, mood, moods) VALUES (1, %b, %b)" if binary else
                                   "INSERT INTO days (id, mood, moods) VALUES (1, %t, %t)", [mood.SAD, [mood.SAD, mood.OK]])
                    cursor.execute("SELECT mood, moods FROM days WHERE mood = %s", [mood.SAD])
                    self.assertEqual(cursor.fetchone(), (mood.SAD, [mood.SAD, mood.OK]))

    def test_what_is_refused(self):
        for sql in ("SELECT id FROM days ORDER BY mood", "SELECT id FROM days WHERE mood > 'sad'", "SELECT max(mood) FROM days",
                    "SELECT GREATEST(mood, night) FROM days", "SELECT id FROM days WHERE hidden = 'sad'",
                    "SELECT mood::text FROM days", "SELECT id FROM days WHERE mood = 'sad'::text",
                    "INSERT INTO days (id, mood) VALUES (1, 'sad'::text)", "SELECT enum_first(mood) FROM days",
                    "ALTER TYPE mood RENAME VALUE 'sad' TO 'blue'", "ALTER TYPE public.mood RENAME TO feeling",
                    """ALTER TYPE more."Odd Type" SET SCHEMA public"""):
            with self.subTest(sql):
                self.assertEqual(simple(VEILED.connection, sql)[:2], ("error", "0A000"))
        with STACK.direct() as direct:
            self.assertEqual(direct.execute("SELECT enumlabel FROM pg_enum JOIN pg_type t ON t.oid = enumtypid "
                                            "WHERE typname = 'mood' ORDER BY enumsortorder").fetchone(), ("sad",))


class OtherDatabases(unittest.TestCase):
    """The number of a type, and whether there is one, is a matter of the session's database."""

    def test_two_databases_and_one_without_the_type(self):
        for name in ("other", "without"):
            STACK.superuser(f"CREATE DATABASE {name} OWNER app")
        with STACK.connect(database="other") as other, STACK.connect(database="without") as without:
            other.execute("CREATE TYPE one AS ENUM ('x')")
            make(other)
            other.execute("INSERT INTO weeks VALUES ('ok')")
            result = other.pgconn.exec_params(b"SELECT mood FROM weeks WHERE mood = $1", [b"ok"])
            number, = other.execute("SELECT 'mood'::regtype::oid").fetchone()
            self.assertEqual(result.ftype(0), number)
            self.assertNotIn(number, VEILED.names, "the databases gave different numbers")
            with self.assertRaises(psycopg.errors.UndefinedObject) as failed:
                without.execute("CREATE TABLE weeks (mood mood)")
            self.assertIn('type "mood" does not exist', str(failed.exception))
            self.assertEqual(failed.exception.diag.statement_position, "26")


class Check(unittest.TestCase):
    """In a database of its own, whose types change."""

    def said(self):
        return run([*STACK.as_owner(), STACK.dir / "bin" / "pgveil", "check", "--config", STACK.settings,
                    "--database", "checked"]).stdout

    def test_labels_that_differ_are_named(self):
        STACK.superuser("CREATE DATABASE checked OWNER app")
        with STACK.connect(database="checked") as connection:
            make(connection)
            self.assertNotIn("mood", self.said())
            connection.execute("ALTER TYPE mood ADD VALUE 'angry'")
            self.assertIn("public.mood 'angry': is a label of the database only", self.said())
            with self.assertRaises(psycopg.errors.InvalidTextRepresentation):
                connection.execute("SELECT id FROM days WHERE mood = 'angry'")
        STACK.superuser("""ALTER TYPE more."Odd Type" RENAME VALUE 'b' TO 'B'""", "checked")
        self.assertIn("""more."Odd Type" 'b': is a label of the policy only""", self.said())
        self.assertIn("""more."Odd Type" 'B': is a label of the database only""", self.said())
        STACK.superuser("ALTER TYPE mood RENAME TO feeling", "checked")
        self.assertIn("public.mood: is an enum of the policy, but there is no such type", self.said())


if __name__ == "__main__":
    unittest.main()
