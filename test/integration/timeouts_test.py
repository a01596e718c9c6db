"""Each time limit ends what it is for with PostgreSQL's own SQLSTATE and words, and nothing else. Limits are taken up by
sessions that are open already."""

import socket
import ssl
import struct
import threading
import time
import unittest

import psycopg

import clinic
import operation
from stack import Stack, wait_until
from wire import SSL_REQUEST, VERSION_3, Wire, fields_of, text

SHORT_MS, LOGIN_MS, LONG_MS = 700, 3000, 600000


def setUpModule():
    global STACK
    STACK = Stack.start()
    clinic.Clinic(STACK)
    operation.open_console(STACK)


def tearDownModule():
    STACK.stop()


class Limited(unittest.TestCase):
    def limit(self, **timeouts):
        operation.write_settings(STACK, timeouts=timeouts)
        operation.command(STACK, "RELOAD")
        self.addCleanup(operation.command, STACK, "RELOAD")
        self.addCleanup(operation.write_settings, STACK, timeouts={})

    def wire(self):
        return self.enterContext(Wire(STACK, STACK.options()))

    def assert_ends(self, wire, state, words):
        """The next thing that comes, unasked, is this FATAL; then the connection ends."""
        ((_, body),) = wire.replies("E")
        fields = fields_of(body)
        self.assertEqual((fields["S"], fields["C"]), ("FATAL", state))
        self.assertIn(words, fields["M"])
        with self.assertRaises(ConnectionError):
            wire.replies()


class Idle(Limited):
    def test_a_session_outside_a_transaction_ends(self):
        self.limit(idle_ms=SHORT_MS, idle_in_transaction_ms=LONG_MS, statement_ms=LONG_MS)
        wire = self.wire()
        wire.query("SELECT 1").replies()
        self.assert_ends(wire, "57P05", "terminating connection due to idle-session timeout")

    def test_work_and_open_transactions_are_left_alone(self):
        self.limit(idle_ms=SHORT_MS)
        wire = self.wire()
        self.assertEqual(wire.query("SELECT pg_sleep(1.5)").letters(), "TDCZ")
        self.assertEqual(wire.query("BEGIN").letters(), "CZ")
        time.sleep(1.5)
        self.assertEqual(wire.query("SELECT 1").letters(), "TDCZ")

    def test_a_reload_gives_open_sessions_the_limit(self):
        wire = self.wire()
        wire.query("SELECT 1").replies()
        self.limit(idle_ms=SHORT_MS)
        self.assertEqual(wire.query("SELECT 1").letters(), "TDCZ")
        self.assert_ends(wire, "57P05", "idle-session timeout")


class IdleInTransaction(Limited):
    def test_the_session_ends_and_the_transaction_is_rolled_back(self):
        self.limit(idle_in_transaction_ms=SHORT_MS, idle_ms=LONG_MS)
        wire = self.wire()
        wire.query("BEGIN").replies()
        wire.query("UPDATE patients SET remark = 'never' WHERE id = 1").replies()
        self.assert_ends(wire, "25P03", "terminating connection due to idle-in-transaction timeout")
        with STACK.connect() as connection:
            remark = connection.execute("SELECT remark FROM patients WHERE id = 1").fetchone()[0]
        self.assertNotEqual(remark, "never")

    def test_a_failed_transaction_ends_too(self):
        self.limit(idle_in_transaction_ms=SHORT_MS)
        wire = self.wire()
        wire.query("BEGIN").replies()
        self.assertEqual(wire.query("SELECT 1/0").letters()[:6], "E22012")
        self.assert_ends(wire, "25P03", "idle-in-transaction timeout")

    def test_an_open_batch_counts_as_a_transaction(self):
        self.limit(idle_in_transaction_ms=SHORT_MS)
        wire = self.wire()
        self.assertEqual(wire.parse("", "SELECT 1").flush().letters("1"), "1")
        self.assert_ends(wire, "25P03", "idle-in-transaction timeout")

    def test_idle_sessions_and_work_are_left_alone(self):
        self.limit(idle_in_transaction_ms=SHORT_MS)
        wire = self.wire()
        time.sleep(1.5)
        self.assertEqual(wire.query("BEGIN; SELECT pg_sleep(1.5); COMMIT").letters(), "CTDCCZ")


class Statement(Limited):
    def setUp(self):
        self.limit(statement_ms=SHORT_MS, idle_ms=LONG_MS, idle_in_transaction_ms=LONG_MS)
        self.session = self.enterContext(STACK.connect())

    def assert_timed_out(self, sql):
        with self.assertRaisesRegex(psycopg.errors.QueryCanceled, "canceling statement due to statement timeout"):
            self.session.execute(sql)

    def test_it_is_cancelled_and_the_session_goes_on(self):
        self.assert_timed_out("SELECT pg_sleep(20)")
        self.assertEqual(self.session.execute("SELECT name FROM patients WHERE id = 1").fetchone(), ("Aurelia Brandt",))

    def test_on_a_protected_table_and_prepared(self):
        self.assert_timed_out("SELECT name FROM patients, pg_sleep(20)")
        with self.assertRaisesRegex(psycopg.errors.QueryCanceled, "statement timeout"):
            self.session.execute("SELECT name FROM patients, pg_sleep(20) WHERE id = %s", [1], prepare=True)
        self.assertEqual(self.session.execute("SELECT 1").fetchone(), (1,))

    def test_a_transaction_is_left_failed(self):
        self.session.execute("BEGIN")
        self.assert_timed_out("SELECT pg_sleep(20)")
        self.assertEqual(self.session.info.transaction_status, psycopg.pq.TransactionStatus.INERROR)
        self.session.execute("ROLLBACK")

    def test_many_short_statements_are_left_alone(self):
        until = time.monotonic() + 3 * SHORT_MS / 1000
        while time.monotonic() < until:
            self.session.execute("SELECT 1")

    def test_a_cancel_of_the_client_keeps_its_own_words(self):
        self.limit(statement_ms=LONG_MS)
        other = self.enterContext(STACK.connect())
        pid = other.info.backend_pid
        timer = threading.Timer(0.5, STACK.superuser, [f"SELECT pg_cancel_backend({pid})"])
        timer.start()
        with self.assertRaisesRegex(psycopg.errors.QueryCanceled, "user request"):
            other.execute("SELECT pg_sleep(20)")
        timer.join()


class Login(unittest.TestCase):
    def setUp(self):
        operation.write_settings(STACK, limits={"login_timeout_ms": LOGIN_MS})
        operation.command(STACK, "RELOAD")
        self.addCleanup(operation.command, STACK, "RELOAD")
        self.addCleanup(operation.write_settings, STACK, limits={})

    def open_tls(self):
        plain = socket.create_connection(("localhost", STACK.proxy_port), timeout=20)
        plain.sendall(SSL_REQUEST)
        self.assertEqual(plain.recv(1), b"S")
        context = ssl.create_default_context(cafile=str(STACK.dir / "tls" / "ca.crt"))
        return self.enterContext(context.wrap_socket(plain, server_hostname="localhost"))

    @staticmethod
    def everything_from(stream):
        came = b""
        while more := stream.recv(65536):
            came += more
        return came

    def test_a_client_that_never_says_who_it_is_is_left_without_a_word(self):
        with socket.create_connection(("localhost", STACK.proxy_port), timeout=20) as plain:
            self.assertEqual(self.everything_from(plain), b"")

    def test_a_client_that_never_proves_it_is_told(self):
        for database in ("clinic", "pgveil"):
            stream = self.open_tls()
            pairs = text("user") + text("operator") + text("database") + text(database) + b"\0"
            stream.sendall(struct.pack("!ii", len(pairs) + 8, VERSION_3) + pairs)
            came = self.everything_from(stream)
            self.assertIn(b"C57014\0Mcanceling authentication due to timeout\0", came)

    def test_who_is_quick_enough_may_stay(self):
        """Positive control: the limit is for the login only."""
        with STACK.connect() as connection:
            time.sleep(LOGIN_MS / 1000 + 0.5)
            self.assertEqual(connection.execute("SELECT 1").fetchone(), (1,))


class UpstreamConnect(unittest.TestCase):
    def test_a_server_that_does_not_answer(self):
        """It accepts and says nothing."""
        with socket.socket() as deaf:
            deaf.bind(("127.0.0.1", 0))
            deaf.listen()
            good = operation.settings_of(STACK)["upstream"]
            self.addCleanup(operation.command, STACK, "RELOAD")
            self.addCleanup(operation.write_settings, STACK, upstream=good)
            upstream = {**good, "port": deaf.getsockname()[1], "connect_timeout_ms": SHORT_MS}
            operation.write_settings(STACK, upstream=upstream)
            operation.command(STACK, "RELOAD")
            with self.assertRaisesRegex(psycopg.OperationalError, "could not reach the database server"):
                STACK.connect()


class Keepalive(Limited):
    def test_both_legs_have_it(self):
        """The kernel says so: a keepalive timer runs on every connection of the proxy."""
        self.limit(keepalive_ms=7000)
        with STACK.connect() as connection:
            connection.execute("SELECT 1")
            wait_until(lambda: self.timers() >= 2, "two keepalive timers of at most 7 s")

    @staticmethod
    def timers():
        """Connections to or from the proxy whose keepalive timer (kind 2 in /proc/net/tcp) has at most 7 s left."""
        ports = {f"{STACK.proxy_port:04X}", f"{STACK.pg_port:04X}"}
        count = 0
        with open("/proc/net/tcp", encoding="ascii") as table:
            for line in list(table)[1:]:
                words = line.split()
                kind, left = words[5].split(":")
                places = {words[1].split(":")[1], words[2].split(":")[1]}
                count += words[3] == "01" and kind == "02" and int(left, 16) <= 700 and bool(places & ports)
        return count


if __name__ == "__main__":
    unittest.main()
