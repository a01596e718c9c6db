"""A custodian's log outside of it: what `pgveil-custodian log` finds, SIGHUP, and a store that was put back."""

import json
import shutil
import signal
import socket
import ssl
import subprocess
import time
import unittest

from custodians import PROGRAM, Custodians, decoded, encoded
from partials import Question

POLICY = {"requesters": {"proxy": {"purposes": ["unseal"], "per_minute": 1000}}}


def setUpModule():
    global CREW, GROUP
    CREW = Custodians(3)
    unittest.addModuleCleanup(CREW.stop)
    GROUP = CREW.generate(2, POLICY)


def ask(at, group=None, epoch=0):
    """(status, said) of one question by the proxy."""
    asked = Question(decoded(group or GROUP), epoch=epoch)
    return CREW.ask(at, "POST", f"/v1/groups/{group or GROUP}/partial", {"request": encoded(asked.bytes)}, "proxy")


def log(verb, *arguments):
    return subprocess.run([PROGRAM, "log", verb, *arguments], capture_output=True, text=True, check=False, timeout=60)


def running(at, verb, *arguments, client="admin"):
    return log(verb, "--custodians", CREW.asker_file(client), "--at", CREW.names[at], *arguments)


def offline(at, verb, *arguments):
    return log(verb, "--config", CREW.settings_file(at), *arguments)


def log_file(at):
    return CREW.home(at) / "store" / "log.jsonl"


class Verified(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        for _ in range(6):
            assert ask(0)[0] == 200
        done = running(0, "verify")
        cls.head = done.stdout.split("last head: ")[1].strip()

    def setUp(self):
        self.whole = log_file(0).read_bytes()
        self.addCleanup(lambda: log_file(0).write_bytes(self.whole))

    def verify(self):
        return offline(0, "verify", "--head", self.head, "--identity", CREW.identities[0])

    def found(self, lines, line, wrong):
        """The file with these lines: what is wrong is found there."""
        log_file(0).write_bytes(b"".join(lines))
        done = self.verify()
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn(f"log.jsonl:{line}: {wrong}: ", done.stderr)

    def test_a_whole_log_holds_offline_and_running(self):
        last = json.loads(self.whole.splitlines()[-1])["seq"]
        for done in (self.verify(), running(0, "verify"), running(0, "verify", "--head", self.head)):
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn(f"records 1 to {last} are in order; signed up to {last}", done.stdout)

    def test_an_edited_line(self):
        lines = self.whole.splitlines(keepends=True)
        lines[3] = lines[3].replace(b'"requester":"', b'"requester":"x')
        self.found(lines, 4, "edited")

    def test_a_deleted_line(self):
        lines = self.whole.splitlines(keepends=True)
        self.found(lines[:3] + lines[4:], 4, "deleted")

    def test_two_lines_in_the_other_order(self):
        lines = self.whole.splitlines(keepends=True)
        self.found([*lines[:3], lines[4], lines[3], *lines[5:]], 4, "reordered")

    def test_a_line_twice(self):
        lines = self.whole.splitlines(keepends=True)
        self.found([*lines[:4], lines[3], *lines[4:]], 5, "duplicated")

    def test_a_shorter_end_only_with_a_head(self):
        lines = self.whole.splitlines(keepends=True)
        self.found(lines[:-1], len(lines), "truncated")
        self.assertEqual(offline(0, "verify").returncode, 0)  # nobody has kept a head

    def test_a_head_of_another_custodian_is_none(self):
        done = offline(0, "verify", "--head", self.head, "--identity", CREW.identities[1])
        self.assertEqual(done.returncode, 2)
        self.assertIn("no head", done.stderr)

    def test_it_is_shown_with_who_asked_what_for(self):
        for done in (offline(0, "show"), running(0, "show")):
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("  proxy  partial  answered  unseal  " + GROUP, done.stdout)
        self.assertEqual(len(offline(0, "show", "--json", "--after", "2").stdout.splitlines()), len(self.whole.splitlines()) - 2)
        refused = running(0, "show", client="proxy")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("no administrator", refused.stderr)


class TookPart(unittest.TestCase):
    def test_K4_a_question_stands_in_the_logs_of_those_who_took_part(self):
        asked = Question(decoded(GROUP))
        for at in (0, 2):
            self.assertEqual(CREW.ask(at, "POST", f"/v1/groups/{GROUP}/partial", {"request": encoded(asked.bytes)}, "proxy")[0], 200)
        told = [offline(at, "show", "--json").stdout for at in range(3)]
        request = json.loads(told[0].splitlines()[-1])["request"]
        self.assertEqual(len(request), 32)
        self.assertEqual([request in each for each in told], [True, False, True])
        for at in (0, 2):
            self.assertEqual(running(at, "verify").returncode, 0)


class HangUp(unittest.TestCase):
    def wait_until(self, is_so, what):
        end = time.monotonic() + 30
        while not is_so():
            self.assertLess(time.monotonic(), end, what + ": " + CREW.output(1))
            time.sleep(0.02)

    def certificate(self):
        with socket.create_connection(("localhost", CREW.ports[1])) as plain, \
                CREW.tls(None).wrap_socket(plain, server_hostname="localhost") as secured:
            return secured.getpeercert(binary_form=True)

    def test_the_log_goes_on_in_a_new_file_and_connections_stay(self):
        self.assertEqual(ask(1)[0], 200)
        plain = socket.create_connection(("localhost", CREW.ports[1]))
        with CREW.tls("proxy").wrap_socket(plain, server_hostname="localhost") as open_one:
            open_one.sendall(b"GET /v1/whoami HTTP/1.1\r\nHost: x\r\n\r\n")
            self.assertIn(b"200 OK", open_one.recv(4096))
            for turn in ("1", "2"):
                moved = log_file(1).with_name("log.jsonl." + turn)
                log_file(1).rename(moved)
                self.assertEqual(ask(1)[0], 200)  # still into the moved one
                CREW.send(1, signal.SIGHUP)
                self.wait_until(log_file(1).exists, "a new file")
                self.assertEqual(ask(1)[0], 200)
                before, first = json.loads(moved.read_text().splitlines()[-1]), json.loads(log_file(1).read_text().splitlines()[0])
                self.assertEqual((first["seq"], first["prev"]), (before["seq"] + 1, before["hash"]))
            open_one.sendall(b"GET /v1/whoami HTTP/1.1\r\nHost: x\r\n\r\n")
            self.assertIn(b"200 OK", open_one.recv(4096))
        whole = offline(1, "verify")
        self.assertIn("records 1 to ", whole.stdout, whole.stderr)
        self.assertEqual(running(1, "verify").returncode, 0)
        CREW.kill(1)
        CREW.start(1)
        self.assertEqual(CREW.must(1, "GET", "/v1/health")["status"], "ok")
        CREW.kill(1)  # moved while it was down: the chain goes on
        log_file(1).rename(log_file(1).with_name("log.jsonl.3"))
        CREW.start(1)
        self.assertEqual(CREW.must(1, "GET", "/v1/health")["status"], "ok")
        self.assertEqual(ask(1)[0], 200)
        self.assertIn("records 1 to ", offline(1, "verify").stdout)
        log_file(1).with_name("log.jsonl.2").unlink()
        gone = offline(1, "verify")
        self.assertEqual(gone.returncode, 1)
        self.assertIn("truncated", gone.stderr)

    def test_a_new_certificate_is_served_and_a_bad_one_is_not(self):
        certificate, key = CREW.authority.sign(CREW.names[1])
        before = self.certificate()
        for file in (certificate, key):
            file.rename(file.with_name(file.name + ".old"))
        CREW.authority.sign(CREW.names[1], "subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n")
        CREW.send(1, signal.SIGHUP)
        self.wait_until(lambda: self.certificate() != before, "another certificate")
        good = self.certificate()
        text = certificate.read_text()
        certificate.write_text("none")
        CREW.send(1, signal.SIGHUP)
        self.wait_until(lambda: "the former certificate is served" in CREW.output(1), "a word about it")
        self.assertEqual(self.certificate(), good)
        certificate.write_text(text)


class PutBack(unittest.TestCase):
    def folder(self):
        return CREW.home(2) / "store"

    def copied(self, names):
        """The custodian's files as they are now."""
        kept = CREW.folder / "kept"
        shutil.rmtree(kept, ignore_errors=True)
        CREW.kill(2)
        shutil.copytree(self.folder(), kept)
        CREW.start(2)
        return [(kept / name, self.folder() / name) for name in names]

    def put_back(self, files):
        CREW.kill(2)
        newest = CREW.folder / "newest"
        shutil.rmtree(newest, ignore_errors=True)
        shutil.copytree(self.folder(), newest)
        for former, place in files:
            shutil.copy(former, place)
        CREW.start(2)
        return newest

    def restore(self, newest):
        CREW.kill(2)
        shutil.rmtree(self.folder())
        shutil.copytree(newest, self.folder())
        CREW.start(2)

    def test_an_older_store_answers_nothing_and_says_why(self):
        group = CREW.generate(2, POLICY)
        files = self.copied(["custodian.db"])
        self.assertEqual(CREW.refresh(group, 2, POLICY), group)
        self.assertEqual(ask(2, group, 1)[0], 200)
        newest = self.put_back(files)
        for epoch in (0, 1):
            status, said = ask(2, group, epoch)
            self.assertEqual((status, said["error"]["code"]), (409, "older_copy"), said)
        self.assertIn("put the newest store back", said["error"]["message"].lower())
        self.assertEqual(CREW.ask(2, "POST", "/v1/members", {"session": encoded(bytes(32))})[1]["error"]["code"], "older_copy")
        health = CREW.must(2, "GET", "/v1/health")
        self.assertEqual(health["status"], "degraded")
        self.assertIn("older copy", " ".join(health["problems"]))
        self.restore(newest)
        self.assertEqual(ask(2, group, 1)[0], 200)
        self.assertEqual(CREW.must(2, "GET", "/v1/health")["status"], "ok")

    def test_a_shred_cannot_be_undone_by_the_former_file(self):
        group = CREW.generate(2, POLICY)
        files = self.copied(["custodian.db"])
        CREW.must(2, "POST", f"/v1/groups/{group}/shred", {"confirm": group})
        newest = self.put_back(files)
        self.assertEqual(ask(2, group)[1]["error"]["code"], "older_copy")
        self.restore(newest)
        self.assertEqual(ask(2, group)[1]["error"]["code"], "shredded")

    def test_an_older_log_is_said(self):
        files = self.copied(["log.jsonl"])
        CREW.generate(2, POLICY)
        newest = self.put_back(files)
        health = CREW.must(2, "GET", "/v1/health")
        self.assertEqual(health["status"], "degraded")
        self.assertIn("the end of the log was cut off", " ".join(health["problems"]))
        self.restore(newest)

    def test_all_of_it_put_back_after_a_refresh_is_refused_by_epoch(self):
        group = CREW.generate(2, POLICY)
        files = self.copied(["custodian.db", "log.jsonl"])
        CREW.refresh(group, 2, POLICY)
        newest = self.put_back(files)
        status, said = ask(2, group, 1)
        self.assertEqual((status, said["error"]["code"]), (409, "epoch"), said)
        self.assertIn("older copy", said["error"]["message"])
        self.restore(newest)


if __name__ == "__main__":
    unittest.main()
