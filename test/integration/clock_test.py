"""The clock of the proxy's machine jumps: tokens end early or are not valid yet, with an error that says so; nothing
hangs, and when the clock is right again everything works."""

import mmap
import os
import pathlib
import struct
import unittest

import psycopg

import clinic
from stack import Stack

NAME = "SELECT name FROM patients WHERE id = 1"
HOUR_S = 3600


def setUpModule():
    global STACK, CLOCK
    STACK = Stack.start()
    clinic.Clinic(STACK)
    CLOCK = Clock(STACK)


def tearDownModule():
    STACK.stop()


class Clock:
    """The proxy's clock (test/support/clock_shift.cpp)."""

    def __init__(self, stack):
        path = stack.write("clock", "\0" * 8)
        stack.stop_proxy()
        library = pathlib.Path(os.environ["PGVEIL_BIN"]) / "libclock_shift.so"
        stack.start_proxy({"LD_PRELOAD": str(library), "PGVEIL_CLOCK_SHIFT": str(path)})
        with open(path, "r+b") as file:
            self._page = mmap.mmap(file.fileno(), 8)

    def shift(self, seconds):
        self._page[0:8] = struct.pack("q", seconds)


class Jumps(unittest.TestCase):
    def setUp(self):
        self.pid = STACK.proxy_pid
        self.session = STACK.connect()
        self.addCleanup(self.session.close)
        self.assert_works()

    def tearDown(self):
        CLOCK.shift(0)
        self.set_shares()
        self.assert_works()
        with STACK.connect() as connection:
            self.assertEqual(connection.execute(NAME).fetchone()[0], "Aurelia Brandt")
        self.assertEqual(STACK.proxy_pid, self.pid)

    def set_shares(self):
        """With an expired token all shares are wiped: the session that met it needs them anew."""
        for name, value in STACK.shares().items():
            self.session.execute(f"SELECT set_config('pgveil.{name}', %s, false)", (value,))

    def assert_works(self):
        self.assertEqual(self.session.execute(NAME).fetchone()[0], "Aurelia Brandt")

    def assert_refused(self, *words):
        with self.assertRaises(psycopg.Error) as caught:
            self.session.execute(NAME)
        self.assertEqual(caught.exception.sqlstate, "28000", caught.exception)
        for word in words:
            self.assertIn(word, str(caught.exception))

    def test_forward(self):
        CLOCK.shift(HOUR_S)
        self.assert_refused("expired")
        self.assertEqual(self.session.execute("SELECT title FROM departments ORDER BY code LIMIT 1").rowcount, 1)

    def test_back(self):
        CLOCK.shift(-HOUR_S)
        self.assert_refused("clock")

    def test_forward_and_back_again_and_again(self):
        for seconds in (HOUR_S, -HOUR_S, 10 * HOUR_S, -100):
            CLOCK.shift(seconds)
            self.assert_refused()
            CLOCK.shift(0)
            self.set_shares()
            self.assert_works()


if __name__ == "__main__":
    unittest.main()
