"""COPY as libpq gives it to a client, in both protocols, on tables that lie behind pgveil and plain beside it."""

import unittest

import psycopg
from psycopg import pq
from psycopg.pq import DiagnosticField as Field
from psycopg.pq import ExecStatus

from stack import Stack

PROTOCOLS = (False, True)  # is it the extended one?

POLICY = {"tables": {
    "public.people": {"columns": {
        "name": {"type": "text"},
        "code": {"type": "varchar(6)", "search": "equality"},
        "born": {"type": "date", "search": "order"},
        "seen": {"type": "timestamptz"},
        "amount": {"type": "numeric(8,2)"},
        "ok": {"type": "bool"},
        "raw": {"type": "bytea"},
        "ref": {"type": "uuid"},
        "ratio": {"type": "float8"}}},
    "public.mixed": {"columns": {"secret": {"type": "text"}, "count": {"type": "int8", "search": "equality"}}},
    "public.dated": {"columns": {"secret": {"type": "text"}}},
    "public.cards": {"columns": {"pin": {"type": "text", "pad_to": 16}}},
    "public.charts": {"columns": {"finding": {"type": "text", "bind_to": ["ward", "number"]}}}}}

SCHEMA = """
CREATE TABLE people (id int PRIMARY KEY, name text, code varchar(6), born date, seen timestamptz, amount numeric(8,2),
                     ok bool, raw bytea, ref uuid, ratio float8, note text NOT NULL DEFAULT 'none', "Ward 7" text);
CREATE TABLE cards (id int GENERATED ALWAYS AS IDENTITY, pin text, twice int GENERATED ALWAYS AS (id * 2) STORED, city text);
CREATE TABLE charts (ward smallint, number int, finding text, room text, PRIMARY KEY (ward, number));
CREATE TABLE mixed (id bigint PRIMARY KEY, small smallint, secret text, ok bool, code varchar(4), fixed char(3), count int8,
                    raw bytea, ref uuid, doc json, tree jsonb, city text NOT NULL DEFAULT 'Prague');
CREATE TABLE dated (id int, secret text, day date);
CREATE TABLE wards (id int PRIMARY KEY, name text);
"""

# What may not stand in the server's log when it came through pgveil.
SECRET = ["Copied Canary", "Kopie Žofie", "canary-pin"]


def plain_url(stack):
    return stack.url("direct", "app", "clinic_plain")


def start():
    """A stack with the tables behind pgveil and, in a database of their own, plain."""
    stack = Stack.start(POLICY)
    stack.never_logged = SECRET
    stack.superuser("CREATE DATABASE clinic_plain OWNER app")
    with stack.connect() as veiled, psycopg.connect(plain_url(stack), autocommit=True) as plain:
        for statement in SCHEMA.strip().split(";\n"):
            veiled.execute(statement)
            plain.execute(statement)
    CopyCase.stack = stack
    return stack


class Session:
    """One libpq connection, blocking. Outcomes are plain tuples, so that two of them can be compared."""

    def __init__(self, url, options=""):
        self.conn = pq.PGconn.connect(psycopg.conninfo.make_conninfo(url, options=options).encode())
        assert self.conn.status == pq.ConnStatus.OK, self.conn.error_message

    def close(self):
        self.conn.finish()

    def run(self, sql):
        """The outcome of a statement without COPY, rows included."""
        result = self.conn.exec_(sql.encode())
        rows = [[result.get_value(row, column) for column in range(result.nfields)] for row in range(result.ntuples)]
        return self._outcome(result), rows

    def _outcome(self, result):
        if result.status == ExecStatus.FATAL_ERROR:
            fields = (Field.SQLSTATE, Field.MESSAGE_PRIMARY, Field.MESSAGE_DETAIL, Field.MESSAGE_HINT, Field.CONTEXT)
            return tuple((result.error_field(field) or b"").decode(errors="replace") for field in fields)
        return ExecStatus(result.status).name, (result.command_status or b"").decode()

    def _start(self, sql, extended):
        return self.conn.exec_params(sql.encode(), None) if extended else self.conn.exec_(sql.encode())

    def _rest(self):
        """Reads up to ReadyForQuery; the outcome of the last result, and the data of a further COPY TO."""
        last = ()
        while (result := self.conn.get_result()) is not None:
            last = self._outcome(result)
            while result.status == ExecStatus.COPY_OUT and (got := self.conn.get_copy_data(0))[0] > 0:
                last = (*last, bytes(got[1]))
        return (*last, self.conn.transaction_status)

    def copy_in(self, sql, data, extended=False, pieces=None, fail=None):
        """Feeds `data` to COPY FROM in pieces of that many bytes, then ends it, or gives up with the text `fail`."""
        result = self._start(sql, extended)
        if result.status != ExecStatus.COPY_IN:
            return (*self._outcome(result), self.conn.transaction_status)
        started = (result.nfields, result.binary_tuples)
        pieces = pieces or max(1, len(data))
        for start in range(0, len(data), pieces):
            self.conn.put_copy_data(data[start:start + pieces])
        self.conn.put_copy_end(fail)
        return (*started, *self._rest())

    def copy_out(self, sql, extended=False):
        """(messages, outcome) of COPY TO."""
        result = self._start(sql, extended)
        if result.status != ExecStatus.COPY_OUT:
            return [], (*self._outcome(result), self.conn.transaction_status)
        formats = [result.fformat(column) for column in range(result.nfields)]
        messages = []
        while True:
            size, data = self.conn.get_copy_data(0)
            if size < 0:
                break
            messages.append(bytes(data))
        return messages, (formats, *self._rest())


COLUMNS = "id, name, code, born, seen, amount, ok, raw, ref, ratio, note, \"Ward 7\""

TEXT = (b"1\tCopied Canary\tab\t2001-02-03\t2020-01-01 10:00+02\t12.345\tt\t\\\\x0102ff\t"
        b"6f9b1c3e-0a51-4f0e-9a39-5d1f2b7c8e01\t1.5\tn\tw\n"
        b"2\t\\N\t\\N\t\\N\t\\N\t\\N\t\\N\t\\N\t\\N\t\\N\tx\t\\N\n"
        b"3\ttab\\there\\nline\\\\back.\\141\\x62\\q\tabc   \t1999-12-31\t2021-06-01 12:00:00.123456Z\t-0.5\tno\t"
        b"abc\\\\134\t{0D3C7A52-6e0b-4c2d-8f74-91b0a6c5d802}\t-0\t\\\\N\t\\t\n"
        + "4\tKopie Žofie 渡辺\té\tJan 2, 2003\t2022-02-02\t1e3\ttrue\t\t\\N\tNaN\t\t\n".encode())


class CopyCase(unittest.TestCase):
    maxDiff = 3000
    stack = None  # of the test file

    def setUp(self):
        self.sessions = [Session(self.stack.url(), self.stack.options()), Session(plain_url(self.stack))]
        for session in self.sessions:
            self.addCleanup(session.close)
        self.clear()

    def clear(self):
        for session in self.sessions:
            session.run("TRUNCATE people, charts, mixed, dated")
            session.run("TRUNCATE cards RESTART IDENTITY")

    def both(self, ask):
        veiled, plain = [ask(session) for session in self.sessions]
        self.assertEqual(veiled, plain)
        return plain

    def set(self, statement):
        self.both(lambda session: session.run(statement)[0])

    def fill(self):
        self.assertEqual(self.both(lambda session: session.copy_in("COPY people FROM STDIN", TEXT))[3], "COPY 4")

    def copy_in(self, sql, data, table="people", pieces=(None, 3)):
        """The same outcome on both, in both protocols, whatever the pieces; and the same rows afterwards."""
        for extended in PROTOCOLS:
            for size in pieces:
                with self.subTest(sql, extended=extended, pieces=size):
                    self.clear()
                    outcome = self.both(lambda session: session.copy_in(sql, data, extended, size))
                    self.both(lambda session: session.run(f"SELECT * FROM {table} ORDER BY 1"))
        return outcome

    def copy_out(self, sql):
        for extended in PROTOCOLS:
            with self.subTest(sql, extended=extended):
                messages, outcome = self.both(lambda session: session.copy_out(sql, extended))
        return messages, outcome
