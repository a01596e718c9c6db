"""kill -9 of the proxy at the steps of `pgveil rotate-data`, of PostgreSQL, and of the command itself whatever it says, then the same command again: it ends
well, with every row as it was, found by what it is, and under the next key. scripts/nightly meets every step of the proxy."""

import os
import subprocess
import time
import unittest

import rotate_searchable_test as rotation
from fresh_proxy import StopAt
from stack import is_alive, succeeded, wait_until

STRIDE = int(os.environ.get("PGVEIL_CRASH_STRIDE", "1"))
FEWEST = 3  # a sweep that killed less has swept nothing
ROWS = 12
# What rotate-data says, and how long after that PostgreSQL dies; first in the middle of the switch.
TURNS = [(text, delay_s) for text in ("switching", "rows to bring", "now") for delay_s in (0.3, 0, 0.05, 0.15)]


def setUpModule():
    rotation.PEOPLE_COUNT = rotation.VISIT_COUNT = ROWS
    rotation.setUpModule()


def tearDownModule():
    rotation.tearDownModule()


class Swept(unittest.TestCase):
    def setUp(self):
        self.stack = rotation.STACK
        self.key, self.before = max(self.keys()), self.rows()

    def keys(self):
        return [row[0] for row in self.stack.superuser("SELECT key_id FROM pgveil.keyring", "pgveil_home")]

    def rows(self):
        with self.stack.connect() as connection:
            return connection.execute("SELECT v.id, v.who, v.day, v.note, p.town FROM visits v JOIN people p ON p.name = v.who ORDER BY v.day").fetchall()

    def begin(self):
        self.key += 1
        rotation.make_next_key(self.key)

    def end(self, *about):
        """The same command again, and the end of the former key."""
        with self.subTest(about):
            self.assertEqual(self.rows(), self.before)
            report = self.stack.dir / "users" / f"rotated{self.key}.json"
            done = rotation.rotate("--report", report)
            self.assertEqual(done.returncode, 0, done.stderr)
            for table, column in rotation.COLUMNS:
                self.assertEqual(rotation.keys_of(table, column), [self.key], column)
            self.assertEqual(self.rows(), self.before)
            succeeded(self.stack.tenant_tool("data-key", "retire", "--report", report, "--apply", self.stack.url()))
            wait_until(lambda: self.keys() == [self.key] and self.is_let_in(), "the proxy to know the keyring")
            self.assertEqual(self.rows(), self.before)

    def is_let_in(self):
        try:
            return bool(self.rows())
        except rotation.psycopg.Error:
            return False


class CommandDies(Swept):
    def test_after_each_line_that_it_says(self):
        line, is_killed = 1, True
        while is_killed:
            self.begin()
            is_killed = self.killed_after(line)
            self.end("the command", line)
            line += STRIDE
        print(f"rotate-data was killed after {(line - 1) // STRIDE - 1} of its lines")
        self.assertGreater(line, FEWEST)

    def killed_after(self, number):
        child = subprocess.Popen([str(word) for word in rotation.words()], stderr=subprocess.PIPE, text=True)
        with child:
            for count, _ in enumerate(child.stderr, 1):
                if count == number:
                    child.kill()
        return child.returncode == -9


class ProxyDies(Swept):
    def test_at_its_every_step(self):
        page = StopAt(self.stack.dir, "stop-proxy")
        stoppable = dict(word.split("=", 1) for word in page.words()[1:])
        self.stack.stop_proxy()
        self.stack.start_proxy(stoppable)
        self.addCleanup(page.set, 0)
        step = 1
        while True:
            self.begin()
            page.set(step)
            done = rotation.rotate()
            page.set(0)
            is_over = done.returncode == 0 and is_alive(self.stack.proxy_pid)
            if not is_over:
                wait_until(lambda: not is_alive(self.stack.proxy_pid), "the proxy to die")
                self.assertTrue(done.returncode == 0 or done.stderr.strip(), "it says why it stopped")
                self.stack.start_proxy(stoppable)
            self.end("the proxy", step, done.stderr[-300:])
            if is_over:
                break
            step += STRIDE
        print(f"the proxy was killed at {(step - 1) // STRIDE} of its steps")
        self.assertGreater(step, FEWEST)


class ServerDies(Swept):
    def test_at_every_step(self):
        failed = away = 0
        turns = TURNS[::STRIDE]
        for text, delay_s in turns:
            self.begin()
            code, said = self.rotate_and_kill(text, delay_s)
            failed += code != 0
            self.assertIn(code, (0, 1, 2), said)  # no crash of its own
            self.stack.start_server()
            wait_until(self.is_reached, "the proxy to log somebody in")
            rows = self.rows_if_any()
            away += rows is None
            self.assertIn(rows, (None, self.before), said)
            done = rotation.rotate()  # in the middle of a switch the tables are away until then
            self.assertEqual(done.returncode, 0, done.stderr)
            self.end("the server", text, delay_s, said[-300:])
            rotation.Rotation.says_what_the_twin_says(self)
            rotation.Rotation.views_and_triggers_hold(self)
        print(f"the server was killed in {len(turns)} rotations, of which {failed} had to be resumed, {away} in the middle of a switch")
        self.assertGreater(failed, 0)

    def is_reached(self):
        try:
            with self.stack.connect():
                return True
        except rotation.psycopg.OperationalError:
            return False

    def rows_if_any(self):
        try:
            return self.rows()
        except rotation.psycopg.errors.UndefinedTable:
            return None

    def rotate_and_kill(self, text, delay_s):
        """Its exit code, and what it said."""
        said = []
        child = subprocess.Popen([str(word) for word in rotation.words()], stderr=subprocess.PIPE, text=True)
        with child:
            for line in child.stderr:
                said.append(line)
                if text is not None and text in line:
                    time.sleep(delay_s)
                    self.stack.kill_server()
                    text = None
        self.assertIsNone(text, "".join(said))
        return child.returncode, "".join(said)


if __name__ == "__main__":
    unittest.main()
