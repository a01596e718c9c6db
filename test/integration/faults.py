"""What tests of broken connections share: a leg between pgveil and PostgreSQL, and what has to hold after each test.

    STACK, LEG = faults.start()         # pgveil speaks to PostgreSQL through LEG, without TLS
    class Cuts(FaultCase): ...
    faults.stop()
"""

import json
import os
import re
import unittest

import clinic
from exchanges import EXCHANGES, LATER, SECRETS, Talk
from leg import Leg
from stack import Stack, wait_until


def start():
    """A stack with the clinic, and the leg."""
    stack = Stack.start()
    stack.never_logged = [*stack.never_logged, *SECRETS]
    clinic.Clinic(stack)
    allow_plain(stack)
    leg = Leg(stack.pg_port)
    FaultCase.stack, FaultCase.leg = stack, leg
    put_leg_between(stack, leg)
    return stack, leg


def stop():
    stack, leg = FaultCase.stack, FaultCase.leg
    try:
        shares = stack.shares()
        for word in (shares["user_token"], shares["app_share"]):
            assert word not in stack.proxy_log() + stack.server_log(), "a share stands in a log"
    finally:
        stack.stop()
        leg.stop()


def allow_plain(stack):
    """The server takes connections without TLS, too: a leg between can see where messages end."""
    with open(stack.dir / "postgres" / "pg_hba.conf", "a") as rules:
        rules.write("hostnossl all all 127.0.0.1/32 scram-sha-256\n")
    stack.superuser("SELECT pg_reload_conf()")


def settings_of(stack):
    return json.loads(re.sub(r"//.*$", "", stack.settings.read_text(), flags=re.M))


def put_leg(stack, leg, tls="disable"):
    """Restarts the proxy."""
    settings = settings_of(stack)
    settings["upstream"]["port"] = leg.port
    settings["upstream"]["tls"] = {"mode": tls, "ca": "tls/ca.crt"} if tls == "verify-full" else {"mode": tls}
    stack.write("pgveil.json", json.dumps(settings))
    stack.restart_proxy()


def put_leg_between(stack, leg, tls="disable"):
    """The same for FaultCase, which counts descriptors from here on."""
    put_leg(stack, leg, tls)
    with Talk(stack) as talk:
        talk.say(EXCHANGES[0].said).hear(1)
    FaultCase.kept = descriptors(stack)


def descriptors(stack):
    """How many the proxy has; 0 if we may not know."""
    try:
        return len(os.listdir(f"/proc/{stack.proxy_pid}/fd"))
    except PermissionError:
        return 0


def rows_written(stack):
    with stack.direct() as connection:
        return connection.execute("SELECT count(*) FROM patients WHERE id >= %s", [LATER]).fetchone()[0]


def forget_rows(stack):
    with stack.direct() as connection:
        connection.execute("DELETE FROM patients WHERE id >= %s", [LATER])


class FaultCase(unittest.TestCase):
    """After each test the same process serves the next session, and keeps nothing of those that broke off."""

    stack = leg = None
    kept = 0  # descriptors that the proxy has while nobody is connected, and one session more

    def setUp(self):
        self.pid = self.stack.proxy_pid
        forget_rows(self.stack)

    def tearDown(self):
        self.assertEqual(self.stack.proxy_pid, self.pid)
        self.assert_works()
        wait_until(lambda: self.sessions() == 0, "the server's side of all sessions to end")
        wait_until(lambda: descriptors(self.stack) <= self.kept, f"descriptors to be closed, {self.kept} are to be left")

    def assert_works(self, port=None):
        with Talk(self.stack, port) as talk:
            self.assertIn(b"Aurelia Brandt", talk.say(EXCHANGES[0].said).hear(1)[0])

    def sessions(self):
        """Of clients, as the server sees them."""
        return self.stack.superuser("SELECT count(*) FROM pg_stat_activity WHERE usename = 'app'"
                                    " AND application_name <> 'direct'")[0][0]
