#!/usr/bin/python3
"""Asks a real PostgreSQL what it makes of many texts of times, intervals, addresses, JSON and arrays.

Usage: make_later_fixture.py CONNINFO --count N --seed S > later15.tsv
Columns as in make_fixture.py, but IntervalStyle in place of bytea_output, and the error's detail in place of its hint
for JSON and addresses.
"""
import argparse
import json
import random
import sys

import psycopg

from make_fixture import STYLES, WORDS, ZONES, mutate, time_text, zone_text

INTERVAL_STYLES = ["postgres", "postgres_verbose", "sql_standard", "iso_8601"]
RANGES = ["year", "month", "day", "hour", "minute", "second", "year to month", "day to hour", "day to minute",
          "day to second", "hour to minute", "hour to second", "minute to second", "day to second(2)"]
TYPES = {"time": "time_send", "time(3)": "time_send", "timetz": "timetz_send", "timetz(0)": "timetz_send",
         "interval": "interval_send", "interval(3)": "interval_send",
         **{f"interval {fields}": "interval_send" for fields in RANGES},
         "inet": "inet_send", "cidr": "cidr_send", "json": "json_send", "jsonb": "jsonb_send",
         **{f"{element}[]": "array_send" for element in (
             "int4", "text", "varchar(3)", "char(3)", "numeric(6,2)", "bool", "date", "timestamptz", "float8", "bytea",
             "uuid", "jsonb", "interval", "inet", "time(1)")}}
UNITS = ["year", "years", "y", "yr", "mon", "mons", "months", "week", "weeks", "w", "day", "days", "d", "hour", "hours",
         "h", "min", "mins", "minutes", "m", "sec", "secs", "seconds", "s", "ms", "milliseconds", "us",
         "microseconds", "decade", "decades", "century", "centuries", "c", "millennium", "mil", "quarter", "fortnight"]


def number(rng):
    value = rng.choice([rng.randint(0, 9), rng.randint(0, 70), rng.randint(0, 3000), rng.randint(0, 2**33)])
    text = str(value)
    if rng.random() < 0.25:
        text += "." + "".join(rng.choice("0123456789") for _ in range(rng.randint(0, 7)))
    return rng.choice(["", "", "", "-", "+", "- "]) + text


def clock(rng):
    hours = rng.choice([rng.randint(0, 30), rng.randint(0, 30), rng.randint(0, 99999)])
    text = f"{hours:02}:{rng.randint(0, 59):02}"
    if rng.random() < 0.7:
        text += f":{rng.randint(0, 60):02}"
    if rng.random() < 0.4:
        text += "." + "".join(rng.choice("0123456789") for _ in range(rng.randint(1, 8)))
    return rng.choice(["", "", "-", "+"]) + text


def interval_text(rng):
    form = rng.random()
    if form < 0.35:
        chosen = sorted(rng.sample(range(len(UNITS)), rng.randint(1, 4)))
        words = [number(rng) + rng.choice(["", " "]) + UNITS[index] for index in chosen]
        if rng.random() < 0.3:
            words.append(clock(rng))
        if rng.random() < 0.15:
            words.append("ago")
        return rng.choice(["", "", "@ "]) + " ".join(words)
    if form < 0.5:
        return clock(rng)
    if form < 0.6:
        return f"{number(rng)} {clock(rng)}"
    if form < 0.7:
        sign = rng.choice(["", "-", "+"])
        text = f"{sign}{rng.randint(0, 300)}-{rng.randint(0, 13)}"
        return text if rng.random() < 0.5 else f"{text} {number(rng)} {clock(rng)}"
    if form < 0.75:
        return number(rng)
    if form < 0.95:
        parts = [(rng.choice(["", "", "-"]) + str(rng.randint(0, 40)), unit) for unit in "YMWD" if rng.random() < 0.4]
        times = [(rng.choice(["", "", "-"]) + str(rng.randint(0, 70)), unit) for unit in "HMS" if rng.random() < 0.4]
        if times and rng.random() < 0.4:
            times[-1] = (times[-1][0] + "." + str(rng.randint(0, 999999)), times[-1][1])
        text = "P" + "".join(digits + unit for digits, unit in parts)
        return text + ("T" + "".join(digits + unit for digits, unit in times) if times else "")
    return rng.choice(["", "ago", "1", "1 day day", "day 1", "P", "PT", "P1", "infinity", "1 day ago ago", "epoch",
                       "1 1 day", "1:2:3:4", "1-2-3", "P0001-02-03T04:05:06", "2147483647 days", "2147483648 days",
                       "178956970 years 7 mons", "178956970 years 8 mons", "2562047788:00:54.775807",
                       "1 day 1 day", "1 week 1 day", "1 hour 02:03", "1.5 sec 3 ms", "1 sec 3 ms", "0.0005 ms"])


def time_of_day(rng):
    if rng.random() < 0.06:
        return rng.choice(["24:00:00", "24:00:00.000001", "23:59:60", "23:59:59.9999999", "00:00", "allballs", "now",
                           "12:00 pm", "12:30 am", "0:0", "13:00 pm", "235960", "2400", "1", "12", "123", "12345",
                           "T040506", "04:05:06.789-8", "040506.789+08", "2003-04-12 04:05:06+02", "4:05 Europe/Berlin",
                           "12:00 foo", "12:00+16", "12:00-15:59:59", "12:00+15:60", "12:00 12:00", ""])
    text = time_text(rng)
    if rng.random() < 0.6:
        text += zone_text(rng)
    return text


def address(rng, kind):
    if rng.random() < 0.08:
        return rng.choice(["", "10", "10/8", "10.1", "10.1.2", "192.168", "224", "240", "128.5", "1.2.3.4.5", "256.1.1.1",
                           "10.0.0.1/33", "10.0.0.1/", "/8", "10..1", " 10.0.0.1", "10.0.0.1 ", "10.0.0.08", "::", "::/0",
                           ":::", "1::2::3", "::1", "::ffff:1.2.3.4", "::1.2.3.4", "::01.2.3.4", "1:2:3:4:5:6:7",
                           "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:1.2.3.4", "::12345", "fe80::1/129",
                           "fe80::/064", "2001:db8::/32", "::ffff:0:0/96", "0:0:1::", "1:0:0:2:0:0:0:3", "g::", "1:",
                           ":1", "10.0.0.1/032", "10.0.0.0/24", "192.168.1.0/24", "10/24", "10.1.2/9"])
    if rng.random() < 0.5:
        octets = [rng.choice([rng.randint(0, 255), 0, 0]) for _ in range(rng.choice([4, 4, 4, 4, 3, 2, 1]))]
        text, most = ".".join(map(str, octets)), 32
    else:
        words = [rng.choice([rng.randint(0, 65535), 0, 0, 0]) for _ in range(8)]
        text, most = ":".join(f"{word:x}" for word in words), 128
        if rng.random() < 0.5:
            text = text.replace(":0:0:", "::", 1).replace(":::", "::")
    if rng.random() < (0.8 if kind == "cidr" else 0.4):
        text += f"/{rng.choice([rng.randint(0, most), most, most - rng.randint(0, 8)])}"
    return text


def json_value(rng, depth=0):
    kind = rng.random()
    if depth < 4 and kind < 0.3:
        keys = rng.choices(["a", "b", "aa", "é", "", "key", "ab", "😀", "a\\nb", "B"], k=rng.randint(0, 5))
        blank = rng.choice(["", " ", "\n", "\t"])
        return "{" + ",".join(f'{blank}"{key}"{blank}:{json_value(rng, depth + 1)}' for key in keys) + blank + "}"
    if depth < 4 and kind < 0.5:
        return "[" + ", ".join(json_value(rng, depth + 1) for _ in range(rng.randint(0, 4))) + "]"
    if kind < 0.75:
        return rng.choice(["0", "-0", "1", "-1.50", "1e5", "1E-3", "1.10e2", "12345678901234567890.123", "0.0", "-0.0",
                           "100e-2", "01", "1.", ".5", "+1", "1e", "0x1", "1_0", "NaN", "1e400"]
                          if rng.random() < 0.6 else [str(rng.randint(-10**9, 10**9)), str(rng.uniform(-9, 9))])
    if kind < 0.9:
        return '"' + rng.choice(["", "a", "é", "😀", "\\u00e9", "\\ud83d\\ude00", "\\n\\t\\\\\\/\\\"", "x y", "\\u0001",
                                 "\x7f", "\\u007f", "\\u0000", "\\ud83d", "\\ude00", "\\ud83d\\ud83d", "\\ud83dx", "\\x",
                                 "\\u12g4", "a\tb", "\\u12", "\\ud83d\\n", "\\é", "\\uD83D\\uDE00\\u0041"]) + '"'
    return rng.choice(["true", "false", "null", "null", "True", "nul", "{}", "[]", ""])


def json_text(rng):
    text = rng.choice(["", "", " ", "\n\t"]) + json_value(rng) + rng.choice(["", "", " ", "\n", "x", ",", "}"][:4 + (
        3 if rng.random() < 0.1 else 0)])
    return text


ELEMENTS = {
    "int4": lambda rng: rng.choice(["1", "-5", " 7 ", "2147483648", "x", "NULL", "null", "007"]),
    "text": lambda rng: rng.choice(["a", "b c", '"quoted"', '"a\\"b"', '""', "NULL", '"NULL"', "null", "a\\,b", "é", "\\a",
                                    '"a\\\\b"', " x ", '" y "', "a\\ ", "nul\\l", "a\"b\"", '"a"b', "\\"]),
    "varchar(3)": lambda rng: rng.choice(["a", "abc", "abc  ", '"abc  "', "abcd", "éèê", "NULL"]),
    "char(3)": lambda rng: rng.choice(["a", '"ab "', "abcd", '"abc   "', '""', "NULL"]),
    "numeric(6,2)": lambda rng: rng.choice(["1.005", "9999.99", "10000", "-1", "NaN", "x", "NULL"]),
    "bool": lambda rng: rng.choice(["t", "f", "true", "maybe", "NULL"]),
    "date": lambda rng: rng.choice(["2024-02-29", "1/2/2003", '"Jan 5, 2020"', "infinity", "2023-02-29"]),
    "timestamptz": lambda rng: rng.choice(['"2024-01-31 10:00+02"', "2024-07-01", "infinity", '"1999-01-08 04:05:06"']),
    "float8": lambda rng: rng.choice(["1.5", "NaN", "-Infinity", "1e400", "0.1"]),
    "bytea": lambda rng: rng.choice(['"\\\\x0102"', "abc", '""', '"\\\\001"']),
    "uuid": lambda rng: rng.choice(["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "x"]),
    "jsonb": lambda rng: rng.choice(['"{\\"b\\": 1, \\"a\\": [1,2]}"', "1", "null", "NULL", '"\\"x\\""', "tru"]),
    "interval": lambda rng: rng.choice(['"1 day"', "1:02", '"1 year 2 mons -3 days"', "x"]),
    "inet": lambda rng: rng.choice(["10.0.0.1", "::1", "10.0.0.0/8", "10"]),
    "time(1)": lambda rng: rng.choice(["10:00:00.56", "04:05", "x"]),
}


def array_text(rng, element):
    make = ELEMENTS[element]

    def level(depth):
        if depth == 0:
            return make(rng)
        size = sizes[-depth] if rng.random() < 0.97 else rng.randint(0, 3)
        blank = rng.choice(["", "", " ", "\n"])
        return "{" + (blank + "," + blank).join(level(depth - 1) for _ in range(size)) + blank + "}"
    depth = rng.choice([1, 1, 1, 1, 1, 2, 2, 3, 6, 7])
    sizes = [rng.randint(1, 3 if depth < 4 else 1) for _ in range(depth)]
    text = level(depth)
    if rng.random() < 0.12:
        bounds = []
        for size in sizes:
            low = rng.randint(-3, 4)
            bounds.append(f"[{low}:{low + size - 1 + (1 if rng.random() < 0.05 else 0)}]" if rng.random() < 0.8
                          else f"[{size}]")
        text = "".join(bounds) + rng.choice(["=", "=", " = ", ""]) + text
    if rng.random() < 0.06:
        text = rng.choice(["{}", " {} ", "{ }", "", "{", "}", "{a", "a", "{,}", "{a,}", "{{},{}}", "{}x", "{{a},b}",
                           "{a,{b}}", "[1:0]={}", "[1:2]={1}", "{1}{2}", "{\"a", "[a:b]={1}", "{{{{{{{1}}}}}}}"])
    return text


def input_text(rng, kind):
    if kind.startswith("time"):
        text = time_of_day(rng)
    elif kind.startswith("interval") and not kind.endswith("[]"):
        text = interval_text(rng)
    elif kind in ("inet", "cidr"):
        text = address(rng, kind)
    elif kind in ("json", "jsonb"):
        text = json_text(rng)
    else:
        return array_text(rng, kind[:-2])
    if rng.random() < 0.12:
        text = mutate(rng, text)
        if rng.random() < 0.3:
            text += " " + rng.choice(WORDS)
    return text.replace("\0", "")


PROBE = """
CREATE FUNCTION pg_temp.probe(tab text, send text, input text, OUT value text, OUT shown text,
                              OUT state text, OUT message text, OUT hint text, OUT detail text) AS $$
BEGIN
  EXECUTE format('INSERT INTO %I VALUES (%L) RETURNING encode(%s(c), ''hex''), format(''%%s'', c)',
                 tab, input, send) INTO value, shown;
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT,
                          detail = PG_EXCEPTION_DETAIL;
END $$ LANGUAGE plpgsql
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("conninfo")
    parser.add_argument("--count", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    rng = random.Random(args.seed)
    kinds = list(TYPES) + (["time", "timetz", "interval", "interval", "inet", "cidr", "json", "jsonb", "text[]"] * 4)
    with psycopg.connect(args.conninfo, autocommit=True) as server:
        tables = {kind: f"probe_{number}" for number, kind in enumerate(TYPES)}
        for kind, table in tables.items():
            server.execute(f"CREATE TEMP TABLE {table} (c {kind})")
        server.execute(PROBE)
        for _ in range(args.count):
            kind = rng.choice(kinds)
            text = input_text(rng, kind)
            style, zone, interval = rng.choice(STYLES), rng.choice(ZONES), rng.choice(INTERVAL_STYLES)
            if kind == "timetz" or kind == "timetz(0)":
                zone = rng.choice(["UTC", "<+05:30>-05:30", "Asia/Kolkata", zone])
            server.execute("SELECT set_config('DateStyle', %s, false), set_config('TimeZone', %s, false), "
                           "set_config('IntervalStyle', %s, false)", [style, zone, interval])
            value, shown, state, message, hint, detail = server.execute(
                "SELECT * FROM pg_temp.probe(%s, %s, %s)", [tables[kind], TYPES[kind], text]).fetchone()
            row = [kind, style, zone, interval, text]
            # What is wrong with braces is said differently by every version.
            has_detail = state and not message.startswith("malformed array literal")
            about = (hint or "") + ((detail or "") if has_detail else "")
            row += ["error", state, message, about] if state else ["ok", value, shown]
            sys.stdout.write("\t".join(json.dumps(cell) for cell in row) + "\n")


if __name__ == "__main__":
    main()
