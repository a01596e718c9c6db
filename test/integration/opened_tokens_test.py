"""tokens.open "per_token": what a session keeps between requests, and for how long.

As in memory_test.py the process is looked at from outside, and every claim that something is gone stands beside one that
it was there.
"""

import os
import re
import sys
import time
import unittest

import psycopg

import memory_case
from memory_case import READ, WIPED_AFTER_S, MemoryTest, as_options, still
from stack import wait_until

NOT_ROOT = 77
VALID_S = 15  # longer than it takes to look into the memory

# Each may take the token out of force.
ENDINGS = ["RESET pgveil.user_token", "RESET ALL", "DISCARD ALL", "SET pgveil.user_id = 'nurse'",
           "BEGIN; SET LOCAL pgveil.user_id = 'nurse'; ROLLBACK"]


def setUpModule():
    memory_case.start()
    stack = memory_case.STACK
    text = re.sub(r'"tokens": \{[^}]*\}', '"tokens": { "max_validity_s": 600, "open": "per_token" }',
                  stack.settings.read_text())
    stack.write("pgveil.json", text)
    stack.restart_proxy()


def tearDownModule():
    memory_case.STACK.stop()


class KeptOpen(MemoryTest):
    def keys(self):
        """The kinds of keys in memory, a little after a request."""
        time.sleep(WIPED_AFTER_S)
        with still():
            found = self.look()
        self.assertFalse(found.unreadable)
        self.assertFalse(found.dumpable, found.where(only_dumpable=True))
        return found.keys

    def read(self):
        self.assertEqual(len(self.connection.execute(READ).fetchall()), 6)

    def connect_for_seconds(self):
        """A session whose token expires soon; when."""
        self.connection.close()
        self.shares = self.stack.shares("nurse", valid_s=VALID_S)
        expires = time.time() + VALID_S
        self.connection = self.stack.connect(as_options(self.shares))
        return expires

    def test_the_users_share_is_kept_in_locked_memory_and_no_other_key(self):
        self.assertEqual(self.keys(), set())
        self.read()
        self.assertEqual(self.keys(), {"TKu"})
        self.read()
        self.assertEqual(self.keys(), {"TKu"})

    def test_whatever_may_take_the_token_out_of_force_wipes_it(self):
        for ending in ENDINGS:
            with self.subTest(ending):
                self.read()
                self.assertEqual(self.keys(), {"TKu"})
                self.connection.execute(ending)
                self.assertEqual(self.keys(), set())

    def test_the_end_of_the_session_wipes_it(self):
        self.read()
        self.assertEqual(self.keys(), {"TKu"})
        self.connection.close()
        wait_until(lambda: self.keys() == set(), "the share to go")

    def test_its_expiry_wipes_it_while_the_session_sleeps(self):
        expires = self.connect_for_seconds()
        self.read()
        self.assertEqual(self.keys(), {"TKu"})
        time.sleep(max(0, expires - time.time()))
        wait_until(lambda: self.keys() == set(), "the share to go")
        with self.assertRaises(psycopg.errors.InvalidAuthorizationSpecification) as caught:
            self.connection.execute(READ)
        self.assertIn("expired", str(caught.exception))

    def test_a_withdrawn_user_is_refused_in_a_session_that_is_open(self):
        self.stack.add_user("porter")
        with self.stack.connect(self.stack.options("porter")) as connection:
            self.assertEqual(len(connection.execute(READ).fetchall()), 6)
            self.stack.withdraw_user("porter")
            with self.assertRaises(psycopg.errors.InvalidAuthorizationSpecification) as caught:
                connection.execute(READ)
        self.assertIn("withdrawn", str(caught.exception))


if __name__ == "__main__":
    if os.geteuid() != 0:
        print("only root may look into the memory of the proxy: run this test as root", file=sys.stderr)
        sys.exit(NOT_ROOT)
    unittest.main()
