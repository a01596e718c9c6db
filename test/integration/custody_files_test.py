"""Custodians as the holders of protected files and of a tenant's home in escrow: `pgveil-envelope` and `pgveil-tenant` ask real ones."""

import contextlib
import json
import os
import signal
import subprocess
import time
import unittest

from custodians import BIN, PROGRAM, Custodians

CONTENT = os.urandom(100_000)
CALL_SECONDS = 5  # so long one custodian may take
POLICY = {"header": "required", "requesters": {
    "archive": {"purposes": ["open", "recover", "verify"], "per_minute": 1000},
    "seldom": {"purposes": ["open"], "per_minute": 1}}}


def setUpModule():
    global CREW
    CREW = Custodians(3)
    unittest.addModuleCleanup(CREW.stop)
    (CREW.folder / "policy.json").write_text(json.dumps(POLICY))
    (CREW.folder / "content").write_bytes(CONTENT)
    for name in ("passphrase", "another"):
        (CREW.folder / name).write_text(name + "\n")
        (CREW.folder / name).chmod(0o600)
    done = ran(PROGRAM, "group", "create", "--custodians", CREW.asker_file("admin"), "--threshold", "2", "--policy", "policy.json",
               "--out", "group.json")
    if done.returncode != 0:
        raise AssertionError(done.stderr)


def ran(program, *arguments):
    return subprocess.run([program, *arguments], cwd=CREW.folder, capture_output=True, text=True, timeout=120, check=False,
                          env={**os.environ, "PGVEIL_MEMORY": "unlocked"})


def holders(client="archive"):
    return ("--custodians", CREW.asker_file(client), "--group", "group.json")


@contextlib.contextmanager
def down(*custodians):
    for at in custodians:
        CREW.kill(at)
    try:
        yield
    finally:
        for at in custodians:
            CREW.start(at, wait=False)
        for at in custodians:
            CREW.wait_for(at)


class Files(unittest.TestCase):
    def questions(self, at):
        return [entry for entry in CREW.must(at, "GET", "/v1/log?limit=1000")["entries"] if entry["operation"] == "partial"]

    def sealed(self, *policy):
        """A file that is sealed with what the group's file says."""
        return self.sealed_with("group.json", *policy)

    def sealed_with(self, key, *policy):
        name = f"{self.id().rpartition('.')[2]}.pgveil"
        done = ran(BIN / "pgveil-envelope", "seal", "content", "--key", key, "--out", name, *policy)
        self.assertEqual(done.returncode, 0, done.stderr)
        return name

    def open(self, name, *more, client="archive"):
        return ran(BIN / "pgveil-envelope", "open", name, "--force", *holders(client), *more)

    def assert_opens(self, name, **options):
        """Gives what was said to the person."""
        done = self.open(name, **options)
        self.assertEqual(done.returncode, 0, done.stderr)
        opened = CREW.folder / name.removesuffix(".pgveil")
        self.assertEqual(opened.read_bytes(), CONTENT)
        opened.unlink()
        return done.stderr

    def assert_stays_closed(self, name, *more, client="archive"):
        done = self.open(name, *more, client=client)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertFalse((CREW.folder / name.removesuffix(".pgveil")).exists())
        return done.stderr

    def test_C7_two_of_three_open_it_and_log_who_asked_what_for(self):
        name = self.sealed()
        before = [len(self.questions(at)) for at in range(3)]
        self.assertEqual(self.assert_opens(name), "")
        entries = [self.questions(at)[before[at]:] for at in range(3)]
        self.assertGreaterEqual(sum(map(len, entries)), 2)
        for entry in (entry for one in entries for entry in one):
            self.assertEqual((entry["requester"], entry["purpose"], entry["result"]), ("archive", "open", "answered"))

    def test_C10_with_one_down_it_opens_and_with_two_the_missing_are_named(self):
        name = self.sealed()
        with down(0):
            self.assert_opens(name)
        with down(0, 2):
            said = self.assert_stays_closed(name)
        for missing in ("custodian-1", "custodian-3"):
            self.assertIn(f"{missing} does not help: ", said)
        self.assertIn("1 of 2 holders helped, without custodian-1, custodian-3", said)
        self.assert_opens(name)

    def test_C10_one_that_hangs_is_not_waited_for(self):
        name = self.sealed()

        def seconds(opening, *stopped):
            for at in stopped:
                CREW.kill(at, signal.SIGSTOP)
            start = time.monotonic()
            try:
                opening(name)
                return time.monotonic() - start
            finally:
                for at in stopped:
                    CREW.kill(at, signal.SIGCONT)

        self.assertLess(seconds(self.assert_opens, 0), CALL_SECONDS)
        self.assertLess(seconds(self.assert_opens, 2), CALL_SECONDS)
        # Two that hang are waited for, both at the same time: the control.
        waited = seconds(self.assert_stays_closed, 0, 1)
        self.assertGreater(waited, CALL_SECONDS - 0.5)
        self.assertLess(waited, 3 * CALL_SECONDS)
        self.assert_opens(name)

    def test_C9_what_a_custodian_refuses_is_told_in_its_words(self):
        said = self.assert_stays_closed(self.sealed(), "--purpose", "curiosity")
        self.assertEqual(said.count("(purpose)"), 3, said)
        self.assertIn("curiosity", said)
        said = self.assert_stays_closed(self.sealed("--for", "somebody", "--force"))
        self.assertEqual(said.count('its policy does not name "archive" (header)'), 3, said)
        name = self.sealed("--for", "archive", "--force")
        self.assert_opens(name)
        self.assertIn('"stranger"', self.assert_stays_closed(name, client="stranger"))

    def test_C9_who_asks_too_often_waits(self):
        name = self.sealed()
        self.assert_opens(name, client="seldom")
        self.assertIn("within a minute", self.assert_stays_closed(name, client="seldom"))

    def test_custodians_stand_alone_and_need_their_group(self):
        name = self.sealed()
        for wrong in (("--as", "archive"), ("--holder", "."), ("--password",)):
            self.assertEqual(self.open(name, *wrong).returncode, 2, wrong)
        for wrong in ((), holders()[:2], holders()[2:], ("--custodians", "policy.json", "--group", "group.json")):
            self.assertEqual(ran(BIN / "pgveil-envelope", "open", name, *wrong).returncode, 2, wrong)


class Renewed(unittest.TestCase):
    """A group's file from before a refresh and a reshare: its asker goes on by itself."""

    sealed_with = Files.sealed_with

    def group(self, verb, *arguments):
        done = ran(PROGRAM, "group", verb, "--custodians", CREW.asker_file("admin"), "--policy", "policy.json", *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_the_asker_follows_and_writes_its_group_file(self):
        own, theirs = CREW.folder / "own.json", CREW.folder / "theirs.json"
        self.group("create", "--threshold", "2", "--out", theirs, "--member", CREW.names[0], "--member", CREW.names[1])
        first = theirs.read_text()
        name = self.sealed_with(theirs)
        self.group("refresh", "--group", theirs)
        self.group("reshare", "--group", theirs, "--member", CREW.names[1], "--member", CREW.names[2])
        self.assertEqual(json.loads(theirs.read_text())["epoch"], 2)
        for away in ((), (0,)):  # one has left the group; either former member shows the way
            own.write_text(first)
            with down(*away):
                done = ran(BIN / "pgveil-envelope", "open", name, "--force", "--custodians", CREW.asker_file("archive"), "--group", own)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(own.read_text(), theirs.read_text())
        self.assertEqual((CREW.folder / name.removesuffix(".pgveil")).read_bytes(), CONTENT)

    def test_what_is_no_successor_is_not_followed(self):
        """The way of another group, put where this group's would be."""
        made = [CREW.folder / name for name in ("one.json", "two.json")]
        for path in made:
            self.group("create", "--threshold", "2", "--out", path)
        ids = [json.loads(path.read_text())["id"] for path in made]
        self.group("refresh", "--group", made[0])
        way = CREW.must(0, "GET", f"/v1/groups/{ids[0]}/next?epoch=0", client="archive")
        self.assertEqual((way["epoch"], way["members"]), (1, CREW.names))
        self.assertEqual(CREW.ask(0, "GET", f"/v1/groups/{ids[1]}/next?epoch=0", client="archive")[0], 404)
        self.assertEqual(CREW.ask(0, "GET", f"/v1/groups/{ids[0]}/next?epoch=1", client="archive")[0], 404)
        self.assertEqual(CREW.ask(0, "GET", f"/v1/groups/{ids[0]}/next?epoch=x", client="archive")[0], 400)


class Escrow(unittest.TestCase):
    def tenant(self, *arguments, home, passphrase="passphrase"):
        return ran(BIN / "pgveil-tenant", "--home", home, "--passphrase-file", passphrase, *arguments)

    def succeeded(self, *arguments, **options):
        done = self.tenant(*arguments, **options)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done

    def test_C10_a_home_is_escrowed_rehearsed_and_recovered(self):
        self.succeeded("init", "--tenant", "clinic", "--test-scrypt-log2-n", "4", home="home")
        self.succeeded("escrow", "create", "home.escrow", "--key", "group.json", home="home")
        with down(1):
            said = self.succeeded("escrow", "verify", "home.escrow", *holders(), home="home").stdout
            self.assertIn("holder: custodian-1, share 1: answered, and the proof holds\n", said)
            self.assertIn("holder: custodian-2, share 2: no answer that counts: ", said)
            self.assertIn("parts: 2, needed 2\nhome: as it is now\n", said)
            with down(2):
                done = self.tenant("escrow", "recover", "home.escrow", *holders(), home="new", passphrase="another")
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertIn("without custodian-2, custodian-3", done.stderr)
                self.assertFalse((CREW.folder / "new").exists())
            done = self.succeeded("escrow", "recover", "home.escrow", "--test-scrypt-log2-n", "4", *holders(), home="new",
                                  passphrase="another")
        self.assertIn("recovered the home of tenant clinic", done.stderr)
        of_another = self.tenant("escrow", "create", "new.escrow", "--key", "group.json", home="new")
        self.assertIn("passphrase is wrong", of_another.stderr)
        self.succeeded("escrow", "create", "new.escrow", "--key", "group.json", home="new", passphrase="another")

    def test_C9_verify_needs_its_purpose_in_the_groups_policy(self):
        self.succeeded("init", "--tenant", "clinic", "--test-scrypt-log2-n", "4", home="other")
        self.succeeded("escrow", "create", "other.escrow", "--key", "group.json", home="other")
        done = self.tenant("escrow", "verify", "other.escrow", *holders("seldom"), home="other")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertEqual(done.stdout.count("(purpose)"), 3, done.stdout)
        self.assertIn("0 of 2 answered", done.stderr)


if __name__ == "__main__":
    unittest.main()
