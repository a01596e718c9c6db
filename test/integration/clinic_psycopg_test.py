"""The clinic through psycopg 3: text and binary, parameters bound by the server, pipeline mode, against plain tables."""

import re
import unittest

import psycopg

import clinic
from stack import Stack


def setUpModule():
    global STACK, CLINICS
    STACK = Stack.start()
    CLINICS = clinic.Clinic(STACK)


def tearDownModule():
    STACK.stop()


def named(sql):
    """$1 becomes %(p1)s: psycopg's own way to say parameters, a repeated one included."""
    return re.sub(r"\$(\d+)", r"%(p\1)s", sql.replace("%", "%%"))


def arguments(values):
    return {f"p{number}": value for number, value in enumerate(values, 1)}


def description(cursor):
    """What RowDescription said, but for the table's OID."""
    result = cursor.pgresult
    return [(result.fname(i), result.ftype(i), result.fmod(i), result.fsize(i), result.fformat(i), result.ftablecol(i))
            for i in range(result.nfields)]


def rows_of(cursor):
    """The values as they came over the wire, and as Python sees them where it has such a value (no infinity)."""
    result = cursor.pgresult
    raw = [[result.get_value(row, column) for column in range(result.nfields)] for row in range(result.ntuples)]
    try:
        # A NaN is not equal to itself, so it is shown.
        return raw, [tuple(str(value) if value != value else value for value in row) for row in cursor.fetchall()]
    except (psycopg.DataError, NotImplementedError):
        return raw, None


def answer(cursor, sql, values=None, **how):
    """Everything a program can see of an answer."""
    try:
        cursor.execute(sql, values, **how)
        rows = rows_of(cursor) if cursor.description else None
        return (cursor.statusmessage, description(cursor), rows)
    except psycopg.Error as error:
        return ("error", error.sqlstate)


class ThroughPsycopg(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.veiled = STACK.connect()
        self.plain = psycopg.connect(CLINICS.plain_url, autocommit=True)
        self.addCleanup(self.veiled.close)
        self.addCleanup(self.plain.close)

    def assert_same(self, ask):
        plain = ask(self.plain)
        self.assertEqual(ask(self.veiled), plain)
        return plain

    def test_reads_as_text_and_binary(self):
        for binary in (False, True):
            for sql in clinic.READS:
                with self.subTest(f"binary={binary}: {sql}"):
                    said = self.assert_same(lambda c: answer(c.cursor(binary=binary), sql))
                    self.assertNotEqual(said[0], "error")

    def test_parameters_bound_by_the_server(self):
        for binary in (False, True):
            for prepare in (False, True):
                for sql, values in clinic.PARAMETERS:
                    with self.subTest(f"binary={binary} prepare={prepare}: {sql}"):
                        said = self.assert_same(lambda c: rolled_back(c, lambda: answer(
                            c.cursor(binary=binary), named(sql), arguments(values), prepare=prepare)))
                        self.assertNotEqual(said[0], "error", said)

    def test_binary_parameters(self):
        for sql, values in clinic.PARAMETERS:
            with self.subTest(sql):
                text = re.sub(r"\$(\d+)", r"%(p\1)b", sql)
                self.assert_same(lambda c: rolled_back(c, lambda: answer(
                    c.cursor(binary=True), text, arguments(values))))

    def test_parameters_put_in_by_the_client(self):
        for sql, values in clinic.PARAMETERS:
            with self.subTest(sql):
                self.assert_same(lambda c: rolled_back(c, lambda: answer(
                    psycopg.ClientCursor(c), named(sql), arguments(values))))

    def test_float_digits_set_before_the_first_statement(self):
        """The server does not report them: they come from the options of the login, or from a role."""
        def ask(url, options):
            with psycopg.connect(url, options=options, autocommit=True) as connection:
                return answer(connection.cursor(), "SELECT ratio, noise, dose, drift FROM findings ORDER BY id")
        for digits in (-4, 0, 2):
            with self.subTest(digits):
                self.assertEqual(ask(STACK.url(), f"{STACK.options()} -c extra_float_digits={digits}"),
                                 ask(CLINICS.plain_url, f"-c extra_float_digits={digits}"))
        STACK.superuser("ALTER ROLE app SET extra_float_digits = -2")
        self.addCleanup(STACK.superuser, "ALTER ROLE app RESET extra_float_digits")
        self.assertEqual(ask(STACK.url(), STACK.options()), ask(CLINICS.plain_url, ""))

    def test_many_executions_of_one_prepared_statement(self):
        def ask(connection):
            cursor = connection.cursor()
            return [answer(cursor, "SELECT id, name FROM patients WHERE ssn = %s", (ssn,), prepare=True)
                    for ssn in ("120-44-7781", "none", "507-61-9934") * 4]
        self.assert_same(ask)

    def test_executemany(self):
        def ask(connection):
            cursor = connection.cursor()
            cursor.executemany("INSERT INTO patients (id, ssn, name) VALUES (%s, %s, %s) RETURNING id, name",
                               [(40 + n, f"800-{n}", f"Batch {n}") for n in range(20)], returning=True)
            rows = []
            while True:
                rows += cursor.fetchall()
                if not cursor.nextset():
                    break
            return rows, answer(cursor, "DELETE FROM patients WHERE id BETWEEN 40 AND 59")
        self.assert_same(ask)

    def test_pipeline_mode(self):
        def ask(connection):
            with connection.pipeline():
                cursors = [connection.execute(named(sql), arguments(values))
                           for sql, values in clinic.PARAMETERS if sql.startswith("SELECT")]
                mixed = connection.execute("SELECT count(*) FROM departments")
            return [(c.statusmessage, description(c), rows_of(c)) for c in [*cursors, mixed]]
        self.assert_same(ask)

    def test_an_error_in_a_pipeline_aborts_the_rest_of_it(self):
        def ask(connection):
            said = []
            try:
                with connection.pipeline():
                    connection.execute("UPDATE patients SET remark = 'piped' WHERE id = 2")
                    connection.execute("SELECT name FROM patients WHERE born = %s", ("not a day",))
                    connection.execute("SELECT name FROM patients")
            except psycopg.Error as error:
                said.append(error.sqlstate)
            return said, answer(connection.cursor(), "SELECT remark FROM patients WHERE id = 2")
        said = self.assert_same(ask)
        self.assertEqual(len(said[0]), 1)

    def test_transactions_and_savepoints(self):
        def ask(connection):
            said = []
            with connection.transaction():
                said.append(answer(connection.cursor(), "UPDATE patients SET name = 'One' WHERE id = 5 RETURNING name"))
                try:
                    with connection.transaction():
                        connection.execute("UPDATE patients SET name = 'Two' WHERE id = 5")
                        connection.execute("SELECT 1/0")
                except psycopg.errors.DivisionByZero:
                    said.append("rolled back")
                said.append(answer(connection.cursor(), "SELECT name FROM patients WHERE id = 5"))
                said.append(connection.info.transaction_status)
            return said
        self.assert_same(ask)

    def test_what_may_be_refused_is_the_same_or_refused(self):
        for sql in clinic.MAY:
            with self.subTest(sql):
                def ask(connection, sql=sql):
                    return rolled_back(connection, lambda: sorted_rows(answer(connection.cursor(), sql)))
                veiled = ask(self.veiled)
                if veiled != ("error", "0A000"):
                    self.assertEqual(veiled, ask(self.plain))

    def test_a_large_result_and_a_large_value(self):
        def ask(connection):
            def body():
                cursor = connection.cursor()
                return [answer(cursor, "UPDATE patients SET photo = %s, remark = %s WHERE id = 1 RETURNING photo, remark",
                               (bytes(range(256)) * 4096, "ž" * 300000)),
                        answer(cursor, "SELECT p.name, q.name, r.name, s.name FROM patients p, patients q, patients r,"
                                       " patients s ORDER BY p.id, q.id, r.id, s.id")]
            return rolled_back(connection, body)
        self.assert_same(ask)


def rolled_back(connection, body):
    """The value of body(), run in a transaction that leaves nothing behind."""
    connection.execute("BEGIN")
    try:
        return body()
    finally:
        connection.execute("ROLLBACK")


def sorted_rows(said):
    if len(said) == 3 and said[2] is not None:
        return (said[0], said[1], sorted(said[2][0], key=repr))
    return said


if __name__ == "__main__":
    unittest.main()
