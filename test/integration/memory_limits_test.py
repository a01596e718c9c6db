"""Sessions that keep more secrets than the arena holds end with 53200; the proxy and its other sessions go on."""

import contextlib
import json
import re
import unittest

import psycopg

import clinic
from stack import Stack, is_alive

READ = "SELECT name FROM patients WHERE id = 1"
SMALL_ARENA = 2 << 20
NO_MEMORY = "out of memory for secrets"


def setUpModule():
    global STACK
    STACK = Stack.start()
    clinic.Clinic(STACK)


def tearDownModule():
    STACK.stop()


def flood(connection, times, size):
    """Sets shares in one transaction, where none may be forgotten, because ROLLBACK brings it back. The text of the
    error that ended it; empty if there was none."""
    try:
        connection.execute("BEGIN")
        for number in range(times):
            connection.execute(f"SET pgveil.app_share = '{number:0{size}}'")
    except psycopg.Error as error:
        return str(error)
    return ""


class MemoryLimits(unittest.TestCase):
    def setUp(self):
        self.pid = STACK.proxy_pid

    def assert_serves(self, connection):
        self.assertTrue(is_alive(self.pid), STACK.proxy_log()[-2000:])
        self.assertEqual(connection.execute(READ).fetchone()[0], "Aurelia Brandt")

    def test_one_session_with_huge_shares_disturbs_no_other(self):
        with STACK.connect() as bystander, STACK.connect() as flooder:
            flood(flooder, times=300, size=60_000)
            self.assert_serves(bystander)
        with STACK.connect() as connection:
            self.assert_serves(connection)


class SmallArena(MemoryLimits):
    """The same, and more, in an arena that a few sessions can fill."""

    @classmethod
    def setUpClass(cls):
        cls.before = STACK.settings.read_text()
        settings = json.loads(re.sub(r"^\s*//.*$", "", cls.before, flags=re.M))
        settings["memory"]["arena_bytes"] = SMALL_ARENA
        STACK.write("pgveil.json", json.dumps(settings))
        STACK.restart_proxy()

    @classmethod
    def tearDownClass(cls):
        STACK.write("pgveil.json", cls.before)
        STACK.restart_proxy()

    def test_who_finds_no_room_ends_with_53200_and_others_go_on(self):
        with STACK.connect() as bystander, contextlib.ExitStack() as stack:
            said = []
            while len(said) < 30 and not any(NO_MEMORY in text for text in said):
                try:
                    flooder = stack.enter_context(contextlib.closing(STACK.connect()))
                    said.append(flood(flooder, times=40, size=8000))
                except psycopg.OperationalError as error:
                    said.append(str(error))
            self.assertIn(NO_MEMORY, said[-1], said)
            self.assertIn("memory.arena_bytes", said[-1])
            self.assertEqual(bystander.execute("SELECT 1").fetchone()[0], 1)
        with STACK.connect() as connection:
            self.assert_serves(connection)


if __name__ == "__main__":
    unittest.main()
