"""kill -9 of either side at every step of the bootstrap and of every command, then the same again: it ends well.

A step is a system call that makes a write last or sends something (test/support/stop_at.cpp); the sweep goes on until
a run ends without meeting its step any more. Every single write of the share store is swept in keyshare_store_test.
"""

import json
import os
import re
import shutil
import time
import unittest

import psycopg

from fresh_proxy import FreshProxy
from stack import CLINIC, Stack, psql, succeeded, wait_until

READ = "SELECT name FROM patients WHERE ssn = 'x'"
KILLED = -9
STRIDE = int(os.environ.get("PGVEIL_CRASH_STRIDE", "1"))  # scripts/nightly meets every step, scripts/test every sixth
FEWEST = 5  # a sweep that killed less has swept nothing


def setUpModule():
    global STACK
    STACK = Stack.start()
    succeeded(psql(STACK.url(), "-q", "-f", CLINIC / "schema.sql", options=STACK.options()))


def tearDownModule():
    STACK.stop()


def opens(proxy, name, apps=None):
    """Whether the user's files give keys, or their .user file beside the .app file in another folder."""
    try:
        with proxy.connect(proxy.options(name, apps=apps)) as connection:
            connection.execute(READ)
            return True
    except psycopg.errors.InvalidAuthorizationSpecification:
        return False


class Swept(unittest.TestCase):
    def proxy(self, name):
        proxy = FreshProxy(STACK, name, stoppable=True)
        proxy.order()
        self.addCleanup(proxy.stop)
        return proxy

    def kill_at(self, proxy, side, step, act):
        """Runs act() with one side dying at its step; True if it did. The proxy runs again afterwards."""
        page = {"proxy": proxy.of_proxy, "tenant": proxy.of_tenant}[side]
        page.set(step)
        done = act()
        page.set(0)
        if side == "tenant":
            return done.returncode == KILLED
        if done.returncode == 0 and proxy.is_running():
            return False
        proxy.child.wait(timeout=20)
        self.assertEqual(proxy.child.returncode, KILLED, done.stderr)
        proxy.start()
        return True

    def sweep(self, proxy, side, act, judge, prepare=lambda step: None, stride=STRIDE):
        """act(step) with its side dying at step 1, 1 + stride, ...; judge(step) repeats it and looks at the end."""
        step = 1
        prepare(step)
        while self.kill_at(proxy, side, step, lambda: act(step)):
            with self.subTest(side=side, step=step):
                judge(step)
            step += stride
            prepare(step)
        print(f"{side}: killed at {(step - 1) // stride} steps")
        self.assertGreater(step, FEWEST)


class Bootstrap(Swept):
    def sweep_bootstrap(self, side):
        proxy = self.proxy(f"bootstrap_{side}")
        proxy.keep("ordered")
        proxy.start()

        def judge(step):
            again = proxy.bootstrap()
            if again.returncode != 0:
                self.assertIn("bootstrapped already", again.stderr)
            self.assertIn("proxy identity", succeeded(proxy.tenant("show")))
            succeeded(proxy.user("add", "nurse"))
            self.assertTrue(opens(proxy, "nurse"))
            proxy.stop()
            proxy.put_back("ordered")
            proxy.start()

        self.sweep(proxy, side, lambda step: proxy.bootstrap(), judge)

    def test_the_proxy_dies_at_every_step(self):
        self.sweep_bootstrap("proxy")

    def test_the_tenant_dies_at_every_step(self):
        self.sweep_bootstrap("tenant")


class Adoption(Swept):
    """The tenant's first proxy is lost; a fresh one is taken over."""

    def sweep_adoption(self, side):
        proxy = self.proxy(f"adopted_{side}")
        proxy.start()
        succeeded(proxy.bootstrap())
        succeeded(proxy.user("add", "nurse"))
        proxy.stop()
        shutil.rmtree(proxy.users)
        shutil.rmtree(proxy.dir / "store")
        proxy.order()
        proxy.keep("ordered")
        proxy.start()

        def judge(step):
            again = proxy.adopt(proxy.users)
            if again.returncode != 0:  # it had come to its end
                self.assertRegex(again.stderr, "closed|exists")
                succeeded(proxy.tenant("pending", "--apply", proxy.url()))
            self.assertIn("nurse\tactive\tepoch 1", succeeded(proxy.tenant("user", "list")))
            self.assertTrue(opens(proxy, "nurse"))
            proxy.stop()
            proxy.put_back("ordered")
            proxy.start()

        stride = STRIDE if STRIDE == 1 else 8 * STRIDE  # seven minutes for every step
        self.sweep(proxy, side, lambda step: proxy.adopt(proxy.users), judge, stride=stride)

    def test_the_proxy_dies_at_every_step(self):
        self.sweep_adoption("proxy")

    def test_the_tenant_dies_at_every_step(self):
        self.sweep_adoption("tenant")


class Commands(Swept):
    """Each step has a user of its own, so that nothing has to be put back."""

    def setUp(self):
        self.proxy_ = self.proxy(self.id().rsplit(".", 1)[-1])
        self.proxy_.start()
        succeeded(self.proxy_.bootstrap())
        succeeded(self.proxy_.user("add", "witness"))

    def user(self, verb, step):
        return self.proxy_.user(verb, f"u{step}")

    def status(self, step):
        lines = succeeded(self.proxy_.tenant("user", "list")).splitlines()
        return "".join(line for line in lines if line.startswith(f"u{step}\t"))

    def send_pending(self):
        succeeded(self.proxy_.tenant("pending", "--apply", self.proxy_.url()))
        self.assertEqual(self.proxy_.tenant("pending").stdout, "")

    def add(self, step):
        succeeded(self.user("add", step))

    def added(self, step):
        if "\tactive" not in self.status(step):
            self.add(step)  # the same shares again, if it was ordered
        self.assertIn("\tactive\tepoch 1", self.status(step))
        self.assertTrue(opens(self.proxy_, f"u{step}"))

    def with_old_files(self, step):
        self.add(step)
        for suffix in ("user", "app"):
            path = self.proxy_.users / f"u{step}.{suffix}"
            path.rename(path.with_suffix(f".old-{suffix}"))

    def changed(self, step):
        if "\tactive\tepoch 2" not in self.status(step):
            succeeded(self.user("change-key", step))
        self.assertIn("\tactive\tepoch 2", self.status(step))
        self.assertTrue(opens(self.proxy_, f"u{step}"))

    def withdrawn(self, step):
        if self.status(step).split("\t")[1] == "active":
            succeeded(self.user("withdraw", step))
        self.send_pending()
        self.assertIn("\twithdrawn", self.status(step))
        self.assertFalse(opens(self.proxy_, f"u{step}"))
        self.assertTrue(opens(self.proxy_, "witness"))

    def renewal(self, step):
        return self.proxy_.renew_shares(self.proxy_.dir / f"renewed{step}")

    def renewed(self, step):
        """Killed in the middle, the old shares still work; asked again, the new ones do and the old are gone."""
        self.assertTrue(opens(self.proxy_, "witness"))
        show = succeeded(self.proxy_.tenant("user", "show", "witness"))
        before = (step - 1) // STRIDE  # one of each step so far
        if show.count("renew_shares, made") <= before or "pending" in show:
            succeeded(self.renewal(step))
        self.assertIn("status: active\n", succeeded(self.proxy_.tenant("user", "show", "witness")))
        out = self.proxy_.dir / f"renewed{step}"
        with self.proxy_.connect(self.proxy_.options("witness", apps=out)) as connection:
            connection.execute(READ)
        self.assertFalse(opens(self.proxy_, "witness"))
        shutil.copy(out / "witness.app", self.proxy_.users / "witness.app")

    def tk_renewal(self, step):
        return self.proxy_.renew_tk(self.proxy_.dir / f"tk{step}")

    def tk_renewed(self, step):
        """Killed in the middle, one of both TKs works; asked again, the new one alone, and reads what the first one sealed."""
        if opens(self.proxy_, "witness") or self.proxy_.tenant("pending").stdout:
            succeeded(self.tk_renewal(step))
        out = self.proxy_.dir / f"tk{step}"
        # Until the keyring lies in the home database, nobody is served.
        wait_until(lambda: opens(self.proxy_, "witness", out), "the new shares to open")
        with self.proxy_.connect(self.proxy_.options("witness", apps=out)) as connection:
            self.assertEqual(connection.execute("SELECT name FROM patients WHERE id = -41").fetchone(), ("Ida",))
        self.assertFalse(opens(self.proxy_, "witness"))
        self.assertEqual(self.proxy_.tenant("pending").stdout, "")
        shutil.copy(out / "witness.app", self.proxy_.users / "witness.app")

    def sweep_tk_renewal(self, side):
        with self.proxy_.connect(self.proxy_.options("witness")) as connection:
            connection.execute("INSERT INTO patients (id, name, ssn) VALUES (-41, 'Ida', 'tk')")
        self.addCleanup(STACK.superuser, "DELETE FROM patients WHERE id = -41", "clinic")
        self.sweep(self.proxy_, side, self.tk_renewal, self.tk_renewed)

    def sweep_renewal(self, side):
        self.sweep(self.proxy_, side, self.renewal, self.renewed)

    def sweep_verb(self, side, verb, judge, prepare=lambda step: None):
        self.sweep(self.proxy_, side, lambda step: self.user(verb, step), judge, prepare)

    def data_key(self, verb):
        more = ["--report", self.proxy_.dir / "report.json"] if verb == "retire" else []
        return self.proxy_.tenant("data-key", verb, *more, "--apply", self.proxy_.url())

    def make_next_key(self):
        """With a report of rotate-data: nothing of this proxy's is stored anywhere."""
        succeeded(self.data_key("new"))
        self.write_report()

    def write_report(self):
        report = {"form": "pgveil/1 rotation", "tenant": "clinic", "group": "default", "next_key": self.keys()[-1], "databases": ["clinic"],
                  "at": int(time.time())}
        STACK.write(f"{self.proxy_.name}/report.json", json.dumps(report, separators=(",", ":")) + "\n")

    def keys(self):
        """The live key id and, if there is one, the next."""
        return [int(number) for number in re.findall(r"(?:key id|next) (\d+)", succeeded(self.proxy_.tenant("group", "list")))]

    def end_data_key(self, verb, keys):
        """The same command again where it is not done: the tenant and the proxy agree on the keys, and nobody is locked out."""
        if len(self.keys()) != keys or self.proxy_.tenant("pending").stdout:
            succeeded(self.data_key(verb))
        self.assertEqual(len(self.keys()), keys)
        self.assertEqual(self.proxy_.tenant("pending").stdout, "")
        wait_until(lambda: opens(self.proxy_, "witness"), "the witness to be let in")
        known = self.keys()
        wait_until(lambda: self.mirrored() == known, "the mirror to follow")  # no second live key

    def mirrored(self):
        return [row[0] for row in STACK.superuser("SELECT key_id FROM pgveil.keyring ORDER BY 1", self.proxy_.home_database)]

    def made(self, step):
        self.end_data_key("new", 2)
        self.write_report()
        succeeded(self.data_key("retire"))

    def ended(self, step):
        self.end_data_key("retire", 1)

    def sweep_new_key(self, side):
        self.sweep(self.proxy_, side, lambda step: self.data_key("new"), self.made)

    def sweep_end_of_key(self, side):
        self.sweep(self.proxy_, side, lambda step: self.data_key("retire"), self.ended, lambda step: self.make_next_key())

    def test_data_key_new_proxy_dies(self):
        self.sweep_new_key("proxy")

    def test_data_key_new_tenant_dies(self):
        self.sweep_new_key("tenant")

    def test_data_key_retire_proxy_dies(self):
        self.sweep_end_of_key("proxy")

    def test_data_key_retire_tenant_dies(self):
        self.sweep_end_of_key("tenant")

    def test_add_proxy_dies(self):
        self.sweep_verb("proxy", "add", self.added)

    def test_add_tenant_dies(self):
        self.sweep_verb("tenant", "add", self.added)

    def test_change_key_proxy_dies(self):
        self.sweep_verb("proxy", "change-key", self.changed, self.with_old_files)

    def test_change_key_tenant_dies(self):
        self.sweep_verb("tenant", "change-key", self.changed, self.with_old_files)

    def test_renew_shares_proxy_dies(self):
        self.sweep_renewal("proxy")

    def test_renew_shares_tenant_dies(self):
        self.sweep_renewal("tenant")

    def test_renew_tk_proxy_dies(self):
        self.sweep_tk_renewal("proxy")

    def test_renew_tk_tenant_dies(self):
        self.sweep_tk_renewal("tenant")

    def test_withdraw_proxy_dies(self):
        self.sweep_verb("proxy", "withdraw", self.withdrawn, self.add)

    def test_withdraw_tenant_dies(self):
        self.sweep_verb("tenant", "withdraw", self.withdrawn, self.add)


if __name__ == "__main__":
    unittest.main()
