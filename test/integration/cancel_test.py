"""A cancel request stops the statement it is for, through the proxy, and nothing else."""

import signal
import subprocess
import threading
import time
import unittest

import psycopg

import clinic
from stack import Stack, wait_until

SLOW = "SELECT pg_sleep(20)"


def setUpModule():
    global STACK
    STACK = Stack.start()
    clinic.Clinic(STACK)


def tearDownModule():
    STACK.stop()


class Cancel(unittest.TestCase):
    def setUp(self):
        self.connection = STACK.connect()
        self.addCleanup(self.connection.close)

    def cancelled(self, connection, sql, cancel):
        """Runs sql, which sleeps, and calls cancel() meanwhile; the seconds it took until 57014."""
        sleeping = f"SELECT 1 FROM pg_stat_activity WHERE pid = {connection.info.backend_pid} AND wait_event = 'PgSleep'"

        def cancel_it():
            wait_until(lambda: STACK.superuser(sleeping), "the statement to run")
            cancel()

        thread = threading.Thread(target=cancel_it)
        thread.start()
        started = time.monotonic()
        with self.assertRaises(psycopg.errors.QueryCanceled):
            connection.execute(sql)
        thread.join()
        return time.monotonic() - started

    def test_a_statement_is_cancelled(self):
        self.assertLess(self.cancelled(self.connection, SLOW, self.connection.cancel), 10)

    def test_the_session_goes_on(self):
        self.cancelled(self.connection, SLOW, self.connection.cancel)
        name = self.connection.execute("SELECT name FROM patients WHERE id = 1").fetchone()[0]
        self.assertEqual(name, "Aurelia Brandt")

    def test_a_statement_on_a_protected_table_is_cancelled(self):
        self.cancelled(self.connection, "SELECT name FROM patients, pg_sleep(20)", self.connection.cancel)
        self.assertEqual(self.connection.execute("SELECT count(*) FROM patients").fetchone()[0], 6)

    def test_a_transaction_is_left_failed(self):
        self.connection.execute("BEGIN")
        self.cancelled(self.connection, SLOW, self.connection.cancel)
        self.assertEqual(self.connection.info.transaction_status, psycopg.pq.TransactionStatus.INERROR)
        self.connection.execute("ROLLBACK")

    def test_other_sessions_are_left_alone(self):
        with STACK.connect() as other:
            thread = threading.Thread(target=other.execute, args=("SELECT pg_sleep(3)",))
            thread.start()
            self.cancelled(self.connection, SLOW, self.connection.cancel)
            thread.join()
            self.assertEqual(other.info.transaction_status, psycopg.pq.TransactionStatus.IDLE)

    def test_a_cancel_that_comes_too_late_does_nothing(self):
        self.connection.execute("SELECT 1")
        self.connection.cancel()
        time.sleep(0.3)
        self.assertEqual(self.connection.execute("SELECT count(*) FROM patients").fetchone()[0], 6)

    def test_control_c_in_psql(self):
        child = subprocess.Popen(["psql", "-X", STACK.url(), "-c", SLOW], stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, text=True)
        wait_until(lambda: STACK.superuser(
            f"SELECT 1 FROM pg_stat_activity WHERE query = '{SLOW}' AND state = 'active'"), "the statement to run")
        child.send_signal(signal.SIGINT)
        _, said = child.communicate(timeout=10)
        self.assertIn("canceling statement due to user request", said)

    def test_a_client_that_vanishes_takes_its_server_session_along(self):
        child = subprocess.Popen(["psql", "-X", STACK.url(), "-c", "SELECT 4711 + 0, pg_sleep(1)"],
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        running = "SELECT pid FROM pg_stat_activity WHERE query LIKE 'SELECT 4711 + 0%'"
        wait_until(lambda: STACK.superuser(running), "the statement to run")
        child.kill()
        child.wait()
        wait_until(lambda: not STACK.superuser(running), "the server session to end")


if __name__ == "__main__":
    unittest.main()
