"""Deposits: the three custody modes of KMaaS as a person uses them (`pgveil-custodian deposit`), with real custodians.

Four of them keep the group `house`, of whom three are needed; the fourth is the user's own. Rows K4 to K8 of docs/CUSTODY.md.
"""

import base64
import contextlib
import json
import os
import subprocess
import unittest

from custodians import PROGRAM, Custodians

OWN = 3
SECRET = b"what the user has in custody \x00\xff"


def setUpModule():
    global CREW
    CREW = Custodians(4)
    unittest.addModuleCleanup(CREW.stop)
    (CREW.folder / "policy.json").write_text(json.dumps({"requesters": {"nurse": {"purposes": ["fetch"], "per_minute": 1000}}}))
    (CREW.folder / "secret").write_bytes(SECRET)
    group("house", 3)


def ran(*arguments):
    return subprocess.run([PROGRAM, *arguments], cwd=CREW.folder, capture_output=True, text=True, timeout=120, check=False,
                          env={**os.environ, "PGVEIL_MEMORY": "unlocked"})


def succeeded(*arguments):
    done = ran(*arguments)
    if done.returncode != 0:
        raise AssertionError(f"{arguments}: {done.stderr}")
    return done


def group(name, threshold, *more):
    succeeded("group", "create", "--custodians", CREW.asker_file("admin"), "--threshold", str(threshold), "--policy", "policy.json",
              "--out", name, *more)


@contextlib.contextmanager
def down(*custodians):
    for at in custodians:
        CREW.kill(at)
    try:
        yield
    finally:
        for at in custodians:
            CREW.start(at)


class Deposits(unittest.TestCase):
    def setUp(self):
        self.name = self.id().rpartition(".")[2]

    def deposited(self, keeping, *more, at="house"):
        succeeded("deposit", "create", "secret", "--group", at, "--keep", keeping, "--out", self.name + "." + keeping, "--force", *more)
        return self.name + "." + keeping

    def user_key(self, name):
        return succeeded("deposit", "key", "--out", name).stdout.strip()

    def fetch(self, deposit, *more, client="nurse", at="house"):
        return ran("deposit", "fetch", deposit, "--custodians", CREW.asker_file(client), "--group", at, "--out", "fetched", "--force",
                   *more)

    def assert_fetched(self, deposit, *more, **options):
        """What was said to the person."""
        done = self.fetch(deposit, *more, **options)
        self.assertEqual(done.returncode, 0, done.stderr)
        fetched = CREW.folder / "fetched"
        self.assertEqual(fetched.read_bytes(), SECRET)
        self.assertEqual(fetched.stat().st_mode & 0o777, 0o600)
        fetched.unlink()
        return done.stderr

    def assert_refused(self, deposit, *more, status=1, **options):
        done = self.fetch(deposit, *more, **options)
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertFalse((CREW.folder / "fetched").exists())
        return done.stderr

    def test_K5_a_private_key_and_three_custodians_are_needed(self):
        public = self.user_key("user.key")
        deposit = self.deposited("key", "--for", public)
        self.assert_fetched(deposit, "--key", "user.key")
        self.user_key("thief.key")
        self.assertIn("does not open", self.assert_refused(deposit, "--key", "thief.key"))
        self.assertIn("name its file with --key", self.assert_refused(deposit, status=2))
        with down(0, 1):
            said = self.assert_refused(deposit, "--key", "user.key")
        self.assertIn("only 2 of the 3 custodians", said)
        for missing in ("custodian-1", "custodian-2"):
            self.assertIn(missing, said)

    def test_K6_the_users_own_share_is_one_of_the_three_and_needs_no_server(self):
        deposit = self.deposited("share")
        own = ("--own", CREW.settings_file(OWN))
        self.assertIn("while the custodian serves", self.assert_refused(deposit, *own, status=2))
        with down(OWN):
            log = CREW.home(OWN) / "store" / "log.jsonl"
            before = len(log.read_text().splitlines())
            said = self.assert_fetched(deposit, *own)
            self.assertIn("opened with the parts of custodian-4", said)
            entry = json.loads(log.read_text().splitlines()[before])
            self.assertIn("nurse", json.dumps(entry))
            with down(0):
                self.assert_fetched(deposit, *own)
                # Its part is what makes three of them.
                self.assertIn("only 2 of the 3", self.assert_refused(deposit))
                with down(1):
                    self.assertIn("only 1 of the 2", self.assert_refused(deposit, *own))
        self.assert_fetched(deposit)

    def test_K7_who_keeps_nothing_shows_custodians_another_point_each_time(self):
        points = []
        for keeping in ("nothing", "share"):
            deposit = self.deposited(keeping)
            point = (CREW.folder / deposit).read_bytes()
            for turn in "12":
                self.assert_fetched(deposit, "--receipt", f"{deposit}.receipt{turn}")
                request = json.loads((CREW.folder / f"{deposit}.receipt{turn}").read_text())["request"]
                request = base64.urlsafe_b64decode(request + "==")
                # Points are the only 65 bytes that begin so in a deposit and a request alike.
                at = point.index(b"\x00\x00\x00\x41\x04") + 4
                points.append(point[at:at + 65] in request)
        self.assertEqual(points, [False, False, True, True])
        self.assertIn("leave --own away", self.assert_refused(self.deposited("nothing"), "--own", CREW.settings_file(OWN), status=2))

    def test_an_older_group_file_is_followed_and_written(self):
        group("moving", 2)
        first = (CREW.folder / "moving").read_text()
        nothing, share = (self.deposited(keeping, at="moving") for keeping in ("nothing", "share"))
        succeeded("group", "refresh", "--custodians", CREW.asker_file("admin"), "--group", "moving", "--policy", "policy.json")
        newest = (CREW.folder / "moving").read_text()
        self.assertNotEqual(first, newest)
        (CREW.folder / "own-copy").write_text(first)
        self.assert_fetched(nothing, "--receipt", "moved.receipt", at="own-copy")
        self.assertEqual((CREW.folder / "own-copy").read_text(), newest)
        succeeded("deposit", "verify", "moved.receipt", "--group", "own-copy")
        self.assertEqual((CREW.folder / "own-copy.epoch-0").read_text(), first)
        self.assertEqual(ran("deposit", "verify", "moved.receipt", "--group", "own-copy.epoch-0").returncode, 2)
        (CREW.folder / "own-copy").write_text(first)
        with down(OWN):
            self.assertIn("custodian-4", self.assert_fetched(share, "--own", CREW.settings_file(OWN), at="own-copy"))
        self.assertEqual((CREW.folder / "own-copy").read_text(), newest)

    def test_K4_a_receipt_shows_who_took_part(self):
        deposit = self.deposited("nothing")
        self.assert_fetched(deposit, "--receipt", "receipt")
        said = succeeded("deposit", "verify", "receipt", "--group", "house", "--deposit", deposit).stdout
        self.assertIn("requester: nurse\npurpose: fetch\n", said)
        self.assertEqual(said.count("took part: custodian-"), 3, said)
        other = self.deposited("share")
        self.assertEqual(ran("deposit", "verify", "receipt", "--group", "house", "--deposit", other).returncode, 1)
        receipt = json.loads((CREW.folder / "receipt").read_text())
        receipt["participations"][0]["member"], receipt["participations"][1]["member"] = (
            receipt["participations"][1]["member"], receipt["participations"][0]["member"])
        (CREW.folder / "forged").write_text(json.dumps(receipt, separators=(",", ":")) + "\n")
        done = ran("deposit", "verify", "forged", "--group", "house")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("was altered", done.stderr)

    def test_wrong_persons_and_purposes_are_refused_in_every_mode(self):
        public = self.user_key("wrong.key")
        modes = ((self.deposited("key", "--for", public), "--key", "wrong.key"), (self.deposited("share"),), (self.deposited("nothing"),))
        for mode in modes:
            said = self.assert_refused(*mode, client="stranger")
            self.assertEqual(said.count('policy does not name "stranger"'), 4, said)
            self.assertIn('"curiosity"', self.assert_refused(*mode, "--purpose", "curiosity"))
            self.assert_fetched(*mode)

    def test_a_generated_key_is_the_same_each_time(self):
        succeeded("deposit", "create", "--generate", "--group", "house", "--keep", "nothing", "--out", "generated")
        keys = set()
        for _ in range(2):
            self.assertEqual(self.fetch("generated").returncode, 0)
            keys.add((CREW.folder / "fetched").read_bytes())
            (CREW.folder / "fetched").unlink()
        key, = keys
        self.assertEqual(len(key), 32)

    def test_K8_when_two_of_three_destroyed_their_share_nobody_opens_it_again(self):
        group("doomed", 2, *(f"--member=custodian-{number}" for number in (1, 2, 3)))
        shown = json.loads((CREW.folder / "doomed").read_text())["id"]
        public = self.user_key("doomed.key")
        modes = ((self.deposited("key", "--for", public, at="doomed"), "--key", "doomed.key"), (self.deposited("share", at="doomed"),),
                 (self.deposited("nothing", at="doomed"),))
        CREW.must(2, "POST", f"/v1/groups/{shown}/shred", {"confirm": shown})
        for mode in modes:
            self.assert_fetched(*mode, at="doomed")
        with down(0):
            said = succeeded("group", "shred", "--custodians", CREW.asker_file("admin"), "--group", "doomed", "--confirm", shown).stdout
            self.assertIn("beyond recovery", said)
        for mode in modes:
            said = self.assert_refused(*mode, at="doomed")
            self.assertIn("only 1 of the 2 custodians", said)
            self.assertEqual(said.count("has shredded its share"), 2, said)

    def test_what_is_no_deposit_or_too_long_is_said(self):
        (CREW.folder / "long").write_bytes(bytes(16 * 1024 + 1))
        done = ran("deposit", "create", "long", "--group", "house", "--keep", "nothing", "--out", "never")
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("pgveil-envelope seal", done.stderr)
        self.assertFalse((CREW.folder / "never").exists())
        self.assertIn("is no deposit", self.assert_refused("secret", status=2))
        for wrong in (("secret", "--keep", "key"), ("--keep", "nothing"), ("secret", "--keep", "share", "--for", "A"),
                      ("secret", "--keep", "key", "--for", "A")):
            done = ran("deposit", "create", "--group", "house", "--out", "never", *wrong)
            self.assertEqual(done.returncode, 2, wrong)


if __name__ == "__main__":
    unittest.main()
