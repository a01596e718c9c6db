"""The secrets of a stack, and where they are in memory: key_probe names them, memory_scan looks for them.

    secrets = Secrets(stack, "nurse")
    found = secrets.in_process(stack.proxy_pid)
    found.kinds              # {"KEK", "column key", ...}
    found.where("TK")        # lines for a person: which secret, in which mapping

Only root may look into a process that forbids attaching, so these tests are for root.
"""

import collections
import contextlib
import json
import os
import pathlib
import shlex
import subprocess
import tempfile

from stack import ROOT, StackError, succeeded, wait_until

BLOCK = 8

# What exists while a request runs and must be gone after it.
KEY_KINDS = {"TK", "extracted TK", "TKu", "TKa", "TKp", "zero key", "KEK", "DEK", "extracted DEK", "column key",
             "one-time key", "round key"}

# Stays as long as the session; then it goes, too.
SHARE_KINDS = {"user_token", "app_share"}


def program(name):
    folder = os.environ.get("PGVEIL_BIN")
    if not folder:
        raise StackError("PGVEIL_BIN is not set: which programs are to be tested?")
    return pathlib.Path(folder) / name


class Secret(collections.namedtuple("Secret", "kind name value")):
    """A key, or the text of a share."""

    def blocks(self):
        """Blocks as memory_scan takes them: a part of a key is found, too."""
        return [self.value[at:at + BLOCK] for at in range(0, len(self.value) - BLOCK + 1, BLOCK)]


def texts_of(shares):
    """Token and app share of a session as texts. Their beginnings are those of every other token, too."""
    texts = {name: shares[name].encode() for name in sorted(SHARE_KINDS & set(shares))}
    return [Secret(name, "text", text[len(text) // 2:]) for name, text in texts.items()]


def wanted(pairs):
    """Blocks as memory_scan reads them."""
    return "".join(block.hex() + "\n" for _, block in pairs)


class Secrets:
    """Every secret of one user's requests. Those of stored values as they are stored now: see refresh()."""

    def __init__(self, stack, user):
        self.stack = stack
        self.user = user
        self.refresh()

    def refresh(self):
        """Asks again, after something was written."""
        said = succeeded(self._probe(self._stored_values()))
        lines = [json.loads(line) for line in said.splitlines()]
        self.keys = [Secret(line["kind"], line["name"], bytes.fromhex(line["hex"])) for line in lines]
        missing = KEY_KINDS - {key.kind for key in self.keys}
        if missing:
            raise StackError(f"key_probe named no {missing}")

    def of(self, kind):
        return [key.value for key in self.keys if key.kind == kind]

    def in_process(self, pid, shares=None):
        """One look at all that can be read. `shares` of a session: their texts are looked for, too."""
        return self._scan("--pid", pid, secrets=self.keys + texts_of(shares or {}))

    def key_in_process(self, pid, value):
        """A key that is not one of a request's."""
        return self._scan("--pid", pid, secrets=[Secret("store key", "seal", value)])

    def in_samples(self, pid, samples):
        """The process is stopped at random moments."""
        return self._scan("--pid", pid, "--samples", samples)

    def in_file(self, path, shares=None):
        return self._scan("--file", path, secrets=self.keys + texts_of(shares or {}))

    @contextlib.contextmanager
    def at_entries(self, pid, functions, one_more):
        """Looks at every entry of the process into one of the functions while the block runs; yields a list that holds
        the Findings afterwards. `one_more` has to make the process enter one of them."""
        findings = []
        pairs = self._blocks(self.keys)
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            (folder / "wanted").write_text(wanted(pairs))
            scan = [program("memory_scan"), "--pid", pid, "--writable"]
            gdb = self._gdb(pid, {
                "MOMENTS_FUNCTIONS": " ".join(functions), "MOMENTS_READY": folder / "ready",
                "MOMENTS_END": folder / "end",
                "MOMENTS_SCAN": f"{shlex.join(map(str, scan))} <{folder / 'wanted'} >>{folder / 'reports'}"})
            wait_until(lambda: (folder / "ready").exists() or gdb.poll() is not None, "gdb to watch")
            try:
                yield findings
            finally:
                (folder / "end").touch()
                one_more()
                said, _ = gdb.communicate(timeout=60)
            reports = (folder / "reports").read_text() if (folder / "reports").exists() else ""
            if gdb.returncode != 0 or not reports:
                raise StackError(f"gdb ended with {gdb.returncode}:\n{said}")
            findings += [Findings(json.loads(line), [secret for secret, _ in pairs]) for line in reports.splitlines()]

    def inside(self, pid):
        """What stands in memory that only the process itself can read (memfd_secret): it writes that to a file."""
        with tempfile.NamedTemporaryFile() as file:
            os.chmod(file.name, 0o666)
            gdb = self._gdb(pid, {"INSIDE_FILE": file.name}, "inside.py")
            said, _ = gdb.communicate(timeout=120)
            if not pathlib.Path(file.name).stat().st_size:
                raise StackError(f"gdb ended with {gdb.returncode}:\n{said}")
            return self.in_file(file.name).kinds

    @staticmethod
    def _gdb(pid, environment, script="moments.py"):
        return subprocess.Popen(["gdb", "-nx", "-batch", "-iex", "set debuginfod enabled off", "-p", str(pid),
                                 "-x", str(ROOT / "test" / "support" / script)],
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                env={**os.environ, **{name: str(value) for name, value in environment.items()}})

    @staticmethod
    def _blocks(secrets):
        return [(secret, block) for secret in secrets for block in secret.blocks()]

    def _scan(self, *arguments, secrets=None):
        pairs = self._blocks(secrets or self.keys)
        done = subprocess.run([str(program("memory_scan")), *map(str, arguments)], input=wanted(pairs), text=True,
                              capture_output=True, check=False, timeout=280)
        return Findings(json.loads(succeeded(done)), [secret for secret, _ in pairs])

    def _probe(self, values):
        stack, secrets, users = self.stack, self.stack.dir / "secrets", self.stack.dir / "users"
        arguments = [program("key_probe"), "--home", stack.dir / "tenant", "--passphrase-file",
                     secrets / "tenant.passphrase", "--user-key", users / f"{self.user}.user",
                     "--user-passphrase-file", secrets / f"{self.user}.passphrase",
                     "--app-share", users / f"{self.user}.app", "--policy", stack.dir / "policy.json"]
        return subprocess.run(list(map(str, arguments)), input=values, text=True, capture_output=True, check=False,
                              timeout=120)

    def _stored_values(self):
        """'schema.table.column HEX' a line, for every envelope in the database."""
        lines = []
        with self.stack.direct("postgres") as connection:
            columns = connection.execute(
                "SELECT n.nspname, c.relname, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
                " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r'"
                " AND a.atttypid = to_regtype('pgveil.ciphertext')").fetchall()
            for schema, table, column in columns:
                rows = connection.execute(
                    f'SELECT encode("{column}"::bytea, \'hex\') FROM "{schema}"."{table}"'
                    f' WHERE "{column}" IS NOT NULL')
                lines += [f"{schema}.{table}.{column} {value}\n" for (value,) in rows]
        if not lines:
            raise StackError("the database holds no envelope")
        return "".join(lines)


class Findings:
    """What a scan saw."""

    def __init__(self, report, secrets):
        self.report = report
        self.unreadable = report["unreadable"]
        self._hits = [(secrets[hit["block"]], hit) for hit in report["hits"]]

    @property
    def kinds(self):
        return {secret.kind for secret, _ in self._hits}

    @property
    def keys(self):
        return self.kinds & KEY_KINDS

    @property
    def dumpable(self):
        """The kinds that a core file would hold."""
        return {secret.kind for secret, hit in self._hits if hit["dumpable"]}

    @property
    def locked(self):
        """The kinds that stand in memory no core file holds: in the arena."""
        return {secret.kind for secret, hit in self._hits if not hit["dumpable"]}

    def named(self, kind, name):
        return any(secret.kind == kind and name in secret.name for secret, _ in self._hits)

    def where(self, kinds=KEY_KINDS | SHARE_KINDS, only_dumpable=False):
        """For the message of a failed assertion: no byte of a secret is in it."""
        lines = sorted({
            f"{secret.kind} ({secret.name}) {hit['order']}, {hit['count']}x in"
            f" {hit['mapping']} {hit['rights']} of {hit['size']} bytes at +{hit['offset']:#x}"
            f" ({hit['address']:#x}){'' if hit['dumpable'] else ', not in core files'}"
            for secret, hit in self._hits
            if secret.kind in kinds and (hit["dumpable"] or not only_dumpable)})
        return "\n  ".join(["found:", *lines[:60]])
