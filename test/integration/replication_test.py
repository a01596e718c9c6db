"""Replication connections: passed through where the policy protects nothing of what they carry, refused elsewhere.

With pg_recvlogical, pg_receivewal, pg_basebackup and psql as they are.
"""

import contextlib
import json
import os
import signal
import subprocess
import unittest

import clinic
from logins import changed
from stack import Stack, psql, run, succeeded, wait_until

NOTHING = {"tables": {}}
ELSEWHERE = {"databases": ["clinic"],
             "tables": {"public.patients": {"columns": {"name": {"type": "varchar(80)"}}}}}
TOKEN = "this-token-stays-here"


def setUpModule():
    global STACK, BIN
    STACK = Stack.start()
    clinic.Clinic(STACK)
    BIN = (STACK.dir / "run" / "pg_bin").read_text().strip()
    STACK.superuser("ALTER ROLE app REPLICATION")
    STACK.superuser("ALTER SYSTEM SET wal_level = 'logical'")
    with open(STACK.dir / "postgres" / "pg_hba.conf", "a") as hba:
        hba.write("hostssl replication app 127.0.0.1/32 scram-sha-256\n")
    succeeded(run([*STACK.as_owner(), f"{BIN}/pg_ctl", "-D", STACK.dir / "postgres", "-m", "fast", "-w", "-l",
                   STACK.dir / "log" / "postgresql.log", "restart"], stdin=subprocess.DEVNULL))
    STACK.superuser("CREATE TABLE noted (n int)")


def tearDownModule():
    STACK.stop()


@contextlib.contextmanager
def policy(content):
    STACK.write("other_policy.json", json.dumps(content))
    with changed(STACK, {"policy": "other_policy.json"}):
        yield


def replicating(kind, *commands, database="postgres"):
    """psql on a replication connection."""
    words = [word for command in commands for word in ("-c", command)]
    return psql(STACK.url(database=database) + f"&replication={kind}", "-At", *words)


def tool(name, *words):
    return run([*STACK.as_owner(), f"{BIN}/{name}", *words])


def lsn():
    return STACK.superuser("SELECT pg_current_wal_lsn()::text")[0][0]


class Refused(unittest.TestCase):
    def assert_refused(self, done):
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("replication connections through pgveil are not supported", done.stderr)

    def test_where_the_policy_is_for_every_database(self):
        for kind in ("database", "true"):
            self.assert_refused(replicating(kind, "IDENTIFY_SYSTEM"))

    def test_of_the_database_that_the_policy_is_for_and_of_the_cluster(self):
        with policy(ELSEWHERE):
            self.assert_refused(replicating("database", "IDENTIFY_SYSTEM", database="clinic"))
            self.assert_refused(replicating("on", "IDENTIFY_SYSTEM"))

    def test_what_reads_the_cluster_on_a_connection_to_one_database(self):
        with policy(ELSEWHERE):
            for command in ("BASE_BACKUP", "START_REPLICATION 0/1"):
                done = replicating("database", command, "SELECT 'goes on'")
                self.assertIn("passes base backups and physical replication on only where", done.stderr)
                self.assertIn("goes on", done.stdout)

    def test_shares(self):
        with policy(NOTHING):
            done = replicating("database", f"SET pgveil.user_token = '{TOKEN}'", "SELECT 'goes on'")
            self.assertIn("cannot use session parameters of pgveil", done.stderr)
            self.assertIn("goes on", done.stdout)
        self.assertNotIn(TOKEN, STACK.server_log())


class Cluster(unittest.TestCase):
    def test_pg_receivewal(self):
        folder = STACK.dir / "run" / "wal"
        succeeded(run([*STACK.as_owner(), "mkdir", folder]))
        end = lsn()
        STACK.superuser("INSERT INTO noted SELECT generate_series(1, 100)")
        with policy(NOTHING):
            succeeded(tool("pg_receivewal", "-D", folder, "-d", STACK.url(), "--endpos", end, "--no-loop"))
        self.assertTrue(list(folder.iterdir()))

    def test_pg_basebackup(self):
        folder = STACK.dir / "run" / "backup"
        with policy(NOTHING):
            succeeded(tool("pg_basebackup", "-D", folder, "-d", STACK.url(), "-X", "stream", "-c", "fast"))
        self.assertTrue((folder / "backup_manifest").exists())

    def test_psql_asks_who_the_server_is(self):
        with policy(NOTHING):
            done = succeeded(replicating("true", "IDENTIFY_SYSTEM"))
        self.assertIn(STACK.superuser("SELECT system_identifier::text FROM pg_control_system()")[0][0], done)


class Changes(unittest.TestCase):
    """pg_recvlogical follows database postgres, which the policy is not for."""

    def setUp(self):
        self.enterContext(policy(ELSEWHERE))
        self.url = STACK.url(database="postgres")
        succeeded(tool("pg_recvlogical", "-d", self.url, "--slot", "changes", "--create-slot", "-P", "test_decoding"))
        self.addCleanup(self.drop_slot)

    def drop_slot(self):
        wait_until(lambda: not self.is_active(), "the slot to be free")
        STACK.superuser("SELECT pg_drop_replication_slot('changes')")

    def is_active(self):
        return STACK.superuser("SELECT active FROM pg_replication_slots WHERE slot_name = 'changes'")[0][0]

    def follow(self):
        """A client that streams until something ends it."""
        child = subprocess.Popen([f"{BIN}/pg_recvlogical", "-d", self.url, "--slot", "changes", "--start", "-f", "-",
                                  "--no-loop", "--fsync-interval", "0"], stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, text=True, env={**os.environ, "LC_ALL": "C.UTF-8"})
        self.addCleanup(child.stdout.close)
        self.addCleanup(child.stderr.close)
        self.addCleanup(lambda: child.poll() is None and (child.kill(), child.wait()))
        wait_until(self.is_active, "the stream to begin")
        return child

    def test_they_come(self):
        STACK.superuser("INSERT INTO noted VALUES (4711)")
        done = succeeded(tool("pg_recvlogical", "-d", self.url, "--slot", "changes", "--start", "-f", "-", "--no-loop",
                              "--endpos", lsn()))
        self.assertIn("table public.noted: INSERT: n[integer]:4711", done)

    def test_the_slot_is_dropped_by_its_client(self):
        succeeded(tool("pg_recvlogical", "-d", self.url, "--slot", "changes", "--drop-slot"))
        self.assertEqual(STACK.superuser("SELECT 1 FROM pg_replication_slots"), [])
        succeeded(tool("pg_recvlogical", "-d", self.url, "--slot", "changes", "--create-slot", "-P", "test_decoding"))

    def test_a_client_that_is_killed_frees_its_slot(self):
        child = self.follow()
        child.kill()
        child.wait()
        wait_until(lambda: not self.is_active(), "the slot to be free")

    def test_a_drain_does_not_wait_for_a_stream(self):
        child = self.follow()
        try:
            STACK.stop_proxy(signal.SIGTERM)
            said = child.communicate(timeout=30)[1]
            self.assertIn("terminating connection due to administrator command", said)
        finally:
            STACK.start_proxy()

    def test_a_policy_that_begins_to_cover_it_ends_a_stream(self):
        child = self.follow()
        with policy({**ELSEWHERE, "databases": ["clinic", "postgres"]}):
            STACK.superuser("INSERT INTO noted VALUES (4712)")
            said = child.communicate(timeout=60)[1]
        self.assertIn("replication connections through pgveil are not supported", said)


if __name__ == "__main__":
    unittest.main()
