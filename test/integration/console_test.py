"""The admin console: database pgveil, with psql and psycopg. What it shows, who may ask, and that no secret is shown."""

import signal
import threading
import unittest

import psycopg

import clinic
import operation
from operation import ADMIN, WATCHER
from stack import Stack, psql, wait_until

TOPICS = ["STATS", "SESSIONS", "USERS", "COLUMNS", "KEYS", "CONFIG", "VERSION", "STATE", "HELP"]
ACTIONS = ["RELOAD", "PAUSE", "RESUME", "LOCK", "UNLOCK", "SHUTDOWN", "SHUTDOWN WAIT_FOR_CLIENTS", "EXPLAIN VEIL SELECT 1",
           "KILL_CLIENT s1"]


def setUpModule():
    global STACK
    STACK = Stack.start()
    clinic.Clinic(STACK)
    operation.open_console(STACK)


def tearDownModule():
    STACK.stop()


class Show(unittest.TestCase):
    def test_every_topic_in_psql(self):
        url = STACK.url("proxy", ADMIN, "pgveil")
        for topic in TOPICS:
            done = psql(url, "-c", f"show {topic.lower()};")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertRegex(done.stdout, r"\(\d+ rows?\)")

    def test_every_topic_in_both_protocols_and_formats(self):
        with operation.console(STACK, WATCHER) as connection:
            for topic in ["USERS", "COLUMNS", "KEYS", "CONFIG", "VERSION", "HELP"]:
                simple = connection.execute(f"SHOW {topic}").fetchall()
                self.assertTrue(simple, topic)
                with connection.cursor(binary=True) as cursor:
                    self.assertEqual(cursor.execute(f"SHOW {topic}").fetchall(), simple)
                prepared = connection.execute(f"SHOW {topic}", prepare=True).fetchall()
                self.assertEqual(prepared, simple)

    def test_version(self):
        self.assertRegex(operation.command(STACK, "SHOW VERSION"), r"^pgveil \d+\.\d+\.\d+\n$")

    def test_sessions_show_who_does_what(self):
        with STACK.connect(application_name="looked at") as connection:
            connection.execute("BEGIN")
            connection.execute("SELECT name FROM patients WHERE id = 1")
            pid = connection.info.backend_pid
            (row,) = operation.sessions(STACK, remote_pid=pid)
            self.assertEqual((row["user"], row["database"]), ("app", "clinic"))
            self.assertEqual(row["state"], "idle in transaction")
            self.assertEqual(row["veil_user"], "nurse")
            self.assertEqual(row["server"], f"localhost:{STACK.pg_port}")
            self.assertRegex(row["address"], r"^127\.0\.0\.1:\d+$")
            self.assertRegex(row["tls"], r"^TLSv1\.[23]$")
            self.assertEqual((row["query_count"], row["xact_count"]), (2, 0))
            self.assertGreater(row["received"], 0)
            self.assertGreater(row["sent"], 0)
            connection.execute("COMMIT")
            (row,) = operation.sessions(STACK, remote_pid=pid)
            self.assertEqual((row["state"], row["query_count"], row["xact_count"]), ("idle", 3, 1))
        wait_until(lambda: not operation.sessions(STACK, remote_pid=pid), "the session to go")

    def test_stats_count_requests_and_transactions(self):
        def totals():
            return next(row for row in operation.show(STACK, "STATS") if row["database"] == "clinic")

        with STACK.connect() as connection:
            before = totals()
            for _ in range(3):
                connection.execute("SELECT count(*) FROM patients")
            after = totals()
        self.assertEqual(after["total_query_count"] - before["total_query_count"], 3)
        self.assertEqual(after["total_xact_count"] - before["total_xact_count"], 3)
        self.assertGreater(after["total_received"], before["total_received"])
        self.assertGreater(after["total_sent"], before["total_sent"])
        self.assertGreater(after["total_query_time"], before["total_query_time"])
        # What a session did stays counted when it has gone.
        wait_until(lambda: totals()["sessions"] < after["sessions"], "the session to go")
        self.assertGreaterEqual(totals()["total_query_count"], after["total_query_count"])

    def test_users_with_their_rights(self):
        rights = {row["name"]: row["rights"] for row in operation.show(STACK, "USERS")}
        self.assertEqual(rights, {"app": "client", ADMIN: "admin", WATCHER: "stats"})

    def test_columns_of_the_policy(self):
        rows = {(row["table"], row["column"]): row for row in operation.show(STACK, "COLUMNS")}
        self.assertEqual(rows["public.patients", "ssn"]["scheme"], "equality")
        self.assertNotIn(("public.departments", "title"), rows)

    def test_keys(self):
        rows = operation.show(STACK, "KEYS")
        self.assertIn(("default", "live"), [(row["group"], row["state"]) for row in rows])

    def test_state(self):
        state = operation.state(STACK)
        self.assertEqual((state["active"], state["paused"], state["draining"]), ("yes", "no", "no"))
        self.assertEqual((state["bootstrap"], state["keyring_mirror_read"]), ("closed", "yes"))
        self.assertEqual(state["active_users"], "2")

    def test_config(self):
        rows = {row["key"]: row for row in operation.show(STACK, "CONFIG")}
        self.assertEqual(rows["listen.port"]["value"], str(STACK.proxy_port))
        self.assertEqual((rows["listen.port"]["default"], rows["listen.port"]["changeable"]), ("6543", "no"))
        self.assertEqual(rows["admin_users"]["value"], ADMIN)


class Secrets(unittest.TestCase):
    def test_nothing_shown_is_secret(self):
        shares = STACK.shares()
        secrets = [shares["user_token"], shares["app_share"], (STACK.dir / "secrets" / "pgveil.password").read_text().strip(),
                   "SCRAM-SHA-256$", (STACK.dir / "store" / "seal.key").read_bytes().hex()]
        with STACK.connect() as connection:
            connection.execute("SELECT name FROM patients WHERE ssn = '120-44-7781'")
            shown = "".join(operation.command(STACK, f"SHOW {topic}") for topic in TOPICS)
        for secret in [*secrets, "120-44-7781", "Aurelia"]:
            self.assertNotIn(secret, shown)
        for control in ("secrets/pgveil.password", "nurse", "public.patients", "seal.key"):
            self.assertIn(control, shown)


class Rights(unittest.TestCase):
    def test_stats_users_may_only_show(self):
        for topic in TOPICS:
            operation.show(STACK, topic, WATCHER)
        for action in ACTIONS:
            self.assertEqual(operation.fails(STACK, action, WATCHER)[0], "42501", action)
        self.assertEqual(operation.state(STACK)["active"], "yes")

    def test_in_the_extended_protocol_too(self):
        with operation.console(STACK, WATCHER) as connection, connection.cursor(binary=True) as cursor:
            for action in ACTIONS:
                with self.assertRaises(psycopg.errors.InsufficientPrivilege):
                    cursor.execute(action)

    def test_others_may_not_even_log_in(self):
        done = psql(STACK.url("proxy", "app", "pgveil"), "-c", "SHOW VERSION")
        self.assertEqual(done.returncode, 2)
        self.assertIn("may not use the admin console", done.stderr)

    def test_a_wrong_password(self):
        url = STACK.url("proxy", ADMIN, "pgveil").replace("passwordof", "wrong")
        done = psql(url, "-c", "SHOW VERSION")
        self.assertEqual(done.returncode, 2)
        self.assertIn(f'password authentication failed for user "{ADMIN}"', done.stderr)

    def test_a_reload_takes_a_right_away_from_an_open_session(self):
        with operation.console(STACK, WATCHER) as connection:
            connection.execute("SHOW VERSION")
            operation.write_settings(STACK, stats_users=[])
            operation.command(STACK, "RELOAD")
            try:
                with self.assertRaises(psycopg.errors.InsufficientPrivilege):
                    connection.execute("SHOW VERSION")
            finally:
                operation.write_settings(STACK, stats_users=[WATCHER])
                operation.command(STACK, "RELOAD")
            connection.execute("SHOW VERSION")


class Commands(unittest.TestCase):
    def test_what_it_does_not_know_is_an_error_and_the_session_goes_on(self):
        with operation.console(STACK) as connection:
            for text in ("SELECT 1", "SHOW tables", "BEGIN", "SHOW AUDITS"):
                with self.assertRaises((psycopg.errors.SyntaxError, psycopg.errors.FeatureNotSupported)):
                    connection.execute(text)
            self.assertEqual(len(connection.execute("SHOW VERSION").fetchall()), 1)

    def test_parameters_are_refused(self):
        with operation.console(STACK) as connection:
            with self.assertRaises(psycopg.errors.ProtocolViolation):
                connection.execute("SHOW VERSION -- %s", ["x"])
            connection.execute("SHOW VERSION")

    def test_explain(self):
        said = operation.command(STACK, "EXPLAIN VEIL (DATABASE clinic) SELECT name FROM patients WHERE ssn = 'x'")
        self.assertIn("on database clinic", said)
        self.assertIn("ssn", said)
        refused = operation.command(STACK, "EXPLAIN VEIL (DATABASE clinic) SELECT upper(name) FROM patients")
        self.assertIn("refused", refused)

    def test_explain_of_a_database_that_does_not_exist(self):
        state, message = operation.fails(STACK, "EXPLAIN VEIL (DATABASE nowhere) SELECT 1")
        self.assertEqual(state, "08006")
        self.assertIn("nowhere", message)


class Kill(unittest.TestCase):
    def test_a_session_is_told_and_its_statement_cancelled_and_others_go_on(self):
        with STACK.connect() as victim, STACK.connect() as other, operation.console(STACK, ADMIN) as admin:
            (row,) = operation.sessions(STACK, remote_pid=victim.info.backend_pid)
            ended = []

            def sleep():
                try:
                    victim.execute("SELECT pg_sleep(60), 'to be killed'")
                except psycopg.Error as error:
                    ended.append(error)

            thread = threading.Thread(target=sleep)
            thread.start()
            wait_until(lambda: self.running(), "the statement to run")
            admin.execute(f"KILL_CLIENT {row['id']}")
            thread.join(30)
            self.assertIn("terminating connection due to administrator command", str(ended[0]))
            wait_until(lambda: not self.running(), "the server to have cancelled it", 20)
            self.assertEqual(other.execute("SELECT 7").fetchone()[0], 7)
            with self.assertRaises(psycopg.errors.UndefinedObject):
                admin.execute(f"KILL_CLIENT {row['id']}")

    def running(self):
        return STACK.superuser("SELECT pid FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid() "
                               "AND query LIKE '%to be killed%'")


class Lock(unittest.TestCase):
    """Behind a file seal. seal_custodians_test has the others."""

    READ = "SELECT name FROM patients"

    def setUp(self):
        self.connection = STACK.connect()
        self.addCleanup(self.connection.close)
        self.assertEqual(len(self.connection.execute(self.READ).fetchall()), 6)

    def lock(self):
        done = operation.tell_lock(STACK, "lock")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("is locked", done.stdout)

    def assert_locked(self):
        with self.assertRaises(psycopg.Error) as refused:
            self.connection.execute(self.READ)
        self.assertEqual(refused.exception.sqlstate, "58030")
        self.assertIn("this proxy is locked", str(refused.exception))
        self.assertEqual(operation.state(STACK)["locked"], "yes")

    def test_it_holds_over_a_reload_and_ends_by_unlock(self):
        self.lock()
        self.assert_locked()
        self.assertEqual(self.connection.execute("SELECT count(*) FROM departments").fetchone()[0] > 0, True)
        operation.command(STACK, "RELOAD")
        self.assert_locked()
        self.lock()  # again is no error
        done = operation.tell_lock(STACK, "unlock", "--user", ADMIN)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("is unlocked; a file seal opens without anybody's help", done.stdout)
        self.assertEqual(operation.state(STACK)["locked"], "no")
        self.assertEqual(len(self.connection.execute(self.READ).fetchall()), 6)
        for line in ("locked: the store key", "unlocked: the store key is in the file"):
            self.assertIn(line, STACK.proxy_log())

    def test_it_ends_with_the_process(self):
        self.lock()
        STACK.restart_proxy()
        self.assertEqual(operation.state(STACK)["locked"], "no")
        with STACK.connect() as connection:
            self.assertEqual(len(connection.execute(self.READ).fetchall()), 6)

    def test_who_may_not_changes_nothing(self):
        done = operation.tell_lock(STACK, "lock", "--user", "nobody")
        self.assertEqual(done.returncode, 1)
        self.assertIn("nothing was locked", done.stderr)
        self.assertEqual(len(self.connection.execute(self.READ).fetchall()), 6)


class Pause(unittest.TestCase):
    def tearDown(self):
        if operation.state(STACK)["paused"] == "yes":
            operation.command(STACK, "RESUME")

    def in_thread(self, work):
        """Runs work() in a thread; its results come into the list that is returned."""
        results = []
        thread = threading.Thread(target=lambda: results.append(work()))
        thread.start()
        self.addCleanup(thread.join, 30)
        return thread, results

    def test_the_next_statement_waits_for_resume(self):
        with STACK.connect() as connection:
            pid = connection.info.backend_pid
            connection.execute("SELECT 1")
            operation.command(STACK, "PAUSE")
            thread, results = self.in_thread(lambda: connection.execute("SELECT count(*) FROM patients").fetchone())
            operation.wait_for_session(STACK, "the session to be held", remote_pid=pid, state="paused")
            self.assertEqual(operation.state(STACK)["paused"], "yes")
            self.assertEqual(STACK.superuser(f"SELECT query FROM pg_stat_activity WHERE pid = {pid}"), [("SELECT 1",)])
            self.assertEqual(results, [])
            operation.command(STACK, "RESUME")
            thread.join(30)
            self.assertEqual(results, [(6,)])

    def test_signals_do_the_same(self):
        """Those of pgbouncer; unhandled they would end the process."""
        with STACK.connect() as connection:
            pid = connection.info.backend_pid
            for _ in range(2):
                STACK.signal_proxy(signal.SIGUSR1)
                STACK.signal_proxy(signal.SIGUSR1)
                wait_until(lambda: operation.state(STACK)["paused"] == "yes", "the pause to begin")
                thread, results = self.in_thread(lambda: connection.execute("SELECT count(*) FROM patients").fetchone())
                operation.wait_for_session(STACK, "the session to be held", remote_pid=pid, state="paused")
                thread.join(0.5)
                self.assertEqual(results, [])
                STACK.signal_proxy(signal.SIGUSR2)
                thread.join(30)
                self.assertEqual(results, [(6,)])
        self.assertEqual(operation.state(STACK)["paused"], "no")

    def test_it_waits_for_open_transactions(self):
        with STACK.connect() as connection:
            connection.execute("BEGIN")
            pause, results = self.in_thread(lambda: operation.command(STACK, "PAUSE"))
            wait_until(lambda: operation.state(STACK)["paused"] == "yes", "PAUSE to begin")
            self.assertEqual(connection.execute("SELECT count(*) FROM patients").fetchone(), (6,))
            self.assertEqual(results, [])
            connection.execute("COMMIT")
            pause.join(30)
            self.assertEqual(results, ["PAUSE\n"])

    def test_a_login_waits_too(self):
        options = STACK.options()  # asks the proxy itself
        operation.command(STACK, "PAUSE")

        def log_in():
            with STACK.connect(options) as connection:
                return connection.execute("SELECT 7").fetchone()

        thread, results = self.in_thread(log_in)
        thread.join(1)
        self.assertEqual(results, [])
        operation.command(STACK, "RESUME")
        thread.join(30)
        self.assertEqual(results, [(7,)])

    def test_twice_is_an_error(self):
        self.assertEqual(operation.fails(STACK, "RESUME")[0], "55000")
        operation.command(STACK, "PAUSE")
        self.assertEqual(operation.fails(STACK, "PAUSE")[0], "55000")


if __name__ == "__main__":
    unittest.main()
