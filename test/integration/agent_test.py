"""pgveil-agent: an application with a plain connection string works on protected tables, for as long as it likes."""

import contextlib
import http.client
import json
import pathlib
import signal
import socket
import threading
import time
import unittest
from contextlib import closing

import psycopg

from agents import Agent, WebAgent
from middle import Middle
from stack import Stack, succeeded, wait_until
from web_application import Application
from wire import Wire

SCHEMA = ["CREATE TABLE people (id int4 PRIMARY KEY, name text, ssn text)",
          "INSERT INTO people VALUES (1, 'Ada', '111-11'), (2, 'Bob', '222-22')"]
POLICY = {"tables": {"public.people": {"columns": {
    "name": {"type": "text"}, "ssn": {"type": "text", "search": "equality"}}}}}
FIND = "SELECT name FROM people WHERE ssn = '111-11'"
FOUND = [("Ada",)]


def setUpModule():
    global STACK, AGENT
    STACK = Stack.start(POLICY)
    AGENT = Agent(STACK, tokens={"valid_s": 60}).__enter__()
    with AGENT.connect() as connection:
        for statement in SCHEMA:
            connection.execute(statement)


def tearDownModule():
    AGENT.__exit__()
    STACK.stop()


class PlainConnections(unittest.TestCase):
    def test_the_first_session_and_a_later_one_read_what_is_sealed(self):
        with AGENT.connect() as connection:
            self.assertEqual(connection.execute(FIND).fetchall(), FOUND)
        stored = STACK.superuser("SELECT name::text FROM people", "clinic")
        self.assertFalse(any("Ada" in name for (name,) in stored))

    def test_without_the_agent_the_same_connection_is_refused(self):
        with STACK.connect(options="") as connection, self.assertRaises(psycopg.errors.InvalidAuthorizationSpecification):
            connection.execute(FIND)

    def test_a_wrong_password_is_the_proxys_to_refuse(self):
        with self.assertRaisesRegex(psycopg.OperationalError, "password authentication failed"):
            psycopg.connect(AGENT.url().replace("app:", "app:not"))

    def test_a_role_that_is_not_named_is_refused(self):
        with self.assertRaisesRegex(psycopg.OperationalError, "no user for role \"postgres\""):
            AGENT.connect("postgres")

    def test_shares_of_the_clients_own_are_refused(self):
        with self.assertRaisesRegex(psycopg.OperationalError, "Leave every pgveil. parameter out"):
            AGENT.connect(options="-c pgveil.user_id=clerk")

    def test_a_client_that_wants_tls_is_told_that_there_is_none(self):
        with self.assertRaisesRegex(psycopg.OperationalError, "does not support SSL"):
            AGENT.connect(sslmode="require")

    def test_a_statement_is_cancelled(self):
        with AGENT.connect() as connection:
            cancel = threading.Timer(0.5, connection.cancel)
            cancel.start()
            with self.assertRaises(psycopg.errors.QueryCanceled):
                connection.execute("SELECT pg_sleep(60)")
            cancel.join()  # the server signals twice: before this returns, but maybe behind its answer
            self.assertEqual(connection.execute(FIND).fetchall(), FOUND)

    def test_pools_may_reset_a_session(self):
        with AGENT.connect() as connection:
            for reset in ("DISCARD ALL", "RESET ALL", "RESET pgveil.user_token", "BEGIN", FIND, "ROLLBACK"):
                connection.execute(reset)
                self.assertEqual(connection.execute(FIND).fetchall(), FOUND, reset)

    def test_another_proxy_than_the_pinned_one_gets_nothing(self):
        """PostgreSQL itself, by a certificate of the same authority: it gets neither token nor app share."""
        with Agent(STACK, upstream={**AGENT.settings["upstream"], "port": STACK.pg_port}) as agent:
            STACK.mark_server_log()
            with self.assertRaisesRegex(psycopg.OperationalError, "gives this server no shares"):
                agent.connect().execute("SELECT 1")
            self.assertNotIn("pgva1.", STACK.server_log_since_mark())


class BoundTokens(unittest.TestCase):
    """"channel": true: the agent's tokens are good on its own TLS connection."""

    def answers(self, channel, **upstream):
        more = {"upstream": {**AGENT.settings["upstream"], **upstream}} if upstream else {}
        with Agent(STACK, tokens={"channel": channel}, **more) as agent, closing(agent.connect()) as app:
            with closing(agent.connect()) as later:
                return app.execute(FIND).fetchall() + later.execute(FIND).fetchall()

    def test_on_its_own_connection_they_are_good(self):
        self.assertEqual(self.answers(True), FOUND * 2)

    def test_behind_somebody_who_ends_tls_with_the_proxys_own_certificate_they_are_not(self):
        tls = STACK.dir / "tls"
        with Middle(STACK.proxy_port, tls / "pgveil.crt", tls / "pgveil.key") as middle:
            self.assertEqual(self.answers(False, port=middle.port), FOUND * 2)  # control: any other token is
            with self.assertRaisesRegex(psycopg.errors.InvalidAuthorizationSpecification, "one TLS connection"):
                self.answers(True, port=middle.port)


class LongSessions(unittest.TestCase):
    """Sessions that outlive their first token. All wait for its end together."""

    VALID_S = 3

    @classmethod
    def setUpClass(cls):
        cls.agent = Agent(STACK, tokens={"valid_s": cls.VALID_S}).__enter__()
        cls.addClassCleanup(cls.agent.__exit__)
        cls.sessions = {}
        for name in ("idle", "open", "failed", "copy", "pipeline"):
            cls.sessions[name] = session = cls.agent.connect()
            cls.addClassCleanup(session.close)
            session.execute(FIND)
        cls.sessions["open"].execute("BEGIN")
        cls.sessions["failed"].execute("BEGIN")
        cls.sessions["failed"].execute("SAVEPOINT before")
        with contextlib.suppress(psycopg.errors.DivisionByZero):
            cls.sessions["failed"].execute("SELECT 1/0")
        cls.copy = cls.sessions["copy"].cursor()
        cls.copying = cls.copy.copy("COPY people FROM STDIN")
        cls.rows = cls.copying.__enter__()
        cls.rows.write_row((3, "Cleo", "333-33"))
        cls.wire = Wire(STACK, "", port=cls.agent.port, tls=False)
        cls.addClassCleanup(cls.wire.__exit__)
        cls.wire.query("BEGIN").replies()
        cls.wire.parse("", FIND).bind("", "").execute("", 1).sync().replies()
        with STACK.connect(STACK.options(valid_s=cls.VALID_S)) as without:
            without.execute(FIND)
            time.sleep(cls.VALID_S + 1.5)
            try:
                without.execute(FIND)
                raise AssertionError("a token lives longer than it says")
            except psycopg.errors.InvalidAuthorizationSpecification:
                pass

    def assert_works(self, name):
        self.assertEqual(self.sessions[name].execute(FIND).fetchall(), FOUND)

    def test_an_idle_session_works_on(self):
        self.assert_works("idle")

    def test_in_an_open_transaction_and_behind_its_rollback(self):
        self.assert_works("open")
        self.sessions["open"].execute("ROLLBACK")
        self.assert_works("open")

    def test_a_failed_transaction_gets_its_token_once_it_can_take_one(self):
        with self.assertRaises(psycopg.errors.InFailedSqlTransaction):
            self.sessions["failed"].execute(FIND)
        self.sessions["failed"].execute("ROLLBACK TO SAVEPOINT before")
        self.assert_works("failed")
        self.sessions["failed"].execute("COMMIT")
        self.assert_works("failed")

    def test_a_copy_is_not_disturbed(self):
        self.rows.write_row((4, "Dora", "444-44"))
        self.copying.__exit__(None, None, None)
        self.assert_works("copy")
        self.assertEqual(self.sessions["copy"].execute("SELECT name FROM people WHERE id > 2 ORDER BY id").fetchall(),
                         [("Cleo",), ("Dora",)])

    def test_a_pipeline_keeps_its_order(self):
        with self.sessions["pipeline"].pipeline():
            cursors = [self.sessions["pipeline"].execute("SELECT name FROM people WHERE id = %s", [1 + n % 2]) for n in range(20)]
            self.assertEqual([cursor.fetchone()[0] for cursor in cursors], ["Ada", "Bob"] * 10)

    def test_unnamed_statement_and_portal_stay_the_clients(self):
        self.wire.execute("", 1).sync()
        self.assertEqual(self.wire.letters(), "CZ", "the portal of before has no second row")
        self.wire.bind("", "").execute("").sync()
        self.assertEqual(self.wire.letters(), "2DCZ")


class ShareTable(unittest.TestCase):
    """The tenant's calls through the agent, which keeps the application's share and gives the proxy the rest."""

    def tenant_writes(self, *order):
        """The call in the file that the tenant hands out."""
        users = STACK.dir / "users"
        before = set(users.glob("*.sql"))
        succeeded(STACK.tenant_tool("user", *order, "--out", users))
        (written,) = set(users.glob("*.sql")) - before
        return written.read_text()

    def test_a_share_is_kept_when_the_proxy_has_signed_for_it(self):
        STACK.write("secrets/porter.passphrase", "a passphrase of the tests\n")
        add = self.tenant_writes("add", "porter", "--user-passphrase-file", STACK.dir / "secrets" / "porter.passphrase")
        files = AGENT.files_of("porter")
        share = pathlib.Path(files.pop("app_share")).read_text().strip()
        table = STACK.dir / "shares"
        with Agent(STACK, users_files={"app": files}, share_table=str(table)) as agent, closing(agent.connect()) as app:
            with self.assertRaises(psycopg.errors.InvalidAuthorizationSpecification):
                app.execute(FIND)
            self.assertEqual(len(app.execute(add.replace("NULL", f"'{share}'")).fetchall()), 1)
            self.assertEqual((table / "porter.app").read_text().strip(), share)
            self.assertEqual(app.execute(FIND).fetchall(), FOUND)
            with closing(agent.connect()) as later:
                self.assertEqual(later.execute(FIND).fetchall(), FOUND)
            self.assertNotIn(share, agent.log())
            with self.subTest("withdrawn, the share goes"):
                app.execute(self.tenant_writes("withdraw", "porter"))
                self.assertFalse((table / "porter.app").exists())
                with self.assertRaises(psycopg.errors.InvalidAuthorizationSpecification):
                    app.execute(FIND)


class InFrontOfAWebApplication(unittest.TestCase):
    """pgveil-agent http, as a browser on the same machine sees it."""

    @classmethod
    def setUpClass(cls):
        cls.application = Application(STACK)
        cls.addClassCleanup(cls.application.server_close)
        cls.addClassCleanup(cls.application.shutdown)
        cls.agent = WebAgent(STACK, "nurse", cls.application.url, "--valid", "4").__enter__()
        cls.addClassCleanup(cls.agent.__exit__)

    def fields(self, *arguments, **headers):
        """What the application is asked with, by name, and the request's body."""
        status, told = self.agent.ask(*arguments, **headers)
        self.assertEqual(status, 200, told)
        told = json.loads(told)
        names = [name for name, _ in told["fields"]]
        self.assertEqual(len(names), len(set(names)), names)
        return dict(told["fields"]), told["body"]

    def rows(self, fields):
        share = pathlib.Path(AGENT.files_of("nurse")["app_share"]).read_text().strip()
        options = f"-c pgveil.user_id={fields['pgveil-user']} -c pgveil.user_token={fields['pgveil-user-share']} -c pgveil.app_share={share}"
        with STACK.connect(options) as connection:
            return connection.execute(FIND).fetchall()

    def test_the_application_gets_a_token_that_opens_and_is_renewed(self):
        first, body = self.fields("/", b"some body", Pgveil_User="clerk", Pgveil_User_Share="pgvt1.stolen", Pgveil_user_x="1")
        self.assertEqual((first["pgveil-user"], body, first["host"]), ("nurse", "some body", f"localhost:{self.application.server_port}"))
        self.assertEqual([name for name in first if name.startswith("pgveil")], ["pgveil-user", "pgveil-user-share"])
        self.assertEqual(self.rows(first), FOUND)
        time.sleep(2.1)
        second, _ = self.fields("/")
        self.assertNotEqual(first["pgveil-user-share"], second["pgveil-user-share"])
        self.assertEqual(self.rows(second), FOUND)
        self.assertNotIn("pgvt1.", self.agent.log())

    def test_other_pages_get_neither_shares_nor_the_application(self):
        before = len(self.application.asked)
        for headers, expected in (({"Sec_Fetch_Site": "cross-site"}, 403), ({"Sec_Fetch_Site": "same-site"}, 403),
                                  ({"Sec_Fetch_Site": None}, 403), ({"Origin": "http://evil.example"}, 403),
                                  ({"Host": f"evil.example:{self.agent.port}"}, 421), ({"Upgrade": "h2c"}, 501)):
            status, _ = self.agent.ask("/", **headers)
            self.assertEqual((status, len(self.application.asked)), (expected, before), headers)
        self.fields("/", Origin=f"http://127.0.0.1:{self.agent.port}")

    def test_no_token_goes_out_for_a_statement_of_somebody_else(self):
        for path, reason in (("/forged", "is not that of the proxy"), ("/", "is not that of the proxy"), ("/who", "is not there")):
            with WebAgent(STACK, "nurse", self.application.url, "--statement", path) as agent:
                before = len(self.application.asked)
                status, body = agent.ask("/patients")
                self.assertEqual(status, 503)
                self.assertRegex(body, reason)
                self.assertEqual(self.application.asked[before:], [path])

    def browser(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.agent.port, timeout=30)
        self.addCleanup(connection.close)
        connection.connect()
        return connection

    @staticmethod
    def ask(connection, method, path, body=None):
        connection.request(method, path, body, {"Sec-Fetch-Site": "same-origin"})
        answer = connection.getresponse()
        return answer.status, answer.read()

    def test_connections_serve_one_request_after_the_other(self):
        browser = self.browser()
        local = browser.sock
        before = set(self.application.peers)
        for number in range(20):
            self.assertEqual(self.ask(browser, "GET", f"/{number}")[0], 200)
        self.assertIs(browser.sock, local, "the browser's connection was closed")
        self.assertEqual(len(self.application.peers - before), 1)
        with self.subTest("a request with a body has a connection of its own, and the kept one stays"):
            for _ in range(2):
                status, told = self.ask(browser, "POST", "/", b"some body")
                self.assertEqual((status, json.loads(told)["body"]), (200, "some body"))
            self.assertEqual(self.ask(browser, "GET", "/again")[0], 200)
            self.assertIs(browser.sock, local)
            self.assertEqual(len(self.application.peers - before), 3)

    def test_each_request_of_a_connection_is_judged(self):
        browser = self.browser()
        self.assertEqual(self.ask(browser, "GET", "/first")[0], 200)
        before = len(self.application.asked)
        browser.request("GET", "/second", headers={"Sec-Fetch-Site": "cross-site"})
        self.assertEqual(browser.getresponse().status, 403)
        self.assertEqual(len(self.application.asked), before)

    def test_a_kept_connection_that_the_application_has_ended_is_replaced(self):
        browser = self.browser()
        self.assertEqual(self.ask(browser, "GET", "/before")[0], 200)
        self.application.end_connections()
        self.assertEqual(self.ask(browser, "GET", "/after")[0], 200)

    def test_a_websocket_passes_with_the_users_share_at_its_handshake(self):
        upgrade = {"Connection": "Upgrade", "Upgrade": "websocket"}
        with self.subTest("of another page it is refused"):
            before = len(self.application.asked)
            stranger = self.browser()
            stranger.request("GET", "/socket", headers={"Origin": "http://evil.example", **upgrade})
            self.assertEqual((stranger.getresponse().status, len(self.application.asked)), (403, before))
        browser = self.browser()
        browser.request("GET", "/socket", headers={"Origin": f"http://127.0.0.1:{self.agent.port}", **upgrade})
        answer = http.client.HTTPResponse(browser.sock)
        answer.begin()
        self.assertEqual((answer.status, answer.getheader("X-User"), answer.getheader("X-Token"), answer.getheader("Upgrade")),
                         (101, "nurse", "pgvt1.", "websocket"))
        for size in (5, 1_000_000):
            sender = threading.Thread(target=browser.sock.sendall, args=[b"b" * size])
            sender.start()
            got = b""
            while len(got) < size:
                got += browser.sock.recv(65536)
            sender.join()
            self.assertEqual(got, b"B" * size)
        browser.sock.shutdown(socket.SHUT_WR)
        self.assertEqual(browser.sock.recv(1), b"")

    def test_after_401_comes_another_token(self):
        first, _ = self.fields("/")
        self.assertEqual(self.agent.ask("/who")[0], 401)
        second, _ = self.fields("/")
        self.assertNotEqual(first["pgveil-user-share"], second["pgveil-user-share"])

    def test_an_impostor_of_the_application_gets_nothing(self):
        before = len(self.application.asked)
        with WebAgent(STACK, "nurse", self.application.url, ca="pgveil.crt", word="--http") as agent:
            self.assertEqual(agent.ask("/")[0], 503)
        self.assertEqual(len(self.application.asked), before)


class StartAndEnd(unittest.TestCase):
    def test_a_first_signal_waits_for_transactions_and_a_second_does_not(self):
        with Agent(STACK) as agent, closing(agent.connect()) as idle, closing(agent.connect()) as busy:
            busy.execute("BEGIN")
            agent.signal(signal.SIGTERM)
            with self.assertRaises(psycopg.OperationalError):
                wait_until(lambda: idle.execute("SELECT 1") is None, "the idle session to end")
            self.assertIn("57P01", agent.log())
            self.assertEqual(busy.execute(FIND).fetchall(), FOUND)
            agent.signal(signal.SIGTERM)
            self.assertEqual(agent.wait(), 0)

    def test_what_cannot_be_used_is_said_at_the_start(self):
        files = AGENT.files_of("nurse")
        agent = Agent(STACK, users_files={"app": {**files, "app_share": AGENT.files_of("clerk")["app_share"]}})
        self.assertEqual(agent.wait(), 2)
        self.assertIn("is the app share of clerk", agent.log())


if __name__ == "__main__":
    unittest.main()
