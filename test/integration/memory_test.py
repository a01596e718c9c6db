"""Keys live as long as a request, in locked memory, and nowhere else.

The process is looked at from outside, so the arena is of kind mlock here: memfd_secret would hide everything from the
scanner, and nothing would be proved. Every claim that something is gone stands beside one that it was there.
"""

import base64
import os
import signal
import subprocess
import sys
import threading
import time
import unittest

import psycopg

import memory_case
import operation
from memory import KEY_KINDS, SHARE_KINDS
from memory_case import HELD, HELD_LONG, NOT_SEARCHABLE, READ, WAITING_KINDS, MemoryTest, Running, as_options, restart
from stack import run, succeeded, wait_until

NOT_ROOT = 77

# Where keys are worked on: HKDF and share commitments (a hash begins, and begins anew at its end); every AES.
ENTRIES = ["nettle_sha256_init", "EVP_EncryptUpdate", "EVP_DecryptUpdate",
           "nettle_gcm_aes256_set_key", "nettle_gcm_aes256_decrypt"]


def setUpModule():
    memory_case.start()


def tearDownModule():
    memory_case.STACK.stop()


class WhileARequestRuns(MemoryTest):
    def test_its_keys_are_found_in_locked_memory_only(self):
        running = self.held()
        self.assertFalse(self.seen.dumpable & KEY_KINDS, self.seen.where(only_dumpable=True))
        self.assertIsNone(running.end())
        self.assertEqual(len(running.rows), 6)

    def test_no_share_is_put_together_while_it_waits(self):
        """TK itself goes as soon as the KEK is there, and its parts sooner."""
        gone = {"TK", "extracted TK", "TKu", "TKa", "TKp", "zero key", "DEK"}
        running = self.held()
        self.assertFalse(self.seen.kinds & gone, self.seen.where(gone))
        running.end()

    def test_every_kind_of_key_is_found_at_some_moment_and_always_in_locked_memory(self):
        """The positive control for what lives for microseconds only: looked for whenever a library works on it."""
        with self.stack.connect(as_options(self.shares)) as other:
            read = "SELECT name, ssn FROM patients WHERE id = 1"
            watched = self.secrets.at_entries(self.stack.proxy_pid, ENTRIES, one_more=lambda: other.execute(read))
            with watched as moments:
                self.connection.execute(read)
        self.assertEqual(KEY_KINDS - set().union(*(found.kinds for found in moments)), set(), len(moments))
        for found in moments:
            self.assertFalse(found.dumpable, found.where(only_dumpable=True))
        self.assert_wiped()

    def test_no_moment_of_a_busy_proxy_has_a_key_outside_locked_memory(self):
        ended = threading.Event()

        def ask(sql):
            with self.stack.connect(as_options(self.shares)) as connection:
                while not ended.is_set():
                    connection.execute(sql).fetchall()

        many_rows = READ.replace("WHERE", ", generate_series(1, 30) WHERE")
        threads = [threading.Thread(target=ask, args=(sql,), daemon=True) for sql in (READ, READ, many_rows)]
        for thread in threads:
            thread.start()
        try:
            found = self.secrets.in_samples(self.stack.proxy_pid, 60)
        finally:
            ended.set()
            for thread in threads:
                thread.join()
        self.assertLessEqual(WAITING_KINDS, found.kinds)
        self.assertFalse(found.dumpable, found.where(only_dumpable=True))
        self.assert_wiped()


class AfterARequest(MemoryTest):
    def test_a_normal_end(self):
        self.assertIsNone(self.held().end())
        self.assert_wiped()

    def test_the_first_request_of_a_fresh_process(self):
        """Whatever is made, bound or kept at its first use, it keeps no key."""
        self.connection.close()
        self.stack.restart_proxy()
        self.connection = self.stack.connect(as_options(self.shares))
        self.assertEqual(len(self.connection.execute(READ).fetchall()), 6)
        self.assert_wiped()

    def test_the_extended_protocol(self):
        running = self.held(HELD.replace("'nobody'", "%s"), parameters=["nobody"])
        self.assertIsNone(running.end())
        self.assert_wiped()

    def test_an_error_in_the_statement(self):
        self.assertEqual(self.held(HELD.replace("repeat", "1 / (id - 5), repeat")).end(), "22012")
        self.assert_wiped()

    def test_a_refused_statement(self):
        with self.assertRaises(psycopg.errors.FeatureNotSupported):
            self.connection.execute(NOT_SEARCHABLE)
        self.assert_wiped()

    def test_a_refused_statement_behind_one_that_ran(self):
        self.assertEqual(self.held(f"{HELD}; {NOT_SEARCHABLE}").end(), "0A000")
        self.assert_wiped()

    def test_a_copy_in_either_direction(self):
        self.addCleanup(self.connection.execute, "DELETE FROM patients WHERE id = 90")
        with self.connection.cursor() as cursor:
            with cursor.copy("COPY patients (id, ssn, name) FROM STDIN") as copy:
                copy.write("90\t1-9\tA Copied Person\n")
            with cursor.copy("COPY (SELECT name FROM patients WHERE id = 90) TO STDOUT") as copy:
                self.assertEqual(b"".join(map(bytes, copy)), b"A Copied Person\n")
        self.assert_wiped()

    def test_a_copy_that_breaks_off(self):
        for data in ("91\t1-9\tA Copied Person\nnonsense\tx\ty\n", "91\t1-9\tA Copied Person\n91"):
            with self.assertRaises(psycopg.Error), self.connection.cursor() as cursor:
                with cursor.copy("COPY patients (id, ssn, name) FROM STDIN") as copy:
                    copy.write(data)
            self.assert_wiped()

    def test_a_refused_copy(self):
        self.connection.execute(READ)
        with self.assertRaises(psycopg.errors.FeatureNotSupported):
            self.connection.execute("COPY patients TO '/tmp/patients'")
        self.assert_wiped()

    def test_a_reload_in_the_middle(self):
        running = self.held(seconds=0.5)
        reloads = self.stack.proxy_log().count("reloaded")
        self.stack.signal_proxy(signal.SIGHUP)
        wait_until(lambda: self.stack.proxy_log().count("reloaded") > reloads, "the reload")
        self.assertIsNone(running.end())
        self.assert_wiped()

    def test_a_value_that_does_not_open(self):
        stored = self.stack.superuser("SELECT encode(name::bytea, 'hex') FROM patients WHERE id = 6", "clinic")[0][0]
        place = "UPDATE patients SET name = decode('{}', 'hex') WHERE id = 6"
        self.stack.superuser(place.format(stored[:-2] + ("00" if stored[-2:] != "00" else "01")), "clinic")
        self.addCleanup(self.stack.superuser, place.format(stored), "clinic")
        self.assertIsNotNone(self.held(HELD + " ORDER BY id").end())
        self.assert_wiped()

    def test_a_cancelled_request(self):
        running = self.held(HELD_LONG)
        self.connection.cancel()
        self.assertEqual(running.end(), "57014")
        self.assert_wiped()

    def test_a_killed_client(self):
        child = subprocess.Popen(["psql", "-X", self.stack.url(), "-c", HELD_LONG.format(seconds=0.3)],
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                 env={**os.environ, "PGOPTIONS": as_options(self.shares)})
        self.wait_for_keys()
        child.kill()
        child.wait()
        self.assert_wiped()

    def test_a_killed_session_of_the_server(self):
        running = self.held(HELD_LONG)
        self.stack.superuser("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep%'"
                             " AND state = 'active' AND pid <> pg_backend_pid()")
        running.end()
        self.assertIn("administrator command", str(running.error))
        self.assert_wiped(shares_stay=False)

    def test_a_share_that_is_wrong(self):
        """The token was opened by then."""
        mixed = {**self.shares, "app_share": self.stack.shares("clerk")["app_share"]}
        with self.stack.connect(as_options(mixed)) as connection:
            self.assertTrue(self.refused_for_its_shares(connection))
            self.assert_wiped()

    def test_shares_that_came_with_the_startup_packet_stand_in_locked_memory_only(self):
        self.connection.execute(READ)
        found = self.look()
        self.assertLessEqual(SHARE_KINDS, found.locked, "the scanner has gone blind")
        self.assertFalse(found.dumpable, found.where(only_dumpable=True))

    def test_the_end_of_a_session_takes_its_shares_along(self):
        self.held().end()
        self.connection.close()
        self.assert_wiped(shares_stay=False)

    def test_a_transaction_between_its_statements_and_after_rollback(self):
        self.connection.execute("BEGIN")
        self.held().end()
        self.assertEqual(self.connection.info.transaction_status, psycopg.pq.TransactionStatus.INTRANS)
        self.assert_wiped()
        self.connection.execute("UPDATE patients SET remark = 'seen twice' WHERE id = 1")
        self.connection.execute("ROLLBACK")
        self.assert_wiped()

    def test_a_write(self):
        self.connection.execute("INSERT INTO patients (id, ssn, name, photo) VALUES (4711, '5', 'Written', '\\x00')")
        self.addCleanup(self.stack.superuser, "DELETE FROM patients WHERE id = 4711", "clinic")
        self.assert_wiped()
        self.secrets.refresh()
        self.assert_wiped()

    def test_an_expired_token(self):
        self.connection.close()
        self.shares = self.stack.shares("nurse", valid_s=3)
        self.connection = self.stack.connect(as_options(self.shares))
        self.held(seconds=0.1).end()
        self.assert_wiped()
        wait_until(lambda: self.refused_for_its_shares(self.connection), "the token to expire")
        self.assert_wiped(shares_stay=False)

    def test_a_transaction_that_finishes_after_its_token(self):
        self.connection.close()
        self.shares = self.stack.shares("nurse", valid_s=4)
        expires = time.time() + 4
        self.connection = self.stack.connect(as_options(self.shares))
        self.connection.execute("BEGIN")
        self.connection.execute(READ)
        time.sleep(max(0, expires + 0.5 - time.time()))
        self.assertEqual(len(self.connection.execute(READ).fetchall()), 6)
        self.assert_wiped()
        self.connection.execute("COMMIT")
        self.assertTrue(self.refused_for_its_shares(self.connection))
        self.assert_wiped(shares_stay=False)

    def refused_for_its_shares(self, connection):
        try:
            connection.execute(READ)
        except psycopg.Error as error:
            return error.sqlstate == "28000"
        return False


class BatchWithoutSync(MemoryTest):
    def test_its_keys_go_when_the_client_keeps_it_waiting_and_come_back(self):
        """CRYPTO: a request that waits on its client for 1 s is wiped and rebuilt on the next message."""
        wire = self.connection.pgconn
        wire.enter_pipeline_mode()
        self.assertEqual(len(self.batch_rows(wire)), 6)
        found = self.look()
        self.assertLessEqual(WAITING_KINDS, found.kinds)
        time.sleep(1.2)
        self.assert_wiped()
        self.assertEqual(len(self.batch_rows(wire)), 6)
        self.assertLessEqual(WAITING_KINDS, self.look().kinds)
        wire.pipeline_sync()
        wait_until(lambda: self.result(wire).status == psycopg.pq.ExecStatus.PIPELINE_SYNC, "ReadyForQuery")
        self.assert_wiped()
        wire.exit_pipeline_mode()

    def batch_rows(self, wire):
        wire.send_query_params(READ.replace("'nobody'", "$1").encode(), [b"nobody"])
        wire.send_flush_request()
        wire.flush()
        result = self.result(wire)
        self.assertEqual(result.status, psycopg.pq.ExecStatus.TUPLES_OK, result.error_message)
        self.assertIsNone(self.result(wire))  # the end of this statement's results
        return [result.get_value(row, 0) for row in range(result.ntuples)]

    @staticmethod
    def result(wire):
        def has_come():
            wire.consume_input()
            return not wire.is_busy()
        wait_until(has_come, "a result")
        return wire.get_result()


class CoreFile(MemoryTest):
    def core(self, *commands):
        """A core file as root makes it while the keys of a request are in memory: what is found in it."""
        running = self.held(HELD_LONG)
        path = self.stack.dir / "core"
        succeeded(run(["gdb", "-nx", "-batch", "-iex", "set debuginfod enabled off", *commands,
                       "-ex", f"gcore {path}", "-p", str(self.stack.proxy_pid)]))
        self.wait_for_keys()
        self.connection.cancel()
        running.end()
        try:
            self.assertIn(b"pgveil_home", path.read_bytes(), "the core file holds nothing at all")
            return self.secrets.in_file(path)
        finally:
            path.unlink()

    def test_it_holds_no_key(self):
        found = self.core()
        self.assertFalse(found.keys, found.where())

    def test_it_would_hold_them_if_locked_memory_were_not_left_out(self):
        """The positive control: the same file, with what MADV_DONTDUMP keeps out of it."""
        found = self.core("-iex", "set dump-excluded-mappings on")
        self.assertLessEqual(WAITING_KINDS, found.kinds)

    def test_nobody_else_may_look(self):
        """Not even the account that the proxy runs as."""
        self.assertTrue(self.stack.as_owner(), "the proxy runs as root")
        done = run([*self.stack.as_owner(), "cat", f"/proc/{self.stack.proxy_pid}/mem"])
        self.assertIn("denied", done.stderr)


class Locked(MemoryTest):
    def store_key(self):
        with memory_case.still():
            return self.secrets.key_in_process(
                self.stack.proxy_pid, (self.stack.dir / "store" / "seal.key").read_bytes())

    def test_a_locked_proxy_has_no_store_key_and_an_unlocked_one_has(self):
        self.addCleanup(self.stack.restart_proxy)
        self.addCleanup(self.stack.write, "pgveil.json", self.stack.settings.read_text())
        operation.open_console(self.stack)
        self.connection = self.stack.connect(as_options(self.shares))
        self.addCleanup(self.connection.close)
        for _ in range(2):
            self.connection.execute(READ)
            found = self.store_key()
            self.assertEqual((found.locked, found.dumpable), ({"store key"}, set()), found.where({"store key"}))
            succeeded(operation.tell_lock(self.stack, "lock"))
            found = self.store_key()
            self.assertEqual(found.kinds, set(), found.where({"store key"}))
            self.assert_wiped()
            succeeded(operation.tell_lock(self.stack, "unlock"))


class Logs(MemoryTest):
    def test_they_hold_no_secret(self):
        self.connection.execute(READ)
        for name in sorted(SHARE_KINDS):
            self.connection.execute(f"SET pgveil.{name} = '{self.shares[name]}'")
            self.connection.execute(f"SELECT set_config('pgveil.{name}', %s, false)", [self.shares[name]])
            for wrong in ("' oops", ""):
                with self.assertRaises(psycopg.Error):
                    self.connection.execute(f"SET pgveil.{name} = '{self.shares[name]}{wrong}")
        texts = {"pgveil": self.stack.proxy_log(), "PostgreSQL": self.stack.server_log(),
                 "pg_stat_activity": str(self.stack.superuser("SELECT query FROM pg_stat_activity"))}
        for where, text in texts.items():
            self.assertIn("app@clinic" if where == "pgveil" else "SELECT", text)
            self.assertEqual(self.secrets_in(text), set(), where)
        self.assertIn("TK", self.secrets_in("x" + self.secrets.of("TK")[0].hex()))
        self.assertIn("app_share", self.secrets_in(self.shares["app_share"]))

    def secrets_in(self, text):
        """Names of secrets whose first bytes stand in the text: in hex, base64 or base64url; or a share's text."""
        lowered = text.lower()
        found = {key.kind for key in self.secrets.keys if key.value[:15].hex() in lowered}
        found |= {key.kind for key in self.secrets.keys
                  if any(encode(key.value[:15]).decode() in text
                         for encode in (base64.b64encode, base64.urlsafe_b64encode))}
        return found | {name for name in SHARE_KINDS if self.shares[name][-40:] in text}


class MemfdSecret(MemoryTest):
    """The arena of a usual start, where the kernel has it: there is nothing to see from outside."""

    def setUp(self):
        if "memfd_secret" not in self.stack.quickstart_log:
            self.skipTest("this kernel has no memfd_secret")
        restart("memfd_secret")
        self.addCleanup(restart, "mlock")
        super().setUp()

    def test_the_process_itself_finds_keys_there_during_a_request_and_none_after_it(self):
        running = Running(self.connection, HELD_LONG.format(seconds=0.3))
        wait_until(lambda: WAITING_KINDS <= self.secrets.inside(self.stack.proxy_pid), "the keys to show")
        self.connection.cancel()
        self.assertEqual(running.end(), "57014")
        time.sleep(memory_case.WIPED_AFTER_S)
        self.assertEqual(self.secrets.inside(self.stack.proxy_pid), set())

    def test_root_cannot_read_it(self):
        with self.stack.connect() as connection:
            running = Running(connection, HELD.format(seconds=0.3))
            held = ("SELECT 1 FROM pg_stat_activity WHERE query LIKE '%pg_sleep(0.3)%' AND state = 'active'"
                    " AND pid <> pg_backend_pid()")
            wait_until(lambda: self.stack.superuser(held), "the statement to run")
            found = self.secrets.in_process(self.stack.proxy_pid)
            self.assertTrue(running.is_alive())
            self.assertFalse(found.keys, found.where())
            self.assertIn("secretmem", " ".join(found.unreadable))
            self.assertIsNone(running.end())
            self.assertEqual(len(running.rows), 6)


if __name__ == "__main__":
    if os.geteuid() != 0:
        print("only root may look into the memory of the proxy: run this test as root", file=sys.stderr)
        sys.exit(NOT_ROOT)
    unittest.main()
