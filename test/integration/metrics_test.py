"""What monitoring sees: /metrics counts what was done and nothing else, /readyz says when sessions would fail, and nobody
who asks badly, or never finishes asking, holds up others."""

import contextlib
import http.client
import json
import os
import pathlib
import re
import signal
import socket
import unittest

import psycopg

import clinic
import logs
from stack import ROOT, Stack, is_alive, run, succeeded, wait_until

BOARD = ROOT / "docs" / "grafana.json"
PATIENCE = 60


def setUpModule():
    global STACK, PORT, SETTINGS
    STACK = Stack.start()
    clinic.Clinic(STACK)
    PORT = free_port()
    SETTINGS = json.loads(re.sub(r"^\s*//.*$", "", STACK.settings.read_text(), flags=re.M))
    STACK.stop_proxy()
    STACK.write("pgveil.json", json.dumps({**SETTINGS, "http": {"port": PORT}}))
    STACK.start_proxy()


def tearDownModule():
    STACK.stop()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def ask(path, method="GET"):
    """Status, headers and text of one answer."""
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=PATIENCE)
    with contextlib.closing(connection):
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode()


def status(path):
    return ask(path)[0]


def say(data):
    """What comes back for any bytes, until the proxy closes."""
    with socket.create_connection(("127.0.0.1", PORT), timeout=PATIENCE) as wire:
        wire.sendall(data)
        return b"".join(iter(lambda: wire.recv(65536), b""))


def samples():
    """{name with labels: value} of /metrics."""
    lines = ask("/metrics")[2].splitlines()
    pairs = [line.rsplit(" ", 1) for line in lines if not line.startswith("#")]
    return {name: float(value) for name, value in pairs}


@contextlib.contextmanager
def growth():
    """Filled at the end with what the counters have grown by meanwhile."""
    before, grown = samples(), {}
    yield grown
    for name, value in samples().items():
        if re.search(r"_(total|count|sum|bucket)(\{|$)", name):
            grown[name] = value - before.get(name, 0)


class Format(unittest.TestCase):
    """prometheus.io, "Exposition formats"."""

    def setUp(self):
        _, self.headers, self.text = ask("/metrics")

    def test_content_type(self):
        self.assertEqual(self.headers["Content-Type"], "text/plain; version=0.0.4; charset=utf-8")

    def test_families(self):
        family, kinds = None, {}
        for line in self.text.splitlines():
            if match := re.fullmatch(r"# HELP (\w+) \S.*", line):
                family = match[1]
                self.assertNotIn(family, kinds, "a family comes once")
            elif match := re.fullmatch(r"# TYPE (\w+) (counter|gauge|histogram)", line):
                self.assertEqual(match[1], family)
                kinds[family] = match[2]
            else:
                match = re.fullmatch(r'(\w+?)((?:_bucket|_sum|_count)?)(\{(?:\w+="[^"\\]*",?)+\})? [-+.e0-9]+', line)
                self.assertIsNotNone(match, line)
                base = match[1] if kinds[family] == "histogram" else match[1] + match[2]
                self.assertEqual(base, family, line)
        self.assertEqual({name for name, kind in kinds.items() if kind == "histogram"},
                         {f"pgveil_{what}_seconds" for what in ("parse", "key", "seal", "upstream", "open")})

    def test_histograms(self):
        found = samples()
        for name in [name for name in found if name.endswith("_seconds_count")]:
            base = name.removesuffix("_count")
            buckets = [value for key, value in found.items() if key.startswith(base + "_bucket")]
            self.assertEqual(buckets, sorted(buckets), base)
            self.assertEqual(buckets[-1], found[name], base)
            self.assertEqual(found[base + '_bucket{le="+Inf"}'], found[name])

    def test_every_series_of_the_board_is_there(self):
        families = set(re.findall(r"^# TYPE (\w+)", self.text, re.M))
        asked = [target["expr"] for panel in json.loads(BOARD.read_text())["panels"] for target in panel["targets"]]
        self.assertGreater(len(asked), 10)
        for expression in asked:
            names = re.findall(r"\b(?:pgveil|process)_\w+", expression)
            self.assertTrue(names, expression)
            for name in names:
                self.assertTrue(name in families or re.sub("_(bucket|sum|count)$", "", name) in families, name)

    def test_it_names_nobody_and_nothing(self):
        with STACK.connect() as connection:
            connection.execute("SELECT name FROM patients WHERE ssn = '120-44-7781'")
            with self.assertRaises(psycopg.Error):
                connection.execute("SELECT upper(name) FROM patients WHERE name = 'Aurelia Brandt'")
        text = ask("/metrics")[2]
        for word in [*logs.CLINIC, *STACK.shares().values(), "nurse", "patients", "clinic", "127.0.0.1"]:
            self.assertNotIn(word, text)


class Counting(unittest.TestCase):
    def setUp(self):
        wait_until(lambda: samples()["pgveil_pools_client_active_connections"] == 0, "earlier sessions to end", PATIENCE)
        self.connection = STACK.connect()
        self.addCleanup(self.connection.close)
        self.connection.execute("SELECT name FROM patients WHERE ssn = '331-09-2210'")

    def grown_by(self, sql, *arguments):
        with growth() as grown:
            cursor = self.connection.execute(sql, *arguments)
            self.rows = cursor.fetchall() if cursor.description else []
        return grown

    def assert_grown(self, grown, **expected):
        self.assertEqual({name: grown[f"pgveil_{name}"] for name in expected}, expected)

    def statements(self, grown):
        return {which: grown[f'pgveil_stats_queries_total{{protected="{which}"}}'] for which in ("no", "yes")}

    def test_nothing_grows_while_nothing_is_done(self):
        with growth() as grown:
            status("/healthz")
        self.assertEqual({name: value for name, value in grown.items() if value}, {})

    def test_a_protected_statement(self):
        grown = self.grown_by("SELECT id, name, born FROM patients WHERE ssn IN ('120-44-7781', '120-44-7782')")
        self.assertEqual(len(self.rows), 2)
        self.assert_grown(grown, values_sealed_total=2, values_opened_total=4, seal_seconds_count=1,
                          upstream_seconds_count=1, stats_sql_transactions_total=1)
        self.assertEqual(self.statements(grown), {"no": 0, "yes": 1})
        for name in ("key", "open"):
            self.assertGreaterEqual(grown[f"pgveil_{name}_seconds_count"], 1)
            self.assertGreater(grown[f"pgveil_{name}_seconds_sum"], 0)
        self.assertGreaterEqual(grown["pgveil_parse_seconds_count"], 1)

    def test_a_protected_statement_with_a_parameter(self):
        grown = self.grown_by("SELECT name FROM patients WHERE ssn = %s", ("120-44-7781",))
        self.assertEqual(len(self.rows), 1)
        self.assert_grown(grown, values_sealed_total=1, values_opened_total=1, upstream_seconds_count=1)
        self.assertEqual(self.statements(grown), {"no": 0, "yes": 1})

    def test_a_plain_statement(self):
        grown = self.grown_by("SELECT title FROM departments")
        self.assert_grown(grown, values_sealed_total=0, values_opened_total=0, key_seconds_count=0,
                          seal_seconds_count=0, open_seconds_count=0, upstream_seconds_count=1)
        self.assertEqual(self.statements(grown), {"no": 1, "yes": 0})

    def test_bytes_of_both_legs(self):
        self.connection.execute("SELECT repeat('x', 1)")  # looks the function up, which takes bytes, too
        grown = self.grown_by("SELECT repeat('x', 100000)")
        received, sent = "pgveil_stats_received_bytes_total", "pgveil_stats_sent_bytes_total"
        for series in (f'{received}{{leg="upstream"}}', f'{sent}{{leg="client"}}'):
            self.assertGreater(grown[series], 100_000)
            self.assertLess(grown[series], 110_000)
        for series in (f'{received}{{leg="client"}}', f'{sent}{{leg="upstream"}}'):
            self.assertGreater(grown[series], 0)
            self.assertLess(grown[series], 1_000)

    def test_transactions(self):
        with growth() as grown:
            for sql in ("BEGIN", "SELECT title FROM departments", "COMMIT", "SELECT 1; SELECT 2"):
                self.connection.execute(sql)
        self.assert_grown(grown, stats_sql_transactions_total=2, upstream_seconds_count=4)
        self.assertEqual(self.statements(grown), {"no": 5, "yes": 0})

    def test_a_plan_is_reused(self):
        grown = self.grown_by("SELECT 20221122")
        self.assert_grown(grown, plans_reused_total=0, parse_seconds_count=1)
        grown = self.grown_by("SELECT 20221122")
        self.assert_grown(grown, plans_reused_total=1, parse_seconds_count=0)

    def test_copy_in_both_directions(self):
        self.connection.execute("BEGIN")
        with growth() as grown, self.connection.cursor() as cursor:
            with cursor.copy("COPY patients (id, ssn, name) FROM STDIN") as copy:
                for number in range(100):
                    copy.write_row((8000 + number, f"copied {number}", f"person {number}"))
        self.assert_grown(grown, values_sealed_total=200, values_opened_total=0)
        self.assertGreaterEqual(grown["pgveil_seal_seconds_count"], 1)
        with growth() as grown, self.connection.cursor() as cursor:
            with cursor.copy("COPY (SELECT ssn, name FROM patients WHERE id >= 8000) TO STDOUT") as copy:
                rows = list(copy.rows())
        self.assertEqual(len(rows), 100)
        self.assert_grown(grown, values_sealed_total=0, values_opened_total=200)
        self.assertGreaterEqual(grown["pgveil_open_seconds_count"], 1)
        self.connection.execute("ROLLBACK")

    def test_refusals_by_sqlstate(self):
        with growth() as grown, self.assertRaises(psycopg.errors.FeatureNotSupported):
            self.connection.execute("SELECT upper(name) FROM patients")
        self.assertEqual(grown['pgveil_refusals_total{sqlstate="0A000"}'], 1)
        self.assertEqual(self.statements(grown), {"no": 0, "yes": 0})
        with STACK.connect(options="") as other, growth() as grown:
            with self.assertRaises(psycopg.errors.InvalidAuthorizationSpecification):
                other.execute("SELECT name FROM patients")
        self.assertEqual(grown['pgveil_refusals_total{sqlstate="28000"}'], 1)
        self.assertEqual(grown['pgveil_refusals_total{sqlstate="0A000"}'], 0)

    def test_an_error_of_the_server_is_no_refusal(self):
        with growth() as grown, self.assertRaises(psycopg.errors.DivisionByZero):
            self.connection.execute("SELECT 1 / 0")
        self.assertEqual([name for name, value in grown.items() if "refusals" in name and value], [])

    def test_logins(self):
        with growth() as grown:
            STACK.connect(options="").close()
        self.assert_grown(grown, sessions_total=1)
        self.assertEqual([name for name, value in grown.items() if "failed_logins" in name and value], [])
        with growth() as grown:
            with self.assertRaises(psycopg.OperationalError):
                psycopg.connect(re.sub(r"//app:[^@]*@", "//app:wrong@", STACK.url()))
            with self.assertRaises(psycopg.OperationalError):
                STACK.connect(options="", database="nowhere")
        self.assert_grown(grown, sessions_total=0)
        self.assertEqual(grown['pgveil_failed_logins_total{sqlstate="28P01"}'], 1)
        self.assertEqual(grown['pgveil_failed_logins_total{sqlstate="3D000"}'], 1)
        with growth() as grown, self.assertRaises(psycopg.OperationalError):  # who may not use the console
            STACK.connect(options="", database="pgveil")
        self.assertEqual(grown['pgveil_failed_logins_total{sqlstate="28000"}'], 1)

    def test_cancels(self):
        with growth() as grown:
            self.connection.cancel()
        self.assert_grown(grown, cancels_total=1)

    def test_open_sessions(self):
        name = "pgveil_pools_client_active_connections"
        before = samples()[name]
        with STACK.connect(options=""):
            self.assertEqual(samples()[name], before + 1)
        wait_until(lambda: samples()[name] == before, "the session to end", PATIENCE)


class Asking(unittest.TestCase):
    def test_head(self):
        code, headers, text = ask("/metrics", "HEAD")
        self.assertEqual((code, text), (200, ""))
        self.assertGreater(int(headers["Content-Length"]), 1000)

    def test_another_path(self):
        self.assertEqual([status(path) for path in ("/", "/metrics/", "/admin")], [404, 404, 404])

    def test_another_method(self):
        for method in ("POST", "PUT", "DELETE", "OPTIONS"):
            code, headers, _ = ask("/metrics", method)
            self.assertEqual((code, headers["Allow"]), (405, "GET, HEAD"))

    def test_what_is_no_request(self):
        for data in (b"hello\r\n\r\n", b"GET /metrics HTTP/9.9\r\n\r\n", b"\x16\x03\x01\r\n\r\n", b"\0" * 100):
            self.assertEqual(say(data).split(b"\r\n")[0], b"HTTP/1.1 400 Bad Request", data)

    def test_a_head_without_end(self):
        said = say(b"GET /metrics HTTP/1.1\r\nX: " + b"x" * 20_000)
        self.assertEqual(said.split(b"\r\n")[0], b"HTTP/1.1 431 Request Header Fields Too Large")

    def test_slow_clients_hold_nobody_up(self):
        with contextlib.ExitStack() as slow:
            for _ in range(200):
                wire = slow.enter_context(socket.create_connection(("127.0.0.1", PORT), timeout=PATIENCE))
                wire.sendall(b"GET /metrics HTTP/1.1\r\nX: ")
            self.assertEqual([status("/healthz"), status("/metrics"), status("/readyz")], [200, 200, 200])
            with STACK.connect() as connection:
                self.assertEqual(connection.execute("SELECT count(*) FROM patients").fetchone(), (6,))

    def test_a_client_that_never_finishes_is_closed(self):
        self.assertEqual(say(b"GET /metrics HTTP/1.1\r\nX: "), b"")


class Health(unittest.TestCase):
    def assert_ready_again(self):
        wait_until(lambda: status("/readyz") == 200, "the proxy to be ready", PATIENCE)

    def assert_not_ready(self, word):
        wait_until(lambda: status("/readyz") == 503, "the proxy not to be ready", PATIENCE)
        self.assertRegex(ask("/readyz")[2], word)
        self.assertEqual([status("/healthz"), status("/metrics")], [200, 200])

    def test_ready(self):
        """Positive control of what follows."""
        self.assertEqual(ask("/readyz")[::2], (200, "upstream: ok\nstore: ok\nproxy: ok\n"))
        self.assertEqual(ask("/healthz")[::2], (200, "ok\n"))

    def test_the_server_is_stopped_and_comes_back(self):
        self.assert_ready_again()
        programs = pathlib.Path((STACK.dir / "postgres" / "postmaster.opts").read_text().split()[0]).parent
        STACK.stop_server()
        self.assert_not_ready("upstream: .*could not reach")
        succeeded(run([*STACK.as_owner(), programs / "pg_ctl", "-D", STACK.dir / "postgres", "-l",
                       STACK.dir / "log" / "postgresql.log", "-w", "-t", PATIENCE, "start"]))
        self.assert_ready_again()

    def test_the_server_answers_nothing(self):
        self.assert_ready_again()
        server = int((STACK.dir / "postgres" / "postmaster.pid").read_text().split()[0])
        self.addCleanup(self.assert_ready_again)
        self.addCleanup(os.kill, server, signal.SIGCONT)
        os.kill(server, signal.SIGSTOP)
        self.assert_not_ready("upstream: (?!ok)")

    def test_the_proxy_drains(self):
        self.assert_ready_again()
        pid = STACK.proxy_pid
        with STACK.connect(options="") as connection:
            connection.execute("BEGIN")
            STACK.signal_proxy(signal.SIGTERM)
            self.assert_not_ready("proxy: it drains")
            self.assertEqual(samples()["pgveil_draining"], 1)
            with contextlib.suppress(psycopg.Error):  # the session ends with its transaction
                connection.execute("ROLLBACK")
        wait_until(lambda: not is_alive(pid), "pgveil to end", PATIENCE)
        STACK.start_proxy()
        self.assert_ready_again()
        self.assertEqual(samples()["pgveil_draining"], 0)


class StartUp(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        STACK.stop_proxy()

    @classmethod
    def tearDownClass(cls):
        STACK.start_proxy()

    def serve(self, more, **how):
        changed = {**SETTINGS, **more, "listen": {**SETTINGS["listen"], "port": free_port()}}
        return STACK.serve(STACK.write("changed.json", json.dumps(changed)), **how)

    def test_a_port_that_is_taken(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            done = self.serve({"http": {"port": port}})
        self.assertIsNotNone(done, "pgveil kept running")
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)
        self.assertIn(f"cannot listen on 127.0.0.1:{port}", done.stderr)

    def test_without_the_setting_nothing_listens(self):
        with self.assertRaises(ConnectionRefusedError):
            status("/healthz")
        self.assertIn("metrics and health on 127.0.0.1:", STACK.proxy_log(), "positive control")
        size = len(STACK.proxy_log())
        STACK.write("pgveil.json", json.dumps(SETTINGS))
        try:
            STACK.start_proxy()
            with self.assertRaises(ConnectionRefusedError):
                status("/healthz")
            self.assertNotIn("metrics and health on", STACK.proxy_log()[size:])
        finally:
            STACK.write("pgveil.json", json.dumps({**SETTINGS, "http": {"port": PORT}}))
            STACK.stop_proxy()


if __name__ == "__main__":
    unittest.main()
