"""Shares in the text of statements stand in locked memory only.

Every test has a proxy process of its own, so that nothing can stand where another has left it, and ends with a control:
the same text kept in ordinary memory on purpose (the plan cache keeps texts that concern nothing protected) is found.
"""

import os
import sys
import time
import unittest

import memory_case
from memory import SHARE_KINDS
from memory_case import READ, WIPED_AFTER_S, MemoryTest, still

NOT_ROOT = 77


def setUpModule():
    memory_case.start()


def tearDownModule():
    memory_case.STACK.stop()


class SharesInStatements(MemoryTest):
    def setUp(self):
        self.shares = self.stack.shares("nurse")
        self.stack.restart_proxy()
        self.connection = self.stack.connect("")
        self.addCleanup(self.connection.close)

    def kept_on_purpose(self, text):
        self.connection.execute(f"SELECT length('{text}')", prepare=False)

    def assert_locked_only(self):
        self.assertEqual(len(self.connection.execute(READ).fetchall()), 6)  # they are in force
        time.sleep(WIPED_AFTER_S)
        with still():
            found = self.look()
        self.assertLessEqual(SHARE_KINDS, found.locked, "the scanner has gone blind")
        self.assertFalse(found.dumpable & SHARE_KINDS, found.where(SHARE_KINDS, only_dumpable=True))
        for name in sorted(SHARE_KINDS):
            self.kept_on_purpose(self.shares[name])
        self.assertEqual(self.look().dumpable & SHARE_KINDS, SHARE_KINDS)

    def set_all(self, form, *arguments):
        for name, value in self.shares.items():
            self.connection.execute(form.format(name=name, value=value), *arguments)

    def test_set(self):
        self.set_all("SET pgveil.{name} = '{value}'")
        self.assert_locked_only()

    def test_set_local(self):
        self.connection.execute("BEGIN")
        self.set_all("SET LOCAL pgveil.{name} TO '{value}'")
        self.assert_locked_only()

    def test_set_config_with_literals(self):
        self.set_all("SELECT set_config('pgveil.{name}', '{value}', false)")
        self.assert_locked_only()

    def test_set_config_with_parameters(self):
        for name, value in self.shares.items():
            self.connection.execute("SELECT set_config(%s::text, 'x', true)", ["a.b"])
            self.connection.execute(f"SELECT set_config('pgveil.{name}', %s, false)", [value])
            with self.connection.cursor(binary=True) as cursor:
                cursor.execute(f"SELECT set_config('pgveil.{name}', %s, false)", [value])
        self.assert_locked_only()

    def test_by_the_extended_protocol(self):
        for name, value in self.shares.items():
            self.connection.execute(f"SELECT set_config('pgveil.{name}', '{value}', false)", prepare=True)
        self.assert_locked_only()


if __name__ == "__main__":
    if os.geteuid() != 0:
        print("only root may look into the memory of the proxy: run this test as root", file=sys.stderr)
        sys.exit(NOT_ROOT)
    unittest.main()
