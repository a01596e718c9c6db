"""The kits for applications (clients/): headers of a request, session parameters, rows; and no shares left behind in any pool, nor in a
pgbouncer in front of pgveil or behind it.

    kits_test.py [Kits.test_NAME]

Each suite is a program in the kit's language. It prints `ok CASE` or `failed CASE: why`, and stands on its own on one running pgveil. Two users act in turn PGVEIL_POOL_TURNS times (scripts/nightly: 10000)
in each pool. A suite whose toolchain is missing is skipped; `scripts/packages clients` installs what they need.
"""

import concurrent.futures
import contextlib
import os
import pathlib
import re
import shutil
import sys
import time
import unittest
import urllib.parse

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "integration"))
sys.path.insert(0, str(HERE.parents[1] / "clients" / "python"))
import psycopg

import pgveil
import pgveil.psycopg
from pgbouncer import Pgbouncer
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
        done = run(command, timeout=1800, env={**environment(STACK.url()), **more})
        failed = re.findall(r"^(?:failed|--- FAIL) .*", done.stdout, re.M)
        self.assertEqual((done.returncode, failed), (0, []), done.stdout[-3000:] + done.stderr[-3000:])
        self.assertEqual(len(re.findall(r"^(?:ok|--- PASS:) ", done.stdout, re.M)), cases, done.stdout)
        print(done.stdout, flush=True)  # which case took how long

    def test_python(self):
        self.assert_passes([BUILT / "python" / "bin" / "python", "-B", KITS / "python" / "tests" / "suite.py"], 11,
                           PYTHONPATH=str(KITS / "python"))

    def test_node(self):
        # The kit lies among the suite's packages, where require() finds it and it finds pg.
        self.assert_passes(["node", BUILT / "kit_node" / "suite.js"], 7, built=BUILT / "kit_node" / "suite.js")

    def test_go(self):
        self.assert_passes([BUILT / "kit_go" / "suite", "-test.v"], 6)

    def test_java(self):
        kit = BUILT / "kit_java"
        self.assert_passes(["java", "-cp", f"{kit / 'suite'}:{kit / 'pgveil.jar'}:{BUILT / 'pgjdbc' / 'lib'}/*", "Suite"], 6, built=kit / "suite" / "Suite.class",
                           PGVEIL_TEST_JDBC_URL=jdbc_url(STACK.url()))


ROWS = "SELECT owner, note FROM visits"
SEEN = {"nurse": [("nurse", "Zelda Quartz")], "clerk": [("clerk", "Oskar O'Dune")]}


def shares_of(user):
    given = STACK.shares(user, valid_s=7200)
    return pgveil.Shares(given["user_id"], given["user_token"], given["app_share"])


def assert_sees_nothing(connection):
    try:
        rows = connection.execute(ROWS).fetchall()
    except psycopg.errors.InvalidAuthorizationSpecification:
        return
    raise AssertionError(f"{len(rows)} rows without shares")


def turn_of(connection, turn, shares):
    """One transaction of one of two users; whether it saw anything but that user's rows."""
    user = "nurse" if turn % 7 == 0 else ("nurse", "clerk")[turn % 2]
    wrong = True
    with contextlib.suppress(psycopg.errors.DivisionByZero), pgveil.psycopg.transaction(connection, shares[user]):
        wrong = connection.execute(ROWS).fetchall() != SEEN[user]
        if turn % 5 == 0:
            connection.execute("SELECT 1 / 0")
    if turn % 11 == 0:
        assert_sees_nothing(connection)
    return wrong


def wrong_turns(url):
    """How many of TURNS were, by four clients that log in anew every fifty turns."""
    shares = {user: shares_of(user) for user in SEEN}

    def of_one_client(first):
        wrong, mine = 0, range(first, TURNS, 4)
        for begin in range(0, len(mine), 50):
            with psycopg.connect(url, autocommit=True, prepare_threshold=None) as connection:
                wrong += sum(turn_of(connection, turn, shares) for turn in mine[begin:begin + 50])
        return wrong

    began = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(4) as threads:
        wrong = sum(threads.map(of_one_client, range(4)))
    print(f"{TURNS} turns in {time.monotonic() - began:.1f} s", flush=True)
    return wrong


@unittest.skipUnless(shutil.which("pgbouncer"), "there is no pgbouncer; scripts/packages clients installs it")
class InFront(unittest.TestCase):
    """Application, pgbouncer in transaction mode, pgveil: a session of pgveil serves a new client with each transaction."""

    def connect(self, pool):
        # pgbouncer before 1.21 does not know prepared statements in this mode.
        return psycopg.connect(pool.url(), autocommit=True, prepare_threshold=None)

    def set_for_the_session(self, connection, user):
        connection.execute(pgveil.SET_SHARES.replace("true", "false"), shares_of(user).values)

    def test_two_users_in_turn_see_their_own_rows_and_leave_no_shares(self):
        with Pgbouncer(STACK, STACK.proxy_port, pool_mode="transaction", default_pool_size=2) as pool:
            self.assertEqual(wrong_turns(pool.url()), 0)

    def test_what_is_set_for_the_session_reaches_the_next_client_unless_pgbouncer_resets_it(self):
        """The first half is the positive control, and what docs/APPLICATIONS.md warns of."""
        for more, is_left in (({}, True), ({"server_reset_query_always": 1}, False)):
            with self.subTest(more), Pgbouncer(STACK, STACK.proxy_port, pool_mode="transaction", default_pool_size=1, **more) as pool:
                with self.connect(pool) as first, self.connect(pool) as second:
                    self.set_for_the_session(first, "nurse")
                    if is_left:
                        self.assertEqual(second.execute(ROWS).fetchall(), SEEN["nurse"])
                    else:
                        assert_sees_nothing(second)

    def test_session_mode_resets_before_the_next_client(self):
        with Pgbouncer(STACK, STACK.proxy_port, pool_mode="session", default_pool_size=1) as pool:
            with self.connect(pool) as first:
                self.set_for_the_session(first, "nurse")
                self.assertEqual(first.execute(ROWS).fetchall(), SEEN["nurse"])
            with self.connect(pool) as second:
                assert_sees_nothing(second)

    def test_shares_at_the_start_are_refused_or_ignored_by_pgbouncer(self):
        with Pgbouncer(STACK, STACK.proxy_port, pool_mode="transaction") as pool:
            with self.assertRaisesRegex(psycopg.OperationalError, "unsupported startup parameter"):
                psycopg.connect(pool.url(), options=STACK.options())
        with Pgbouncer(STACK, STACK.proxy_port, pool_mode="transaction", ignore_startup_parameters="options") as pool:
            with psycopg.connect(pool.url(), options=STACK.options(), autocommit=True, prepare_threshold=None) as connection:
                assert_sees_nothing(connection)


@unittest.skipUnless(shutil.which("pgbouncer"), "there is no pgbouncer; scripts/packages clients installs it")
class Behind(unittest.TestCase):
    """pgveil, pgbouncer, PostgreSQL."""

    def test_transaction_mode_stops_the_start_and_session_mode_works(self):
        before = STACK.settings.read_text()
        STACK.stop_proxy()
        try:
            for size, round_robin in ((1, 0), (2, 1), (3, 1)):
                with self.subTest(size=size), Pgbouncer(
                        STACK, STACK.pg_port, pool_mode="transaction", default_pool_size=size, server_round_robin=round_robin) as pool:
                    STACK.write("pgveil.json", before.replace(str(STACK.pg_port), str(pool.port)))
                    done = STACK.serve()
                    self.assertEqual(done.returncode, 2, done.stderr)
                    self.assertIn("pooler in transaction mode", done.stderr)
            # Fewer than the four clients and pgveil itself need at once would make them wait, as in every pool.
            with Pgbouncer(STACK, STACK.pg_port, pool_mode="session", default_pool_size=8) as pool:
                STACK.write("pgveil.json", before.replace(str(STACK.pg_port), str(pool.port)))
                STACK.start_proxy()
                for user in ("nurse", "clerk"):
                    with psycopg.connect(STACK.url(), autocommit=True) as connection:
                        connection.execute(pgveil.SET_SHARES.replace("true", "false"), shares_of(user).values)
                        self.assertEqual(connection.execute(ROWS).fetchall(), SEEN[user])
                self.assertEqual(wrong_turns(STACK.url()), 0)
                STACK.stop_proxy()
        finally:
            STACK.write("pgveil.json", before)
            STACK.start_proxy()


if __name__ == "__main__":
    unittest.main()
