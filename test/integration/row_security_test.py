"""Row-level security by the user whose token pgveil opened: pgveil_verified.user_id."""

import time
import unittest

import psycopg

import clinic
from stack import Stack

WHO = "SELECT current_setting('pgveil_verified.user_id', true)"
OPEN = "SELECT name FROM patients WHERE id = 1"


def setUpModule():
    global STACK
    STACK = Stack.start()
    clinic.Clinic(STACK)
    for user in ("nurse", "clerk"):
        STACK.superuser(f"UPDATE departments SET title = title || ' ({user})' WHERE code = "
                        f"'{'ER' if user == 'nurse' else 'PED'}'", "clinic")
    STACK.superuser("CREATE POLICY own ON departments USING (position(current_setting('pgveil_verified.user_id', true)"
                    " IN title) > 0 AND current_setting('pgveil_verified.user_id', true) <> '')", "clinic")
    STACK.superuser("ALTER TABLE departments ENABLE ROW LEVEL SECURITY", "clinic")
    STACK.superuser("ALTER TABLE departments FORCE ROW LEVEL SECURITY", "clinic")


def tearDownModule():
    STACK.stop()


class RowSecurity(unittest.TestCase):
    def setUp(self):
        self.connection = STACK.connect()
        self.addCleanup(self.connection.close)

    def rows(self):
        return [row[0] for row in self.connection.execute("SELECT code FROM departments").fetchall()]

    def who(self):
        return self.connection.execute(WHO).fetchone()[0] or ""

    def present(self, user, local=False, valid_s=600):
        for name, value in STACK.shares(user, valid_s=valid_s).items():
            self.connection.execute(f"SET {'LOCAL' if local else ''} pgveil.{name} = '{value}'")

    def open(self):
        self.assertEqual(self.connection.execute(OPEN).fetchone()[0], "Aurelia Brandt")

    def test_nobody_is_named_before_a_token_was_opened(self):
        self.assertEqual((self.who(), self.rows()), ("", []))
        self.open()
        self.assertEqual((self.who(), self.rows()), ("nurse", ["ER"]))

    def test_another_users_shares_take_the_name_away_and_bring_their_own(self):
        self.open()
        self.present("clerk")
        self.assertEqual((self.who(), self.rows()), ("", []))
        self.open()
        self.assertEqual((self.who(), self.rows()), ("clerk", ["PED"]))

    def test_over_the_extended_protocol(self):
        self.assertEqual(self.connection.execute("SELECT name FROM patients WHERE ssn = %s", ["120-44-7781"]).fetchone()[0],
                         "Aurelia Brandt")
        prepared = self.connection.execute("SELECT code FROM departments WHERE beds > %s", [0], prepare=True)
        self.assertEqual(prepared.fetchall(), [("ER",)])
        self.present("clerk")
        self.assertEqual(self.connection.execute("SELECT code FROM departments WHERE beds > %s", [0]).fetchall(), [])

    def test_it_follows_transactions_and_savepoints(self):
        self.open()
        self.connection.execute("BEGIN")
        self.connection.execute("SAVEPOINT a")
        self.present("clerk", local=True)
        self.open()
        self.assertEqual(self.who(), "clerk")
        self.connection.execute("ROLLBACK TO a")
        self.assertEqual(self.who(), "")  # whose token was opened last is not who is in force
        self.open()
        self.assertEqual(self.who(), "nurse")
        self.connection.execute("COMMIT")
        self.assertEqual(self.rows(), ["ER"])
        self.connection.execute("BEGIN")
        self.present("clerk", local=True)
        self.open()
        self.connection.execute("COMMIT")
        self.assertNotIn("PED", self.rows())

    def test_a_failed_transaction_can_be_rolled_back(self):
        self.open()
        self.connection.execute("BEGIN")
        self.present("clerk", local=True)
        with self.assertRaises(psycopg.errors.UndefinedTable):
            self.connection.execute("SELECT * FROM nowhere")
        self.connection.execute("ROLLBACK")
        self.assertEqual(self.rows(), ["ER"])

    def test_reset_and_discard_end_it(self):
        for command in ("RESET ALL", "DISCARD ALL", "SET pgveil.user_token = ''"):
            with self.subTest(command), STACK.connect() as self.connection:
                self.open()
                if command == "RESET ALL":  # back to the shares of the startup packet: they count when opened
                    self.present("clerk")
                    self.open()
                self.connection.execute(command)
                self.assertEqual((self.who(), self.rows()), ("", []))

    def test_it_ends_with_the_token(self):
        self.present("nurse", valid_s=2)
        self.open()
        time.sleep(3)
        self.assertEqual((self.who(), self.rows()), ("", []))

    def test_a_pipeline(self):
        with self.connection.pipeline():
            self.connection.execute(OPEN)
            rows = self.connection.execute("SELECT code FROM departments")
        self.assertEqual(rows.fetchall(), [("ER",)])

    def test_clients_cannot_name_themselves(self):
        for command in ("RESET pgveil_verified.user_id", "SET pgveil_verified.user_id = 'clerk'", "SET LOCAL \"PgVeil_Verified\".USER_ID = 'clerk'",
                        "SELECT set_config('pgveil_verified.user_id', 'clerk', false)"):
            with self.assertRaises(psycopg.Error) as refused:
                self.connection.execute(command)
            self.assertEqual(refused.exception.sqlstate, "42501")
        for options in ("-c pgveil_verified.user_id=clerk", "--pgveil_verified.user-id=clerk"):
            with self.assertRaises(psycopg.OperationalError):
                STACK.connect(options=options)

    def test_the_database_does_not_name_anybody_in_the_proxys_place(self):
        STACK.superuser("ALTER ROLE app SET pgveil_verified.user_id = 'clerk'", "clinic")
        try:
            with STACK.connect() as connection:
                connection.execute(OPEN)
                self.assertEqual(connection.execute(WHO).fetchone()[0], "nurse")
        finally:
            STACK.superuser("ALTER ROLE app RESET ALL", "clinic")

    def test_the_policy_really_hides_rows(self):
        """Positive control."""
        self.assertEqual(len(STACK.superuser("SELECT code FROM departments", "clinic")), 3)


if __name__ == "__main__":
    unittest.main()
