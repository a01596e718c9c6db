"""`pgveil rotate-data` over searchable columns: two tables of one context, with a foreign key, an order and a randomized column, get
another data key under load; at any moment predicates and joins say what a plain twin says. Killed at every stage, it goes on."""

import datetime
import json
import random
import subprocess
import threading
import time
import unittest

import psycopg

from operation import settings_of, write_settings
from stack import Stack, run, succeeded, wait_until

WHO = {"type": "text", "search": "equality", "context": "who"}
PEOPLE = {"columns": {"name": WHO, "town": {"type": "text"}}}
VISITS = {"columns": {"who": WHO, "day": {"type": "date", "search": "order"}, "note": {"type": "text"}}}
LATER = {"columns": {"who": WHO, "day": {"type": "date", "search": "order"}}}
POLICY = {"tables": {"public.people": PEOPLE, "public.visits": VISITS, "public.early": {"columns": {"who": WHO}}, "public.later": LATER},
          "migrating": ["public.people", "public.visits", "public.early", "public.later"]}
COLUMNS = (("people", "name"), ("people", "town"), ("visits", "who"), ("visits", "day"), ("visits", "note"))
PEOPLE_COUNT, VISIT_COUNT = 60, 300
EPOCH = datetime.date(2000, 1, 1)
STAGES = ("making", "rows to bring", "ALTER TABLE", "switching", "now")


def setUpModule():
    global STACK
    STACK = Stack.start(POLICY)
    write_settings(STACK, limits={**settings_of(STACK).get("limits", {}), "catalog_ttl_ms": 200})
    STACK.restart_proxy()
    succeeded(STACK.tenant_tool("user", "add", "mover", "--out", STACK.dir / "users", "--apply", STACK.url(), "--no-passphrase"))
    with STACK.connect() as connection:
        make_tables(connection)


def tearDownModule():
    STACK.stop()


def name_of(n):
    return f"name {n}"


def day_of(n):
    return EPOCH + datetime.timedelta(days=n)


def make_tables(connection):
    """Each with a twin that says the same in numbers."""
    connection.execute("CREATE TABLE people (id serial PRIMARY KEY, name text CONSTRAINT one_name UNIQUE, town text)")
    connection.execute("CREATE TABLE visits (id int PRIMARY KEY, who text REFERENCES people (name), day date, note text, changes int DEFAULT 0)")
    connection.execute("CREATE INDEX by_day ON visits (day)")
    connection.execute("CREATE VIEW seen WITH (security_barrier = true) AS SELECT id, who, day FROM visits WHERE id >= 0")
    connection.execute("CREATE VIEW towns AS SELECT s.id, p.town FROM seen s JOIN people p ON p.name = s.who")
    STACK.superuser("GRANT SELECT ON towns TO pgveil", "clinic")
    STACK.superuser("CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.changes := NEW.changes + 1; RETURN NEW; END'", "clinic")
    STACK.superuser("CREATE TRIGGER stamped BEFORE UPDATE ON visits FOR EACH ROW EXECUTE FUNCTION stamp()", "clinic")
    STACK.superuser("ALTER TABLE visits ENABLE ALWAYS TRIGGER stamped", "clinic")
    connection.execute("CREATE TABLE twin_people (n int UNIQUE)")
    connection.execute("CREATE TABLE twin_visits (id int PRIMARY KEY, n int, d int)")
    with connection.cursor() as cursor:
        cursor.executemany("INSERT INTO people (name, town) VALUES (%s, %s)", [(name_of(n), f"town {n}") for n in range(PEOPLE_COUNT)])
        cursor.executemany("INSERT INTO twin_people VALUES (%s)", [(n,) for n in range(PEOPLE_COUNT)])
        for n in range(VISIT_COUNT):
            cursor.execute("INSERT INTO visits (id, who, day, note) VALUES (%s, %s, %s, %s)", (n, name_of(n % 50), day_of(n), f"note {n}"))
            cursor.execute("INSERT INTO twin_visits VALUES (%s, %s, %s)", (n, n % 50, n))


def words(*options):
    users = STACK.dir / "users"
    return [*STACK.as_owner(), STACK.dir / "bin" / "pgveil", "rotate-data", "--config", STACK.settings, "--direct",
            STACK.url("direct", "postgres"), "--proxy", STACK.url(), "--key", users / "mover.user", "--app-share", users / "mover.app",
            *options]


def rotate(*options):
    return run(words(*options), timeout=240)


def make_next_key(key):
    """And waits until the home database has it, where rotate-data looks for it."""
    succeeded(STACK.tenant_tool("data-key", "new", "--apply", STACK.url()))
    wait_until(lambda: (key,) in STACK.superuser("SELECT key_id FROM pgveil.keyring", "pgveil_home"), "the mirror to follow")


def killed_at(text):
    """kill -9 when it says so; whether it lived until then."""
    child = subprocess.Popen([str(word) for word in words("--batch", "40")], stderr=subprocess.PIPE, text=True)
    with child:
        for line in child.stderr:
            if text in line:
                child.kill()
    return child.returncode == -9


def keys_of(table, column):
    """The key ids that values stand under, as the database has them."""
    rows = STACK.superuser(f"SELECT DISTINCT get_byte({column}::bytea, 5) FROM {table} WHERE {column} IS NOT NULL ORDER BY 1", "clinic")
    return [row[0] for row in rows]


COMPARED = """SELECT
    (SELECT count(*) FROM visits v JOIN people p ON v.who = p.name), (SELECT count(*) FROM twin_visits v JOIN twin_people p USING (n)),
    (SELECT count(*) FROM visits WHERE who = %s), (SELECT count(*) FROM twin_visits WHERE n = %s),
    (SELECT count(*) FROM visits WHERE day < %s), (SELECT count(*) FROM twin_visits WHERE d < %s),
    (SELECT count(*) FROM people WHERE name IN (SELECT who FROM visits)), (SELECT count(*) FROM twin_people WHERE n IN (SELECT n FROM twin_visits)),
    (SELECT count(*) FROM seen WHERE who = %s), (SELECT count(*) FROM twin_visits WHERE n = %s),
    (SELECT count(*) FROM towns), (SELECT count(*) FROM twin_visits v JOIN twin_people p USING (n))"""


def compared(n):
    return name_of(n), n, day_of(3 * n), 3 * n, name_of(n), n


class Load(threading.Thread):
    """An application. What is refused did nothing: it connects anew and goes on."""

    def __init__(self, seed):
        super().__init__()
        self.ends, self.done, self.failed, self.random, self.trouble = threading.Event(), 0, {}, random.Random(seed), []

    def run(self):
        while not self.ends.is_set():
            try:
                with STACK.connect(autocommit=False) as connection:
                    while not self.ends.is_set():
                        self.step(connection)
                        connection.commit()
                        self.done += 1
            except psycopg.Error as error:
                self.failed[error.sqlstate] = self.failed.get(error.sqlstate, 0) + 1
                time.sleep(0.02)

    def finish(self):
        self.ends.set()
        self.join()


class Writer(Load):
    def step(self, connection):
        n, visit = self.random.randrange(50), 1000 + self.done
        if self.done % 3 == 0:
            into = ("visits", "seen")[self.done % 2]
            connection.execute(f"INSERT INTO {into} (id, who, day) VALUES (%s, %s, %s)", (visit, name_of(n), day_of(n)))
            connection.execute("INSERT INTO twin_visits VALUES (%s, %s, %s)", (visit, n, n))
        elif self.done % 3 == 1:
            changed = connection.execute("UPDATE visits SET who = %s WHERE day = %s", (name_of(n), day_of(n + 1))).rowcount
            twins = connection.execute("UPDATE twin_visits SET n = %s WHERE d = %s", (n, n + 1)).rowcount
            self.compare(changed, twins)
        else:
            deleted = connection.execute("DELETE FROM visits WHERE who = %s AND day > %s", (name_of(n), day_of(250))).rowcount
            self.compare(deleted, connection.execute("DELETE FROM twin_visits WHERE n = %s AND d > 250", (n,)).rowcount)

    def compare(self, changed, twins):
        if changed != twins:
            self.trouble.append((self.done, changed, twins))


class Reader(Load):
    def step(self, connection):
        n = self.random.randrange(50)
        row = connection.execute(COMPARED, compared(n)).fetchone()
        if row[0::2] != row[1::2] or row[0] == 0:
            self.trouble.append(row)


class Rotation(unittest.TestCase):
    """One story: its steps need each other."""

    def test_searchable_columns_get_another_key_under_load(self):
        make_next_key(2)
        self.a_table_made_before_the_switch_waits_for_it()
        self.what_is_in_the_way_is_named()
        report = self.under_load_and_killed()
        self.all_stand_under(2)
        self.constraints_and_indexes_hold()
        self.views_and_triggers_hold()
        former = self.former_value
        self.assertTrue(self.opens(former), "the control: before the end of its key it opens")
        self.a_table_made_now_begins_under_the_next_key()
        succeeded(STACK.tenant_tool("data-key", "retire", "--report", report, "--apply", STACK.url()))
        wait_until(lambda: self.opens_now(), "the proxy to know the keyring")
        self.assertFalse(self.opens(former))
        self.says_what_the_twin_says()
        self.later_tables_join()
        self.once_more()

    def what_is_in_the_way_is_named(self):
        STACK.superuser("CREATE MATERIALIZED VIEW kept AS SELECT id FROM visits", "clinic")
        planned = rotate("--plan")
        self.assertEqual(planned.returncode, 2, planned.stderr)
        self.assertIn("public.visits: view kept uses it, and is materialized", planned.stdout)
        held = rotate()
        self.assertEqual(held.returncode, 1, held.stderr)
        self.assertIn("in the way: public.visits: view kept uses it, and is materialized", held.stderr)
        self.assertIn("new values of the searchable column public.people.name still come under the former key", held.stderr)
        self.assertEqual(keys_of("people", "name"), [1])
        STACK.superuser("DROP MATERIALIZED VIEW kept", "clinic")
        planned = rotate("--plan")
        self.assertEqual(planned.returncode, 0, planned.stderr)
        self.assertIn("together: public.people public.visits", planned.stdout)
        ((self.former_value,),) = STACK.superuser("SELECT name::bytea FROM people WHERE id = 55", "clinic")

    def under_load_and_killed(self):
        report = STACK.dir / "users" / "rotated.json"
        load = [Writer(1), Reader(2), Reader(3)]
        for one in load:
            one.start()
        try:
            wait_until(lambda: all(one.done > 5 for one in load), "the load")
            killed = [killed_at(stage) for stage in STAGES]
            before = [one.done for one in load]
            done = rotate("--report", report)
            self.assertEqual(done.returncode, 0, done.stderr)
            wait_until(lambda: all(one.done > then + 5 for one, then in zip(load, before)), "the load to go on")
        finally:
            for one in load:
                one.finish()
        print(f"killed at {sum(killed)} stages; {[one.done for one in load]} transactions, failed: {[one.failed for one in load]}")
        self.assertGreater(sum(killed), 2, killed)
        for one in load:
            self.assertEqual(one.trouble, [])
            self.assertLessEqual(set(one.failed), {"42P01", "0A000", "40P01", "23514", "42804", "XX001", None}, one.failed)
        return report

    def all_stand_under(self, key):
        for table, column in COLUMNS:
            self.assertEqual(keys_of(table, column), [key], (table, column))
        left = STACK.superuser("SELECT relname FROM pg_class WHERE relname ~ '__(veiled|plain|marks)$'", "clinic")
        self.assertEqual(left, [])
        self.says_what_the_twin_says()

    def says_what_the_twin_says(self):
        with STACK.connect() as connection:
            for n in range(0, 50, 7):
                row = connection.execute(COMPARED, compared(n)).fetchone()
                self.assertEqual(row[0::2], row[1::2])
                self.assertGreater(row[0], 0)
            visits = connection.execute("SELECT id, who, day FROM visits ORDER BY id").fetchall()
            twins = connection.execute("SELECT id, n, d FROM twin_visits ORDER BY id").fetchall()
            self.assertEqual(visits, [(number, name_of(n), day_of(d)) for number, n, d in twins])
            ordered = [day for day, in connection.execute("SELECT day FROM visits ORDER BY day")]
            self.assertEqual(ordered, sorted(ordered))

    def constraints_and_indexes_hold(self):
        with STACK.connect() as connection:
            with self.assertRaises(psycopg.errors.UniqueViolation) as twice:
                connection.execute("INSERT INTO people (name) VALUES ('name 7')")
            self.assertEqual(twice.exception.diag.constraint_name, "one_name")
            with self.assertRaises(psycopg.errors.ForeignKeyViolation):
                connection.execute("INSERT INTO visits (id, who) VALUES (-1, 'nobody')")
            connection.execute("INSERT INTO people (town) VALUES ('the next number')")
        names = [name for name, in STACK.superuser("SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = 'visits'::regclass ORDER BY 1", "clinic")]
        self.assertEqual(names, ["by_day", "visits_pkey"])
        with self.assertRaises(psycopg.errors.CheckViolation):  # whoever still has the former key in mind
            STACK.superuser(f"UPDATE people SET name = '\\x{self.former_value.hex()}'::bytea WHERE id = 55", "clinic")

    def views_and_triggers_hold(self):
        self.assertEqual(STACK.superuser("SELECT reloptions, has_table_privilege('pgveil', 'towns', 'SELECT') FROM pg_class WHERE relname = 'seen'", "clinic"),
                         [(["security_barrier=true"], True)])
        self.assertEqual(STACK.superuser("SELECT tgenabled FROM pg_trigger WHERE tgname = 'stamped' AND tgrelid = 'visits'::regclass", "clinic"), [("A",)])
        with STACK.connect() as connection:
            before, = connection.execute("SELECT changes FROM visits WHERE id = 3").fetchone()
            connection.execute("UPDATE seen SET day = day WHERE id = 3")
            self.assertEqual(connection.execute("SELECT changes FROM visits WHERE id = 3").fetchone(), (before + 1,))

    def opens(self, former):
        """Whether the former envelope does, put back by the DBA past the constraint."""
        ((now, check),) = STACK.superuser(
            "SELECT name::bytea, (SELECT conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'people'::regclass "
            "AND conname LIKE 'pgveil_key:%') FROM people WHERE id = 55", "clinic")
        name, definition = check.split(" ", 1)
        STACK.superuser(f'ALTER TABLE people DROP CONSTRAINT "{name}"', "clinic")
        STACK.superuser(f"UPDATE people SET name = '\\x{former.hex()}'::bytea WHERE id = 55", "clinic")
        try:
            with STACK.connect() as connection:
                return connection.execute("SELECT name FROM people WHERE id = 55").fetchone() == (name_of(54),)
        except psycopg.errors.DataCorrupted:
            return False
        finally:
            STACK.superuser(f"UPDATE people SET name = '\\x{now.hex()}'::bytea WHERE id = 55", "clinic")
            STACK.superuser(f'ALTER TABLE people ADD CONSTRAINT "{name}" {definition}', "clinic")

    def opens_now(self):
        try:
            with STACK.connect() as connection:
                return connection.execute("SELECT name FROM people WHERE id = 1").fetchone() is not None
        except psycopg.errors.InvalidAuthorizationSpecification:
            return False

    def a_table_made_before_the_switch_waits_for_it(self):
        with STACK.connect() as connection:
            connection.execute("CREATE TABLE early (id int PRIMARY KEY, who text)")
            connection.execute("INSERT INTO early VALUES (1, 'name 3')")
            with self.assertRaises(psycopg.errors.FeatureNotSupported):
                connection.execute("SELECT p.town FROM early e JOIN people p ON p.name = e.who")
        self.assertEqual((keys_of("early", "who"), keys_of("people", "name")), ([2], [1]))

    def a_table_made_now_begins_under_the_next_key(self):
        """Between the report and the end of the former key, too: nothing of it dies with that."""
        with STACK.connect() as connection:
            connection.execute("CREATE TABLE later (id int PRIMARY KEY, who text REFERENCES people (name))")
            connection.execute("ALTER TABLE later ADD COLUMN day date")
            connection.execute("INSERT INTO later VALUES (1, 'name 3', '2000-01-04')")
        checked = rotate("--check")
        self.assertEqual(checked.returncode, 0, checked.stderr)
        self.later_tables_join()

    def later_tables_join(self):
        for table in ("early", "later"):
            with STACK.connect() as connection:
                found = connection.execute(f"SELECT p.town FROM {table} l JOIN people p ON p.name = l.who").fetchall()
                self.assertEqual(found, [("town 3",)], table)
        with STACK.connect() as connection:
            found = connection.execute("SELECT id FROM later WHERE day < '2000-02-01'").fetchall()
            self.assertEqual(found, [(1,)])

    def once_more(self):
        """Four tables of the context now, all of which name a key already."""
        make_next_key(3)
        report = STACK.dir / "users" / "again.json"
        done = rotate("--report", report)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("clinic", json.loads(report.read_text())["databases"])
        self.all_stand_under(3)
        self.assertEqual(keys_of("later", "who"), [3])
        succeeded(STACK.tenant_tool("data-key", "retire", "--report", report, "--apply", STACK.url()))
        wait_until(lambda: self.opens_now(), "the proxy to know the keyring")
        self.says_what_the_twin_says()


if __name__ == "__main__":
    unittest.main()
