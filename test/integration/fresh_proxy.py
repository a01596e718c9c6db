"""A second proxy beside a stack's own: ordered here, with a store, a seal, a home database and a tenant of its own.

    proxy = FreshProxy(stack, "swept")
    proxy.order(); proxy.start(); proxy.bootstrap()

Where it is stoppable, both programs can be made to die at their n-th step (test/support/stop_at.cpp).
"""

import json
import mmap
import os
import re
import shutil
import signal
import socket
import struct
import subprocess

import stack as stacks
from stack import StackError, run, succeeded, wait_until


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class StopAt:
    """The page that libstop_at.so shares with a test: calls made, the call not to make, count coarsely."""

    def __init__(self, folder, name):
        self.path = folder / name
        self.path.write_bytes(bytes(24))
        self.path.chmod(0o666)
        with open(self.path, "r+b") as file:
            self._page = mmap.mmap(file.fileno(), 24)
        self.set(0)

    @property
    def made(self):
        return struct.unpack("q", self._page[0:8])[0]

    def set(self, limit):
        """Counts from 0 again; 0: never stop."""
        self._page[8:24] = struct.pack("qq", 0, 1)
        self._page[0:8] = struct.pack("q", 0)
        self._page[8:24] = struct.pack("qq", limit, 1)

    def words(self):
        """What puts a program under this page's control, before its own words."""
        return ["env", f"LD_PRELOAD={os.environ['PGVEIL_BIN']}/libstop_at.so", f"PGVEIL_STOP_AT={self.path}"]


class FreshProxy:
    def __init__(self, stack, name, tokens=None, stoppable=False):
        self.stack = stack
        self.dir = stack.dir / name
        self.name = name
        self._make_folder(self.dir)
        self.port = free_port()
        self.home = self.dir / "tenant"
        self.users = self.dir / "users"
        self.home_database = f"home_{name}"
        self.child = None
        self.tokens = tokens or {"max_validity_s": 600}
        self.of_proxy = StopAt(self.dir, "stop-proxy") if stoppable else None
        self.of_tenant = StopAt(self.dir, "stop-tenant") if stoppable else None
        stack.superuser(f'CREATE DATABASE "home_{name}" OWNER pgveil')
        stack.write(f"{name}/passphrase", "a passphrase of the tests\n")
        self.write_settings()

    def _make_folder(self, path):
        path.mkdir(mode=0o700, exist_ok=True)
        owner = self.stack.dir.stat()
        os.chown(path, owner.st_uid, owner.st_gid)

    def write_settings(self):
        text = re.sub(r"^\s*//.*$", "", self.stack.settings.read_text(), flags=re.M)
        settings = json.loads(text)
        settings["listen"]["port"] = self.port
        settings["home"]["database"] = self.home_database
        settings["store"]["path"] = f"{self.name}/store/shares.sqlite"
        settings["seal"]["path"] = f"{self.name}/store/seal.key"
        settings["tokens"] = self.tokens
        self.settings = self.stack.write(f"fresh-{self.name}.json", json.dumps(settings))

    # -- the proxy -------------------------------------------------------------------------------------

    def order(self, *arguments):
        """A new order; returns the one-time password."""
        self._make_folder(self.dir / "store")
        said = succeeded(run([*self.stack.as_owner(), self.stack.dir / "bin" / "pgveil", "order", "--config", self.settings,
                              *arguments]))
        otp = re.search(r"^one-time password: (.*)$", said, re.M).group(1)
        self.stack.write(f"{self.name}/otp", otp + "\n")
        return otp

    def start(self):
        with open(self.dir / "log", "ab") as log:
            self.child = subprocess.Popen(
                [*self.stack.as_owner(), *(self.of_proxy.words() if self.of_proxy else []),
                 self.stack.dir / "bin" / "pgveil", "serve", "--config", self.settings],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True)
        wait_until(lambda: self.child.poll() is not None or self.listens(), "the fresh proxy to listen")
        if self.child.poll() is not None:
            raise StackError("the fresh proxy ended at once:\n" + (self.dir / "log").read_text()[-2000:])

    def listens(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def is_running(self):
        return self.child is not None and self.child.poll() is None

    def stop(self):
        if self.is_running():
            self.child.send_signal(signal.SIGINT)
        if self.child is not None:
            self.child.wait(timeout=20)
            self.child = None

    # -- keeping and putting back ------------------------------------------------------------------------

    def keep(self, name):
        """What proxy and tenant have on disk, for put_back(). The proxy must not run."""
        for folder in ("store", "tenant", "users"):
            shutil.rmtree(self.dir / f"{name}-{folder}", ignore_errors=True)
            if (self.dir / folder).exists():
                succeeded(run(["cp", "-a", self.dir / folder, self.dir / f"{name}-{folder}"]))

    def put_back(self, name):
        for folder in ("store", "tenant", "users"):
            shutil.rmtree(self.dir / folder, ignore_errors=True)
            if (self.dir / f"{name}-{folder}").exists():
                succeeded(run(["cp", "-a", self.dir / f"{name}-{folder}", self.dir / folder]))
        # The home database remembers the newer store.
        self.stack.superuser("DROP TABLE IF EXISTS pgveil.store_version", f"home_{self.name}")

    # -- the tenant and the users ------------------------------------------------------------------------

    def url(self, role="app", database="clinic"):
        return self.stack.url("proxy", role, database).replace(f":{self.stack.proxy_port}/", f":{self.port}/")

    def tenant(self, *arguments, home=None):
        return run([*self.stack.as_owner(), *(self.of_tenant.words() if self.of_tenant else []), self.stack.dir / "bin" / "pgveil-tenant", *arguments,
                    "--home", home or self.home, "--passphrase-file", self.dir / "passphrase"])

    def bootstrap_url(self, port=None, ca=None):
        ca = ca or self.stack.dir / "tls" / "ca.crt"
        return f"postgresql://bootstrap@localhost:{port or self.port}/pgveil?sslmode=verify-full&sslrootcert={ca}"

    def adopt(self, out):
        return self.tenant("adopt", "--url", self.bootstrap_url(), "--otp-file", self.dir / "otp", "--out", out,
                           "--no-passphrase", "--apply", self.url())

    def bootstrap(self, otp_file=None, home=None, tenant="clinic", port=None, ca=None):
        return self.tenant("bootstrap", "--tenant", tenant, "--url", self.bootstrap_url(port, ca), "--otp-file", otp_file or self.dir / "otp", "--test-scrypt-log2-n", "4", home=home)

    def user(self, verb, name, *arguments, out=None, apply=True):
        more = ["--out", out or self.users, *arguments]
        if verb != "withdraw":
            more.append("--no-passphrase")
        if apply and verb != "copy":
            more += ["--apply", self.url()]
        return self.tenant("user", verb, name, *more)

    def renew_shares(self, out, apply=True):
        return self.tenant("renew-shares", "--out", out, *(["--apply", self.url()] if apply else []))

    def renew_tk(self, out, apply=True):
        return self.tenant("renew-tk", "--out", out, *(["--apply", self.url()] if apply else []))

    def options(self, name, folder=None, valid_s=60, apps=None):
        """Of the key in folder and the app share in apps, or in folder, too."""
        users = folder or self.users
        return succeeded(run([*self.stack.as_owner(), self.stack.dir / "bin" / "pgveil-user", "options", "--key",
                              users / f"{name}.user", "--app-share", (apps or users) / f"{name}.app", "--from", self.url(),
                              "--valid", valid_s])).strip()

    def connect(self, options):
        return stacks.psycopg.connect(self.url(), options=options, autocommit=True, connect_timeout=20)
