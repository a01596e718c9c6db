"""A TPM in software (Debian package swtpm) for a stack: a state folder and a socket of its own, of the stack's account."""

import shutil
import socket
import subprocess

from stack import StackError, wait_until


GET_RANDOM_BYTE = bytes.fromhex("80010000000c0000017b0001")  # TPM2_GetRandom without sessions, TPM 2.0 part 3, 16.1


class Swtpm:
    def __init__(self, stack, name="tpm"):
        if not shutil.which("swtpm"):
            raise StackError("the program swtpm is missing: scripts/packages test, or apt-get install swtpm")
        self.stack = stack
        self.folder = stack.dir / name
        self.folder.mkdir(mode=0o700)
        owner = stack.dir.stat()
        shutil.chown(self.folder, owner.st_uid, owner.st_gid)
        self.socket = self.folder / "socket"
        self.place = f"swtpm:path={self.socket}"
        self.child = None

    def start(self):
        self.socket.unlink(missing_ok=True)
        self.child = subprocess.Popen(
            [*self.stack.as_owner(), "swtpm", "socket", "--tpm2", "--tpmstate", f"dir={self.folder}", "--server",
             f"type=unixio,path={self.socket}", "--ctrl", f"type=unixio,path={self.socket}.ctrl", "--flags",
             "startup-clear"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: self.answers() or self.child.poll() is not None, "swtpm to answer")
        return self

    def answers(self):
        """Whether it has started up: its socket is there before its counters have moved, and who is killed in between never started."""
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(10)
                connection.connect(str(self.socket))
                connection.sendall(GET_RANDOM_BYTE)
                return connection.recv(64)[6:10] == bytes(4)
        except OSError:
            return False

    def stop(self):
        if self.child:
            self.child.kill()
            self.child.wait()
            self.child = None
