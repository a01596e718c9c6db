"""The clock of the proxy's machine jumps: tokens end early or are not valid yet, with an error that says so; nothing
hangs, and when the clock is right again everything works."""

import mmap
import os
import pathlib
import shlex
import struct
import time
import unittest

import psycopg

import clinic
from stack import Stack, run, succeeded

NAME = "SELECT name FROM patients WHERE id = 1"
HOUR_S = 3600


def setUpModule():
    global STACK, CLOCK
    STACK = Stack.start()
    clinic.Clinic(STACK)
    CLOCK = Clock(STACK)
    succeeded(STACK.tenant_tool("user", "copy", "nurse", "--no-passphrase", "--out", STACK.dir / "bare"))


def options(valid_s, *more):
    """Of a token of its own, made by a key file without a passphrase, which costs no time."""
    return succeeded(run([*STACK.as_owner(), STACK.dir / "bin" / "pgveil-user", "options", "--key", STACK.dir / "bare" / "nurse.user",
                          "--app-share", STACK.dir / "users" / "nurse.app", "--from", STACK.url(), "--valid", valid_s, *more])).strip()


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
    made = 0

    def setUp(self):
        self.pid = STACK.proxy_pid
        self.session = STACK.connect(options="")
        self.addCleanup(self.session.close)
        self.set_shares()
        self.assert_works()

    def tearDown(self):
        CLOCK.shift(0)
        self.set_shares()
        self.assert_works()
        self.assertEqual(STACK.proxy_pid, self.pid)

    def fresh(self, valid_s=600):
        """With an expired token all shares are wiped, and what was forgotten as expired stays so: the token is a new one."""
        Jumps.made += 1
        words = [word for word in shlex.split(options(valid_s + Jumps.made)) if "=" in word]
        return dict(word.removeprefix("pgveil.").split("=", 1) for word in words)

    def set_shares(self, shares=None):
        for name, value in (shares or self.fresh()).items():
            self.session.execute(f"SELECT set_config('pgveil.{name}', %s, false)", (value,))

    def assert_works(self):
        self.assertEqual(self.session.execute(NAME).fetchone()[0], "Aurelia Brandt")

    def assert_refused(self, *words):
        with self.assertRaises(psycopg.Error) as caught:
            self.session.execute(NAME)
        self.assertEqual(caught.exception.sqlstate, "28000", caught.exception)
        for word in words:
            self.assertIn(word, str(caught.exception))

    def test_P15_half_a_minute_apart_works_and_ten_minutes_say_so(self):
        for seconds in (-30, 30, -600, 600):
            shares = self.fresh(valid_s=70)
            CLOCK.shift(seconds)
            self.set_shares(shares)
            if abs(seconds) < 60:
                self.assert_works()
            else:
                self.assert_refused("clock")
            CLOCK.shift(0)

    def test_an_old_token_stays_old_when_the_clock_is_set_back(self):
        """Once for the login that had used it, and its count; the clock of the proxy only ran ahead for a moment."""
        once = options(600, "--uses", 1)
        with STACK.connect(options=once) as connection:
            self.assertEqual(connection.execute(NAME).fetchone()[0], "Aurelia Brandt")
        CLOCK.shift(HOUR_S)
        time.sleep(2)  # the proxy forgets what is over
        CLOCK.shift(0)
        with self.assertRaisesRegex(psycopg.Error, "set back|allows"), STACK.connect(options=once) as connection:
            connection.execute(NAME)

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
