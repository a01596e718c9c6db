"""Two tables of the same values of every ordered type: one protected, through pgveil, and one plain, in another database
of the same server. Values are text, and answers are compared byte for byte as they come over the wire."""

import random

import psycopg

POLICY = """
{ "tables": { "public.events": { "columns": {
    "i2":  { "type": "int2", "search": "order" },
    "i4":  { "type": "int4", "search": ["equality", "order"] },
    "i8":  { "type": "int8", "search": "order" },
    "d":   { "type": "date", "search": "order", "context": "day" },
    "d2":  { "type": "date", "search": "order", "context": "day" },
    "ts":  { "type": "timestamp", "search": "order" },
    "ts3": { "type": "timestamp(3)", "search": "order" },
    "tz":  { "type": "timestamptz", "search": "order" },
    "f4":  { "type": "float4", "search": "order" },
    "f8":  { "type": "float8", "search": "order" },
    "n":   { "type": "numeric(38,3)", "search": "order" },
    "t":   { "type": "text", "search": "order", "order_bytes": 40 },
    "v":   { "type": "varchar(20)", "search": "order" },
    "c":   { "type": "char(8)", "search": "order" },
    "b":   { "type": "bytea", "search": "order", "order_bytes": 12 } } },
  "public.calendar": { "columns": {
    "d":    { "type": "date", "search": "order", "context": "day" },
    "moon": { "type": "int2", "search": "order" } } },
  "public.novels": { "columns": { "title": { "type": "text", "search": "order" } } } } }
"""

SCHEMA = """
CREATE TABLE events (id int PRIMARY KEY, room int, i2 smallint, i4 int, i8 bigint, d date, d2 date, ts timestamp,
    ts3 timestamp(3), tz timestamptz, f4 real, f8 double precision, n numeric(38,3), t text, v varchar(20), c char(8),
    b bytea);
CREATE TABLE calendar (d date PRIMARY KEY, moon smallint NOT NULL UNIQUE, event int REFERENCES events (id));
CREATE INDEX events_d ON events (d);
CREATE INDEX events_n ON events (n DESC NULLS LAST, id);
CREATE UNIQUE INDEX events_t ON events (t, id);
"""

EDGES = {
    "i2": ["-32768", "32767", "0", "-1", "1"],
    "i4": ["-2147483648", "2147483647", "0", "-1", "1"],
    "i8": ["-9223372036854775808", "9223372036854775807", "0", "-1", "1"],
    "d": ["-infinity", "infinity", "4713-01-01 BC", "5874897-12-31", "2000-01-01", "1999-12-31"],
    "d2": ["-infinity", "infinity", "2000-01-01"],
    "ts": ["-infinity", "infinity", "4713-01-01 00:00:00 BC", "294276-12-31 23:59:59.999999", "2000-01-01 00:00:00"],
    "ts3": ["-infinity", "infinity", "2000-01-01 00:00:00.001"],
    "tz": ["-infinity", "infinity", "2000-01-01 00:00:00+00", "2000-01-01 00:00:00+05"],
    "f4": ["-Infinity", "Infinity", "NaN", "0", "1e-45", "-1e-45", "3.4028235e38", "-3.4028235e38"],
    "f8": ["-Infinity", "Infinity", "NaN", "0", "5e-324", "-5e-324", "1.7976931348623157e308", "-1.7976931348623157e308"],
    "n": ["99999999999999999999999999999999999.999", "-99999999999999999999999999999999999.999", "NaN", "0", "0.001",
          "-0.001"],
    "t": ["", " ", "Zebra Quagga", "zebra quagga", "zebra quagga ", "Éclair"],
    "v": ["", "Aardvark", "aardvark", "aardvark  "],
    "c": ["", "Axolotl", "axolotl", "a"],
    "b": ["\\x", "\\x00", "\\x0000", "\\xff", "\\xffffffffffffffffffffffff"],
}
COLUMNS = tuple(EDGES)

# What may stand in no log: values of protected columns that nothing else spells.
SECRET = ["Zebra Quagga", "zebra quagga", "Éclair", "Aardvark", "aardvark", "Axolotl", "99999999999999999999999999999999",
          "Wordsworth"]


def random_value(column, rng):
    """Mostly from a narrow range, so that values meet each other and their neighbours."""
    if rng.random() < 0.2:
        return rng.choice(EDGES[column])
    small = rng.randint(-40, 40)
    day = f"20{rng.randint(0, 30):02}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"
    clock = f"{rng.randint(0, 23):02}:{rng.randint(0, 59):02}:{rng.randint(0, 59):02}"
    return {
        "i2": lambda: str(small),
        "i4": lambda: str(small if small % 2 else rng.randint(-2**31, 2**31 - 1)),
        "i8": lambda: str(small if small % 2 else rng.randint(-2**63, 2**63 - 1)),
        "d": lambda: day,
        "d2": lambda: day,
        "ts": lambda: f"{day} {clock}.{rng.randint(0, 999999):06}",
        "ts3": lambda: f"{day} {clock}.{rng.randint(0, 999):03}",
        "tz": lambda: f"{day} {clock}{rng.choice(['+00', '+05:30', '-08'])}",
        "f4": lambda: repr(small / 8),
        "f8": lambda: repr(rng.uniform(-1, 1) * 10 ** rng.randint(-300, 300)),
        "n": lambda: f"{rng.randint(-10**rng.randint(1, 30), 10**30)}.{rng.randint(0, 999):03}",
        "t": lambda: "Wordsworth " + "".join(rng.choices("aAzZ é~", k=rng.randint(0, 6))),
        "v": lambda: "".join(rng.choices("abAB 12", k=rng.randint(0, 5))),
        "c": lambda: "".join(rng.choices("abAB", k=rng.randint(0, 8))),
        "b": lambda: "\\x" + rng.randbytes(rng.randint(0, 12)).hex(),
    }[column]()


class Raw(psycopg.adapt.Loader):
    """A value as its bytes came."""

    def load(self, data):
        return bytes(data)


class RawBinary(Raw):
    format = psycopg.pq.Format.BINARY


TYPES = ("int2", "int4", "int8", "date", "timestamp", "timestamptz", "float4", "float8", "numeric", "text", "varchar",
         "bpchar", "bytea")


def with_raw_values(connection):
    for name in TYPES:
        connection.adapters.register_loader(name, Raw)
        connection.adapters.register_loader(name, RawBinary)
    return connection


class TwoTables:
    """`events` through pgveil and plain, with the same rows."""

    ROWS = 300

    def __init__(self, stack, seed=20):
        self.rng = random.Random(seed)
        stack.superuser("CREATE DATABASE plains OWNER app")
        self.veiled = with_raw_values(stack.connect())
        self.plain = with_raw_values(psycopg.connect(stack.url("direct", "app", "plains"), autocommit=True))
        rows = [self.row(number) for number in range(self.ROWS)]
        marks = ", ".join(["%s"] * (2 + len(COLUMNS)))
        for connection in (self.veiled, self.plain):
            for statement in SCHEMA.strip().split(";\n"):
                connection.execute(statement)
            with connection.transaction(), connection.cursor() as cursor:
                cursor.executemany(f"INSERT INTO events (id, room, {', '.join(COLUMNS)}) VALUES ({marks})", rows)
            connection.execute("ANALYZE events")

    def row(self, number):
        values = [None if self.rng.random() < 0.1 else random_value(column, self.rng) for column in COLUMNS]
        return [number, self.rng.randint(1, 7), *values]

    def value(self, column):
        return random_value(column, self.rng)

    def answers(self, query, parameters=(), how="extended"):
        """(through pgveil, on the plain table): description and rows, or the error's SQLSTATE."""
        return [answer(connection, query, parameters, how) for connection in (self.veiled, self.plain)]


def answer(connection, query, parameters, how):
    """how: simple, extended, prepared, binary."""
    cursor = psycopg.ClientCursor(connection) if how == "simple" else connection.cursor(binary=how == "binary")
    options = {} if how == "simple" else {"prepare": how == "prepared"}
    try:
        cursor.execute(query, parameters, **options)
    except psycopg.Error as error:
        return error.sqlstate
    shape = [(column.name, column.type_code, column.internal_size, column.precision, column.scale, column.display_size)
             for column in cursor.description]
    return shape, cursor.fetchall()
