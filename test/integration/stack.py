"""A PostgreSQL and a pgveil in front of it, for one test file.

    stack = Stack.start()                 # the clinic's policy, users nurse and clerk, an empty database
    with stack.connect() as connection:   # through pgveil, with nurse's fresh shares
        ...
    stack.stop()

It is started by scripts/quickstart --keep --no-sample, so that the tests stand on what a user gets. The programs come
from PGVEIL_BIN (CTest sets it), PostgreSQL from PGVEIL_TEST_PG_BIN, a bin folder, if that is set. Until it stops, both logs are watched for plaintext (logs.py). Everything runs on 127.0.0.1 in a folder of its own, which is removed at the end
unless PGVEIL_KEEP is set.
"""

import atexit
import functools
import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import psycopg

import logs

ROOT = pathlib.Path(__file__).resolve().parents[2]
CLINIC = ROOT / "test" / "clinic"
QUICKSTART = ROOT / "scripts" / "quickstart"

# Debian's psql and pg_dump are a wrapper in Perl that finds these, and takes longer to start than they do.
for programs in sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin")):
    if (programs / "psql").exists():
        os.environ["PATH"] = f"{programs}:{os.environ['PATH']}"


class StackError(AssertionError):
    """The stack could not do what a test needs; the message holds the end of the logs."""


def run(arguments, **options):
    """A finished process with its output as text; never raises on its exit code."""
    options.setdefault("timeout", 120)
    return subprocess.run([str(part) for part in arguments], capture_output=True, text=True, check=False, **options)


class Stack:
    """One running stack. Not for threads, except what psycopg connections allow."""

    def __init__(self, folder):
        self.dir = pathlib.Path(folder)
        env = dict(re.findall(r"^(\w+)='(.*)'$", (self.dir / "env").read_text(), re.M))
        self.direct_url = env["DIRECT_URL"] + f"&application_name={logs.DIRECT}"
        self.proxy_url = env["PROXY_URL"]
        self.pg_port = port_of(self.direct_url)
        self.proxy_port = port_of(self.proxy_url)
        self.settings = self.dir / "pgveil.json"
        self.never_logged = logs.CLINIC
        self._log_mark = 0
        self._options = {}

    @classmethod
    def start(cls, policy=None):
        """policy: a file, or what is to stand in it; without one the clinic's."""
        folder = tempfile.mkdtemp(prefix="pgveil-test.")
        os.chmod(folder, 0o755)
        command = [QUICKSTART, "--keep", "--no-sample", "--dir", folder]
        if isinstance(policy, dict):
            given = tempfile.NamedTemporaryFile("w", suffix=".json")
            json.dump(policy, given)
            given.flush()
            policy = given.name
        if policy:
            command += ["--policy", policy]
        if os.environ.get("PGVEIL_TEST_PG_BIN"):
            command += ["--pg-bin", os.environ["PGVEIL_TEST_PG_BIN"]]
        done = run(command, timeout=300, env={**os.environ, "PGVEIL_LOG_LEVEL": "debug", "PGVEIL_TEST_SCRYPT_LOG2_N": "4"})
        if done.returncode != 0:
            raise StackError(f"scripts/quickstart ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        stack = cls(folder)
        atexit.register(stack.stop)
        stack.superuser("ALTER SYSTEM SET log_statement = 'all'")
        stack.superuser("ALTER SYSTEM SET log_error_verbosity = 'verbose'")
        stack.superuser(f"ALTER SYSTEM SET log_line_prefix = '{logs.PREFIX}'")
        stack.superuser("SELECT pg_reload_conf()")
        return stack

    def stop(self):
        """Also the end of what logs.py watches: what may not stand in a log is an error of the whole test file."""
        if not self.dir.exists():
            return
        run([QUICKSTART, "--stop", "--dir", self.dir])
        leaked = logs.leaked(self, self.never_logged)
        reported = logs.sanitizer_report(self.proxy_log())
        if not os.environ.get("PGVEIL_KEEP"):
            shutil.rmtree(self.dir, ignore_errors=True)
        if leaked or reported:
            raise StackError(f"in the logs: {leaked or ''} {reported}")

    # -- connections ---------------------------------------------------------------------------------

    def url(self, through="proxy", role="app", database="clinic"):
        base = {"proxy": self.proxy_url, "direct": self.direct_url}[through]
        password = (self.dir / "secrets" / f"{role}.password").read_text().strip()
        return re.sub(r"//[^@]*@([^/]*)/\w+", rf"//{role}:{password}@\1/{database}", base)

    def connect(self, options=None, role="app", database="clinic", **kwargs):
        """psycopg through pgveil; options: see options(); '' for a session without shares."""
        kwargs.setdefault("autocommit", True)
        kwargs.setdefault("connect_timeout", 20)
        options = self.options() if options is None else options
        return psycopg.connect(self.url("proxy", role, database), options=options, **kwargs)

    def direct(self, role="app", database="clinic", **kwargs):
        """psycopg straight to PostgreSQL."""
        kwargs.setdefault("autocommit", True)
        return psycopg.connect(self.url("direct", role, database), **kwargs)

    def superuser(self, sql, database="postgres"):
        """Runs one statement as superuser, straight to PostgreSQL; its rows, if it has any."""
        with self.direct("postgres", database) as connection:
            cursor = connection.execute(sql)
            return cursor.fetchall() if cursor.description else None

    @functools.cached_property
    def server_major(self):
        """14 to 18."""
        return int(self.superuser("SHOW server_version_num")[0][0]) // 10000

    @property
    def has_newer_grammar(self):
        """The server may read what the bundled parser cannot: then such a text near protected names is 0A000, not
        PostgreSQL's syntax error."""
        return self.server_major > 15

    def refusal_of(self, sql):
        """What psycopg raises for a statement that pgveil refuses: MERGE does not parse before PostgreSQL 15."""
        is_unknown = "MERGE" in sql and self.server_major < 15
        return psycopg.errors.SyntaxError if is_unknown else psycopg.errors.FeatureNotSupported

    # -- shares --------------------------------------------------------------------------------------

    def user_tool(self, verb, *arguments, user="nurse"):
        """pgveil-user with the files of `user`."""
        users = self.dir / "users"
        return run([*self.as_owner(), self.dir / "bin" / "pgveil-user", verb, "--key", users / f"{user}.user",
                    "--app-share", users / f"{user}.app", "--passphrase-file",
                    self.dir / "secrets" / f"{user}.passphrase", "--from", self.url(), *arguments])

    def options(self, user="nurse", valid_s=600):
        """Session parameters with shares, as libpq's `options`. Long ones are made once in a while only: opening a key
        file takes half a second, on purpose."""
        text, until = self._options.get((user, valid_s), ("", 0))
        if time.monotonic() > until:
            text = succeeded(self.user_tool("options", "--valid", valid_s, user=user)).strip()
            self._options[user, valid_s] = (text, time.monotonic() + valid_s / 3 if valid_s >= 60 else 0)
        return text

    def shares(self, user="nurse", valid_s=600):
        """The same as a dictionary: user_id, user_token, app_share."""
        words = shlex.split(self.options(user, valid_s=valid_s))
        pairs = [word.split("=", 1) for word in words if "=" in word]
        return {name.removeprefix("pgveil."): value for name, value in pairs}

    def tenant_tool(self, *arguments):
        return run([*self.as_owner(), self.dir / "bin" / "pgveil-tenant", *arguments, "--home", self.dir / "tenant",
                    "--passphrase-file", self.dir / "secrets" / "tenant.passphrase"])

    def add_user(self, name):
        self._private(f"secrets/{name}.passphrase", "a passphrase of the tests\n")
        succeeded(self.tenant_tool("user", "add", name, "--out", self.dir / "users", "--user-passphrase-file",
                                   self.dir / "secrets" / f"{name}.passphrase", "--apply", self.url()))

    def withdraw_user(self, name):
        succeeded(self.tenant_tool("user", "withdraw", name, "--out", self.dir / "users", "--apply", self.url()))

    # -- logs ----------------------------------------------------------------------------------------

    def server_log(self):
        return (self.dir / "log" / "postgresql.log").read_text(errors="replace")

    def mark_server_log(self):
        """From here on server_log_since_mark() counts."""
        self._log_mark = (self.dir / "log" / "postgresql.log").stat().st_size

    def server_log_since_mark(self):
        with open(self.dir / "log" / "postgresql.log", "rb") as log:
            log.seek(self._log_mark)
            return log.read().decode(errors="replace")

    def proxy_log(self):
        return (self.dir / "log" / "pgveil.log").read_text(errors="replace")

    # -- the proxy's process ---------------------------------------------------------------------------

    @property
    def proxy_pid(self):
        return int((self.dir / "run" / "pgveil.pid").read_text())

    def signal_proxy(self, number):
        os.kill(self.proxy_pid, number)

    def stop_proxy(self, number=signal.SIGINT):
        pid = self.proxy_pid
        os.kill(pid, number)
        wait_until(lambda: not is_alive(pid), f"pgveil to end on signal {number}")

    def stop_server(self):
        """PostgreSQL itself; it does not come back."""
        pid = int((self.dir / "postgres" / "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGINT)
        wait_until(lambda: not is_alive(pid), "PostgreSQL to end")

    def kill_server(self):
        """The postmaster, by kill -9; start_server() brings it back."""
        pid = int((self.dir / "postgres" / "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not is_alive(pid), "PostgreSQL to die")

    def start_server(self):
        programs = pathlib.Path((self.dir / "run" / "pg_bin").read_text().strip())
        # Those that served sessions see that it is gone, and leave before it can be started again.
        start = [*self.as_owner(), programs / "pg_ctl", "-D", self.dir / "postgres", "-l", self.dir / "log" / "postgresql.log",
                 "-w", "-t", "60", "start"]
        wait_until(lambda: run(start, stdin=subprocess.DEVNULL).returncode == 0, "PostgreSQL to start")

    def serve(self, settings=None, seconds=60, prefix=()):
        """Runs `pgveil serve` to its end, as a user would see it fail: a finished process, or None if it kept on."""
        try:
            return run([*prefix, *self.as_owner(), self.dir / "bin" / "pgveil", "serve", "--config",
                        settings or self.settings], timeout=seconds)
        except subprocess.TimeoutExpired:
            return None

    def start_proxy(self, environment=None):
        log = open(self.dir / "log" / "pgveil.log", "ab")
        child = subprocess.Popen([*self.as_owner(), self.dir / "bin" / "pgveil", "serve", "--config", self.settings],
                                 stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True,
                                 env={**os.environ, "LD_BIND_NOW": "1", **(environment or {})})
        log.close()
        self._private("run/pgveil.pid", f"{child.pid}\n")
        wait_until(lambda: child.poll() is not None or self.proxy_listens(), "pgveil to listen")
        if child.poll() is not None:
            raise StackError("pgveil ended at once:\n" + self.proxy_log()[-2000:])

    def restart_proxy(self):
        self.stop_proxy()
        self.start_proxy()

    def proxy_listens(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.proxy_port)) == 0

    def as_owner(self):
        """Command prefix that runs a program as the account that owns the stack."""
        owner = self.dir.stat()
        if os.geteuid() != 0 or owner.st_uid == 0:
            return []
        return ["setpriv", f"--reuid={owner.st_uid}", f"--regid={owner.st_gid}", "--clear-groups", "env",
                f"HOME={self.dir}"]

    def write(self, name, text):
        """A file in the stack's folder, of the stack's account and private to it."""
        self._private(name, text)
        return self.dir / name

    def _private(self, name, text):
        path = self.dir / name
        path.write_text(text)
        path.chmod(0o600)
        owner = self.dir.stat()
        os.chown(path, owner.st_uid, owner.st_gid)


def port_of(url):
    return int(re.search(r"@[^:/]+:(\d+)/", url).group(1))


def succeeded(done):
    """The output of a finished process that has to have succeeded."""
    if done.returncode != 0:
        raise StackError(f"{' '.join(map(str, done.args))} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def is_alive(pid):
    """Or at its end: while any thread is left of a killed process, its sockets still listen."""
    process = pathlib.Path(f"/proc/{pid}")
    try:
        state = (process / "stat").read_text().rsplit(")", 1)[1].split()[0]
        return state != "Z" or len(list((process / "task").iterdir())) > 1
    except FileNotFoundError:
        return False


def wait_until(condition, what, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise StackError(f"waited {seconds} s for {what}")
        time.sleep(0.05)


def psql(url, *arguments, options="", stdin=None):
    """Unmodified psql, without the reader's own settings."""
    return run(["psql", "-X", url, *arguments], env={**os.environ, "PGOPTIONS": options, "LC_ALL": "C.UTF-8"},
               input=stdin)
