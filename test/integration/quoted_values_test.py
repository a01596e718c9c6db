"""Values that the server's errors quote: the client reads what it would read of a plain table, where its request has
the key, and "(encrypted)" everywhere else. An envelope it never sees."""

import unittest

import psycopg

import clinic
from stack import Stack

TAKEN = "120-44-7781"
FIELDS = ("sqlstate", "message_primary", "message_detail", "message_hint", "table_name", "column_name", "constraint_name")


def setUpModule():
    global STACK
    STACK = Stack.start()
    clinic.Clinic(STACK)
    for database in ("clinic", "clinic_plain"):
        STACK.superuser("ALTER TABLE patients ADD CONSTRAINT once UNIQUE (ssn), ADD CONSTRAINT pair UNIQUE (born, card)", database)
        STACK.superuser("ALTER TABLE visits ADD CONSTRAINT known FOREIGN KEY (patient_ssn) REFERENCES patients (ssn) NOT VALID",
                        database)


def tearDownModule():
    STACK.stop()


def error_of(connection, sql, parameters=None):
    """The fields of the error that the statement ends with."""
    try:
        connection.execute(sql, parameters)
    except psycopg.Error as error:
        return {name: getattr(error.diag, name) for name in FIELDS}
    raise AssertionError(f"no error: {sql}")


class QuotedValues(unittest.TestCase):
    def both(self, sql, parameters=None):
        """The error through pgveil, after it was compared with a plain table's."""
        with STACK.connect() as connection:
            veiled = error_of(connection, sql, parameters)
        with STACK.direct(database="clinic_plain") as connection:
            plain = error_of(connection, sql, parameters)
        self.assertEqual(veiled, plain)
        return veiled["message_detail"]

    def test_a_duplicate_key(self):
        insert = "INSERT INTO patients (id, ssn, name) VALUES (801, {}, 'Twin')"
        for detail in (self.both(insert.format(f"'{TAKEN}'")), self.both(insert.format("%s"), (TAKEN,))):
            self.assertEqual(detail, f"Key (ssn)=({TAKEN}) already exists.")

    def test_several_columns_in_the_forms_of_their_types(self):
        insert = "INSERT INTO patients (id, ssn, name, born, card) VALUES ({0}, 'new {0}', 'x', '9 March 1999', '{1}')"
        card = "6F9B1C3E-0A51-4F0E-9A39-5D1F2B7C8E99"
        for connection in (STACK.connect(), STACK.direct(database="clinic_plain")):
            with connection:
                connection.execute(insert.format(802, card))
        detail = self.both(insert.format(803, card))
        self.assertEqual(detail, f"Key (born, card)=(1999-03-09, {card.lower()}) already exists.")

    def test_a_foreign_key_from_both_sides(self):
        self.assertIn("(nobody)", self.both("UPDATE visits SET patient_ssn = 'nobody' WHERE id = (SELECT min(id) FROM visits)"))
        self.assertIn(TAKEN, self.both(f"UPDATE patients SET ssn = 'else' WHERE ssn = '{TAKEN}'"))

    def test_what_does_not_open_is_not_shown(self):
        """No key of the request's: a definition needs none. And a row that the server cuts off."""
        with STACK.connect() as connection:
            said = error_of(connection, "ALTER TABLE visits ADD CONSTRAINT again UNIQUE (urgent)")
            self.assertEqual((said["sqlstate"], said["message_detail"]), ("23505", "Key (urgent)=((encrypted)) is duplicated."))
            said = error_of(connection, "INSERT INTO patients (id, ssn, name) VALUES (801, 'x', NULL)")
            self.assertEqual(said["sqlstate"], "23502")
            self.assertNotIn("\\x01", said["message_detail"])
            said = error_of(connection, "INSERT INTO patients (id, ssn, name, remark) VALUES (801, 'x', NULL, 'of some length')")
            self.assertIn("(encrypted)...", said["message_detail"])

    def test_values_of_another_column_do_not_open(self):
        """The server names the table; what opens, the associated data decides."""
        STACK.superuser("CREATE FUNCTION lie() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION USING"
                        " ERRCODE = '23505', MESSAGE = 'lie', DETAIL = format('Key (ssn)=(%s)(%s)', NEW.ssn, NEW.name),"
                        " SCHEMA = 'public', TABLE = TG_ARGV[0]; END $$", "clinic")
        create = "CREATE TRIGGER lie BEFORE INSERT ON patients FOR EACH ROW EXECUTE FUNCTION lie('{}')"
        self.addCleanup(STACK.superuser, "DROP FUNCTION lie CASCADE", "clinic")
        for table, shown in (("patients", "(yes)(Yes)"), ("visits", "(yes)((encrypted))"),
                             ("findings", "((encrypted))((encrypted))"), ("nothing", "((encrypted))((encrypted))")):
            STACK.superuser(create.format(table), "clinic")
            with STACK.connect() as connection:
                said = error_of(connection, "INSERT INTO patients (id, ssn, name) VALUES (801, 'yes', 'Yes')")
            self.assertEqual(said["message_detail"], "Key (ssn)=" + shown, table)
            STACK.superuser("DROP TRIGGER lie ON patients", "clinic")


if __name__ == "__main__":
    unittest.main()
