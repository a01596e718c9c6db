"""Two tables with a column of every type of times, intervals, addresses, JSON and arrays: one protected, through pgveil,
and one plain, in another database of the same server. Answers are compared byte for byte as they come."""

import psycopg
from psycopg import pq

POLICY = {"tables": {"public.things": {"columns": {
    "t": {"type": "time", "search": "order"},
    "t3": {"type": "time(3)"},
    "tz": {"type": "timetz", "search": "order"},
    "tz0": {"type": "time(0) with time zone"},
    "iv": {"type": "interval"},
    "iv2": {"type": "interval(2)"},
    "ids": {"type": "interval day to second(1)"},
    "iym": {"type": "interval year to month"},
    "ip": {"type": "inet", "search": "equality"},
    "net": {"type": "cidr", "search": "equality"},
    "js": {"type": "json"},
    "jb": {"type": "jsonb", "pad_to": 64},
    "ints": {"type": "int4[]"},
    "texts": {"type": "text[]"},
    "short": {"type": "varchar(5)[]"},
    "fixed": {"type": "char(4)[]"},
    "sums": {"type": "numeric(8,2)[]"},
    "days": {"type": "date[]"},
    "stamps": {"type": "timestamptz[]"},
    "docs": {"type": "jsonb[]"},
    "spans": {"type": "interval[]"},
    "ips": {"type": "inet[]"}}},
    "public.coarse": {"columns": {"titre": {"type": "decimal(6,-2)"}}},
    "public.samples": {"columns": {
        "raw": {"type": "bytea"},
        "ratio": {"type": "float8"},
        "code": {"type": "text", "search": "equality"},
        "tags": {"type": "text[]"},
        "counts": {"type": "int4[]"},
        "blanks": {"type": "bpchar", "pad_to": 32},
        "five": {"type": "char(5)", "pad_to": 32},
        "single": {"type": "float4", "pad_to": 32},
        "double": {"type": "float8", "pad_to": 32},
        "at": {"type": "timestamp(0)"},
        "attz": {"type": "timestamptz(0)", "search": "order"}}}}}

SCHEMA = """CREATE TABLE things (id int PRIMARY KEY, t time, t3 time(3), tz timetz, tz0 timetz(0), iv interval,
    iv2 interval(2), ids interval day to second(1), iym interval year to month, ip inet, net cidr, js json, jb jsonb,
    ints int[], texts text[], short varchar(5)[], fixed char(4)[], sums numeric(8,2)[], days date[],
    stamps timestamptz[], docs jsonb[], spans interval[], ips inet ARRAY)"""

SAMPLES = """CREATE TABLE samples (id int PRIMARY KEY, raw bytea, ratio float8, code text, tags text[], counts int[],
    blanks bpchar, five char(5), single float4, double float8, at timestamp(0), attz timestamptz(0))"""

# Functions that change settings.
CHANGE = """CREATE FUNCTION change(name text, value text, is_local bool DEFAULT false) RETURNS int LANGUAGE plpgsql AS
    $$ BEGIN EXECUTE format('SET %s %I = %L', CASE WHEN is_local THEN 'LOCAL' ELSE '' END, name, value);
    RETURN 1; END $$"""
CHANGE_BY_CALL = """CREATE PROCEDURE change_by_call(name text, value text) LANGUAGE plpgsql AS
    $$ BEGIN PERFORM set_config(name, value, false); END $$"""

# Every value is written into a row of its own, in each way a client can write it.
VALUES = {
    "t": ["00:00:00", "24:00:00", "23:59:59.999999", "04:05 PM", "040506.789", "12:34:56+05"],
    "t3": ["12:34:56.7894999", "12:34:56.7895", "23:59:59.9999"],
    "tz": ["00:00:00+15:59:59", "24:00:00-15:59:59", "12:00:00+02", "10:00:00 UTC", "08:00-02", "10:00:00.5Z"],
    "tz0": ["12:00:00.5-05:30", "23:59:59.5+00"],
    "iv": ["0", "1 year 2 mons -3 days 04:05:06.789", "-1 year +2 days", "1-2", "1 2:03:04", "P1Y2M3DT4H5M6.7S", "-00:00:01",
           "@ 3 days ago", "178956970 years 7 mons", "2147483647 days -2147483647 hours", "-1.5 sec", "1 week 2 hours",
           "0.5 year", "-1 2:03:04"],
    "iv2": ["1.005 sec", "1.006 s", "2 days 00:00:00.999"],
    "ids": ["1 02:03:04.56", "90 minutes", "7"],
    "iym": ["1-2", "17 months 5 days 04:05", "3"],
    "ip": ["10.0.0.1", "10.0.0.0/8", "10.1.2.3/8", "::1", "2001:DB8::/32", "::ffff:1.2.3.4", "fe80::1:2/64", "0.0.0.0/0"],
    "net": ["10.0.0.0/8", "192.168.1", "10", "2001:db8::/32", "::", "10.1.2.3", "224"],
    "js": ['{"b" : 1,  "a": [1, 2.50, {"x": null}], "b": 2}', '"\\u00e9\\u0000"', " 1e5 ", "[]", "null"],
    "jb": ['{"bb": 1, "a": [1, 2.50, {"x": null}], "bb": 2, "c": "\\u00e9\\ud83d\\ude00\\n"}', "1e5", " [ ] ", '"x"',
           "-0.00", "true", '{"": {}}'],
    "ints": ["{}", "{1,NULL,-2147483648}", "{{1,2},{3,4}}", "[2:3]={7,8}", "[-1:0][5:5]={{1},{NULL}}"],
    "texts": ['{a,"b c",NULL,"NULL",""}', '{"quo\\"te","back\\\\slash","{}",é}', "{ spaced out , x }"],
    "short": ["{abcde,NULL}", '{"abcde   ",x}'],
    "fixed": ["{a,abcd}", '{"abcd  "}'],
    "sums": ["{1.005,999999.99,NaN}", "{{-0.1},{2}}"],
    "days": ["{2024-02-29,infinity,0001-01-01 BC}"],
    "stamps": ['{"2024-07-01 12:00+02",infinity,"2024-01-01 00:00"}'],
    "docs": ['{"{\\"b\\":1, \\"a\\":2}",null,NULL,"\\"null\\""}'],
    "spans": ['{"1 day",02:03,"-1 year 3 mons"}'],
    "ips": ["{10.0.0.1,::1/64,NULL}"],
}

# What PostgreSQL refuses, and how.
WRONG = {
    "t": ["25:00", "12:60", "noon", "", "24:00:00.000001", "12:00+16"],
    "tz": ["25:00+00", "12:00+99", "x"],
    "iv": ["1 fortnight", "", "2147483648 days", "178956970 years 8 mons", "1 day 1 day", "3000000000 weeks"],
    "ip": ["10.0.0", "10.0.0.256", "10.0.0.1/33", "::g", "1::2::3", " 10.0.0.1"],
    "net": ["10.0.0.1/8", "10.0.0.1/33", "x"],
    "js": ["", "{", '{"a":}', "[1,]", "tru", '"\\x"', "01", '{"a" 1}', "1 2", '"\\u12"'],
    "jb": ['"\\u0000"', '"\\ud83d"', '"\\ude00"', "{a:1}", "1e999999", "nul"],
    "ints": ["1", "{1", "{1,}", "{1,x}", "{{1,2},{3}}", "{2147483648}", "[1:2]={1}", "{1}}", "[2:1]={}"],
    "short": ["{abcdef}"],
    "fixed": ["{abcde}"],
    "sums": ["{1000000}", "{x}"],
    "docs": ["{tru}"],
    "spans": ['{"1 fortnight"}'],
}

STYLES = [("postgres", "ISO, MDY", "UTC"), ("postgres_verbose", "German, DMY", "Europe/Berlin"),
          ("sql_standard", "SQL, DMY", "America/St_Johns"), ("iso_8601", "Postgres, MDY", "Asia/Kolkata")]


class Raw(psycopg.adapt.Loader):
    """A value as its bytes came."""

    def load(self, data):
        return bytes(data)


class TwoTables:
    """`things` through pgveil and plain."""

    def __init__(self, stack):
        stack.superuser("CREATE DATABASE plains OWNER app")
        self.veiled = stack.connect()
        self.plain = stack.direct("app", "plains")
        for connection in self.both():
            for sql in (SCHEMA, SAMPLES, CHANGE, CHANGE_BY_CALL):
                connection.execute(sql)

    def both(self):
        return self.veiled, self.plain

    def close(self):
        for connection in self.both():
            connection.close()

    def set_styles(self, interval, date, zone):
        for connection in self.both():
            connection.execute(f"SET IntervalStyle = '{interval}'")
            connection.execute(f"SET DateStyle = '{date}'")
            connection.execute(f"SET TimeZone = '{zone}'")


def simple(connection, sql):
    return said(connection.pgconn.exec_(sql.encode()))


def extended(connection, sql, values=(), oids=None, formats=None, result_format=0):
    """values as bytes or None; oids default to none declared, formats to text."""
    return said(connection.pgconn.exec_params(sql.encode(), list(values), oids, formats, result_format))


def said(result):
    """Everything of an answer that a program can see."""
    if result.status not in (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK):
        field = pq.DiagnosticField
        return ("error", result.error_field(field.SQLSTATE).decode(),
                result.error_field(field.MESSAGE_PRIMARY).decode())
    shape = [(result.fname(i), result.ftype(i), result.fmod(i), result.fsize(i), result.fformat(i))
             for i in range(result.nfields)]
    rows = [[result.get_value(row, column) for column in range(result.nfields)] for row in range(result.ntuples)]
    return (result.command_status, shape, rows)


def parameter_types(connection, sql):
    connection.pgconn.prepare(b"described", sql.encode())
    result = connection.pgconn.describe_prepared(b"described")
    connection.execute("DEALLOCATE described")
    if result.status != pq.ExecStatus.COMMAND_OK:
        return said(result)
    return [result.param_type(i) for i in range(result.nparams)]


def literal(text):
    return "'" + text.replace("'", "''") + "'"
