"""Two pgveil on one share store in PostgreSQL are one proxy: a withdrawal at one counts at the other before max_age_ms is over, tokens
are first used and counted across both, a store that was put back is noticed, and one goes on when the other is killed."""

import json
import socket
import time
import unittest

import psycopg

import operation
from cluster import DATABASE, MAX_AGE_S, ClusterProxy, StoreCopy
from fresh_proxy import free_port
from stack import Stack, run, succeeded, wait_until

PLANTED = "Xaver Quendel"
POLICY = {"tables": {"public.members": {"columns": {"name": {"type": "text"}, "note": {"type": "text", "poison": [PLANTED]}}}}}
READ = "SELECT name FROM members WHERE id = 1"
REFUSED = psycopg.errors.InvalidAuthorizationSpecification


def setUpModule():
    global STACK, LEFT, RIGHT
    STACK = Stack.start(POLICY)
    second_login()
    operation.write_settings(STACK, alarms={"lock_user_s": 600})
    operation.open_console(STACK)
    LEFT = ClusterProxy(STACK, "left")
    LEFT.order()
    LEFT.start()
    succeeded(LEFT.bootstrap())
    succeeded(LEFT.user("add", "dora"))
    RIGHT = LEFT.another("right")
    RIGHT.start()
    with LEFT.connect(LEFT.options("dora")) as connection:
        connection.execute("CREATE TABLE members (id int PRIMARY KEY, name text, note text)")
        connection.execute(f"INSERT INTO members VALUES (1, 'Ann', NULL), (2, 'nobody', '{PLANTED}')")


def tearDownModule():
    for proxy in (LEFT, RIGHT):
        proxy.stop()
    STACK.stop()


def second_login():
    STACK.superuser("CREATE ROLE second LOGIN PASSWORD 'second'; GRANT app TO second")
    STACK.write("secrets/second.password", "second\n")
    secret = STACK.superuser("SELECT rolpassword FROM pg_authid WHERE rolname = 'second'")[0][0]
    STACK.write("users.txt", (STACK.dir / "users.txt").read_text() + f'"second" "{secret}"\n')


def options(*scope, name="dora"):
    return succeeded(run([*STACK.as_owner(), STACK.dir / "bin" / "pgveil-user", "options", "--key",
                          LEFT.users / f"{name}.user", "--app-share", LEFT.users / f"{name}.app", "--from", RIGHT.url(),
                          "--valid", 300, *scope])).strip()


class Case(unittest.TestCase):
    def session(self, proxy, shares, role="app"):
        connection = psycopg.connect(proxy.url(role), options=shares, autocommit=True, connect_timeout=20)
        self.addCleanup(connection.close)
        return connection

    def reads(self, connection):
        self.assertEqual(connection.execute(READ).fetchone(), ("Ann",))

    def refusal(self, connection):
        with self.assertRaises(psycopg.OperationalError) as refused:
            connection.execute(READ)
        return str(refused.exception)


class OneProxy(Case):
    def test_who_is_withdrawn_at_one_is_refused_by_the_other_before_max_age_is_over(self):
        succeeded(LEFT.user("add", "guest"))
        shares = options(name="guest")
        guests = [self.session(proxy, shares) for proxy in (LEFT, RIGHT)]
        others = [self.session(proxy, options()) for proxy in (LEFT, RIGHT)]
        for connection in guests + others:
            self.reads(connection)
        succeeded(LEFT.user("withdraw", "guest"))
        self.assertIn("withdrawn", self.refusal(guests[0]))
        time.sleep(MAX_AGE_S)  # from here on it is refused, if only because the store is not heard
        self.refusal(guests[1])
        wait_until(lambda: "withdrawn" in self.refusal(guests[1]), "the other proxy to know why")
        for connection in others:
            self.reads(connection)

    def test_what_one_has_added_the_other_serves_and_takes_commands_of(self):
        succeeded(RIGHT.tenant("user", "add", "late", "--out", LEFT.users, "--no-passphrase", "--apply", RIGHT.url()))
        shares = options(name="late")
        connection = self.session(LEFT, shares)
        wait_until(lambda: self.is_served(connection), "the first proxy to know the user")
        succeeded(LEFT.tenant("user", "change-key", "late", "--out", LEFT.dir / "fresh", "--no-passphrase", "--apply", LEFT.url()))
        connection = self.session(RIGHT, shares)
        wait_until(lambda: not self.is_served(connection), "the other proxy to know of the change")

    @staticmethod
    def is_served(connection):
        try:
            return connection.execute(READ).fetchone() == ("Ann",)
        except psycopg.OperationalError:
            return False

    def test_both_keep_the_store_key_that_was_renewed_last(self):
        keys = [proxy.dir / "store" / "seal.key" for proxy in (LEFT, RIGHT)]
        before = keys[1].read_bytes()
        succeeded(LEFT.user("add", "gone"))
        succeeded(LEFT.user("withdraw", "gone"))
        wait_until(lambda: keys[0].read_bytes() == keys[1].read_bytes() != before, "the new key at the other proxy")
        self.reads(self.session(RIGHT, options()))


class Locks(Case):
    """An alarm locks a user at the share store."""

    @staticmethod
    def console(proxy, command):
        with psycopg.connect(proxy.url(operation.ADMIN, "pgveil"), autocommit=True, connect_timeout=20) as connection:
            done = connection.execute(command)
            return done.fetchall() if done.description else []

    def test_a_user_locked_at_one_is_locked_at_all_also_after_a_restart_until_somebody_unlocks(self):
        succeeded(LEFT.user("add", "thief"))
        wait_until(lambda: OneProxy.is_served(self.session(RIGHT, options(name="thief"))), "the other proxy to know the user")
        shares = options(name="thief")
        thieves = [self.session(proxy, shares) for proxy in (LEFT, RIGHT)]
        honest = self.session(RIGHT, options())
        for connection in [*thieves, honest]:
            self.reads(connection)
        with self.assertRaises(psycopg.OperationalError):
            thieves[0].execute("SELECT note FROM members")
        self.assertIn("locked after an alarm", self.refusal(thieves[0]))
        time.sleep(MAX_AGE_S)
        self.refusal(thieves[1])
        wait_until(lambda: "locked after an alarm" in self.refusal(thieves[1]), "the other proxy to know of the lock")
        self.reads(honest)
        self.assertEqual([row[0] for row in self.console(RIGHT, "SHOW LOCKS")], ["thief"])
        RIGHT.stop()
        RIGHT.start()
        self.assertIn("locked after an alarm", self.refusal(self.session(RIGHT, shares)))
        self.console(RIGHT, "UNLOCK USER thief")
        self.reads(self.session(RIGHT, shares))
        wait_until(lambda: OneProxy.is_served(thieves[0]), "the first proxy to know that the lock has ended")
        self.assertEqual(self.console(LEFT, "SHOW LOCKS"), [])


class Tokens(Case):
    def test_uses_are_counted_across_both(self):
        shares = options("--uses", 2)
        self.reads(self.session(LEFT, shares))
        self.reads(self.session(RIGHT, shares))
        for proxy in (LEFT, RIGHT):
            self.assertIn("2 sessions", self.refusal(self.session(proxy, shares)))

    def test_statements_are_counted_across_both(self):
        shares = options("--statements", 40)
        sessions = [self.session(proxy, shares) for proxy in (LEFT, RIGHT)]
        for at in range(40):
            self.reads(sessions[at % 2])
        for connection in sessions:
            self.assertIn("40 statements", self.refusal(connection))

    def test_a_token_that_one_login_has_used_is_refused_to_another_at_the_other_proxy(self):
        shares = options()
        self.reads(self.session(LEFT, shares))
        self.assertIn("another database login", self.refusal(self.session(RIGHT, shares, "second")))
        self.reads(self.session(RIGHT, shares))
        self.reads(self.session(RIGHT, options(), "second"))


class PutBack(Case):
    """The store's own operator puts an older copy back."""

    def setUp(self):
        self.reads(self.session(LEFT, options()))
        RIGHT.stop()

    def tearDown(self):
        if not RIGHT.is_running():
            RIGHT.start()

    def starts(self):
        with self.subTest("control: it starts"):
            RIGHT.start()
            self.reads(self.session(RIGHT, options()))
            RIGHT.stop()

    def refuses_to_start(self, *words):
        done = STACK.serve(RIGHT.settings)
        self.assertIsNotNone(done, "it kept running")
        self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)

    def test_an_older_store_is_refused_by_those_who_run_and_at_the_start(self):
        older = StoreCopy(STACK, "older")
        succeeded(LEFT.user("add", "newer"))
        newer = StoreCopy(STACK, "newer")
        self.starts()
        shares = LEFT.options("dora")
        running = self.session(LEFT, shares)
        self.reads(running)
        older.put_back()
        self.refuses_to_start("put back to an older state", "--accept-older")
        wait_until(lambda: not OneProxy.is_served(running), "the running proxy to refuse the older store")
        self.assertIn("older state", self.refusal(running))
        newer.put_back()
        wait_until(lambda: OneProxy.is_served(running), "the newer store to be served again")
        self.starts()

    def test_a_row_that_was_altered_is_noticed(self):
        whole = StoreCopy(STACK, "whole")
        STACK.superuser("UPDATE pgveil_store.sealed_row_1 SET tab = 'users' WHERE ctid = (SELECT ctid FROM "
                        "pgveil_store.sealed_row_1 WHERE tab = 'user' LIMIT 1)", DATABASE)
        self.refuses_to_start("the share store")
        whole.put_back()
        self.starts()


class WithoutTheStore(Case):
    def test_nothing_is_served_until_it_answers_again(self):
        session = self.session(LEFT, options())
        self.reads(session)
        STACK.superuser(f"ALTER ROLE {DATABASE} NOLOGIN")
        try:
            STACK.superuser(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{DATABASE}'")
            wait_until(lambda: not OneProxy.is_served(session), "the proxy to miss the store")
            with self.assertRaisesRegex(psycopg.errors.IoError, "not heard from the share store"):  # 58030: try again
                session.execute(READ)
        finally:
            STACK.superuser(f"ALTER ROLE {DATABASE} LOGIN")
        wait_until(lambda: OneProxy.is_served(session), "the proxy to serve again")


    def test_a_start_ends_at_once_and_says_what_is_missing(self):
        """systemd tries again every few seconds, as with the database."""
        RIGHT.stop()
        settings = RIGHT.settings.read_text()
        silent = socket.create_server(("127.0.0.1", 0))
        try:
            for port, why in ((free_port(), "Connection refused"), (silent.getsockname()[1], "timeout expired")):
                changed = json.loads(settings)
                changed["store"]["hosts"][0]["port"] = port
                STACK.write(RIGHT.settings.name, json.dumps(changed))
                done = STACK.serve(RIGHT.settings)
                self.assertIsNotNone(done, "it kept running")
                self.assertEqual(done.returncode, 2, done.stderr)
                for word in (f"the share store localhost:{port}/{DATABASE} cannot be used", why, "start its server"):
                    self.assertIn(word, done.stderr)
        finally:
            silent.close()
            STACK.write(RIGHT.settings.name, settings)
            RIGHT.start()
        self.reads(self.session(RIGHT, options()))


class OneIsKilled(Case):
    def test_the_other_goes_on_and_takes_commands_until_it_is_back(self):
        session = self.session(RIGHT, options())
        self.reads(session)
        LEFT.kill()
        try:
            self.reads(session)
            self.reads(self.session(RIGHT, options()))
            succeeded(RIGHT.tenant("user", "add", "meanwhile", "--out", LEFT.users, "--no-passphrase", "--apply", RIGHT.url()))
        finally:
            LEFT.start()
        self.reads(self.session(LEFT, options(name="meanwhile")))


if __name__ == "__main__":
    unittest.main()
