"""Two tables `people`, one protected through pgveil and one plain, for expressions that choose among values."""

from ordered import answer, with_raw_values

import psycopg

POLICY = {"tables": {
    "public.people": {"columns": {
        "name": {"type": "varchar(12)"},
        "note": {"type": "text"},
        "email": {"type": "varchar(20)", "search": "equality"},
        "ssn": {"type": "text", "search": "equality", "context": "ssn"},
        "ssn2": {"type": "text", "search": "equality", "context": "ssn"},
        "born": {"type": "date", "search": "order"},
        "age": {"type": "int4", "search": "order"},
        "big": {"type": "int8", "search": "equality"},
        "small": {"type": "int2", "search": "equality"},
        "price": {"type": "numeric(8,2)", "search": "equality"},
        "code": {"type": "char(4)", "search": "equality"},
        "seen": {"type": "timestamptz", "search": "equality"},
        "mark": {"type": "uuid", "search": "equality"},
        "raw": {"type": "bytea", "search": "equality"},
        "ratio": {"type": "float8", "search": "equality"},
        "active": {"type": "bool", "search": "equality"}}},
    "public.weak": {"columns": {"name": {"type": "text"}}},
    "public.aliases": {"columns": {
        "name": {"type": "varchar(12)"},
        "ssn": {"type": "text", "search": "equality", "context": "ssn"}}}}}

SCHEMA = """
CREATE TABLE people (id serial PRIMARY KEY, name varchar(12), note text, email varchar(20), ssn text, ssn2 text, born date,
    age int, big bigint, small smallint, price numeric(8,2), code char(4), seen timestamptz, mark uuid, raw bytea,
    ratio double precision, active boolean, city text);
CREATE TABLE aliases (id int PRIMARY KEY, person int, name varchar(12), ssn text);
"""

PEOPLE = [
    ("Ann Zebulon", "first note", "ann@zebulon.org", "s-1001", "s-1001", "1990-01-02", 30, 9000000000, 7, "12.50", "abcd",
     "2020-01-02 03:04:05+00", "11111111-2222-3333-4444-555555555555", "\\x0102", 0.5, True, "Bonn"),
    ("Bob Quixote", None, None, "s-1002", "s-1003", None, None, None, None, None, "ab", None, None, None, None, None, "Ulm"),
    (None, "third note", "cy@quixote.org", None, "s-1002", "1985-05-05", 41, -5, -3, "0.00", None,
     "2021-06-07 08:09:10+00", "99999999-2222-3333-4444-555555555555", "\\x", -1.25, False, None),
    ("", "", "", "", None, "2001-09-09", 0, 0, 0, "-3.00", "", None, None, "\\xff", 3, False, ""),
]
COLUMNS = ("name", "note", "email", "ssn", "ssn2", "born", "age", "big", "small", "price", "code", "seen", "mark", "raw",
           "ratio", "active", "city")

# What may stand in no log.
SECRET = ["Zebulon", "Quixote", "s-1001", "s-1002", "first note", "third note", "Nobody Here", "Pseudonym"]

MORE_TYPES = ("bool", "uuid", "record")


class TwoPeople:
    """The same rows through pgveil (`veiled`) and in another database (`plain`)."""

    def __init__(self, stack):
        stack.superuser("CREATE DATABASE plains OWNER app")
        self.veiled = with_raw_values(stack.connect())
        self.plain = with_raw_values(psycopg.connect(stack.url("direct", "app", "plains"), autocommit=True))
        marks = ", ".join(["%s"] * len(COLUMNS))
        for connection in self.both():
            for name in ("bool", "uuid"):
                connection.adapters.register_loader(name, connection.adapters.get_loader(25, 0))
            for statement in SCHEMA.strip().split(";\n"):
                connection.execute(statement)
            with connection.transaction(), connection.cursor() as cursor:
                cursor.executemany(f"INSERT INTO people ({', '.join(COLUMNS)}) VALUES ({marks})", PEOPLE)
                cursor.executemany("INSERT INTO aliases VALUES (%s, %s, %s, %s)",
                                   [(1, 1, "Pseudonym", "s-1001"), (2, 2, None, None), (3, 3, "Quixote II", "s-1002")])

    def both(self):
        return (self.veiled, self.plain)

    def answers(self, query, parameters=(), how="extended"):
        return [answer(connection, query, parameters, how) for connection in self.both()]

    def close(self):
        for connection in self.both():
            connection.close()
