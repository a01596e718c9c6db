"""A whole cluster, as scripts/cluster starts it: HAProxy, two pgveil on one share store, one PostgreSQL or a pair under Patroni.

    cluster = Cluster.up(policy, "--single")
    with cluster.connect() as connection:     # through HAProxy, with nurse's shares
        ...
    cluster.down()
"""

import atexit
import json
import os
import pathlib
import re
import shutil
import signal
import sys
import tempfile

import psycopg

import logs
from stack import ROOT, StackError, run, succeeded, wait_until

sys.path.insert(0, str(ROOT / "test" / "soak"))
import bank  # noqa: E402

SCRIPT = ROOT / "scripts" / "cluster"


class Cluster:
    """One running cluster. The proxies are numbered from 1."""

    def __init__(self, folder):
        self.dir = pathlib.Path(folder)
        env = dict(re.findall(r"^(\w+)='(.*)'$", (self.dir / "env").read_text(), re.M))
        self.balanced_url, self.options, self.direct_url = env["PROXY_URL"], env["PROXY_OPTIONS"], env["DIRECT_URL"]
        self.urls = dict(enumerate(env["PROXY_URLS"].split(), 1))

    @classmethod
    def up(cls, policy, *options):
        folder = tempfile.mkdtemp(prefix="pgveil-cluster.")
        os.chmod(folder, 0o755)
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(policy, file)
            file.flush()
            done = run([SCRIPT, "up", "--dir", folder, "--policy", file.name, *options], timeout=400,
                       env={**os.environ, "PGVEIL_LOG_LEVEL": "debug"})
        if done.returncode != 0:
            raise StackError(f"scripts/cluster ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        cluster = cls(folder)
        atexit.register(cluster.down)
        return cluster

    def down(self):
        if not self.dir.exists():
            return
        succeeded(self.script("down"))
        reported = [logs.sanitizer_report(self.log(f"proxy{number}")) for number in self.urls]
        if not os.environ.get("PGVEIL_KEEP"):
            shutil.rmtree(self.dir, ignore_errors=True)
        if any(reported):
            raise StackError(f"in the logs: {reported}")

    def script(self, *words):
        return run([SCRIPT, *words, "--dir", self.dir], timeout=300)

    # -- connections: `proxy` is the number of one, else HAProxy chooses -----------------------------------

    def url(self, proxy=None, role="app", database="clinic"):
        password = (self.dir / "secrets" / f"{role}.password").read_text().strip()
        base = {None: self.balanced_url, "direct": self.direct_url, **self.urls}[proxy]
        return re.sub(r"//[^@]*@([^/]*)/\w+", rf"//{role}:{password}@\1/{database}", base)

    def connect(self, options=None, proxy=None, **more):
        more.setdefault("autocommit", True)
        return psycopg.connect(self.url(proxy), options=self.options if options is None else options, connect_timeout=20, **more)

    def superuser(self, sql, database="clinic"):
        with psycopg.connect(self.url("direct", "postgres", database), autocommit=True) as connection:
            cursor = connection.execute(sql)
            return cursor.fetchall() if cursor.description else None

    # -- the tenant and the users ---------------------------------------------------------------------------

    def tool(self, name, *words):
        owner = self.dir.stat()
        account = [] if os.geteuid() != 0 else ["setpriv", f"--reuid={owner.st_uid}", f"--regid={owner.st_gid}", "--clear-groups"]
        return succeeded(run([*account, "env", f"HOME={self.dir}", self.dir / "bin" / name, *words]))

    def tenant(self, *words, proxy=None):
        return self.tool("pgveil-tenant", *words, "--home", self.dir / "tenant", "--passphrase-file",
                         self.dir / "secrets" / "tenant.passphrase", "--out", self.dir / "users", "--apply", self.url(proxy))

    def add_user(self, name):
        self.tenant("user", "add", name, "--no-passphrase")

    def options_of(self, name, *scope):
        users = self.dir / "users"
        return self.tool("pgveil-user", "options", "--key", users / f"{name}.user", "--app-share", users / f"{name}.app",
                         "--from", self.url(), "--valid", 600, *scope).strip()

    # -- processes --------------------------------------------------------------------------------------------

    def pid(self, name):
        return int((self.dir / "run" / f"{name}.pid").read_text().split()[0])

    def kill(self, name):
        os.kill(self.pid(name), signal.SIGKILL)

    def log(self, name):
        return (self.dir / "log" / f"{name}.log").read_text(errors="replace")


class Load:
    """Clients of a bank (test/soak/bank.py) that work through HAProxy while the block runs, each session for so many turns. At
    the end every transfer whose COMMIT was answered is there once, none that failed is, and no money came or went."""

    def __init__(self, case, cluster, kinds=(bank.Payer,) * 5 + (bank.Counter,), turns=1):
        self.case, self.cluster, self.book = case, cluster, bank.Book()
        self.clients = [kind(cluster, self.book, number) for number, kind in enumerate(kinds)]
        for client in self.clients:
            client.turns = turns

    def __enter__(self):
        for client in self.clients:
            client.start()
        self.goes_on()
        return self

    def goes_on(self, more=20, seconds=60):
        """Waits for so many transfers from now on."""
        target = len(self.book.confirmed) + more
        wait_until(lambda: len(self.book.confirmed) >= target, "transfers", seconds)

    def __exit__(self, *failure):
        for client in self.clients:
            client.ended.set()
        for client in self.clients:
            client.join(60)
        print(self.book.summary(), dict(self.book.reasons))
        if failure[0] is not None:
            return
        self.case.assertEqual([trouble for client in self.clients for trouble in client.trouble], [])
        there = [row[0] for row in self.cluster.superuser("SELECT id FROM transfers")]
        self.case.assertEqual(self.book.differences(there), [])
        with self.cluster.connect() as connection:
            total = sum(row[0] for row in connection.execute("SELECT balance FROM accounts"))
        self.case.assertEqual(total, bank.ACCOUNTS * 1000)
        self.cluster.superuser("TRUNCATE transfers")
