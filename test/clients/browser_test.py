"""The sample web application (clients/sample) in a headless Chromium, whose page makes the tokens itself (clients/browser).

doctor has the key group of the patients' names, porter has not. Everything between browser and application is recorded.
Ends with 77, which CTest reports as skipped, where node, chromium or chromedriver is missing.
"""

import base64
import json
import pathlib
import shutil
import socket
import subprocess
import sys
import threading
import unittest
import urllib.error
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "integration"))
import psycopg
from stack import ROOT, Stack, run, succeeded, wait_until
from webdriver import Chromium

SKIPPED = 77
POLICY = {"tables": {"public.patients": {"columns": {"name": {"type": "text", "group": "medical"}}}}}
ROWS = ["Zelda Quartz, ER", "Oskar Ødegård, ICU"]
PASSPHRASE = "the doctor's own passphrase"


class Recorder:
    """Passes connections on to a port, and keeps every byte of both directions."""

    def __init__(self, port):
        self.target = port
        self.bytes = bytearray()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.carry, args=(client,), daemon=True).start()

    def carry(self, client):
        with client, socket.create_connection(("127.0.0.1", self.target)) as server:
            back = threading.Thread(target=self.pump, args=(server, client), daemon=True)
            back.start()
            self.pump(client, server)
            back.join()

    def pump(self, source, sink):
        try:
            while part := source.recv(65536):
                self.bytes += part
                sink.sendall(part)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass


def setUpModule():
    global STACK, APP, LOG, RECORDER
    STACK = Stack.start(POLICY)
    STACK.never_logged = ["Zelda Quartz", "Oskar Ødegård", PASSPHRASE]
    passphrase = STACK.write("secrets/doctor.passphrase", PASSPHRASE + "\n")
    succeeded(STACK.tenant_tool("user", "add", "doctor", "--group", "default", "--group", "medical", "--user-passphrase-file",
                                passphrase, "--out", STACK.dir / "users", "--apply", STACK.url()))
    STACK.add_user("porter")
    with STACK.connect(STACK.options("doctor")) as doctor:
        doctor.execute("CREATE TABLE patients (id int PRIMARY KEY, name text, ward text)")
        for number, row in enumerate(ROWS):
            doctor.execute("INSERT INTO patients VALUES (%s, %s, %s)", (number, *row.split(", ")))
    LOG = STACK.dir / "log" / "sample.log"
    with open(LOG, "wb") as log:
        APP = subprocess.Popen(
            ["/usr/bin/python3", "-B", ROOT / "clients" / "sample" / "app.py", "--port", "0", "--database", STACK.url(),
             "--app-shares", STACK.dir / "users"], stdout=subprocess.PIPE, stderr=log, stdin=subprocess.DEVNULL, text=True)
    RECORDER = Recorder(int(APP.stdout.readline().strip().rstrip("/").rsplit(":", 1)[1]))


def tearDownModule():
    APP.terminate()
    APP.wait(timeout=30)
    APP.stdout.close()
    RECORDER.listener.close()
    STACK.stop()


def files_of(user):
    return STACK.dir / "users" / f"{user}.user", STACK.dir / "secrets" / f"{user}.passphrase"


def by_module(program, user, *more):
    return succeeded(run(["node", HERE / "browser" / program, *files_of(user), *more])).strip()


def ask(path, **headers):
    """Status and body of a request to the application, by whom nothing is made."""
    request = urllib.request.Request(f"http://127.0.0.1:{RECORDER.port}{path}",
                                     headers={name.replace("_", "-"): value for name, value in headers.items()})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def forms(secret):
    """The texts in which bytes would travel: as they are, hexadecimal, and base64 wherever they stand in it."""
    encoded = {secret, secret.hex().encode(), secret.hex().upper().encode()}
    for before in range(3):
        text = base64.b64encode(b"\0" * before + secret)[4 if before else 0:-4]
        encoded |= {text, text.translate(bytes.maketrans(b"+/", b"-_"))}
    return encoded


class InABrowser(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.page = Chromium(STACK.dir / "chromium").__enter__()
        cls.addClassCleanup(cls.page.__exit__)

    def open_as(self, user, passphrase=None):
        """What the page says once it has asked for the patients."""
        file, passphrase_file = files_of(user)
        self.page.open(f"http://127.0.0.1:{RECORDER.port}/")
        self.page.type("#file", str(file))
        self.page.type("#passphrase", passphrase or passphrase_file.read_text().strip())
        self.page.click("#submit")
        return self.outcome()

    def outcome(self):
        wait_until(lambda: self.page.text("#state") not in ("closed", "working"), "the page")
        return self.page.text("#state")

    def test_rows_stand_in_clear_in_the_page_of_who_has_the_key(self):
        self.assertEqual(self.open_as("doctor"), "2 patients")
        self.assertEqual(self.page.text("#patients").splitlines(), ROWS)
        self.page.click("#again")
        self.assertEqual(self.outcome(), "2 patients")
        stored = STACK.superuser("SELECT name::text FROM patients", "clinic")
        self.assertFalse(any("Quartz" in name for (name,) in stored))
        self.assert_nothing_left_the_page()

    def assert_nothing_left_the_page(self):
        recorded, logged = bytes(RECORDER.bytes), LOG.read_bytes()
        self.assertIn(b"Pgveil-User: doctor\r\n", recorded)
        self.assertIn(b"Pgveil-User-Share: pgvt1.", recorded)
        self.assertIn("Zelda Quartz".encode(), recorded)
        self.assertIn(b"GET /patients", logged)
        file = files_of("doctor")[0].read_bytes()
        secrets = [PASSPHRASE.encode(), base64.urlsafe_b64decode(file.split(b"key: ")[1].strip() + b"==")]
        secrets += [bytes.fromhex(part) for part in json.loads(by_module("parts.mjs", "doctor"))]
        self.assertEqual(len(secrets), 4, "passphrase, sealed key, and TKu of two groups")
        for secret in secrets:
            for form in forms(secret):
                self.assertNotIn(form, recorded)
                self.assertNotIn(form, logged)
        self.assertNotIn(b"pgvt1.", logged)
        self.assertNotIn(b"pgva1.", recorded + logged)

    def test_who_lacks_the_key_group_sees_nothing(self):
        self.assertRegex(self.open_as("porter"), "^403: .*medical")
        self.assertEqual(self.page.text("#patients"), "")

    def test_a_wrong_passphrase_asks_nobody(self):
        before = RECORDER.bytes.count(b"GET /token-key") + RECORDER.bytes.count(b"GET /patients")
        self.assertRegex(self.open_as("doctor", "another"), "the passphrase is wrong, or the file was altered")
        self.assertEqual(RECORDER.bytes.count(b"GET /token-key") + RECORDER.bytes.count(b"GET /patients"), before)

    def test_the_headers_go_to_no_other_origin(self):
        """The same bytes under another name are another origin; the page's own policy would stop it, too."""
        self.page.open(f"http://127.0.0.1:{RECORDER.port}/")
        script = """const {withShares} = await import("/pgveil/pgveil.js");
            const key = {userId: "nurse", makeToken: async () => ({text: "pgvt1.mark", expires: 9e9, keyExpires: 9e9})};
            const ask = withShares(key, {statement: async () => ""});
            return ask(arguments[0]).then((answer) => answer.status, (error) => error.name)"""
        self.assertEqual(self.page.run(script, "/patients"), 401)
        self.assertEqual(RECORDER.bytes.count(b"pgvt1.mark"), 1)
        self.assertEqual(self.page.run(script, f"http://localhost:{RECORDER.port}/patients"), "TypeError")
        self.assertEqual(RECORDER.bytes.count(b"pgvt1.mark"), 1)


class ByTheModulesTokens(unittest.TestCase):
    def setUp(self):
        status, self.statement = ask("/token-key")
        self.assertEqual(status, 200)
        self.token = by_module("token.mjs", "doctor", self.statement)

    def test_the_proxy_opens_a_token_of_the_module_and_no_altered_one(self):
        for token, expected in ((self.token, None), (self.token[:60] + ("B" if self.token[60] == "A" else "A") + self.token[61:], "28000")):
            share = (STACK.dir / "users" / "doctor.app").read_text().strip()
            options = f"-c pgveil.user_id=doctor -c pgveil.user_token={token} -c pgveil.app_share={share}"
            with STACK.connect(options) as connection:
                try:
                    rows = connection.execute("SELECT name FROM patients ORDER BY id").fetchall()
                    self.assertEqual((rows[0][0], expected), ("Zelda Quartz", None))
                except psycopg.Error as error:
                    self.assertEqual(error.sqlstate, expected)

    def test_the_application_gives_rows_for_the_tokens_own_user_only(self):
        """Also over one connection: the next request has nothing of the last one's."""
        porters = by_module("token.mjs", "porter", self.statement)
        doctor = {"Pgveil_User": "doctor", "Pgveil_User_Share": self.token}
        for headers, expected in ((doctor, 200), ({**doctor, "Pgveil_User": "porter"}, 401), ({**doctor, "Pgveil_User_Share": porters}, 401),
                                  ({}, 401), ({"Pgveil_User": "doctor"}, 401), ({**doctor, "Pgveil_User": "../doctor"}, 401),
                                  ({**doctor, "Pgveil_User": "stranger"}, 403), (doctor, 200)):
            status, body = ask("/patients", **headers)
            self.assertEqual((status, "Zelda" in body), (expected, expected == 200), (headers, body))


if __name__ == "__main__":
    missing = [program for program in ("node", "chromium", "chromedriver") if not shutil.which(program)]
    if missing:
        print(f"skipped: {', '.join(missing)} missing; scripts/packages clients installs Chromium")
        sys.exit(SKIPPED)
    unittest.main()
