"""Parameters that stand in several places: types, errors and answers as on a plain table, and values that would leave
encrypted and unencrypted at once refused, or counted where the policy says so.

The table `people` lies in a database behind pgveil and in a plain one.
"""

import unittest

import psycopg
from psycopg.pq import ExecStatus

from stack import Stack, psql, succeeded, wait_until

SCHEMA = """
CREATE TABLE people (id int4 PRIMARY KEY, city text, name varchar(10), note text, ssn text, email varchar(20), age int4,
                     code char(3));
INSERT INTO people VALUES (1, 'Rome', 'Ada', 'first', '111-11', 'ada@x.org', 40, 'abc'),
                          (2, 'Oslo', 'Bob', 'second', '222-22', 'bob@x.org', 50, 'de'), (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
"""

COLUMNS = {
    "name": {"type": "varchar(10)"}, "note": {"type": "text"}, "ssn": {"type": "text", "search": "equality"},
    "email": {"type": "varchar(20)", "search": "equality"}, "age": {"type": "int4", "search": "equality"},
    "code": {"type": "char(3)", "search": "equality"},
}

TEXT, VARCHAR, INT4, INT8, UUID, NAME = 25, 1043, 23, 20, 2950, 19

# What has the rows of a protected table in it, and types that have not.
LONG = "l" * 63
TYPES = f"""
CREATE TYPE _late AS ENUM ('x');
CREATE TABLE late (ssn text);
CREATE TABLE {LONG} (ssn text);
CREATE VIEW shown AS SELECT id, ssn FROM people;
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE DOMAIN short AS text CHECK (length(VALUE) < 30);
CREATE TYPE pair AS (a int4, b short);
CREATE TABLE places (id int4, city text);
"""
# These name the row type, which a client may not; an older one, or a tool past pgveil, has made them.
HOLDERS = f"""
CREATE DOMAIN someone AS people CHECK ((VALUE).id > 0);
CREATE DOMAIN crowd AS people[];
CREATE TYPE visit AS (day date, who people);
CREATE TYPE visits AS (day date, who someone[]);
CREATE TYPE span AS RANGE (subtype = people);
CREATE DOMAIN hidden AS pgveil.ciphertext;
"""
HOLDING = ["people", "people[]", "late", "late[]", LONG, f"{LONG}[]", "shown", "shown[]", "someone", "someone[]", "crowd", "visit",
           "visits", "visits[]", "span", "span_multirange", "hidden", "hidden[]", "pgveil.ciphertext"]
HARMLESS = ["mood", "mood[]", "short", "short[]", "pair", "pair[]", "places", "places[]", "_late"]

# A statement, the declared types, values.
STATEMENTS = [
    ("SELECT id FROM people WHERE ssn = $1 OR email = $1 ORDER BY id", [], ["111-11"]),
    ("SELECT id FROM people WHERE ssn = $1 OR email = $1 ORDER BY id", [TEXT], ["bob@x.org"]),
    ("SELECT id FROM people WHERE email = $2 OR ssn IN ($1, $2) ORDER BY id", [], ["222-22", "ada@x.org"]),
    ("SELECT id FROM people WHERE email = $1 AND email = $1", [VARCHAR], ["ada@x.org"]),
    ("UPDATE people SET email = $1 WHERE email = $1 RETURNING id, email", [], ["ada@x.org"]),
    ("UPDATE people SET note = $1, ssn = $1 WHERE id = 1 RETURNING note, ssn", [], ["333-33"]),
    ("UPDATE people SET note = $1, name = $1 WHERE id = 1 RETURNING note, name", [], ["new"]),
    ("UPDATE people SET note = $1, name = $1 WHERE id = 1 RETURNING note, name", [TEXT], ["new"]),
    ("UPDATE people SET note = $1, name = $1 WHERE id = 1 RETURNING note, name", [TEXT], ["much too long"]),
    ("UPDATE people SET note = $1, name = $1::varchar(4) WHERE id = 1 RETURNING note, name", [TEXT], ["much too long"]),
    ("INSERT INTO people (id, name, email) VALUES (4, $1, $1) RETURNING name, email", [], ["Cid"]),
    ("INSERT INTO people (id, name, note) VALUES (4, $1, $1)", [], ["Cid"]),
    ("INSERT INTO people (id, name, note) VALUES (4, $1, 'x'), (5, 'y', $1) RETURNING name, note", [], ["Cid"]),
    ("INSERT INTO people (id, name, note) SELECT 4, $1, $1", [], ["Cid"]),
    ("SELECT id FROM people WHERE $1 IS NULL OR email = $1", [], ["ada@x.org"]),
    ("SELECT id FROM people WHERE ($1 IS NULL OR email = $1) AND id = CASE WHEN id > 1 THEN '7' ELSE '8' END", [], ["a"]),
    ("SELECT id FROM people WHERE $1 IS NULL OR email = ANY ($1)", [], ["{ada@x.org}"]),
    ("SELECT id FROM people WHERE $1 IS NULL OR email IN ($1, 'x', $2)", [], ["ada@x.org", "y"]),
    ("SELECT id FROM people WHERE $1 IS NULL OR (email, id) = ($1, $2)", [], ["ada@x.org", "1"]),
    ("SELECT id, $1 IS NULL FROM people WHERE email = $1 UNION SELECT nowhere, true FROM people", [], ["ada@x.org"]),
    ("INSERT INTO people (id, email, note) SELECT 4, $1, 'x' WHERE $1 IS NOT NULL", [], ["ada@x.org"]),
    ("UPDATE people SET email = $1 WHERE $1 IS NOT NULL AND id = 1 RETURNING email", [], ["ada@x.org"]),
    ("SELECT id FROM people WHERE email = $1 OR $1 IS NULL ORDER BY id", [], ["ada@x.org"]),
    ("SELECT id FROM people WHERE email = $1 OR $1 IS NULL ORDER BY id", [], [None]),
    ("SELECT id FROM people WHERE $1::text IS NULL OR email = $1 ORDER BY id", [], [None]),
    ("SELECT id FROM people WHERE $1::text IS NULL OR email = $1 ORDER BY id", [], ["ada@x.org"]),
    ("SELECT id FROM people WHERE $1 IS NULL OR email = $2 ORDER BY id", [VARCHAR, VARCHAR], ["ada@x.org"] * 2),
    ("SELECT id FROM people WHERE $1 IS NULL OR email = $2 ORDER BY id", [VARCHAR, VARCHAR], [None, None]),
    ("SELECT id FROM people WHERE CAST($1 AS varchar) IS NULL OR email = $2", [], ["ada@x.org"] * 2),
    ("SELECT id FROM people WHERE $1 IS NULL OR email = $2", [], ["ada@x.org"] * 2),
    ("SELECT id FROM people WHERE $1 IS NULL OR age = $2", [INT4, INT4], ["4x", "40"]),
    ("SELECT $1 IS NULL FROM people WHERE email = $1", [], ["ada@x.org"]),
    ("SELECT id FROM people WHERE $1 IS NULL OR $1::text IS NULL OR email = $2", [], ["a", "a"]),
    ("SELECT id FROM people WHERE $1::varchar(2)::text IS NULL OR email = $2", [], ["ada@x.org"] * 2),
    ("SELECT id FROM people WHERE $1::text IS NULL OR $1::varchar(3) IS NULL OR email = $2", [], ["ada@x.org"] * 2),
    ("SELECT id FROM people WHERE $1::text::int4 IS NULL OR email = $2", [], ["x", "ada@x.org"]),
    ("SELECT id FROM people WHERE $1::text::int4 IS NULL OR email = $2", [], ["7", "ada@x.org"]),
    ("SELECT id FROM people WHERE $1::int8 IS NULL OR age = $1", [INT4], ["40"]),
    ("SELECT id FROM people WHERE $1::text[] IS NULL OR email = ANY ($1)", [], ["{ada@x.org}"]),
    ("SELECT id FROM people WHERE $1::text[] IS NULL OR email = $2", [], ["{a}", "ada@x.org"]),
    ("SELECT id FROM people WHERE $1 IS NULL AND name IS NULL", [NAME], [None]),
    ("SELECT id FROM people WHERE email IN ($1, $2) ORDER BY id", [], ["ada@x.org", "bob@x.org"]),
    ("SELECT id FROM people WHERE email NOT IN ($1, 'bob@x.org')", [], ["nobody"]),
    ("SELECT id FROM people WHERE email IN ($1, $2::text) ORDER BY id", [], ["ada@x.org", "bob@x.org"]),
    ("SELECT id FROM people WHERE email IN ($1, $1, $2) ORDER BY id", [TEXT, VARCHAR], ["ada@x.org", "bob@x.org"]),
    ("SELECT id FROM people WHERE email IN ($1)", [], ["ada@x.org"]),
    ("SELECT id FROM people WHERE age = $1 AND age = $1", [INT8], ["40"]),
    ("SELECT id FROM people WHERE email = $1 OR ssn = $1", [], ["a", "b"]),
    ("SELECT id FROM people WHERE email = $1 OR ssn = $1", [], []),
    ("SELECT id FROM people WHERE email = $1 OR ssn = $1 AND", [], ["a"]),
    ("SELEC id FROM people", [], []),
    ("SELECT id FROM people JOIN people AS two", [], []),
    ("SELECT 'open FROM people", [], []),
]


def setUpModule():
    global STACK, PLAIN
    one_column = {"columns": {"ssn": {"type": "text"}}}
    STACK = Stack.start({"tables": {"public.people": {"columns": COLUMNS}, "public.late": one_column, f"public.{LONG}": one_column}})
    STACK.superuser("CREATE DATABASE clinic_plain OWNER app")
    PLAIN = STACK.url("direct", "app", "clinic_plain")
    for url, options in ((STACK.url(), STACK.options()), (PLAIN, "")):
        succeeded(psql(url, "-q", "-v", "ON_ERROR_STOP=1", options=options, stdin=SCHEMA))


def tearDownModule():
    STACK.stop()


def problem(result):
    """What went wrong, as a driver sees it; None: nothing."""
    if result.status not in (ExecStatus.FATAL_ERROR, ExecStatus.BAD_RESPONSE):
        return None
    fields = psycopg.pq.DiagnosticField
    return [result.error_field(field) for field in (fields.SQLSTATE, fields.MESSAGE_PRIMARY, fields.MESSAGE_DETAIL,
                                                    fields.STATEMENT_POSITION)]


def asked(connection, sql, types, values):
    """Parse, Describe, Bind and Execute: the types of the parameters, and the rows."""
    pgconn = connection.pgconn
    prepared = pgconn.prepare(b"", sql.encode(), types)
    if problem(prepared):
        return ["Parse", *problem(prepared)]
    described = pgconn.describe_prepared(b"")
    oids = [described.param_type(number) for number in range(described.nparams)]
    bound = [None if value is None else value.encode() for value in values]
    result = pgconn.exec_prepared(b"", bound)
    rows = [[result.get_value(row, column) for column in range(result.nfields)] for row in range(result.ntuples)]
    return [oids, problem(result), rows]


def repeated(connection, name, city):
    """A value for the protected column, and one for the plain one."""
    return asked(connection, "UPDATE people SET name = $1, city = $2 WHERE id = 1", [TEXT, TEXT], [name, city])[1]


class Parameters(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.veiled = STACK.connect()
        self.addCleanup(self.veiled.close)

    def test_the_same_as_on_a_plain_table(self):
        plain = psycopg.connect(PLAIN, autocommit=True)
        self.addCleanup(plain.close)
        for statement in STATEMENTS:
            with self.subTest(statement):
                answers = []
                for connection in (plain, self.veiled):
                    connection.execute("BEGIN")
                    answers.append(asked(connection, *statement))
                    connection.execute("ROLLBACK")
                if STACK.has_newer_grammar and answers[0][1] == b"42601":
                    self.assertEqual(answers[1][:2] + answers[1][4:], ["Parse", b"0A000", answers[0][4]])
                else:
                    self.assertEqual(answers[1], answers[0])

    def test_a_syntax_error_in_a_failed_transaction(self):
        plain = psycopg.connect(PLAIN, autocommit=True)
        self.addCleanup(plain.close)
        states = []
        for connection in (plain, self.veiled):
            connection.execute("BEGIN")
            for sql in ("SELECT 1/0", "SELECT FROM people WHERE", "SELECT id FROM people"):
                with self.assertRaises(psycopg.Error) as caught:
                    connection.execute(sql)
                states.append(caught.exception.sqlstate)
        self.assertEqual(states[:3], ["22012", "42601", "25P02"])
        self.assertEqual(states[3:], ["22012", "25P02", "25P02"] if STACK.has_newer_grammar else states[:3])

    def test_what_a_null_test_leaves_of_a_value(self):
        STACK.mark_server_log()
        for values in ("hippo@zoo.org", "hippo@zoo.org"), ("none@zoo.org", "seen@zoo.org"):
            asked(self.veiled, "SELECT id, city = $3 FROM people WHERE $1 IS NULL OR email = $2", [TEXT, TEXT, TEXT],
                  [*values, "ostrich"])
        wait_until(lambda: STACK.server_log_since_mark().count("ostrich") >= 2, "the log of both statements")
        for word in ("hippo", "none@", "seen@"):
            self.assertNotIn(word, STACK.server_log_since_mark())

    def test_a_value_in_an_unprotected_place_is_refused(self):
        self.assertIsNone(repeated(self.veiled, "Zoe", "Zoe"), "3 characters")
        self.assertIsNone(repeated(self.veiled, "zebra", "Zebra"))
        refused = repeated(self.veiled, "zebra", "zebra")
        self.assertEqual(refused[0], b"0A000")
        self.assertIn(b"public.people.name", refused[1])
        constant = asked(self.veiled, "UPDATE people SET name = $1, city = 'zebra' WHERE id = 1", [], ["zebra"])[1]
        self.assertEqual(constant[0], b"0A000")
        listed = asked(self.veiled, "SELECT id FROM people WHERE ssn = ANY ($1) AND city = $2", [],
                       ["{giraffe,zebra}", "zebra"])[1]
        self.assertEqual(listed[0], b"0A000")

    def test_so_are_numbers_of_eight_digits_in_binary(self):
        sql = "SELECT id FROM people WHERE age = $1 AND id = $2"
        for number, state in ((1234567, None), (12345678, b"0A000")):
            value = number.to_bytes(4, "big")
            pgconn = self.veiled.pgconn
            pgconn.prepare(b"", sql.encode(), [INT4, INT4])
            refused = problem(pgconn.exec_prepared(b"", [value, value], [1, 1]))
            self.assertEqual(refused and refused[0], state)

    def test_arguments_of_execute(self):
        self.veiled.execute("PREPARE p (text, text) AS UPDATE people SET name = $1, city = $2 || 'zebra' WHERE id = 1")
        for arguments, state in (("'zebra', 'x'", "0A000"), ("'giraffe', 'giraffe'", "0A000"), ("'a', 'b'", None)):
            try:
                self.veiled.execute(f"EXECUTE p ({arguments})")
                came = None
            except psycopg.Error as error:
                came = error.sqlstate
            self.assertEqual(came, state, arguments)


class Types(unittest.TestCase):
    """Types with rows of protected tables in them, and parameters of types that pgveil does not know."""
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        succeeded(psql(STACK.url(), "-q", "-v", "ON_ERROR_STOP=1", options=STACK.options(), stdin=TYPES))
        with STACK.direct(autocommit=True) as direct:
            direct.execute(HOLDERS)
            cls.oids = {name: direct.execute("SELECT %s::regtype::oid", [name]).fetchone()[0] for name in HOLDING + HARMLESS}

    def setUp(self):
        self.veiled = STACK.connect()
        self.addCleanup(self.veiled.close)

    def state_of(self, sql, *values):
        try:
            self.veiled.execute(sql, *values)
        except psycopg.Error as error:
            return error.sqlstate
        return None

    def test_declared_by_parse(self):
        STACK.mark_server_log()
        for name in HOLDING + HARMLESS:
            with self.subTest(name):
                oid = self.oids[name]
                came = asked(self.veiled, "SELECT $1 IS NULL", [oid], [None])
                if name in HARMLESS:
                    self.assertEqual(came, [[oid], None, [[b"t"]]])
                else:
                    self.assertEqual(came[:2], ["Parse", b"0A000"])
        row = asked(self.veiled, "SELECT $1 IS NULL", [self.oids["people"]], ["(1,giraffe,,,,,,)"])
        self.assertEqual(row[1], b"0A000")
        self.assertEqual(asked(self.veiled, "SELECT $1::text", [self.oids["pair"]], ["(1,ostrich)"])[2], [[b"(1,ostrich)"]])
        wait_until(lambda: "ostrich" in STACK.server_log_since_mark(), "the log of the last statement")
        self.assertNotIn("giraffe", STACK.server_log_since_mark())
        self.assertEqual(asked(self.veiled, "SELECT $1", [4000000000], ["a"])[:2], ["Parse", b"42704"])

    def test_named(self):
        for name in HOLDING + ["_someone", "_" + LONG[1:], "___late"]:
            self.assertEqual(self.state_of(f"SELECT NULL::{name}"), "0A000", name)
            self.assertEqual(self.state_of(f"PREPARE q ({name}) AS SELECT $1"), "0A000", name)
        for name in HARMLESS[:-1]:
            self.assertIsNone(self.state_of(f"SELECT NULL::{name}"), name)
        for sql in ("CREATE TABLE kept (who someone)", "CREATE TABLE kept (who span)", "SELECT someone('(1,,,,,,,)')",
                    "CREATE DOMAIN more AS someone", "CREATE TYPE more AS (who someone)",
                    "SELECT public.someone('(1,,,,,,,)')", "SELECT _people('{}')", "SELECT x.p FROM json_to_record('{}') AS x(p crowd)"):
            self.assertEqual(self.state_of(sql), "0A000", sql)
        self.assertEqual(self.veiled.execute("SELECT short('abc'), mood('ok')").fetchone(), ("abc", "ok"))

    def test_a_type_that_gets_such_rows_later(self):
        with STACK.direct(autocommit=True) as direct:
            direct.execute("CREATE TYPE later AS (a int4)")
            oid = direct.execute("SELECT 'later'::regtype::oid").fetchone()[0]
            pgconn = self.veiled.pgconn
            self.assertIsNone(problem(pgconn.prepare(b"kept", b"SELECT $1 IS NULL", [oid])))
            self.assertIsNone(problem(pgconn.exec_prepared(b"kept", [b"(1)"])))
            direct.execute("ALTER TYPE later ADD ATTRIBUTE who people")
            wait_until(lambda: asked(self.veiled, "SELECT $1 IS NULL", [oid], [None])[0] == "Parse", "the end of what is kept")
            self.assertEqual(problem(pgconn.exec_prepared(b"kept", [b'(1,"(1,giraffe,,,,,,)")']))[0], b"0A000")

    def test_null_tests_beside_sealed_values(self):
        STACK.mark_server_log()
        short = self.oids["short"]
        for test, types, state in (("$1 IS NULL", [NAME, TEXT], b"0A000"), ("$1 IS NULL", [short, TEXT], b"0A000"),
                                   ("$1::name IS NULL", [], b"0A000"), ("$1::short IS NOT NULL", [], b"0A000"),
                                   ("$1 IS NULL", [], b"42P18"), ("$1 IS NULL", [705, TEXT], b"42P18")):
            with self.subTest(test, types=types):
                came = asked(self.veiled, f"SELECT id FROM people WHERE {test} OR email = $2", types, ["ibex", "ibex"])
                self.assertEqual(came[:2], ["Parse", state])
        runs = "SELECT id, 'ostrich' FROM people WHERE $1::varchar::text IS NULL OR email = $2"
        self.assertEqual(asked(self.veiled, runs, [], ["ibex", "ibex"]), [[VARCHAR, TEXT], None, []])
        for types in ([NAME], [short]):
            self.assertEqual(asked(self.veiled, "SELECT id FROM people WHERE $1 IS NULL OR email = $1", types, ["ibex"])[:2],
                             ["Parse", b"0A000"])
        self.assertEqual(self.state_of("PREPARE q (text, text) AS SELECT id FROM people WHERE $1 IS NULL OR email = $2"), "0A000")
        wait_until(lambda: "ostrich" in STACK.server_log_since_mark(), "the log of the statement that runs")
        self.assertNotIn("ibex", STACK.server_log_since_mark())


class Counted(unittest.TestCase):
    def test_values_in_an_unprotected_place_pass(self):
        policy = {"tables": {"public.people": {"columns": COLUMNS}}, "repeated_values": "count"}
        stack = Stack.start(policy)
        self.addCleanup(stack.stop)
        succeeded(psql(stack.url(), "-q", "-v", "ON_ERROR_STOP=1", options=stack.options(), stdin=SCHEMA))
        with stack.connect() as connection:
            self.assertIsNone(repeated(connection, "zebra", "zebra"))
            both = asked(connection, "SELECT id FROM people WHERE ssn = $1 OR city = $1 ORDER BY id", [TEXT], ["Oslo"])
            self.assertEqual(both, [[TEXT], None, [[b"2"]]])
            connection.execute("UPDATE people SET name = 'giraffe', city = 'giraffe' WHERE id = 2")
        wait_until(lambda: stack.proxy_log().count("also left unencrypted") == 3, "three lines in the log")
        self.assertIn("public.people.name", stack.proxy_log())
        self.assertNotIn("zebra", stack.proxy_log())


if __name__ == "__main__":
    unittest.main()
