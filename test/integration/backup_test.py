"""Backup and restore of the share store, a store that was put back unnoticed, and stores of other formats."""

import contextlib
import re
import shutil
import sqlite3
import unittest

import psycopg

import clinic
from fresh_proxy import FreshProxy
from stack import Stack, run, succeeded, wait_until

READ = "SELECT count(name) FROM patients"


def setUpModule():
    global STACK
    STACK = Stack.start()
    clinic.Clinic(STACK)


def tearDownModule():
    STACK.stop()


def tool(verb, *arguments):
    return run([*STACK.as_owner(), STACK.dir / "bin" / "pgveil", verb, "--config", STACK.settings, *arguments])


def noted_versions():
    """What the home database remembers: (version, last command), or None."""
    if not STACK.superuser("SELECT to_regclass('pgveil.store_version')", "pgveil_home")[0][0]:
        return None
    rows = STACK.superuser("SELECT store_version, last_sequence FROM pgveil.store_version", "pgveil_home")
    return rows[0] if rows else None


class BackupCase(unittest.TestCase):
    """Every test begins and ends with a running proxy, and has a folder for its backups."""

    def setUp(self):
        self.folder = STACK.dir / "backups"
        self.folder.mkdir(mode=0o700)
        owner = STACK.dir.stat()
        shutil.chown(self.folder, owner.st_uid, owner.st_gid)
        self.addCleanup(shutil.rmtree, self.folder)
        self.store = STACK.dir / "store" / "shares.sqlite"
        self.key = STACK.dir / "store" / "seal.key"

    def files(self, name):
        return "--store", self.folder / f"{name}.store", "--key", self.folder / f"{name}.key"

    def back_up(self, name):
        STACK.stop_proxy()
        done = tool("backup", *self.files(name))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        STACK.start_proxy()
        return done.stdout

    @staticmethod
    def works(user):
        with STACK.connect(STACK.options(user)) as connection:
            return connection.execute(READ).fetchone()[0] > 0

    def assert_fails(self, done, *words):
        self.assertIsNotNone(done, "it kept running")
        self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
        self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)


class Backups(BackupCase):
    def test_of_a_store_in_use_none_is_taken(self):
        self.assert_fails(tool("backup", *self.files("live")), "in use", "stop the proxy")
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_a_backup_is_two_private_files_and_replaces_none(self):
        self.assertIn("tenant clinic", self.back_up("one"))
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()), ["one.key", "one.store"])
        for path in self.folder.iterdir():
            self.assertEqual(path.stat().st_mode & 0o777, 0o600)
        STACK.stop_proxy()
        self.assert_fails(tool("backup", *self.files("one")), "one.store")
        STACK.start_proxy()

    def test_the_same_store_comes_back_without_a_question(self):
        self.back_up("same")
        STACK.stop_proxy()
        self.store.unlink()
        self.key.unlink()
        self.assert_fails(STACK.serve(), "seal.key")
        done = tool("restore", *self.files("same"))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        STACK.start_proxy()
        self.assertTrue(self.works("nurse"))
        self.assertNotEqual(self.key.read_bytes(), (self.folder / "same.key").read_bytes(),
                            "the backup's key opens the running proxy's store")

    def test_a_backup_with_another_key_changes_nothing(self):
        self.back_up("right")
        (self.folder / "right.key").write_bytes(bytes(32))
        STACK.stop_proxy()
        before = self.store.read_bytes()
        self.assert_fails(tool("restore", *self.files("right")), "share store")
        self.assertEqual(self.store.read_bytes(), before)
        STACK.start_proxy()
        self.assertTrue(self.works("nurse"))


class Rollback(BackupCase):
    """A user is withdrawn after the backup."""

    def setUp(self):
        super().setUp()
        if not (STACK.dir / "users" / "visitor.user").exists():
            STACK.add_user("visitor")
        self.assertTrue(self.works("visitor"))

    def withdraw_after_backup(self):
        last = int(re.search(r"commands up to (\d+)", self.back_up("before"))[1])
        STACK.withdraw_user("visitor")
        # An earlier command may still be about to be noted.
        wait_until(lambda: noted_versions() and noted_versions()[1] == last + 1, "the withdrawal to be noted")

    def test_an_older_store_is_noticed_and_comes_back_only_if_accepted(self):
        self.withdraw_after_backup()
        STACK.stop_proxy()
        for kept, place in (("before.store", self.store), ("before.key", self.key)):
            shutil.copy2(self.folder / kept, place)
        for path in (self.store, self.key):
            shutil.chown(path, STACK.dir.stat().st_uid, STACK.dir.stat().st_gid)
        self.assert_fails(STACK.serve(), "older copy", "withdrawn", "restore")
        self.assert_fails(tool("restore", *self.files("before")), "--accept-older", "withdrawn")
        self.assert_fails(STACK.serve(), "older copy")
        done = tool("restore", *self.files("before"), "--accept-older")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        STACK.start_proxy()
        self.assertTrue(self.works("visitor"), "that is what was accepted")

    def test_what_stands_there_can_be_accepted_without_a_backup(self):
        wait_until(noted_versions, "a first note")
        STACK.stop_proxy()
        STACK.superuser("UPDATE pgveil.store_version SET store_version = store_version + 100", "pgveil_home")
        self.assert_fails(STACK.serve(), "no command of the tenant is missing")
        done = tool("restore", "--accept-older")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        STACK.start_proxy()
        self.assertTrue(self.works("nurse"))


class Formats(BackupCase):
    def set_format(self, number):
        with contextlib.closing(sqlite3.connect(self.store)) as store:
            store.execute(f"PRAGMA user_version = {number}")
            store.commit()

    def test_a_store_of_before_formats_were_numbered_is_taken_over(self):
        STACK.stop_proxy()
        self.set_format(0)
        STACK.start_proxy()
        self.assertTrue(self.works("nurse"))
        STACK.stop_proxy()
        with contextlib.closing(sqlite3.connect(self.store)) as store:
            self.assertEqual(store.execute("PRAGMA user_version").fetchone(), (1,))
        STACK.start_proxy()

    def test_a_store_of_a_later_format_is_left_alone(self):
        STACK.stop_proxy()
        self.set_format(7)
        self.assert_fails(STACK.serve(), "format 7")
        self.set_format(1)
        STACK.start_proxy()
        self.assertTrue(self.works("nurse"))


class TakenOver(BackupCase):
    """The proxy is lost with store and keys; the tenant's home takes a fresh one over (the last of this file)."""

    def adopted(self):
        proxy = FreshProxy(STACK, "fresh")
        proxy.home_database = "pgveil_home"
        proxy.write_settings()
        for place, kept in ((proxy.home, "tenant"), (proxy.dir / "passphrase", "secrets/tenant.passphrase")):
            succeeded(run(["cp", "-aT", STACK.dir / kept, place]))
        proxy.order()
        proxy.start()
        self.addCleanup(proxy.stop)
        succeeded(proxy.adopt(proxy.users))
        return proxy

    def name_at(self, place, options):
        with place.connect(options) as connection:
            return connection.execute("SELECT name FROM patients WHERE id = 1").fetchone()[0]

    def test_P9_a_fresh_proxy_opens_the_data_and_the_lost_one_is_worth_nothing_to_new_shares(self):
        old = STACK.options("nurse")
        STACK.stop_proxy()
        proxy = self.adopted()
        new = proxy.options("nurse")
        self.assertEqual(self.name_at(proxy, new), "Aurelia Brandt")
        self.assertIn("\tactive\tepoch 1", succeeded(proxy.tenant("user", "list")))
        with self.assertRaisesRegex(psycopg.Error, "another proxy"):
            self.name_at(proxy, old)
        again = proxy.adopt(proxy.dir / "again")
        self.assertRegex(again.stderr, "closed")
        self.assertIn("keyring mirror", (proxy.dir / "log").read_text())
        # The old one comes back from a copy.
        STACK.start_proxy()
        self.assertEqual(self.name_at(STACK, old), "Aurelia Brandt", "the positive control: with all three old shares")
        with self.assertRaisesRegex(psycopg.Error, "another proxy"):
            self.name_at(STACK, new)
        made = STACK.user_tool("options", user="../fresh/users/nurse")
        self.assertIn("not that of the proxy this key file knows", made.stderr)
        self.assertEqual(self.name_at(proxy, new), "Aurelia Brandt")


if __name__ == "__main__":
    unittest.main()
