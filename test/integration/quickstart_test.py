"""scripts/quickstart as a newcomer runs it: the screen, and that nothing is left behind."""

import os
import pathlib
import re
import signal
import subprocess
import tempfile
import time
import unittest

from stack import QUICKSTART, psql, run, wait_until


def processes_of(folder):
    """Command lines of running processes that mention a folder."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(folder) in line:
            found.append(line)
    return found


class Quickstart(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        os.chmod(place.name, 0o755)
        self.dir = pathlib.Path(place.name) / "stack"

    def test_the_screen_shows_what_each_share_is_good_for(self):
        done = run([QUICKSTART, "--dir", self.dir], timeout=200)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        parts = re.split(r"^\d\. ", done.stdout, flags=re.M)
        self.assertEqual(len(parts), 7, done.stdout)
        self.assertIn("Aurelia Brandt", parts[1])
        self.assertNotIn("Aurelia Brandt", parts[2])
        self.assertIn("\\x01", parts[2])
        for part, word in ((3, "application share"), (4, "expired"), (5, "clerk"), (6, "pgveil.user_id")):
            self.assertIn("28000", parts[part])
            self.assertIn(word, parts[part].split("28000", 1)[1])
        self.assertIn("nurse still reads 6 names", parts[5])
        self.assertLessEqual(max(map(len, done.stdout.splitlines())), 120)
        # A server has ended for pg_ctl when its pid file is gone, a moment before its process.
        wait_until(lambda: not processes_of(self.dir), "the last process to end")

    def test_a_kept_stack_can_be_used_and_stopped(self):
        done = run([QUICKSTART, "--keep", "--dir", self.dir], timeout=200)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        env = dict(re.findall(r"^(\w+)='(.*)'$", (self.dir / "env").read_text(), re.M))
        said = psql(env["PROXY_URL"], "-At", "-c", "SELECT name FROM patients WHERE id = 2", options=env["PROXY_OPTIONS"])
        self.assertEqual(said.stdout.strip(), "Jonas O'Leary")
        self.assertIn("\\x01", psql(env["DIRECT_URL"], "-At", "-c", "SELECT name FROM patients WHERE id = 2").stdout)
        again = run([QUICKSTART, "--keep", "--dir", self.dir])
        self.assertEqual(again.returncode, 1)
        self.assertIn("not empty", again.stderr)
        self.assertTrue(processes_of(self.dir))
        stopped = run([QUICKSTART, "--stop", "--dir", self.dir])
        self.assertEqual(stopped.returncode, 0, stopped.stderr)
        wait_until(lambda: not processes_of(self.dir), "the last process to end")

    def test_an_interrupt_stops_everything(self):
        child = subprocess.Popen([QUICKSTART, "--dir", self.dir], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        wait_until(lambda: (self.dir / "run" / "pgveil.pid").exists(), "pgveil to start")
        time.sleep(0.5)
        child.send_signal(signal.SIGINT)
        child.communicate(timeout=60)
        self.assertNotEqual(child.returncode, 0)
        wait_until(lambda: not processes_of(self.dir), "the last process to end")


if __name__ == "__main__":
    unittest.main()
