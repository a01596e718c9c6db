"""Logins: versions and openings of the protocol, what a refusal looks like on the wire, clients that vanish, limits on
connections, Unix sockets."""

import signal
import socket
import ssl
import struct
import subprocess
import threading
import unittest

import psycopg

import clinic
from leg import Leg
from logins import (VERSION_32, Login, cancel_request, changed, over_tcp, over_tls, startup_packet, tls_context)
from stack import Stack, run, succeeded, wait_until
from wire import SSL_REQUEST, Wire

LO_CREAT = 957


def setUpModule():
    global STACK
    STACK = Stack.start()
    clinic.Clinic(STACK)


def tearDownModule():
    STACK.stop()


def is_running(marker):
    return STACK.superuser("SELECT pid FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid() "
                           f"AND query LIKE '%{marker}%'")


class Protocol(unittest.TestCase):
    def login(self, **options):
        login = Login(STACK, **options)
        self.addCleanup(login.close)
        return login

    def test_version_3_2_is_spoken(self):
        login = self.login(version=VERSION_32)
        self.assertIsNone(login.finish())
        self.assertIsNone(login.negotiated)
        self.assertGreaterEqual(len(login.key), 8)
        self.assertEqual(login.query("SELECT 1").letters(), "TDCZ")

    def test_later_versions_and_grease_are_negotiated_down(self):
        login = self.login(version=0x0003270F, **{"_pq_.test_protocol_negotiation": ""})
        self.assertIsNone(login.finish())
        self.assertEqual(login.negotiated, (VERSION_32, ["_pq_.test_protocol_negotiation"]))
        self.assertEqual(login.query("SELECT 1").letters(), "TDCZ")

    def test_an_unknown_option_alone_is_named_and_left_out(self):
        login = self.login(**{"_pq_.unheard_of": "1"})
        self.assertIsNone(login.finish())
        self.assertEqual(login.negotiated, (0x00030000, ["_pq_.unheard_of"]))

    def test_a_startup_packet_may_come_in_pieces(self):
        login = self.login(pieces=1, application_name="x" * 300)
        self.assertIsNone(login.finish())
        self.assertEqual(login.query("SHOW application_name").letters(), "TDCZ")

    def test_tls_may_come_first_if_alpn_says_postgresql(self):
        direct = tls_context(STACK, ["postgresql"]).wrap_socket(over_tcp(STACK), server_hostname="localhost")
        self.assertEqual(direct.selected_alpn_protocol(), "postgresql")
        self.assertIsNone(self.login(connection=direct).finish())

    def test_tls_first_without_alpn_is_closed(self):
        direct = tls_context(STACK).wrap_socket(over_tcp(STACK), server_hostname="localhost")
        with self.assertRaises(OSError):
            direct.sendall(startup_packet({"user": "app"}))
            if not direct.recv(1):
                raise ConnectionError("closed")

    def test_another_alpn_is_refused_in_the_handshake(self):
        with self.assertRaises(ssl.SSLError):
            tls_context(STACK, ["http/1.1"]).wrap_socket(over_tcp(STACK), server_hostname="localhost")

    def test_bytes_behind_the_request_for_tls_are_not_taken_for_the_clients(self):
        plain = over_tcp(STACK)
        plain.sendall(SSL_REQUEST + startup_packet({"user": "app", "database": "clinic"}))
        came = b""
        while more := plain.recv(4096):
            came += more
        plain.close()
        self.assertEqual(came, b"S")

    def test_replication_is_refused_with_a_reason(self):
        for kind in ("database", "true"):
            with self.assertRaises(psycopg.OperationalError) as caught:
                STACK.connect("", replication=kind)
            self.assertIn("replication connections through pgveil are not supported", str(caught.exception))
            self.assertIn("straight to the database server", str(caught.exception))

    def test_function_calls_reach_large_objects_and_nothing_else(self):
        with Wire(STACK, STACK.options()) as wire:
            call = struct.pack("!ihhhii", LO_CREAT, 1, 1, 1, 4, 0x60000) + struct.pack("!h", 1)
            self.assertEqual(wire.query("BEGIN").letters(), "CZ")
            self.assertEqual(wire.message("F", call).letters(), "VZ")
            set_config = struct.pack("!ihhh", 2078, 0, 0, 0)
            self.assertEqual(wire.message("F", set_config).letters(), "E0A000Z")

    def test_a_cancel_comes_over_tls(self):
        login = self.login()
        login.finish()
        login.query("SELECT pg_sleep(60), 'cancelled over tls'").send()
        wait_until(lambda: is_running("cancelled over tls"), "the statement to run")
        with over_tls(STACK) as connection:
            connection.sendall(cancel_request(login.key))
            self.assertEqual(connection.recv(1), b"", "held until the server has taken it")
        self.assertIn("E57014", login.letters())

    def test_a_wrong_password_closes_the_socket(self):
        login = self.login()
        refusal = login.finish("not the password")
        self.assertEqual(refusal["C"], "28P01")
        self.assertEqual(refusal["S"], "FATAL")
        self.assertTrue(login.is_closed())
        right = self.login()
        self.assertIsNone(right.finish())

    def test_an_unknown_user_hears_the_same(self):
        (STACK.dir / "secrets" / "ghost.password").write_text("x")
        login = self.login(role="ghost")
        self.assertEqual(login.finish("x")["M"], 'password authentication failed for user "ghost"')
        self.assertTrue(login.is_closed())


class VanishedClients(unittest.TestCase):
    """Without the cancel pg_sleep would go on for a minute."""

    def setUp(self):
        STACK.mark_server_log()

    def test_its_statement_is_cancelled(self):
        for abandon in (Wire.abandon, lambda wire: wire._socket.close()):
            with self.subTest(abandon=abandon):
                wire = Wire(STACK, STACK.options())
                wire.query("SELECT pg_sleep(60), 'for nobody'").send()
                wait_until(lambda: is_running("for nobody"), "the statement to run")
                abandon(wire)
                wait_until(lambda: not is_running("for nobody"), "the statement to end")
                self.assertIn("canceling statement due to user request", STACK.server_log_since_mark())

    def test_a_killed_client_counts(self):
        child = subprocess.Popen(["psql", "-X", STACK.url(), "-c", "SELECT pg_sleep(60), 'killed client'"],
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: is_running("killed client"), "the statement to run")
        child.send_signal(signal.SIGKILL)
        child.wait()
        wait_until(lambda: not is_running("killed client"), "the statement to end")

    def test_in_a_batch_on_a_protected_table_too(self):
        wire = Wire(STACK, STACK.options())
        wire.parse("", "SELECT name, pg_sleep(60) AS batched FROM patients").bind("", "").execute("").sync().send()
        wait_until(lambda: is_running("batched"), "the statement to run")
        wire.abandon()
        wait_until(lambda: not is_running("batched"), "the statement to end")

    def test_who_says_goodbye_behind_a_statement_lets_it_finish(self):
        wire = Wire(STACK, STACK.options())
        wire.query("SELECT pg_sleep(4), 'goodbye'").message("X").send()
        wire._socket.close()
        wait_until(lambda: is_running("goodbye"), "the statement to run")
        wait_until(lambda: not is_running("goodbye"), "the statement to end")
        self.assertNotIn("canceling statement", STACK.server_log_since_mark())


class Swallow:
    """A tap of leg.py behind which nothing is heard any more."""

    has_begun = False

    def take(self, _data):
        self.has_begun = True
        return b"", False


class Limits(unittest.TestCase):
    def refusal(self, login):
        self.addCleanup(login.close)
        return login.finish()

    def first_login(self):
        """Once the connections of other tests are gone."""
        logins = []

        def succeeds():
            logins.append(Login(STACK))
            self.addCleanup(logins[-1].close)
            return logins[-1].logged_in()

        wait_until(succeeds, "room for a login")
        return logins[-1]

    def test_of_sessions_at_all(self):
        with changed(STACK, {"limits": {"sessions": 2}}):
            first, second = self.first_login(), self.first_login()
            third = Login(STACK)
            refusal = self.refusal(third)
            self.assertEqual((refusal["C"], refusal["M"]), ("53300", "sorry, too many clients already"))
            self.assertTrue(third.is_closed())
            self.assertEqual(self.refusal_of_stranger()["C"], "28P01", "a stranger learns nothing of the limits")
            second.close()
            self.first_login().close()
            first.close()

    def test_of_sessions_of_one_user(self):
        with changed(STACK, {"limits": {"sessions_per_user": 2}}):
            first, second = self.first_login(), self.first_login()
            third = Login(STACK)
            refusal = self.refusal(third)
            self.assertEqual((refusal["C"], refusal["M"]), ("53300", 'too many connections for role "app"'))
            self.assertIn("limits.sessions_per_user", refusal["H"])
            self.assertTrue(third.is_closed())
            self.assertEqual(self.refusal_of_stranger()["C"], "28P01", "a stranger learns nothing of the limits")
            second.close()
            self.first_login()
            first.close()

    def refusal_of_stranger(self):
        login = Login(STACK)
        self.addCleanup(login.close)
        return login.finish("wrong")

    def test_of_connections_from_one_address(self):
        with changed(STACK, {"limits": {"sessions_per_address": 2}}):
            first, second = self.first_login(), self.first_login()
            with Login(STACK) as third:
                error = third.read_error()
                self.assertEqual((error["C"], error["M"]), ("53300", 'too many connections from address "127.0.0.1"'))
                self.assertTrue(third.is_closed())
            first.query("SELECT pg_sleep(60), 'cancelled beyond the limit'").send()
            wait_until(lambda: is_running("cancelled beyond the limit"), "the statement to run")
            with over_tls(STACK) as connection:
                connection.sendall(cancel_request(first.key))
            self.assertIn("E57014", first.letters())
            second.close()
            first.close()

    def test_cancels_take_no_place_from_the_others_of_their_address(self):
        leg = Leg(STACK.pg_port)
        self.addCleanup(leg.stop)
        with changed(STACK, {"limits": {"sessions_per_address": 2}, "upstream": {"port": leg.port}}):
            first, never_ends = self.first_login(), Swallow()
            leg.arm_next(up=never_ends)
            with over_tls(STACK) as connection:
                connection.sendall(cancel_request(first.key))
                wait_until(lambda: never_ends.has_begun, "the cancel to be under way")
                second, third = Login(STACK), Login(STACK)
                self.assertIsNone(second.finish())
                self.assertEqual(third.read_error()["C"], "53300")  # control: the limit is in force
            for login in (first, second, third):
                login.close()

    def test_of_logins_under_way(self):
        with changed(STACK, {"limits": {"pending_logins": 1}}):
            self.first_login()
            waiting = Login(STACK)
            waiting._read()
            refused = Login(STACK)
            error = refused.read_error()
            self.assertEqual((error["C"], error["M"]), ("53300", "too many logins are under way"))
            self.assertTrue(refused.is_closed())
            waiting.close()
            self.first_login()


class UnixSockets(unittest.TestCase):
    def connect(self, password=None):
        password = password or (STACK.dir / "secrets" / "app.password").read_text().strip()
        return psycopg.connect(host=str(STACK.dir / "run"), port=STACK.proxy_port, user="app", dbname="clinic",
                               password=password, options=STACK.options(), autocommit=True, connect_timeout=20)

    def test_clients_of_this_machine_connect_without_tls_and_with_shares(self):
        path = STACK.dir / "run" / f".s.PGSQL.{STACK.proxy_port}"
        with changed(STACK, {"listen": {"unix_socket": {"directory": "run", "permissions": "0700"}}}, restart=True):
            self.assertEqual(path.stat().st_mode & 0o777, 0o700)
            with self.connect() as connection:
                self.assertEqual(connection.execute("SELECT name FROM patients WHERE id = 1").fetchone()[0],
                                 "Aurelia Brandt")
            with socket.socket(socket.AF_UNIX) as plain:
                plain.connect(str(path))
                plain.sendall(SSL_REQUEST)
                self.assertEqual(plain.recv(1), b"N")
            with self.assertRaisesRegex(psycopg.OperationalError, "password authentication failed"):
                self.connect(password="wrong")
            with STACK.connect() as beside:
                self.assertEqual(beside.execute("SELECT 1").fetchone()[0], 1)
        self.assertFalse(path.exists())

    def test_a_cancel_reaches_it_too(self):
        with changed(STACK, {"listen": {"unix_socket": {"directory": "run"}}}, restart=True):
            with self.connect() as connection:
                timer = threading.Timer(0.7, connection.cancel)
                timer.start()
                with self.assertRaises(psycopg.errors.QueryCanceled):
                    connection.execute("SELECT pg_sleep(30)")
                timer.join()

    def test_the_database_server_may_be_reached_by_one(self):
        folder = STACK.dir / "run"
        with open(STACK.dir / "postgres" / "postgresql.conf", "a") as conf:
            conf.write(f"unix_socket_directories = '{folder}'\n")
        with open(STACK.dir / "postgres" / "pg_hba.conf", "a") as hba:
            hba.write("local all all scram-sha-256\n")
        pg_bin = (STACK.dir / "run" / "pg_bin").read_text().strip()
        succeeded(run([*STACK.as_owner(), f"{pg_bin}/pg_ctl", "-D", STACK.dir / "postgres", "-m", "fast", "-w", "-l",
                       STACK.dir / "log" / "postgresql.log", "restart"], stdin=subprocess.DEVNULL))
        with changed(STACK, {"upstream": {"host": str(folder)}}, restart=True):
            with STACK.connect() as connection:
                self.assertEqual(connection.execute("SELECT inet_client_addr() IS NULL").fetchone()[0], True)
                self.assertEqual(connection.execute("SELECT name FROM patients WHERE id = 1").fetchone()[0],
                                 "Aurelia Brandt")
        with STACK.connect() as connection:
            self.assertEqual(connection.execute("SELECT inet_client_addr() IS NULL").fetchone()[0], False)


if __name__ == "__main__":
    unittest.main()
