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

TEXT, VARCHAR, INT4, INT8, UUID = 25, 1043, 23, 20, 2950

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
    STACK = Stack.start({"tables": {"public.people": {"columns": COLUMNS}}})
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
        self.assertEqual(states[3:], states[:3])
        self.assertEqual(states[1], "42601")

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
