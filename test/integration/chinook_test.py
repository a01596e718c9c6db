"""A stock third-party schema, unmodified: loaded, asked and changed through pgveil, against the same on plain tables.

The plain side is a stack of its own, asked directly: nothing of its plaintext comes near the files of the other one.
"""

import datetime
import sys
import unittest

import chinook
import leaks
from clinic import in_psql
from stack import Stack, psql, succeeded

SKIPPED = 77


def setUpModule():
    global VEILED, PLAIN, LOADED_VEILED, LOADED_PLAIN
    VEILED = Stack.start(policy=chinook.POLICY)
    PLAIN = Stack.start(policy=chinook.POLICY)
    LOADED_VEILED = load(VEILED.url(), VEILED.options())
    LOADED_PLAIN = load(PLAIN.url("direct"))
    succeeded(LOADED_PLAIN)
    succeeded(LOADED_VEILED)
    VEILED.never_logged = [str(value) for value in protected_values()]


def tearDownModule():
    VEILED.stop()
    PLAIN.stop()


def protected_values():
    """Protected values of 8 characters or more that no unprotected column holds."""
    protected, plain = set(), set()
    for table in chinook.TABLES:
        columns = [row[0] for row in PLAIN.superuser(
            f"SELECT attname FROM pg_attribute WHERE attrelid = '{table}'::regclass AND attnum > 0", "chinook")]
        for column in columns:
            held = {row[0] for row in PLAIN.superuser(f"SELECT DISTINCT {column} FROM {table}", "chinook")}
            (protected if column in chinook.PROTECTED.get(table, ()) else plain).update(held)
    texts = [str(value) for value in plain]
    everything = "\n".join(texts)
    return [value for value in protected - plain - {None}
            if isinstance(value, datetime.datetime) or (len(str(value)) >= 8 and str(value) not in everything)]


def veiled_url():
    return VEILED.url(database="chinook")


def plain_url():
    return PLAIN.url("direct", database="chinook")


def load(url, options=""):
    return psql(url, "-v", "ON_ERROR_STOP=1", "-f", chinook.SCRIPT, options=options)


class Envelopes(unittest.TestCase):
    def test_the_unmodified_script_gave_the_same_output(self):
        self.assertEqual(said(LOADED_VEILED), said(LOADED_PLAIN))

    def test_protected_columns_hold_envelopes_only(self):
        for table, columns in chinook.PROTECTED.items():
            for column in columns:
                with self.subTest(f"{table}.{column}"):
                    stored = VEILED.superuser(f"SELECT {column}::bytea FROM {table}", "chinook")
                    plain = PLAIN.superuser(f"SELECT count({column}) FROM {table}", "chinook")
                    values = [row[0] for row in stored if row[0] is not None]
                    self.assertEqual([(len(values),)], plain)
                    self.assertTrue(all(value[0] == 1 and len(value) >= 22 for value in values))


def said(done):
    """What psql said, without its line about the connection that \\c made."""
    return [line for line in (done.stdout + done.stderr).splitlines() if not line.startswith("SSL connection")]


class Answers(unittest.TestCase):
    maxDiff = None

    def test_sixty_queries_at_least(self):
        self.assertGreaterEqual(len(chinook.QUERIES), 60)

    def test_rows_and_tags_over_the_simple_protocol(self):
        for query in chinook.QUERIES:
            with self.subTest(query):
                veiled = in_psql(query + ";\n", veiled_url(), VEILED.options())
                self.assertEqual(veiled, in_psql(query + ";\n", plain_url()))
                self.assertNotIn("ERROR", veiled)

    def test_column_types_as_psql_describes_them(self):
        script = "".join(query + " \\gdesc\n" for query in chinook.QUERIES)
        self.assertEqual(in_psql(script, veiled_url(), VEILED.options()), in_psql(script, plain_url()))

    def test_rows_types_and_tags_over_the_extended_protocol(self):
        for binary in (False, True):
            with VEILED.connect(database="chinook") as veiled, PLAIN.direct(database="chinook") as plain:
                for query in chinook.QUERIES:
                    with self.subTest(query, binary=binary):
                        self.assertEqual(extended(veiled, query, binary), extended(plain, query, binary))


def extended(connection, query, binary):
    """Rows, command tag, and of every column name, type and typmod. The parameter makes it extended."""
    cursor = connection.cursor(binary=binary)
    cursor.execute(query, prepare=True)
    columns = [(c.name, c.type_code, cursor.pgresult.fmod(i)) for i, c in enumerate(cursor.description)]
    return columns, cursor.fetchall(), cursor.statusmessage


class Changes(unittest.TestCase):
    maxDiff = None

    def test_writes_give_the_same_rows_tags_and_tables(self):
        for write in chinook.WRITES:
            with self.subTest(write):
                veiled = in_psql(write + ";\n", veiled_url(), VEILED.options())
                self.assertEqual(veiled, in_psql(write + ";\n", plain_url()))
                self.assertNotIn("ERROR", veiled)
        for table in chinook.PROTECTED:
            query = f"SELECT * FROM {table} ORDER BY {chinook.TABLES[table]};\n"
            self.assertEqual(in_psql(query, veiled_url(), VEILED.options()), in_psql(query, plain_url()))


class Files(unittest.TestCase):
    """Runs last, by its name: it stops both servers."""

    def test_no_plaintext_lies_in_any_file(self):
        wanted = leaks.needles(protected_values())
        self.assertGreaterEqual(len(set(wanted.values())), 200)
        for stack in (VEILED, PLAIN):
            stack.superuser("CHECKPOINT", "chinook")
        VEILED.stop_proxy()
        for stack in (VEILED, PLAIN):
            stack.stop_server()
        self.assertEqual(leaks.scan([VEILED.dir], wanted), {})
        # The positive control: the same scan finds every one of them where they lie open.
        self.assertEqual(set(leaks.scan([PLAIN.dir], wanted)), set(wanted.values()))


if __name__ == "__main__":
    if not chinook.SCRIPT.exists():
        print(f"SKIPPED: {chinook.SCRIPT} is not here; the clinic's tests cover the same ground in small")
        sys.exit(SKIPPED)
    unittest.main()
