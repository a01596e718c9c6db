"""The manual pages and the programs say the same: every command and option of --help has its place, and nothing else has."""

import os
import pathlib
import re
import shutil
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = ROOT / "docs" / "man"
BIN = pathlib.Path(os.environ["PGVEIL_BIN"])
OF_EVERY_PROGRAM = {"--help", "--version"}
LATER = "not available in this version"


def help_of(program, *command):
    environment = {**os.environ, "PGVEIL_MEMORY": "unlocked"}
    done = subprocess.run([BIN / program, *command, "--help"], capture_output=True, text=True, timeout=30, check=True,
                          env=environment)
    return done.stdout


def options_in(help_text):
    return set(re.findall(r"^  (?:-\w,)?(--[\w-]+)", help_text, re.M))


def commands_in(help_text):
    """Names of the subcommands that this version has."""
    _, _, listed = help_text.partition("Subcommands:\n")
    return [name for name, what in re.findall(r"^  ([\w-]+) +(\S.*)$", listed, re.M) if what.strip() != LATER]


def described_by(program):
    """{command: its options}, as --help has it; "" is the program itself."""
    found = {}

    def visit(command):
        text = help_of(program, *command)
        inner = commands_in(text)
        if not inner or not command:
            found[" ".join(command)] = options_in(text) - (OF_EVERY_PROGRAM if command else set())
        for name in inner:
            visit([*command, name])

    visit([])
    return found


def options_of(lines):
    return {"-" + name for line in lines if line.startswith(".It ") for name in re.findall(r"Fl (-[\w-]+)", line)}


def documented_in(page):
    """The same from a page: .Sh OPTIONS is the program's, every .Ss of COMMANDS a command's."""
    found, command, lines, section = {}, None, [], ""
    for line in [*page.read_text().splitlines(), ".Sh END"]:
        if line.startswith((".Sh ", ".Ss ")):
            if command is not None:
                found[command] = options_of(lines)
            command, lines = None, []
            if line.startswith(".Sh "):
                section = line[4:]
                command = "" if section == "OPTIONS" else None
            elif section == "COMMANDS":
                command = line[4:]
        lines.append(line)
    return found


class ManPages(unittest.TestCase):
    maxDiff = None

    def programs(self):
        return sorted(path.name for path in BIN.glob("pgveil*") if os.access(path, os.X_OK) and path.is_file())

    def test_every_program_has_a_page(self):
        self.assertIn("pgveil", self.programs())
        self.assertEqual(sorted(f"{name}.1" for name in self.programs()), sorted(path.name for path in PAGES.iterdir()))

    def test_pages_have_what_help_has(self):
        for program in self.programs():
            with self.subTest(program):
                self.assertEqual(documented_in(PAGES / f"{program}.1"), described_by(program))

    def test_control_an_option_that_is_missing_is_noticed(self):
        described = described_by("pgveil")
        self.assertIn("--config", described["serve"])
        described["serve"].add("--new")
        self.assertNotEqual(documented_in(PAGES / "pgveil.1"), described)

    def test_pages_can_be_shown(self):
        if not shutil.which("man"):
            self.skipTest("there is no man(1) here")
        for page in PAGES.iterdir():
            with self.subTest(page.name):
                done = subprocess.run(["man", "--warnings", "-l", page], capture_output=True, text=True, timeout=60,
                                      check=False, env={**os.environ, "LC_ALL": "C.UTF-8", "MANROFFSEQ": ""})
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertIn(f"{page.stem} —", done.stdout.replace(" – ", " — "))

    @unittest.skipUnless(shutil.which("mandoc"), "not run: mandoc is not installed")
    def test_pages_are_clean_mdoc(self):
        for page in PAGES.iterdir():
            with self.subTest(page.name):
                done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", page], capture_output=True, text=True,
                                      timeout=60, check=False)
                self.assertEqual(done.stdout, "")


if __name__ == "__main__":
    unittest.main()
