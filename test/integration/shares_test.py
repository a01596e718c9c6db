"""Who may open what: no two of the three shares, no wrong share, no old token; a withdrawn user at once."""

import base64
import contextlib
import time
import unittest

import psycopg

import clinic
from stack import Stack, psql, succeeded, wait_until

APP_SHARE = "application"
READ = "SELECT name FROM patients WHERE id = 1"


def setUpModule():
    global STACK
    STACK = Stack.start()
    clinic.Clinic(STACK)


def tearDownModule():
    STACK.stop()


def options(user_id=None, user_token=None, app_share=None):
    pairs = {"user_id": user_id, "user_token": user_token, "app_share": app_share}
    return " ".join(f"-c pgveil.{name}={value}" for name, value in pairs.items() if value is not None)


def flipped(text, at):
    """A share with one bit of its binary form changed."""
    prefix, body = text.split(".", 1)
    raw = bytearray(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    raw[at] ^= 0x10
    return prefix + "." + base64.urlsafe_b64encode(bytes(raw)).rstrip(b"=").decode()


class Shares(unittest.TestCase):
    def setUp(self):
        self.nurse = STACK.shares("nurse")
        self.clerk = STACK.shares("clerk")

    def read(self, text):
        with STACK.connect(options=text) as connection:
            return connection.execute(READ).fetchone()[0]

    def assert_refused(self, text, *words):
        """28000 at the first protected statement (or at login), and the message names what is wrong."""
        with self.assertRaises(psycopg.Error) as caught:
            self.read(text)
        said = str(caught.exception)
        if caught.exception.sqlstate is not None:
            self.assertEqual(caught.exception.sqlstate, "28000", said)
        for word in words:
            self.assertIn(word, said.lower())
        return said

    def test_P7_three_shares_open(self):
        """The positive control of everything below."""
        for shares in (self.nurse, self.clerk):
            self.assertEqual(self.read(options(**shares)), "Aurelia Brandt")

    def test_P14_no_two_shares_open(self):
        self.assert_refused("", "pgveil.user_id")
        self.assert_refused(options(user_id="nurse"), "pgveil.user_token")
        self.assert_refused(options("nurse", user_token=self.nurse["user_token"]), APP_SHARE)
        self.assert_refused(options("nurse", app_share=self.nurse["app_share"]), "token")
        self.assert_refused(options(None, self.nurse["user_token"], self.nurse["app_share"]), "user_id")

    def test_mixed_shares_name_the_wrong_one(self):
        self.assert_refused(options("nurse", self.nurse["user_token"], self.clerk["app_share"]), APP_SHARE)
        self.assert_refused(options("nurse", self.clerk["user_token"], self.nurse["app_share"]), "token")
        self.assert_refused(options("clerk", self.nurse["user_token"], self.nurse["app_share"]))

    def test_an_unknown_user_is_refused(self):
        self.assert_refused(options("nobody", self.nurse["user_token"], self.nurse["app_share"]))

    def test_P1_a_flipped_bit_names_the_flipped_share(self):
        for at in (0, 5, 40, 70, -17, -1):
            self.assert_refused(options("nurse", flipped(self.nurse["user_token"], at), self.nurse["app_share"]), "token")
        for at in (0, 5, -20, -1):
            self.assert_refused(options("nurse", self.nurse["user_token"], flipped(self.nurse["app_share"], at)), APP_SHARE)

    def test_text_that_is_no_share_is_refused(self):
        for wrong in ("pgvt1.", "pgvt1.AAAA", "pgvt2." + self.nurse["user_token"][6:], "x", self.nurse["app_share"],
                      self.nurse["user_token"] + "=", self.nurse["user_token"] + "A"):
            self.assert_refused(options("nurse", wrong, self.nurse["app_share"]), "token")
        for wrong in ("pgva1.", "pgva1.AAAA", "x", self.nurse["user_token"]):
            self.assert_refused(options("nurse", self.nurse["user_token"], wrong), APP_SHARE)

    def test_an_expired_token_is_refused_and_the_session_lives_on(self):
        short = STACK.options("nurse", valid_s=2)
        with STACK.connect(options=short) as connection:
            self.assertEqual(connection.execute(READ).fetchone()[0], "Aurelia Brandt")
            time.sleep(3)
            with self.assertRaises(psycopg.errors.InvalidAuthorizationSpecification) as caught:
                connection.execute(READ)
            self.assertIn("expired", str(caught.exception))
            self.assertEqual(connection.execute("SELECT count(*) FROM departments").fetchone()[0], 3)
            connection.execute(f"SET pgveil.user_token = '{STACK.shares('nurse')['user_token']}'")
            connection.execute(f"SET pgveil.app_share = '{self.nurse['app_share']}'")
            self.assertEqual(connection.execute(READ).fetchone()[0], "Aurelia Brandt")

    def test_a_token_of_another_proxy_is_foreign(self):
        other = Stack.start()
        try:
            foreign = other.shares("nurse")
            self.assert_refused(options("nurse", foreign["user_token"], self.nurse["app_share"]), "token")
            self.assert_refused(options("nurse", self.nurse["user_token"], foreign["app_share"]), APP_SHARE)
        finally:
            other.stop()

    def test_a_token_longer_than_the_limit_is_not_accepted(self):
        done = STACK.user_tool("options", "--valid", 9 * 3600)
        if done.returncode == 0:
            self.assert_refused(done.stdout.strip(), "token")

    def test_shares_of_one_login_are_not_for_another(self):
        """A token belongs to the login that first presents it."""
        self.assertEqual(self.read(options(**self.nurse)), "Aurelia Brandt")
        STACK.superuser("CREATE ROLE second LOGIN PASSWORD 'second'")
        STACK.superuser("GRANT app TO second")
        STACK.write("secrets/second.password", "second\n")
        secret = STACK.superuser("SELECT rolpassword FROM pg_authid WHERE rolname = 'second'")[0][0]
        users = (STACK.dir / "users.txt").read_text()
        STACK.write("users.txt", users + f'"second" "{secret}"\n')
        STACK.restart_proxy()
        self.assertEqual(self.read(options(**self.nurse)), "Aurelia Brandt")
        with STACK.connect(options=options(**self.nurse), role="second") as connection:
            with self.assertRaises(psycopg.errors.InvalidAuthorizationSpecification):
                connection.execute(READ)

    def test_a_withdrawn_user_is_refused_at_once_while_others_go_on(self):
        STACK.add_user("guest")
        guest = STACK.connect(options=STACK.options("guest"))
        nurse = STACK.connect()
        self.addCleanup(guest.close)
        self.addCleanup(nurse.close)
        self.assertEqual(guest.execute(READ).fetchone()[0], "Aurelia Brandt")
        nurse.execute("BEGIN")
        nurse.execute("DECLARE c CURSOR FOR SELECT code FROM departments")
        STACK.withdraw_user("guest")
        with self.assertRaises(psycopg.errors.InvalidAuthorizationSpecification) as caught:
            guest.execute(READ)
        self.assertIn("guest", str(caught.exception))
        self.assertEqual(nurse.execute(READ).fetchone()[0], "Aurelia Brandt")
        nurse.execute("COMMIT")
        self.assertEqual(guest.execute("SELECT count(*) FROM departments").fetchone()[0], 3)

    def test_everything_survives_a_restart_of_the_proxy(self):
        before = options(**self.nurse)
        STACK.restart_proxy()
        self.assertEqual(self.read(before), "Aurelia Brandt")

    def test_a_refused_share_leaves_a_transaction_failed(self):
        with STACK.connect(options=options("nurse", self.nurse["user_token"], self.clerk["app_share"])) as connection:
            connection.execute("BEGIN")
            with self.assertRaises(psycopg.errors.InvalidAuthorizationSpecification):
                connection.execute(READ)
            with self.assertRaises(psycopg.errors.InFailedSqlTransaction):
                connection.execute("SELECT 1")
            connection.execute("ROLLBACK")


class Secrecy(unittest.TestCase):
    """Shares go to the proxy only."""

    def test_a_session_takes_shares_for_any_number_of_transactions(self):
        """Prepared and not, with protected statements and without, committed and failed: superseded values make room."""
        given = STACK.shares()
        for threshold in (1, None):
            with self.subTest(threshold=threshold), STACK.connect(options="", prepare_threshold=threshold) as connection:
                for turn in range(60):
                    with contextlib.suppress(psycopg.errors.DivisionByZero), connection.transaction():
                        for name, value in given.items():
                            connection.execute(f"SELECT set_config('pgveil.{name}', %s, true)", (value,))
                        if turn > 20:
                            self.assertEqual(connection.execute(READ).fetchone()[0], "Aurelia Brandt")
                        if turn % 3 == 0:
                            connection.execute("SELECT 1 / 0")
                with self.assertRaises(psycopg.errors.InvalidAuthorizationSpecification):
                    connection.execute(READ)

    def test_no_share_reaches_the_server_or_a_log(self):
        shares = STACK.shares("nurse")
        with STACK.connect(options=options(**shares)) as connection:
            connection.execute(READ)
            connection.execute(f"SET pgveil.user_token = '{shares['user_token']}'")
            connection.execute("SELECT set_config('pgveil.app_share', %s, false)", (shares["app_share"],))
            connection.execute(READ)
            with self.assertRaises(psycopg.errors.FeatureNotSupported):
                connection.execute("SELECT current_setting('pgveil.user_token')")
        for text in (STACK.server_log(), STACK.proxy_log()):
            self.assertNotIn(shares["user_token"][6:60], text)
            self.assertNotIn(shares["app_share"][6:40], text)

    def outcome(self, connection, sql, parameters=None):
        try:
            return connection.execute(sql, parameters).fetchone()
        except psycopg.Error as error:
            return error.sqlstate

    def test_a_name_that_comes_as_a_parameter_is_decided_with_its_value(self):
        shares = STACK.shares("nurse")
        with STACK.connect(options=options(**shares)) as connection:
            sql = "SELECT set_config(%s, %s, false)"
            self.assertEqual(self.outcome(connection, sql, ("work_mem", "3MB")), ("3MB",))
            for name in ("pgveil.app_share", "PgVeil.App-Share", "pgveil_verified.user_id", "pgveil.nothing"):
                self.assertEqual(self.outcome(connection, sql, (name, shares["app_share"])), "0A000", name)
            self.assertEqual(self.read(connection), "Aurelia Brandt")
        self.assertNotIn(shares["app_share"][6:40], STACK.server_log())
        self.assertIn("3MB", STACK.server_log())

    def test_a_name_from_pg_settings_is_never_one_of_ours(self):
        """What pg_dump asks for; what a custom parameter is called, the list does not say."""
        named = "SELECT set_config(name, %s, false) FROM pg_settings WHERE name LIKE '{}'"
        with STACK.connect() as connection:
            connection.execute("CREATE TEMP TABLE pg_settings AS SELECT 'pgveil_verified.user_id'::text AS name")
            literal = named.replace("%s", "'2MB'")
            self.assertEqual(self.outcome(connection, literal.format("work_mem")), ("2MB",))
            self.assertEqual(self.outcome(connection, "SHOW work_mem"), ("2MB",))
            self.assertIsNone(self.outcome(connection, literal.format("pgveil%")))
            self.assertEqual(self.outcome(connection, "SELECT count(*) FROM pg_catalog.pg_settings WHERE name ILIKE 'pgveil%'"), (0,))
            self.assertEqual(self.outcome(connection, "SELECT count(*) FROM pg_settings WHERE name ILIKE 'pgveil%'"), (1,))
            self.assertEqual(self.read(connection), "Aurelia Brandt")

    def test_other_ways_to_set_are_refused(self):
        with STACK.connect() as connection:
            for sql in ("ALTER ROLE app SET pgveil.user_id = 'x'", "ALTER DATABASE clinic SET pgveil.user_id = 'x'",
                        "ALTER SYSTEM SET pgveil.user_id = 'x'",
                        "CREATE FUNCTION f() RETURNS int LANGUAGE sql SET pgveil.user_id = 'x' AS 'SELECT 1'",
                        "DO $$ BEGIN PERFORM set_config('pgveil.user_id', 'x', false); END $$",
                        "DO $$ BEGIN EXECUTE 'SET pgveil.user_id = 1'; END $$",
                        "SELECT set_config('pgveil' || '.user_id', 'x', false)"):
                self.assertEqual(self.outcome(connection, sql), "0A000", sql)

    def read(self, connection):
        return connection.execute(READ).fetchone()[0]

    def test_the_servers_log_is_really_read(self):
        """Positive control of the one above."""
        with STACK.connect() as connection:
            connection.execute("SELECT 'a word that goes through'")
        wait_until(lambda: "a word that goes through" in STACK.server_log(), "the statement in the server's log")


class UserTool(unittest.TestCase):
    def test_exec_runs_a_client_with_shares(self):
        done = STACK.user_tool("exec", "--", "psql", "-X", "-At", STACK.url(), "-c", READ)
        self.assertEqual(succeeded(done).strip(), "Aurelia Brandt")
        self.assertEqual(STACK.user_tool("exec", "--", "sh", "-c", "exit 7").returncode, 7)
        self.assertNotEqual(psql(STACK.url(), "-c", READ).returncode, 0)


if __name__ == "__main__":
    unittest.main()
