"""Alarms: a planted value that is opened, and many values or shares in a short time that are wrong, are told to the log,
the metrics and a webhook; the user is locked where the settings say so."""

import http.server
import json
import threading
import time
import unittest
import urllib.request

import psycopg

import operation
from fresh_proxy import free_port
from stack import Stack, wait_until

PLANTED = "Xaver Quendel"
POISON = {"type": "text", "poison": [PLANTED]}
POLICY = {"tables": {"public.patients": {"columns": {
    "name": {"type": "varchar(80)", "poison": [PLANTED]}, "ssn": {"type": "text", "search": "equality"},
    "padded": {**POISON, "pad_to": 64}, "equal": {**POISON, "search": "equality"},
    "ordered": {**POISON, "search": "order"}}}}}
LOCK_S = 10
FAILED_OPENS = 5


class Receiver(http.server.ThreadingHTTPServer):
    """What another system gets."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Receiving)
        self.alarms = []
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Receiving(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.alarms.append((self.path, self.headers["Content-Type"], json.loads(body)))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


def setUpModule():
    global STACK, RECEIVER, METRICS
    RECEIVER = Receiver()
    STACK = Stack.start(POLICY)
    METRICS = free_port()
    operation.write_settings(
        STACK, http={"port": METRICS}, alarms={
            "webhook": f"http://127.0.0.1:{RECEIVER.server_port}/pgveil", "failed_opens": FAILED_OPENS, "window_s": 60,
            "lock_user_s": LOCK_S})
    STACK.restart_proxy()
    for user in ("doctor", "thief", "visitor"):
        STACK.add_user(user)
    with STACK.connect() as connection:
        connection.execute("CREATE TABLE patients (id int PRIMARY KEY, name varchar(80), ssn text, city text, padded text,"
                           " equal text, ordered text)")
        for number in range(10):
            connection.execute(f"INSERT INTO patients VALUES ({number}, 'Name {number}', 's{number}', 'Bonn', 'p', 'e', 'o')")
        connection.execute(f"INSERT INTO patients VALUES (100, '{PLANTED}', 's100', 'nowhere', '{PLANTED}', '{PLANTED}',"
                           f" '{PLANTED}')")


def tearDownModule():
    STACK.stop()
    RECEIVER.shutdown()
    RECEIVER.server_close()


def metrics():
    """{name with labels: value} of what begins with pgveil_alarms or pgveil_locked."""
    with urllib.request.urlopen(f"http://127.0.0.1:{METRICS}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    return {name: int(value) for name, value in (line.split(" ") for line in lines if line.startswith(
        ("pgveil_alarms", "pgveil_locked")))}


def copied(connection, column):
    with connection.cursor().copy(f"COPY patients ({column}) TO STDOUT") as copy:
        return list(copy)


def received(kind):
    return [alarm for _, _, alarm in RECEIVER.alarms if alarm["alarm"] == kind]


def raised(kind):
    return metrics()[f'pgveil_alarms_total{{kind="{kind}"}}']


class Alarms(unittest.TestCase):
    def assert_locked(self, user, options):
        """`options` were made before the alarm: making them takes a part of the lock's time."""
        with STACK.connect(options) as connection, self.assertRaises(
                psycopg.errors.InvalidAuthorizationSpecification) as caught:
            connection.execute("SELECT ssn FROM patients WHERE id = 1")
        self.assertIn(f'user "{user}" is locked after an alarm', str(caught.exception))

    def works(self, user):
        with STACK.connect(STACK.options(user)) as connection:
            return connection.execute("SELECT ssn FROM patients WHERE id = 1").fetchone() == ("s1",)

    def test_an_honest_query_raises_none(self):
        """Control: it opens every other row, and finds the planted one by what is not planted in it."""
        before = metrics()
        with STACK.connect(STACK.options("doctor")) as connection:
            self.assertEqual(len(connection.execute("SELECT * FROM patients WHERE city = 'Bonn'").fetchall()), 10)
            self.assertEqual(connection.execute("SELECT ssn FROM patients WHERE id = 100").fetchone(), ("s100",))
        after = metrics()
        for kind in ("poison", "failed_opens", "denied"):
            name = f'pgveil_alarms_total{{kind="{kind}"}}'
            self.assertEqual(after[name], before[name])

    def test_a_planted_value_is_not_shown_and_locks_the_user(self):
        for number, (column, read) in enumerate((
                ("name", lambda connection: connection.execute("SELECT name FROM patients").fetchall()),
                ("padded", lambda connection: connection.execute("SELECT padded FROM patients WHERE id >= %s", [0],
                                                                 binary=True).fetchall()),
                ("equal", lambda connection: copied(connection, "equal")),
                ("ordered", lambda connection: connection.execute("SELECT min(ordered) FROM patients").fetchall()))):
            user = f"thief{number}"
            with self.subTest(user):
                STACK.add_user(user)
                options = STACK.options(user)
                before = raised("poison")
                with STACK.connect(options, application_name="dump") as connection, self.assertRaises(
                        psycopg.Error) as caught:
                    read(connection)
                self.assertIn("is locked after an alarm", str(caught.exception))
                self.assertNotIn(PLANTED, str(caught.exception))
                self.assert_locked(user, options)
                wait_until(lambda: [alarm for alarm in received("poison") if alarm["user"] == user], "the webhook")
                (alarm,) = [alarm for alarm in received("poison") if alarm["user"] == user]
                self.assertEqual((alarm["column"], alarm["role"], alarm["database"], alarm["application"], alarm["tenant"]),
                                 (f"public.patients.{column}", "app", "clinic", "dump", "clinic"))
                self.assertIn("locked_until", alarm)
                self.assertEqual(raised("poison"), before + 1)
                self.assertRegex(STACK.proxy_log(), f"alarm: poison .*{user}")
                self.assertNotIn(PLANTED, STACK.proxy_log() + json.dumps(RECEIVER.alarms))
        self.assertTrue(self.works("doctor"), "nobody else is locked")

    def test_a_lock_ends(self):
        options = STACK.options("thief")
        with STACK.connect(options) as connection, self.assertRaises(psycopg.Error):
            connection.execute("SELECT name FROM patients")
        self.assertGreaterEqual(metrics()["pgveil_locked_users"], 1)
        self.assert_locked("thief", options)
        time.sleep(LOCK_S)
        self.assertTrue(self.works("thief"))

    def test_a_lock_outlasts_a_restart_and_an_admin_ends_it(self):
        operation.write_settings(STACK, alarms={**operation.settings_of(STACK)["alarms"], "lock_user_s": 3600})
        operation.open_console(STACK)
        self.addCleanup(operation.write_settings, STACK, alarms=operation.settings_of(STACK)["alarms"])
        STACK.add_user("resident")
        options = STACK.options("resident")
        with STACK.connect(options) as connection, self.assertRaises(psycopg.Error):
            connection.execute("SELECT name FROM patients")
        for restart in (False, True):
            with self.subTest(restart=restart):
                if restart:
                    STACK.restart_proxy()
                self.assert_locked("resident", options)
                self.assertEqual([row["user"] for row in operation.show(STACK, "LOCKS")], ["resident"])
        with operation.console(STACK) as connection:
            connection.execute("UNLOCK USER resident")
        self.assertEqual(operation.show(STACK, "LOCKS"), [])
        self.assertTrue(self.works("resident"))
        with operation.console(STACK, operation.WATCHER) as connection, self.assertRaises(psycopg.errors.InsufficientPrivilege):
            connection.execute("UNLOCK USER resident")

    def test_values_that_do_not_open(self):
        """Moved by somebody with a right on the table: under so many in the window nothing happens."""
        STACK.superuser("CREATE TABLE moved AS SELECT id, ssn FROM patients; UPDATE patients p SET ssn = m.ssn FROM (SELECT"
                        " id, overlay(ssn::bytea PLACING '\\x00' FROM 12)::pgveil.ciphertext AS ssn FROM moved) m"
                        " WHERE m.id = p.id AND p.id BETWEEN 2 AND 9", "clinic")
        self.addCleanup(STACK.superuser, "UPDATE patients p SET ssn = m.ssn FROM moved m WHERE m.id = p.id; DROP TABLE moved",
                        "clinic")
        before = raised("failed_opens")
        options = STACK.options("visitor")
        with STACK.connect(options) as connection:
            for number in range(FAILED_OPENS):
                self.assertEqual(raised("failed_opens"), before)
                with self.assertRaises(psycopg.errors.DataCorrupted):
                    connection.execute("SELECT ssn FROM patients WHERE id = %s", [number + 2])
        wait_until(lambda: received("failed_opens"), "the webhook")
        self.assertEqual([(alarm["user"], alarm["column"]) for alarm in received("failed_opens")],
                         [("visitor", "public.patients.ssn")])
        self.assertEqual(raised("failed_opens"), before + 1)
        self.assert_locked("visitor", options)

    def test_shares_that_give_no_key(self):
        """They lock nobody: whoever has none could lock everybody else."""
        wrong = STACK.options("doctor").replace("pgveil.user_id=doctor", "pgveil.user_id=nurse")
        self.assertNotEqual(wrong, STACK.options("doctor"))
        for _ in range(FAILED_OPENS):
            with STACK.connect(wrong) as connection, self.assertRaises(psycopg.errors.InvalidAuthorizationSpecification):
                connection.execute("SELECT ssn FROM patients")
        wait_until(lambda: received("denied"), "the webhook")
        self.assertEqual(received("denied")[0]["role"], "app")
        self.assertTrue(self.works("nurse"))
        self.assertTrue(self.works("doctor"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
