"""The types: input texts that PostgreSQL accepts for them, ones that it does not, and binary forms."""

import datetime
import random
import struct
import uuid


class Type:
    """A type as the policy spells it. `pool`: few values, so that columns meet each other. `wrong`: (input, why)."""

    def __init__(self, name, oid, pool, wrong=(), binary=None, array=0, traits=""):
        self.name = name
        self.oid = oid
        self.array = array
        self.pool = pool
        self.wrong = wrong
        self.binary = binary
        self.traits = traits.split()

    @property
    def groups(self):
        """Has = and can be sorted."""
        return "unsorted" not in self.traits

    @property
    def is_number(self):
        return "number" in self.traits

    @property
    def is_text(self):
        return "text" in self.traits

    def half(self, plain):
        """What plain columns hold, or what protected ones do; short values are in both."""
        return [value for number, value in enumerate(self.pool) if len(value) < 4 or number % 2 == int(plain)]

    def value(self, rng):
        """A constant that stands beside no column."""
        return rng.choice(self.half(True))


def integer(code):
    return lambda value: struct.pack("!" + code, int(value))


def as_date(value):
    if "infinity" in value or len(value) != 10:
        return None
    return struct.pack("!i", (datetime.date.fromisoformat(value) - datetime.date(2000, 1, 1)).days)


def as_timestamp(value):
    try:
        moment = datetime.datetime.fromisoformat(value)
    except ValueError:
        return None
    return struct.pack("!q", (moment - datetime.datetime(2000, 1, 1)) // datetime.timedelta(microseconds=1))


def as_float(code):
    return lambda value: struct.pack("!" + code, float(value))


def as_bytes(value):
    return bytes.fromhex(value[2:])


WORDS = ["", "a", "b", "A", "Zebra", "zebra", "o'Leary", "x y", "10%", "Žofie", "back\\slash", "NULL", "tail "]
DAYS = ["2020-02-29", "1999-12-31", "2000-01-01", "2001-07-04", "1970-01-01", "2024-11-05", "0044-03-15 BC", "infinity"]
MOMENTS = ["2020-02-29 10:11:12", "1999-12-31 23:59:59.5", "2000-01-01 00:00:00", "2001-07-04 00:00:00.000001",
           "2024-11-05 08:00:00", "-infinity"]
UUIDS = [str(uuid.UUID(int=random.Random(number).getrandbits(128))) for number in range(8)]
NUMBERS = ["0", "1", "-1", "2", "3", "7", "42", "-17"]

BOOL = Type("bool", 16, ["true", "false", "t", "f", "1", "no"], [("maybe", "22P02")],
            lambda value: b"\1" if value in ("true", "t", "1") else b"\0", 1000)
INT2 = Type("int2", 21, NUMBERS + ["32767", "-32768"], [("32768", "22003"), ("x", "22P02")], integer("h"), 1005, "number")
INT4 = Type("int4", 23, NUMBERS + ["2147483647", "-2147483648"], [("2147483648", "22003"), ("1.5", "22P02")], integer("i"),
            1007, "number")
INT8 = Type("int8", 20, NUMBERS + ["9223372036854775807", "-9223372036854775808"], [("9223372036854775808", "22003")],
            integer("q"), 1016, "number")
NUMERIC = Type("numeric(10,2)", 1700, NUMBERS + ["0.50", "2.5", "-3.25", "99999999.99", "NaN"],
               [("123456789.5", "22003"), ("1,5", "22P02")], None, 1231, "number")
FLOAT4 = Type("float4", 700, ["0", "1", "-1", "0.5", "2.25", "1e20", "NaN", "Infinity"], [("1e99", "22003"), ("x", "22P02")],
              as_float("f"), 1021)
FLOAT8 = Type("float8", 701, ["0", "1", "-1", "0.1", "2.25", "1e200", "NaN", "-Infinity"], [("1e999", "22003"), ("x", "22P02")],
              as_float("d"), 1022)
TEXT = Type("text", 25, WORDS, [], str.encode, 1009, "text")
VARCHAR = Type("varchar(12)", 1043, WORDS, [("x" * 13, "22001")], str.encode, 1015, "text")
CHAR = Type("char(6)", 1042, ["", "a", "b", "zebra", "Zebra", "six666", "b  "], [("sevenly", "22001")], str.encode, 1014, "text")
BYTEA = Type("bytea", 17, ["\\x", "\\x00", "\\x01ff", "\\xdeadbeef", "\\x5c27"], [("\\xzz", "22023"), ("\\x1", "22023")],
             as_bytes, 1001)
UUID = Type("uuid", 2950, UUIDS, [("not-a-uuid", "22P02")], lambda value: uuid.UUID(value).bytes, 2951)
DATE = Type("date", 1082, DAYS, [("2021-02-29", "22008"), ("yesterweek", "22007")], as_date, 1182)
TIMESTAMP = Type("timestamp", 1114, MOMENTS, [("2021-02-29 00:00", "22008")], as_timestamp, 1115)
TIMESTAMP3 = Type("timestamp(3)", 1114, MOMENTS[:4], [("soon", "22007")], as_timestamp, 1115)
TIMESTAMPTZ = Type("timestamptz", 1184, [f"{moment}+00" for moment in MOMENTS[:5]] + ["2020-06-01 12:00:00+05:30"],
                   [("2020-01-01 25:00+00", "22008")], None, 1185)
TIME = Type("time", 1083, ["00:00:00", "12:34:56", "23:59:59.999", "08:00"], [("25:00", "22008"), ("noonish", "22007")], None, 1183)
TIMETZ = Type("timetz", 1266, ["00:00:00+00", "12:34:56-05", "08:00+02"], [("25:00+00", "22008")], None, 1270)
INTERVAL = Type("interval", 1186, ["1 day", "-3 hours", "1 year 2 mons", "00:00:01.5", "30 days"], [("1 parsec", "22007")], None,
                1187)
JSON = Type("json", 114, ['{"a": 1}', "[1,  2]", "null", '"x"', '{"b":{"c":[]}}'], [("{", "22P02")], str.encode, 199,
            "unsorted")
JSONB = Type("jsonb", 3802, ['{"a": 1}', "[1, 2]", "null", '"x"', '{"b": 2, "a": 1}'], [("{", "22P02")], None, 3807)
INET = Type("inet", 869, ["10.0.0.1", "10.0.0.0/8", "::1", "192.168.1.5/24"], [("10.0.0.256", "22P02")], None, 1041)
CIDR = Type("cidr", 650, ["192.168.1.0/24", "10.0.0.0/8", "::/0"], [("10.0.0.1/8", "22P02")], None, 651)
# Of its own number in every database: never declared, so that both sides get the same statement. Arrays of it are left
# to the integration test: in binary they hold the number.
LABELS = ["sad", "ok", "very happy", "o'clock", "müde"]
ENUMS = {"public.mood": LABELS}
MOOD = Type("mood", 0, LABELS, [("angry", "22P02"), ("Sad", "22P02")], str.encode)
INTS = Type("int4[]", 1007, ["{}", "{1,2,3}", "{NULL,7}", "{{1,2},{3,4}}"], [("{1,x}", "22P02")], None)
TEXTS = Type("text[]", 1009, ["{}", '{a,"b c"}', '{NULL,"NULL"}', '{"x\\"y"}'], [("{a", "22P02")], None)

ALL = (BOOL, INT2, INT4, INT8, NUMERIC, FLOAT4, FLOAT8, TEXT, VARCHAR, CHAR, BYTEA, UUID, DATE, TIMESTAMP, TIMESTAMP3,
       TIMESTAMPTZ, TIME, TIMETZ, INTERVAL, JSON, JSONB, INET, CIDR, INTS, TEXTS, MOOD)
BY_NAME = {kind.name: kind for kind in ALL}


def quoted(value):
    return "'" + value.replace("'", "''") + "'"


def literal(kind, value, rng):
    """One of the ways to write a constant of this type. Numbers stand bare, other values in quotes."""
    if value is None:
        return "NULL"
    if kind.is_number and value.lstrip("-").replace(".", "").isdigit() and rng.random() < 0.7:
        return value
    if kind is BOOL and value in ("true", "false"):
        return value
    form = rng.random()
    if form < 0.75:
        return quoted(value)
    if form < 0.85:
        return f"{quoted(value)}::{kind.name}"
    if form < 0.93:
        return f"CAST({quoted(value)} AS {kind.name})"
    return "E" + quoted(value.replace("\\", "\\\\"))


def parameter(kind, value, rng):
    """(bytes, format) of a parameter's value."""
    if value is None:
        return None, 0
    if kind.binary and rng.random() < 0.4:
        sent = kind.binary(value)
        if sent is not None:
            return sent, 1
    return value.encode(), 0
