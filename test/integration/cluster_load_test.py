"""Two pgveil behind HAProxy while clients work: a rolling restart loses nothing, one that is killed takes only its own sessions
along, and who is withdrawn at one is refused by both within a second."""

import threading
import time
import unittest

import psycopg

from balanced import Cluster, Load
from bank import Counter, Payer, make_bank
from stack import is_alive, succeeded

POLICY = {"tables": {"public.accounts": {"columns": {"balance": {"type": "bigint"},
                                                     "owner": {"type": "text", "search": "equality"}}}}}
READ = "SELECT balance FROM accounts WHERE id = 1"
WITHDRAWN_S = 1.0  # store.max_age_ms, its default
REFUSED = psycopg.errors.InvalidAuthorizationSpecification


def setUpModule():
    global CLUSTER
    CLUSTER = Cluster.up(POLICY, "--single")
    make_bank(CLUSTER)


def tearDownModule():
    CLUSTER.down()


class Reader(threading.Thread):
    """Reads all the time, whether it is refused or not."""

    def __init__(self, connection):
        super().__init__(daemon=True)
        self.connection, self.last, self.ended = connection, None, threading.Event()
        self.start()

    def run(self):
        while not self.ended.wait(0.01):
            begun = time.monotonic()
            try:
                self.connection.execute(READ)
                self.last = begun
            except psycopg.OperationalError:
                pass

    def finish(self):
        """When the last statement that was served had begun."""
        self.ended.set()
        self.join(20)
        return self.last


class UnderLoad(unittest.TestCase):
    def session(self, options, proxy):
        connection = CLUSTER.connect(options, proxy)
        self.addCleanup(connection.close)
        return connection

    def test_a_rolling_restart_loses_nothing(self):
        before = [CLUSTER.pid(name) for name in ("proxy1", "proxy2")]
        with Load(self, CLUSTER) as load:
            succeeded(CLUSTER.script("restart"))
            load.goes_on()
        self.assertEqual(load.book.reasons, {})  # nobody has seen an error
        self.assertFalse(set(before) & {CLUSTER.pid(name) for name in ("proxy1", "proxy2")})

    def test_who_is_withdrawn_at_one_is_refused_by_both_within_a_second(self):
        CLUSTER.add_user("guest")
        sessions = {number: self.session(CLUSTER.options_of("guest"), number) for number in CLUSTER.urls}
        for connection in sessions.values():
            self.assertEqual(len(connection.execute(READ).fetchall()), 1)
        with Load(self, CLUSTER, (Payer,) * 3 + (Counter,), turns=50):
            readers = [Reader(connection) for connection in sessions.values()]
            CLUSTER.tenant("user", "withdraw", "guest", proxy=1)
            withdrawn = time.monotonic()
            time.sleep(2 * WITHDRAWN_S)
            last = [reader.finish() - withdrawn for reader in readers]
        print("served last after the withdrawal was receipted, s:", [round(at, 3) for at in last])
        for served in last:
            self.assertLess(served, WITHDRAWN_S)

    def test_when_one_is_killed_the_other_goes_on_and_what_tokens_were_used_for_stays_counted(self):
        shares = CLUSTER.options_of("nurse", "--uses", 2, "--passphrase-file", CLUSTER.dir / "secrets" / "nurse.passphrase")
        self.session(shares, 1).execute(READ)
        with Load(self, CLUSTER, turns=20) as load:
            CLUSTER.kill("proxy1")
            load.goes_on()
            succeeded(CLUSTER.script("start", "proxy1"))
            load.goes_on()
        self.session(shares, 2).execute(READ)
        for number in CLUSTER.urls:
            with self.assertRaisesRegex(REFUSED, "2 sessions"):
                self.session(shares, number).execute(READ)


class WhenItIsTakenDown(unittest.TestCase):
    """Last, also by its name, which is what unittest sorts by."""

    def test_down_ends_what_was_started_and_nothing_else(self):
        names = [path.stem for path in (CLUSTER.dir / "run").glob("*.pid")]
        self.assertEqual(set(names), {"proxy1", "proxy2", "haproxy"})
        stranger = CLUSTER.dir / "run" / "proxy2.pid"
        kept, pid = stranger.read_text(), CLUSTER.pid("proxy2")
        stranger.write_text(f"{pid} 1\n")  # as if somebody else had got the number
        succeeded(CLUSTER.script("down"))
        self.assertTrue(is_alive(pid))
        stranger.write_text(kept)
        succeeded(CLUSTER.script("down"))
        self.assertFalse(is_alive(pid))


if __name__ == "__main__":
    unittest.main()
