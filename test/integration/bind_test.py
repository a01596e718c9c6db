"""bind_to and pad_to: a bound value opens in its own row only, and all else is as on a plain table.

The tables of bound_tables.py lie in a database behind pgveil and in a plain one.
"""

import re
import unittest

import psycopg

import clinic
from bound_tables import PARAMETERS, POLICY, READS, REFUSED, SCHEMA, WRITES
from stack import Stack, psql, succeeded, wait_until

def setUpModule():
    global STACK, PLAIN
    STACK = Stack.start(POLICY)
    STACK.superuser("CREATE DATABASE clinic_plain OWNER app")
    PLAIN = STACK.url("direct", "app", "clinic_plain")
    for url, options in ((STACK.url(), STACK.options()), (PLAIN, "")):
        succeeded(psql(url, "-q", "-v", "ON_ERROR_STOP=1", options=options, stdin=SCHEMA))


def tearDownModule():
    STACK.stop()


def numbered(sql, style="%(p{})s"):
    """$1 becomes psycopg's way to say it."""
    return re.sub(r"\$(\d+)", lambda match: style.format(match[1]), sql.replace("%", "%%"))


def arguments(values):
    return {f"p{number}": value for number, value in enumerate(values, 1)}


def answer(cursor, sql, values=None, **how):
    """Everything a program can see of an answer."""
    try:
        cursor.execute(sql, values, **how)
    except psycopg.Error as error:
        return ("error", error.sqlstate)
    result = cursor.pgresult
    columns = [(result.fname(i), result.ftype(i), result.fmod(i), result.fsize(i), result.fformat(i),
                result.ftablecol(i)) for i in range(result.nfields)]
    rows = [[result.get_value(row, i) for i in range(result.nfields)] for row in range(result.ntuples)]
    if "ORDER BY" not in sql:
        rows.sort(key=repr)
    return (cursor.statusmessage, columns, rows)


class TheSameAsAPlainTable(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.veiled = STACK.connect()
        self.plain = psycopg.connect(PLAIN, autocommit=True)
        self.addCleanup(self.veiled.close)
        self.addCleanup(self.plain.close)

    def assert_same(self, ask):
        plain = ask(self.plain)
        self.assertEqual(ask(self.veiled), plain)
        return plain

    def both(self, body):
        """body(connection) on both, in a transaction that is rolled back."""
        def ask(connection):
            connection.execute("BEGIN")
            try:
                return body(connection)
            finally:
                connection.execute("ROLLBACK")
        return self.assert_same(ask)

    def test_psql(self):
        for statements in ([[sql] for sql in READS] + [["BEGIN", sql, "TABLE letters", "ROLLBACK"] for sql in WRITES]):
            with self.subTest(statements):
                script = "".join(statement.rstrip(";") + "\n;\n" for statement in statements)
                plain = clinic.in_psql(script, PLAIN)
                self.assertEqual(clinic.in_psql(script, STACK.url(), STACK.options()), plain)

    def test_psql_describes_the_same(self):
        for sql in READS:
            with self.subTest(sql):
                script = sql + " \\gdesc\n"
                self.assertEqual(clinic.in_psql(script, STACK.url(), STACK.options()), clinic.in_psql(script, PLAIN))

    def test_reads_as_text_and_binary(self):
        for binary in (False, True):
            for sql in READS:
                with self.subTest(f"binary={binary}: {sql}"):
                    said = self.assert_same(lambda c: answer(c.cursor(binary=binary), sql))
                    self.assertNotEqual(said[0], "error")

    def test_writes_with_returning(self):
        for binary in (False, True):
            for sql in WRITES:
                with self.subTest(f"binary={binary}: {sql}"):
                    self.both(lambda c: [answer(c.cursor(binary=binary), sql),
                                         answer(c.cursor(), "SELECT * FROM charts ORDER BY ward, number")])

    def test_parameters_bound_by_the_server(self):
        for binary in (False, True):
            for style in ("%(p{})t", "%(p{})b", "%(p{})s"):
                for prepare in (False, True):
                    def body(connection):
                        return [answer(connection.cursor(binary=binary), numbered(sql, style), arguments(values),
                                       prepare=prepare) for sql, values in PARAMETERS]
                    with self.subTest(f"binary={binary} style={style} prepare={prepare}"):
                        said = self.both(body)
                        self.assertNotIn("error", [one[0] for one in said])

    def test_parameters_put_in_by_the_client(self):
        said = self.both(lambda c: [answer(psycopg.ClientCursor(c), numbered(sql), arguments(values))
                                    for sql, values in PARAMETERS if values != ("no row", 5, None)])
        self.assertNotIn("error", [one[0] for one in said])

    def test_undeclared_and_declared_parameters(self):
        """libpq's own calls: types left open, or named, the key as text."""
        text = "UPDATE charts SET finding = $1 WHERE ward = $2 AND number = $3 RETURNING finding"
        for types in (None, [0, 0, 0], [25, 21, 23], [0, 20, 20], [1043, 23, 21]):
            def ask(connection):
                result = connection.pgconn.exec_params(text.encode(), [b"typed", b" 1", b"1"], param_types=types)
                return result.status, result.error_message, [result.get_value(i, 0) for i in range(result.ntuples)]
            with self.subTest(types):
                said = self.assert_same(ask)
                self.assertEqual(said[2], [b"typed"])

    def test_a_statement_prepared_once_and_run_for_many_rows(self):
        def body(connection):
            cursor = connection.cursor()
            cursor.executemany("INSERT INTO charts (ward, number, finding) VALUES (%s, %s, %s) RETURNING finding",
                               [(6, n, f"f{n}") for n in range(30)], returning=True)
            said = []
            for number in range(30):
                said.append(answer(cursor, "SELECT finding FROM charts WHERE ward = 6 AND number = %s", (number,),
                                   prepare=True))
            return said
        self.both(body)

    def test_pipeline_and_portals(self):
        def ask(connection):
            with connection.pipeline():
                cursors = [connection.execute("SELECT finding FROM charts WHERE number = %s ORDER BY ward", (number,))
                           for number in (1, 2, 3)]
                letters = connection.execute("SELECT body FROM letters ORDER BY id")
            return [cursor.fetchall() for cursor in [*cursors, letters]]
        self.assert_same(ask)

    def test_a_null_key_concerns_no_row_and_is_not_stored(self):
        self.assert_same(lambda c: answer(
            c.cursor(), "UPDATE charts SET finding = %s WHERE ward = %s AND number = 1", ("lost", None)))
        said = answer(self.veiled.cursor(), "INSERT INTO charts (ward, number, finding) VALUES (%s, %s, %s)",
                      (None, 1, "lost"))
        self.assertEqual(said, ("error", "22004"))


class WhatIsRefused(unittest.TestCase):
    def setUp(self):
        self.connection = STACK.connect()
        self.addCleanup(self.connection.close)

    def assert_refused(self, sql, subject, ask):
        with self.assertRaises(psycopg.Error, msg=sql) as caught:
            ask(sql)
        said = caught.exception.diag
        self.assertEqual(said.sqlstate, "0A000", f"{sql}: {said.message_primary}")
        self.assertIn(subject, f"{said.message_primary} {said.message_hint}", sql)
        self.assertTrue(said.message_hint, sql)

    def test_each_with_a_hint_and_nothing_reaches_the_server(self):
        STACK.mark_server_log()
        for sql, subject in REFUSED:
            with self.subTest(sql):
                self.assert_refused(sql, subject, self.connection.execute)
                self.assert_refused(sql, subject, lambda text: self.connection.execute(text, prepare=True))
        self.connection.execute("SELECT 'the last line'")
        wait_until(lambda: "the last line" in STACK.server_log_since_mark(), "the server's log")
        self.assertNotIn("SECRET", STACK.server_log_since_mark())

    def test_parameters_whose_row_is_not_certain(self):
        for sql, values, subject in [
                ("INSERT INTO charts (ward, number, finding) VALUES ($1, $2, 'constant')", (1, 1), "is a parameter"),
                ("INSERT INTO charts (ward, number, finding) VALUES (1, 1, $1), (1, 2, $1)", ("x",), "for two rows"),
                ("UPDATE charts SET finding = $1 WHERE ward = 1 AND number = $2::text::int", ("x", "1"),
                 "WHERE number"),
                ("UPDATE charts SET finding = $1 WHERE ward = 1 AND number = $2 AND room <> $2", ("x", "1"),
                 "in another place"),
                ("UPDATE charts SET finding = $1 WHERE ward = 1 AND number = $2", ("x", 1.5), "WHERE number")]:
            with self.subTest(sql):
                self.assert_refused(numbered(sql), subject,
                                    lambda text: self.connection.execute(text, arguments(values)))

    def test_tables_whose_key_the_database_makes(self):
        for keys in ("id int GENERATED BY DEFAULT AS IDENTITY", "id text", "other int"):
            with self.subTest(keys):
                self.connection.execute("BEGIN")
                self.connection.execute("DROP TABLE letters")
                self.assert_refused(f"CREATE TABLE letters ({keys}, body text)", "bind_to", self.connection.execute)
                self.connection.execute("ROLLBACK")
        with self.connection.transaction(force_rollback=True):
            self.connection.execute("DROP TABLE letters")
            self.connection.execute("CREATE TABLE letters (id bigserial PRIMARY KEY, body text)")
            self.connection.execute("INSERT INTO letters VALUES (5, 'serial, but given')")
            self.assertEqual(self.connection.execute("SELECT body FROM letters").fetchone()[0], "serial, but given")


    def test_a_bound_value_is_not_shown_in_an_error(self):
        STACK.superuser("ALTER TABLE charts ADD CONSTRAINT no_cellar CHECK (room <> 'cellar')", "clinic")
        self.addCleanup(STACK.superuser, "ALTER TABLE charts DROP CONSTRAINT no_cellar", "clinic")
        with self.assertRaises(psycopg.errors.CheckViolation) as caught:
            self.connection.execute("INSERT INTO charts (ward, number, finding, room) VALUES (8, 8, 'x', 'cellar')")
        self.assertIn("(8, 8, (encrypted)", caught.exception.diag.message_detail)
        self.assertNotIn("\\x01", caught.exception.diag.message_detail)

    def test_a_key_that_the_database_changes_by_itself(self):
        """ON UPDATE CASCADE moves the key, and the value stays behind."""
        for sql in ("CREATE TABLE rooms (ward smallint PRIMARY KEY)", "INSERT INTO rooms VALUES (50)"):
            self.connection.execute(sql)
        self.addCleanup(STACK.superuser, "DROP TABLE rooms CASCADE", "clinic")
        self.addCleanup(STACK.superuser, "DELETE FROM charts WHERE number = 50", "clinic")
        self.connection.execute("INSERT INTO charts (ward, number, finding) VALUES (50, 50, 'here')")
        self.connection.execute("ALTER TABLE charts ADD CONSTRAINT moves FOREIGN KEY (ward) REFERENCES rooms"
                                " ON UPDATE CASCADE NOT VALID")
        read = "SELECT finding FROM charts WHERE number = 50"
        self.assertEqual(self.connection.execute(read).fetchone(), ("here",))
        self.connection.execute("UPDATE rooms SET ward = 51 WHERE ward = 50")
        with self.assertRaises(psycopg.Error) as caught:
            self.connection.execute(read)
        self.assertEqual(caught.exception.sqlstate, "XX001")


class MovedByTheDatabase(unittest.TestCase):
    """What a database that wants to can do: swap the stored values of two rows."""

    SWAP = "UPDATE {0} SET {1} = o.{1} FROM {0} o WHERE {0}.{2} <> o.{2} AND {0}.{2} IN ({3}) AND o.{2} IN ({3})"

    def setUp(self):
        self.connection = STACK.connect()
        self.addCleanup(self.connection.close)

    def swap(self, table, column, key, values):
        STACK.superuser(self.SWAP.format(table, column, key, values), "clinic")
        self.addCleanup(STACK.superuser, self.SWAP.format(table, column, key, values), "clinic")

    def refused(self, sql, prepare):
        with self.assertRaises(psycopg.Error) as caught:
            self.connection.execute(sql, prepare=prepare)
        self.assertEqual(caught.exception.sqlstate, "XX001")
        return caught.exception.diag.message_primary

    def test_a_bound_value_in_another_row_does_not_open(self):
        ids = "'00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000002'"
        self.swap("letters", "body", "id", ids)
        for prepare in (False, True):
            for sql in ("SELECT body FROM letters", "SELECT * FROM letters", "SELECT id, body FROM letters",
                        "DELETE FROM letters RETURNING body"):
                with self.subTest(f"{sql} prepare={prepare}"):
                    self.connection.execute("BEGIN")
                    self.assertIn("public.letters.body", self.refused(sql, prepare))
                    self.connection.execute("ROLLBACK")

    def test_nor_when_the_key_itself_is_changed(self):
        STACK.superuser("UPDATE charts SET ward = 4 WHERE ward = 1 AND number = 1", "clinic")
        self.addCleanup(STACK.superuser, "UPDATE charts SET ward = 1 WHERE ward = 4 AND number = 1", "clinic")
        self.assertIn("public.charts", self.refused("SELECT finding FROM charts WHERE ward = 4", False))

    def test_an_unbound_value_in_another_row_is_believed(self):
        """The limit that bind_to is for: the same swap is not seen."""
        self.assertEqual([row[0] for row in self.connection.execute("SELECT note FROM slips ORDER BY id")],
                         ["one", "two"])
        self.swap("slips", "note", "id", "1, 2")
        self.assertEqual([row[0] for row in self.connection.execute("SELECT note FROM slips ORDER BY id")],
                         ["two", "one"])


class WhatIsStored(unittest.TestCase):
    def stored(self, column):
        return [bytes(row[0]) for row in STACK.superuser(
            f"SELECT {column}::bytea FROM charts WHERE {column} IS NOT NULL", "clinic")]

    def test_padded_values_show_their_multiple_only(self):
        with STACK.connect() as connection, connection.cursor() as cursor:
            cursor.executemany("INSERT INTO charts (ward, number, aside, dose) VALUES (30, %s, %s, %s)",
                               [(size, "x" * size, 10 ** (size % 9)) for size in range(41)])
            self.addCleanup(STACK.superuser, "DELETE FROM charts WHERE ward = 30", "clinic")
            rows = cursor.execute("SELECT number, aside, dose FROM charts WHERE ward = 30 ORDER BY number").fetchall()
        self.assertEqual(rows, [(size, "x" * size, 10 ** (size % 9)) for size in range(41)])
        self.assertEqual({len(value) for value in self.stored("aside")}, {6 + 24 + 4 + 32 + 16, 6 + 24 + 4 + 64 + 16})
        self.assertEqual({len(value) for value in self.stored("dose")}, {6 + 24 + 4 + 16 + 16})
        self.assertEqual({value[:2] for value in self.stored("aside")}, {b"\x01\x04"})

    def test_the_check_takes_the_scheme_of_the_column_only(self):
        with STACK.direct() as connection:
            for column, good, bad in (("aside", 4, 1), ("finding", 1, 4)):
                value = bytes([1, good]) + bytes(60)
                with connection.transaction(force_rollback=True):
                    connection.execute(f"UPDATE charts SET {column} = %s WHERE ward = 1", (value,))
                for wrong in (bytes([1, bad]) + bytes(60), bytes([1, good]) + bytes(43)):
                    with self.assertRaises(psycopg.errors.CheckViolation):
                        connection.execute(f"UPDATE charts SET {column} = %s WHERE ward = 1", (wrong,))


if __name__ == "__main__":
    unittest.main()
