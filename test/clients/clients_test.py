"""One real client: its suite prints the same lines through pgveil, on protected tables, as straight on plain ones.

    clients_test.py CLIENT [agent]

With `agent` it goes through pgveil-agent in front of pgveil, with a connection string that holds nothing of pgveil. Ends with 77, which CTest reports as skipped, where the client or its toolchain is missing; `scripts/packages clients`
installs them. What pgveil refuses today stands in refusals.py.
"""

import contextlib
import difflib
import json
import os
import pathlib
import re
import shutil
import sys
import unittest
import urllib.parse

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "integration"))
import refusals
from agents import Agent
from stack import ROOT, Stack, psql, run, succeeded

SKIPPED = 77
BUILT = pathlib.Path(os.environ.get("PGVEIL_CLIENTS", ROOT / "build" / "clients"))
PYTHON = BUILT / "python" / "bin" / "python"
COMMANDS = {
    "psql": ["bash", HERE / "psql" / "suite.sh"],
    "psycopg": [PYTHON, HERE / "psycopg" / "suite.py"],
    "asyncpg": [PYTHON, HERE / "asyncpg" / "suite.py"],
    "sqlalchemy": [PYTHON, HERE / "sqlalchemy" / "suite.py"],
    "django": [PYTHON, HERE / "django" / "suite.py"],
    "activerecord": ["ruby", HERE / "activerecord" / "suite.rb"],
    "hibernate": ["java", "-cp", f"{BUILT / 'hibernate' / 'suite.jar'}:{BUILT / 'hibernate' / 'lib'}/*", "Suite"],
    "node_postgres": ["node", BUILT / "node_postgres" / "suite.js"],
    "pgx": [BUILT / "pgx" / "suite"],
    "pgjdbc": ["java", "-cp", f"{BUILT / 'pgjdbc' / 'suite.jar'}:{BUILT / 'pgjdbc' / 'lib'}/*", "Suite"],
    "tokio_postgres": [BUILT / "tokio_postgres" / "suite"],
}
# What proves that the suite was installed, besides the program of the command itself.
INSTALLED = {
    "activerecord": next(pathlib.Path("/usr/share/rubygems-integration/all/specifications").glob("activerecord-*"), "ruby-activerecord"),
    "hibernate": BUILT / "hibernate" / "suite.jar",
    "node_postgres": BUILT / "node_postgres" / "node_modules" / "pg",
    "pgjdbc": BUILT / "pgjdbc" / "suite.jar",
}
# Values of protected columns that every suite uses; none of them has a reason to stand in a log.
NEVER_LOGGED = ["Zelda Quartz", "911-00-0001", "Oskar O", "left handed", "Batch 1", "922-1", "933-1"]
CLIENT = sys.argv.pop(1) if len(sys.argv) > 1 else "psycopg"
BY_AGENT = sys.argv[1:2] == ["agent"] and bool(sys.argv.pop(1))


def missing():
    """What has to be installed for this client, or nothing."""
    needed = [COMMANDS[CLIENT][0], INSTALLED.get(CLIENT, COMMANDS[CLIENT][0])]
    return sorted({str(program) for program in needed if not shutil.which(program) and not pathlib.Path(program).exists()})


def policy():
    return json.loads(re.sub(r"^\s*//.*$", "", (HERE / "policy.json").read_text(), flags=re.M))


def with_options(url, options):
    """Every driver takes the session's parameters from its connection string."""
    return f"{url}&options={urllib.parse.quote(options, safe='')}" if options else url


def cases(output):
    """{case: (its verdict, its lines)} of what a suite printed."""
    found, lines = {}, []
    for line in output.splitlines():
        verdict = re.match(r"(ok|failed) (\w+)", line)
        if verdict:
            found[verdict.group(2)] = (line, lines)
            lines = []
        else:
            lines.append(line)
    if lines:
        found["after the last case"] = ("unfinished", lines)
    return found


def setUpModule():
    global STACK, PLAIN_URL
    STACK = Stack.start(policy())
    STACK.never_logged = NEVER_LOGGED
    STACK.superuser("CREATE DATABASE plains OWNER app")
    PLAIN_URL = STACK.url("direct", "app", "plains")
    for url, options in ((STACK.url(), STACK.options()), (PLAIN_URL, "")):
        succeeded(psql(url, "-q", "-v", "ON_ERROR_STOP=1", "-f", HERE / "tables.sql", options=options))


def tearDownModule():
    STACK.stop()


@contextlib.contextmanager
def veiled_url():
    """What the client gets. The agent's tokens are so short that every longer session needs others."""
    if not BY_AGENT:
        yield with_options(STACK.url(), STACK.options(valid_s=3600))
        return
    with Agent(STACK, tokens={"valid_s": 4}) as agent:
        yield agent.url() + "?sslmode=disable"


class OneClient(unittest.TestCase):
    maxDiff = None

    def suite(self, url):
        done = run([*COMMANDS[CLIENT], url], timeout=300, env={**os.environ, "LC_ALL": "C.UTF-8", "TZ": "UTC"})
        return done, cases(done.stdout)

    def test_it_sees_what_it_sees_on_plain_tables(self):
        done, plain = self.suite(PLAIN_URL)
        failed = "".join(f"{verdict}\n" for verdict, _ in plain.values() if not verdict.startswith("ok"))
        self.assertEqual(done.returncode, 0, failed + done.stdout[-3000:] + done.stderr[-3000:])
        self.assertGreater(len(plain), 8)
        refused = refusals.REFUSED.get(CLIENT, {})
        self.assertLessEqual(set(refused), set(plain), "refusals.py names a case that does not exist")
        with veiled_url() as url:
            done, veiled = self.suite(url)
        self.assertEqual(list(veiled), list(plain), done.stderr[-3000:])
        for name, (verdict, lines) in plain.items():
            with self.subTest(name):
                if name in refused:
                    self.assert_refused(veiled[name], refused[name])
                else:
                    self.assert_same(name, (verdict, lines), veiled[name])
        self.assertEqual(done.returncode, 1 if refused else 0, done.stderr[-3000:])
        self.assert_protected()

    def assert_same(self, name, plain, veiled):
        if plain != veiled:
            self.fail(f"{name}:\n" + "\n".join(difflib.unified_diff(
                [*plain[1], plain[0]], [*veiled[1], veiled[0]], "plain", "through pgveil", lineterm="", n=0)))

    def assert_refused(self, veiled, why):
        self.assertTrue(veiled[0].startswith("failed"), f"it works now: take it out of refusals.py ({why})")
        self.assertIn("0A000", veiled[0])

    def assert_protected(self):
        """The positive control: what the suites' last case leaves is open in the one database, sealed in the other."""
        table = {"sqlalchemy": "orm_people", "django": "orm_people", "activerecord": "orm_people", "hibernate": "orm_people"}.get(CLIENT, "people")
        for database, open_rows in (("plains", True), ("clinic", False)):
            rows = STACK.superuser(f"SELECT name::text FROM {table} WHERE ssn IS NOT NULL", database)
            self.assertTrue(rows)
            self.assertEqual(any("Zelda Quartz" in name for (name,) in rows), open_rows, rows)


if __name__ == "__main__":
    if missing():
        print(f"skipped: {CLIENT} needs {', '.join(missing())}; scripts/packages clients installs it")
        sys.exit(SKIPPED)
    unittest.main()
