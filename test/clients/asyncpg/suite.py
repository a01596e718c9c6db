"""asyncpg: one small suite. See cases.py for its lines. asyncpg prepares every statement and speaks binary only."""

import asyncio
import datetime
import decimal
import io
import ipaddress
import pathlib
import sys
import uuid

import asyncpg

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
import cases

SUITE = cases.Cases()
case, say = SUITE.case, SUITE.say
COLUMNS = ["id", "ssn", "name", "born", "balance", "note", "town"]
INSERT = f"INSERT INTO people ({', '.join(COLUMNS)}) VALUES ($1, $2, $3, $4, $5, $6, $7)"
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


async def filled(connection):
    await connection.execute("DELETE FROM people")
    await connection.executemany(INSERT, PEOPLE)


async def show(connection, sql, *values):
    statement = await connection.prepare(sql)
    say([(attribute.name, attribute.type.name) for attribute in statement.get_attributes()],
        [parameter.name for parameter in statement.get_parameters()])
    for row in await statement.fetch(*values):
        say(tuple(row))
    say(statement.get_statusmsg())


@case
async def case_crud(connection):
    await filled(connection)
    await show(connection, "SELECT * FROM people ORDER BY id")
    say(await connection.execute("UPDATE people SET name = $1, balance = $2 WHERE ssn = $3", "Zelda Q.",
                                 decimal.Decimal(11), "911-00-0001"))
    await show(connection, "SELECT p.name, balance, t.name AS town FROM people p JOIN towns t ON t.id = town WHERE ssn = $1",
               "911-00-0001")
    await show(connection, "SELECT id FROM people WHERE born > $1 ORDER BY born DESC", DAY)
    await show(connection, "SELECT min(balance), max(balance), count(note) FROM people")
    say(await connection.fetchval("SELECT name FROM people WHERE id = $1", 2))
    say(await connection.execute("DELETE FROM people WHERE ssn IN ($1, $2)", "911-00-0002", "none"))


@case
async def case_types(connection):
    await connection.execute("DELETE FROM kinds")
    marks = ", ".join(f"${number + 2}" for number in range(len(KINDS)))
    await connection.execute(f"INSERT INTO kinds (id, {', '.join(KINDS)}) VALUES ($1, {marks})", 1, *KINDS.values())
    await show(connection, "SELECT * FROM kinds")
    for name, value in KINDS.items():
        if name not in ("loose", "single", "bytes"):
            await show(connection, f"SELECT {name} FROM kinds WHERE {name} = $1", value)


@case
async def case_nulls(connection):
    await connection.execute("DELETE FROM kinds")
    marks = ", ".join(f"${number + 2}" for number in range(len(KINDS)))
    await connection.execute(f"INSERT INTO kinds (id, {', '.join(KINDS)}) VALUES ($1, {marks})", 2, *[None] * len(KINDS))
    await show(connection, "SELECT * FROM kinds WHERE words IS NULL")
    await show(connection, "SELECT id FROM kinds WHERE words IS NOT DISTINCT FROM $1", None)


async def other_types(connection, table, columns, *rows):
    await connection.execute(f"DELETE FROM {table}")
    marks = ", ".join(f"${n}" for n in range(1, len(columns) + 2))
    for number, row in enumerate([*rows, [None] * len(columns)]):
        await connection.execute(f"INSERT INTO {table} (id, {', '.join(columns)}) VALUES ({marks})", number, *row)
    await show(connection, f"SELECT * FROM {table} ORDER BY id")


@case
async def case_times(connection):
    at = datetime.time(23, 59, 59, 999999)
    zoned = datetime.time(8, 15, tzinfo=datetime.timezone(datetime.timedelta(hours=5, minutes=30)))
    await other_types(connection, "clocks", ("at", "span", "zoned"), (at, datetime.timedelta(days=-3, seconds=7), zoned))
    await show(connection, "SELECT id FROM clocks WHERE at = $1 AND zoned = $2", at, zoned)
    await show(connection, "SELECT id FROM clocks WHERE at > $1 ORDER BY zoned, at", datetime.time(1))


@case
async def case_documents(connection):
    await other_types(connection, "documents", ("raw", "doc"), ('{"b": [1, 2.50], "a": {}}', '{"b": [1, 2.50], "a": {}}'))


@case
async def case_hosts(connection):
    host, net = ipaddress.ip_interface("10.1.2.3/8"), ipaddress.ip_network("2001:db8::/32")
    await other_types(connection, "hosts", ("host", "net"), (host, net))
    await show(connection, "SELECT id FROM hosts WHERE host = $1", host)
    await show(connection, "SELECT id FROM hosts WHERE net = $1", net)


@case
async def case_lists(connection):
    await other_types(connection, "lists", ("marks", "tags"), ([1, None, 3], ["a b", 'q"', None]), ([], []))


@case
async def case_batch(connection):
    await connection.execute("DELETE FROM people")
    rows = [(n, f"922-{n}", f"Batch {n}", DAY, decimal.Decimal(n), None, 1) for n in range(50)]
    await connection.executemany(INSERT, rows)
    for row in await connection.fetchmany(INSERT + " RETURNING id, name",
                                          [(100 + n, f"922-{100 + n}", *rest) for n, _, *rest in rows]):
        say(tuple(row))
    await show(connection, "SELECT count(*), count(DISTINCT ssn) FROM people")


@case
async def case_transactions(connection):
    await filled(connection)
    transaction = connection.transaction(isolation="repeatable_read")
    await transaction.start()
    await connection.execute("UPDATE people SET name = 'Gone' WHERE id = 1")
    say(connection.is_in_transaction())
    await transaction.rollback()
    await show(connection, "SELECT name FROM people WHERE id = 1")


@case
async def case_savepoints(connection):
    await filled(connection)
    async with connection.transaction():
        await connection.execute("UPDATE people SET name = 'Kept' WHERE id = 1")
        try:
            async with connection.transaction():
                await connection.execute("UPDATE people SET name = 'Lost' WHERE id = 2")
                await connection.execute(INSERT, *PEOPLE[2])
        except asyncpg.UniqueViolationError as error:
            say(error.sqlstate, error.constraint_name)
    await show(connection, "SELECT id, name FROM people ORDER BY id")


@case
async def case_returning(connection):
    await filled(connection)
    await show(connection, INSERT + " RETURNING *, id + 1", 4, "911-00-0004", "New", DAY, decimal.Decimal("1.005"), "n", 3)
    await show(connection, "UPDATE people SET note = $1 WHERE id > 2 RETURNING id, note", "n")
    await show(connection, "DELETE FROM people WHERE ssn = $1 RETURNING name, born", "911-00-0004")


@case
async def case_upsert(connection):
    await filled(connection)
    upsert = (INSERT + " ON CONFLICT (ssn) DO UPDATE SET name = excluded.name, balance = excluded.balance"
              " RETURNING id, name, balance")
    for name in ("First", "Second"):
        await show(connection, upsert, 7, "911-00-0007", name, None, decimal.Decimal(5), None, None)
    say(await connection.execute(INSERT + " ON CONFLICT DO NOTHING", *PEOPLE[0]))


@case
async def case_copy(connection):
    await connection.execute("DELETE FROM people")
    say(await connection.copy_records_to_table("people", records=PEOPLE, columns=COLUMNS))
    for how in ("text", "csv"):
        out = io.BytesIO()
        say(await connection.copy_from_table("people", columns=["id", "name", "born", "balance"], output=out, format=how))
        say(sorted(out.getvalue().splitlines()))
    out = io.BytesIO()
    await connection.copy_from_query("SELECT id, name FROM people WHERE ssn = $1", "911-00-0003", output=out, format="csv")
    say(out.getvalue())
    source = io.BytesIO('9,911-00-0009,"With, comma"\n'.encode())
    say(await connection.copy_to_table("people", source=source, columns=["id", "ssn", "name"], format="csv"))
    await show(connection, "SELECT * FROM people WHERE id = 9")


@case
async def case_errors(connection):
    await filled(connection)
    for sql, values in [(INSERT, PEOPLE[0]), (INSERT, (9, "911-00-0001", "Twice", None, None, None, None)),
                        (INSERT, (9, None, "No number", None, None, None, None)),
                        (INSERT, (9, "x", "y" * 61, None, None, None, None)),
                        (INSERT, (9, "x", "y", None, decimal.Decimal("1e9"), None, None)),
                        (INSERT, (9, "x", "y", None, None, None, 77)), ("SELECT 'x' FROM people WHERE born = 'no day'", ()),
                        ("SELECT nothing FROM people", ()), ("SELECT name FROM peoples", ()), ("SELEC name", ())]:
        try:
            await connection.execute(sql, *values)
            say("no error")
        except asyncpg.PostgresError as error:
            say(type(error).__name__, error.sqlstate, error.column_name, error.constraint_name, error.table_name,
                error.position, error.args[0], error.detail if error.sqlstate == "23505" else "")
    await show(connection, "SELECT count(*) FROM people")


@case
async def case_prepared(connection):
    """More statements than the driver's cache holds, then a schema change under a cached one."""
    await filled(connection)
    for number in range(120):
        await connection.fetch(f"SELECT id, name, {number} FROM people WHERE ssn = $1", "911-00-0001")
    statement = await connection.prepare("SELECT id, name FROM people WHERE ssn = $1")
    for row in PEOPLE * 3:
        say(tuple(await statement.fetchrow(row[1])))
    await connection.execute("CREATE TEMPORARY TABLE scratch (a int)")
    say(tuple(await statement.fetchrow("911-00-0002")))
    await connection.reload_schema_state()


@case
async def case_cursor(connection):
    """Portals of the extended protocol, fetched by parts; no DECLARE."""
    await connection.execute("DELETE FROM people")
    await connection.executemany(INSERT, [(n, f"933-{n}", f"Row {n}", DAY, decimal.Decimal(n), None, 1) for n in range(100)])
    async with connection.transaction():
        async for row in connection.cursor("SELECT id, name FROM people WHERE id < $1 ORDER BY id", 60, prefetch=25):
            if row["id"] % 20 == 0:
                say(tuple(row))
        cursor = await connection.cursor("SELECT id, balance FROM people ORDER BY id")
        say([tuple(row) for row in await cursor.fetch(3)], tuple(await cursor.fetchrow()))


@case
async def case_cursor_moved(connection):
    """forward() names the portal in an SQL MOVE."""
    await filled(connection)
    async with connection.transaction():
        cursor = await connection.cursor("SELECT id, balance FROM people ORDER BY id")
        say(await cursor.forward(1), [tuple(row) for row in await cursor.fetch(3)])


@case
async def case_any_of_a_list(connection):
    await filled(connection)
    await show(connection, "SELECT id FROM people WHERE id = ANY($1) ORDER BY id", [1, 3])
    await show(connection, "SELECT id FROM people WHERE ssn = ANY($1) ORDER BY id", ["911-00-0001", "none", "911-00-0003"])


@case
async def case_choices(connection):
    await filled(connection)
    await show(connection, "SELECT id, coalesce(note, 'none') FROM people ORDER BY id")
    await connection.execute("UPDATE people SET name = CASE WHEN id = $1 THEN $2 ELSE name END", 1, "Case One")
    await show(connection, "SELECT id, name FROM people ORDER BY id")


@case
async def case_reset(connection):
    """What a pool sends between two users of a connection."""
    await filled(connection)
    await connection.reset()
    await show(connection, "SELECT id, name FROM people ORDER BY id")


@case
async def case_stays(connection):
    await filled(connection)


def with_session(function):
    async def session():
        connection = await asyncpg.connect(cases.connection_string())
        try:
            await function(connection)
        finally:
            await connection.close()
    asyncio.run(session())


sys.exit(SUITE.run(with_session))
