"""The service: its unit as systemd reads it, what it tells the service manager, and sockets that are handed over."""

import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import unittest

import clinic
from stack import ROOT, Stack, is_alive, run, wait_until

UNITS = ROOT / "scripts" / "packaging"
BIN = pathlib.Path(os.environ["PGVEIL_BIN"])


def setUpModule():
    global STACK
    STACK = Stack.start()
    clinic.Clinic(STACK)


def tearDownModule():
    STACK.stop()


@unittest.skipUnless(shutil.which("systemd-analyze"), "not run: systemd-analyze is not installed")
class Units(unittest.TestCase):
    """The program of the build stands in for the installed one."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        for unit in UNITS.glob("pgveil.s*"):
            (self.folder / unit.name).write_text(unit.read_text().replace("/usr/bin/pgveil", str(BIN / "pgveil")))

    def verify(self, name):
        done = run(["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", self.folder / name])
        return "\n".join(line for line in done.stderr.splitlines() if "pgveil" in line)

    def test_systemd_has_nothing_to_say(self):
        self.assertEqual(self.verify("pgveil.service"), "")
        self.assertEqual(self.verify("pgveil.socket"), "")

    def test_control_a_mistake_is_noticed(self):
        unit = self.folder / "pgveil.service"
        unit.write_text(unit.read_text().replace("LimitMEMLOCK=", "LimitMEMLOK="))
        self.assertIn("LimitMEMLOK", self.verify("pgveil.service"))

    def test_the_service_is_hardened(self):
        """systemd's own score: 0 is best, 10 is a service without any protection."""
        done = run(["systemd-analyze", "security", "--offline=yes", "--threshold=20", self.folder / "pgveil.service"])
        self.assertEqual(done.returncode, 0, done.stdout[-600:] + done.stderr)

    def test_the_limit_of_locked_memory_is_enough_for_what_the_unit_says(self):
        text = (UNITS / "pgveil.service").read_text()
        limit = int(re.search(r"^LimitMEMLOCK=(\d+)M$", text, re.M).group(1)) << 20
        sessions = int(re.search(r"enough for (\d+)\.", text).group(1))
        self.assertGreaterEqual(limit, 1572864 + 49152 * sessions)


class Manager:
    """The datagram socket of a service manager."""

    def __init__(self):
        self.path = STACK.dir / "run" / "notify"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(self.path))
        self.path.chmod(0o777)
        self.socket.settimeout(20)

    def heard(self):
        return self.socket.recv(4096).decode()

    def close(self):
        self.socket.close()
        self.path.unlink()


class Notify(unittest.TestCase):
    def setUp(self):
        self.manager = Manager()
        self.addCleanup(self.manager.close)
        STACK.stop_proxy()
        self.addCleanup(STACK.restart_proxy)

    def test_ready_reload_stop(self):
        STACK.start_proxy({"NOTIFY_SOCKET": str(self.manager.path)})
        self.assertEqual(self.manager.heard(), "READY=1")
        with STACK.connect() as connection:
            self.assertEqual(connection.execute("SELECT 1").fetchone(), (1,))
        STACK.signal_proxy(signal.SIGHUP)
        self.assertRegex(self.manager.heard(), r"^RELOADING=1\nMONOTONIC_USEC=\d+$")
        self.assertEqual(self.manager.heard(), "READY=1")
        pid = STACK.proxy_pid
        STACK.signal_proxy(signal.SIGTERM)
        self.assertTrue(self.manager.heard().startswith("STOPPING=1"))
        wait_until(lambda: not is_alive(pid), "pgveil to end")
        STACK.start_proxy()


class HandedOver(unittest.TestCase):
    """The stack's port belongs to somebody else, who hands the listening socket over."""

    def setUp(self):
        STACK.stop_proxy()
        self.addCleanup(STACK.start_proxy)
        self.children = []
        self.addCleanup(self.end_children)

    def end_children(self):
        for child in self.children:
            if child.poll() is None:
                child.kill()
            child.wait(20)

    def listening(self):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", STACK.proxy_port))
        listener.listen(64)
        self.addCleanup(listener.close)
        return listener

    def start(self, descriptor, settings=None):
        """pgveil with this descriptor as its third."""
        shell = 'exec 3<&"$1"; LISTEN_PID=$$ LISTEN_FDS=1 exec "$2" serve --config "$3"'
        with open(STACK.dir / "log" / "pgveil.log", "ab") as log:
            child = subprocess.Popen(
                [*STACK.as_owner(), "bash", "-c", shell, "bash", str(descriptor), STACK.dir / "bin" / "pgveil",
                 settings or STACK.settings],
                pass_fds=[descriptor], stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                env={**os.environ, "LD_BIND_NOW": "1"})
        self.children.append(child)
        return child

    def stop(self, child):
        child.send_signal(signal.SIGINT)
        self.assertEqual(child.wait(20), 0)

    def ask(self):
        with STACK.connect() as connection:
            return connection.execute("SELECT count(*) FROM patients").fetchone()[0]

    def test_clients_wait_while_the_proxy_is_restarted(self):
        listener = self.listening()
        first = self.start(listener.fileno())
        rows = self.ask()
        self.stop(first)
        answers = []
        client = threading.Thread(target=lambda: answers.append(self.ask()))
        client.start()
        second = self.start(listener.fileno())
        client.join(60)
        self.assertEqual(answers, [rows])
        self.stop(second)

    def test_the_address_of_the_settings_counts_no_more(self):
        """Nobody may listen at an address of documentation (RFC 5737), so that a proxy that tried would not start."""
        text = STACK.settings.read_text().replace('"host": "127.0.0.1"', '"host": "192.0.2.1"', 1)
        settings = STACK.write("elsewhere.json", text)
        self.assertIn("192.0.2.1", STACK.serve(settings).stderr)
        child = self.start(self.listening().fileno(), settings)
        self.ask()
        self.stop(child)

    def test_what_is_no_listening_socket_is_refused(self):
        for one, _other in [socket.socketpair(), (socket.socket(), None)]:
            mark = len(STACK.proxy_log())
            child = self.start(one.fileno())
            self.assertEqual(child.wait(20), 2)
            self.assertIn("descriptor 3", STACK.proxy_log()[mark:])

    @unittest.skipUnless(shutil.which("systemd-socket-activate"), "not run: systemd-socket-activate is not installed")
    def test_systemds_own_activator(self):
        """It listens, and starts the program when somebody connects."""
        with open(STACK.dir / "log" / "pgveil.log", "ab") as log:
            child = subprocess.Popen(
                [*STACK.as_owner(), "systemd-socket-activate", "-l", f"127.0.0.1:{STACK.proxy_port}",
                 "-E", "LD_BIND_NOW=1", STACK.dir / "bin" / "pgveil", "serve", "--config", STACK.settings],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        self.children.append(child)
        wait_until(STACK.proxy_listens, "systemd-socket-activate to listen")
        self.ask()
        self.stop(child)


if __name__ == "__main__":
    unittest.main()
