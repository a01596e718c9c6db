"""RELOAD and SIGHUP: settings, policy, users and certificates change together or not at all, and no session is dropped."""

import json
import signal
import socket
import ssl
import unittest

import psycopg

import clinic
import operation
from operation import ADMIN
from stack import CLINIC, Stack, wait_until
from wire import SSL_REQUEST

COUNT = "SELECT count(*) FROM patients"


def setUpModule():
    global STACK
    STACK = Stack.start()
    clinic.Clinic(STACK)
    operation.open_console(STACK)


def tearDownModule():
    STACK.stop()


def certificate_shown():
    """The organisational unit of the certificate that a new connection gets; the two of the stack differ in it."""
    context = ssl.create_default_context(cafile=str(STACK.dir / "tls" / "ca.crt"))
    with socket.create_connection(("localhost", STACK.proxy_port), timeout=20) as plain:
        plain.sendall(SSL_REQUEST)
        assert plain.recv(1) == b"S"
        with context.wrap_socket(plain, server_hostname="localhost") as secured:
            subject = dict(pair for entry in secured.getpeercert()["subject"] for pair in entry)
            return subject["organizationalUnitName"]


class Kept(unittest.TestCase):
    """Everything that a test changes is put back, and a session that was open before has to live through all of it."""

    def setUp(self):
        self.files = {name: (STACK.dir / name).read_text() for name in ("pgveil.json", "policy.json", "users.txt")}
        self.addCleanup(self.put_back)
        self.session = self.enterContext(STACK.connect())
        self.session.execute("CREATE TEMP TABLE kept (id int)")
        self.addCleanup(self.assert_session_lives)

    def put_back(self):
        for name, text in self.files.items():
            STACK.write(name, text)
        operation.command(STACK, "RELOAD")

    def assert_session_lives(self):
        self.assertEqual(self.session.execute("SELECT count(*) FROM kept").fetchone(), (0,))
        self.assertEqual(self.session.execute(COUNT).fetchone(), (6,))

    def reload(self):
        """The notices of a RELOAD."""
        notices = []
        with operation.console(STACK) as connection:
            connection.add_notice_handler(lambda notice: notices.append(notice.message_primary))
            connection.execute("RELOAD")
        return notices

    def assert_refused(self, *words):
        state, message = operation.fails(STACK, "RELOAD")
        self.assertEqual(state, "F0000")
        for word in ("the old configuration stays", *words):
            self.assertIn(word, message)


class Taken(Kept):
    def test_what_was_prepared_goes_on_under_the_same_policy(self):
        """Written otherwise, it still says the same."""
        look_up = "SELECT name FROM patients WHERE ssn = %s"
        self.session.execute("PREPARE born_on AS SELECT name FROM patients WHERE born = $1 ORDER BY id LIMIT 1")
        for _ in range(3):
            self.assertEqual(self.session.execute(look_up, ("120-44-7781",), prepare=True).fetchall(), [("Aurelia Brandt",)])
            self.assertEqual(self.session.execute("EXECUTE born_on ('1961-03-09')").fetchall(), [("Aurelia Brandt",)])
            STACK.write("policy.json", "// once more\n" + (STACK.dir / "policy.json").read_text())
            self.reload()

    def test_a_certificate(self):
        self.assertEqual(certificate_shown(), "pgveil")
        settings = operation.settings_of(STACK)
        settings["listen"]["tls"].update(certificate="tls/postgres.crt", key="tls/postgres.key")
        operation.write_settings(STACK, listen=settings["listen"])
        self.reload()
        self.assertEqual(certificate_shown(), "postgres")

    def replace_tls(self, source):
        """As those who renew certificates do: other files in the place of the old ones, and nobody is told."""
        for ending in (".crt", ".key"):
            new = STACK.write(f"tls/renewed{ending}", (STACK.dir / "tls" / f"{source}{ending}").read_text())
            new.rename(STACK.dir / "tls" / f"pgveil{ending}")

    def test_a_certificate_that_is_renewed_in_its_place_without_a_word(self):
        for name in ("pgveil", "postgres"):
            for ending in (".crt", ".key"):
                STACK.write(f"tls/kept-{name}{ending}", (STACK.dir / "tls" / f"{name}{ending}").read_text())
        self.addCleanup(wait_until, lambda: certificate_shown() == "pgveil", "the first certificate to be back")
        self.addCleanup(self.replace_tls, "kept-pgveil")
        seen = len(STACK.proxy_log())
        self.replace_tls("kept-postgres")
        wait_until(lambda: certificate_shown() == "postgres", "the certificate to be taken up")
        self.assertNotIn("reloaded ", STACK.proxy_log()[seen:], "nothing else was")
        STACK.write("tls/pgveil.crt", "not a certificate\n")
        wait_until(lambda: "cannot be used, the old ones stay" in STACK.proxy_log()[seen:], "the reason in the log")
        self.assertEqual(certificate_shown(), "postgres")

    def test_a_user(self):
        operation.add_login(STACK, "latecomer")
        self.addCleanup(STACK.superuser, "DROP ROLE latecomer")
        with self.assertRaises(psycopg.OperationalError):
            STACK.connect(role="latecomer")
        self.reload()
        with STACK.connect("", role="latecomer") as connection:
            self.assertEqual(connection.execute("SELECT current_user").fetchone(), ("latecomer",))

    def test_a_removed_user_keeps_the_session_and_gets_no_new_one(self):
        text = "".join(line + "\n" for line in self.files["users.txt"].splitlines() if not line.startswith('"app"'))
        STACK.write("users.txt", text)
        self.reload()
        self.assert_session_lives()
        with self.assertRaisesRegex(psycopg.OperationalError, "password authentication failed"):
            STACK.connect()

    def test_a_policy(self):
        policy = json.loads(self.without_comments((CLINIC / "policy.json").read_text()))
        policy["tables"]["public.added"] = {"columns": {"word": {"type": "text"}}}
        STACK.write("policy.json", json.dumps(policy))
        self.reload()
        self.assertIn("public.added", {row["table"] for row in operation.show(STACK, "COLUMNS")})

    def test_a_signal_does_the_same(self):
        operation.write_settings(STACK, timeouts={"statement_ms": 123456})
        STACK.signal_proxy(signal.SIGHUP)
        wait_until(lambda: self.config("timeouts.statement_ms")["value"] == "123456", "the reload")

    def test_what_only_a_start_takes_up_is_named_and_stays(self):
        settings = operation.settings_of(STACK)
        settings["listen"]["port"] = 1
        operation.write_settings(STACK, listen=settings["listen"], limits={"sessions": 77})
        self.assertEqual(self.reload(), ["listen.port has changed: it takes effect at the next start"])
        self.assertEqual(self.config("listen.port")["value"], str(STACK.proxy_port))
        self.assertEqual(self.config("limits.sessions")["value"], "77")

    @staticmethod
    def config(key):
        return next(row for row in operation.show(STACK, "CONFIG") if row["key"] == key)

    @staticmethod
    def without_comments(text):
        return "\n".join(line for line in text.splitlines() if not line.strip().startswith("//"))


class NotTaken(Kept):
    """One part is wrong, another would be new: neither is taken."""

    def setUp(self):
        super().setUp()
        operation.write_settings(STACK, stats_users=[])

    def tearDown(self):
        rights = {row["name"]: row["rights"] for row in operation.show(STACK, "USERS")}
        self.assertEqual(rights[operation.WATCHER], "stats", "a part of a bad reload was taken")

    def test_bad_settings(self):
        operation.write_settings(STACK, admin_users="operator")
        self.assert_refused("pgveil.json", "/admin_users")

    def test_no_settings(self):
        STACK.write("pgveil.json", "{")
        self.assert_refused("pgveil.json")

    def test_a_bad_policy(self):
        STACK.write("policy.json", '{"tables": {"public.t": {"columns": {"c": {"type": "texxt"}}}}}')
        self.assert_refused("policy.json", "texxt")

    def test_a_bad_users_file(self):
        STACK.write("users.txt", self.files["users.txt"] + '"broken" "md5abc"\n')
        self.assert_refused("users.txt")

    def test_a_bad_certificate(self):
        settings = operation.settings_of(STACK)
        settings["listen"]["tls"]["certificate"] = str(STACK.write("bad.crt", "not a certificate\n"))
        operation.write_settings(STACK, listen=settings["listen"])
        self.assert_refused("bad.crt")
        self.assertEqual(certificate_shown(), "pgveil")

    def test_a_key_of_another_certificate(self):
        settings = operation.settings_of(STACK)
        settings["listen"]["tls"]["key"] = "tls/postgres.key"
        operation.write_settings(STACK, listen=settings["listen"])
        self.assert_refused("postgres.key")

    def test_the_log_says_so_after_a_signal(self):
        STACK.write("policy.json", "{")
        seen = len(STACK.proxy_log())
        STACK.signal_proxy(signal.SIGHUP)
        wait_until(lambda: "the old configuration stays" in STACK.proxy_log()[seen:], "the reason in the log")


class Names(Kept):
    def test_an_admin_without_a_secret_is_warned_of(self):
        operation.write_settings(STACK, admin_users=[ADMIN, "nobody"])
        seen = len(STACK.proxy_log())
        self.reload()
        wait_until(lambda: '"nobody" may use the admin console and is not in' in STACK.proxy_log()[seen:], "the warning")


if __name__ == "__main__":
    unittest.main()
