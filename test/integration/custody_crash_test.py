"""kill -9 of a custodian and of the coordinator at their n-th step of making, refreshing and resharing a group, and of
pgveil-envelope at those of its groups in directories.

A step is a system call that makes a write last or sends something (test/support/stop_at.cpp). After each kill a threshold
of one epoch still answers, the same command goes on, and in the end all members have one group and one key.
scripts/nightly meets every step, scripts/test some."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import unittest

from custodians import PROGRAM, Custodians, decoded, encoded
from fresh_proxy import StopAt
from partials import Question, combined, point_of, times

STRIDE = int(os.environ.get("PGVEIL_CRASH_STRIDE", "1"))
FEWEST = 2  # a sweep that killed less has swept nothing
POLICY = {"requesters": {"proxy": {"purposes": ["unseal"], "per_minute": 100000}}}
KILLED = -signal.SIGKILL
COORDINATOR = 3
ENVELOPE = pathlib.Path(os.environ["PGVEIL_BIN"]) / "pgveil-envelope"
CONTENT = b"what two of three open"


def setUpModule():
    global CREW, PAGES
    pages = pathlib.Path(tempfile.mkdtemp(prefix="pgveil-steps-"))
    PAGES = [StopAt(pages, f"steps-{at}") for at in range(COORDINATOR + 1)]
    CREW = Custodians(3, prefixes=[page.words() for page in PAGES[:COORDINATOR]])
    unittest.addModuleCleanup(CREW.stop)
    (CREW.folder / "policy.json").write_text(json.dumps(POLICY))


def command(verb, name, *arguments):
    file = "--out" if verb == "create" else "--group"
    return [*PAGES[COORDINATOR].words(), PROGRAM, "group", verb, "--custodians", CREW.asker_file("admin"), "--policy",
            CREW.folder / "policy.json", file, CREW.folder / name, *arguments]


def members(*places):
    return [word for at in places for word in ("--member", CREW.names[at])]


class Swept(unittest.TestCase):
    def setUp(self):
        self.killed = 0
        self.key = None

    def parts(self, group, epoch):
        """Who answers at this epoch, and with what."""
        asked = Question(decoded(group), epoch=epoch)
        out = {}
        for at in range(3):
            status, said = CREW.ask(at, "POST", f"/v1/groups/{group}/partial", {"request": encoded(asked.bytes)}, "proxy")
            if status == 200:
                index = CREW.must(at, "GET", f"/v1/groups/{group}", client="proxy")["index"]
                out[index] = asked.opened(index, decoded(said["answer"]))
        return asked, out

    def assert_whole(self, group, epochs, threshold=2):
        """At one of the epochs there are enough, and they give the group's key; at both never with another."""
        enough = []
        for epoch in epochs:
            asked, parts = self.parts(group, epoch)
            if len(parts) >= threshold:
                self.assertEqual(combined(dict(list(parts.items())[:threshold])), times(asked.secret, self.key))
                enough.append(epoch)
        self.assertTrue(enough, f"nobody can use the group at {epochs}")

    def run_killed(self, victim, step, words):
        """The command, with the victim dying at its step; the others are killed with nobody. True if it died."""
        PAGES[victim].set(step)
        child = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        while child.poll() is None and (victim == COORDINATOR or CREW.children[victim].poll() is None):
            try:
                child.wait(0.02)
            except subprocess.TimeoutExpired:
                pass
        if victim == COORDINATOR:
            PAGES[victim].set(0)
            said = child.communicate()[1]
            self.assertIn(child.returncode, (0, KILLED), said)
            return child.returncode == KILLED
        has_died = self.is_dead(victim, child)
        if has_died and child.poll() is None:
            child.kill()  # the coordinator dies, too: nothing is left but what lies on disks
        said = child.communicate()[1]
        PAGES[victim].set(0)
        if has_died:
            self.assertEqual(CREW.children[victim].returncode, KILLED, CREW.output(victim))
            CREW.start(victim)
        else:
            self.assertEqual(child.returncode, 0, said)
        return has_died

    @staticmethod
    def is_dead(victim, child):
        """A command that failed has seen the end of its custodian, perhaps before this process has."""
        try:
            CREW.children[victim].wait(0 if child.poll() in (None, 0) else 10)
            return True
        except subprocess.TimeoutExpired:
            return False

    def go_on(self, words):
        """The same command, until it is through."""
        for _ in range(3):
            done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=120)
            if done.returncode == 0:
                return
        self.fail(done.stderr)

    def judge(self, name, epoch):
        pinned = json.loads((CREW.folder / name).read_text())
        self.assertEqual(pinned["epoch"], epoch)
        for member in pinned["members"]:
            at = CREW.names.index(member)
            self.assertEqual(CREW.must(at, "GET", f"/v1/groups/{pinned['id']}")["group"], pinned["group"])
        self.key = point_of(decoded(pinned["public_key"]))
        self.assert_whole(pinned["id"], [epoch])
        return pinned

    def sweep(self, victim, one_step):
        """one_step(step) says whether the victim died on the way."""
        step = 1
        while one_step(step):
            self.killed += 1
            step += STRIDE
        self.assertGreaterEqual(self.killed, FEWEST, f"steps of victim {victim}")

    def create(self, victim):
        def one_step(step):
            name = f"created-{victim}-{step}.json"
            words = command("create", name, "--threshold", "2")
            has_died = self.run_killed(victim, step, words)
            if not (CREW.folder / name).exists() or (CREW.folder / f"{name}.run").exists():
                self.go_on(words)
            self.assertFalse((CREW.folder / f"{name}.run").exists())
            self.judge(name, 0)
            return has_died
        self.sweep(victim, one_step)

    def renew(self, victim, verb, arguments_of=lambda step: ()):
        name = f"{verb}-{victim}.json"
        self.go_on(command("create", name, "--threshold", "2"))
        pinned = self.judge(name, 0)
        epochs = [0]

        def one_step(step):
            before = epochs[-1]
            words = command(verb, name, *arguments_of(before))
            has_died = self.run_killed(victim, step, words)
            self.assert_whole(pinned["id"], [before, before + 1])
            if json.loads((CREW.folder / name).read_text())["epoch"] == before:
                self.go_on(words)
            self.judge(name, before + 1)
            epochs.append(before + 1)
            return has_died
        self.sweep(victim, one_step)

    def test_create(self):
        for victim in (0, COORDINATOR):
            with self.subTest(victim=victim):
                self.killed = 0
                self.create(victim)

    def test_refresh(self):
        for victim in (1, COORDINATOR):
            with self.subTest(victim=victim):
                self.killed = 0
                self.renew(victim, "refresh")

    def test_reshare_to_others_and_back(self):
        """One leaves, and comes again: as a member that stays, leaves, joins, and as the coordinator."""
        for victim in (2, 0, COORDINATOR):
            with self.subTest(victim=victim):
                self.killed = 0
                self.renew(victim, "reshare", lambda epoch: members(0, 1) if epoch % 2 == 0 else members(0, 1, 2))


class Directories(unittest.TestCase):
    """Holders of pgveil-envelope: whatever is killed, two of them open what was sealed, and the command, or one that names
    all of them, ends what was begun."""

    STAY = ("provider", "notary")
    ALL = (*STAY, "company")

    def setUp(self):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="pgveil-envelope."))
        self.addCleanup(shutil.rmtree, self.root)
        self.page = StopAt(self.root, "steps")
        self.made, self.turn = self.root / "made", self.root / "turn"
        self.made.mkdir()
        (self.made / "content").write_bytes(CONTENT)

    def ran(self, *arguments, folder=None):
        return subprocess.run([*self.page.words(), ENVELOPE, *arguments], cwd=folder or self.turn, capture_output=True, text=True,
                              timeout=120, check=False, env={**os.environ, "PGVEIL_MEMORY": "unlocked"})

    def must(self, *arguments, folder=None):
        done = self.ran(*arguments, folder=folder)
        self.assertEqual(done.returncode, 0, f"{arguments}: {done.stderr}")

    @staticmethod
    def held_by(*names):
        return [word for name in names for word in ("--holder", name)]

    def opened_by(self, *names):
        self.must("open", "content.pgveil", "--out", "opened", "--force", *self.held_by(*names))
        self.assertEqual((self.turn / "opened").read_bytes(), CONTENT)

    def init(self, folder):
        return self.ran("init", *self.held_by(*(f"{name}={name}" for name in self.ALL)), "--key", "key.pub", folder=folder)

    def swept(self, command, judge):
        killed = 0
        while True:
            step = 1 + killed * STRIDE
            shutil.rmtree(self.turn, ignore_errors=True)
            shutil.copytree(self.made, self.turn)
            self.page.set(step)
            done = command()
            self.page.set(0)
            with self.subTest(step=step):
                self.assertIn(done.returncode, (0, KILLED), done.stderr)
                judge()
            if done.returncode == 0:
                break
            killed += 1
        self.assertGreaterEqual(killed, FEWEST)

    def test_init(self):
        def judge():
            if not (self.turn / "key.pub").exists():  # so nothing was sealed; all of it may go
                for name in self.ALL:
                    shutil.rmtree(self.turn / name, ignore_errors=True)
                self.assertEqual(self.init(self.turn).returncode, 0)
            self.must("seal", "content", "--key", "key.pub")
            self.opened_by(*self.ALL[1:])
        self.swept(lambda: self.init(self.turn), judge)

    def made_and_sealed(self):
        self.assertEqual(self.init(self.made).returncode, 0)
        self.must("seal", "content", "--key", "key.pub", folder=self.made)

    def test_renew(self):
        def judge():
            for left in range(3):
                self.opened_by(*(name for at, name in enumerate(self.ALL) if at != left))
            self.must("renew", *self.held_by(*self.ALL))
            self.opened_by(*self.ALL[1:])
        self.made_and_sealed()
        self.swept(lambda: self.ran("renew", *self.held_by(*self.ALL)), judge)

    def test_replace(self):
        command = ("replace", *self.held_by(*self.STAY), "--new", "auditor=auditor")

        def judge():
            if (self.turn / "auditor" / "holder").exists():
                self.opened_by(*self.STAY, "auditor")
            else:
                self.opened_by(*self.STAY)
                self.must(*command)
            for left in self.STAY:
                self.opened_by(left, "auditor")
            self.opened_by(*self.STAY)
        self.made_and_sealed()
        shutil.rmtree(self.made / "company")
        self.swept(lambda: self.ran(*command), judge)


if __name__ == "__main__":
    unittest.main()
