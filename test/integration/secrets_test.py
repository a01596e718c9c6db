"""Where the secrets of a login come from: auth_query, client certificates, and passwords for databases that ask for
them by md5 or password."""

import os
import re
import threading
import time
import unittest

import psycopg

import clinic
from logins import changed
from stack import Stack, run, succeeded, wait_until

SECRET_OF = """
    CREATE FUNCTION public.secret_of(who text) RETURNS text LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog
    RETURN (SELECT rolpassword FROM pg_authid WHERE rolname = who AND rolcanlogin)"""
AUTH_QUERY = {"query": "SELECT public.secret_of($1)", "database": "clinic"}


def setUpModule():
    global STACK, OPTIONS
    STACK = Stack.start()
    clinic.Clinic(STACK)
    OPTIONS = STACK.options()  # now: later the proxy may demand certificates


def tearDownModule():
    STACK.stop()


def connect(role, password, **more):
    url = re.sub(r"//[^@]*@", f"//{role}@", STACK.url())
    return psycopg.connect(url, password=password, autocommit=True, connect_timeout=20, **more)


def user_of(connection):
    with connection:
        return connection.execute("SELECT current_user").fetchone()[0]


class AuthQuery(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        STACK.superuser(SECRET_OF, "clinic")
        STACK.superuser("REVOKE EXECUTE ON FUNCTION public.secret_of FROM PUBLIC", "clinic")
        STACK.superuser("GRANT EXECUTE ON FUNCTION public.secret_of TO pgveil", "clinic")
        STACK.superuser("CREATE ROLE late LOGIN PASSWORD 'sesame'")

    def refusal(self, role, password):
        with self.assertRaises(psycopg.OperationalError) as caught:
            connect(role, password)
        return str(caught.exception)

    def test_without_it_only_the_users_file_counts(self):
        self.assertIn("password authentication failed", self.refusal("late", "sesame"))

    def test_users_who_stand_in_no_file_log_in(self):
        with changed(STACK, {"auth_query": AUTH_QUERY}):
            self.assertEqual(user_of(connect("late", "sesame")), "late")
            self.assertEqual(user_of(connect("late", "sesame")), "late")
            with STACK.connect() as connection:
                self.assertEqual(user_of(connection), "app")

    def test_without_a_users_file_too(self):
        with changed(STACK, {"auth_query": AUTH_QUERY, "users_file": None}):
            self.assertEqual(user_of(connect("late", "sesame")), "late")
            with STACK.connect() as connection:
                self.assertEqual(connection.execute("SELECT name FROM patients WHERE id = 1").fetchone()[0],
                                 "Aurelia Brandt")

    def test_unknown_users_and_wrong_passwords_hear_the_same(self):
        with changed(STACK, {"auth_query": AUTH_QUERY}):
            wrong, unknown = self.refusal("late", "wrong"), self.refusal("ghost", "wrong")
            self.assertIn('password authentication failed for user "late"', wrong)
            self.assertEqual(wrong.replace("late", "ghost"), unknown)

    def test_a_changed_password_counts_after_one_refusal(self):
        with changed(STACK, {"auth_query": {**AUTH_QUERY, "cache_ms": 3600000}}):
            self.assertEqual(user_of(connect("late", "sesame")), "late")
            STACK.superuser("ALTER ROLE late PASSWORD 'open'")
            try:
                self.assertIn("password authentication failed", self.refusal("late", "open"))
                self.assertEqual(user_of(connect("late", "open")), "late")
            finally:
                STACK.superuser("ALTER ROLE late PASSWORD 'sesame'")

    def asking(self):
        return STACK.superuser("SELECT a.pid, s.ssl FROM pg_stat_activity a JOIN pg_stat_ssl s USING (pid) "
                               "WHERE usename = 'pgveil' AND datname = 'clinic'")

    def test_it_is_asked_over_tls_on_one_connection_that_may_be_lost(self):
        with changed(STACK, {"auth_query": {**AUTH_QUERY, "cache_ms": 0}}):
            for _ in range(3):
                user_of(connect("late", "sesame"))
            wait_until(lambda: len(self.asking()) == 1, "connections of earlier settings to end")
            (asking,) = self.asking()
            self.assertEqual(asking[1], True)
            STACK.superuser(f"SELECT pg_terminate_backend({asking[0]})")
            wait_until(lambda: not self.asking(), "the connection to end")
            self.assertEqual(user_of(connect("late", "sesame")), "late")

    def test_a_query_that_fails_stops_only_those_who_need_it(self):
        with changed(STACK, {"auth_query": {**AUTH_QUERY, "query": "SELECT nothing_of($1)"}}):
            self.assertIn("the proxy could not look up the secret of this user", self.refusal("late", "sesame"))
            self.assertIn("nothing_of", STACK.proxy_log())
            with STACK.connect() as connection:
                self.assertEqual(user_of(connection), "app")

    def test_a_query_that_hangs_does_not_keep_the_proxy_from_ending(self):
        asleep = "FROM pg_stat_activity WHERE usename = 'pgveil' AND query LIKE '%pg_sleep(600)'"
        with changed(STACK, {"auth_query": {**AUTH_QUERY, "query": "SELECT $1::text FROM pg_sleep(600)"}}):
            login = threading.Thread(target=self.refusal, args=("late", "sesame"))
            login.start()
            wait_until(lambda: STACK.superuser(f"SELECT 1 {asleep}"), "the query to run")
            began = time.monotonic()
            STACK.stop_proxy()
            self.assertLess(time.monotonic() - began, 10)
            self.assertTrue(STACK.superuser(f"SELECT 1 {asleep}"), "positive control: it still ran")
            login.join(30)
            STACK.superuser(f"SELECT pg_terminate_backend(pid) {asleep}")
            STACK.start_proxy()

    def test_a_secret_that_is_not_scram_lets_nobody_in(self):
        STACK.superuser("SET password_encryption = 'md5'; CREATE ROLE hashed LOGIN PASSWORD 'sesame'")
        with changed(STACK, {"auth_query": AUTH_QUERY}):
            self.assertIn("password authentication failed", self.refusal("hashed", "sesame"))
            self.assertIn('the secret of user "hashed" is not a SCRAM-SHA-256 secret', STACK.proxy_log())


class ClientCertificates(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = STACK.dir / "clients"
        cls.folder.mkdir()
        for authority in ("clients", "strangers"):
            cls.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "3",
                        "-subj", f"/CN={authority}", "-addext", "basicConstraints=critical,CA:TRUE",
                        "-keyout", f"{authority}.ca.key", "-out", f"{authority}.ca.crt")
        cls.issue("app", "clients", "app")
        cls.issue("other", "clients", "somebody", "email:ward@example.org")
        cls.issue("strange", "strangers", "app")
        succeeded(run(["chmod", "-R", "a+rX", cls.folder]))
        for key in cls.folder.glob("*.key"):
            key.chmod(0o600)

    @classmethod
    def openssl(cls, *words):
        succeeded(run(["openssl", *words], cwd=cls.folder))

    @classmethod
    def issue(cls, name, authority, common_name, alternative=None):
        cls.openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                    f"/CN={common_name}", "-keyout", f"{name}.key", "-out", f"{name}.csr",
                    *(["-addext", f"subjectAltName={alternative}"] if alternative else []))
        cls.openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{authority}.ca.crt", "-CAkey",
                    f"{authority}.ca.key", "-CAcreateserial", "-days", "3", "-copy_extensions", "copy",
                    "-out", f"{name}.crt")

    def settings(self, mode, **more):
        return {"listen": {"tls": {"client_ca": "clients/clients.ca.crt", "client_certificates": mode, **more}}}

    def password(self):
        return (STACK.dir / "secrets" / "app.password").read_text().strip()

    def with_certificate(self, name, password=None):
        shown = {"sslcert": str(self.folder / f"{name}.crt"), "sslkey": str(self.folder / f"{name}.key")} if name else {}
        return connect("app", password, options=OPTIONS, **shown)

    def refusal(self, name, password=None):
        with self.assertRaises(psycopg.OperationalError) as caught:
            self.with_certificate(name, password)
        return str(caught.exception)

    def test_a_demanded_one_has_to_be_the_users_beside_the_password(self):
        with changed(STACK, self.settings("require")):
            self.assertEqual(user_of(self.with_certificate("app", self.password())), "app")
            self.assertIn("password authentication failed", self.refusal("app", "wrong"))
            self.assertIn("connection requires a valid client certificate", self.refusal(None, self.password()))
            with self.assertRaisesRegex(psycopg.OperationalError, "requires a valid client certificate"):
                STACK.connect("", database="pgveil")
            self.assertIn('certificate authentication failed for user "app"', self.refusal("other", self.password()))
            self.refusal("strange", self.password())
        with STACK.connect("") as connection:
            self.assertEqual(user_of(connection), "app", "and none is demanded after a reload without it")

    def test_a_demanded_one_is_demanded_by_the_console_too(self):
        def ask(name, password=None):
            shown = {"sslcert": str(self.folder / f"{name}.crt"), "sslkey": str(self.folder / f"{name}.key")} if name else {}
            with connect("app", password, dbname="pgveil", **shown) as console:
                return console.execute("SHOW VERSION").fetchone()[0]

        def refusal(name, password=None):
            with self.assertRaises(psycopg.OperationalError) as caught:
                ask(name, password)
            return str(caught.exception)

        with changed(STACK, {**self.settings("require"), "stats_users": ["app"]}):
            self.assertRegex(ask("app", self.password()), "^pgveil ")
            self.assertIn("password authentication failed", refusal("app", "wrong"))
            self.assertIn("connection requires a valid client certificate", refusal(None, self.password()))
            self.assertIn('certificate authentication failed for user "app"', refusal("other", self.password()))
        with changed(STACK, {**self.settings("accept"), "stats_users": ["app"]}):
            self.assertRegex(ask(None, self.password()), "^pgveil ")
            with self.assertRaises(psycopg.OperationalError, msg="a certificate does not stand for the password here"):
                ask("app")

    def test_names_are_mapped_to_users(self):
        entries = [{"name": "ward@example.org", "user": "app"}]
        with changed(STACK, self.settings("require", certificate_users=entries)):
            self.assertEqual(user_of(self.with_certificate("other", self.password())), "app")
            self.assertIn("certificate authentication failed", self.refusal("app", self.password()))

    def test_an_accepted_one_stands_for_the_password(self):
        STACK.write("passwords.txt", f'"app" "{self.password()}"\n')
        changes = {**self.settings("accept"), "upstream": {"passwords_file": "passwords.txt"}}
        with changed(STACK, changes):
            with self.with_certificate("app") as connection:
                self.assertEqual(connection.execute("SELECT name FROM patients WHERE id = 1").fetchone()[0],
                                 "Aurelia Brandt")
            self.assertEqual(user_of(self.with_certificate(None, self.password())), "app")
            self.assertEqual(user_of(self.with_certificate("other", self.password())), "app")
            with self.assertRaises(psycopg.OperationalError):
                self.with_certificate("other")
            self.refusal("strange")

    def test_without_a_password_for_the_server_the_error_says_what_to_do(self):
        with changed(STACK, self.settings("accept")):
            self.assertIn("upstream.passwords_file", self.refusal("app"))


class OldMethods(unittest.TestCase):
    """Databases that ask for md5, or for the password itself."""

    @classmethod
    def setUpClass(cls):
        STACK.superuser("SET password_encryption = 'md5'; CREATE ROLE old LOGIN PASSWORD 'old sesame'")
        STACK.superuser("CREATE ROLE plainly LOGIN PASSWORD 'plain sesame'")
        hba = STACK.dir / "postgres" / "pg_hba.conf"
        hba.write_text("hostssl all old 127.0.0.1/32 md5\nhost all plainly 127.0.0.1/32 password\n" + hba.read_text())
        STACK.superuser("SELECT pg_reload_conf()")
        STACK.write("old.txt", '"old" "old sesame"\n"plainly" "plain sesame"\n')

    def settings(self, **more):
        return {"upstream": {"passwords_file": "old.txt", **more}}

    def connect(self, role, password):
        return connect(role, password)

    def test_md5(self):
        with changed(STACK, self.settings()):
            self.assertEqual(user_of(self.connect("old", "old sesame")), "old")
            with self.assertRaisesRegex(psycopg.OperationalError, 'password authentication failed for user "old"'):
                self.connect("old", "wrong")

    def test_password_over_tls(self):
        with changed(STACK, self.settings()):
            self.assertEqual(user_of(self.connect("plainly", "plain sesame")), "plainly")

    def test_a_password_leaves_without_tls_only_where_that_is_allowed(self):
        with changed(STACK, self.settings(tls={"mode": "disable"})):
            with self.assertRaisesRegex(psycopg.OperationalError, "on a connection without TLS"):
                self.connect("plainly", "plain sesame")
        with changed(STACK, self.settings(tls={"mode": "disable"}, allow_cleartext_password=True)):
            self.assertEqual(user_of(self.connect("plainly", "plain sesame")), "plainly")

    def test_without_the_password_the_error_says_where_to_put_it(self):
        (users := STACK.dir / "users.txt").write_text(
            users.read_text() + users.read_text().splitlines()[0].replace('"app"', '"old"') + "\n")
        with changed(STACK, {}):
            with self.assertRaises(psycopg.OperationalError) as caught:
                self.connect("old", (STACK.dir / "secrets" / "app.password").read_text().strip())
            self.assertIn("asks for authentication by md5", str(caught.exception))
            self.assertIn("upstream.passwords_file", str(caught.exception))


if __name__ == "__main__":
    os.umask(0o022)
    unittest.main()
