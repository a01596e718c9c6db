"""`pgveil rotate-data` with the real programs: another data key for a key group while an application writes, `kill -9`
in the middle, and the end of the former key. Both halves of what docs/SECURITY.md says of it."""

import datetime
import json
import random
import subprocess
import threading
import unittest

import psycopg

from stack import Stack, run, succeeded, wait_until

NOTES = {"columns": {"body": {"type": "text"}, "doc": {"type": "jsonb", "pad_to": 64}, "own": {"type": "text", "bind_to": ["id"]},
                     "due": {"type": "timestamptz[]"}}}
PEOPLE = {"columns": {"name": {"type": "text", "search": "equality"}, "town": {"type": "text"}}}
POLICY = {"tables": {"public.notes": NOTES, "public.people": PEOPLE, "public.parts": {"columns": {"body": {"type": "text"}}}}}
ROWS = 600
DUE = [datetime.datetime(2001, 2, 3, 4, 5, 6, 700000, datetime.timezone.utc), None]
FORMER, NEXT = 1, 2  # key ids


def setUpModule():
    global STACK
    STACK = Stack.start(POLICY)
    succeeded(STACK.tenant_tool("user", "add", "mover", "--out", STACK.dir / "users", "--apply", STACK.url(), "--no-passphrase"))
    with STACK.connect() as connection:
        connection.execute("CREATE TABLE notes (id int PRIMARY KEY, body text, doc jsonb, own text, due timestamptz[], seen int DEFAULT 0)")
        connection.execute("CREATE TABLE people (name text UNIQUE, town text)")
        connection.execute("CREATE TABLE parts (id int, body text) PARTITION BY RANGE (id)")
        for n in range(2):
            connection.execute(f"CREATE TABLE parts_{n} PARTITION OF parts FOR VALUES FROM ({n * 50}) TO ({n * 50 + 50})")
        with connection.cursor() as cursor:
            cursor.executemany("INSERT INTO notes (id, body, doc, own, due) VALUES (%s, %s, %s, %s, %s)",
                               [(n, body_of(n), json.dumps({"n": n}), f"own {n}", DUE) for n in range(ROWS)])
            cursor.executemany("INSERT INTO parts VALUES (%s, %s)", [(n, f"part {n}") for n in range(100)])
            cursor.executemany("INSERT INTO people VALUES (%s, %s)", [(f"name {n}", f"town {n}") for n in range(20)])


def tearDownModule():
    STACK.stop()


def body_of(n):
    return None if n % 10 == 3 else "" if n % 10 == 4 else f"it's {n}\n\\"


def words(*options):
    users = STACK.dir / "users"
    return [*STACK.as_owner(), STACK.dir / "bin" / "pgveil", "rotate-data", "--config", STACK.settings, "--direct",
            STACK.url("direct", "postgres"), "--proxy", STACK.url(), "--key", users / "mover.user", "--app-share", users / "mover.app",
            *options]


def rotate(*options):
    return run(words(*options))


def killed_in_the_middle():
    """kill -9 as soon as some rows stand under the next key, and some do not."""
    child = subprocess.Popen([str(word) for word in words("notes", "--batch", "20", "--rows-per-second", "400")],
                             stderr=subprocess.PIPE, text=True)
    with child:
        wait_until(lambda: child.poll() is not None or keys_of("notes", "body").get(NEXT, 0) > 60, "some rows")
        child.kill()
        said = child.stderr.read()
    return child.returncode, said


def keys_of(table, column):
    """Key id to number of values, as the database has them."""
    rows = STACK.superuser(f"SELECT get_byte({column}::bytea, 5), count(*) FROM {table} WHERE {column} IS NOT NULL GROUP BY 1", "clinic")
    return dict(rows)


def stored(n):
    ((cell,),) = STACK.superuser(f"SELECT body::bytea FROM notes WHERE id = {n}", "clinic")
    return cell


def put(n, cell):
    STACK.superuser(f"UPDATE notes SET body = '\\x{cell.hex()}'::bytea WHERE id = {n}", "clinic")


def read(n):
    with STACK.connect() as connection:
        return connection.execute("SELECT body FROM notes WHERE id = %s", (n,)).fetchone()[0]


def opens(n):
    try:
        read(n)
        return True
    except psycopg.errors.InvalidAuthorizationSpecification:  # the "0" was not read yet
        return False


def mirror():
    return STACK.superuser("SELECT key_group, key_id, version, entry FROM pgveil.keyring ORDER BY key_id", "pgveil_home")


class Writer(threading.Thread):
    """An application that goes on writing and knows what has to be there."""

    def __init__(self):
        super().__init__()
        self.ends, self.count, self.random = threading.Event(), 0, random.Random(5)
        self.bodies = {n: body_of(n) for n in range(ROWS)}

    def run(self):
        with STACK.connect() as connection:
            while not self.ends.is_set():
                n, body = self.random.randrange(ROWS), f"written {self.count}"
                if self.count % 5 == 0:
                    n = len(self.bodies)
                    connection.execute("INSERT INTO notes (id, body, own) VALUES (%s, %s, %s)", (n, body, "own new"))
                elif self.count % 5 == 1:  # the row moves, its values stay as they are
                    connection.execute("UPDATE notes SET seen = seen + 1 WHERE id = %s", (n,))
                    body = self.bodies[n]
                else:
                    connection.execute("UPDATE notes SET body = %s WHERE id = %s", (body, n))
                self.bodies[n] = body
                self.count += 1


class Rotation(unittest.TestCase):
    """One story: its steps need each other."""

    def test_P9_another_data_key_under_load_and_the_end_of_the_former_one(self):
        first, old_mirror = stored(1), mirror()
        self.without_a_next_key()
        self.a_next_key_is_for_new_values_that_nobody_searches_for()
        self.under_load()
        self.what_is_searchable_and_has_something_in_the_way_is_named_and_keeps_its_key()
        report = self.an_old_copy_still_opens_and_holds_up_the_report(first)
        succeeded(STACK.tenant_tool("data-key", "retire", "--report", report, "--apply", STACK.url()))
        self.the_former_key_opens_nothing(first)
        self.an_old_keyring_put_back_by_the_dba_is_refused(first, old_mirror)

    def without_a_next_key(self):
        done = rotate()
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("pgveil-tenant data-key new --group default", done.stderr)
        checked = rotate("--check")
        self.assertEqual(checked.returncode, 1, checked.stderr)
        self.assertIn("20 under the former key in column public.people.name", checked.stderr)
        unknown = rotate("--check", "--report", STACK.dir / "users" / "mover.app")
        self.assertEqual(unknown.returncode, 2, unknown.stderr)

    def a_next_key_is_for_new_values_that_nobody_searches_for(self):
        succeeded(STACK.tenant_tool("data-key", "new", "--apply", STACK.url()))
        self.assertIn(f"key id {FORMER}, next {NEXT}", succeeded(STACK.tenant_tool("group", "list")))
        with STACK.connect() as connection:
            connection.execute("INSERT INTO people VALUES ('Quendolin', 'Rovelstadt')")
            found = connection.execute("SELECT town FROM people WHERE name = 'Quendolin'").fetchall()
            self.assertEqual(found, [("Rovelstadt",)])
        self.assertEqual(keys_of("people", "name"), {FORMER: 21})
        self.assertEqual(keys_of("people", "town"), {FORMER: 20, NEXT: 1})

    def under_load(self):
        writer = Writer()
        writer.start()
        try:
            status, said = killed_in_the_middle()
            self.assertEqual(status, -9, said)
            mixed = keys_of("notes", "body")
            self.assertGreater(mixed.get(FORMER, 0), 0, "the control: it was killed in the middle")
            self.assertGreater(mixed.get(NEXT, 0), 0)
            before = writer.count
            self.assertEqual(rotate("notes", "public.parts").returncode, 1)  # people is left
        finally:
            writer.ends.set()
            writer.join()
        self.assertGreater(writer.count, before)
        for column in ("body", "doc", "own", "due"):
            self.assertEqual(list(keys_of("notes", column)), [NEXT], column)
        self.assertEqual(keys_of("parts", "body"), {NEXT: 100})
        with STACK.connect() as connection:
            self.assertEqual(dict(connection.execute("SELECT id, body FROM notes").fetchall()), writer.bodies)
            for n, doc, own, due in connection.execute("SELECT id, doc, own, due FROM notes WHERE id < %s", (ROWS,)):
                self.assertEqual((doc, own, due), ({"n": n}, f"own {n}", DUE))

    def what_is_searchable_and_has_something_in_the_way_is_named_and_keeps_its_key(self):
        report = STACK.dir / "users" / "early.json"
        done = rotate("--report", report)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("database clinic: 21 under the former key in column public.people.name", done.stderr)
        self.assertIn('in the way: public.people: the policy does not list it under "migrating"', done.stderr)
        self.assertFalse(report.exists())
        self.assertEqual(keys_of("people", "town"), {NEXT: 21})
        with STACK.connect() as connection:
            self.assertEqual(connection.execute("SELECT town FROM people WHERE name = 'name 7'").fetchone(), ("town 7",))
        STACK.superuser("DROP TABLE people", "clinic")

    def an_old_copy_still_opens_and_holds_up_the_report(self, first):
        """The control, and what rotate-data does not give: whoever has the old keyring reads an old dump."""
        now = stored(1)
        put(1, first)
        self.assertEqual(read(1), body_of(1))
        checked = rotate("--check")
        self.assertEqual(checked.returncode, 1)
        self.assertIn("1 under the former key in column public.notes.body", checked.stderr)
        put(1, now)
        report = STACK.dir / "users" / "rotated.json"
        done = rotate("--report", report)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("no value of key group default is left under a former key", done.stderr)
        self.assertIn("clinic", json.loads(report.read_text())["databases"])
        return report

    def the_former_key_opens_nothing(self, first):
        wait_until(lambda: [row[1] for row in mirror()] == [NEXT], "the mirror to follow")
        wait_until(lambda: opens(2), "the proxy to read it")
        self.assert_destroyed(first)
        self.assertNotEqual(STACK.tenant_tool("data-key", "retire", "--report", STACK.dir / "users" / "rotated.json").returncode, 0)

    def an_old_keyring_put_back_by_the_dba_is_refused(self, first, old_mirror):
        STACK.superuser("DELETE FROM pgveil.keyring", "pgveil_home")
        for group, key_id, version, entry in old_mirror:
            STACK.superuser(f"INSERT INTO pgveil.keyring VALUES ('{group}', {key_id}, {version}, '{entry}')", "pgveil_home")
        STACK.restart_proxy()
        self.assertEqual([row[1] for row in mirror()], [NEXT])
        self.assertIn("somebody changed pgveil.keyring", STACK.proxy_log())
        self.assert_destroyed(first)

    def assert_destroyed(self, first):
        now = stored(1)
        put(1, first)
        with self.assertRaises(psycopg.Error) as refused:
            read(1)
        self.assertEqual(refused.exception.sqlstate, "XX001", refused.exception)
        put(1, now)
        self.assertTrue(opens(1))


if __name__ == "__main__":
    unittest.main()
