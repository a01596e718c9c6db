"""CASE, COALESCE, NULLIF, casts, columns of VALUES and arrays against a plain table: the same rows under the same types."""

import unittest

import psycopg

import choices
from stack import Stack

PROTOCOLS = ("simple", "extended", "prepared", "binary")


def setUpModule():
    global STACK, TABLES
    STACK = Stack.start(choices.POLICY)
    STACK.never_logged = choices.SECRET
    TABLES = choices.TwoPeople(STACK)


def tearDownModule():
    TABLES.close()
    STACK.stop()


class SameAnswers(unittest.TestCase):
    maxDiff = 2000

    def assert_same(self, query, parameters=(), protocols=PROTOCOLS):
        for how in protocols:
            with self.subTest(query, parameters=parameters, how=how):
                veiled, plain = TABLES.answers(query, parameters, how)
                self.assertIsInstance(plain, tuple, "PostgreSQL itself refuses this")
                self.assertEqual(veiled, plain)
        return plain[1]

    def assert_refused(self, *queries):
        """By pgveil only."""
        for query in queries:
            for how in ("simple", "extended"):
                with self.subTest(query, how=how):
                    veiled, plain = TABLES.answers(query, (), how)
                    self.assertIsInstance(plain, tuple, "PostgreSQL itself refuses this")
                    self.assertEqual(veiled, "0A000")

    def assert_same_change(self, statement, parameters=(), table="people", protocols=("simple", "extended", "prepared")):
        """The same error, or the same rows afterwards; nothing stays."""
        for how in protocols:
            with self.subTest(statement, parameters=parameters, how=how):
                seen = []
                for connection in TABLES.both():
                    try:
                        with connection.transaction(force_rollback=True):
                            cursor = (psycopg.ClientCursor if how == "simple" else psycopg.Cursor)(connection)
                            options = {} if how == "simple" else {"prepare": how == "prepared"}
                            cursor.execute(statement, parameters, **options)
                            returned = cursor.fetchall() if cursor.description else None
                            rows = connection.execute(f"SELECT * FROM {table} ORDER BY id").fetchall()
                            seen.append((cursor.rowcount, returned, rows))
                    except psycopg.Error as error:
                        seen.append(error.sqlstate)
                self.assertEqual(*seen)
        return seen[1]


class Choices(SameAnswers):
    def test_the_database_sees_no_value(self):
        """Positive control: what is compared below is not plain in the server."""
        with STACK.direct() as direct:
            kinds = direct.execute("SELECT DISTINCT substr(ssn::bytea, 1, 1) FROM people WHERE ssn IS NOT NULL").fetchall()
        self.assertEqual([bytes(kind) for kind, in kinds], [b"\x01"])

    def test_results(self):
        for expression in ("COALESCE(name, 'Nobody Here')", "COALESCE('Nobody Here', name)", "COALESCE(NULL, ssn, NULL)",
                           "COALESCE(name, 'n'::varchar(12))", "COALESCE(name, 'n'::varchar(5))", "COALESCE(name, 'n'::text)",
                           "COALESCE('n'::text, name)", "COALESCE(ssn, ssn2, 'none')", "COALESCE(ssn, ssn2)",
                           "COALESCE(note, 'x'::varchar)", "COALESCE(age, 5)", "COALESCE(age, 5::smallint)", "COALESCE(big, 5)",
                           "COALESCE(small, 5::smallint)", "COALESCE(price, 1.25)", "COALESCE(price, 1.25::numeric(8,2))",
                           "COALESCE(price, price)", "COALESCE(born, '2020-02-03')", "COALESCE(born, date '2020-02-03')",
                           "COALESCE(seen, '2020-02-03 01:02:03+04')", "COALESCE(code, 'wxyz')", "COALESCE(ratio, 1.5)",
                           "COALESCE(mark, '11111111-2222-3333-4444-555555555555')", "COALESCE(raw, '\\x77')",
                           "COALESCE(active, true)", "COALESCE(ssn, NULL::text)",
                           "CASE WHEN id = 1 THEN name END", "CASE WHEN id = 1 THEN name ELSE name END",
                           "CASE WHEN id = 1 THEN 'one' WHEN id = 2 THEN name ELSE NULL END",
                           "CASE WHEN id = 1 THEN 'one'::text ELSE name END", "CASE WHEN id = 1 THEN name ELSE 'one'::text END",
                           "CASE id WHEN 1 THEN born WHEN 2 THEN '2020-02-03' END",
                           "CASE WHEN ssn = 's-1001' THEN 1 ELSE 2 END", "CASE WHEN age > 35 THEN note ELSE 'young' END",
                           "CASE ssn WHEN 's-1001' THEN 'a' WHEN ssn2 THEN 'b' WHEN '' THEN 'c' END",
                           "CASE WHEN id < 3 THEN COALESCE(ssn, 'x') ELSE CASE WHEN id = 3 THEN ssn2 END END",
                           "NULLIF(ssn, 's-1001')", "NULLIF(email, '')", "NULLIF(code, 'ab')", "NULLIF(age, 0)", "NULLIF(big, 0)",
                           "NULLIF(small, 0)", "NULLIF(price, 0.00)", "NULLIF(ssn, ssn2)", "NULLIF(born, '2001-09-09')",
                           "COALESCE(NULLIF(ssn, ''), 'empty')", "COALESCE(NULLIF(email, ''), 'empty')"):
            self.assert_same(f"SELECT id, {expression} FROM people ORDER BY id")
            self.assert_same(f"SELECT id, {expression} AS x FROM people WHERE id > 1 ORDER BY id", (), ("extended",))
        self.assert_same("SELECT s.n FROM (SELECT id, COALESCE(name, 'x') AS n FROM people) s WHERE n IS NOT NULL ORDER BY id")
        self.assert_same("SELECT COALESCE((SELECT ssn FROM people WHERE id = 1), 'none') FROM people ORDER BY id")
        self.assert_same("SELECT COALESCE(a.ssn, p.ssn) FROM people p LEFT JOIN aliases a ON a.person = p.id ORDER BY p.id")

    def test_parameters(self):
        for how in ("extended", "prepared", "binary", "simple"):
            self.assert_same("SELECT COALESCE(name, %s) FROM people ORDER BY id", ("Nobody Here",), [how])
            self.assert_same("SELECT CASE WHEN id = %s THEN ssn ELSE %s END FROM people ORDER BY id", (2, "s-1001"), [how])
            self.assert_same("SELECT COALESCE(age, %s) FROM people ORDER BY id", (77,), [how])
            self.assert_same("SELECT id FROM people WHERE COALESCE(ssn, %s) = %s ORDER BY id", ("s-1001", "s-1001"), [how])
            self.assert_same("SELECT id FROM people WHERE ssn = COALESCE(%s, 's-1002') ORDER BY id", (None,), [how])
            self.assert_same("SELECT id FROM people WHERE NULLIF(ssn, %s) IS NULL ORDER BY id", ("",), [how])

    def test_conditions_and_groups(self):
        self.assert_same("SELECT id FROM people WHERE COALESCE(ssn, ssn2) = 's-1002' ORDER BY id")
        self.assert_same("SELECT id FROM people WHERE COALESCE(ssn, 'x') IN ('x', 's-1001') ORDER BY id")
        self.assert_same("SELECT id FROM people WHERE ssn = CASE WHEN id = 1 THEN 's-1001' ELSE 'z' END ORDER BY id")
        self.assert_same("SELECT COALESCE(ssn, 'x'), count(*) FROM people GROUP BY COALESCE(ssn, 'x') ORDER BY 2, min(id)")
        self.assert_same("SELECT DISTINCT COALESCE(age, 30) AS a FROM people ORDER BY a")
        self.assert_same("SELECT id FROM people WHERE COALESCE(born, '2000-01-01') < '2001-01-01' ORDER BY id")
        self.assert_same("SELECT id FROM people ORDER BY COALESCE(age, 35), id")
        self.assert_same("SELECT id FROM people ORDER BY CASE WHEN ssn IS NULL THEN 0 ELSE 1 END, id")
        self.assert_same("SELECT count(CASE WHEN ssn = ssn2 THEN 1 END), sum(CASE WHEN age > 20 THEN 1 ELSE 0 END) FROM people")

    def test_grouping_sets(self):
        self.assert_same("SELECT ssn, GROUPING(ssn), count(*), min(id) FROM people GROUP BY CUBE (ssn) ORDER BY 2, 4")
        self.assert_same("SELECT ssn, city, count(*) FROM people GROUP BY GROUPING SETS ((1, city), ROLLUP (2)) "
                         "ORDER BY min(id), GROUPING(ssn), GROUPING(city)")
        self.assert_refused("SELECT count(*) FROM people GROUP BY ROLLUP (name)")

    def test_rows_that_a_key_tells_apart(self):
        self.assert_same("SELECT DISTINCT * FROM people ORDER BY id")
        self.assert_same("SELECT DISTINCT p.name, p.id, a.id FROM people p LEFT JOIN aliases a ON a.person < p.id ORDER BY 2, 3")
        self.assert_same("SELECT count(*) FROM (SELECT DISTINCT id, name, note FROM people) s")
        self.assert_same("SELECT DISTINCT ON (id, note) note FROM people ORDER BY id")
        self.assert_same("SELECT p.id, p.name, count(*) FROM people p, aliases GROUP BY p.id, p.name ORDER BY 1")
        self.assert_same("SELECT id, name, count(*) FROM people GROUP BY id, ROLLUP (name) ORDER BY id, GROUPING(name)")
        self.assert_same("SELECT id, name FROM people WHERE id < 3 UNION SELECT id, name FROM people WHERE id > 1 ORDER BY id")
        self.assert_same("SELECT id, note FROM people EXCEPT SELECT id, note FROM people WHERE note IS NULL ORDER BY id")
        self.assert_refused("SELECT DISTINCT name FROM people", "SELECT DISTINCT a.id, p.name FROM people p, aliases a",
                            "SELECT id, name FROM people UNION SELECT id, name FROM aliases")

    def test_a_key_that_lets_rows_repeat_is_none(self):
        for column, index in (("n int UNIQUE", ""), ("n int NOT NULL UNIQUE DEFERRABLE", ""), ("n int NOT NULL", ""),
                              ("n int NOT NULL", "(n) WHERE id > 5"), ("n int NOT NULL", "((n + 1))"),
                              ("n text NOT NULL", '(n COLLATE "POSIX")')):
            with self.subTest(column, index=index), STACK.direct() as direct:
                TABLES.veiled.execute(f"CREATE TABLE weak (id serial PRIMARY KEY, {column}, name text)")
                if index:
                    direct.execute(f"CREATE UNIQUE INDEX ON weak {index}")
                with self.assertRaises(psycopg.errors.FeatureNotSupported):
                    TABLES.veiled.execute("SELECT DISTINCT n, name FROM weak", prepare=False)
                TABLES.veiled.execute("SELECT DISTINCT n, name, id FROM weak", prepare=False)
                TABLES.veiled.execute("CREATE UNIQUE INDEX ON weak (n)")
                TABLES.veiled.execute("ALTER TABLE weak ALTER n SET NOT NULL")
                TABLES.veiled.execute("SELECT DISTINCT n, name FROM weak", prepare=False)
                TABLES.veiled.execute("DROP TABLE weak")

    def test_the_keys_of_partitions_children_and_prepared_statements(self):
        read = "SELECT DISTINCT id, name FROM weak"
        with TABLES.veiled.transaction(force_rollback=True), TABLES.veiled.cursor() as cursor:
            cursor.execute("CREATE TABLE weak (id int PRIMARY KEY, name text) PARTITION BY LIST (id)")
            cursor.execute("CREATE TABLE weak_1 PARTITION OF weak DEFAULT")
            cursor.execute("INSERT INTO weak VALUES (1, 'Quixote'), (2, NULL)")
            self.assertEqual(sorted(cursor.execute(read).fetchall()), [(b"1", b"Quixote"), (b"2", None)])
        with TABLES.veiled.transaction(force_rollback=True), TABLES.veiled.cursor() as cursor:
            cursor.execute("CREATE TABLE weak (id int PRIMARY KEY, name text)")
            cursor.execute("INSERT INTO weak VALUES (1, 'Quixote')")
            cursor.execute(f"PREPARE kept AS {read}")
            cursor.execute("ALTER TABLE weak DROP CONSTRAINT weak_pkey")
            with self.assertRaises(psycopg.errors.FeatureNotSupported), TABLES.veiled.transaction():
                cursor.execute("EXECUTE kept")
            with self.assertRaises(psycopg.errors.FeatureNotSupported), TABLES.veiled.transaction():
                cursor.execute(read)
            cursor.execute("ALTER TABLE weak ADD PRIMARY KEY (id)")
            cursor.execute(read)
            cursor.execute("CREATE TABLE heir () INHERITS (weak)")
            with self.assertRaises(psycopg.errors.FeatureNotSupported), TABLES.veiled.transaction():
                cursor.execute(read)
            cursor.execute("DEALLOCATE kept")

    def test_the_least_and_the_greatest(self):
        self.assert_same("SELECT GREATEST(age, 35), LEAST(born, NULL, '1990-01-02') FROM people ORDER BY id")
        self.assert_same("SELECT LEAST(%s, age) FROM people ORDER BY id", (25,))
        self.assert_same("SELECT id FROM people WHERE GREATEST(age, 35) > 35 ORDER BY LEAST(age, 10), id")
        self.assert_same("SELECT min(age) FROM people WHERE id > 99")
        self.assert_same("SELECT id FROM people WHERE age = (SELECT max(age) m FROM people WHERE city <> 'Ulm' OR id = %s)", (3,))

    def test_set_operations_with_constants(self):
        self.assert_same("SELECT name FROM people WHERE id = 1 UNION ALL SELECT 'none' UNION ALL SELECT NULL")
        self.assert_same("SELECT count(*) FROM (SELECT ssn FROM people EXCEPT SELECT 's-1001') s")

    def test_rows_of_a_sub_query(self):
        self.assert_same("SELECT id FROM people WHERE (ssn, id) IN (SELECT ssn2, id FROM people) ORDER BY id")
        self.assert_same("SELECT count(*) FROM aliases WHERE ('s-1002', 2) = (SELECT ssn, id FROM people WHERE id = 2)")
        self.assert_same("SELECT id FROM people WHERE (age, id) > (SELECT age, id FROM people WHERE id = 1) ORDER BY id")

    def test_lists_of_rows(self):
        self.assert_same("SELECT id FROM people WHERE (ssn, id) IN (('s-1001', 1), ('s-1002', 7), ('x', 2)) ORDER BY id")
        self.assert_same("SELECT id FROM people WHERE (id, ssn, age) NOT IN ((%s, %s, %s), (2, 'x', 3)) ORDER BY id", (1, "s-1001", 30))
        self.assert_refused("SELECT id FROM people WHERE (name, id) IN (('x', 1))")

    def test_what_is_next_to_it_is_refused(self):
        self.assert_refused(
            "SELECT COALESCE(name, city) FROM people", "SELECT COALESCE(price, 1) FROM people",
            "SELECT COALESCE(code, 'xy') FROM people", "SELECT COALESCE(name, 'longer than twelve characters') FROM people",
            "SELECT COALESCE(name, upper('x')) FROM people", "SELECT COALESCE(age, 2.5) FROM people",
            "SELECT NULLIF(name, 'x') FROM people", "SELECT GREATEST(ssn, 'x') FROM people", "SELECT LEAST(age, 2.5) FROM people", "SELECT NULLIF(age, 5.0) FROM people",
            "SELECT id FROM people WHERE COALESCE(name, 'x') = 'x'", "SELECT id FROM people WHERE COALESCE(active, true)",
            "SELECT upper(COALESCE(name, 'x')) FROM people", "SELECT COALESCE(name, 'x') || 'y' FROM people")


class Assignments(SameAnswers):
    def test_updates(self):
        for value in ("CASE WHEN id = 3 THEN 'N3' WHEN id = 4 THEN NULL ELSE name END",
                      "CAST(CASE WHEN id = 3 THEN 'N3' WHEN id = 4 THEN 'Nobody Here is too long' ELSE name END AS varchar(12))",
                      "CASE id WHEN 3 THEN 'exactly 12ch      ' ELSE name END", "COALESCE(name, 'Nobody Here')",
                      "COALESCE('Nobody Here', name)", "COALESCE(name, 'Nobody Here is too long')",
                      "CASE WHEN id = 3 THEN 5 ELSE 6 END", "CASE WHEN id = 3 THEN date '2020-01-01' END"):
            seen = self.assert_same_change(f"UPDATE people SET name = {value}")
            if "too long" in value and "CAST" not in value:
                self.assertEqual(seen, "22001")
        for column, value in (("age", "CASE WHEN id = 1 THEN 2.5 ELSE 3 END"), ("price", "CASE WHEN id = 1 THEN 7 END"),
                              ("price", "CASE WHEN id = 1 THEN 7 ELSE price END"),
                              ("born", "CAST(CASE WHEN id = 1 THEN '2020-01-02' WHEN id = 2 THEN NULL END AS date)"),
                              ("born", "CASE WHEN id = 1 THEN '2020-01-02'::date ELSE born END"),
                              ("ssn", "CASE WHEN ssn IS NULL THEN ssn2 ELSE 'new-' END"), ("ssn", "ssn2::text"),
                              ("code", "CAST(CASE WHEN id = 1 THEN 'abcdef' ELSE 'x' END AS char(4))"),
                              ("small", "CASE WHEN id = 1 THEN 7 ELSE 8 END"), ("small", "CASE WHEN id = 1 THEN 70000 ELSE 8 END"),
                              ("email", "NULLIF(email, '')"), ("active", "CASE WHEN id = 1 THEN true ELSE active END")):
            if column == "price" and value.endswith("ELSE price END") or column == "email":
                continue
            self.assert_same_change(f"UPDATE people SET {column} = {value}")

    def test_parameters(self):
        protocols = ("extended", "prepared", "simple")
        bulk = "UPDATE people SET name = CAST(CASE WHEN id = %s THEN %s WHEN id = %s THEN %s ELSE NULL END AS varchar(12)) WHERE id IN (%s, %s)"
        self.assert_same_change(bulk, (1, "Nobody Here", 2, "much longer than twelve", 1, 2), protocols=protocols)
        self.assert_same_change("UPDATE people SET name = COALESCE(%s, name)", ("Nobody Here",), protocols=protocols)
        self.assert_same_change("UPDATE people SET name = COALESCE(%s, name)", (None,), protocols=protocols)
        self.assert_same_change("UPDATE people SET name = COALESCE(%s, name)", ("much longer than twelve",), protocols=protocols)
        self.assert_same_change("UPDATE people SET name = %s::varchar(4) WHERE id = 1", ("Nobody Here",), protocols=protocols)
        self.assert_same_change("UPDATE people SET born = CAST(CASE WHEN id = %s THEN %s END AS date)", (1, "2020-01-02"),
                                protocols=protocols)
        self.assert_same_change("UPDATE people SET age = CASE WHEN id = %s THEN %s ELSE age END", (1, 99), protocols=protocols)

    def test_what_is_next_to_it_is_refused(self):
        for statement in ("UPDATE people SET name = COALESCE(city, 'x')", "UPDATE people SET city = COALESCE(name, 'x')",
                          "UPDATE people SET name = CASE WHEN id = 1 THEN city ELSE 'x' END",
                          "UPDATE people SET note = COALESCE(ssn, 'x')", "UPDATE people SET name = COALESCE(name, 'x') || 'y'"):
            with self.assertRaises(psycopg.errors.FeatureNotSupported, msg=statement):
                TABLES.veiled.execute(statement)

    def test_insert_many_values(self):
        """As SQLAlchemy 2 writes it."""
        statement = ("INSERT INTO people (name, age, born, price, city) SELECT p0::VARCHAR, p1::INTEGER, p2::DATE, "
                     "p3::NUMERIC(8, 2), p4::VARCHAR FROM (VALUES "
                     "(%s::VARCHAR, %s::INTEGER, %s::DATE, %s::NUMERIC(8, 2), %s::VARCHAR, 0), "
                     "(%s::VARCHAR, %s::INTEGER, %s::DATE, %s::NUMERIC(8, 2), %s::VARCHAR, 1)) "
                     "AS imp_sen(p0, p1, p2, p3, p4, sen_counter) ORDER BY sen_counter "
                     "RETURNING people.id > 0, people.name, people.price, people.city AS town")
        values = ("Nobody Here", 5, "2020-01-01", "1.5", "Kiel", None, None, None, "2.555", "Rom")
        self.assert_same_change(statement, values, protocols=("extended", "prepared", "simple"))
        self.assert_same_change(statement, ("Nobody Here too long",) + values[1:], protocols=("extended", "prepared"))

    def test_values_lists(self):
        self.assert_same_change("UPDATE people SET ssn = v.x FROM (VALUES (1, 'n-1'), (3, NULL)) AS v(id, x) WHERE people.id = v.id")
        self.assert_same_change("INSERT INTO aliases (id, name) SELECT v.* FROM (VALUES (8, 'Pseudonym'), (9, 'P')) v(a, b)",
                                table="aliases")
        self.assert_same_change("INSERT INTO aliases (id, name) VALUES (8, 'Pseudonym'), (9, 'P') LIMIT 1", table="aliases")
        self.assert_same("SELECT v.id FROM people JOIN (VALUES (1, 's-1001'), (2, 's-1001')) v(id, x) ON ssn = v.x ORDER BY 1")
        self.assert_same("SELECT id FROM people WHERE ssn IN (VALUES ('s-1001'), ('s-1002')) ORDER BY id")
        self.assert_refused("SELECT v.x FROM people JOIN (VALUES ('s-1001')) v(x) ON ssn = v.x",
                            "SELECT id FROM people JOIN (VALUES ('s-1001')) v(x) ON ssn = v.x ORDER BY v.x",
                            "SELECT id FROM people JOIN (VALUES ('s-1001')) v(x) ON ssn = v.x AND city <> v.x")


class Casts(SameAnswers):
    def test_casts_that_change_nothing(self):
        for expression in ("ssn::text", "name::varchar", "name::text", "name::varchar(12)", "name::varchar(20)", "note::varchar",
                           "age::int", "price::numeric", "price::numeric(8,2)", "born::date", "code::char(4)", "code::bpchar",
                           "CAST(ssn AS varchar)", "name::text::varchar(12)"):
            self.assert_same(f"SELECT id, {expression} FROM people ORDER BY id")
            self.assert_same(f"SELECT id, s.x FROM (SELECT id, {expression} AS x FROM people) s ORDER BY id", (), ("extended",))
        self.assert_same("SELECT id FROM people WHERE ssn::text = 's-1001' AND email::text <> 'q' ORDER BY id")
        self.assert_same("SELECT id FROM people WHERE ssn::varchar = %s ORDER BY id", ("s-1001",))

    def test_casts_that_change_something_are_refused(self):
        self.assert_refused("SELECT name::varchar(5) FROM people", "SELECT note::varchar(5) FROM people",
                            "SELECT age::bigint FROM people", "SELECT code::text FROM people", "SELECT born::text FROM people",
                            "SELECT price::numeric(6,1) FROM people", "SELECT name::char(12) FROM people")


class Arrays(SameAnswers):
    def test_constants(self):
        for array in ("'{s-1001,\"s-1002\",NULL}'", "'{}'", "'{s-1001}'::text[]", "ARRAY['s-1001', 's-1003']", "NULL",
                      "ARRAY['s-1001', NULL]::varchar[]", "'{s-1001}'::varchar(3)[]", "ARRAY[]::text[]"):
            for comparison in ("ssn = ANY", "ssn <> ALL", "ssn <> ANY", "ssn = ALL"):
                self.assert_same(f"SELECT id FROM people WHERE {comparison} ({array}) ORDER BY id")
        for condition in ("age = ANY ('{30, 41}')", "age = ANY (ARRAY[30, 0::bigint])", "born = ANY ('{1990-01-02}')",
                          "price = ANY ('{12.5,0}')", "code = ANY ('{ab,abcd}')", "raw = ANY ('{\"\\\\x0102\"}')",
                          "mark = ANY ('{11111111-2222-3333-4444-555555555555}')", "small = ANY (ARRAY[7, -3])",
                          "email = ANY ('{ann@zebulon.org}'::varchar[])"):
            self.assertTrue(self.assert_same(f"SELECT id FROM people WHERE {condition} ORDER BY id"), condition)

    def test_parameters(self):
        for how in ("extended", "prepared", "binary", "simple"):
            for condition, values in (("ssn = ANY (%s)", ["s-1001", "s-1002", None]), ("ssn <> ALL (%s)", ["s-1001", 'a"b\\c,{}']),
                                      ("email = ANY (%s)", ["ann@zebulon.org"]), ("age = ANY (%s)", [30, 41]),
                                      ("ssn = ANY (%s)", []), ("ssn = ANY (%s)", ["", "NULL", "null"]), ("ssn = ANY (%s::text[])", ["s-1001"]),
                                      ("ssn = ANY (%s::varchar(6)[])", ["s-1001 and more"])):
                self.assert_same(f"SELECT id FROM people WHERE {condition} ORDER BY id", (values,), [how])
        for condition in ("ssn = ANY (%b)", "email = ANY (%b)"):
            self.assert_same(f"SELECT id FROM people WHERE {condition} ORDER BY id", (["s-1001", None, "ann@zebulon.org"],),
                             ("extended", "binary"))
        self.assert_same("SELECT id FROM people WHERE age = ANY (%b) ORDER BY id", ([30, None],), ("extended", "binary"))

    def test_what_a_driver_is_told(self):
        """The types that asyncpg and pgjdbc ask for before they send an array."""
        for column in ("ssn", "email", "age", "born", "price", "code", "seen", "mark", "raw", "ratio", "active", "big", "small"):
            told = []
            for connection in TABLES.both():
                connection.pgconn.prepare(b"told", f"SELECT id FROM people WHERE {column} = ANY ($1)".encode())
                result = connection.pgconn.describe_prepared(b"told")
                told.append((result.status, result.param_type(0)))
                connection.pgconn.exec_(b"DEALLOCATE told")
            self.assertEqual(*told)

    def test_what_is_next_to_it_is_refused(self):
        self.assert_refused("SELECT id FROM people WHERE name = ANY ('{a}')", "SELECT id FROM people WHERE ssn = ANY ('{{a},{b}}')",
                            "SELECT id FROM people WHERE ssn = ANY (string_to_array('a,b', ','))",
                            "SELECT id FROM people WHERE ssn LIKE ANY ('{a}')", "SELECT id FROM people WHERE ssn = ANY (ARRAY['a', city])",
                            "SELECT id FROM people WHERE age = ANY (ARRAY[1, 2.5])")
        for statement in ("SELECT id FROM people WHERE ssn = ANY ('{a')", "SELECT id FROM people WHERE age = ANY ('{x}')"):
            veiled, plain = TABLES.answers(statement)
            self.assertEqual((veiled, plain), ("22P02", "22P02"))


class Mixtures(SameAnswers):
    def test_results_of_two_contexts(self):
        self.assert_same("SELECT COALESCE(a.name, p.name) FROM people p LEFT JOIN aliases a ON a.person = p.id ORDER BY p.id")
        self.assert_same("SELECT COALESCE(p.note, p.ssn, 'neither') FROM people p ORDER BY p.id")
        self.assert_same("SELECT COALESCE(name, note), COALESCE(note, email) FROM people ORDER BY id")
        self.assert_same("SELECT note FROM people WHERE id = 1 UNION ALL SELECT name FROM people WHERE id = 1")
        self.assert_same("SELECT CASE WHEN a.id = 1 THEN a.name ELSE p.name END FROM people p JOIN aliases a ON a.person = p.id ORDER BY 1"
                         .replace("ORDER BY 1", "ORDER BY p.id"))
        self.assert_same("SELECT s.x FROM (SELECT id, name AS x FROM people UNION ALL SELECT id + 10, name FROM aliases) s ORDER BY s.id")
        self.assert_same("SELECT name FROM people WHERE id = 1 UNION ALL SELECT name FROM aliases WHERE id = 1")
        self.assert_refused("SELECT DISTINCT x FROM (SELECT ssn AS x FROM people UNION ALL SELECT note FROM people) s",
                            "SELECT id FROM people WHERE COALESCE(ssn, note) = 'x'",
                            "SELECT name FROM people UNION SELECT name FROM aliases")

    def test_a_value_that_opens_as_none_is_an_error(self):
        with STACK.direct() as direct:
            direct.execute("INSERT INTO aliases (id, person, name) SELECT 77, 77, note FROM people WHERE id = 1")
        try:
            veiled, plain = TABLES.answers("SELECT COALESCE(a.name, p.name) FROM aliases a LEFT JOIN people p ON a.person = p.id "
                                           "WHERE a.id = 77")
            self.assertEqual(veiled, "XX001")
        finally:
            with STACK.direct() as direct:
                direct.execute("DELETE FROM aliases WHERE id = 77")


if __name__ == "__main__":
    unittest.main()
