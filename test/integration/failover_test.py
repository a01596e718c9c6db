"""A pair of PostgreSQL under Patroni that changes its primary while clients work through HAProxy and two pgveil, whose share store is
in the same pair: no acknowledged transfer is lost, no row is wrong, errors say what happened, sessions come back within RECOVERED_S,
and neither server's files hold plaintext. Takes minutes: scripts/nightly and scripts/soak run it."""

import os
import re
import signal
import time
import unittest
import urllib.request

from balanced import Cluster, Load
from bank import Counter, Payer, make_bank
from leaks import needles, scan
from stack import run, succeeded, wait_until

POLICY = {"tables": {"public.accounts": {"columns": {"balance": {"type": "bigint"},
                                                     "owner": {"type": "text", "search": "equality"}}},
                     "public.members": {"columns": {"name": {"type": "text"}}}}}
# Patroni's ttl (20 s) until the loss is believed, the promotion, and the clients' own pauses.
RECOVERED_S = 60
PROTECTED = [f"Quendolin Marabel {number}" for number in range(5)]
PLAIN = "Orchard of Plainfield"
# What a client may be told: the connection is lost, by pgveil's word or the server's; no server takes it; the share store, which is in
# the same pair, is silent. Of an error that came a moment before the end psycopg shows the end only.
CLEAR = re.compile(r"the connection to the database server was lost|none of the database servers can take this session|terminating connection"
                   r"|^58030 .*share store|^consuming input failed: SSL connection has been closed unexpectedly$")


def setUpModule():
    global CLUSTER
    CLUSTER = Cluster.up(POLICY)
    make_bank(CLUSTER)
    with CLUSTER.connect() as connection:
        connection.execute("CREATE TABLE members (id int PRIMARY KEY, name text, city text)")
        for number, name in enumerate(PROTECTED):
            connection.execute("INSERT INTO members VALUES (%s, %s, %s)", [number, name, PLAIN])


def tearDownModule():
    CLUSTER.down()


def ask(node, path):
    port = (CLUSTER.dir / "run" / f"rest{node}.port").read_text().strip()
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status == 200
    except OSError:  # also another status
        return False


def primary():
    return next((node for node in (1, 2) if ask(node, "/primary")), None)


def wait_for_standby(node):
    wait_until(lambda: ask(node, "/synchronous"), f"node {node} to be the synchronous standby", 120)


def kill_node(node):
    """As if its machine went down: Patroni first, so that it cannot tell anybody."""
    postmaster = int((CLUSTER.dir / f"node{node}" / "postmaster.pid").read_text().split()[0])
    os.kill(CLUSTER.pid(f"patroni{node}"), signal.SIGKILL)
    os.kill(postmaster, signal.SIGKILL)


class Failover(unittest.TestCase):
    def setUp(self):
        node = primary()
        wait_for_standby(3 - node)
        self.old = node

    def recovers(self, load, disturb):
        """Disturbs the load, and waits until transfers are confirmed by the other node."""
        disturb()
        begun = time.monotonic()
        wait_until(lambda: primary() == 3 - self.old, "the other node to be the primary", RECOVERED_S)
        promoted = time.monotonic() - begun
        load.goes_on(seconds=RECOVERED_S)
        print(f"new primary after {promoted:.1f} s, 20 transfers more after {time.monotonic() - begun:.1f} s")
        self.assertLess(time.monotonic() - begun, RECOVERED_S)

    def judge(self, load):
        for reason in load.book.reasons:
            self.assertRegex(reason, CLEAR)
        with CLUSTER.connect() as connection:
            rows = connection.execute("SELECT name FROM members ORDER BY id").fetchall()
        self.assertEqual([name for name, in rows], PROTECTED)

    def test_a_planned_switch(self):
        with Load(self, CLUSTER, (Payer,) * 4 + (Counter,) * 2, turns=50) as load:
            self.recovers(load, lambda: succeeded(run(["patronictl", "-c", CLUSTER.dir / "node1.yml", "switchover", "--force"])))
        self.judge(load)

    def test_the_primary_is_killed(self):
        with Load(self, CLUSTER, (Payer,) * 4 + (Counter,) * 2, turns=50) as load:
            self.recovers(load, lambda: kill_node(self.old))
            succeeded(CLUSTER.script("start", f"patroni{self.old}"))
            wait_for_standby(self.old)
            load.goes_on()
        self.judge(load)

    def test_users_are_added_and_withdrawn_after_it(self):
        succeeded(run(["patronictl", "-c", CLUSTER.dir / "node1.yml", "switchover", "--force"]))
        wait_until(lambda: primary() == 3 - self.old, "the other node to be the primary", RECOVERED_S)
        name = f"after{self.old}"
        wait_until(lambda: self.added(name), "a command to be taken", RECOVERED_S)
        with CLUSTER.connect(CLUSTER.options_of(name)) as connection:
            self.assertEqual(len(connection.execute("SELECT balance FROM accounts").fetchall()), 50)

    @staticmethod
    def added(name):
        try:
            CLUSTER.add_user(name)
        except AssertionError as refused:
            print(str(refused)[-300:])
            return False
        return True


class Files(unittest.TestCase):
    """After the others, also by its name."""

    def test_neither_server_holds_plaintext(self):
        CLUSTER.superuser("CHECKPOINT")
        for node in (1, 2):
            found = scan([CLUSTER.dir / f"node{node}"], needles([*PROTECTED, PLAIN]))
            self.assertEqual(list(found), [PLAIN])  # what is not protected is found, so that the search works


if __name__ == "__main__":
    unittest.main()
