"""Are two answers the same? Everything a client can see counts: messages and their order, rows, names, types, typmods,
formats, tags, errors and notices with their fields, settings that were reported, transaction state.

What is left aside, and why, stands here and nowhere else:
- F, L, R of errors and notices name places in PostgreSQL's source.
- Numbers of tables, types and sessions differ between two databases: tables and types of one's own are compared by name.
- `(encrypted)` in an error's detail or context stands for values that the proxy cannot open there (docs/SQL.md, Results and errors).
- A constant that does not fit its column is found when the statement is parsed; PostgreSQL finds some only when it is
  bound or runs (docs/SQL.md, there too), and the name in EXECUTE: the answers to Parse, Describe and Bind may be missing before such an error.
- Columns that the facade computes have no table of origin (docs/SQL.md, The facade).
- A parameter in an IN list over a varchar column is described as text instead of varchar (docs/SQL.md, Constants and
  parameters).
- A set operation of a column and constants, which PostgreSQL may describe with a length once it is planned (docs/SQL.md, Values
  that are chosen).
- INTERSECT of a char column and constants shows either of two equal values, with or without blanks at the end, as the plan goes.
- Of several parameters without a type 42P08 may name another one (docs/SQL.md, there too).
- By hash of an encrypted column a row lies in another partition than by hash of the plain one: errors name that one.
- What changes several rows may fail at another row first: their order is not defined (docs/SQL.md, Results and errors).
- A line of COPY that an error quotes is cut by the server: what is left of an envelope may be too short to be known as one.
- The text of a line of COPY that left in binary is not there (docs/SQL.md, COPY).
- Of "malformed array literal" the detail, of json's errors the first line of CONTEXT (docs/SQL.md, the end of Types).
- The plan that EXPLAIN shows is that of what was sent: of its rows only the description counts.
"""

import re
import struct

IGNORED = "FLR"
FIRST_OWN_OID = 16384
TEXT, BPCHAR, VARCHAR = 25, 1042, 1043
EARLY = "12tnT"
COPY_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
HASH_PARTITION = re.compile(r"_hash\d")
FAILING_ROW = re.compile(r"Failing row contains \((\w*)")
CUT_ENVELOPE = re.compile(r'\\{1,2}x[0-9a-f]{0,11}\.\.\."')  # of less than the six bytes of its header


class Names:
    """Names of the tables and types of one database, by their number."""

    def __init__(self, connect):
        self._connect = connect
        self._known = {}

    def of(self, number):
        if number < FIRST_OWN_OID:
            return number
        if number not in self._known:
            with self._connect() as connection:
                rows = connection.execute("SELECT oid, relname FROM pg_class UNION ALL SELECT oid, typname FROM pg_type").fetchall()
            self._known.update(rows)
        return self._known.setdefault(number, "unknown")


def fields(body):
    """The fields of an error or notice that are compared."""
    parts = [part.decode(errors="replace") for part in body.split(b"\0") if part]
    return {part[0]: part[1:] for part in parts if part[0] not in IGNORED}


def readable(answer, names):
    """The answer as comparable messages: [(letter, content)]."""
    return [(letter, _content(letter, body, names)) for letter, body in answer]


def _content(letter, body, names):
    if letter in "EN":
        return fields(body)
    if letter == "T":
        return _columns(body, names)
    if letter == "t":
        count, = struct.unpack_from("!h", body)
        return [names.of(number) for number in struct.unpack_from(f"!{count}I", body, 2)]
    if letter == "A":
        return body[4:]
    return body


def _columns(body, names):
    count, = struct.unpack_from("!h", body)
    at, columns = 2, []
    for _ in range(count):
        end = body.index(b"\0", at)
        table, number, kind, size, modifier, form = struct.unpack_from("!IhIhih", body, end + 1)
        columns.append((body[at:end].decode(errors="backslashreplace"), names.of(table), number, names.of(kind), size, modifier, form))
        at = end + 19
    return columns


def error_of(answer):
    """The fields of the first error, or None."""
    return next((content for letter, content in answer if letter == "E"), None)


def cells(body):
    """The values of a DataRow."""
    count, = struct.unpack_from("!h", body)
    at, values = 2, []
    for _ in range(count):
        size, = struct.unpack_from("!i", body, at)
        at += 4
        values.append(None if size < 0 else body[at:at + size])
        at += max(size, 0)
    return tuple(values)


def difference(statement, veiled, plain):
    """What differs first, in words, or None."""
    left, right = _without_rows(veiled), _without_rows(plain)
    if is_early_error(left, right):
        right = [message for message in right if message[0] not in EARLY]
        left = [message for message in left if message[0] not in EARLY]
    for one, other in zip(left, right):
        found = _of_messages(statement, one, other)
        if found:
            return found
    if len(left) != len(right):
        return f"messages {letters(veiled)} instead of {letters(plain)}"
    return None if statement.shape_only else _of_rows(statement, veiled, plain)


def is_early_error(left, right):
    """The same error of a constant (class 22) or of an unknown prepared statement, found before it is bound."""
    one, other = error_of(left), error_of(right)
    return one and other and one["C"] == other["C"] and (one["C"].startswith("22") or one["C"] == "26000") and one["M"] == other["M"]


def letters(answer):
    return re.sub(r"([Dd])\1+", r"\1*", "".join(letter for letter, _ in answer))


def _without_rows(answer):
    return [message for message in answer if message[0] not in "Dd"]


def _of_messages(statement, one, other):
    if one == other:
        return None
    if one[0] != other[0]:
        return f"{_named(one)} instead of {_named(other)}"
    if one[0] in "EN":
        return _of_errors(statement, one[1], other[1])
    if one[0] == "T":
        return _of_columns(statement, one[1], other[1])
    if one[0] == "t" and len(one[1]) == len(other[1]) and \
            all(mine == theirs or (mine, theirs) == (TEXT, VARCHAR) for mine, theirs in zip(one[1], other[1])):
        return None
    return f"{one[0]}: {one[1]!r} instead of {other[1]!r}"


def _named(message):
    if message[0] in "EN":
        return f"{message[0]} {message[1]['C']} {message[1]['M']!r}"
    return {"T": "description", "C": f"tag {message[1]!r}", "Z": "end", "2": "bound"}.get(message[0], message[0])


def _of_errors(statement, one, other):
    for key in sorted(one.keys() | other.keys(), key="SVCMPDHWpqstcdn".index):
        mine, theirs = (HASH_PARTITION.sub("_hash", error[key]) if key in error else None for error in (one, other))
        if mine != theirs and not is_left_out(key, mine, theirs, other) and not is_undefined(statement, key, one, other) \
                and not (key in "DW" and mine and theirs and covers(mine, theirs)):
            return f"error field {key}: {mine!r} instead of {theirs!r} ({other['C']} {other['M']!r})"
    return None


def is_left_out(key, mine, theirs, error):
    """Does the proxy's error lack what docs/SQL.md says it lacks?"""
    if key == "D":
        return mine is None and error["M"].startswith("malformed array literal")
    if key == "W" and theirs and theirs.startswith("JSON data, line "):
        return mine == theirs.partition("\n")[2] or mine is None and "\n" not in theirs
    return False


def is_undefined(statement, key, one, other):
    """Does the error name one of several that PostgreSQL may name, too?"""
    if one["C"] != other["C"]:
        return False
    if key == "D" and all(" is still referenced from table " in error.get("D", "") for error in (one, other)):
        return True  # the first row that a plan comes to
    if key == "D":
        rows = [FAILING_ROW.match(error.get("D", "")) for error in (one, other)]
        return all(rows) and (statement.form in ("insert select", "update") or rows[0].group(1) != rows[1].group(1))
    return key in "MP" and all(error["M"].startswith("could not determine data type of parameter $") for error in (one, other))


def covers(mine, theirs):
    """Does a detail or context say the same, taking (encrypted) for any value?"""
    if mine.startswith("COPY ") and theirs.startswith(mine + ': "'):
        return True  # the line left in binary
    mine = CUT_ENVELOPE.sub('(encrypted)"', mine)
    if "(encrypted)" not in mine:
        return False
    cut = mine.startswith("COPY ") and mine.endswith('..."')  # the line is longer with envelopes in it
    pattern = ".*".join(map(re.escape, re.split(r"\(encrypted\)(?:\.\.\.)?", mine.removesuffix('..."') if cut else mine)))
    return re.fullmatch(pattern + (".*" if cut else ""), theirs, re.S) is not None


def _of_columns(statement, one, other):
    if len(one) != len(other):
        return f"{len(one)} columns instead of {len(other)}"
    labels = ("name", "table", "number in its table", "type", "size", "typmod", "format")
    for mine, theirs in zip(one, other):
        for label, left, right in zip(labels, mine, theirs):
            from_facade = label in labels[1:3] and mine[1] == 0 and type(theirs[1]) is int
            is_planned = label == "typmod" and left == -1 and statement.form == "constants"
            if left != right and not from_facade and not is_planned:
                return f"description of {theirs[0]}, {label}: {left!r} instead of {right!r}"
    return None


def _of_rows(statement, veiled, plain):
    for one, other in zip(_results(veiled), _results(plain)):
        if _may_show_either(statement):
            one, other = (_without_blanks(rows, answer) for rows, answer in ((one, veiled), (other, plain)))
        if one == other:
            continue
        if sorted(one) != sorted(other):
            return f"rows: {len(one)} and {len(other)}, first difference {_first(one, other)}"
        if statement.order == "all" or (statement.order != "none" and _keys(one, statement.order) != _keys(other, statement.order)):
            return "order of the rows"
    return None


def _may_show_either(statement):
    return statement.form == "constants" and " INTERSECT " in statement.sql


def _without_blanks(rows, answer):
    """The rows' values, without the blanks that do not count in char."""
    columns = next((content for letter, content in answer if letter == "T"), [])
    padded = [column[3] == BPCHAR for column in columns]
    return [tuple(value.rstrip(b" ") if value and blanks else value for value, blanks in zip(cells(row), padded)) for row in rows]


def _results(answer):
    """Rows of one result each."""
    rows, results = [], []
    for letter, body in answer:
        if letter == "d" and body.startswith(COPY_HEADER):  # the first row comes in the same message
            rows += [COPY_HEADER, body.removeprefix(COPY_HEADER)]
        elif letter in "Dd":
            rows.append(body)
        elif letter in "TCsHcIE" and rows:
            results.append(rows)
            rows = []
    return results + [rows]


def _keys(rows, numbers):
    found = [cells(row) for row in rows]
    return [tuple(row[number] for number in numbers) for row in found]


def _first(one, other):
    left = [row for row in one if row not in other][:1]
    right = [row for row in other if row not in one][:1]
    return f"{[shown(row) for row in left]} instead of {[shown(row) for row in right]}"


def shown(row):
    try:
        return cells(row)
    except struct.error:
        return row
