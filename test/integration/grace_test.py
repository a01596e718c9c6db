"""A transaction that had keys from a token while it was valid may finish within tokens.grace_s after its end; nothing
else gets keys. Tokens live for seconds here, and every wait is for a moment that the token itself fixes."""

import re
import time
import unittest

import psycopg

import clinic
from stack import Stack
from wire import Wire

VALID_S, GRACE_S = 3, 4
READ = "SELECT name FROM patients WHERE id = 1"
ALL = "SELECT name FROM patients ORDER BY id"
REFUSED = "28000"


def setUpModule():
    global STACK
    STACK = Stack.start()
    clinic.Clinic(STACK)
    STACK.superuser("GRANT SELECT ON departments TO app", "clinic")
    serve_with(GRACE_S)


def tearDownModule():
    STACK.stop()


def serve_with(grace_s):
    text = re.sub(r'"tokens": \{[^}]*\}', f'"tokens": {{ "max_validity_s": 600, "grace_s": {grace_s} }}',
                  STACK.settings.read_text())
    STACK.write("pgveil.json", text)
    STACK.restart_proxy()


class ShortToken(unittest.TestCase):
    def setUp(self):
        self.options = STACK.options("nurse", valid_s=VALID_S)
        self.expires = time.time() + VALID_S  # no earlier than the token's own end

    def after_expiry(self, seconds=0.0):
        """Waits until the token has expired, and then so long."""
        time.sleep(max(0.0, self.expires + seconds - time.time()))

    def in_grace(self):
        self.after_expiry(0.5)

    def after_grace(self):
        self.after_expiry(GRACE_S + 0.5)

    def connect(self):
        return self.enterContext(STACK.connect(self.options))

    def wire(self):
        return self.enterContext(Wire(STACK, self.options))

    def assert_expired(self, connection, sql=READ):
        with self.assertRaises(psycopg.errors.InvalidAuthorizationSpecification) as caught:
            connection.execute(sql)
        self.assertIn("expired", str(caught.exception))
        return str(caught.exception)


class Transactions(ShortToken):
    def test_one_that_had_keys_finishes_and_the_next_is_refused(self):
        connection = self.connect()
        connection.execute("BEGIN")
        connection.execute("UPDATE patients SET remark = 'before' WHERE id = 1")
        self.in_grace()
        self.assertEqual(connection.execute(READ).fetchone(), ("Aurelia Brandt",))
        connection.execute("SAVEPOINT s")
        connection.execute("UPDATE patients SET remark = 'meanwhile' WHERE id = 2")
        connection.execute("ROLLBACK TO s")
        connection.execute("UPDATE patients SET remark = 'late' WHERE id = 1")
        connection.execute("COMMIT")
        self.assert_expired(connection)
        with STACK.connect() as other:
            self.assertEqual(other.execute("SELECT remark FROM patients WHERE id = 1").fetchone(), ("late",))

    def test_its_end_is_the_end_and_the_transaction_fails(self):
        connection = self.connect()
        connection.execute("BEGIN")
        connection.execute(READ)
        self.in_grace()
        connection.execute(READ)
        self.after_grace()
        self.assertIn(f"its transaction had {GRACE_S} s more to finish", self.assert_expired(connection))
        self.assertEqual(connection.info.transaction_status, psycopg.pq.TransactionStatus.INERROR)

    def test_one_that_had_no_keys_before_gets_none(self):
        connection = self.connect()
        connection.execute(READ)  # a transaction of its own, over by then
        connection.execute("BEGIN")
        connection.execute("SELECT title FROM departments")
        self.in_grace()
        self.assert_expired(connection)

    def test_another_token_in_it_counts_for_itself(self):
        connection = self.connect()
        connection.execute("BEGIN")
        connection.execute(READ)
        other = STACK.shares("nurse", valid_s=VALID_S)
        connection.execute(f"SET pgveil.user_token = '{other['user_token']}'")
        time.sleep(VALID_S + 1)
        self.assert_expired(connection)

    def test_a_withdrawn_user_has_none(self):
        STACK.add_user("guest")
        self.options = STACK.options("guest", valid_s=VALID_S)
        self.expires = time.time() + VALID_S
        connection = self.connect()
        connection.execute("BEGIN")
        connection.execute(READ)
        self.in_grace()
        connection.execute(READ)
        STACK.withdraw_user("guest")
        with self.assertRaises(psycopg.errors.InvalidAuthorizationSpecification) as caught:
            connection.execute(READ)
        self.assertIn("was withdrawn", str(caught.exception))

    def test_the_verified_user_stays_with_the_transaction_and_goes_with_it(self):
        connection = self.connect()
        verified = "SELECT current_setting('pgveil_verified.user_id', true)"
        connection.execute("BEGIN")
        connection.execute(READ)
        self.in_grace()
        self.assertEqual(connection.execute(verified).fetchone(), ("nurse",))
        connection.execute("COMMIT")
        self.assertIn(connection.execute(verified).fetchone(), [("",), (None,)])


class Portals(ShortToken):
    def opened(self, wire, rows=2):
        wire.query("BEGIN").replies()
        wire.parse("s", ALL).bind("p", "s").execute("p", rows).sync()
        self.assertEqual(wire.letters(), "12DDsZ")

    def test_one_that_is_fetched_in_pieces_goes_on(self):
        wire = self.wire()
        self.opened(wire)
        self.in_grace()
        replies = wire.execute("p", 2).sync().replies()
        self.assertEqual("".join(letter for letter, _ in replies), "DDsZ")
        with STACK.connect() as other:
            names = [name.encode() for (name,) in other.execute(ALL).fetchall()]
        self.assertEqual([body[6:] for letter, body in replies if letter == "D"], names[2:4])
        self.assertEqual(wire.execute("p").sync().letters(), "DDCZ")
        wire.query("COMMIT").replies()
        self.assertEqual(wire.query(READ).letters(), f"E{REFUSED}Z")

    def test_one_ends_with_the_grace(self):
        wire = self.wire()
        self.opened(wire)
        self.after_grace()
        self.assertEqual(wire.execute("p", 2).sync().letters(), f"E{REFUSED}Z")

    def test_a_batch_without_sync_goes_on(self):
        """Its keys are wiped while it waits, and rebuilt."""
        wire = self.wire()
        wire.parse("s", "SELECT name FROM patients WHERE ssn <> 'nobody' ORDER BY id").bind("p", "s").execute("p", 2).flush()
        self.assertEqual(wire.letters("s"), "12DDs")
        self.in_grace()
        self.assertEqual(wire.execute("p", 2).flush().letters("s"), "DDs")
        self.assertEqual(wire.sync().letters(), "Z")
        self.assertEqual(wire.bind("p", "s").execute("p").sync().letters(), f"E{REFUSED}Z")


class Pipelines(ShortToken):
    def test_the_end_of_a_transaction_counts_before_its_answer_has_come(self):
        wire = self.wire()
        wire.query("BEGIN").query(READ).replies()
        wire.replies()
        self.in_grace()
        wire.parse("", READ).bind("", "").execute("").sync()  # the transaction's own
        wire.parse("", "COMMIT").bind("", "").execute("").sync()
        wire.parse("", READ).bind("", "").execute("").sync()  # the next one's
        self.assertEqual(wire.letters(), "12DCZ")
        self.assertEqual(wire.letters(), "12CZ")
        self.assertRegex(wire.letters(), f"E{REFUSED}Z$")

    def test_a_statement_behind_one_that_still_runs_is_another_transaction(self):
        verified = "SELECT current_setting('pgveil_verified.user_id', true)"
        wire = self.wire()
        wire.query(f"SELECT name, pg_sleep({VALID_S + 1.5}) FROM patients WHERE id = 1").send()
        self.in_grace()
        wire.query(verified).query(READ)
        self.assertEqual(wire.letters(), "TDCZ")  # opened with the keys it began with
        replies = wire.replies()
        self.assertEqual([body[6:] for letter, body in replies if letter == "D"], [b""])
        self.assertEqual(wire.letters(), f"E{REFUSED}Z")

    def test_a_commit_in_the_middle_of_a_batch_ends_it(self):
        wire = self.wire()
        wire.query("BEGIN").query(READ).replies()
        wire.replies()
        wire.parse("c", "COMMIT").parse("r", READ).sync().replies()
        self.in_grace()
        self.assertEqual(wire.bind("", "r").execute("").sync().letters(), "2DCZ")
        wire.bind("c", "c").execute("c").bind("r", "r").execute("r").sync()
        self.assertEqual(wire.letters(), f"2CE{REFUSED}Z")


class Off(ShortToken):
    def setUp(self):
        serve_with(0)
        self.addCleanup(serve_with, GRACE_S)
        super().setUp()

    def test_at_zero_a_transaction_dies_with_its_token(self):
        connection = self.connect()
        connection.execute("BEGIN")
        connection.execute(READ)
        self.after_expiry(0.1)
        self.assertNotIn("more to finish", self.assert_expired(connection))


if __name__ == "__main__":
    unittest.main()
