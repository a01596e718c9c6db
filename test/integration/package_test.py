"""The Debian package: what is in it, and that it can be installed, used and removed.

    package_test.py Contents     builds it and looks into it
    package_test.py Installed    installs and removes it on this machine: root only, and only where pgveil is not in use
"""

import grp
import json
import os
import pathlib
import pwd
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ["PGVEIL_BIN"]).parent
NOT_RUN = 77
PLACES = (pathlib.Path("/etc/pgveil"), pathlib.Path("/var/lib/pgveil"))
PROGRAMS = sorted(path.stem for path in (ROOT / "docs" / "man").iterdir())


def run(*arguments, **options):
    options.setdefault("timeout", 600)
    return subprocess.run([str(part) for part in arguments], capture_output=True, text=True, check=False,
                          env={**os.environ, "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}, **options)


def dpkg(*arguments):
    """dpkg, waiting its turn. Never cut short: that would leave a package half configured."""
    for _ in range(60):
        done = run("dpkg", *arguments, timeout=None)
        if "lock" not in done.stderr or done.returncode == 0:
            return done
        time.sleep(2)
    return done


def setUpModule():
    global PACKAGE, FOLDER
    FOLDER = tempfile.mkdtemp(prefix="pgveil-package.")
    done = run("cpack", "--config", BUILD / "CPackConfig.cmake", "-B", FOLDER)
    if done.returncode != 0:
        raise AssertionError(done.stdout + done.stderr)
    (PACKAGE,) = pathlib.Path(FOLDER).glob("*.deb")


def tearDownModule():
    shutil.rmtree(FOLDER, ignore_errors=True)


class Contents(unittest.TestCase):
    def names(self):
        """{name: mode and owner}"""
        listed = run("dpkg-deb", "--contents", PACKAGE).stdout
        return {line.split()[5][1:]: line.split()[:2] for line in listed.splitlines()}

    def field(self, name):
        return run("dpkg-deb", "--field", PACKAGE, name).stdout.strip()

    def test_programs_pages_units_and_examples(self):
        names = self.names()
        for program in PROGRAMS:
            self.assertEqual(names[f"/usr/bin/{program}"], ["-rwxr-xr-x", "root/root"])
            self.assertIn(f"/usr/share/man/man1/{program}.1", names)
        for name in ("/usr/lib/systemd/system/pgveil.service", "/usr/lib/systemd/system/pgveil.socket",
                     "/usr/lib/systemd/system/pgveil-agent.service", "/usr/lib/systemd/system/pgveil-custodian.service",
                     "/usr/share/doc/pgveil/examples/custodian.json", "/usr/share/doc/pgveil/examples/openapi.json",
                     "/usr/share/doc/pgveil/examples/agent.json",
                     "/usr/share/doc/pgveil/examples/pgveil.json", "/usr/share/doc/pgveil/examples/policy.json",
                     "/usr/share/doc/pgveil/examples/pgveil.schema.json", "/usr/share/doc/pgveil/OPERATIONS.md",
                     "/usr/share/doc/pgveil/grafana.json",
                     "/usr/share/doc/pgveil/APPLICATIONS.md",
                     "/usr/share/doc/pgveil/LICENSE"):
            self.assertEqual(names[name], ["-rw-r--r--", "root/root"], name)

    def test_all_of_the_kits_and_the_page_and_none_of_their_tests(self):
        place = "/usr/share/pgveil/"
        found = {name.removeprefix(place) for name in self.names() if name.startswith(place) and not name.endswith("/")}
        listed = run("git", "-C", ROOT, "ls-files", "--full-name", "clients")
        kept = {path for path in listed.stdout.split() if not re.search(r"/tests?/|_test\.go$", path)}
        if listed.returncode == 0:  # a clone, not an archive
            self.assertEqual(found, kept)
        for name in ("python/pgveil/psycopg.py", "node/index.js", "java/pom.xml", "go/pgveil.go", "browser/pgveil.js", "envelope-page/build.js"):
            self.assertEqual(self.names()[f"{place}clients/{name}"], ["-rw-r--r--", "root/root"], name)
        self.assertEqual(self.names()[f"{place}clients/sample/app.py"], ["-rwxr-xr-x", "root/root"])

    def test_nothing_of_the_tests_and_nothing_elsewhere(self):
        allowed = re.compile(r"/(usr(/bin|/lib(/systemd(/system)?)?|/share(/doc|/man(/man1)?|/pgveil)?)?)?/?$|/usr/share/pgveil/clients/|"
                             r"/usr/(bin/pgveil|share/doc/pgveil/|share/man/man1/pgveil|lib/systemd/system/pgveil(-agent|-custodian)?\.)")
        self.assertEqual([name for name in self.names() if not allowed.match(name)], [])

    def test_it_says_what_it_needs(self):
        depends = self.field("Depends")
        for library in ("libc6", "libnettle8", "libpq5", "libssl3", "libsqlite3-0", "adduser"):
            self.assertIn(library, depends)
        self.assertEqual(self.field("Package"), "pgveil")
        self.assertIn(self.field("Version"), run(BUILD / "bin" / "pgveil", "--version").stdout)

    def test_control_files(self):
        listed = run("dpkg-deb", "--ctrl-tarfile", PACKAGE, timeout=60)
        self.assertEqual(listed.returncode, 0)
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(run("dpkg-deb", "--control", PACKAGE, folder).returncode, 0)
            for name in ("postinst", "prerm", "postrm"):
                self.assertEqual((pathlib.Path(folder) / name).stat().st_mode & 0o777, 0o755)


def settings_of_an_installation(folder):
    """What `pgveil order` needs: it reads the settings and makes the store."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return json.dumps({
        "tenant": "clinic", "listen": {"port": port, "tls": {"mode": "disable"}},
        "upstream": {"host": "127.0.0.1", "tls": {"mode": "disable"}}, "users_file": "users.txt",
        "home": {"database": "home", "user": "pgveil"}, "store": {"path": f"{folder}/store.db"},
        "seal": {"kind": "file", "path": f"{folder}/seal.key"}, "policy": "policy.json",
        "memory": {"mode": "unlocked"}})


class Installed(unittest.TestCase):
    """One installation from beginning to end."""

    def tearDown(self):
        dpkg("--purge", "pgveil")
        for place in PLACES:
            shutil.rmtree(place, ignore_errors=True)
        run("deluser", "--quiet", "--system", "pgveil")

    def as_pgveil(self, *command):
        return run("setpriv", "--reuid=pgveil", "--regid=pgveil", "--clear-groups", *command, cwd="/")

    def test_install_use_remove_purge(self):
        done = dpkg("--install", PACKAGE)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.check_account_and_folders()
        self.check_programs()
        self.check_units()
        self.use_it()
        self.check_that_a_second_installation_keeps_everything()
        done = dpkg("--remove", "pgveil")
        self.assertEqual(done.returncode, 0, done.stderr)
        for program in PROGRAMS:
            self.assertFalse(pathlib.Path("/usr/bin", program).exists())
        self.assertFalse(pathlib.Path("/usr/lib/systemd/system/pgveil.service").exists())
        self.assertTrue((PLACES[1] / "store.db").exists(), "removing the package removed the share store")
        self.check_purge()

    def check_account_and_folders(self):
        account = pwd.getpwnam("pgveil")
        self.assertEqual(account.pw_dir, "/var/lib/pgveil")
        self.assertRegex(account.pw_shell, "nologin|false")
        etc, state = (place.stat() for place in PLACES)
        self.assertEqual((etc.st_mode & 0o777, etc.st_uid, etc.st_gid), (0o750, 0, grp.getgrnam("pgveil").gr_gid))
        self.assertEqual((state.st_mode & 0o777, state.st_uid), (0o700, account.pw_uid))

    def check_programs(self):
        for program in PROGRAMS:
            self.assertEqual(run(f"/usr/bin/{program}", "--version").returncode, 0)
        if shutil.which("man"):
            self.assertIn("/usr/share/man/man1/pgveil.1", run("man", "-w", "pgveil").stdout)

    def check_units(self):
        if not shutil.which("systemd-analyze"):
            print("not run: systemd-analyze is not installed", file=sys.stderr)
            return
        for unit in ("pgveil.service", "pgveil.socket"):
            done = run("systemd-analyze", "verify", "--recursive-errors=no", f"/usr/lib/systemd/system/{unit}")
            self.assertEqual([line for line in done.stderr.splitlines() if "pgveil" in line], [])

    def use_it(self):
        """The account can read its configuration, write its state, and nobody else can read either."""
        settings = PLACES[0] / "pgveil.json"
        settings.write_text(settings_of_an_installation(PLACES[1]))
        settings.chmod(0o640)
        shutil.chown(settings, "root", "pgveil")
        done = self.as_pgveil("/usr/bin/pgveil", "order", "--config", settings)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("one-time password:", done.stdout)
        other = run("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "cat", settings,
                    PLACES[1] / "store.db", cwd="/")
        self.assertEqual(other.stdout, "")
        self.assertEqual(other.stderr.count("Permission denied"), 2)

    def check_that_a_second_installation_keeps_everything(self):
        before = (PLACES[1] / "store.db").read_bytes()
        self.assertEqual(dpkg("--install", PACKAGE).returncode, 0)
        self.assertEqual((PLACES[1] / "store.db").read_bytes(), before)
        self.check_account_and_folders()

    def check_purge(self):
        done = dpkg("--purge", "pgveil")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("/var/lib/pgveil is not empty and stays", done.stdout + done.stderr)
        self.assertTrue((PLACES[1] / "store.db").exists(), "the share store cannot be made again")
        for place in PLACES:
            shutil.rmtree(place)
        self.assertEqual(dpkg("--install", PACKAGE).returncode, 0)
        self.assertEqual(dpkg("--purge", "pgveil").returncode, 0)
        self.assertFalse(any(place.exists() for place in PLACES))
        with self.assertRaises(KeyError):
            pwd.getpwnam("pgveil")


def why_not():
    """Why this machine must not be touched; empty if it may be."""
    if os.geteuid() != 0:
        return "installing a package needs root"
    if run("dpkg-query", "-W", "-f", "${db:Status-Status}", "pgveil").stdout == "installed":
        return "a package pgveil is installed here"
    if any(place.exists() for place in PLACES):
        return "/etc/pgveil or /var/lib/pgveil is in use here"
    try:
        pwd.getpwnam("pgveil")
        return "there is a user pgveil here"
    except KeyError:
        pass
    missing = [name for name in ("dpkg", "cpack", "adduser", "setpriv") if not shutil.which(name)]
    return f"{', '.join(missing)} not found" if missing else ""


if __name__ == "__main__":
    if any(argument.startswith("Installed") for argument in sys.argv[1:]) and why_not():
        print(f"not run: {why_not()}")
        sys.exit(NOT_RUN)
    unittest.main()
