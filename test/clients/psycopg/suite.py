"""psycopg 3: one small suite. See cases.py for its lines."""

import datetime
import decimal
import pathlib
import sys
import uuid

import psycopg

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
import cases

SUITE = cases.Cases()
case, say = SUITE.case, SUITE.say
INSERT = "INSERT INTO people (id, ssn, name, born, balance, note, town) VALUES (%s, %s, %s, %s, %s, %s, %s)"
DAY = datetime.date(1984, 2, 29)
PEOPLE = [
    (1, "911-00-0001", "Zelda Quartz", DAY, decimal.Decimal("10.50"), "left handed", 1),
    (2, "911-00-0002", "Oskar O'Dune", datetime.date(1999, 12, 31), decimal.Decimal("-3.00"), None, 2),
    (3, "911-00-0003", "Žaneta \\ Říční", None, None, "", None),
]
KINDS = {
    "truth": True, "small": -32768, "whole": 2147483647, "large": -9223372036854775808,
    "exact": decimal.Decimal("12345678.9012"), "loose": decimal.Decimal("1e-20"), "single": 1.5, "twice": 0.1,
    "words": "naïve\ttext", "short": "twenty characters ok", "padded": "pad", "bytes": bytes(range(256)), "day": DAY,
    "moment": datetime.datetime(2001, 2, 3, 4, 5, 6, 789012),
    "instant": datetime.datetime(2001, 2, 3, 4, 5, 6, 789012, datetime.timezone.utc),
    "identity": uuid.UUID("11111111-2222-3333-4444-555555555555"),
}


def filled(connection):
    connection.execute("DELETE FROM people")
    connection.cursor().executemany(INSERT, PEOPLE)


def show(cursor):
    say(cursor.statusmessage, [(column.name, column.type_code, column.type_display) for column in cursor.description])
    for row in cursor:
        say(row)


@case
def case_crud(connection):
    filled(connection)
    show(connection.execute("SELECT * FROM people ORDER BY id"))
    say(connection.execute("UPDATE people SET name = %s, balance = %s WHERE ssn = %s",
                           ("Zelda Q.", 11, "911-00-0001")).rowcount)
    show(connection.execute("SELECT people.name, balance, towns.name FROM people JOIN towns ON towns.id = town WHERE ssn = %s",
                            ("911-00-0001",)))
    show(connection.execute("SELECT id FROM people WHERE born > %s ORDER BY born DESC", (DAY,)))
    show(connection.execute("SELECT min(balance), max(balance), count(note) FROM people"))
    say(connection.execute("DELETE FROM people WHERE ssn IN (%s, %s)", ("911-00-0002", "none")).rowcount)


def all_kinds(connection, binary, client_side=False):
    mark = "%b" if binary else "%s"
    connection.execute("DELETE FROM kinds")
    cursor = psycopg.ClientCursor(connection) if client_side else connection.cursor(binary=binary)
    names = ", ".join(KINDS)
    marks = ", ".join([mark] * len(KINDS))
    cursor.execute(f"INSERT INTO kinds (id, {names}) VALUES (1, {marks})", list(KINDS.values()))
    show(cursor.execute("SELECT * FROM kinds"))
    for name, value in KINDS.items():
        if name in ("loose", "single", "bytes"):
            continue
        show(cursor.execute(f"SELECT {name} FROM kinds WHERE {name} = {mark}", (value,)))


@case
def case_types_text(connection):
    all_kinds(connection, binary=False)


@case
def case_types_binary(connection):
    all_kinds(connection, binary=True)


@case
def case_types_client_side(connection):
    all_kinds(connection, binary=False, client_side=True)


@case
def case_nulls(connection):
    connection.execute("DELETE FROM kinds")
    names = list(KINDS)
    connection.execute(f"INSERT INTO kinds (id, {', '.join(names)}) VALUES (2, {', '.join(['%s'] * len(names))})",
                       [None] * len(names))
    show(connection.execute("SELECT * FROM kinds WHERE words IS NULL"))
    show(connection.execute("SELECT id FROM kinds WHERE words IS NOT DISTINCT FROM %s", (None,)))
    show(connection.execute("SELECT id FROM kinds WHERE words = %s", (None,)))


def other_types(connection, table, columns, *rows):
    connection.execute(f"DELETE FROM {table}")
    marks = ", ".join(["%s"] * (len(columns) + 1))
    for number, row in enumerate([*rows, [None] * len(columns)]):
        connection.execute(f"INSERT INTO {table} (id, {', '.join(columns)}) VALUES ({marks})", (number, *row))
    for binary in (False, True):
        show(connection.cursor(binary=binary).execute(f"SELECT * FROM {table} ORDER BY id"))


@case
def case_times(connection):
    at = datetime.time(23, 59, 59, 999999)
    zoned = datetime.time(8, 15, tzinfo=datetime.timezone(datetime.timedelta(hours=5, minutes=30)))
    other_types(connection, "clocks", ("at", "span", "zoned"), (at, datetime.timedelta(days=-3, seconds=7), zoned))
    for mark in ("%s", "%b"):
        show(connection.execute(f"SELECT id FROM clocks WHERE at = {mark} AND zoned = {mark}", (at, zoned)))
        show(connection.execute(f"SELECT id FROM clocks WHERE at > {mark} ORDER BY zoned, at", (datetime.time(1),)))
    show(connection.execute("SELECT max(at), min(zoned), count(span) FROM clocks"))


@case
def case_documents(connection):
    from psycopg.types.json import Json, Jsonb
    value = {"b": [1, 2.5, None, "ž"], "a": {}}
    other_types(connection, "documents", ("raw", "doc"), (Json(value), Jsonb(value)))


@case
def case_hosts(connection):
    import ipaddress
    host, net = ipaddress.ip_interface("10.1.2.3/8"), ipaddress.ip_network("2001:db8::/32")
    other_types(connection, "hosts", ("host", "net"), (host, net))
    for mark in ("%s", "%b"):
        show(connection.execute(f"SELECT id FROM hosts WHERE host = {mark}", (host,)))
        show(connection.execute(f"SELECT id FROM hosts WHERE net = {mark}", (net,)))


@case
def case_lists(connection):
    other_types(connection, "lists", ("marks", "tags"), ([1, None, 3], ["a b", 'q"', None]), ([], []))


@case
def case_batch(connection):
    connection.execute("DELETE FROM people")
    cursor = connection.cursor()
    cursor.executemany(INSERT + " RETURNING id, name",
                       [(n, f"922-{n}", f"Batch {n}", DAY, n, None, 1) for n in range(50)], returning=True)
    for _ in cursor.results():
        say(cursor.fetchone())
    show(connection.execute("SELECT count(*), count(DISTINCT ssn) FROM people"))


@case
def case_pipeline(connection):
    filled(connection)
    with connection.pipeline():
        cursors = [connection.execute("SELECT name FROM people WHERE ssn = %s", (row[1],)) for row in PEOPLE]
    for cursor in cursors:
        show(cursor)


@case
def case_transactions(connection):
    filled(connection)
    try:
        with connection.transaction():
            connection.execute("UPDATE people SET name = 'Gone' WHERE id = 1")
            say(connection.info.transaction_status)
            raise psycopg.Rollback()
    finally:
        show(connection.execute("SELECT name FROM people WHERE id = 1"))


@case
def case_savepoints(connection):
    filled(connection)
    with connection.transaction():
        connection.execute("UPDATE people SET name = 'Kept' WHERE id = 1")
        try:
            with connection.transaction("inner"):
                connection.execute("UPDATE people SET name = 'Lost' WHERE id = 2")
                connection.execute(INSERT, PEOPLE[2])
        except psycopg.errors.UniqueViolation as error:
            say(error.sqlstate, error.diag.constraint_name)
    show(connection.execute("SELECT id, name FROM people ORDER BY id"))


@case
def case_returning(connection):
    filled(connection)
    show(connection.execute(INSERT + " RETURNING *, id + 1", (4, "911-00-0004", "New", DAY, "1.005", "note", 3)))
    show(connection.execute("UPDATE people SET note = %s WHERE id > 2 RETURNING id, note", ("n",)))
    show(connection.execute("DELETE FROM people WHERE ssn = %s RETURNING name, born", ("911-00-0004",)))


@case
def case_upsert(connection):
    filled(connection)
    for name in ("First", "Second"):
        show(connection.execute(INSERT + " ON CONFLICT (ssn) DO UPDATE SET name = excluded.name, balance = excluded.balance"
                                " RETURNING id, name, balance", (7, "911-00-0007", name, None, 5, None, None)))
    say(connection.execute(INSERT + " ON CONFLICT DO NOTHING", PEOPLE[0]).rowcount)


@case
def case_copy(connection):
    connection.execute("DELETE FROM people")
    cursor = connection.cursor()
    with cursor.copy("COPY people (id, ssn, name, born, balance, note, town) FROM STDIN") as copy:
        for row in PEOPLE:
            copy.write_row(row)
    say(cursor.statusmessage)
    with cursor.copy("COPY people FROM STDIN (FORMAT binary)") as copy:
        copy.set_types(["int4", "text", "varchar", "date", "numeric", "text", "int4"])
        copy.write_row((4, "911-00-0004", "Binary", DAY, decimal.Decimal("4.25"), None, 2))
    for how in ("", "(FORMAT csv, HEADER)"):
        with cursor.copy(f"COPY people TO STDOUT {how}") as copy:
            say(sorted(bytes(part) for part in copy))
    with cursor.copy("COPY (SELECT id, name, born FROM people ORDER BY id) TO STDOUT (FORMAT binary)") as copy:
        copy.set_types(["int4", "varchar", "date"])
        for row in copy.rows():
            say(row)


@case
def case_errors(connection):
    filled(connection)
    for sql, values in [(INSERT, PEOPLE[0]), (INSERT, (9, "911-00-0001", "Twice", None, None, None, None)),
                        (INSERT, (9, None, "No number", None, None, None, None)),
                        (INSERT, (9, "x", "y" * 61, None, None, None, None)),
                        (INSERT, (9, "x", "y", None, decimal.Decimal("1e9"), None, None)),
                        (INSERT, (9, "x", "y", None, None, None, 77)),
                        ("SELECT name FROM people WHERE born = %s", ("no day",)),
                        ("SELECT nothing FROM people", ()), ("SELECT name FROM peoples", ()), ("SELEC name", ())]:
        try:
            connection.execute(sql, values)
            say("no error")
        except psycopg.Error as error:
            say(type(error).__name__, error.sqlstate, error.diag.column_name, error.diag.constraint_name,
                error.diag.table_name, error.diag.statement_position, error.diag.message_primary,
                error.diag.message_detail if error.sqlstate == "23505" else "")
    show(connection.execute("SELECT count(*) FROM people"))


@case
def case_prepared(connection):
    filled(connection)
    connection.prepare_threshold = 2
    for _ in range(5):
        for row in PEOPLE:
            show(connection.execute("SELECT id, name FROM people WHERE ssn = %s", (row[1],)))
    connection.execute("CREATE TEMPORARY TABLE scratch (a int)")
    show(connection.execute("SELECT id, name FROM people WHERE ssn = %s", (PEOPLE[0][1],)))
    connection.execute("DEALLOCATE ALL")


@case
def case_cursor(connection):
    connection.execute("DELETE FROM people")
    connection.cursor().executemany(INSERT, [(n, f"933-{n}", f"Row {n}", DAY, n, None, 1) for n in range(100)])
    with connection.transaction(), connection.cursor("walk", scrollable=True) as cursor:
        cursor.itersize = 30
        cursor.execute("SELECT id, name, balance FROM people ORDER BY id")
        say(len(cursor.fetchmany(40)), cursor.fetchone())
        cursor.scroll(-5)
        say(cursor.fetchone(), len(cursor.fetchall()))


@case
def case_any_of_a_list(connection):
    filled(connection)
    show(connection.execute("SELECT id FROM people WHERE ssn = ANY(%s) ORDER BY id", ([PEOPLE[0][1], "none", PEOPLE[2][1]],)))
    show(connection.execute("SELECT id FROM people WHERE id = ANY(%s) ORDER BY id", ([1, 3],)))


@case
def case_any_of_typed_lists(connection):
    """The driver declares these lists as arrays of the column's type."""
    connection.execute("DELETE FROM kinds")
    connection.execute("INSERT INTO kinds (id, day, identity, exact) VALUES (1, %s, %s, 1.5)", (DAY, KINDS["identity"]))
    show(connection.execute("SELECT id FROM kinds WHERE day = ANY(%s)", ([DAY, datetime.date(2000, 1, 1)],)))
    show(connection.execute("SELECT id FROM kinds WHERE identity = ANY(%s)", ([KINDS["identity"]],)))
    show(connection.execute("SELECT id FROM kinds WHERE exact = ANY(%s)", ([decimal.Decimal("1.50")],)))


@case
def case_any_of_times(connection):
    connection.execute("DELETE FROM clocks")
    connection.execute("INSERT INTO clocks (id, at) VALUES (1, '01:00')")
    show(connection.execute("SELECT id FROM clocks WHERE at = ANY(%s)", ([datetime.time(1)],)))


@case
def case_any_of_hosts(connection):
    import ipaddress
    connection.execute("DELETE FROM hosts")
    connection.execute("INSERT INTO hosts (id, host) VALUES (1, '10.1.2.3')")
    show(connection.execute("SELECT id FROM hosts WHERE host = ANY(%s)", ([ipaddress.ip_address("10.1.2.3")],)))


@case
def case_choices(connection):
    filled(connection)
    show(connection.execute("SELECT id, coalesce(note, 'none') FROM people ORDER BY id"))
    connection.execute("UPDATE people SET name = CASE WHEN id = %s THEN %s WHEN id = %s THEN %s ELSE name END",
                       (1, "Case One", 2, "Case Two"))
    show(connection.execute("SELECT id, name FROM people ORDER BY id"))


@case
def case_choices_of_two_types(connection):
    filled(connection)
    show(connection.execute("SELECT id, coalesce(note, name) FROM people ORDER BY id"))


@case
def case_stream(connection):
    filled(connection)
    for row in connection.cursor().stream("SELECT id, name FROM people ORDER BY id"):
        say(row)


@case
def case_stays(connection):
    filled(connection)


def with_session(function):
    with psycopg.connect(cases.connection_string(), autocommit=True) as connection:
        function(connection)


sys.exit(SUITE.run(with_session))
