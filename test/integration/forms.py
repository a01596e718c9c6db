"""The same statements through pgveil and on plain tables of another database, over both protocols: what came back."""

import tempfile
import unittest

import psycopg

from stack import Stack

POLICY = """
{ "tables": { "public.people": { "columns": {
    "name": { "type": "varchar(20)" },
    "ssn":  { "type": "text", "search": "equality" },
    "born": { "type": "date", "search": "order" },
    "age":  { "type": "int4", "search": "order" },
    "note": { "type": "text", "bind_to": ["id"] } } },
  "public.copies": { "columns": { "ssn": { "type": "text" } } } } }
"""

SCHEMA = (
    "CREATE TABLE people (id int PRIMARY KEY, name varchar(20), ssn text UNIQUE, born date, age int, note text, city text)",
    "CREATE TABLE cities (city text PRIMARY KEY, zone int)",
    "INSERT INTO cities VALUES ('Bern', 1), ('Graz', 2)",
    "INSERT INTO people VALUES (1, 'Ann Archer', '111-XK', '1990-01-02', 30, 'note of Ann', 'Bern'),"
    " (2, 'Bob Baker', '222-XK', '1985-05-06', 35, 'note of Bob', 'Graz'), (3, 'Cid Cooper', '333-XK', NULL, NULL, NULL,"
    " 'Bern'), (4, 'Dan Dyer', '444-XK', '2001-12-31', 19, 'note of Dan', NULL)",
    "CREATE FUNCTION hidden() RETURNS refcursor LANGUAGE plpgsql AS $$ DECLARE c refcursor := 'c'; BEGIN OPEN c FOR"
    " SELECT city, zone FROM cities ORDER BY 1; RETURN c; END $$",
)
SECRET = ["Ann Archer", "Bob Baker", "Cid Cooper", "Dan Dyer", "111-XK", "222-XK", "333-XK", "444-XK", "note of Ann",
          "note of Bob", "note of Dan", "Eve Evans", "555-XK"]

TEXT, BINARY = psycopg.pq.Format.TEXT, psycopg.pq.Format.BINARY


def said(result):
    """All of a result that a client can see."""
    fields = [(result.fname(i), result.ftype(i), result.fsize(i), result.fmod(i), result.fformat(i))
              for i in range(result.nfields)]
    rows = [[result.get_value(row, i) for i in range(result.nfields)] for row in range(result.ntuples)]
    error = [result.error_field(field) for field in (
        psycopg.pq.DiagnosticField.SQLSTATE, psycopg.pq.DiagnosticField.MESSAGE_PRIMARY,
        psycopg.pq.DiagnosticField.MESSAGE_DETAIL, psycopg.pq.DiagnosticField.STATEMENT_POSITION)]
    return result.status, fields, rows, result.command_status, error


class Twins:
    """Two sessions: `veiled` through pgveil, `plain` straight to a database with plain tables."""

    def __init__(self, stack):
        self.veiled = stack.connect()
        self.plain = psycopg.connect(stack.url("direct", "app", "plains"), autocommit=True)

    def close(self):
        self.veiled.close()
        self.plain.close()

    def run(self, statements, how):
        """[(statement, what veiled said, what plain said), ...]; how: simple, extended, binary."""
        answers = []
        for statement in statements:
            pair = []
            for connection in (self.veiled, self.plain):
                libpq = connection.pgconn
                if how == "simple":
                    result = libpq.exec_(statement.encode())
                else:
                    result = libpq.exec_params(statement.encode(), [], result_format=BINARY if how == "binary" else TEXT)
                pair.append((said(result), libpq.transaction_status))
            answers.append((statement, *pair))
        return answers


STACKS = []


def one_stack():
    """One for all cases of a file, with both databases filled."""
    if STACKS:
        return STACKS[0]
    with tempfile.NamedTemporaryFile("w", suffix=".json") as policy:
        policy.write(POLICY)
        policy.flush()
        STACKS.append(Stack.start(policy.name))
    stack = STACKS[0]
    stack.never_logged = SECRET
    stack.superuser("CREATE DATABASE plains OWNER app")
    twins = Twins(stack)
    for connection in (twins.veiled, twins.plain):
        for statement in SCHEMA:
            connection.execute(statement)
    twins.close()
    return stack


def stop():
    """What a test file has as tearDownModule."""
    for stack in STACKS:
        stack.stop()


class FormCase(unittest.TestCase):
    """Sessions of their own for each test."""

    maxDiff = 4000

    @classmethod
    def setUpClass(cls):
        cls.stack = one_stack()

    def setUp(self):
        self.twins = Twins(self.stack)
        self.addCleanup(self.twins.close)

    def assert_same(self, *statements, protocols=("simple", "extended", "binary")):
        """The last answer on the plain table, as rows."""
        for how in protocols:
            for statement, veiled, plain in self.twins.run(statements, how):
                with self.subTest(statement, how=how):
                    self.assertEqual(veiled, plain)
        return plain[0][2]

    def veiled_error(self, statement, how="simple"):
        """The SQLSTATE with which pgveil answers this alone."""
        libpq = self.twins.veiled.pgconn
        result = libpq.exec_(statement.encode()) if how == "simple" else libpq.exec_params(statement.encode(), [])
        state = result.error_field(psycopg.pq.DiagnosticField.SQLSTATE)
        return state.decode() if state else ""
