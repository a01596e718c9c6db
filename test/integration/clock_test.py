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
from logins import changed
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
        library = pathlib.Path(os.environ["PGVEIL_BIN"]) / "libclock_shift.so"
        self.environment = {"LD_PRELOAD": str(library), "PGVEIL_CLOCK_SHIFT": str(path)}
        self.stack = stack
        self.restart()
        stack.restart_proxy = self.restart
        with open(path, "r+b") as file:
            self._page = mmap.mmap(file.fileno(), 8)

    def restart(self):
        self.stack.stop_proxy()
        self.stack.start_proxy(self.environment)

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

    def test_the_skew_that_is_configured_counts(self):
        for skew_s, seconds, works in ((5, -30, False), (5, -3, True), (900, -600, True)):
            with self.subTest(skew_s=skew_s, seconds=seconds), changed(STACK, {"tokens": {"clock_skew_s": skew_s}}, restart=True):
                with STACK.connect(options="") as self.session:
                    shares = self.fresh()
                    CLOCK.shift(seconds)
                    self.set_shares(shares)
                    if works:
                        self.assert_works()
                    else:
                        self.assert_refused("compare the clocks")
                    CLOCK.shift(0)
        self.pid = STACK.proxy_pid
        self.session = STACK.connect(options="")
        self.addCleanup(self.session.close)

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


class Commands(unittest.TestCase):
    """The tenant's clock is right, the proxy's is not."""

    def setUp(self):
        self.session = STACK.connect(options="")
        self.addCleanup(self.session.close)
        self.addCleanup(CLOCK.shift, 0)

    def order(self, verb, user, *more):
        """The call that the tenant hands out as a file."""
        out = STACK.dir / "ordered"
        before = set(out.glob("*.sql"))
        succeeded(STACK.tenant_tool("user", verb, user, "--out", out, *more))
        (written,) = set(out.glob("*.sql")) - before
        return written.read_text()

    def add(self, user):
        return self.order("add", user, "--no-passphrase", "--valid-days", 1)

    def status(self, user):
        """By the proxy's receipts, which the tenant asks for again."""
        self.said = STACK.tenant_tool("pending", "--apply", STACK.url()).stderr
        lines = succeeded(STACK.tenant_tool("user", "list")).splitlines()
        return "".join(line for line in lines if line.startswith(f"{user}\t"))

    def is_served(self, user):
        files = STACK.dir / "ordered"
        given = succeeded(run([*STACK.as_owner(), STACK.dir / "bin" / "pgveil-user", "options", "--key", files / f"{user}.user", "--app-share",
                               files / f"{user}.app", "--from", STACK.url()])).strip()
        with STACK.connect(options=given) as connection:
            try:
                return connection.execute(NAME).fetchone()[0] == "Aurelia Brandt"
            except psycopg.errors.InvalidAuthorizationSpecification:
                return False

    def test_P15_half_a_minute_apart_works_and_ten_minutes_say_so(self):
        call = self.add("early")
        CLOCK.shift(-600)
        with self.assertRaisesRegex(psycopg.Error, "compare the clocks of the tenant's machine and the proxy"):
            self.session.execute(call)
        CLOCK.shift(-28)
        self.session.execute(call)
        CLOCK.shift(0)
        self.assertIn("\tactive", self.status("early"))
        self.assertTrue(self.is_served("early"))
        ahead = self.add("ahead")
        CLOCK.shift(600)
        self.session.execute(ahead)  # within its days
        CLOCK.shift(0)
        self.assertIn("\tactive", self.status("ahead"))

    def test_a_command_that_was_over_stays_so_when_the_clock_is_set_back(self):
        call = self.add("late")
        CLOCK.shift(2 * 24 * HOUR_S)
        self.session.execute(call)
        CLOCK.shift(0)
        self.session.execute(call)
        self.assertNotIn("\tactive", self.status("late"))
        self.assertIn("(add_user late) came too late", self.said)
        self.assertFalse(self.is_served("late"))

    def test_a_withdrawn_user_is_not_brought_back_by_the_old_command_under_the_old_clock(self):
        add = self.add("gone")
        self.session.execute(add)
        self.assertTrue(self.is_served("gone"))
        self.session.execute(self.order("withdraw", "gone"))
        for seconds in (0, -5, -HOUR_S):
            CLOCK.shift(seconds)
            self.session.execute(add)  # its old receipt
            CLOCK.shift(0)
            self.assertFalse(self.is_served("gone"))
        self.assertIn("\twithdrawn", self.status("gone"))


class Challenges(unittest.TestCase):
    """The clock of the user's machine is wrong, the proxy's is right."""

    def setUp(self):
        # By file: under a wrong clock TLS would refuse the certificate, which is as new as the test.
        self.statement = STACK.write("statement", self.session().execute("SELECT pgveil.token_key()").fetchone()[0])

    def session(self, options=""):
        session = STACK.connect(options=options)
        self.addCleanup(session.close)
        return session

    def made(self, *more, shift=-600):
        """What pgveil-user says and prints under a clock that is wrong by so many seconds."""
        path = STACK.dir / "user_clock"
        path.write_bytes(struct.pack("q", shift))
        path.chmod(0o644)
        clock = ["env", f"LD_PRELOAD={pathlib.Path(os.environ['PGVEIL_BIN']) / 'libclock_shift.so'}", f"PGVEIL_CLOCK_SHIFT={path}"]
        return run([*STACK.as_owner(), *clock, STACK.dir / "bin" / "pgveil-user", "token", "--key", STACK.dir / "bare" / "nurse.user",
                    "--statement", self.statement, *more])

    def answer(self, session, **how):
        return succeeded(self.made("--challenge", session.execute("SELECT pgveil.challenge()").fetchone()[0], **how)).strip()

    def name_by(self, session, token):
        shares = {"user_id": "nurse", "user_token": token, "app_share": (STACK.dir / "users" / "nurse.app").read_text().strip()}
        for name, value in shares.items():
            session.execute(f"SELECT set_config('pgveil.{name}', %s, false)", (value,))
        return session.execute(NAME).fetchone()[0]

    def assert_refused(self, session, token, *words):
        with self.assertRaises(psycopg.Error) as caught:
            self.name_by(session, token)
        self.assertEqual(caught.exception.sqlstate, "28000", caught.exception)
        for word in words:
            self.assertIn(word, str(caught.exception))

    def test_P15_a_user_ten_minutes_off_needs_a_challenge(self):
        session = self.session()
        behind = self.made(shift=-600)
        self.assertIn("clock", behind.stderr, "the proxy's token key is younger than that")
        self.assertNotEqual(behind.returncode, 0)
        self.assert_refused(session, succeeded(self.made(shift=600)).strip(), "not valid before", "clocks")
        for shift in (-600, 600):
            self.assertEqual(self.name_by(session, self.answer(session, shift=shift)), "Aurelia Brandt")

    def test_P15_a_recorded_answer_is_worth_nothing_elsewhere(self):
        mine = self.session()
        token = self.answer(mine)
        other = self.session()
        other.execute("SELECT pgveil.challenge()")
        self.assert_refused(other, token, "no challenge of this session")
        self.assertEqual(self.name_by(mine, token), "Aurelia Brandt")
        mine.execute("DISCARD ALL")
        self.assert_refused(mine, token, "no challenge of this session")
        self.assertEqual(self.name_by(mine, self.answer(mine)), "Aurelia Brandt")
        self.assertEqual(self.name_by(other, self.answer(other)), "Aurelia Brandt")

    def test_one_token_answers_a_challenge(self):
        session = self.session()
        challenge = session.execute("SELECT pgveil.challenge()").fetchone()[0]
        first, second = (succeeded(self.made("--challenge", challenge)).strip() for _ in range(2))
        self.assertEqual(self.name_by(session, first), "Aurelia Brandt")
        self.assert_refused(session, second, "another token")
        self.assertEqual(self.name_by(session, first), "Aurelia Brandt")

    def test_what_is_no_challenge_is_a_usage_error(self):
        self.assertEqual(self.made("--challenge", "pgvc1.AAAA").returncode, 2)


if __name__ == "__main__":
    unittest.main()
