"""A pgveil-agent in front of a stack's pgveil.

    with Agent(stack) as agent:                          # role app acts for nurse
        with agent.connect() as connection: ...          # a plain connection string
    with WebAgent(stack, "nurse", url) as agent:         # in front of a web application
        status, body = agent.ask("/")
"""

import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import urllib.error
import urllib.request

import psycopg

from stack import StackError, is_alive, wait_until


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def program_of(stack):
    program = stack.dir / "bin" / "pgveil-agent"
    if not program.exists():
        shutil.copy(pathlib.Path(os.environ["PGVEIL_BIN"], "pgveil-agent"), program)
        program.chmod(0o755)
    return program


class Running:
    """An agent's process and its log; ends with the block."""

    def start(self, stack, *arguments, under=()):
        """under: what the program is started by, StopAt.words() for instance."""
        self.log_file = stack.dir / "log" / f"agent.{self.port}.log"
        with open(self.log_file, "ab") as log:
            self.child = subprocess.Popen(
                [*stack.as_owner(), *under, program_of(stack), *arguments], stdout=log, stderr=log,
                stdin=subprocess.DEVNULL, start_new_session=True, env={**os.environ, "PGVEIL_MEMORY": "unlocked"})
        wait_until(lambda: self.child.poll() is not None or self.listens(), "pgveil-agent to listen")

    def listens(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def log(self):
        return self.log_file.read_text(errors="replace")

    def signal(self, number):
        os.kill(self.child.pid, number)

    def wait(self):
        return self.child.wait(timeout=30)

    def __enter__(self):
        if self.child.poll() is not None:
            raise StackError("pgveil-agent ended at once:\n" + self.log())
        return self

    def __exit__(self, *_):
        if self.child.poll() is None:
            self.signal(signal.SIGINT)
            self.wait()


class WebAgent(Running):
    """pgveil-agent http for one user, in front of the application at a URL."""

    def __init__(self, stack, user, application, *more, ca="ca.crt", word="http"):
        self.port = free_port()
        self.start(stack, word, "--key", stack.dir / "users" / f"{user}.user", "--passphrase-file",
                   stack.dir / "secrets" / f"{user}.passphrase", "--application", application, "--ca", stack.dir / "tls" / ca,
                   "--port", str(self.port), *more)

    def ask(self, path, body=None, **headers):
        """Status and body of what a browser's own page would ask, unless headers say otherwise; None leaves one out."""
        fields = {"Sec_Fetch_Site": "same-origin", **headers}
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", data=body,
            headers={name.replace("_", "-"): value for name, value in fields.items() if value is not None})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()


class Agent(Running):
    """One running agent; ends with the block. users: {role: user}; more: settings beside the usual ones."""

    def __init__(self, stack, users=None, users_files=None, under=(), **more):
        self.stack = stack
        self.port = free_port()
        self.settings = {
            "listen": {"host": "127.0.0.1", "port": self.port},
            "upstream": {"host": "localhost", "port": stack.proxy_port,
                         "ca": re.search(r"sslrootcert=([^&]*)", stack.proxy_url).group(1)},
            "users": users_files or {role: self.files_of(user) for role, user in (users or {"app": "nurse"}).items()},
            "log": {"level": "debug"}, **more}
        file = stack.write(f"agent.{self.port}.json", json.dumps(self.settings))
        self.start(stack, "serve", "--config", file, under=under)

    def reload(self, **changes):
        """SIGHUP with other settings; what the log says to it."""
        self.settings = {**self.settings, **changes}
        self.stack.write(f"agent.{self.port}.json", json.dumps(self.settings))
        seen = len(self.log())
        self.signal(signal.SIGHUP)
        wait_until(lambda: re.search(r"reload(ed|s? failed)", self.log()[seen:]), "the reload")
        return self.log()[seen:]

    def files_of(self, user):
        folder = self.stack.dir
        return {"key": str(folder / "users" / f"{user}.user"), "app_share": str(folder / "users" / f"{user}.app"),
                "passphrase_file": str(folder / "secrets" / f"{user}.passphrase")}

    def url(self, role="app", database="clinic"):
        """What an application gets: no TLS, no options, nothing of pgveil."""
        password = (self.stack.dir / "secrets" / f"{role}.password").read_text().strip()
        return f"postgresql://{role}:{password}@127.0.0.1:{self.port}/{database}"

    def connect(self, role="app", database="clinic", **kwargs):
        kwargs.setdefault("autocommit", True)
        kwargs.setdefault("connect_timeout", 20)
        return psycopg.connect(self.url(role, database), **kwargs)
