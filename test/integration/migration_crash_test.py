"""kill -9 of the proxy, and of PostgreSQL, at the steps of `pgveil migrate`, then the same command again: it ends well, with every row as
it was and none left plain. Takes minutes: scripts/nightly meets every step of the proxy. (`pgveil migrate` itself dies in
migration_test.)"""

import os
import subprocess
import time
import unittest

import migration_test as migration
from fresh_proxy import StopAt
from stack import is_alive, run, wait_until

STRIDE = int(os.environ.get("PGVEIL_CRASH_STRIDE", "1"))
FEWEST = 20  # a sweep that killed less has swept nothing
STEPS = ("making", "rows to bring", "switching", "is encrypted")
DELAYS_S = (0, 0.01, 0.03, 0.1, 0.3)


def setUpModule():
    migration.setUpModule()


def tearDownModule():
    migration.tearDownModule()


class Swept(migration.Steps):
    """A table of thirty rows with every kind of value, plain at the beginning of each turn."""

    def setUp(self):
        self.stack = migration.STACK
        self.make_table()

    def make_table(self):
        super().setUp()
        self.stack.superuser(f"UPDATE labels SET note = '{migration.PLANTED[0]}' WHERE a = 1", "clinic")
        self.before = self.rows()

    def check_resumed(self, *about):
        """The same command again."""
        with self.subTest(about):
            migration.moved("migrate", "labels")
            self.assertEqual(self.rows(), self.before)
            migration.moved("migrate", "labels", "--drop")
            self.assertEqual(migration.stored_as("note", "labels"), "pgveil.ciphertext")
            self.assertEqual(self.rows(), self.before)
            self.assertEqual(migration.planted_in(migration.files_of("labels")), [])


for name in [name for name in dir(migration.Steps) if name.startswith("test_")]:
    setattr(Swept, name, None)  # they have run in migration_test


class ProxyDies(Swept):
    def setUp(self):
        super().setUp()
        page = StopAt(self.stack.dir, "stop-proxy")
        self.page = page
        self.stoppable = dict(word.split("=", 1) for word in page.words()[1:])
        self.stack.stop_proxy()
        self.stack.start_proxy(self.stoppable)
        self.addCleanup(page.set, 0)

    def test_at_its_every_step(self):
        step = 1
        self.assertEqual(migration.planted_in(migration.files_of("labels")), migration.PLANTED[:1])  # the search finds what is plain
        while True:
            self.page.set(step)
            done = run(migration.words("migrate", "labels"))
            self.page.set(0)
            if done.returncode == 0 and is_alive(self.stack.proxy_pid):
                break
            wait_until(lambda: not is_alive(self.stack.proxy_pid), "the proxy to die")
            self.assertTrue(done.returncode == 0 or done.stderr.strip(), "it says why it stopped")
            self.stack.start_proxy(self.stoppable)
            self.check_resumed("the proxy", step, done.stderr[-300:])
            self.make_table()
            step += STRIDE
        print(f"the proxy was killed at {(step - 1) // STRIDE} of its steps")
        self.assertGreater(step, FEWEST)


class ServerDies(Swept):
    def migrate_and_kill(self, text, delay_s):
        """Its exit code, and what it said."""
        said = []
        child = subprocess.Popen([str(word) for word in migration.words("migrate", "labels")], stderr=subprocess.PIPE, text=True)
        with child:
            for line in child.stderr:
                said.append(line)
                if text is not None and text in line:
                    time.sleep(delay_s)
                    self.stack.kill_server()
                    text = None
        self.assertIsNone(text, "".join(said))
        return child.returncode, "".join(said)

    def test_at_every_step_of_the_migration(self):
        failed = 0
        for text in STEPS:
            for delay_s in DELAYS_S:
                code, said = self.migrate_and_kill(text, delay_s)
                failed += code != 0
                self.assertIn(code, (0, 1, 2), said)  # no crash of its own
                self.stack.start_server()
                self.check_resumed("the server", text, delay_s, said[-300:])
                self.make_table()
        print(f"the server was killed in {len(STEPS) * len(DELAYS_S)} migrations, of which {failed} had to be resumed")
        self.assertGreater(failed, 2)


if __name__ == "__main__":
    unittest.main()
