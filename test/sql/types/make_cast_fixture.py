#!/usr/bin/python3
"""Asks a real PostgreSQL how constants of one type become and compare with columns of another.

Usage: make_cast_fixture.py CONNINFO --count N --seed S > casts15.tsv
Columns, tab separated, each as a JSON string: "assign", type of the constant, its text, type of the column, then "ok"
and the stored send form in hex, or "error", SQLSTATE, message and detail; or "compare", the two types, the constant's
text, a text of the column's type, and "true", "false" or the SQLSTATE.
"""
import argparse
import json
import random
import sys

import psycopg

from make_fixture import EDGES, blank_text, integer_text, number_text

NUMBERS = {"int2": "int2send", "int4": "int4send", "int8": "int8send", "numeric": "numeric_send",
           "numeric(10,2)": "numeric_send", "numeric(4,-2)": "numeric_send", "numeric(18,4)": "numeric_send",
           "float4": "float4send", "float8": "float8send"}
CHARACTERS = {"text": "textsend", "varchar": "varcharsend", "varchar(3)": "varcharsend", "char(3)": "bpcharsend",
              "bpchar": "bpcharsend"}
SIMPLE = ["0", "1", "-1", "0.1", "0.5", "1.5", "2.5", "-2.5", "100", "150", "12.50", "16777217", "16777216", "12.505",
          "9007199254740993", "9007199254740992", "99999999.99", "32767.5", "2147483647.5", "0.30", "0.3", "1e14"]


def text_of(rng, kind):
    if kind in CHARACTERS:
        return blank_text(rng)[:rng.randint(0, 4)]
    if kind.startswith("int"):
        return integer_text(rng) if rng.random() < 0.3 else rng.choice(SIMPLE[:3] + ["100", "9007199254740993"])
    kind = kind.split("(")[0]
    return rng.choice([rng.choice(SIMPLE), number_text(rng, kind), rng.choice(EDGES)])


def asked(server, sql):
    try:
        return server.execute(sql).fetchone()
    except psycopg.Error as error:
        return error


def literal(text):
    return "'" + text.replace("'", "''") + "'"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("conninfo")
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    rng = random.Random(args.seed)
    written = 0
    with psycopg.connect(args.conninfo, autocommit=True) as server:
        for number, kind in enumerate({**NUMBERS, **CHARACTERS}):
            server.execute(f"CREATE TEMP TABLE probe_{number} (c {kind})")
        names = list({**NUMBERS, **CHARACTERS})
        while written < args.count:
            family = NUMBERS if rng.random() < 0.7 else CHARACTERS
            column = rng.choice(list(family))
            kind = rng.choice(list(family if rng.random() < 0.8 else {**NUMBERS, **CHARACTERS}))
            text = text_of(rng, kind)
            if isinstance(asked(server, f"SELECT {literal(text)}::{kind}"), psycopg.Error):
                continue
            if rng.random() < 0.5:
                row = [kind, text, column]
                said = asked(server, f"INSERT INTO probe_{names.index(column)} VALUES ({literal(text)}::{kind}) "
                                     f"RETURNING encode({ {**NUMBERS, **CHARACTERS}[column]}(c), 'hex')")
                row = ["assign", *row] + (["ok", said[0]] if isinstance(said, tuple) else
                                          ["error", said.sqlstate, said.diag.message_primary,
                                           said.diag.message_detail or ""])
            else:
                other = text if rng.random() < 0.6 else text_of(rng, column)
                stored = asked(server, f"INSERT INTO probe_{names.index(column)} VALUES ({literal(other)}) RETURNING 1")
                if isinstance(stored, psycopg.Error):
                    continue
                said = asked(server, f"SELECT c = {literal(text)}::{kind} FROM probe_{names.index(column)}")
                row = ["compare", kind, column, text, other,
                       said.sqlstate if isinstance(said, psycopg.Error) else "true" if said[0] else "false"]
            server.execute(f"TRUNCATE probe_{names.index(column)}")
            sys.stdout.write("\t".join(json.dumps(cell) for cell in row) + "\n")
            written += 1


if __name__ == "__main__":
    main()
