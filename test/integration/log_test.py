"""The log: as text or JSON, with ids, never with a constant, a parameter or a share; slow statements with placeholders."""

import json
import re
import signal
import unittest

import psycopg

import clinic
from stack import Stack, wait_until

TEXT_LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} (error|warning|info|debug) \S.*")


def setUpModule():
    global STACK
    STACK = Stack.start()
    clinic.Clinic(STACK)


def tearDownModule():
    STACK.stop()


class LogCase(unittest.TestCase):
    """Each test reads what its own settings wrote."""

    def setUp(self):
        kept = STACK.settings.read_text()
        self.addCleanup(self.use, kept)
        self.kept = kept
        self.mark = len(STACK.proxy_log())

    def use(self, text):
        STACK.write("pgveil.json", text)
        self.mark = len(STACK.proxy_log())
        STACK.signal_proxy(signal.SIGHUP)
        wait_until(lambda: "reloaded" in self.written(), "the reload")
        self.mark = len(STACK.proxy_log())

    def changed(self, **log):
        return re.sub(r'"log": \{.*\}', f'"log": {json.dumps(log)}', self.kept)

    def set_log(self, **log):
        self.use(self.changed(**log))

    def written(self):
        return STACK.proxy_log()[self.mark:]

    def lines_when(self, part):
        wait_until(lambda: part in self.written(), f"\"{part}\" in the log")
        return self.written().splitlines()

    def refused(self):
        with STACK.connect() as connection, self.assertRaises(psycopg.errors.FeatureNotSupported):
            connection.execute("SELECT * FROM patients WHERE name LIKE 'Zerlina Quast%'")


class Formats(LogCase):
    def test_text(self):
        self.refused()
        for line in self.lines_when("disconnected"):
            self.assertRegex(line, TEXT_LINE)
        self.assertRegex(self.written(), r"info s\d+-\d+ refused with 0A000\n")
        self.assertRegex(self.written(), r"info s\d+ app@clinic 127\.0\.0\.1:\d+: connected to localhost:\d+, process \d+\n")

    def test_json(self):
        self.set_log(level="debug", format="json")
        self.refused()
        lines = [json.loads(line) for line in self.lines_when("disconnected")]
        for line in lines:
            self.assertRegex(line["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
            self.assertIn(line["level"], ("error", "warning", "info", "debug"))
        (refusal,) = [line for line in lines if "sqlstate" in line]
        self.assertEqual(refusal["sqlstate"], "0A000")
        session, _, number = refusal["request"].partition("-")
        self.assertTrue(number.isdigit())
        connected = [line for line in lines if line.get("event") == "connected"]
        self.assertTrue(all(line["server"].startswith("localhost:") and line["process"] > 0 for line in connected))
        self.assertIn((session, "app", "clinic"), [(line["session"], line["user"], line["database"]) for line in connected])

    def test_the_request_id_is_the_one_in_the_servers_log(self):
        STACK.mark_server_log()
        self.refused()
        request = re.search(r"info (s\d+-\d+) refused", "\n".join(self.lines_when("refused"))).group(1)
        wait_until(lambda: f"pgveil:refused:{request}" in STACK.server_log_since_mark(), "the marker in the server's log")

    def test_sessions_that_come_and_go_are_switched_apart(self):
        for switch, left_out, written in (("connections", "connected to", "disconnected"), ("disconnections", "disconnected", "connected to")):
            self.set_log(level="info", **{switch: False})
            self.refused()
            lines = "\n".join(self.lines_when(written))
            self.assertNotIn(left_out, lines)

    def test_level(self):
        """From the start on: a reload to this level would not say that it is done."""
        STACK.write("pgveil.json", self.changed(level="warn"))
        STACK.restart_proxy()
        self.mark = len(STACK.proxy_log())
        self.refused()
        self.assertEqual(self.written(), "")


class SlowStatements(LogCase):
    """A pause in the statement itself makes it slow."""

    def setUp(self):
        super().setUp()
        self.set_log(level="info", slow_statement_ms=20)

    def slow(self):
        """Lines about statements of this test; on a busy machine others may be slow, too."""
        wait_until(lambda: "pg_sleep" in self.written(), "a slow statement in the log")
        return [line for line in self.written().splitlines() if "pg_sleep" in line]

    def test_a_query_of_a_protected_table(self):
        with STACK.connect() as connection:
            connection.pgconn.exec_(b"SELECT name, pg_sleep(0.05) FROM patients WHERE ssn = '120-44-7781' -- Zerlina Quast")
            (line,) = self.slow()
        self.assertRegex(line, r"warning s\d+-\d+ app@clinic took \d+ ms: "
                               r"SELECT name, pg_sleep\(\$1\) FROM patients WHERE ssn = \$2$")

    def test_an_execute_with_parameters(self):
        with STACK.connect() as connection:
            connection.execute("SELECT name, pg_sleep(0.05) FROM patients WHERE ssn = %s", ("120-44-7781",))
            (line,) = self.slow()
        self.assertTrue(line.endswith("SELECT name, pg_sleep($2) FROM patients WHERE ssn = $1"), line)

    def test_as_json(self):
        self.set_log(format="json", slow_statement_ms=20)
        with STACK.connect() as connection:
            connection.execute("SELECT pg_sleep(0.05)")
            (line,) = self.slow()
        entry = json.loads(line)
        self.assertEqual(entry["statement"], "SELECT pg_sleep($1)")
        self.assertGreaterEqual(entry["duration_ms"], 20)
        self.assertTrue(entry["request"].startswith(entry["session"] + "-"))

    def test_one_that_failed(self):
        with STACK.connect() as connection:
            connection.execute("SET statement_timeout = '60ms'")
            with self.assertRaises(psycopg.errors.QueryCanceled):
                connection.execute("SELECT pg_sleep(20) AS \"Zerlina Quast\"")
            (line,) = self.slow()
        self.assertRegex(line, r"failed after \d+ ms: SELECT pg_sleep\(\$1\) AS \"\.\.\.\"$")

    def test_control_nothing_is_logged_where_the_setting_is_0(self):
        self.set_log(level="info", slow_statement_ms=0)
        with STACK.connect() as connection:
            connection.execute("SELECT pg_sleep(0.05)")
        self.assertNotIn(" ms: ", "\n".join(self.lines_when("disconnected")))


class NothingOfTheUsers(LogCase):
    """Every kind of statement, at the lowest level and with every statement slow: no constant, no parameter, no share."""

    SECRETS = ("Zerlina Quast", "Quast", "811-22-3344", "8112233447", "pgvt1.", "pgva1.")

    STATEMENTS = (
        "INSERT INTO patients (id, name, ssn) VALUES (8112233447, 'Zerlina Quast', '811-22-3344')",
        "SELECT $q$Zerlina Quast$q$, E'Zerlina\\x20Quast', 8112233447, pg_sleep(0.03)",
        "SELECT 'a\\', pg_sleep(0.03), 'Zerlina Quast'",
        "SELECT \"Zerlina Quast\", pg_sleep(0.03)",
        "SELECT pg_sleep(0.03) AS x /* Zerlina Quast */; SELECT nothing FROM nowhere WHERE a = 'Zerlina Quast'",
        "SELECT pg_sleep(0.03), 'Zerlina Quast",
        "COPY patients (name) FROM STDIN",
        "DO $$ BEGIN PERFORM pg_sleep(0.03), 'Zerlina Quast'; END $$",
        "SELECT * FROM patients WHERE name > 'Zerlina Quast'",
        "BEGIN; SELECT pg_sleep(0.03); UPDATE patients SET name = 'Zerlina Quast' WHERE ssn = '811-22-3344'; ROLLBACK",
    )

    @staticmethod
    def send(pgconn, sql):
        if pgconn.exec_(sql.encode()).status == psycopg.pq.ExecStatus.COPY_IN:
            pgconn.put_copy_end(b"no")
            while pgconn.get_result():
                pass

    def test_whatever_is_sent(self):
        for form in ("text", "json"):
            self.set_log(level="debug", format=form, slow_statement_ms=1)
            with STACK.connect() as connection:
                for sql in self.STATEMENTS:
                    self.send(connection.pgconn, sql)
                shares = STACK.shares()
                for name, value in shares.items():
                    self.send(connection.pgconn, f"SELECT pg_sleep(0.03); SET pgveil.{name} = '{value}'")
                    self.send(connection.pgconn, f"SELECT pg_sleep(0.03), '{value}'")
                with self.assertRaises(psycopg.Error):
                    connection.execute("SELECT pg_sleep(0.03), %s::int", ("Zerlina Quast",))
            written = "\n".join(self.lines_when("disconnected"))
            self.assertIn(" ms: SELECT pg_sleep($1)", written, "positive control: slow statements were logged")
            for secret in (*self.SECRETS, *(value for name, value in shares.items() if name != "user_id")):
                self.assertNotIn(secret, written)


if __name__ == "__main__":
    unittest.main()
