"""A wrong configuration ends the start with one clear line and exit code 2; a bad reload keeps what was."""

import json
import re
import resource
import signal
import socket
import subprocess
import unittest

import clinic
from stack import CLINIC, ROOT, Stack, run, wait_until


def setUpModule():
    global STACK
    STACK = Stack.start()
    clinic.Clinic(STACK)


def tearDownModule():
    STACK.stop()


def without_comments(text):
    return re.sub(r"^\s*//.*$", "", text, flags=re.M)


class StartUp(unittest.TestCase):
    """Each test changes one thing of settings that work, and uses a port of its own. The stack's own pgveil is stopped
    meanwhile, because only one process may open the store."""

    @classmethod
    def setUpClass(cls):
        STACK.stop_proxy()

    @classmethod
    def tearDownClass(cls):
        STACK.start_proxy()

    def setUp(self):
        self.settings = json.loads(without_comments(STACK.settings.read_text()))
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.settings["listen"]["port"] = probe.getsockname()[1]

    def serve(self, settings=None, **how):
        path = STACK.write("changed.json", settings if isinstance(settings, str) else json.dumps(self.settings))
        return STACK.serve(path, **how)

    def assert_fails(self, done, *words):
        self.assertIsNotNone(done, "pgveil kept running")
        self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
        lines = done.stderr.strip().splitlines()
        self.assertEqual(len(lines), 1, done.stderr)
        for word in words:
            self.assertIn(word, lines[0])

    def test_the_unchanged_settings_start(self):
        """Positive control: what fails below fails for the changed thing."""
        self.assertIsNone(self.serve(seconds=4))

    def test_an_unknown_key(self):
        self.settings["listen"]["prot"] = 6543
        self.assert_fails(self.serve(), "changed.json", "prot")

    def test_a_wrong_type(self):
        self.settings["listen"]["port"] = "many"
        self.assert_fails(self.serve(), "changed.json", "port")

    def test_text_that_is_no_json(self):
        self.assert_fails(self.serve("{ \"tenant\": "), "changed.json")

    def test_a_missing_file(self):
        self.assert_fails(STACK.serve(STACK.dir / "nowhere.json"), "nowhere.json")

    def policy_fails(self, text, *words):
        self.settings["policy"] = str(STACK.write("changed-policy.json", text))
        self.assert_fails(self.serve(), "changed-policy.json", *words)

    def test_an_unknown_key_in_the_policy(self):
        self.policy_fails('{"tables": {"public.t": {"columns": {"c": {"type": "text", "serach": "equality"}}}}}', "serach")

    def test_an_unknown_type_in_the_policy(self):
        self.policy_fails('{"tables": {"public.t": {"columns": {"c": {"type": "texxt"}}}}}', "texxt")

    def test_a_type_that_cannot_be_ordered(self):
        self.policy_fails('{"tables": {"public.t": {"columns": {"c": {"type": "uuid", "search": "order"}}}}}', "order")

    def test_a_port_in_use(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            self.settings["listen"]["port"] = taken.getsockname()[1]
            self.assert_fails(self.serve(), str(taken.getsockname()[1]))

    def test_a_certificate_that_is_none(self):
        self.settings["listen"]["tls"]["certificate"] = str(STACK.write("bad.crt", "not a certificate\n"))
        self.assert_fails(self.serve(), "bad.crt")

    def test_a_certificate_of_another_key(self):
        self.settings["listen"]["tls"]["key"] = "tls/postgres.key"
        self.assert_fails(self.serve(), "postgres.key")

    def test_a_database_that_cannot_be_reached(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.settings["upstream"]["port"] = probe.getsockname()[1]
        self.assert_fails(self.serve(), str(self.settings["upstream"]["port"]))

    def test_a_database_with_the_certificate_of_somebody_else(self):
        run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
             "/CN=stranger", "-keyout", STACK.dir / "stranger.key", "-out", STACK.dir / "stranger.crt"])
        (STACK.dir / "stranger.crt").chmod(0o644)
        self.settings["upstream"]["tls"]["ca"] = "stranger.crt"
        self.assert_fails(self.serve(), "certificate")

    def test_a_password_of_its_own_role_that_is_wrong(self):
        self.settings["home"]["password_file"] = str(STACK.write("wrong.password", "wrong\n"))
        self.assert_fails(self.serve(), "pgveil")

    def test_a_users_file_with_a_broken_line(self):
        self.settings["users_file"] = str(STACK.write("broken-users.txt", '"app" "SCRAM-SHA-256$4096:x"\n'))
        self.assert_fails(self.serve(), "broken-users.txt")

    def test_a_seal_that_others_may_read(self):
        seal = STACK.dir / "store" / "seal.key"
        seal.chmod(0o644)
        try:
            self.assert_fails(self.serve(), "seal.key")
        finally:
            seal.chmod(0o600)

    def test_a_database_called_pgveil(self):
        STACK.superuser("CREATE DATABASE pgveil")
        try:
            self.assert_fails(self.serve(), "pgveil")
        finally:
            STACK.superuser("DROP DATABASE pgveil")

    def test_a_limit_of_locked_memory_that_is_too_small(self):
        path = STACK.write("changed.json", json.dumps({**self.settings, "memory": {"mode": "mlock"}}))
        command = [*STACK.as_owner(), STACK.dir / "bin" / "pgveil", "serve", "--config", path]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20,
                              preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_MEMLOCK, (65536, 65536)))
        self.assert_fails(done, "LimitMEMLOCK")

    def test_an_unknown_option_and_an_unknown_verb(self):
        program = STACK.dir / "bin" / "pgveil"
        for arguments in (["serve", "--confg", "x"], ["dance"], []):
            self.assertNotEqual(run([program, *arguments]).returncode, 0)
        self.assertEqual(run([program, "--help"]).returncode, 0)
        self.assertRegex(run([program, "--version"]).stdout, r"\d+\.\d+\.\d+")


class Reload(unittest.TestCase):
    """SIGHUP takes the new policy, or keeps the old one and says why."""

    def reload(self, policy, expected):
        seen = len(STACK.proxy_log())
        STACK.write("policy.json", policy)
        STACK.signal_proxy(signal.SIGHUP)
        wait_until(lambda: expected in STACK.proxy_log()[seen:], f"\"{expected}\" in pgveil's log")

    def tearDown(self):
        self.reload((CLINIC / "policy.json").read_text(), "reload")

    def read(self):
        with STACK.connect() as connection:
            return connection.execute("SELECT name FROM patients WHERE id = 1").fetchone()[0]

    def test_a_bad_policy_keeps_the_old_one(self):
        self.reload('{"tables": {"public.t": {"columns": {"c": {"type": "texxt"}}}}}', "texxt")
        self.assertEqual(self.read(), "Aurelia Brandt")

    def test_a_bad_settings_file_keeps_the_old_one(self):
        good = STACK.settings.read_text()
        seen = len(STACK.proxy_log())
        STACK.write("pgveil.json", "{")
        STACK.signal_proxy(signal.SIGHUP)
        wait_until(lambda: "pgveil.json" in STACK.proxy_log()[seen:], "the error in pgveil's log")
        self.assertEqual(self.read(), "Aurelia Brandt")
        STACK.write("pgveil.json", good)

    def test_a_good_policy_is_taken(self):
        """Positive control: a reload does change things."""
        policy = json.loads(without_comments((CLINIC / "policy.json").read_text()))
        policy["tables"]["public.fresh"] = {"columns": {"word": {"type": "text"}}}
        self.reload(json.dumps(policy), "reload")
        with STACK.connect() as connection:
            connection.execute("CREATE TABLE fresh (id integer PRIMARY KEY, word text)")
            connection.execute("INSERT INTO fresh VALUES (1, 'veiled')")
            self.assertEqual(connection.execute("SELECT word FROM fresh").fetchone()[0], "veiled")
        stored = STACK.superuser("SELECT word::bytea FROM fresh", "clinic")[0][0]
        self.assertNotIn(b"veiled", stored)


class Quickstart(unittest.TestCase):
    def test_mistakes_on_its_command_line(self):
        quickstart = ROOT / "scripts" / "quickstart"
        for arguments in (["--dance"], ["--dir"], ["--stop"], ["--policy", "/nowhere.json"]):
            self.assertEqual(run([quickstart, *arguments]).returncode, 2, arguments)
        self.assertEqual(run([quickstart, "--help"]).returncode, 0)


if __name__ == "__main__":
    unittest.main()
