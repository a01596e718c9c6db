"""The kits for applications (clients/): headers of a request, session parameters, rows; and no shares left behind in any pool.

    kits_test.py [Kits.test_NAME]

Each suite is a program in the kit's language. It prints `ok CASE` or `failed CASE: why`, and stands on its own on one running pgveil. Two users act in turn PGVEIL_POOL_TURNS times (scripts/nightly: 10000)
in each pool. A suite whose toolchain is missing is skipped; `scripts/packages clients` installs what they need.
"""

import os
import pathlib
import re
import shutil
import sys
import unittest
import urllib.parse

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "integration"))
from stack import ROOT, Stack, psql, run, succeeded

BUILT = pathlib.Path(os.environ.get("PGVEIL_CLIENTS", ROOT / "build" / "clients"))
KITS = ROOT / "clients"
TURNS = int(os.environ.get("PGVEIL_POOL_TURNS", 200))
POLICY = {"tables": {"public.visits": {"columns": {"note": {"type": "text"}}}}}
# Each user sees their own row, as soon as pgveil has opened their token.
TABLES = """
CREATE TABLE visits (id integer PRIMARY KEY, owner text NOT NULL, note text);
INSERT INTO visits VALUES (1, 'nurse', 'Zelda Quartz'), (2, 'clerk', 'Oskar O''Dune');
"""
OWN_ROWS = [
    "CREATE POLICY own ON visits USING (owner = current_setting('pgveil_verified.user_id', true))",
    "ALTER TABLE visits ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE visits FORCE ROW LEVEL SECURITY",
]


def setUpModule():
    global STACK
    STACK = Stack.start(POLICY)
    STACK.never_logged = ["Zelda Quartz", "Oskar O", "pgvt1.", "pgva1."]
    succeeded(psql(STACK.url(), "-q", "-v", "ON_ERROR_STOP=1", "-f", "-", options=STACK.options(), stdin=TABLES))
    for statement in OWN_ROWS:
        STACK.superuser(statement, "clinic")


def tearDownModule():
    STACK.stop()


def environment(url):
    """What a suite is given. Its tokens outlive the turns of a long night."""
    folder = STACK.dir / "app-shares"
    folder.mkdir(exist_ok=True)
    tokens = {}
    for user in ("nurse", "clerk"):
        shutil.copy(STACK.dir / "users" / f"{user}.app", folder)
        tokens[f"PGVEIL_TEST_{user.upper()}"] = STACK.shares(user, valid_s=7200)["user_token"]
    return {**os.environ, **tokens, "PGVEIL_TEST_URL": url, "PGVEIL_TEST_SHARES": str(folder), "PGVEIL_TEST_TURNS": str(TURNS),
            "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def jdbc_url(url):
    """What pgjdbc takes."""
    parts = urllib.parse.urlsplit(url)
    return f"jdbc:postgresql://{parts.hostname}:{parts.port}{parts.path}?user={parts.username}&password={parts.password}&{parts.query}"


class Kits(unittest.TestCase):
    def assert_passes(self, command, cases, built=None, **more):
        program = pathlib.Path(built or command[0])
        if not program.exists():
            self.skipTest(f"{program} is missing; scripts/packages clients installs it")
        done = run(command, timeout=900, env={**environment(STACK.url()), **more})
        failed = re.findall(r"^(?:failed|--- FAIL) .*", done.stdout, re.M)
        self.assertEqual((done.returncode, failed), (0, []), done.stdout[-3000:] + done.stderr[-3000:])
        self.assertEqual(len(re.findall(r"^(?:ok|--- PASS:) ", done.stdout, re.M)), cases, done.stdout)

    def test_python(self):
        self.assert_passes([BUILT / "python" / "bin" / "python", "-B", KITS / "python" / "tests" / "suite.py"], 10,
                           PYTHONPATH=str(KITS / "python"))

    def test_node(self):
        # The kit lies among the suite's packages, where require() finds it and it finds pg.
        self.assert_passes(["node", BUILT / "kit_node" / "suite.js"], 7, built=BUILT / "kit_node" / "suite.js")

    def test_go(self):
        self.assert_passes([BUILT / "kit_go" / "suite", "-test.v"], 6)

    def test_java(self):
        kit = BUILT / "kit_java"
        self.assert_passes(["java", "-cp", f"{kit / 'suite'}:{kit / 'pgveil.jar'}:{kit / 'lib'}/*", "Suite"], 6, built=kit / "suite" / "Suite.class",
                           PGVEIL_TEST_JDBC_URL=jdbc_url(STACK.url()))


if __name__ == "__main__":
    unittest.main()
