"""pgveil-envelope as people use it: a group, its holders' directories, and files that any two of three open."""

import os
import pathlib
import resource
import shutil
import signal
import subprocess
import tempfile
import unittest

PROGRAM = pathlib.Path(os.environ["PGVEIL_BIN"]) / "pgveil-envelope"
CONTENT = os.urandom(200_000)
CHUNK = 65536


def ran(folder, *arguments, **options):
    return subprocess.run([PROGRAM, *arguments], cwd=folder, capture_output=True, timeout=120, check=False,
                          env={**os.environ, "PGVEIL_MEMORY": "unlocked"}, **options)


def write(folder, name, content):
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    path.chmod(0o600)


def named(*names):
    return [part for name in names for part in ("--holder", f"{name}={name}")]


def holders(*names):
    return [part for name in names for part in ("--holder", name)]


def secrets(password="password", code="code"):
    return ["--password-file", password, "--code-file", code]


class EnvelopeCase(unittest.TestCase):
    """A folder for each test, with a copy of the group that its class made: the holders, key.pub, and for two holders the
    files password and code."""

    HOLDERS = ()

    @classmethod
    def setUpClass(cls):
        cls.made = pathlib.Path(tempfile.mkdtemp(prefix="pgveil-envelope."))
        cls.addClassCleanup(shutil.rmtree, cls.made)
        write(cls.made, "content", CONTENT)
        write(cls.made, "password", "correct horse\n")
        done = ran(cls.made, "init", *named(*cls.HOLDERS), "--key", "key.pub", "--password-file", "password")
        if done.returncode != 0:
            raise AssertionError(done.stderr)
        write(cls.made, "code", done.stdout)

    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="pgveil-envelope."))
        self.addCleanup(shutil.rmtree, self.dir)
        shutil.copytree(self.made, self.dir, dirs_exist_ok=True)

    def write(self, name, content):
        write(self.dir, name, content)

    def succeeded(self, *arguments, **options):
        done = ran(self.dir, *arguments, **options)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def failed(self, code, *arguments, **options):
        """What it said to the person when it ended with this code."""
        done = ran(self.dir, *arguments, **options)
        self.assertEqual(done.returncode, code, done.stderr)
        return done.stderr.decode()

    def opened(self, *arguments, file="content.pgveil"):
        """The content, by the holders and options given; the file is gone again afterwards."""
        self.succeeded("open", file, "--out", "opened", *arguments)
        content = (self.dir / "opened").read_bytes()
        self.assertEqual((self.dir / "opened").stat().st_mode & 0o777, 0o600)
        (self.dir / "opened").unlink()
        return content


class Combinations(EnvelopeCase):
    HOLDERS = ("company", "cloud")

    def setUp(self):
        super().setUp()
        self.succeeded("seal", "content", "--key", "key.pub")

    def test_C3_normal_disaster_and_offline(self):
        self.assertEqual(self.opened(*holders("company", "cloud")), CONTENT)
        self.assertEqual(self.opened(*holders("cloud"), *secrets()), CONTENT)
        self.assertEqual(self.opened(*holders("company"), *secrets()), CONTENT)

    def test_C4_a_group_is_made_once(self):
        before = {name: (self.dir / name / "holder").read_bytes() for name in ("company", "cloud")}
        self.assertIn("company/holder exists already", self.failed(2, "init", *named("company", "new"), "--key", "other.pub"))
        self.assertIn("key.pub exists already", self.failed(2, "init", *named("a", "b", "c"), "--key", "key.pub"))
        self.assertEqual({name: (self.dir / name / "holder").read_bytes() for name in before}, before)
        self.assertEqual([path.name for path in self.dir.iterdir() if path.name in {"a", "b", "c", "new"}], [])
        self.assertIn("is no holder", self.failed(2, "init", "--holder", "a", "--holder", "b=b", "--key", "other.pub"))

    def test_C3_a_forgotten_password_is_replaced_by_company_and_cloud(self):
        self.write("new password", "better horse\n")
        self.write("new code", self.succeeded("renew", *holders("company", "cloud"), "--password-file", "new password"))
        self.assertEqual(self.opened(*holders("company", "cloud")), CONTENT)
        new = secrets("new password", "new code")
        for holder, stale in (("company", secrets()), ("cloud", secrets("new password"))):
            self.assertEqual(self.opened(*holders(holder), *new), CONTENT)
            said = self.failed(1, "open", "content.pgveil", "--out", "opened", *holders(holder), *stale)
            self.assertIn("the password or the recovery code is wrong", said)
        for holder in ("company", "cloud"):
            self.assertIn(b"shares renewed", self.succeeded("log", "--holder", holder))

    def test_C10_a_lost_holder_is_replaced_with_the_password(self):
        shutil.move(self.dir / "cloud", self.dir / "lost")
        replacing = ["replace", "--holder", "company", "--new", "other=other"]
        self.write("wrong", "wrong horse\n")
        self.assertIn("the password or the recovery code is wrong", self.failed(1, *replacing, *secrets("wrong")))
        self.assertFalse((self.dir / "other").exists())
        self.write("new code", self.succeeded(*replacing, *secrets()))
        new = secrets(code="new code")
        for opening in (holders("company", "other"), holders("company") + new, holders("other") + new):
            self.assertEqual(self.opened(*opening), CONTENT)
        # What was lost opens with nothing of what is there now.
        closed = ["open", "content.pgveil", "--out", "opened", *holders("lost")]
        self.assertIn("the password or the recovery code is wrong", self.failed(1, *closed, *new))
        for other in ("company", "other"):
            self.assertIn("1 of 2 holders helped", self.failed(1, *closed, *holders(other)))

    def test_C2_a_wrong_password_or_code_opens_nothing(self):
        self.write("wrong", "wrong horse\n")
        self.write("wrong code", "00000-00000-00000-00000-000000\n")
        self.write("no code", "0000\n")
        opening = ["open", "content.pgveil", *holders("cloud"), "--out", "opened"]
        for stale in (secrets("wrong"), secrets(code="wrong code")):
            self.assertIn("the password or the recovery code is wrong", self.failed(1, *opening, *stale))
        self.assertIn("26 letters and digits", self.failed(2, *opening, *secrets(code="no code")))
        self.assertFalse((self.dir / "opened").exists())  # what is right opens: the test of C3

    def test_C10_one_holder_alone_or_dead(self):
        shutil.move(self.dir / "company", self.dir / "lost")
        opening = ["open", "content.pgveil", "--out", "opened", *holders("company", "cloud")]
        said = self.failed(1, *opening)
        self.assertIn("company/holder cannot be opened", said)
        self.assertIn("1 of 2 holders helped", said)
        self.assertEqual(self.opened(*holders("company", "cloud"), "--password", *secrets()), CONTENT)

    def test_C9_both_logs_name_the_request(self):
        self.opened(*holders("company", "cloud"), "--as", "grey", "--purpose", "yearly audit")
        lines = [self.succeeded("log", "--holder", name).decode().splitlines()[-1].split("\t") for name in ("company", "cloud")]
        self.assertEqual(lines[0][1:4], lines[1][1:4])
        self.assertEqual(lines[0][2:4], ["grey", "yearly audit"])
        log = self.dir / "cloud" / "log"
        log.write_text(log.read_text().replace("grey", "gray"))
        self.assertIn("the log was altered here", self.failed(1, "log", "--holder", "cloud"))

    def test_C5_a_damaged_file_leaves_nothing(self):
        whole = (self.dir / "content.pgveil").read_bytes()
        body = len(whole) - len(CONTENT) - 4 * 16
        for name, damaged, says in (
                ("cut", whole[:body + CHUNK + 16], "cut off behind chunk 1"),
                ("flipped", whole[:-1] + bytes([whole[-1] ^ 1]), "chunk 4 (content from byte 196608)"),
                ("swapped", whole[:body] + whole[body + CHUNK + 16:], "chunk 1 (content from byte 0)"),
                ("header", whole[:30] + bytes([whole[30] ^ 1]) + whole[31:], "its header was altered")):
            with self.subTest(name):
                self.write("damaged", damaged)
                said = self.failed(1, "open", "damaged", "--out", "opened", *holders("company", "cloud"))
                self.assertIn(says, said)
                self.assertEqual([path.name for path in self.dir.iterdir() if "opened" in path.name], [])


class Separate(EnvelopeCase):
    HOLDERS = ("provider", "company", "notary")

    def test_C8_three_holders_of_their_own(self):
        self.succeeded("seal", "content", "--key", "key.pub")
        for pair in (("provider", "company"), ("provider", "notary"), ("company", "notary"), ("notary", "provider", "company")):
            self.assertEqual(self.opened(*holders(*pair)), CONTENT)
        said = self.failed(2, "open", "content.pgveil", "--out", "opened", *holders("notary"))
        self.assertIn("no password opens files of this group", said)
        shutil.rmtree(self.dir / "company")
        self.assertEqual(self.opened(*holders("provider", "company", "notary")), CONTENT)


    def test_C10_a_lost_holder_is_replaced_by_the_two_others(self):
        self.succeeded("seal", "content", "--key", "key.pub")
        shutil.move(self.dir / "company", self.dir / "lost")
        new = ["--new", "auditor=auditor"]
        for left in (("provider",), ("provider", "provider"), ("provider", "notary", "lost")):
            self.assertIn("name the two holders", self.failed(2, "replace", *holders(*left), *new))
        self.assertIn("exists already", self.failed(2, "replace", *holders("provider", "notary"), "--new", "auditor=lost"))
        self.succeeded("replace", *holders("provider", "notary"), *new)
        for pair in (("provider", "notary"), ("provider", "auditor"), ("auditor", "notary")):
            self.assertEqual(self.opened(*holders(*pair)), CONTENT)
        for other in ("provider", "auditor", "notary"):
            said = self.failed(1, "open", "content.pgveil", "--out", "opened", *holders("lost", other))
            self.assertIn("1 of 2 holders helped", said)
        self.succeeded("renew", *holders("provider", "auditor", "notary"))
        self.assertEqual(self.opened(*holders("auditor", "notary")), CONTENT)

    def test_a_replacement_that_was_cut_short_is_finished_by_whoever_opens(self):
        self.succeeded("seal", "content", "--key", "key.pub")
        before = {name: (self.dir / name / "holder").read_bytes() for name in ("provider", "notary")}
        self.succeeded("replace", *holders("provider", "notary"), "--new", "auditor=auditor")
        # As after a kill between the newcomer's first file and the first of those that stay.
        for name, held in before.items():
            shutil.move(self.dir / name / "holder", self.dir / name / "next")
            self.write(f"{name}/holder", held)
        self.assertEqual(self.opened(*holders("provider", "notary")), CONTENT)
        self.assertEqual(self.opened(*holders("provider", "notary", "auditor")), CONTENT)
        for name in before:
            self.assertEqual(self.opened(*holders(name, "auditor")), CONTENT)


class Files(EnvelopeCase):
    HOLDERS = ("one", "two", "three")

    def test_C6_the_public_key_alone_seals_and_pipes_do(self):
        for name in ("one", "two", "three"):
            shutil.move(self.dir / name, self.dir / f"{name}.away")
        sealed = self.succeeded("seal", "-", "--key", "key.pub", input=CONTENT)
        self.assertNotIn(CONTENT[:64], sealed)
        for name in ("one", "two"):
            shutil.move(self.dir / f"{name}.away", self.dir / name)
        self.assertEqual(self.succeeded("open", "-", *holders("one", "two"), input=sealed), CONTENT)

    def test_C5_policy_is_kept_and_shown(self):
        self.succeeded("seal", "content", "--key", "key.pub", "--for", "white", "--for", "grey", "--until", "2999-01-31",
                       "--purpose", "yearly audit")
        shown = self.succeeded("show", "content.pgveil").decode()
        self.assertIn("for: grey\nfor: white\nuntil: 2999-01-31T00:00:00Z\npurpose: yearly audit\n", shown)
        both = holders("one", "two")
        self.assertIn('does not name "black"', self.failed(1, "open", "content.pgveil", "--out", "opened", "--as", "black", *both))
        self.assertEqual(self.opened(*both, "--as", "grey", "--purpose", "yearly audit"), CONTENT)
        self.succeeded("seal", "content", "--key", "key.pub", "--until", "2001-01-01T00:00:00Z", "--out", "late")
        self.assertIn("a time that has passed", self.failed(1, "open", "late", "--out", "opened", *both))

    def test_a_file_that_exists_is_not_overwritten_unless_said(self):
        self.succeeded("seal", "content", "--key", "key.pub")
        self.assertIn("exists already", self.failed(2, "seal", "content", "--key", "key.pub"))
        self.assertIn("exists already", self.failed(2, "open", "content.pgveil", *holders("one", "two")))
        before = (self.dir / "content.pgveil").read_bytes()
        self.succeeded("seal", "content", "--key", "key.pub", "--force")
        self.assertNotEqual((self.dir / "content.pgveil").read_bytes(), before)
        self.succeeded("open", "content.pgveil", "--force", *holders("one", "two"))
        self.assertEqual((self.dir / "content").read_bytes(), CONTENT)
        self.assertIn("is no time", self.failed(2, "seal", "content", "--key", "key.pub", "--until", "2026-06-31"))

    def test_a_kill_leaves_no_half_file(self):
        self.succeeded("seal", "content", "--key", "key.pub")
        sealed = (self.dir / "content.pgveil").read_bytes()
        opening = subprocess.Popen([PROGRAM, "open", "-", "--out", "opened", *holders("one", "two")], cwd=self.dir,
                                   stdin=subprocess.PIPE, env={**os.environ, "PGVEIL_MEMORY": "unlocked"})
        # More than a pipe holds: once it is written, the program has read and opened chunks.
        opening.stdin.write(sealed[:-10])
        opening.stdin.flush()
        opening.send_signal(signal.SIGKILL)
        opening.wait(20)
        opening.stdin.close()
        self.assertEqual([path.name for path in self.dir.iterdir() if "opened" in path.name], [])

    def test_memory_does_not_grow_with_the_file(self):
        def most_memory(size):
            """KiB that seal and open take at most, one into the other."""
            source = subprocess.Popen(["head", "-c", str(size), "/dev/zero"], stdout=subprocess.PIPE)
            environment = {**os.environ, "PGVEIL_MEMORY": "unlocked"}
            seal = subprocess.Popen([PROGRAM, "seal", "-", "--key", "key.pub"], cwd=self.dir, stdin=source.stdout,
                                    stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment)
            opening = subprocess.Popen([PROGRAM, "open", "-", *holders("one", "two")], cwd=self.dir, stdin=seal.stdout,
                                       stdout=subprocess.PIPE, env=environment)
            source.stdout.close()
            seal.stdout.close()
            arrived = 0
            while part := opening.stdout.read(1 << 20):
                arrived += len(part)
            used = [os.wait4(process.pid, 0) for process in (seal, opening)]
            seal.returncode = opening.returncode = 0
            opening.stdout.close()
            source.wait(20)
            self.assertEqual(([status for _, status, _ in used], arrived), ([0, 0], size))
            return max(usage.ru_maxrss for _, _, usage in used)

        before = most_memory(1_000_000)
        self.assertLess(most_memory(100_000_000), before + 16_384)
        # What holds 100 MB shows: the control.
        held = subprocess.run(["python3", "-c", "import resource; b = bytearray(100_000_000); "
                               "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"], capture_output=True, check=True)
        self.assertGreater(int(held.stdout), before + 16_384)


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    unittest.main()
