"""The two sides: a database that the policy covers, asked through pgveil, and one with the same plain tables, asked
directly. Both lie on one server."""

import psycopg

import pgtypes
from comparison import Names, error_of, readable
from session import Session

TOKEN_S = 14400
VEILED, PLAIN = "clinic", "plains"


class Twins:
    """A pair of sessions and what their numbers mean."""

    def __init__(self, stack):
        self.stack = stack
        self.around = 0
        if not stack.superuser(f"SELECT 1 FROM pg_database WHERE datname = '{PLAIN}'"):
            stack.superuser(f"CREATE DATABASE {PLAIN} OWNER app")
            for database in (VEILED, PLAIN):
                labels = ", ".join(pgtypes.quoted(label) for label in pgtypes.LABELS)
                stack.superuser(f"CREATE TYPE public.mood AS ENUM ({labels})", database)
        self.names = [Names(lambda: self.direct(VEILED)), Names(lambda: self.direct(PLAIN))]
        self.connect()

    def direct(self, database):
        return psycopg.connect(self.stack.url("direct", "app", database), autocommit=True)

    def connect(self):
        self.veiled = Session(self.stack, "proxy", self.stack.options(valid_s=TOKEN_S), VEILED)
        self.plain = Session(self.stack, "direct", "-c application_name=direct", PLAIN)

    def reconnect(self):
        for session in (self.veiled, self.plain):
            session.__exit__()
        self.connect()

    def read(self, answer, side):
        return readable(answer, self.names[side])

    def both(self, sql):
        """A statement that must have the same effect on both; their answers."""
        return [self.read(session.run(sql), side) for side, session in enumerate((self.veiled, self.plain))]

    def make(self, sql, kind):
        """A piece of the schema. What the proxy does not make is made around it, as an owner of the database would:
        views over protected tables, indexes."""
        veiled, plain = self.both(sql)
        if error_of(plain):
            raise AssertionError(f"PostgreSQL does not take {sql}: {error_of(plain)}")
        refused = error_of(veiled)
        if refused is None:
            return
        if kind not in ("view", "index") or refused["C"] != "0A000":
            raise AssertionError(f"through pgveil, {sql}: {refused}")
        with self.direct(VEILED) as connection:
            connection.execute(sql)
        self.around += 1

    def renew(self, schema):
        """The schema as it was at the start."""
        for sql in schema.drops():
            self.both(sql)
        for sql, kind in schema.statements():
            self.make(sql, kind)
        if self.around:
            self.reconnect()  # a session sees at once what others defined before it began
        for table in schema.tables:
            if table.kind == "partition":
                continue
            sql = schema.rows(table)
            for answer in self.both(sql):
                if error_of(answer):
                    raise AssertionError(f"filling a table, {sql}: {error_of(answer)}")

    def unequal_tables(self, schema):
        """(table, answers) of the first whose rows differ."""
        for table in schema.tables:
            veiled, plain = self.both(f"SELECT * FROM {table.name} ORDER BY id")
            if [body for letter, body in veiled if letter in "DCE"] != [body for letter, body in plain if letter in "DCE"]:
                return table, veiled, plain
        return None
