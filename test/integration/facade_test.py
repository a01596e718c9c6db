"""The catalog, as tools read it through pgveil, against the same tables made plain in the same server."""

import pathlib
import re
import tempfile
import unittest

import psycopg

import facade
from stack import Stack, run


def setUpModule():
    global STACK, SCHOOLS, FOLDER
    FOLDER = tempfile.TemporaryDirectory()
    policy = pathlib.Path(FOLDER.name) / "policy.json"
    policy.write_text(facade.POLICY)
    pathlib.Path(FOLDER.name).chmod(0o755)
    STACK = Stack.start(policy)
    SCHOOLS = facade.TwoSchools(STACK)


def tearDownModule():
    STACK.stop()
    FOLDER.cleanup()


def literal(text):
    return "'" + text.replace("'", "''") + "'"


def beyond_psql():
    """Commands for which psql asks in its own version's way: they fail on plain tables, too, where the server is newer."""
    server = int(STACK.superuser("SHOW server_version_num")[0][0]) // 10000
    client = int(re.search(r"(\d+)", run(["psql", "--version"]).stdout).group(1))
    return [r"\l"] if server > 16 > client else []


class Facade(unittest.TestCase):
    maxDiff = None

    def assert_same_output(self, script):
        """But for the numbers of temporary schemas, which are those of connections."""
        veiled, plain = (re.sub(r"temp_\d+ *", "temp ", output) for output in SCHOOLS.answers(script))
        self.assertEqual(veiled, plain)
        return plain

    def test_the_database_itself_shows_ciphertext(self):
        """Positive control: without pgveil in between the same queries show something else."""
        with STACK.direct() as direct:
            rows = direct.execute("SELECT DISTINCT format_type(atttypid, atttypmod) FROM pg_attribute"
                                  " WHERE attrelid = 'letters'::regclass AND attname = 'body'").fetchall()
            checks = direct.execute("SELECT count(*) FROM pg_constraint WHERE conname LIKE 'pgveil%'").fetchone()[0]
        self.assertEqual(rows, [("pgveil.ciphertext",)])
        self.assertEqual(checks, 13)

    def test_psql_commands_are_the_same(self):
        for command in facade.PSQL:
            with self.subTest(command):
                plain = self.assert_same_output(command + "\n")
                if command not in beyond_psql():
                    self.assertNotIn("ERROR", plain)

    def test_queries_of_tools_are_the_same_in_psql(self):
        for name, query in facade.QUERIES.items():
            for table in facade.TABLES:
                with self.subTest(name, table=table):
                    plain = self.assert_same_output(query % {"t": literal(table)} + ";\n")
                    self.assertNotIn("ERROR", plain)

    def test_queries_of_tools_are_the_same_in_the_extended_protocol(self):
        with STACK.connect() as veiled, psycopg.connect(SCHOOLS.plain_url, autocommit=True) as plain:
            for name, query in facade.QUERIES.items():
                for table in facade.TABLES:
                    for prepare in (None, True):
                        with self.subTest(name, table=table, prepare=prepare):
                            self.assertEqual(self.fetched(veiled, query, table, prepare),
                                             self.fetched(plain, query, table, prepare))

    @staticmethod
    def fetched(connection, query, table, prepare):
        cursor = connection.execute(query, {"t": table}, prepare=prepare)
        description = [(column.name, column.type_code) for column in cursor.description]
        return description, str(cursor.fetchall()).replace("plains", "clinic")

    def test_positions_of_errors_point_into_the_users_text(self):
        plain = self.assert_same_output(r"\set VERBOSITY default" "\n"
                                        "SELECT attname FROM pg_attribute WHERE nothing = 1;\n"
                                        "SELECT pg_catalog.pg_type.nothing FROM pg_catalog.pg_type;\n"
                                        "SELECT a.attname FROM pg_attribute a JOIN pg_type t ON a.nope = t.oid;\n")
        self.assertEqual(plain.count("^"), 3)

    def test_system_columns_are_there_where_named(self):
        for query in ("SELECT tableoid::regclass, nspname FROM pg_namespace WHERE nspname = 'public'",
                      "SELECT a.tableoid::regclass, c.tableoid::regclass, c.xmin IS NULL, a.ctid IS NULL"
                      " FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE c.relname = 'letters' LIMIT 1"):
            with self.subTest(query):
                self.assertNotIn("ERROR", self.assert_same_output(query + ";\n"))
        veiled, _ = SCHOOLS.answers("SELECT ctid, * FROM pg_type;\n")
        self.assertIn("0A000", veiled)

    def test_cursors_copies_and_prepared_statements_read_it_as_well(self):
        query = facade.QUERIES["Django, columns"] % {"t": "'letters'"}
        plain = self.assert_same_output(f"BEGIN; DECLARE c CURSOR FOR {query}; FETCH ALL FROM c; COMMIT;\n"
                                        f"PREPARE p AS {query}; EXECUTE p; COPY ({query}) TO STDOUT;\n"
                                        f"CREATE TEMP TABLE x AS {query}; SELECT * FROM x;\n")
        self.assertNotIn("ERROR", plain)

    def test_all_columns_of_a_relation_have_names_and_order_of_the_server(self):
        for relation in ("pg_attribute", "pg_attrdef", "pg_class", "pg_constraint", "pg_namespace", "pg_type", "pg_tables",
                         "pg_indexes", "information_schema.columns", "information_schema.domains",
                         "information_schema.usage_privileges", "information_schema.column_privileges",
                         "information_schema.table_privileges", "information_schema.role_table_grants",
                         "information_schema.domain_udt_usage", "pg_views"):
            with self.subTest(relation):
                self.assert_same_output(f"SELECT * FROM {relation} LIMIT 0 \\gdesc\n")

    def test_what_a_sub_select_cannot_do(self):
        """And what functions of the server show past it."""
        with STACK.connect() as connection:
            with self.assertRaises(psycopg.errors.GroupingError):
                connection.execute("SELECT c.relname FROM pg_class c GROUP BY c.oid")
            with self.assertRaises(psycopg.errors.FeatureNotSupported):
                connection.execute("SELECT tableoid FROM pg_class NATURAL JOIN pg_namespace")
            result = connection.execute("SELECT atttypid, attrelid FROM pg_attribute LIMIT 1").pgresult
            self.assertEqual((result.ftable(0), result.ftable(1)), (0, 1249))
            for sql, shown in (("SELECT pg_typeof(c)::text FROM pg_class c LIMIT 1", "record"),
                               ("SELECT 'pgveil'::regnamespace::text", "pgveil")):
                self.assertEqual(connection.execute(sql).fetchone(), (shown,), sql)
        STACK.superuser("ALTER ROLE app SUPERUSER")
        self.addCleanup(STACK.superuser, "ALTER ROLE app NOSUPERUSER")
        with STACK.connect() as connection:
            connection.execute("SELECT relname FROM pg_class LIMIT 1 FOR UPDATE")
            with self.assertRaises(psycopg.errors.FeatureNotSupported):
                connection.execute("SELECT attname FROM pg_attribute LIMIT 1 FOR UPDATE")

    def test_a_column_that_a_view_chooses_stays_encrypted(self):
        with STACK.connect() as connection, connection.transaction(force_rollback=True):
            connection.execute("CREATE VIEW chosen AS SELECT COALESCE(ssn, ssn) AS c, ssn FROM letters")
            rows = connection.execute("SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid ="
                                      " 'chosen'::regclass ORDER BY attnum").fetchall()
            self.assertEqual(rows, [("c", "pgveil.ciphertext"), ("ssn", "text")])

    def test_partitions_show_what_their_parent_shows(self):
        STACK.superuser("CREATE SCHEMA years; GRANT USAGE ON SCHEMA years TO PUBLIC; CREATE TABLE years.replies (id int, letter_ssn pgveil.ciphertext, day"
                        " pgveil.ciphertext) PARTITION BY LIST (id); CREATE TABLE years.one PARTITION OF years.replies"
                        " FOR VALUES IN (1) PARTITION BY LIST (id); CREATE TABLE years.leaf PARTITION OF years.one"
                        " DEFAULT; CREATE INDEX by_day ON years.replies (day)", "clinic")
        for relation in ("replies", "one", "leaf", "by_day", "leaf_day_idx"):
            with self.subTest(relation), STACK.connect() as connection:
                rows = connection.execute("SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid ="
                                          f" 'years.{relation}'::regclass AND attname = 'day'").fetchall()
                self.assertEqual(rows, [("date",)])
        STACK.superuser("DROP SCHEMA years CASCADE", "clinic")

    def test_a_column_without_entry_stays_what_it_is(self):
        STACK.superuser("CREATE TABLE stray (secret pgveil.ciphertext)", "clinic")
        with STACK.connect() as connection:
            rows = connection.execute("SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid ="
                                      " 'stray'::regclass AND attname = 'secret'").fetchall()
        self.assertEqual(rows, [("pgveil.ciphertext",)])
        STACK.superuser("DROP TABLE stray", "clinic")

    def test_a_database_without_protected_tables_looks_the_same(self):
        STACK.superuser("CREATE DATABASE bare OWNER app")
        query = "SELECT * FROM information_schema.columns ORDER BY table_schema, table_name, ordinal_position"
        with STACK.connect(database="bare") as veiled, STACK.direct(database="bare") as plain:
            self.assertEqual(veiled.execute(query).fetchall(), plain.execute(query).fetchall())

    def test_a_writer_of_catalogs_reaches_them(self):
        STACK.superuser("ALTER ROLE app SUPERUSER")
        self.addCleanup(STACK.superuser, "ALTER ROLE app NOSUPERUSER")
        with STACK.connect() as connection:
            done = connection.execute("UPDATE pg_class SET relpages = relpages WHERE relname = 'other'")
            self.assertEqual(done.statusmessage, "UPDATE 1")

    def test_other_settings_of_the_session_change_nothing(self):
        self.assert_same_output("SET standard_conforming_strings = off; SET client_encoding = 'LATIN1';\n"
                                "SET search_path = public, attic, pg_catalog;\n" + r"\d+ letters" "\n")


if __name__ == "__main__":
    unittest.main()
