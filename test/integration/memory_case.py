"""What the tests of memory_test.py stand on: a stack whose arena can be looked into, requests held in the middle of
their way, and the assertion that nothing is left of them."""

import contextlib
import os
import re
import resource
import signal
import threading
import time
import unittest

import psycopg

import clinic
from memory import KEY_KINDS, SHARE_KINDS, Secrets
from stack import Stack, wait_until

LOCKED_BYTES = 16 << 20
WIPED_AFTER_S = 0.1
WAITING_KINDS = {"KEK", "extracted DEK", "column key"}

# Held inside the server while rows come one by one: 9000 bytes fill its output buffer, so each row leaves at once.
HELD = "SELECT name, ssn, repeat('x', 9000), pg_sleep({seconds}) FROM patients WHERE ssn <> 'nobody'"
HELD_LONG = HELD.replace("patients", "patients, generate_series(1, 20)")
READ = "SELECT name, ssn FROM patients WHERE ssn <> 'nobody'"
NOT_SEARCHABLE = "SELECT id FROM patients WHERE name = 'x'"

STACK: Stack = None
SECRETS: Secrets = None


def start():
    global STACK, SECRETS
    STACK = Stack.start()
    STACK.quickstart_log = STACK.proxy_log()
    restart("mlock")
    clinic.Clinic(STACK)
    SECRETS = Secrets(STACK, "nurse")


def restart(mode):
    """Another kind of arena, and a log that tells all it ever tells."""
    if mode == "mlock" and not may_lock():
        mode = "unlocked"  # the same region; only mlock(2) is left out
    text = re.sub(r'("memory": \{ "mode": )"\w+"', rf'\1"{mode}"', STACK.settings.read_text())
    STACK.write("pgveil.json", re.sub(r'("level": )"\w+"', r'\1"debug"', text))
    STACK.restart_proxy()


def may_lock():
    soft, hard = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    if soft != resource.RLIM_INFINITY and soft < LOCKED_BYTES:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_MEMLOCK, (LOCKED_BYTES, max(hard, LOCKED_BYTES)))
    soft, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    return soft == resource.RLIM_INFINITY or soft >= LOCKED_BYTES // 2


def as_options(shares):
    return " ".join(f"-c pgveil.{name}={value}" for name, value in shares.items())


@contextlib.contextmanager
def still():
    """The proxy, held still."""
    os.kill(STACK.proxy_pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(STACK.proxy_pid, signal.SIGCONT)


class Running(threading.Thread):
    """One statement on its way, in a thread of its own."""

    def __init__(self, connection, sql, parameters=None):
        super().__init__(daemon=True)
        self.connection, self.sql, self.parameters = connection, sql, parameters
        self.rows, self.error = None, None
        self.start()

    def run(self):
        try:
            self.rows = self.connection.execute(self.sql, self.parameters).fetchall()
        except psycopg.Error as error:
            self.error = error

    def end(self):
        """Right after ReadyForQuery: the SQLSTATE, or None."""
        self.join(60)
        return self.error.sqlstate if self.error else None


class MemoryTest(unittest.TestCase):
    @property
    def stack(self):
        return STACK

    @property
    def secrets(self):
        return SECRETS

    def setUp(self):
        # Asked for before anything is held: a token takes its time.
        self.shares = STACK.shares("nurse")
        self.connection = STACK.connect(as_options(self.shares))
        self.addCleanup(self.connection.close)

    def look(self):
        return SECRETS.in_process(STACK.proxy_pid, self.shares)

    def wait_for_keys(self):
        """The positive control: KEK, DEK and the keys of both columns stand in memory now."""
        def is_held():
            self.seen = self.look()
            return WAITING_KINDS <= self.seen.kinds and all(
                self.seen.named("column key", name) for name in ("patients.name", "patients.ssn"))
        wait_until(is_held, "the keys of a running request to show")

    def held(self, sql=HELD, seconds=0.3, parameters=None):
        """A statement in the middle of its way, its keys seen."""
        running = Running(self.connection, sql.format(seconds=seconds), parameters)
        self.wait_for_keys()
        return running

    def assert_wiped(self, shares_stay=True):
        """WIPED_AFTER_S after now no key is there."""
        time.sleep(WIPED_AFTER_S)
        with still():
            found = self.look()
        self.assertFalse(found.keys, found.where())
        self.assertFalse(found.unreadable)
        if shares_stay:
            self.assertLessEqual(SHARE_KINDS, found.locked, "the scanner has gone blind")
        else:
            self.assertFalse(found.locked, found.where(found.locked))
