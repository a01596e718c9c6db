"""scripts/custodians: what it shows holds, and it leaves nothing behind."""

import os
import pathlib
import tempfile
import unittest

from stack import ROOT, run


class Script(unittest.TestCase):
    def test_it_shows_what_three_of_five_are_needed_for_and_ends_what_it_started(self):
        with tempfile.TemporaryDirectory(prefix="pgveil-custodians.") as folder:
            os.chmod(folder, 0o755)
            done = run([ROOT / "scripts" / "custodians", "--dir", f"{folder}/here"], timeout=400)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertEqual(done.stdout.count("no answer"), 2)
            self.assertIn("the file stays closed: 2 of 3 holders helped", done.stdout)
            self.assertRegex(done.stdout, "is locked\n.*is unlocked\n")
            self.assertEqual(done.stderr.count(" patients can be read"), 2)
            self.assertFalse(pathlib.Path(folder, "here").exists())
            self.assertNotIn(folder, run(["ps", "-eo", "args"]).stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
