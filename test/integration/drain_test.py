"""TERM lets open transactions end, INT ends them, a second signal ends the process; no committed transaction is lost."""

import signal
import threading
import time
import unittest
import urllib.error
import urllib.request

import psycopg

import clinic
import operation
from fresh_proxy import free_port
from stack import Stack, is_alive, wait_until


def setUpModule():
    global STACK
    STACK = Stack.start()
    clinic.Clinic(STACK)
    with STACK.connect() as connection:
        connection.execute("CREATE TABLE transfers (id int PRIMARY KEY)")
        connection.execute("CREATE TABLE balances (id int PRIMARY KEY, cents bigint NOT NULL)")
        connection.execute("INSERT INTO balances SELECT n, 1000 FROM generate_series(1, 20) AS n")
    operation.open_console(STACK)


def tearDownModule():
    STACK.stop()


class Ending(unittest.TestCase):
    """Each test ends the proxy."""

    def setUp(self):
        operation.write_settings(STACK, timeouts=None)
        if not is_alive(STACK.proxy_pid):
            STACK.start_proxy()
        self.pid = STACK.proxy_pid
        with STACK.connect() as connection:
            connection.execute("TRUNCATE transfers")

    def tearDown(self):
        if is_alive(STACK.proxy_pid):
            STACK.stop_proxy()

    def connect(self):
        connection = STACK.connect()
        self.addCleanup(connection.close)
        return connection

    def in_transaction(self, number=1):
        connection = self.connect()
        connection.execute("BEGIN")
        connection.execute(f"INSERT INTO transfers VALUES ({number})")
        return connection

    def wait_for_end(self):
        wait_until(lambda: not is_alive(self.pid), "pgveil to end")

    def wait_for_log(self, text):
        wait_until(lambda: text in STACK.proxy_log()[self.seen:], f'"{text}" in the log')

    def signal(self, number):
        self.seen = len(STACK.proxy_log())
        STACK.signal_proxy(number)

    def stored(self):
        return [row[0] for row in STACK.superuser("SELECT id FROM transfers ORDER BY id", "clinic")]

    def assert_ended(self, connection):
        """By a word of the proxy, not by a connection that breaks."""
        with self.assertRaisesRegex(psycopg.OperationalError, "administrator command"):
            connection.execute("SELECT 1")


class Term(Ending):
    def test_an_open_transaction_commits_and_then_the_proxy_ends(self):
        busy, idle = self.in_transaction(), self.connect()
        self.signal(signal.SIGTERM)
        self.wait_for_log("draining")
        self.assert_ended(idle)
        with self.assertRaises(psycopg.OperationalError):
            STACK.connect()
        self.assertTrue(is_alive(self.pid))
        busy.execute("INSERT INTO transfers VALUES (2)")
        busy.execute("COMMIT")
        self.wait_for_end()
        self.assertEqual(self.stored(), [1, 2])
        self.assert_ended(busy)

    def test_a_rollback_ends_a_transaction_too(self):
        busy = self.in_transaction()
        self.signal(signal.SIGTERM)
        busy.execute("ROLLBACK")
        self.wait_for_end()
        self.assertEqual(self.stored(), [])

    def test_a_statement_that_runs_gets_its_answer(self):
        session = self.connect()
        answers = []
        thread = threading.Thread(
            target=lambda: answers.append(session.execute("SELECT 7 FROM pg_sleep(1.5)").fetchone()))
        thread.start()
        wait_until(lambda: STACK.superuser(
            "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'SELECT 7 FROM%' AND state = 'active'"), "it to run")
        self.signal(signal.SIGTERM)
        thread.join(30)
        self.assertEqual(answers, [(7,)])
        self.wait_for_end()

    def test_the_deadline_ends_what_is_left(self):
        operation.write_settings(STACK, timeouts={"drain_ms": 1000})
        operation.command(STACK, "RELOAD")
        busy = self.in_transaction()
        self.signal(signal.SIGTERM)
        self.wait_for_end()
        self.assertIn("the time for open transactions is over", STACK.proxy_log()[self.seen:])
        self.assert_ended(busy)
        self.assertEqual(self.stored(), [])

    def test_a_second_signal_ends_at_once(self):
        for second in (signal.SIGTERM, signal.SIGINT):
            busy = self.in_transaction()
            self.signal(signal.SIGTERM)
            self.wait_for_log("draining")
            self.signal(second)
            self.wait_for_end()
            with self.assertRaises(psycopg.OperationalError):
                busy.execute("COMMIT")
            self.assertEqual(self.stored(), [])
            STACK.start_proxy()
            self.pid = STACK.proxy_pid

    def test_under_load_every_committed_transaction_is_there(self):
        """Clients move money until they are told to go. Whoever was told that a transaction committed finds it; nobody is
        told to go inside a transaction."""
        committed, inside, lock = [], [], threading.Lock()

        def work(first):
            number, is_open = first, False
            move = "UPDATE balances SET cents = cents + %s WHERE id = %s"
            try:
                with STACK.connect() as connection:
                    while True:
                        is_open = False
                        connection.execute("BEGIN")
                        is_open = True
                        connection.execute(move, [-1, number % 19 + 1])
                        connection.execute(f"INSERT INTO transfers VALUES ({number})")
                        connection.execute(move, [1, 20])  # always in this order: no deadlock
                        connection.execute("COMMIT")
                        is_open = False
                        with lock:
                            committed.append(number)
                        number += 1
            except psycopg.OperationalError as error:
                if is_open:
                    with lock:
                        inside.append(str(error))

        threads = [threading.Thread(target=work, args=(n * 1000000,)) for n in range(1, 9)]
        for thread in threads:
            thread.start()
        wait_until(lambda: len(committed) > 40, "some transfers")
        self.signal(signal.SIGTERM)
        for thread in threads:
            thread.join(60)
        self.wait_for_end()
        self.assertEqual(inside, [])
        self.assertEqual(set(committed) - set(self.stored()), set())
        self.assertEqual(STACK.superuser("SELECT sum(cents) FROM balances", "clinic"), [(20000,)])


class Notice(Ending):
    """The load balancer is told before anybody is turned away."""

    def setUp(self):
        self.port = free_port()
        super().setUp()
        operation.write_settings(STACK, timeouts={"drain_notice_ms": 600000}, http={"port": self.port})
        STACK.restart_proxy()
        self.pid = STACK.proxy_pid

    def tearDown(self):
        super().tearDown()
        operation.write_settings(STACK, http=None)

    def is_ready(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=30):
                return True
        except urllib.error.HTTPError as error:
            self.assertIn(b"proxy: it drains", error.read())
            return False

    def test_everything_goes_on_while_readyz_says_no(self):
        idle = self.connect()
        self.assertTrue(self.is_ready())
        self.signal(signal.SIGTERM)
        self.wait_for_log("told to drain")
        self.assertFalse(self.is_ready())
        idle.execute("INSERT INTO transfers VALUES (1)")
        self.connect().execute("INSERT INTO transfers VALUES (2)")
        self.assertNotIn("draining: no new connections", STACK.proxy_log()[self.seen:])
        self.signal(signal.SIGTERM)
        self.wait_for_end()
        self.assertEqual(self.stored(), [1, 2])

    def test_then_it_drains(self):
        operation.write_settings(STACK, timeouts={"drain_notice_ms": 300})
        operation.command(STACK, "RELOAD")
        busy, idle = self.in_transaction(), self.connect()
        self.signal(signal.SIGTERM)
        self.wait_for_log("draining: no new connections")
        self.assert_ended(idle)
        busy.execute("COMMIT")
        self.wait_for_end()
        self.assertEqual(self.stored(), [1])


class Interrupt(Ending):
    def test_sessions_end_now_and_are_told(self):
        busy, idle = self.in_transaction(), self.connect()
        self.signal(signal.SIGINT)
        self.wait_for_end()
        self.assert_ended(idle)
        self.assert_ended(busy)
        self.assertEqual(self.stored(), [])


class Quit(Ending):
    def test_everything_stops_at_once(self):
        busy = self.in_transaction()
        self.signal(signal.SIGQUIT)
        self.wait_for_end()
        self.assertIn("stopping now", STACK.proxy_log()[self.seen:])
        with self.assertRaises(psycopg.OperationalError):
            busy.execute("COMMIT")
        self.assertEqual(self.stored(), [])


class Console(Ending):
    def test_shutdown_ends_sessions(self):
        busy = self.in_transaction()
        self.assertEqual(operation.command(STACK, "SHUTDOWN"), "SHUTDOWN\n")
        self.wait_for_end()
        self.assert_ended(busy)
        self.assertEqual(self.stored(), [])

    def test_shutdown_may_wait_for_clients_and_can_be_watched(self):
        busy = self.in_transaction()
        with operation.console(STACK) as watching:
            self.assertEqual(operation.command(STACK, "SHUTDOWN WAIT_FOR_CLIENTS"), "SHUTDOWN\n")
            deadline = time.monotonic() + 15
            while ("draining", "yes") not in watching.execute("SHOW STATE").fetchall():
                self.assertLess(time.monotonic(), deadline)
            busy.execute("COMMIT")
            self.wait_for_end()
        self.assertEqual(self.stored(), [1])


if __name__ == "__main__":
    unittest.main()
