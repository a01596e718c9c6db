"""pg_dump and psql's own queries: what is dumped through pgveil restores as plain tables, what is dumped directly stays sealed."""

import os
import pty
import re
import select
import subprocess
import time
import unittest

import clinic
from logs import CLINIC as VALUES
from stack import CLINIC, Stack, psql, run, succeeded

TABLES = {"patients": "id", "visits": "id", "findings": "id", "departments": "code"}
# How pg_dump reads and writes rows: COPY, a cursor, and one cursor with many rows for an INSERT.
WAYS = ([], ["--inserts"], ["--column-inserts", "--rows-per-insert=3"])


def setUpModule():
    global STACK, PLAIN_URL
    STACK = Stack.start()
    STACK.superuser("CREATE DATABASE plains OWNER app")
    PLAIN_URL = STACK.url("direct", "app", "plains")
    for name in ("schema.sql", "sample.sql"):
        succeeded(psql(STACK.url(), "-q", "-v", "ON_ERROR_STOP=1", "-f", CLINIC / name, options=STACK.options()))
        succeeded(psql(PLAIN_URL, "-q", "-v", "ON_ERROR_STOP=1", "-f", CLINIC / name))


def tearDownModule():
    STACK.stop()


def dump(url, *arguments, options=""):
    """What pg_dump writes, without the lines that differ from run to run."""
    done = run(["pg_dump", url, *arguments], env={**os.environ, "PGOPTIONS": options, "LC_ALL": "C.UTF-8"})
    return re.sub(r"^\\(un)?restrict .*$", "", succeeded(done), flags=re.M)


def new_database(name):
    STACK.superuser(f"CREATE DATABASE {name} OWNER app")
    return STACK.url("direct", "app", name)


def restored(url, text):
    """Every table's rows, in a new database that a dump was read into."""
    succeeded(psql(url, "-q", "-v", "ON_ERROR_STOP=1", stdin=text))
    return rows(url)


def rows(url, options=""):
    queries = "".join(f"SELECT * FROM public.{table} ORDER BY {key};\n" for table, key in TABLES.items())
    return succeeded(psql(url, "-At", "-v", "ON_ERROR_STOP=1", options=options, stdin=queries))


def what_restores(way):
    """The plain rows. pg_dump writes no quotes around a number in an INSERT, and the constant -0 is zero without a sign."""
    return re.sub(r"\|-0(?=[|\n])", "|0", rows(PLAIN_URL)) if way else rows(PLAIN_URL)


class Dumps(unittest.TestCase):
    maxDiff = None

    def through(self, *arguments):
        return dump(STACK.url(), *arguments, options=STACK.options())

    def test_the_schema_is_that_of_plain_tables(self):
        self.assertEqual(self.through("--schema-only"), dump(PLAIN_URL, "--schema-only"))

    def test_through_pgveil_it_is_plaintext_that_restores_without_it(self):
        for number, way in enumerate(WAYS):
            with self.subTest(way):
                text = self.through(*way)
                self.assertEqual(text, dump(PLAIN_URL, *way))
                self.assertIn("Aurelia Brandt", text)
                self.assertEqual(restored(new_database(f"restored_{number}"), text), what_restores(way))

    def test_an_archive_restores_with_pg_restore(self):
        folder = STACK.dir / "users" / "archive"
        self.through("--format=directory", "--jobs=2", f"--file={folder}")
        url = new_database("from_archive")
        succeeded(run(["pg_restore", "--exit-on-error", f"--dbname={url}", folder]))
        self.assertEqual(rows(url), rows(PLAIN_URL))

    def test_directly_it_is_ciphertext_that_restores_and_opens(self):
        for number, way in enumerate(WAYS):
            with self.subTest(way):
                text = dump(STACK.url("direct"), *way)
                self.assertEqual([value for value in VALUES if value in text], [])
                database = f"sealed_{number}"
                restored(new_database(database), text)
                self.assertEqual(rows(STACK.url("proxy", "app", database), STACK.options()), rows(PLAIN_URL))

    def test_a_plain_dump_restored_through_pgveil_is_sealed(self):
        for number, way in enumerate(WAYS):
            with self.subTest(way):
                text = dump(PLAIN_URL, *way)
                self.assertIn("Aurelia Brandt", text)
                database = f"moved_{number}"
                new_database(database)
                url = STACK.url("proxy", "app", database)
                succeeded(psql(url, "-q", "-v", "ON_ERROR_STOP=1", options=STACK.options(), stdin=text))
                self.assertEqual(rows(url, STACK.options()), what_restores(way))
                sealed = dump(STACK.url("direct", "app", database))
                self.assertEqual([value for value in VALUES if value in sealed], [])

    def test_without_shares_no_row_is_dumped(self):
        done = run(["pg_dump", STACK.url()], env={**os.environ, "PGOPTIONS": ""})
        self.assertNotEqual(done.returncode, 0)
        self.assertNotIn("Aurelia", done.stdout + done.stderr)


class Terminal:
    """psql at a terminal, because only there it completes words."""

    def __init__(self, url, options=""):
        environment = {**os.environ, "PGOPTIONS": options, "TERM": "dumb", "PSQL_HISTORY": "/dev/null", "INPUTRC": "/dev/null",
                       "LC_ALL": "C.UTF-8"}
        self.end, other = pty.openpty()
        self.child = subprocess.Popen(["psql", "-X", "-q", url], stdin=other, stdout=other, stderr=other, env=environment,
                                      start_new_session=True)
        os.close(other)
        self.read_until("=> ")

    def read_until(self, wanted, seconds=20):
        seen, deadline = "", time.monotonic() + seconds
        while wanted not in seen:
            ready, _, _ = select.select([self.end], [], [], max(0, deadline - time.monotonic()))
            if not ready:
                raise AssertionError(f"waited for {wanted!r}, saw {seen!r}")
            seen += os.read(self.end, 65536).decode(errors="replace").replace("\a", "")
        return seen

    def completed(self, typed, expected):
        """Types a beginning and a tab; the line has to become what is expected, and is thrown away (Ctrl-U)."""
        os.write(self.end, typed.encode() + b"\t")
        self.read_until(expected)
        os.write(self.end, b"\x15\n")
        self.read_until("=> ")

    def close(self):
        os.write(self.end, b"\\q\n")
        self.child.wait(20)
        os.close(self.end)


class Psql(unittest.TestCase):
    def test_words_are_completed(self):
        for url, options in ((PLAIN_URL, ""), (STACK.url(), STACK.options())):
            terminal = Terminal(url, options)
            self.addCleanup(terminal.close)
            for typed, expected in (("SELECT * FROM pati", "patients"), ("UPDATE patients SET insu", "insured"),
                                    ("\\d find", "findings"), ("INSERT INTO visits (invo", "invoice_cents"),
                                    ("ALTER TABLE patients DROP COLUMN rem", "remark")):
                with self.subTest(typed):
                    terminal.completed(typed, expected)

    def test_what_it_shows_of_databases_and_schemas(self):
        for command in ("\\dt", "\\d+ patients", "\\dn", "\\dD", "\\df", "\\dT", "\\l clinic"):
            with self.subTest(command):
                veiled = clinic.in_psql(command + "\n", STACK.url(), STACK.options())
                self.assertNotIn("ERROR", veiled)
                self.assertNotIn("pgveil", veiled)

    def test_backslash_copy(self):
        file = STACK.dir / "users" / "patients.csv"
        out = f"\\copy patients TO '{file}' (FORMAT csv, HEADER)\n"
        plain = clinic.in_psql(out, PLAIN_URL)
        text = file.read_text()
        self.assertIn("Aurelia Brandt", text)
        file.write_text("")
        self.assertEqual(clinic.in_psql(out, STACK.url(), STACK.options()), plain)
        self.assertEqual(file.read_text(), text)
        back = f"BEGIN;\nDELETE FROM visits;\nDELETE FROM patients;\n\\copy patients FROM '{file}' (FORMAT csv, HEADER)\n" \
               "SELECT * FROM patients ORDER BY id;\nROLLBACK;\n"
        self.assertEqual(clinic.in_psql(back, STACK.url(), STACK.options()), clinic.in_psql(back, PLAIN_URL))


if __name__ == "__main__":
    unittest.main()
