"""A TPM in software (Debian package swtpm) for a stack: a state folder and a socket of its own, of the stack's account."""

import shutil
import subprocess

from stack import StackError, wait_until


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
        wait_until(lambda: self.socket.exists() or self.child.poll() is not None, "swtpm to open its socket")
        return self

    def stop(self):
        if self.child:
            self.child.kill()
            self.child.wait()
            self.child = None
