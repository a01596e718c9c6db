"""The audit log: who did what with protected columns, without a value; its chain goes on over rotation and kill -9."""

import itertools
import json
import signal
import time
import unittest

import psycopg

import clinic
import operation
from fresh_proxy import FreshProxy
from stack import Stack, run, succeeded, wait_until

NAME = "Zerlina Auditquast"


def setUpModule():
    global STACK
    STACK = Stack.start()
    clinic.Clinic(STACK)
    operation.open_console(STACK)
    operation.write_settings(STACK, audit={"path": "audit", "rotate_bytes": 4096})
    STACK.restart_proxy()


def tearDownModule():
    STACK.stop()


def files():
    return sorted((STACK.dir / "audit").glob("audit-*.jsonl"))


def records():
    return [json.loads(line) for file in files() for line in file.read_text().splitlines()]


def pgveil(*arguments):
    return run([*STACK.as_owner(), STACK.dir / "bin" / "pgveil", "audit", *arguments, "--config", STACK.settings])


class AuditCase(unittest.TestCase):
    """Records are written behind the reply, so that those of the test before may still come: each test has an
    application name of its own."""

    names = itertools.count(1)

    def setUp(self):
        self.name = f"ward{next(self.names)}"

    def connect(self, options=None, **kwargs):
        return STACK.connect(options, application_name=self.name, **kwargs)

    def all(self, event, **wanted):
        """The records of this test that fit."""
        wanted = {"event": event, "application": self.name, **wanted}
        return [record for record in records() if all(record.get(key) == value for key, value in wanted.items())]

    def new(self, event, **wanted):
        """The first of them, as soon as it is there."""
        wait_until(lambda: self.all(event, **wanted), f"a record {event} {wanted}")
        return self.all(event, **wanted)[0]


class Records(AuditCase):
    def test_a_look_up_says_who_what_and_how_many(self):
        with self.connect(STACK.options("nurse")) as connection:
            rows = connection.execute("SELECT name FROM patients WHERE ssn = '120-44-7781'").fetchall()
        record = self.new("statement", result="ok")
        self.assertEqual((record["user"], record["role"], record["application"], record["database"]),
                         ("nurse", "app", self.name, "clinic"))
        self.assertEqual(sorted(record["columns"]), ["public.patients.name", "public.patients.ssn"])
        self.assertEqual(record["opened"], len(rows))
        self.assertRegex(record["statement"], "^[0-9a-f]{32}$")

    def test_look_ups_that_differ_in_their_constants_are_all_recorded_alike(self):
        with self.connect(STACK.options("nurse")) as connection:
            for ssn in ("120-44-7781", "nobody", "331-09-2210"):
                connection.execute(f"SELECT name FROM patients WHERE ssn = '{ssn}'")
                connection.execute("SELECT name FROM patients WHERE ssn = %s", (ssn,), prepare=True)
        wait_until(lambda: len(self.all("statement")) == 6, "six records")
        found = self.all("statement")
        self.assertEqual({tuple(sorted(record["columns"])) for record in found},
                         {("public.patients.name", "public.patients.ssn")})
        self.assertEqual([record.get("opened", 0) for record in found], [1, 1, 0, 0, 1, 1])
        self.assertEqual(len({record["statement"] for record in found}), 1)

    def test_changes_and_copies_are_counted(self):
        with self.connect(STACK.options("nurse"), autocommit=False) as connection:
            connection.execute("INSERT INTO patients (id, name, ssn) VALUES (9001, %s, '900-00-0001')", (NAME,))
            connection.execute("UPDATE patients SET name = %s WHERE id = 9001", (NAME + "!",))
            with connection.cursor().copy("COPY patients (id, name, ssn) FROM STDIN") as copy:
                copy.write_row((9002, NAME, "900-00-0002"))
                copy.write_row((9003, NAME, "900-00-0003"))
            with connection.cursor().copy("COPY patients (id, name) TO STDOUT") as copied:
                rows = sum(1 for _ in copied.rows())
            connection.rollback()
        self.assertGreater(rows, 3)
        self.assertEqual(sorted(self.new("statement", affected=1)["columns"]),
                         ["public.patients.name", "public.patients.ssn"])
        self.assertEqual(sorted(self.new("statement", affected=2)["columns"]),
                         ["public.patients.name", "public.patients.ssn"])
        self.assertEqual(self.new("statement", affected=rows)["opened"], rows)

    def test_an_error_of_the_server_is_the_result(self):
        with self.connect(STACK.options("nurse")) as connection, self.assertRaises(psycopg.errors.UniqueViolation):
            connection.execute("INSERT INTO patients SELECT * FROM patients")
        record = self.new("statement", result="23505")
        self.assertNotIn("user", record)  # envelopes moved unopened: no share was used

    def test_a_session_that_ends_before_its_answer_leaves_a_record(self):
        connection = self.connect(STACK.options("nurse"))
        connection.pgconn.send_query(b"SELECT pg_sleep(60), name FROM patients")
        wait_until(lambda: STACK.superuser("SELECT 1 FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(60)%'"),
                   "the statement to run")
        connection.close()
        self.new("statement", result="unanswered")

    def test_a_refused_statement_is_recorded_with_its_sqlstate(self):
        with self.connect() as connection, self.assertRaises(psycopg.errors.FeatureNotSupported):
            connection.execute(f"SELECT * FROM patients WHERE name LIKE '{NAME}%'")
        self.assertNotIn("user", self.new("refused", result="0A000"))

    def test_an_expired_token_is_recorded_with_who_was_claimed(self):
        with self.connect(STACK.options("nurse", valid_s=2)) as connection:
            time.sleep(3)
            with self.assertRaises(psycopg.Error):
                connection.execute("SELECT name FROM patients")
        self.assertEqual(self.new("refused", result="28000")["claimed"], "nurse")

    def test_calls_of_pgveils_own_functions_are_recorded(self):
        with self.connect() as connection:
            connection.execute("SELECT pgveil.token_key()")
            with self.assertRaises(psycopg.Error) as refused:
                connection.execute("SELECT pgveil.apply('no command')")
        self.assertEqual(self.new("call", what="token_key")["result"], "ok")
        self.assertEqual(self.new("call", what="apply")["result"], refused.exception.sqlstate)

    def test_what_touches_nothing_protected_is_not_recorded(self):
        with self.connect(STACK.options("nurse")) as connection:
            connection.execute("SELECT title FROM departments")
            connection.execute("SELECT name FROM patients WHERE id = 1")
        self.new("statement")
        self.assertEqual([record["columns"] for record in self.all("statement")], [["public.patients.name"]])


class Console(AuditCase):
    def test_show_audit_says_how_far_it_is_written(self):
        with self.connect(STACK.options("nurse")) as connection:
            connection.execute("SELECT name FROM patients")
        record = self.new("statement")
        facts = {row["key"]: row["value"] for row in operation.show(STACK, "AUDIT", role=operation.WATCHER)}
        self.assertEqual((facts["on"], facts["lost"]), ("yes", "0"))
        self.assertGreaterEqual(int(facts["last_record"]), record["n"])

    def test_who_changes_or_tries_to_change_the_proxy_is_recorded_and_who_looks_is_not(self):
        before = len(records())
        with operation.console(STACK) as console:
            console.execute("SHOW STATE")
            console.execute("RELOAD")
        with operation.console(STACK, operation.WATCHER) as console, self.assertRaises(psycopg.Error) as refused:
            console.execute("PAUSE")

        def of_console():
            return [(record["role"], record["what"], record["result"]) for record in records()[before:]
                    if record["event"] == "console"]
        wait_until(lambda: len(of_console()) >= 2, "both records")
        self.assertEqual(of_console(), [(operation.ADMIN, "RELOAD", "ok"),
                                        (operation.WATCHER, "PAUSE", refused.exception.sqlstate)])


class Bootstrap(unittest.TestCase):
    def test_every_step_of_the_bootstrap_is_recorded(self):
        proxy = FreshProxy(STACK, "taken")
        self.addCleanup(proxy.stop)
        settings = json.loads(proxy.settings.read_text())
        STACK.write(proxy.settings.name, json.dumps({**settings, "audit": {"path": "taken/audit"}}))
        proxy.order()
        proxy.start()
        succeeded(proxy.bootstrap())
        proxy.stop()
        lines = [json.loads(line) for file in (proxy.dir / "audit").iterdir() for line in file.read_text().splitlines()]
        steps = [line for line in lines if line["event"] == "bootstrap"]
        self.assertGreater(len(steps), 2)
        self.assertEqual({(line["role"], line["result"]) for line in steps}, {("bootstrap", "ok")})
        self.assertEqual(steps[-1]["what"], "confirm")


class Disk(AuditCase):
    def look_up(self, connection):
        return connection.execute("SELECT name FROM patients WHERE ssn = '120-44-7781'").fetchall()

    def test_what_cannot_be_recorded_is_refused_until_it_can(self):
        folder = STACK.dir / "audit"
        with self.connect(STACK.options("nurse")) as connection:
            self.look_up(connection)
            folder.chmod(0o500)  # no file can be begun when this one is full
            try:
                with self.assertRaises(psycopg.errors.IoError) as refused:
                    for _ in range(1000):
                        self.look_up(connection)
                self.assertIn("audit log", str(refused.exception))
                self.assertEqual(connection.execute("SELECT count(title) > 0 FROM departments").fetchall(), [(True,)])
                self.assertIn("Permission denied", self.failure())
            finally:
                folder.chmod(0o700)
            wait_until(lambda: self.failure() is None, "the log to be written again")
            self.assertEqual(len(self.look_up(connection)), 1)
        self.new("refused", result="58030")
        self.assertEqual([record for record in records() if record["event"] == "lost"], [])

    def failure(self):
        return {row["key"]: row["value"] for row in operation.show(STACK, "AUDIT", role=operation.WATCHER)}["failure"]


class Chain(AuditCase):
    def test_rotation_and_kill_9_leave_a_log_in_order_without_a_value_and_an_edit_is_located(self):
        with self.connect(STACK.options("nurse"), autocommit=True) as connection:
            look_up = "SELECT name FROM patients WHERE ssn = '120-44-7781'"
            wait_until(lambda: connection.execute(look_up) and len(files()) > 2, "rotation")
        STACK.stop_proxy(signal.SIGKILL)
        STACK.start_proxy()
        with self.connect(STACK.options("nurse")) as connection:
            connection.execute("SELECT name FROM patients")
        self.new("statement", result="ok")
        STACK.stop_proxy()
        try:
            done = pgveil("verify")
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            text = "".join(file.read_text() for file in files())
            self.assertIn("nurse", text)
            for value in ("120-44-7781", NAME, "Zerlina", "pgva", "pgvt"):
                self.assertNotIn(value, text)
            self.assertIn('"user":"nurse"', pgveil("export", "--user", "nurse").stdout)
            self.assertIn("with the share of nurse", pgveil("show").stdout)
            self.assertEqual(pgveil("export", "--until", "2001-01-01").stdout, "")
            kept = files()[1].read_text()
            files()[1].write_text(kept.replace('"opened":1', '"opened":0', 1))
            done = pgveil("verify")
            files()[1].write_text(kept)
            self.assertEqual(done.returncode, 1)
            self.assertRegex(done.stdout, rf"{files()[1].name}:\d+: edited")
        finally:
            STACK.start_proxy()


if __name__ == "__main__":
    unittest.main()
