"""pgveil move-store: the share store goes from SQLite into PostgreSQL and back. Users, withdrawals and spent tokens go with it, versions
go on, the old place serves nobody, and a kill at any step loses nothing."""

import json
import os
import shutil
import unittest

import psycopg

from cluster import DATABASE
from fresh_proxy import FreshProxy
from stack import CLINIC, Stack, psql, run, succeeded, wait_until

READ = "SELECT name FROM patients WHERE ssn = 'x'"
REFUSED = psycopg.errors.InvalidAuthorizationSpecification
STRIDE = int(os.environ.get("PGVEIL_CRASH_STRIDE", "1"))  # scripts/nightly meets every step, scripts/test every tenth
KILLED = -9


def setUpModule():
    global STACK
    STACK = Stack.start()
    succeeded(psql(STACK.url(), "-q", "-f", CLINIC / "schema.sql", options=STACK.options()))
    STACK.superuser(f"CREATE ROLE {DATABASE} LOGIN PASSWORD 'store'")
    STACK.superuser(f"CREATE DATABASE {DATABASE} OWNER {DATABASE}")
    STACK.write(f"secrets/{DATABASE}.password", "store\n")


def tearDownModule():
    STACK.stop()


class MovedProxy(FreshProxy):
    """A proxy with two settings files: `here` has the store in SQLite, `there` in PostgreSQL."""

    def __init__(self, stack, name):
        super().__init__(stack, name, stoppable=True)
        self.here = self.settings
        self.there = self.settings_with("there", self.in_postgresql())
        self.order()

    def settings_with(self, name, store):
        settings = json.loads(self.here.read_text())
        settings["store"] = store
        return self.stack.write(f"{self.name}-{name}.json", json.dumps(settings))

    def in_postgresql(self):
        upstream = json.loads(self.settings.read_text())["upstream"]
        return {"kind": "postgresql", "hosts": [{"host": upstream["host"], "port": upstream["port"]}],
                "tls": {"ca": upstream["tls"]["ca"]}, "password_file": f"secrets/{DATABASE}.password", "max_age_ms": 3000}

    def in_sqlite(self, name):
        return {"path": f"{self.name}/store/{name}.sqlite"}

    def move(self, to, since, words=()):
        return run([*self.stack.as_owner(), *words, self.stack.dir / "bin" / "pgveil", "move-store", "--config", to, "--from", since])

    def serve(self, settings):
        self.settings = settings
        self.start()

    def empty_target(self):
        self.stack.superuser("DROP SCHEMA IF EXISTS pgveil_store CASCADE", DATABASE)
        (self.dir / "store" / "seal.key.mark").unlink(missing_ok=True)


class Case(unittest.TestCase):
    def proxy(self, name):
        proxy = MovedProxy(STACK, name)
        proxy.empty_target()
        self.addCleanup(proxy.stop)
        proxy.start()
        succeeded(proxy.bootstrap())
        succeeded(proxy.user("add", "nurse"))
        return proxy

    def reads(self, proxy, options):
        with proxy.connect(options) as connection:
            connection.execute(READ)

    def refused(self, proxy, options, *words):
        with proxy.connect(options) as connection, self.assertRaises(REFUSED) as caught:
            connection.execute(READ)
        for word in words:
            self.assertIn(word, str(caught.exception))

    def does_not_start(self, settings, *words):
        done = STACK.serve(settings)
        self.assertIsNotNone(done, "it kept running")
        self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)

    def fails(self, done, *words):
        self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
        self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)


class ThereAndBack(Case):
    def test_everything_goes_with_it_and_the_old_place_serves_nobody(self):
        proxy = self.proxy("mover")
        succeeded(proxy.user("add", "guest"))
        gone, once = proxy.options("guest"), self.once(proxy)
        self.reads(proxy, gone)
        self.reads(proxy, once)
        succeeded(proxy.user("withdraw", "guest"))
        self.fails(proxy.move(proxy.there, proxy.here), "in use", "stop the proxy")
        proxy.stop()
        shutil.copy2(proxy.dir / "store" / "shares.sqlite", proxy.dir / "kept.sqlite")
        self.assertIn("moved: tenant clinic", succeeded(proxy.move(proxy.there, proxy.here)))
        self.assertIn("moved before", succeeded(proxy.move(proxy.there, proxy.here)))
        self.does_not_start(proxy.here, "has moved", f"in database {DATABASE}")
        proxy.serve(proxy.there)
        self.check(proxy, gone, once)
        with self.subTest("a copy of the old store opens with no key that is kept"):
            shutil.copy2(proxy.dir / "kept.sqlite", proxy.dir / "store" / "shares.sqlite")
            self.does_not_start(proxy.here, "the share store")
        with self.subTest("and back"):
            back = proxy.settings_with("back", proxy.in_sqlite("back"))
            proxy.stop()
            self.assertIn("moved: tenant clinic", succeeded(proxy.move(back, proxy.there)))
            self.does_not_start(proxy.there, "has moved", "back.sqlite")
            proxy.serve(back)
            self.check(proxy, gone, once)
            succeeded(proxy.user("add", "late"))

    def once(self, proxy):
        return succeeded(run([*STACK.as_owner(), STACK.dir / "bin" / "pgveil-user", "options", "--key", proxy.users / "nurse.user",
                              "--app-share", proxy.users / "nurse.app", "--from", proxy.url(), "--valid", 600, "--uses", 1])).strip()

    def check(self, proxy, gone, once):
        self.reads(proxy, proxy.options("nurse"))
        self.refused(proxy, gone, "withdrawn")
        self.refused(proxy, once, "1 session")

    def test_a_place_that_is_not_empty_is_left_alone(self):
        proxy, other = self.proxy("first"), None
        proxy.stop()
        succeeded(proxy.move(proxy.there, proxy.here))
        other = MovedProxy(STACK, "other")
        self.fails(other.move(other.there, other.here), "another share store")
        other.start()
        other.stop()
        self.fails(other.move(other.here, other.here), "the same kind of store")

    def test_running_proxies_on_a_store_that_moves_away_serve_nobody(self):
        proxy = self.proxy("shared")
        proxy.stop()
        succeeded(proxy.move(proxy.there, proxy.here))
        proxy.serve(proxy.there)
        options = proxy.options("nurse")
        with proxy.connect(options) as connection:
            connection.execute(READ)
            succeeded(proxy.move(proxy.settings_with("away", proxy.in_sqlite("away")), proxy.there))

            def is_served():
                try:
                    connection.execute(READ)
                    return True
                except psycopg.errors.IoError:
                    return False
            wait_until(lambda: not is_served(), "the running proxy to notice")


class KilledAtEveryStep(Case):
    def test_done_again_it_ends_well_and_one_store_serves(self):
        proxy = self.proxy("killed")
        proxy.stop()
        proxy.keep("before")
        step = 1
        while True:
            proxy.of_proxy.set(step)
            done = proxy.move(proxy.there, proxy.here, proxy.of_proxy.words())
            proxy.of_proxy.set(0)
            if done.returncode != KILLED:
                succeeded(done)
                break
            with self.subTest(step=step):
                self.assertIn("moved", succeeded(proxy.move(proxy.there, proxy.here)))
                self.does_not_start(proxy.here, "has moved")
                proxy.serve(proxy.there)
                self.reads(proxy, proxy.options("nurse"))
                proxy.stop()
            proxy.put_back("before")
            proxy.empty_target()
            step += STRIDE
        print(f"killed at {(step - 1) // STRIDE} steps")
        self.assertGreater(step, STRIDE)


if __name__ == "__main__":
    unittest.main()
