"""kill -9 of the PostgreSQL server that keeps the share store and the home database, while commands go through the proxy, then the same
again: it ends well. The proxy itself goes on, and serves when the server is back.

The server dies when the proxy has made its n-th step (test/support/stop_at.cpp counts and stops nothing here).
"""

import json
import os
import re
import shutil
import subprocess
import threading
import time
import unittest

import psycopg

from cluster import ClusterProxy
from fresh_proxy import StopAt
from stack import CLINIC, Stack, StackError, is_alive, psql, run, succeeded, wait_until

STRIDE = int(os.environ.get("PGVEIL_CRASH_STRIDE", "1"))
FEWEST = 1
READ = "SELECT name FROM patients WHERE id = 1"


def setUpModule():
    global STACK, PROXY
    STACK = Stack.start()
    succeeded(psql(STACK.url(), "-q", "-f", CLINIC / "schema.sql", options=STACK.options()))
    PROXY = ClusterProxy(STACK, "server_dies")
    PROXY.order()
    PROXY.of_proxy = StopAt(PROXY.dir, "steps")
    PROXY.start()
    succeeded(PROXY.bootstrap())
    succeeded(PROXY.user("add", "witness"))
    with PROXY.connect(PROXY.options("witness")) as connection:
        connection.execute("INSERT INTO patients (id, name, ssn) VALUES (1, 'Ida', 'x')")


def tearDownModule():
    PROXY.stop()
    STACK.stop()


def opens(user, folder=None, apps=None):
    """Whether the files give keys; once the server is back and the proxy has heard from its store."""
    answers = []

    def answered():
        try:
            with PROXY.connect(PROXY.options(user, folder=folder, apps=apps)) as connection:
                answers.append(connection.execute(READ).fetchone())
        except psycopg.errors.InvalidAuthorizationSpecification as refused:
            if "has not been read yet" not in str(refused):
                answers.append(None)
        except (psycopg.OperationalError, StackError):
            pass  # it has not heard from the store yet
        return answers

    wait_until(answered, "the proxy to answer")
    assert answers[0] in (None, ("Ida",)), answers
    return answers[0] is not None


class ServerDies(unittest.TestCase):
    """Each step has a user of its own."""

    def start_server(self):
        STACK.start_server()
        wait_until(self.is_reached, "the proxy to log somebody in")

    def is_reached(self):
        try:
            with PROXY.connect(""):
                return True
        except psycopg.OperationalError:
            return False

    def dies_at(self, step, act):
        """act() while the server dies at the proxy's step; True if it was in time. The server runs again afterwards."""
        PROXY.of_proxy.set(0)
        stopped = threading.Event()
        killed = []

        def watch():
            while not stopped.is_set():
                if PROXY.of_proxy.made >= step:
                    killed.append(PROXY.of_proxy.made)
                    STACK.kill_server()
                    return
                time.sleep(0.0005)

        watcher = threading.Thread(target=watch)
        watcher.start()
        self.done = act()
        stopped.set()
        watcher.join()
        if killed:
            self.start_server()
        self.assertTrue(PROXY.is_running(), "the proxy goes on")
        return bool(killed)

    def sweep(self, name, act, judge, prepare=lambda user: None):
        step = last = 1
        while True:
            user = f"{name}{step}"
            prepare(user)
            if not self.dies_at(step, lambda: act(user)):
                break
            with self.subTest(step=step, said=self.done.stderr[-300:]):
                judge(user)
            last, step = step, step + 2 * STRIDE
        print(f"the server was killed at {(last - 1) // (2 * STRIDE) + 1} steps of {name}")
        self.assertGreater(step, FEWEST)

    def status(self, user):
        lines = succeeded(PROXY.tenant("user", "list")).splitlines()
        return "".join(line for line in lines if line.startswith(f"{user}\t"))

    def send_pending(self):
        succeeded(PROXY.tenant("pending", "--apply", PROXY.url()))
        self.assertEqual(PROXY.tenant("pending").stdout, "")

    def add(self, user):
        return PROXY.user("add", user)

    def added(self, user):
        if "\tactive" not in self.status(user):
            succeeded(self.add(user))  # the same shares again, if it was ordered
        self.send_pending()
        self.assertTrue(opens(user))
        self.assertTrue(opens("witness"))

    def prepare_change(self, user):
        succeeded(self.add(user))
        former = PROXY.dir / f"former-{user}"
        former.mkdir()
        for ending in ("user", "app"):
            shutil.move(PROXY.users / f"{user}.{ending}", former)

    def changed(self, user):
        if "\tactive\tepoch 2" not in self.status(user):
            succeeded(PROXY.user("change-key", user))
        self.send_pending()
        self.assertTrue(opens(user))
        self.assertFalse(opens(user, folder=PROXY.dir / f"former-{user}"))

    def withdraw(self, user):
        return PROXY.tenant("user", "withdraw", user, "--apply", PROXY.url())

    def withdrawn(self, user):
        if "\twithdrawn" not in self.status(user):
            succeeded(self.withdraw(user))
        self.send_pending()
        self.assertFalse(opens(user))
        self.assertTrue(opens("witness"))

    def prepare_withdrawal(self, user):
        succeeded(self.add(user))
        self.assertTrue(opens(user), "the control")

    def renewed(self, verb, out):
        """The witness has the new shares, and the old ones open nothing any more."""
        if opens("witness") or PROXY.tenant("pending").stdout:
            succeeded(PROXY.tenant(verb, "--out", out, "--apply", PROXY.url()))
        self.assertTrue(opens("witness", apps=out))
        self.assertFalse(opens("witness"))
        self.assertEqual(PROXY.tenant("pending").stdout, "")
        shutil.copy(out / "witness.app", PROXY.users / "witness.app")

    def sweep_renewal(self, verb):
        def out(name):
            return PROXY.dir / name
        self.sweep(verb, lambda name: PROXY.tenant(verb, "--out", out(name), "--apply", PROXY.url()),
                   lambda name: self.renewed(verb, out(name)))

    def make_group(self, group):
        succeeded(PROXY.tenant("group", "create", group, "--apply", PROXY.url()))

    def data_key(self, verb, group):
        more = ["--report", self.report(group)] if verb == "retire" else []
        return PROXY.tenant("data-key", verb, "--group", group, *more, "--apply", PROXY.url())

    def keys(self, group):
        """The live key id and, if there is one, the next."""
        (line,) = [line for line in succeeded(PROXY.tenant("group", "list")).splitlines() if line.startswith(f"{group}\t")]
        return [int(number) for number in re.findall(r"(?:key id|next) (\d+)", line)]

    def report(self, group):
        """What rotate-data writes where nothing is left: nothing is stored under this group."""
        report = {"form": "pgveil/1 rotation", "tenant": "clinic", "group": group, "next_key": self.keys(group)[-1], "databases": ["clinic"],
                  "at": int(time.time())}
        path = PROXY.dir / f"{group}.json"
        if not path.exists():
            path.write_text(json.dumps(report, separators=(",", ":")) + "\n")
        return path

    def mirrored(self, group):
        return [row[0] for row in STACK.superuser(f"SELECT key_id FROM pgveil.keyring WHERE key_group = '{group}' ORDER BY 1", PROXY.home_database)]

    def has_keys(self, verb, group, number):
        """The same command again where it is not done: tenant, proxy and mirror agree, and nobody is locked out."""
        if len(self.keys(group)) != number or PROXY.tenant("pending").stdout:
            succeeded(self.data_key(verb, group))
        self.assertEqual(len(self.keys(group)), number)
        self.assertEqual(PROXY.tenant("pending").stdout, "")
        self.assertTrue(opens("witness"))
        wait_until(lambda: self.mirrored(group) == self.keys(group), "the mirror to follow")  # no second live key

    def prepare_retirement(self, group):
        self.make_group(group)
        succeeded(self.data_key("new", group))

    def test_data_key_new(self):
        self.sweep("fresh", lambda group: self.data_key("new", group), lambda group: self.has_keys("new", group, 2), self.make_group)

    def test_data_key_retire(self):
        self.sweep("ended", lambda group: self.data_key("retire", group), lambda group: self.has_keys("retire", group, 1), self.prepare_retirement)

    def test_add(self):
        self.sweep("add", self.add, self.added)

    def test_change_key(self):
        self.sweep("change", lambda user: PROXY.user("change-key", user), self.changed, self.prepare_change)

    def test_withdraw(self):
        self.sweep("withdraw", self.withdraw, self.withdrawn, self.prepare_withdrawal)

    def test_renew_shares(self):
        self.sweep_renewal("renew-shares")

    def test_renew_tk(self):
        self.sweep_renewal("renew-tk")


if __name__ == "__main__":
    unittest.main()
