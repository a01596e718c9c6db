"""Grammar that came after PostgreSQL 15, whose parser pgveil has: without a protected name it passes and has the server's
answer, whatever version that is; with one it is refused."""

import unittest

import forms
from forms import FormCase

JSON_TABLE = "JSON_TABLE('[{\"a\": 1}, {\"a\": 2}]', '$[*]' COLUMNS (a int PATH '$.a'))"

# (the version that has it, statement); of tables without protected columns.
PLAIN = [
    (16, "SELECT 0x1F, 1_000"),
    (16, "SELECT JSON_ARRAY(1, 2 RETURNING jsonb), '[1]' IS JSON ARRAY"),
    (16, "SELECT JSON_ARRAYAGG(city ORDER BY city RETURNING jsonb) FROM cities"),
    (17, f"SELECT j.a FROM {JSON_TABLE} AS j ORDER BY 1"),
    (17, f"SELECT c.city, j.a FROM cities AS c JOIN {JSON_TABLE} AS j ON j.a = c.zone ORDER BY 1"),
    (17, "SELECT JSON_EXISTS('{\"a\": 1}'::jsonb, '$.a' ERROR ON ERROR)"),
    (17, "SELECT JSON_VALUE('{\"a\": 1}'::jsonb, '$.a' RETURNING int), JSON_QUERY('[1, 2]'::jsonb, '$[*]' WITH WRAPPER)"),
    (17, "MERGE INTO cities AS c USING (VALUES ('Wien', 3)) AS v (city, zone) ON c.city = v.city WHEN MATCHED THEN"
         " UPDATE SET zone = c.zone + v.zone WHEN NOT MATCHED THEN INSERT VALUES (v.city, v.zone) RETURNING merge_action(), c.*"),
    (17, "MERGE INTO cities AS c USING (VALUES ('Bern')) AS v (city) ON c.city = v.city WHEN NOT MATCHED BY SOURCE THEN"
         " UPDATE SET zone = 7"),
    (17, "WITH m AS (MERGE INTO cities USING (VALUES (1)) AS v ON true WHEN MATCHED THEN UPDATE SET zone = 8 RETURNING city)"
         " SELECT count(*) FROM m"),
    (18, "UPDATE cities SET zone = zone + 1 WHERE city = 'Bern' RETURNING old.zone, new.zone, zone"),
    (18, "UPDATE cities SET zone = zone + 1 WHERE city = 'Bern' RETURNING WITH (OLD AS o, NEW AS n) o.zone, n.*"),
    (18, "INSERT INTO cities VALUES ('Bern', 9) ON CONFLICT (city) DO UPDATE SET zone = excluded.zone RETURNING old.zone, new.zone"),
    (18, "DELETE FROM cities WHERE city = 'Graz' RETURNING old.*"),
]

# What names a protected table, or a view over one; 'Eve Evans' and '555-XK' may not reach the server's log.
PROTECTED = [
    f"SELECT name, j.a FROM people, {JSON_TABLE} AS j",
    f"SELECT j.a FROM {JSON_TABLE} AS j WHERE EXISTS (SELECT FROM people WHERE ssn = '555-XK')",
    f"SELECT j.a FROM {JSON_TABLE} AS j, U&\"\\0070eople\"",
    f"SELECT * FROM shown, {JSON_TABLE} AS j",
    f"SELECT * FROM \"public\".\"shown\", {JSON_TABLE} AS j",
    "SELECT JSON_VALUE(note::jsonb, '$' RETURNING text) FROM people",
    "SELECT JSON_EXISTS(note::jsonb, '$.a' ERROR ON ERROR) FROM people",
    "SELECT JSON_OBJECTAGG(city : name) FROM people",
    "SELECT 1_000, name FROM people WHERE name = 'Eve Evans'",
    "MERGE INTO people AS p USING cities AS c ON p.city = c.city WHEN MATCHED THEN UPDATE SET name = 'Eve Evans' RETURNING p.name",
    "MERGE INTO cities AS c USING people AS p ON p.city = c.city WHEN MATCHED THEN DO NOTHING RETURNING p.name",
    "MERGE INTO people AS p USING cities AS c ON p.city = c.city WHEN NOT MATCHED BY SOURCE THEN DELETE",
    "EXPLAIN MERGE INTO people AS p USING cities AS c ON p.city = c.city WHEN MATCHED THEN DELETE RETURNING p.name",
    "PREPARE kept AS MERGE INTO people AS p USING cities AS c ON p.city = c.city WHEN MATCHED THEN DELETE RETURNING p.name",
    "WITH m AS (MERGE INTO people USING cities ON true WHEN MATCHED THEN DELETE RETURNING name) SELECT * FROM m",
    "UPDATE people SET name = 'Eve Evans' WHERE id = 1 RETURNING WITH (OLD AS o) o.name",
    "DELETE FROM people WHERE ssn = '555-XK' RETURNING WITH (OLD AS o) o.*",
    "INSERT INTO people (id, name) VALUES (9, 'Eve Evans') RETURNING WITH (NEW AS n) n.name",
]

# What PostgreSQL 15's parser reads, too, and PostgreSQL 18 reads otherwise.
OLD_AND_NEW = [
    "UPDATE people SET name = 'Eve Evans' WHERE id = 1 RETURNING old.name",
    "UPDATE people SET name = 'Eve Evans' WHERE id = 1 RETURNING id, new.name",
    "UPDATE people SET city = 'Bern' WHERE id = 1 RETURNING old.*",
    "DELETE FROM people WHERE id = 99 RETURNING old.id",
    "INSERT INTO people (id, name) VALUES (1, 'Eve Evans') ON CONFLICT (id) DO UPDATE SET name = excluded.name RETURNING old.name",
    "WITH u AS (UPDATE people SET city = 'Bern' RETURNING old.name) SELECT name FROM u",
]


def tearDownModule():
    forms.stop()


class NewerGrammar(FormCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with cls.stack.direct() as owner:
            owner.execute("CREATE VIEW shown AS SELECT id, name FROM people")

    def refusals(self):
        """A server whose grammar is not newer than the proxy's has a syntax error, and so has the proxy."""
        return ("0A000",) if self.stack.server_major > 15 else ("0A000", "42601")

    def test_without_protected_names_it_has_the_servers_answer(self):
        for since, sql in PLAIN:
            for how in ("simple", "extended", "binary"):
                for statement, veiled, plain in self.twins.run([sql], how):
                    with self.subTest(statement, how=how):
                        self.assertEqual(veiled, plain)
                        if self.stack.server_major >= since:  # positive control: it is no error
                            self.assertEqual(plain[0][4], [None] * 4)

    def test_names_that_do_not_exist_are_the_servers_answer(self):
        self.assert_same(f"SELECT * FROM nowhere, {JSON_TABLE} AS j")

    def test_with_protected_names_it_is_refused(self):
        before = self.assert_same("SELECT * FROM people ORDER BY id")
        for statement in PROTECTED:
            for how in ("simple", "extended"):
                with self.subTest(statement, how=how):
                    self.assertIn(self.veiled_error(statement, how), self.refusals())
        self.assertEqual(self.assert_same("SELECT * FROM people ORDER BY id"), before)

    def test_old_and_new_of_a_protected_table_are_refused(self):
        for statement in OLD_AND_NEW:
            for how in ("simple", "extended"):
                with self.subTest(statement, how=how):
                    self.assertEqual(self.veiled_error(statement, how), "0A000")
        self.assert_same("SELECT * FROM people ORDER BY id")

    def test_a_view_that_was_made_a_moment_ago(self):
        statement = f"SELECT * FROM lately, {JSON_TABLE} AS j"
        self.assert_same(statement)
        with self.stack.direct() as owner:
            owner.execute("CREATE VIEW lately AS SELECT ssn FROM people")
        self.assertIn(self.veiled_error(statement), self.refusals())

    def test_control_what_was_refused_is_the_name_not_the_form(self):
        """The refused forms over tables that are not protected have the server's answer."""
        with self.stack.direct() as owner, self.stack.direct(database="plains") as other:
            for connection in (owner, other):
                connection.execute("CREATE TABLE open_people AS SELECT id, id::text AS name, id::text AS ssn, '{}' AS note,"
                                   " 'Bern' AS city FROM generate_series(1, 3) AS id")
        for statement in PROTECTED:
            if "people" in statement and not any(word in statement for word in ("EXPLAIN", "Eve Evans", "555-XK")):
                self.assert_same(statement.replace("people", "open_people"), protocols=("simple",))


if __name__ == "__main__":
    unittest.main()
