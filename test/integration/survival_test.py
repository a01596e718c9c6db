"""PostgreSQL is killed, stopped, and comes back; clients never read, never finish their startup, or send garbage; the
machine runs out of descriptors or disk space: the proxy says what happened, serves the others, and goes on afterwards.

With --long there are ten times as many of everybody.
"""

import contextlib
import json
import os
import pathlib
import random
import resource
import select
import signal
import socket
import struct
import subprocess
import sys
import time
import unittest

import faults
import hostile
from exchanges import Login, LoginError, Talk, farewell, query
from faults import FaultCase, descriptors, settings_of
from hostile import Bystander
from stack import is_alive, run, succeeded, wait_until
from wire import SSL_REQUEST

LONG = "--long" in sys.argv
STARTUPS = 10_000 if LONG else 1_000
GARBAGE = 10_000 if LONG else 1_000
LOST, TERMINATED, UNAVAILABLE = "08006", "57P01", "57P03"
NAME = "SELECT name FROM patients WHERE id = 1"


ONLY_ROOT = unittest.skipUnless(os.geteuid() == 0, "only root may look at another process's descriptors")


def setUpModule():
    global STACK, LEG
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    STACK, LEG = faults.start()


def tearDownModule():
    faults.stop()


def backend_of(talk):
    """The server's process of this session."""
    heard, _ = talk.say(query("SELECT 'pid' || pg_backend_pid()")).hear(1)
    return int(heard.split(b"pid", 1)[1].split(b"C")[0])


def postmaster():
    return int((STACK.dir / "postgres" / "postmaster.pid").read_text().split()[0])


@contextlib.contextmanager
def stopped(pid):
    """A process that stands still."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def logs_in():
    """Whether a client gets in; a server that is not ready says so."""
    try:
        with Login(STACK, STACK.options()):
            return True
    except LoginError as error:
        assert error.args[0]["C"] in {LOST, UNAVAILABLE}, error.args[0]
        return False


class Server(FaultCase):
    def test_a_session_is_terminated(self):
        """The server says why; the proxy adds nothing."""
        with Talk(STACK) as talk:
            pid = backend_of(talk)
            talk.say(query("SELECT pg_sleep(60)"))
            STACK.superuser(f"SELECT pg_terminate_backend({pid})")
            fields, before = farewell(talk.hear()[0])
            self.assertEqual(fields["C"], TERMINATED)
            self.assertNotIn(LOST.encode(), before)

    def test_a_backend_is_killed(self):
        """Then the server ends all others, and recovers."""
        with Talk(STACK) as talk, Talk(STACK) as other:
            pid = backend_of(talk)
            talk.say(query("SELECT pg_sleep(60)"))
            os.kill(pid, signal.SIGKILL)
            for each in (talk, other):
                self.assertEqual(farewell(each.hear()[0])[0].get("C"), LOST)
        wait_until(logs_in, "the server to recover")

    def test_the_server_is_killed_and_comes_back(self):
        with Talk(STACK) as talk:
            pid, backend = postmaster(), backend_of(talk)
            os.kill(pid, signal.SIGKILL)
            self.assertIn(farewell(talk.hear()[0])[0].get("C"), {LOST, TERMINATED})
        wait_until(lambda: not is_alive(pid) and not is_alive(backend), "the server to be gone")
        with self.assertRaises(LoginError) as caught:
            Login(STACK, "")
        self.assertEqual(caught.exception.args[0]["C"], LOST)
        wait_until(self.starts, "the server to start", 120)
        wait_until(logs_in, "the server to take sessions")

    def starts(self):
        done = run([*STACK.as_owner(), self.programs / "pg_ctl", "-D", STACK.dir / "postgres", "-l",
                    STACK.dir / "log" / "postgresql.log", "-w", "-t", "60", "start"], stdin=subprocess.DEVNULL)
        return done.returncode == 0

    @classmethod
    def setUpClass(cls):
        cls.programs = pathlib.Path(os.readlink(f"/proc/{postmaster()}/exe")).parent

    def test_a_backend_stands_still(self):
        with Talk(STACK) as talk, Talk(STACK) as other:
            with stopped(backend_of(talk)):
                talk.say(query(NAME))
                self.assertIn(b"Aurelia Brandt", other.say(query(NAME)).hear(1)[0])
                self.assertFalse(select.select([talk.socket], [], [], 0.5)[0])
            self.assertIn(b"Aurelia Brandt", talk.hear(1)[0])

    def test_the_server_stands_still(self):
        """Who is in goes on; who comes is told after the time that the settings give."""
        settings = settings_of(STACK)
        reload_settings({**settings, "upstream": {**settings["upstream"], "connect_timeout_ms": 1000}})
        self.addCleanup(reload_settings, settings)
        with Talk(STACK) as talk, stopped(postmaster()):
            with self.assertRaises(LoginError) as caught:
                Login(STACK, "")
            self.assertEqual(caught.exception.args[0]["C"], LOST)
            self.assertIn(b"Aurelia Brandt", talk.say(query(NAME)).hear(1)[0])


def reload_settings(settings):
    before = STACK.proxy_log().count("reloaded ")
    STACK.write("pgveil.json", json.dumps(settings))
    STACK.signal_proxy(signal.SIGHUP)
    wait_until(lambda: STACK.proxy_log().count("reloaded ") > before, "the reload")


@contextlib.contextmanager
def limited(resource, soft):
    """The proxy under a lower limit, set as its own account, which may do that without being root."""
    tool = [*STACK.as_owner(), "prlimit", "--pid", str(STACK.proxy_pid)]
    before = succeeded(run([*tool, f"--{resource.lower()}", "--output", "SOFT", "--noheadings", "--raw"])).strip()
    succeeded(run([*tool, f"--{resource.lower()}={soft}:"]))
    try:
        yield
    finally:
        succeeded(run([*tool, f"--{resource.lower()}={before}:"]))


class Clients(FaultCase):
    def test_one_that_never_reads(self):
        """300 MB wait for it; the proxy keeps little of that, and others go on."""
        with Talk(STACK) as talk, Bystander(STACK) as other:
            wait_until(lambda: other.answers > 0 or other.error, "the other session")
            before = hostile.resident_bytes(STACK.proxy_pid)
            talk.say(query("SELECT repeat('x', 1000) FROM generate_series(1, 300000)"))
            time.sleep(1)
            served = other.answers
            wait_until(lambda: other.answers > served or other.error, "the other session")
            self.assertIsNone(other.error)
            self.assertLess(hostile.resident_bytes(STACK.proxy_pid) - before, 16 << 20)
            talk.break_off(reset=False)

    def test_many_that_never_finish_their_startup(self):
        """They may fill neither the proxy's secret memory nor its time."""
        words = [b"", b"\0\0", SSL_REQUEST[:5], SSL_REQUEST, struct.pack("!ii", 100, 196608) + b"user\0app",
                 b"\x16\x03\x01\x02\x00\x01"]
        waiting = [self.stranger(words[number % len(words)]) for number in range(STARTUPS)]
        try:
            for _ in range(5):
                self.assert_works()
        finally:
            for each in waiting:
                each.close()

    def test_a_startup_has_a_time_limit(self):
        settings = settings_of(STACK)
        reload_settings({**settings, "limits": {**settings.get("limits", {}), "login_timeout_ms": 1000}})
        self.addCleanup(reload_settings, settings)
        for word in (b"", SSL_REQUEST[:5], SSL_REQUEST):
            with self.stranger(word) as each:
                each.settimeout(60)
                with contextlib.suppress(ConnectionError):
                    while each.recv(100):
                        pass

    def stranger(self, word):
        each = socket.create_connection(("127.0.0.1", STACK.proxy_port), timeout=60)
        each.sendall(word)
        return each

    def test_garbage(self):
        chance = random.Random(5)
        heads = [b"", SSL_REQUEST, b"\x16\x03\x01", struct.pack("!ii", 80, 196608), struct.pack("!ii", 16, 80877102),
                 struct.pack("!i", -1), struct.pack("!i", 2**31 - 1), b"GET / HTTP/1.1\r\n\r\n"]
        for number in range(GARBAGE):
            with self.stranger(b"") as each, contextlib.suppress(ConnectionError):
                each.sendall(heads[number % len(heads)] + chance.randbytes(chance.randrange(300)))
                if number % 10 == 0:
                    each.shutdown(socket.SHUT_WR)
                    each.settimeout(30)
                    each.recv(1000)

    @ONLY_ROOT
    def test_descriptors_run_out(self):
        """Sessions go on, others wait or are told; when there are some again, everybody gets in."""
        with Talk(STACK) as talk:
            spare = descriptors(STACK) + 11
            with limited("NOFILE", spare):
                waiting = [self.stranger(b"\0") for _ in range(40)]
                try:
                    wait_until(lambda: descriptors(STACK) >= spare, "the proxy to have none left")
                    self.assertIn(b"Aurelia Brandt", talk.say(query(NAME)).hear(1)[0])
                finally:
                    for each in waiting:
                        each.close()
                self.assert_works()


class Disk(FaultCase):
    def test_the_store_cannot_grow(self):
        """What needs the store ends in an error; the rest goes on; afterwards all of it works."""
        users = STACK.dir / "users"
        passphrase = STACK.write("secrets/aide.passphrase", "a passphrase of the tests\n")
        add = ["user", "add", "aide", "--out", users, "--user-passphrase-file", passphrase, "--apply", STACK.url()]
        with Talk(STACK) as talk:
            self.assertIn(b"Aurelia Brandt", talk.say(query(NAME)).hear(1)[0])
            with limited("FSIZE", 0):
                failed = STACK.tenant_tool(*add)
                self.assertNotEqual(failed.returncode, 0)
                self.assertIn("store", failed.stderr)
                self.assertIn(b"Aurelia Brandt", talk.say(query(NAME)).hear(1)[0])
        self.assertEqual(STACK.proxy_pid, self.pid)
        succeeded(STACK.tenant_tool("pending", "--apply", STACK.url()))
        with STACK.connect(STACK.options("aide")) as connection:
            self.assertEqual(connection.execute(NAME).fetchone()[0], "Aurelia Brandt")


if __name__ == "__main__":
    unittest.main(argv=[word for word in sys.argv if word != "--long"])
