"""Several database servers: a primary and its standby. Which one a session gets, and what happens when one is gone."""

import os
import subprocess
import time
import unittest

import psycopg

import clinic
from fresh_proxy import free_port
from logins import Login, cancel_request, changed, over_tls
from stack import Stack, run, succeeded, wait_until


def setUpModule():
    global STACK, STANDBY
    STACK = Stack.start()
    clinic.Clinic(STACK)
    STANDBY = Standby(STACK)


def tearDownModule():
    STANDBY.stop()
    STACK.stop()


class Standby:
    """A second server that follows the stack's."""

    def __init__(self, stack):
        self.stack, self.port, self.dir = stack, free_port(), stack.dir / "standby"
        self.bin = (stack.dir / "run" / "pg_bin").read_text().strip()
        with open(stack.dir / "postgres" / "pg_hba.conf", "a") as hba:
            hba.write("hostssl replication postgres 127.0.0.1/32 scram-sha-256\n")
        stack.superuser("SELECT pg_reload_conf()")
        environment = {**os.environ, "PGPASSWORD": (stack.dir / "secrets" / "postgres.password").read_text().strip()}
        succeeded(run([*stack.as_owner(), f"{self.bin}/pg_basebackup", "-h", "127.0.0.1", "-p", stack.pg_port, "-U",
                       "postgres", "-D", self.dir, "-R", "-X", "stream", "-c", "fast"], env=environment))
        with open(self.dir / "postgresql.conf", "a") as conf:
            conf.write(f"port = {self.port}\n")
        self.start()

    def pg_ctl(self, *words):
        succeeded(run([*self.stack.as_owner(), f"{self.bin}/pg_ctl", "-D", self.dir, "-w", "-t", "60", "-l",
                       self.stack.dir / "log" / "standby.log", *words], stdin=subprocess.DEVNULL))

    def start(self):
        self.pg_ctl("start")

    def stop(self):
        if (self.dir / "postmaster.pid").exists():
            self.pg_ctl("-m", "fast", "stop")


def upstream(attrs, *ports):
    """Settings of the upstream leg with servers on these ports."""
    return {"upstream": {"host": None, "port": None, "target_session_attrs": attrs,
                         "hosts": [{"host": "localhost", "port": port} for port in ports]}}


def is_standby():
    with STACK.connect("") as connection:
        return connection.execute("SELECT pg_is_in_recovery()").fetchone()[0]


class Hosts(unittest.TestCase):
    def refusal(self):
        with self.assertRaises(psycopg.OperationalError) as caught:
            STACK.connect("")
        return str(caught.exception)

    def test_the_first_that_answers_is_taken(self):
        with changed(STACK, upstream("any", free_port(), STANDBY.port, STACK.pg_port)):
            self.assertTrue(is_standby())
        with changed(STACK, upstream("any", STACK.pg_port, STANDBY.port)):
            self.assertFalse(is_standby())

    def test_the_kind_that_is_asked_for_is_found(self):
        for attrs, expected in (("read-write", False), ("primary", False), ("read-only", True), ("standby", True),
                                ("prefer-standby", True)):
            for ports in ((STACK.pg_port, STANDBY.port), (STANDBY.port, STACK.pg_port)):
                with self.subTest(attrs=attrs, ports=ports), changed(STACK, upstream(attrs, *ports)):
                    self.assertEqual(is_standby(), expected)

    def test_a_standby_that_does_not_fit_is_not_asked_at_each_login(self):
        asked = "SELECT sum(sessions) FROM pg_stat_database WHERE datname = 'clinic'"
        with changed(STACK, {"workers": 1, **upstream("read-write", STANDBY.port, STACK.pg_port)}, restart=True):
            at_standby = STACK.url("direct", "postgres", "postgres").replace(f":{STACK.pg_port}/", f":{STANDBY.port}/")
            with psycopg.connect(at_standby, autocommit=True) as direct:
                before = direct.execute(asked).fetchone()[0] or 0
                began = time.monotonic()
                for _ in range(30):
                    self.assertFalse(is_standby())
                periods = (time.monotonic() - began) // 10 + 1
                wait_until(lambda: (direct.execute(asked).fetchone()[0] or 0) > before, "the standby to count its first session")
                self.assertLessEqual(direct.execute(asked).fetchone()[0] - before, periods + 1)

    def test_a_standby_is_preferred_not_demanded(self):
        with changed(STACK, upstream("prefer-standby", free_port(), STACK.pg_port)):
            self.assertFalse(is_standby())

    def test_without_a_fitting_server_the_error_says_of_each_why_not(self):
        dead = free_port()
        with changed(STACK, upstream("standby", dead, STACK.pg_port)):
            said = self.refusal()
            self.assertIn("none of the database servers can take this session", said)
            self.assertIn(f"localhost:{dead}: ", said)
            self.assertIn(f"localhost:{STACK.pg_port}: server is not in hot standby mode", said)

    def test_who_is_refused_by_one_server_is_not_tried_at_the_next(self):
        with changed(STACK, upstream("any", STACK.pg_port, STANDBY.port)):
            with self.assertRaises(psycopg.OperationalError) as caught:
                STACK.connect("", database="nowhere")
            self.assertIn('database "nowhere" does not exist', str(caught.exception))

    def test_protected_values_are_read_from_a_standby(self):
        with changed(STACK, upstream("standby", STACK.pg_port, STANDBY.port)):
            with STACK.connect() as connection:
                wait_until(lambda: connection.execute("SELECT count(*) FROM patients").fetchone()[0] == 6, "the rows")
                self.assertEqual(connection.execute("SELECT name FROM patients WHERE id = 1").fetchone()[0],
                                 "Aurelia Brandt")

    def test_a_cancel_finds_the_server_of_its_session(self):
        with changed(STACK, upstream("standby", STACK.pg_port, STANDBY.port)):
            login = Login(STACK)
            self.assertIsNone(login.finish())
            login.query("SELECT pg_sleep(60)").send()
            self.assertIn("E57014", self.letters_cancelled(login))
            login.close()

    def letters_cancelled(self, login):
        """Cancels until it is heard: a request that comes before the statement does nothing."""
        login.patience(1)
        for _ in range(10):
            try:
                return login.letters()
            except TimeoutError:
                with over_tls(STACK) as connection:
                    connection.sendall(cancel_request(login.key))
                    connection.recv(1)
        raise AssertionError("the statement was not cancelled")

    def test_vanished_clients_are_cancelled_at_their_server(self):
        with changed(STACK, upstream("standby", STACK.pg_port, STANDBY.port)):
            login = Login(STACK)
            self.assertIsNone(login.finish())
            login.query("SELECT pg_sleep(60), 'at the standby'").send()
            running = "SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%at the standby%' " \
                      "AND pid <> pg_backend_pid()"
            with psycopg.connect(STACK.url("direct", "postgres").replace(f":{STACK.pg_port}/", f":{STANDBY.port}/"),
                                 autocommit=True) as direct:
                wait_until(lambda: direct.execute(running).fetchone(), "the statement to run")
                login.abandon()
                wait_until(lambda: not direct.execute(running).fetchone(), "the statement to end")


class WhenThePrimaryIsGone(unittest.TestCase):
    """Last, also by its name, which is what unittest sorts by: afterwards the standby is the primary."""

    def test_new_logins_follow_the_primary(self):
        with changed(STACK, upstream("read-write", STACK.pg_port, STANDBY.port)):
            with STACK.connect() as connection:
                connection.execute("CREATE TABLE before_failover (n int)")
            self.assertFalse(is_standby())
            STACK.stop_server()
            with self.assertRaises(psycopg.OperationalError):
                STACK.connect("").close()
            STANDBY.pg_ctl("promote")
            with STACK.connect() as connection:
                self.assertEqual(connection.execute("SELECT name FROM patients WHERE id = 1").fetchone()[0],
                                 "Aurelia Brandt")
                connection.execute("DROP TABLE before_failover")


if __name__ == "__main__":
    unittest.main()
