"""What is not protected goes through untouched, and session parameters behave as PostgreSQL's own."""

import threading
import unittest

import psycopg

import clinic
from stack import Stack, psql

READ = "SELECT name FROM patients WHERE id = 1"


def setUpModule():
    global STACK
    STACK = Stack.start()
    clinic.Clinic(STACK)


def tearDownModule():
    STACK.stop()


class Connection(unittest.TestCase):
    def test_startup_parameters_reach_the_server(self):
        with STACK.connect(options=STACK.options() + " -c work_mem=7MB", application_name="clinic") as connection:
            shown = connection.execute("SELECT current_setting('work_mem'), current_setting('application_name')").fetchone()
            self.assertEqual(shown, ("7MB", "clinic"))

    def test_both_legs_are_encrypted(self):
        with STACK.connect() as connection:
            self.assertTrue(connection.pgconn.ssl_in_use)
            ssl = connection.execute("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").fetchone()[0]
            self.assertTrue(ssl)

    def test_channel_binding_can_be_required(self):
        with STACK.connect(channel_binding="require") as connection:
            self.assertEqual(connection.execute(READ).fetchone()[0], "Aurelia Brandt")

    def test_a_client_without_tls_is_refused(self):
        done = psql(STACK.url().replace("sslmode=verify-full", "sslmode=disable"), "-c", "SELECT 1")
        self.assertNotEqual(done.returncode, 0)

    def test_a_wrong_password_and_an_unknown_role(self):
        for url in (STACK.url().replace("//app:", "//app:x"), STACK.url().replace("//app:", "//nobody:")):
            done = psql(url, "-c", "SELECT 1")
            self.assertIn("password authentication failed", done.stderr)

    def test_an_unknown_database_is_the_servers_answer(self):
        self.assertIn('database "nowhere" does not exist', psql(STACK.url(database="nowhere"), "-c", "SELECT 1").stderr)

    def test_what_the_server_reports_arrives(self):
        with STACK.connect() as veiled, STACK.direct(database="clinic") as direct:
            for name in ("server_version", "client_encoding", "DateStyle", "TimeZone", "integer_datetimes",
                         "standard_conforming_strings"):
                self.assertEqual(veiled.info.parameter_status(name), direct.info.parameter_status(name), name)


class Statements(unittest.TestCase):
    def setUp(self):
        self.connection = STACK.connect()
        self.addCleanup(self.connection.close)

    def test_copy_of_an_unprotected_table(self):
        rows = "".join(f"D{n}\tDepartment {n}\t{n}\n" for n in range(3000))
        with self.connection.cursor() as cursor:
            cursor.execute("CREATE TEMP TABLE wards (code text, title text, beds int)")
            with cursor.copy("COPY wards FROM STDIN") as copy:
                copy.write(rows)
            with cursor.copy("COPY wards TO STDOUT") as copy:
                back = b"".join(bytes(part) for part in copy).decode()
        self.assertEqual(back, rows)

    def test_a_value_larger_than_any_buffer(self):
        size = 20_000_000
        self.assertEqual(len(self.connection.execute(f"SELECT repeat('x', {size})").fetchone()[0]), size)
        self.assertEqual(self.connection.execute("SELECT length(%s::text)", ("y" * size,)).fetchone()[0], size)

    def test_notices_and_notifications(self):
        notices = []
        self.connection.add_notice_handler(lambda notice: notices.append(notice.message_primary))
        self.connection.execute("DO $$ BEGIN RAISE NOTICE 'so it is'; END $$")
        self.assertEqual(notices, ["so it is"])
        notified = []
        self.connection.add_notify_handler(lambda notify: notified.append(notify.payload))
        self.connection.execute("LISTEN ward")
        self.connection.execute("NOTIFY ward, 'full'")
        self.connection.execute("SELECT 1")
        self.assertEqual(notified, ["full"])

    def test_cursors_of_unprotected_tables(self):
        with self.connection.transaction():
            with self.connection.cursor("c") as cursor:
                cursor.execute("SELECT generate_series(1, 1000)")
                self.assertEqual(len(cursor.fetchmany(10)) + len(cursor.fetchall()), 1000)

    def test_statements_of_the_server_that_are_no_business_of_ours(self):
        for sql in ("EXPLAIN SELECT * FROM departments", "ANALYZE departments", "SHOW work_mem", "VACUUM departments",
                    "CREATE TEMP TABLE t (a int)", "SELECT * FROM pg_stat_activity", "SELECT version()",
                    "PREPARE q AS SELECT 1", "EXECUTE q", "DEALLOCATE q", "SELECT pg_advisory_lock(1)",
                    "LOCK TABLE departments", "SET search_path TO public", "DISCARD ALL"):
            with self.subTest(sql):
                if sql.startswith("LOCK"):
                    sql = f"BEGIN; {sql}; COMMIT"
                self.connection.execute(sql)

    def test_forty_sessions_at_once(self):
        failures = []

        def work():
            try:
                with STACK.connect(options=options) as connection:
                    for _ in range(20):
                        if connection.execute(READ).fetchone()[0] != "Aurelia Brandt":
                            failures.append("a wrong answer")
            except psycopg.Error as error:
                failures.append(str(error))

        options = STACK.options()
        threads = [threading.Thread(target=work) for _ in range(40)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])


class SessionParameters(unittest.TestCase):
    """Shares set by SQL come and go exactly as a parameter of PostgreSQL would."""

    def setUp(self):
        self.shares = STACK.shares()
        self.connection = STACK.connect(options="")
        self.addCleanup(self.connection.close)

    def set_all(self, verb="SET"):
        for name, value in self.shares.items():
            self.connection.execute(f"{verb} pgveil.{name} = '{value}'")

    def can_read(self):
        try:
            return self.connection.execute(READ).fetchone()[0] == "Aurelia Brandt"
        except psycopg.errors.InvalidAuthorizationSpecification:
            if self.connection.info.transaction_status == psycopg.pq.TransactionStatus.INERROR:
                self.connection.execute("ROLLBACK")
            return False

    def test_set_and_reset(self):
        self.assertFalse(self.can_read())
        self.set_all()
        self.assertTrue(self.can_read())
        self.connection.execute("RESET pgveil.user_token")
        self.assertFalse(self.can_read())
        self.set_all()
        self.connection.execute("RESET ALL")
        self.assertFalse(self.can_read())

    def test_discard_all(self):
        self.set_all()
        self.connection.execute("DISCARD ALL")
        self.assertFalse(self.can_read())

    def test_reset_goes_back_to_the_startup_packet(self):
        with STACK.connect() as connection:
            connection.execute("SET pgveil.user_token = 'pgvt1.AAAA'")
            with self.assertRaises(psycopg.errors.InvalidAuthorizationSpecification):
                connection.execute(READ)
            connection.execute("RESET ALL")
            self.assertEqual(connection.execute(READ).fetchone()[0], "Aurelia Brandt")

    def test_set_local_ends_with_its_transaction(self):
        self.connection.execute("BEGIN")
        self.set_all("SET LOCAL")
        self.assertTrue(self.can_read())
        self.connection.execute("COMMIT")
        self.assertFalse(self.can_read())

    def test_a_rollback_takes_a_set_back(self):
        self.connection.execute("BEGIN")
        self.set_all()
        self.assertTrue(self.can_read())
        self.connection.execute("ROLLBACK")
        self.assertFalse(self.can_read())

    def test_an_error_takes_a_set_back(self):
        self.connection.execute("BEGIN")
        self.set_all()
        with self.assertRaises(psycopg.errors.DivisionByZero):
            self.connection.execute("SELECT 1/0")
        self.connection.execute("COMMIT")
        self.assertFalse(self.can_read())

    def test_savepoints(self):
        self.connection.execute("BEGIN")
        self.set_all()
        self.connection.execute("SAVEPOINT a")
        self.connection.execute("SET pgveil.user_token = 'pgvt1.AAAA'")
        self.connection.execute("ROLLBACK TO a")
        self.assertTrue(self.can_read())
        self.connection.execute("RELEASE a")
        self.connection.execute("COMMIT")
        self.assertTrue(self.can_read())

    def test_set_config_with_literals_and_parameters(self):
        for name, value in self.shares.items():
            self.connection.execute(f"SELECT set_config('pgveil.{name}', %s, false)", (value,))
        self.assertTrue(self.can_read())
        self.connection.execute(f"SELECT set_config('pgveil.user_id', '{self.shares['user_id']}', true)")
        self.assertTrue(self.can_read())

    def test_set_config_with_its_name_as_a_parameter(self):
        """It works, or is refused; it never sends the value to the server."""
        token = self.shares["user_token"]
        try:
            self.connection.execute("SELECT set_config(%s, %s, false)", ("pgveil.user_token", token))
        except psycopg.errors.FeatureNotSupported as refusal:
            self.assertIn("literal", str(refusal))
        self.assertNotIn(token[6:60], STACK.server_log())

    def test_several_in_one_query_and_odd_spellings(self):
        self.connection.execute("; ".join(f"SET {name} TO '{self.shares[key]}'" for name, key in (
            ('pgveil."user_id"', "user_id"), ("PGVEIL . User_Token", "user_token"),
            ("pgveil./* here */app_share", "app_share"))))
        self.assertTrue(self.can_read())

    def test_options_in_other_forms(self):
        for form in ("-c pgveil.{0}={1}", "-cpgveil.{0}={1}", "--pgveil.{0}={1}"):
            text = " ".join(form.format(name, value) for name, value in self.shares.items())
            with STACK.connect(options=text) as connection:
                self.assertEqual(connection.execute(READ).fetchone()[0], "Aurelia Brandt", form)

    def test_an_unknown_parameter_of_ours(self):
        with self.assertRaises(psycopg.Error) as caught:
            self.connection.execute("SET pgveil.colour = 'red'")
        self.assertEqual(caught.exception.sqlstate, "42704")

    def test_show_never_tells_a_secret(self):
        self.set_all()
        self.assertEqual(self.connection.execute("SHOW pgveil.user_id").fetchone()[0], "nurse")
        for name in ("user_token", "app_share"):
            shown = self.connection.execute(f"SHOW pgveil.{name}").fetchone()[0]
            self.assertNotIn(self.shares[name], shown)

    def test_the_server_never_holds_them(self):
        self.set_all()
        pid = self.connection.info.backend_pid
        self.assertTrue(self.can_read())
        self.assertGreater(pid, 0)
        for value in self.shares.values():
            if value.startswith("pgv"):
                self.assertNotIn(value[6:60], STACK.server_log())

    def test_changing_the_user_inside_a_session(self):
        self.set_all()
        clerk = STACK.shares("clerk")
        self.connection.execute("BEGIN")
        for name, value in clerk.items():
            self.connection.execute(f"SET LOCAL pgveil.{name} = '{value}'")
        self.assertEqual(self.connection.execute("SHOW pgveil.user_id").fetchone()[0], "clerk")
        self.assertTrue(self.can_read())
        self.connection.execute("COMMIT")
        self.assertEqual(self.connection.execute("SHOW pgveil.user_id").fetchone()[0], "nurse")


if __name__ == "__main__":
    unittest.main()
