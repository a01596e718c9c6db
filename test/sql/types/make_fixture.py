#!/usr/bin/python3
"""Asks a real PostgreSQL what it makes of many texts, and writes the answers as a fixture.

Usage: make_fixture.py CONNINFO --count N --seed S [--numbers] > postgres15.tsv
Columns, tab separated, each escaped as JSON strings: type, DateStyle, TimeZone, bytea_output, input,
then either "ok", send form in hex, output text; or "error", SQLSTATE, message, hint.
With --numbers (numbers15.tsv): numeric, float and char, extra_float_digits in place of bytea_output,
and the error's detail in place of the hint.
"""
import argparse
import json
import random
import struct
import sys

import psycopg

ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe",
         "America/St_Johns", "Africa/Monrovia", "Europe/Dublin", "Pacific/Apia",
         "America/Caracas", "Asia/Tehran", "Africa/Casablanca", "America/Nuuk", "<+05:30>-05:30"]
STYLES = [f"{style}, {order}" for style in ("ISO", "SQL", "Postgres", "German")
          for order in ("MDY", "DMY", "YMD")]
TYPES = {"bool": "boolsend", "int2": "int2send", "int4": "int4send", "int8": "int8send",
         "text": "textsend", "varchar(5)": "varcharsend", "varchar": "varcharsend",
         "date": "date_send", "timestamp": "timestamp_send", "timestamp(0)": "timestamp_send",
         "timestamp(3)": "timestamp_send", "timestamptz": "timestamptz_send",
         "timestamptz(2)": "timestamptz_send", "uuid": "uuid_send", "bytea": "byteasend"}
NUMBERS = {"numeric": "numeric_send", "numeric(10,2)": "numeric_send", "numeric(5)": "numeric_send",
           "numeric(4,-2)": "numeric_send", "numeric(3,5)": "numeric_send",
           "numeric(1000,500)": "numeric_send", "float4": "float4send", "float8": "float8send",
           "char(4)": "bpcharsend", "char": "bpcharsend", "bpchar": "bpcharsend"}
EDGES = ["NaN", "nan", "-nan", "+NaN", "Infinity", "-infinity", "+inf", " inf ", "infinit", "-0", "-0.0", "0e5",
         "1e", "1e+", ".", "-", "", " ", "1..2", "0x10", "1_000", "1e 5", "1e5000000000", "1e-5000000000",
         "1e131071", "1e131072", "1e-16383", "1e-16384", "0e-16384", "0.0e-16383", "1e400", "1e-400", "4.9e-324",
         "2.4703282292062327e-324", "2.4703282292062328e-324", "1.7976931348623157e308",
         "1.7976931348623158e308", "1.7976931348623159e308", "2.2250738585072011e-308", "1.4e-45", "7.0e-46",
         "7.1e-46", "3.4028235e38", "3.4028235677973366e38", "3.4028235677973365e38", "3.4028236e38", "1e23",
         "9007199254740993", "9007199254740991", "123456789012345678", "16777217", "8388608.5", "0.00001", "0.0001",
         "1e15", "1e14", "999999.5", "1e6", "99999999.994", "99999999.995", "-99999999.995", "4999.5", "49.99999",
         "50", "949950", "0.000095", "0.0099995", "nan(1)", "inf1", "0.1e", "1e5x", "- 5", "+5", "--5", "1 2"]
MONTHS = ["Jan", "january", "FEB", "february", "Mar", "apr", "April", "may", "jun", "July", "aug",
          "Sep", "sept", "september", "Oct", "nov", "Dec", "december"]
WORDS = MONTHS + ["Mon", "tuesday", "Thurs", "BC", "ad", "AM", "pm", "T", "Z", "UTC", "at", "on",
                  "infinity", "-infinity", "epoch", "PDT", "CET", "zulu", "europe/berlin",
                  "America/New_York", "foo", "+02", "-05:30", "+5:45:30", "J2451187", "+1600",
                  "america/nowhere", "dst", "x"]


def year(rng):
    return rng.choice([rng.randint(1, 9999), rng.randint(1900, 2100), rng.randint(1900, 2100),
                       rng.randint(0, 99), rng.randint(1, 400000), rng.randint(5000000, 6000000)])


def date_text(rng):
    y, m, d = year(rng), rng.randint(1, 12), rng.randint(1, 31)
    if rng.random() < 0.05:
        m, d = rng.randint(0, 40), rng.randint(0, 40)
    month = rng.choice(MONTHS)
    forms = [f"{y:04}-{m:02}-{d:02}", f"{y:04}-{m}-{d}", f"{m}/{d}/{y}", f"{d}.{m}.{y}",
             f"{d:02}-{m:02}-{y:04}", f"{y % 100:02}-{m:02}-{d:02}", f"{m}/{d}/{y % 100:02}",
             f"{month} {d}, {y}", f"{d} {month} {y}", f"{y} {month} {d}", f"{month}-{d}-{y}",
             f"{d}-{month}-{y}", f"{y}-{month}-{d}", f"{d}-{month}-{y % 100:02}",
             f"{y:04}{m:02}{d:02}", f"{y % 100:02}{m:02}{d:02}", f"{y}/{m}/{d}", f"{y}.{m}.{d}"]
    text = rng.choice(forms)
    if rng.random() < 0.1:
        text += rng.choice([" BC", " AD", "BC", " bc"])
    if rng.random() < 0.05:
        text = rng.choice(["Mon ", "Thursday ", "sun, "]) + text
    return text


def time_text(rng):
    h, m, s = rng.randint(0, 23), rng.randint(0, 59), rng.randint(0, 59)
    if rng.random() < 0.05:
        h, m, s = rng.randint(0, 26), rng.randint(0, 62), rng.randint(0, 62)
    digits = "".join(rng.choice("0123456789") for _ in range(rng.randint(1, 9)))
    return rng.choice([f"{h:02}:{m:02}:{s:02}", f"{h}:{m:02}", f"{h:02}:{m:02}:{s:02}.{digits}",
                       f"{h:02}{m:02}{s:02}", f"{h:02}{m:02}{s:02}.{digits}", f"{h:02}{m:02}",
                       f"{h % 12}:{m:02}:{s:02} {rng.choice(['AM', 'pm'])}", f"{m:02}:{s:02}.5"])


def zone_text(rng):
    h, m = rng.randint(0, 15), rng.choice([0, 0, 30, 45])
    sign = rng.choice("+-")
    return rng.choice([f"{sign}{h:02}", f"{sign}{h:02}:{m:02}", f"{sign}{h:02}{m:02}", "Z", " UTC",
                       " GMT", f" {sign}{h}", f"{sign}{h:02}:{m:02}:{rng.randint(0, 59):02}",
                       " Europe/Berlin", " america/new_york", " CET", " PST", " pdt", " EEST",
                       " Asia/Kolkata"])


def timestamp_text(rng):
    text = date_text(rng)
    if rng.random() < 0.9:
        text += rng.choice([" ", "T", " ", "  ", " t"]) + time_text(rng)
        if rng.random() < 0.4:
            text += zone_text(rng)
        if rng.random() < 0.05:
            text += " BC"
    return text


def server_form(rng, server):
    """What PostgreSQL itself prints, in some style, is read back in the same or another one."""
    micros = rng.choice([rng.randint(-211810000000000000, 9223000000000000000),
                         rng.randint(-3000000000000000, 3000000000000000),
                         rng.randint(0, 1000000000) * 1000000])
    server.execute("SELECT set_config('DateStyle', %s, false), set_config('TimeZone', %s, false)",
                   [rng.choice(STYLES), rng.choice(ZONES)])
    # As text: an interval keeps its microseconds exactly, a double would not.
    row = server.execute(
        "SELECT (timestamp '2000-01-01' + %s * interval '1 microsecond')::text"
        if rng.random() < 0.4 else
        "SELECT (timestamptz '2000-01-01 00:00+00' + %s * interval '1 microsecond')::text",
        [micros // 1]).fetchone()
    return row[0]


def mutate(rng, text):
    for _ in range(rng.randint(1, 3)):
        at = rng.randint(0, len(text))
        kind = rng.random()
        if kind < 0.35:
            text = text[:at] + text[at + 1:]
        elif kind < 0.7:
            text = text[:at] + rng.choice("0123456789-/:. +,TzaBé_\\x{}\t") + text[at:]
        elif kind < 0.85:
            text = text[:at] + " " + rng.choice(WORDS) + " " + text[at:]
        else:
            text = text + rng.choice([" ", "0", " BC", "+", ":", "."])
    return text


def integer_text(rng):
    value = rng.choice([rng.randint(-40000, 40000), rng.randint(-(2**33), 2**33),
                        rng.randint(-(2**65), 2**65), 2**15, -(2**15), 2**31, -(2**31), 2**63,
                        -(2**63), 2**63 - 1, 0])
    return rng.choice([str(value), f" {value} ", f"+{abs(value)}", f"{value}x", "", "-", "1.5",
                       f"00{abs(value)}", f"\n{value}\t"])


def other_text(rng, kind):
    if kind == "bool":
        return rng.choice(["t", "true", "TR", "f", "fals", "no", "n", "yes", "ye", "on", "o", "of",
                           "off", "offf", "1", "0", "10", "", " t ", "truee", "On", "\tno\n"])
    if kind == "uuid":
        digits = "".join(rng.choice("0123456789abcdefABCDEF") for _ in range(32))
        dashed = "-".join([digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]])
        by_four = "-".join(digits[i:i + 4] for i in range(0, 32, 4))
        return rng.choice([digits, dashed, "{" + dashed + "}", by_four, digits[:31], " " + dashed,
                           dashed + "}", "{" + digits])
    if kind == "bytea":
        raw = bytes(rng.randint(0, 255) for _ in range(rng.randint(0, 12)))
        escaped = "".join(f"\\{b:03o}" if b < 32 or b > 126 else "\\\\" if b == 92 else chr(b)
                          for b in raw)
        return rng.choice(["\\x" + raw.hex(), "\\x" + raw.hex(" "), "\\x" + raw.hex().upper(),
                           escaped, "\\x" + raw.hex() + "1", escaped + "\\", "\\xzz", "\\4", "é",
                           "\\x0é"])
    letters = "abc  é漢字😀\\'\""
    return "".join(rng.choice(letters) for _ in range(rng.randint(0, 9)))


def digits(rng, most):
    return "".join(rng.choice("0001234567899") for _ in range(rng.randint(0, most)))


def number_text(rng, kind):
    if rng.random() < 0.15:
        return rng.choice(EDGES)
    if kind.startswith("float") and rng.random() < 0.6:
        bits = struct.unpack(">d", rng.randbytes(8))[0] if kind == "float8" else \
            struct.unpack(">f", rng.randbytes(4))[0]
        return rng.choice([repr(bits), f"{bits:.17g}", f"{bits:.6g}", str(2.0 ** rng.randint(-160, 140)),
                           f"{rng.randint(1, 99999)}e{rng.randint(-30, 40)}"])
    most = rng.choice([2, 4, 8, 12, 20, 520]) if kind == "numeric(1000,500)" or rng.random() < 0.05 else \
        rng.choice([2, 4, 8, 12, 20])
    text = rng.choice(["", "", "-", "+"]) + digits(rng, most)
    if rng.random() < 0.7:
        text += "." + digits(rng, most)
    if rng.random() < 0.25:
        text += rng.choice("eE") + rng.choice(["", "+", "-"]) + str(rng.randint(0, rng.choice([3, 12, 60, 400])))
    return rng.choice(["", "", "", " ", "\n"]) + text + rng.choice(["", "", "", " ", "\t "])


def blank_text(rng):
    return "".join(rng.choice("ab   é漢😀") for _ in range(rng.randint(0, 7)))


def input_text(rng, kind, server):
    if kind in NUMBERS:
        text = blank_text(rng) if "char" in kind else number_text(rng, kind)
        return mutate(rng, text) if rng.random() < 0.1 else text
    if kind.startswith("int"):
        text = integer_text(rng)
    elif kind == "date":
        text = rng.choice([date_text, date_text, timestamp_text])(rng)
    elif kind.startswith("timestamp"):
        text = server_form(rng, server) if rng.random() < 0.2 else timestamp_text(rng)
    else:
        text = other_text(rng, kind)
    if rng.random() < 0.25:
        text = mutate(rng, text)
    elif "date" in kind or "time" in kind:
        if rng.random() < 0.02:
            text = rng.choice(["infinity", "-infinity", "epoch", "Infinity ", " EPOCH", "- infinity",
                               "now", "today", "allballs", "", " ", "yesterday noon"])
    return text.replace("\0", "")


PROBE = """
CREATE FUNCTION pg_temp.probe(kind text, send text, input text, OUT value text, OUT shown text,
                              OUT state text, OUT message text, OUT hint text) AS $$
BEGIN
  EXECUTE format('INSERT INTO probe_%s VALUES (%L) RETURNING encode(%s(c), ''hex''), format(''%%s'', c)',
                 translate(kind, '(),-', '____'), input, send) INTO value, shown;
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
                          hint = {extra};
END $$ LANGUAGE plpgsql
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("conninfo")
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--numbers", action="store_true")
    args = parser.parse_args()
    types = NUMBERS if args.numbers else TYPES
    kinds = list(NUMBERS) if args.numbers else list(TYPES) + ["date", "timestamp", "timestamptz"] * 5
    rng = random.Random(args.seed)
    setting = "extra_float_digits" if args.numbers else "bytea_output"
    with psycopg.connect(args.conninfo, autocommit=True) as server:
        for kind in types:
            server.execute(f"CREATE TEMP TABLE probe_{kind.translate(str.maketrans('(),-', '____'))} "
                           f"(c {kind})")
        server.execute(PROBE.replace("{extra}", "PG_EXCEPTION_DETAIL" if args.numbers else "PG_EXCEPTION_HINT"))
        for _ in range(args.count):
            kind = rng.choice(kinds)
            text = input_text(rng, kind, server)
            style, zone = rng.choice(STYLES), rng.choice(ZONES)
            output = rng.choice(["hex", "escape"] if not args.numbers else
                                ["1", "1", "1", "3", "0", "-3", "-15"])
            server.execute("SELECT set_config('DateStyle', %s, false), "
                           "set_config('TimeZone', %s, false), "
                           f"set_config('{setting}', %s, false)", [style, zone, output])
            value, shown, state, message, hint = server.execute(
                "SELECT * FROM pg_temp.probe(%s, %s, %s)", [kind, types[kind], text]).fetchone()
            row = [kind, style, zone, output, text]
            row += ["error", state, message, hint] if state else ["ok", value, shown]
            sys.stdout.write("\t".join(json.dumps(cell) for cell in row) + "\n")


if __name__ == "__main__":
    main()
