"""Views over protected tables: read through pgveil they give what they give over plain tables."""

import unittest

import psycopg

import clinic
from stack import Stack

CANARY = "Kept Constant 7719"

VIEWS = [
    "CREATE VIEW v_people AS SELECT id, ssn AS number, name, born, department FROM patients",
    "CREATE VIEW v_seen AS SELECT p.number, p.name, v.reason, v.urgent FROM v_people p JOIN visits v ON p.number = v.patient_ssn",
    "CREATE VIEW v_numbers AS SELECT ssn FROM patients UNION ALL SELECT patient_ssn FROM visits",
    "CREATE VIEW v_grouped AS SELECT born, count(*) AS n FROM patients GROUP BY born",
    "CREATE VIEW v_distinct AS SELECT DISTINCT ssn FROM patients WHERE department IS NOT NULL",
    "CREATE VIEW v_with AS WITH a AS (SELECT ssn, id FROM patients) SELECT a.ssn, (SELECT count(*) FROM visits v"
    " WHERE v.patient_ssn = a.ssn) AS visits FROM a WHERE id > 1",
    "CREATE MATERIALIZED VIEW m_people AS SELECT id, ssn, name FROM patients",
    'CREATE VIEW "Odd View" AS SELECT id AS "The Id", ssn AS "The Number" FROM patients',
]

READ = [
    "SELECT * FROM v_people ORDER BY id",
    "SELECT id, name FROM v_people WHERE number = (SELECT ssn FROM patients WHERE id = 2)",
    "SELECT name FROM v_people WHERE born < '1990-01-01' ORDER BY born, id",
    "SELECT min(born), max(born) FROM v_people",
    "SELECT p.name, s.reason FROM v_people p JOIN v_seen s USING (number)",
    "SELECT number, count(*) FROM v_seen GROUP BY number HAVING count(*) > 0",
    "SELECT count(*) FROM v_numbers",
    "SELECT born, n FROM v_grouped ORDER BY born NULLS FIRST",
    "SELECT count(ssn) FROM v_distinct",
    "SELECT visits, ssn FROM v_with ORDER BY visits",
    "SELECT name, id FROM m_people ORDER BY id",
    'SELECT "The Number" FROM "Odd View" ORDER BY "The Id"',
    "SELECT x.name FROM (SELECT * FROM v_people) x ORDER BY x.id LIMIT 2",
    "WITH x AS (SELECT name, id FROM v_people) SELECT name FROM x ORDER BY id",
    "SELECT name FROM public.v_people WHERE id IN (1, 2) ORDER BY id",
]


def setUpModule():
    global STACK
    STACK = Stack.start()
    STACK.never_logged = [*STACK.never_logged, CANARY]
    clinic.Clinic(STACK)
    for sql in VIEWS:
        for database in ("clinic", "clinic_plain"):
            with STACK.direct("app", database) as owner:
                owner.execute(sql)


def tearDownModule():
    STACK.stop()


class Views(unittest.TestCase):
    maxDiff = None

    def answer(self, connection, sql, **form):
        cursor = connection.execute(sql, **form)
        rows = cursor.fetchall()
        described = [(c.name, c.type_code, c.internal_size, c.precision, c.scale) for c in cursor.description]
        return sorted(map(repr, rows)) if "ORDER BY" not in sql else rows, described

    def test_reading_gives_the_same_as_over_plain_tables(self):
        with STACK.connect() as veiled, STACK.direct("app", "clinic_plain") as plain:
            for sql in READ:
                for binary in (False, True):
                    for prepare in (False, True):
                        with self.subTest(sql=sql, binary=binary, prepare=prepare):
                            expected = self.answer(plain, sql, binary=binary, prepare=prepare)
                            self.assertEqual(self.answer(veiled, sql, binary=binary, prepare=prepare), expected)
                            self.assertTrue(expected[0])

    def test_parameters_and_constants(self):
        with STACK.connect() as connection:
            (number,) = connection.execute("SELECT ssn FROM patients WHERE id = 1").fetchone()
            for sql in ("SELECT id FROM v_people WHERE number = %s", "SELECT id FROM m_people WHERE ssn = %s",
                        "SELECT id FROM v_people WHERE number IN (%s)"):
                self.assertEqual(connection.execute(sql, [number]).fetchall(), [(1,)])
            self.assertEqual(connection.execute(f"SELECT id FROM v_people WHERE number = '{CANARY}'").fetchall(), [])

    def test_what_is_not_followed_is_refused_and_nothing_leaves(self):
        for sql in (
            "CREATE VIEW v_cast AS SELECT id, name::bytea AS name, ssn::text AS ssn FROM patients",
            "CREATE VIEW v_made AS SELECT id, ssn || 'x'::bytea AS made FROM patients",
            "CREATE VIEW v_row AS SELECT patients AS p FROM patients",
        ):
            STACK.superuser(sql, "clinic")
        self.addCleanup(STACK.superuser, "DROP VIEW v_cast, v_made, v_row", "clinic")
        for sql in (f"SELECT id FROM v_cast WHERE name = '{CANARY}'", f"SELECT '{CANARY}', made FROM v_made",
                    f"SELECT '{CANARY}', p FROM v_row", f"UPDATE v_cast SET name = '{CANARY}'",
                    f"INSERT INTO v_made (id, made) VALUES (9, '{CANARY}')", f"DELETE FROM v_cast WHERE ssn = '{CANARY}'",
                    f"CREATE VIEW v_more AS SELECT id FROM v_people WHERE number = '{CANARY}'",
                    f"EXPLAIN SELECT * FROM v_cast WHERE ssn = '{CANARY}'"):
            with self.subTest(sql=sql), STACK.connect() as connection:
                with self.assertRaises(psycopg.errors.FeatureNotSupported):
                    connection.execute(sql)
        self.assertNotIn(CANARY, STACK.server_log())

    def test_a_view_that_changes_is_followed_anew(self):
        STACK.superuser("CREATE VIEW v_turn AS SELECT id, ssn AS a, remark AS b FROM patients", "clinic")
        STACK.superuser("GRANT SELECT ON v_turn TO PUBLIC", "clinic")
        self.addCleanup(STACK.superuser, "DROP VIEW v_turn", "clinic")
        with STACK.connect() as connection:
            (expected,) = connection.execute("SELECT ssn, remark FROM patients ORDER BY id LIMIT 1").fetchall()
            self.assertEqual(connection.execute("SELECT a, b FROM v_turn ORDER BY id LIMIT 1").fetchone(), expected)
            STACK.superuser("CREATE OR REPLACE VIEW v_turn AS SELECT id, remark AS a, ssn AS b FROM patients", "clinic")
        with STACK.connect() as connection:
            self.assertEqual(connection.execute("SELECT b, a FROM v_turn ORDER BY id LIMIT 1").fetchone(), expected)

    def test_the_control_the_views_hold_envelopes(self):
        self.assertTrue(STACK.superuser("SELECT number::text FROM v_seen LIMIT 1", "clinic")[0][0].startswith("\\x01"))


if __name__ == "__main__":
    unittest.main()
