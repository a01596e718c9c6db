"""Views defined and written through pgveil: the answers are those of PostgreSQL on plain tables."""

import signal
import time
import unittest

import psycopg

import clinic
from stack import Stack, run, wait_until

CANARY = "Kept Constant 4482"

# One statement after the other on both sides; the answers have to be the same.
DEFINED = [
    "CREATE VIEW w_people AS SELECT id, ssn AS number, name AS who, born, department FROM patients",
    "SELECT * FROM w_people ORDER BY id",
    "CREATE OR REPLACE VIEW w_people AS SELECT id, ssn AS number, name AS who, born, department, remark FROM patients",
    "SELECT remark, who FROM w_people ORDER BY id",
    "CREATE VIEW w_er (a, b, c) AS SELECT id, number, department FROM w_people WHERE department = 'ER' WITH CASCADED CHECK OPTION",
    "CREATE VIEW w_young WITH (security_barrier) AS SELECT id, ssn, born FROM patients WHERE born IS NOT NULL WITH LOCAL CHECK OPTION",
    "CREATE TEMP VIEW w_temporary AS SELECT p.ssn, v.reason FROM patients p JOIN visits v ON v.patient_ssn = p.ssn",
    "SELECT reason FROM w_temporary",
    "CREATE RECURSIVE VIEW w_steps (n, ssn) AS SELECT id, ssn FROM patients WHERE id = 1 UNION ALL"
    " SELECT p.id, p.ssn FROM w_steps s JOIN patients p ON p.id = s.n + 1",
    "SELECT n, ssn FROM w_steps ORDER BY n",
    "CREATE VIEW w_union AS SELECT ssn FROM patients UNION ALL SELECT patient_ssn FROM visits",
    "SELECT count(ssn) FROM w_union",
    "CREATE VIEW w_rows AS SELECT DISTINCT id, name FROM patients",
    "SELECT name, id FROM w_rows ORDER BY id",
    "CREATE VIEW w_latest AS SELECT id, GREATEST(born, born) AS day FROM patients",
    "SELECT id, day FROM w_latest ORDER BY id",
    "CREATE VIEW w_plain AS SELECT count(*) AS n, 'one' || 'two' AS word FROM patients WHERE id > 0",
    "SELECT * FROM w_plain",
    "CREATE MATERIALIZED VIEW x_people AS SELECT id, ssn, name FROM patients WITH NO DATA",
    "SELECT * FROM x_people",
    "REFRESH MATERIALIZED VIEW x_people",
    "SELECT * FROM x_people ORDER BY id",
    "CREATE UNIQUE INDEX ON x_people (id)",
    "CREATE INDEX x_people_ssn ON x_people (ssn)",
    "REFRESH MATERIALIZED VIEW CONCURRENTLY x_people",
    "ALTER MATERIALIZED VIEW x_people RENAME COLUMN ssn TO number",
    "SELECT name FROM x_people WHERE number = '120-44-7781'",
    "CREATE INDEX ON x_people USING hash (number)",
    "COMMENT ON VIEW w_people IS 'all of them'",
    "COMMENT ON COLUMN w_people.who IS 'their name'",
    "GRANT SELECT ON w_people TO PUBLIC",
    "REVOKE SELECT ON w_people FROM PUBLIC",
    "ALTER VIEW w_young RENAME TO w_dated",
    "SELECT id, born FROM w_dated ORDER BY born, id",
    "ALTER VIEW w_dated RENAME COLUMN born TO day",
    "SELECT id FROM w_dated WHERE day < '1985-01-01' ORDER BY day, id",
    "ALTER VIEW IF EXISTS w_none RENAME TO w_other",
    "CREATE SCHEMA shown",
    "ALTER VIEW w_dated SET SCHEMA shown",
    "SELECT ssn FROM shown.w_dated ORDER BY id",
    "ALTER VIEW shown.w_dated SET (security_barrier = false)",
    "ALTER VIEW shown.w_dated OWNER TO app",
    "ALTER VIEW w_people ALTER COLUMN department SET DEFAULT 'ER'",
    "ALTER VIEW w_people ALTER COLUMN who DROP DEFAULT",
    # writing
    "INSERT INTO w_people (id, number, who) VALUES (20, '700-00-0001', 'Ann Viewed') RETURNING *",
    "INSERT INTO w_people VALUES (21, '700-00-0002', 'Ben Viewed', '1999-12-31', 'PED', NULL), (22, '700-00-0003', 'Cy', NULL, NULL, 'r')",
    "SELECT id, ssn, name, born, department, remark FROM patients WHERE id > 19 ORDER BY id",
    "UPDATE w_people SET who = 'Ann Seen', born = '2000-01-01' WHERE number = '700-00-0001' RETURNING id, who, born, number",
    "UPDATE w_people w SET remark = 'known' FROM visits v WHERE v.patient_ssn = w.number RETURNING w.id, w.remark",
    "INSERT INTO w_people (id, number, who) VALUES (20, '700-00-0009', 'Ann Again')"
    " ON CONFLICT (id) DO UPDATE SET number = excluded.number, who = 'Ann Thrice' RETURNING id, number, who",
    "INSERT INTO w_people (id, number, who) VALUES (20, '700-00-0009', 'x') ON CONFLICT DO NOTHING",
    "INSERT INTO w_er (a, b, c) VALUES (23, '700-00-0004', 'PED')",
    "UPDATE w_er SET b = '700-00-0008' WHERE a = 20 RETURNING a, b",
    "UPDATE w_er SET c = 'PED' WHERE a = 20",
    "INSERT INTO w_people (id, number, who) SELECT id + 30, number, who FROM w_people WHERE id IN (21, 22) RETURNING *",
    # A view as the target of MERGE: since PostgreSQL 17.
    "MERGE INTO w_people w USING (VALUES (20), (60)) AS n (id) ON w.id = n.id AND w.number = '700-00-0008' WHEN MATCHED THEN UPDATE SET"
    " who = 'Ann Merged' WHEN NOT MATCHED THEN INSERT (id, number, who) VALUES (n.id + 1, '700-00-0005', 'Mia Merged')",
    "MERGE INTO w_er USING departments d ON w_er.c = d.code AND w_er.b = '700-00-0008' WHEN MATCHED THEN UPDATE SET c = 'PED'",
    "MERGE INTO w_union USING departments ON true WHEN MATCHED THEN DELETE",
    "MERGE INTO patients p USING w_people w ON p.ssn = w.number AND w.id = 21 WHEN MATCHED THEN UPDATE SET name = w.who, remark = 'm'",
    "WITH gone AS (DELETE FROM w_people WHERE id > 50 RETURNING number, id) SELECT * FROM gone ORDER BY id",
    "DELETE FROM w_people USING departments d WHERE d.code = department AND number = '700-00-0008' RETURNING who",
    "DELETE FROM w_people WHERE who IS NOT NULL AND id = 22",
    "SELECT id, ssn, name, born, department, remark FROM patients ORDER BY id",
    "INSERT INTO w_union VALUES ('x')",
    "UPDATE x_people SET name = 'x'",
    "UPDATE w_plain SET n = 1",
    "INSERT INTO w_people (id, nobody) VALUES (1, 2)",
    "DROP VIEW w_er, w_steps, w_temporary",
    "SELECT * FROM w_er",
    "DROP MATERIALIZED VIEW x_people",
    "DROP VIEW w_people CASCADE",
    "DROP VIEW w_people",
]

REFUSED = [
    f"CREATE VIEW z_constant AS SELECT id FROM patients WHERE ssn = '{CANARY}'",
    f"CREATE VIEW z_constant AS SELECT COALESCE(remark, '{CANARY}') AS r FROM patients",
    f"CREATE MATERIALIZED VIEW z_constant AS SELECT id FROM visits WHERE reason IN ('{CANARY}')",
    "CREATE VIEW z_null AS SELECT CASE WHEN id > 2 THEN name END AS n FROM patients",
    "CREATE VIEW z_null AS SELECT NULLIF(ssn, ssn) AS n FROM patients",
    "CREATE VIEW z_least AS SELECT min(born) AS m FROM patients",
    "CREATE VIEW z_least AS SELECT id FROM patients WHERE born = (SELECT max(born) FROM patients)",
    "CREATE VIEW z_cast AS SELECT ssn::varchar AS n FROM patients",
    "CREATE VIEW z_made AS SELECT upper(name) AS n FROM patients",
    "CREATE VIEW z_row AS SELECT p FROM patients p",
    "SELECT DISTINCT id, name FROM v_base",  # the table's key is no key of a view
    "CREATE VIEW z_mixed AS SELECT ssn AS t FROM patients UNION ALL SELECT remark FROM patients",
    "CREATE TEMP VIEW visits AS SELECT 1 AS one",
    "CREATE VIEW pgveil.mine AS SELECT 1 AS one",
    "ALTER VIEW v_base RENAME TO visits",
    "ALTER VIEW v_base SET SCHEMA pgveil",
    f"ALTER VIEW v_base ALTER COLUMN name SET DEFAULT '{CANARY}'",
    f"CREATE VIEW z_then AS SELECT ssn FROM patients; INSERT INTO z_then VALUES ('{CANARY}')",
    f"ALTER VIEW v_base RENAME TO v_next; INSERT INTO v_next (name) VALUES ('{CANARY}')",
    f"CREATE RULE elsewhere AS ON INSERT TO v_base DO ALSO INSERT INTO departments VALUES ('{CANARY}')",
    f"MERGE INTO v_base b USING departments d ON b.name = '{CANARY}' WHEN MATCHED THEN DELETE",
    "MERGE INTO v_base b USING departments d ON b.id = 1 WHEN MATCHED THEN UPDATE SET ssn = d.code",
    "TRUNCATE v_base",
    "COPY v_base FROM STDIN",
]


def setUpModule():
    global STACK
    STACK = Stack.start()
    STACK.never_logged = [*STACK.never_logged, CANARY]
    clinic.Clinic(STACK)
    for database in ("clinic", "clinic_plain"):
        with STACK.direct("app", database) as owner:
            owner.execute("CREATE VIEW v_base AS SELECT id, ssn, name FROM patients")


def tearDownModule():
    STACK.stop()


def answer(connection, sql, **form):
    """What a client sees of it: columns, rows and tag, or the error."""
    try:
        cursor = connection.execute(sql, **form)
    except psycopg.Error as error:
        return error.sqlstate, error.diag.message_primary
    if cursor.description is None:
        return cursor.statusmessage
    described = [(c.name, c.type_code, c.internal_size, c.precision, c.scale) for c in cursor.description]
    rows = cursor.fetchall()
    return cursor.statusmessage, described, rows if "ORDER BY" in sql else sorted(map(repr, rows))


class ViewChanges(unittest.TestCase):
    maxDiff = None

    def run_both(self, statements, **form):
        with STACK.connect() as veiled, STACK.direct("app", "clinic_plain") as plain:
            for connection in (veiled, plain):
                connection.execute("BEGIN")
            try:
                for sql in statements:
                    with self.subTest(sql=sql, **form):
                        answers = []
                        for connection in (veiled, plain):
                            connection.execute("SAVEPOINT s")
                            answers.append(answer(connection, sql, **form))
                            failed = connection.info.transaction_status == psycopg.pq.TransactionStatus.INERROR
                            connection.execute("ROLLBACK TO s" if failed else "RELEASE s")
                        self.assertEqual(*answers)
            finally:
                for connection in (veiled, plain):
                    connection.execute("ROLLBACK")

    def test_views_are_defined_and_written_as_over_plain_tables(self):
        self.run_both(DEFINED)
        self.run_both(DEFINED, prepare=True, binary=True)

    def test_parameters_reach_the_table(self):
        with STACK.connect() as connection, connection.transaction(force_rollback=True):
            connection.execute("INSERT INTO v_base (id, ssn, name) VALUES (%s, %s, %s)", [60, CANARY, "N"], prepare=True)
            self.assertEqual(connection.execute("SELECT ssn, name FROM patients WHERE ssn = %s", [CANARY]).fetchall(),
                             [(CANARY, "N")])
            connection.execute("UPDATE v_base SET name = %s WHERE ssn = %s", [CANARY, CANARY])
            self.assertEqual(connection.execute("SELECT name FROM patients WHERE id = 60").fetchall(), [(CANARY,)])

    def test_what_a_view_cannot_keep_is_refused_and_nothing_leaves(self):
        STACK.mark_server_log()
        for sql in REFUSED:
            with self.subTest(sql=sql), STACK.connect() as connection:
                with self.assertRaises(STACK.refusal_of(sql)):
                    connection.execute(sql)
        self.assertNotIn(CANARY, STACK.server_log_since_mark())

    def test_the_database_holds_envelopes_and_no_constant(self):
        with STACK.connect() as connection, connection.transaction(force_rollback=True):
            connection.execute("INSERT INTO v_base (id, ssn, name) VALUES (61, 'a', 'b')")
            (raw,) = connection.execute("SELECT count(*) FROM pg_stat_activity").fetchone()
            self.assertGreater(raw, 0)
            connection.execute("CREATE VIEW v_stored AS SELECT ssn FROM patients WHERE id = 61")
            (text,) = connection.execute("SELECT pg_get_viewdef('v_stored'::regclass)").fetchone()
            self.assertRegex(text, r"SELECT (patients\.)?ssn\s+FROM patients")  # from 16 on without the table

    def test_a_view_with_a_trigger_or_rule_is_not_written_through(self):
        """Where its values would go is not seen. Positive control: without the trigger the same statement is served."""
        statements = [f"INSERT INTO v_caught (id, ssn, name) VALUES (70, '{CANARY}', '{CANARY}')",
                      f"UPDATE v_caught SET name = '{CANARY}' WHERE id = 1", "DELETE FROM v_caught WHERE id = 1",
                      f"INSERT INTO v_outer (id, ssn, name) VALUES (70, '{CANARY}', '{CANARY}')"]
        STACK.superuser("CREATE VIEW v_caught AS SELECT id, ssn, name FROM patients; GRANT ALL ON v_caught TO PUBLIC;"
                        " CREATE VIEW v_outer AS SELECT * FROM v_caught; GRANT ALL ON v_outer TO PUBLIC", "clinic")
        self.addCleanup(STACK.superuser, "DROP VIEW v_caught CASCADE", "clinic")
        for sql in (statements[0], statements[3]):
            with STACK.connect() as connection, connection.transaction(force_rollback=True):
                connection.execute(sql)
        for make, undo in (
            ("CREATE FUNCTION v_catch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
             " CREATE TRIGGER catch INSTEAD OF INSERT ON v_caught FOR EACH ROW EXECUTE FUNCTION v_catch()",
             "DROP TRIGGER catch ON v_caught; DROP FUNCTION v_catch()"),
            ("CREATE RULE catch AS ON UPDATE TO v_caught DO ALSO NOTHING", "DROP RULE catch ON v_caught"),
        ):
            STACK.superuser(make, "clinic")
            time.sleep(1.1)  # limits.catalog_ttl_ms
            for sql in statements:
                with self.subTest(make=make, sql=sql), STACK.connect() as connection:
                    with self.assertRaisesRegex(psycopg.errors.FeatureNotSupported, "trigger or rule of its own"):
                        connection.execute(sql)
                    connection.execute("SELECT ssn FROM v_caught").fetchall()
            STACK.superuser(undo, "clinic")

    def test_mixed_contexts_are_not_read_from_a_view(self):
        """A constant would be sealed for one of the two columns only."""
        STACK.superuser("CREATE VIEW v_mixed AS SELECT born AS t FROM patients UNION ALL SELECT born FROM patients;"
                        " CREATE VIEW v_two AS SELECT ssn AS t FROM patients UNION ALL SELECT remark FROM patients;"
                        " GRANT SELECT ON v_mixed, v_two TO PUBLIC", "clinic")
        self.addCleanup(STACK.superuser, "DROP VIEW v_mixed, v_two", "clinic")
        with STACK.connect() as connection:
            connection.execute("SELECT t FROM v_mixed").fetchall()
            with self.assertRaisesRegex(psycopg.errors.FeatureNotSupported, "several contexts"):
                connection.execute(f"SELECT 1 FROM v_two WHERE t = '{CANARY}'")


class Pinned(unittest.TestCase):
    """A view that a hostile database replaces by a plain one would get constants as they are written."""

    def check(self, *arguments):
        return run([*STACK.as_owner(), STACK.dir / "bin" / "pgveil", "check", "--config", STACK.settings, *arguments])

    def reload(self):
        mark = len(STACK.proxy_log())
        STACK.signal_proxy(signal.SIGHUP)
        wait_until(lambda: "reloaded" in STACK.proxy_log()[mark:], "the reload")

    def behind_the_proxy(self, sql):
        STACK.superuser(sql, "clinic")
        time.sleep(1.1)  # limits.catalog_ttl_ms

    def answer(self, sql):
        with STACK.connect() as connection:
            return answer(connection, sql)

    def test_a_pinned_view_that_is_replaced_is_refused_until_pinned_again(self):
        secret = "Told To Nobody 11"
        original = "CREATE VIEW v_pin AS SELECT id, ssn, name FROM patients; GRANT ALL ON v_pin TO PUBLIC"
        replaced = ("DROP VIEW v_pin; CREATE VIEW v_pin AS SELECT id, code AS ssn, title AS name FROM"
                    " (SELECT 1 AS id, * FROM departments) d; GRANT ALL ON v_pin TO PUBLIC")
        restored = "DROP VIEW v_pin; " + original
        ask = f"SELECT id FROM v_pin WHERE ssn = '{secret}'"
        self.behind_the_proxy(original)
        self.addCleanup(self.behind_the_proxy, "DROP VIEW IF EXISTS v_pin")

        # The attack, on a view that is not pinned: positive control.
        self.behind_the_proxy(replaced)
        STACK.mark_server_log()
        self.assertEqual(self.answer(ask)[2], [])
        self.assertIn(secret, STACK.server_log_since_mark())

        # The cure.
        self.behind_the_proxy(restored)
        pins = STACK.dir / "policy.pins.json"
        done = self.check("--pin")
        self.addCleanup(self.reload)
        self.addCleanup(lambda: pins.unlink(missing_ok=True))
        self.assertIn(" views in ", done.stdout, done.stderr)
        self.assertIn("view v_pin sees it", done.stdout)
        self.assertNotIn("view v_pin sees it", self.check().stdout)
        self.reload()
        self.assertEqual(self.answer(ask)[2], [])
        STACK.mark_server_log()
        for change, undo in (
            (replaced, restored),
            ("DROP VIEW v_pin; CREATE TABLE v_pin (id int, ssn text, name text)", "DROP TABLE v_pin; " + original),
            ("CREATE OR REPLACE VIEW v_pin AS SELECT id, remark AS ssn, name FROM patients", restored),
            ("DROP VIEW v_pin", original),
        ):
            with self.subTest(change=change):
                self.behind_the_proxy(change)
                for sql in (ask, f"INSERT INTO v_pin (id, ssn) VALUES (80, '{secret}')", f"UPDATE v_pin SET name = '{secret}'"):
                    self.assertIn(self.answer(sql)[0], ("0A000", "42P01"))
                report = self.check().stdout
                self.assertIn("public.v_pin: ", report)
                self.assertEqual("view v_pin sees it" in report, "remark" in change)
                self.behind_the_proxy(undo)
                self.check("--pin")  # the query holds OIDs: a view that is made anew is another one
                self.reload()
                self.assertEqual(self.answer(ask)[2], [])
        self.assertNotIn(secret, STACK.server_log_since_mark())

        # Nor may another schema of the search_path bring one of that name.
        self.behind_the_proxy("CREATE SCHEMA first; GRANT ALL ON SCHEMA first TO PUBLIC; CREATE VIEW first.v_pin AS"
                              " SELECT 1 AS id, code AS ssn FROM departments; GRANT ALL ON first.v_pin TO PUBLIC")
        self.addCleanup(self.behind_the_proxy, "DROP SCHEMA first CASCADE")
        with STACK.connect() as connection:
            connection.execute("SET search_path = first, public")
            self.assertEqual(answer(connection, ask)[0], "0A000")
        self.assertNotIn(secret, STACK.server_log_since_mark())


if __name__ == "__main__":
    unittest.main()
