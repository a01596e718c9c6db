"""A few custodians of their own for a test: an authority, certificates, settings, real daemons on free ports.

    with Custodians(3) as crew:
        group = crew.generate(threshold=2, policy={"requesters": {"proxy": {"purposes": ["unseal"]}}})
        status, said = crew.ask(0, "GET", f"/v1/groups/{group}", client="proxy")
        crew.kill(1); crew.start(1)

The administrator is "admin". Asker files for `--custodians FILE` come from `crew.asker_file("proxy")`.
"""

import base64
import http.client
import json
import os
import pathlib
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time

BIN = pathlib.Path(os.environ["PGVEIL_BIN"])
PROGRAM = BIN / "pgveil-custodian"
START_SECONDS = 30


class CustodianError(AssertionError):
    """A custodian did not start, or did not do what a test needs."""


def encoded(data):
    """base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def openssl(*arguments):
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise CustodianError(f"openssl {arguments[0]} failed: {done.stderr}")


class Authority:
    """A certificate authority in a folder, and what it signed: NAME.crt with NAME.key."""

    def __init__(self, folder, name="custodians test CA"):
        self.folder = folder
        self.certificate = folder / "ca.crt"
        folder.mkdir(parents=True)
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-sha256", "-days", "30",
                "-subj", f"/CN={name}", "-addext", "basicConstraints=critical,CA:TRUE",
                "-addext", "keyUsage=critical,keyCertSign,cRLSign", "-keyout", folder / "ca.key", "-out", self.certificate)

    def sign(self, name, extension=""):
        """(certificate, key) for the common name; made once."""
        certificate, key = self.folder / f"{name}.crt", self.folder / f"{name}.key"
        if certificate.exists():
            return certificate, key
        request, extensions = self.folder / f"{name}.csr", self.folder / f"{name}.ext"
        extensions.write_text("basicConstraints=CA:FALSE\n" + extension)
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-sha256", "-subj", f"/CN={name}",
                "-keyout", key, "-out", request)
        openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.folder / "ca.key",
                "-CAcreateserial", "-sha256", "-days", "30", "-extfile", extensions, "-out", certificate)
        return certificate, key


class Custodians:
    """`count` daemons named custodian-1, ... with everybody else as peer. A context manager, or stop() it."""

    def __init__(self, count, folder=None, settings=None, prefixes=None):
        self.owns_folder = folder is None
        self.folder = pathlib.Path(folder or tempfile.mkdtemp(prefix="pgveil-custodians-"))
        self.authority = Authority(self.folder / "tls")
        self.names = [f"custodian-{number}" for number in range(1, count + 1)]
        self.ports = [free_port() for _ in self.names]
        self.children = [None] * count
        self.prefixes = [list(before) for before in prefixes or [()] * count]
        self.more_settings = settings or {}
        self.identities = [None] * count
        for at in range(count):
            self._write_settings(at)
            self.identities[at] = self.tool(at, "identity").strip()
        for at in range(count):
            self._write_settings(at)
        try:
            for at in range(count):
                self.start(at, wait=False)
            for at in range(count):
                self.wait_for(at)
        except BaseException:
            self.stop()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def url(self, at):
        return f"https://localhost:{self.ports[at]}"

    def home(self, at):
        return self.folder / self.names[at]

    def settings_file(self, at):
        return self.home(at) / "custodian.json"

    def _write_settings(self, at):
        certificate, key = self.authority.sign(
            self.names[at], "subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n")
        peers = [{"name": name, "url": self.url(other), "identity": self.identities[other]}
                 for other, name in enumerate(self.names) if other != at and self.identities[other]]
        self.home(at).mkdir(mode=0o700, exist_ok=True)
        self.settings_file(at).write_text(json.dumps({
            "name": self.names[at], "listen": {"host": "127.0.0.1", "port": self.ports[at]},
            "tls": {"certificate": str(certificate), "key": str(key), "client_ca": str(self.authority.certificate)},
            "store": {"folder": "store", "seal": "seal.key"}, "peers": peers, "administrators": ["admin"],
            **self.more_settings}, indent=1))

    def tool(self, at, *arguments):
        """pgveil-custodian ARGUMENTS --config of that custodian: what it prints."""
        done = subprocess.run([PROGRAM, *arguments, "--config", self.settings_file(at)], capture_output=True, text=True,
                              check=False, timeout=60)
        if done.returncode != 0:
            raise CustodianError(f"pgveil-custodian {arguments} failed: {done.stderr}")
        return done.stdout

    # ---- processes ----

    def start(self, at, wait=True):
        with (self.home(at) / "output").open("ab") as output:
            self.children[at] = subprocess.Popen(
                [*self.prefixes[at], PROGRAM, "serve", "--config", self.settings_file(at)], stdout=output, stderr=output)
        if wait:
            self.wait_for(at)

    def wait_for(self, at):
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            if self.children[at].poll() is not None:
                break
            try:
                if self.ask(at, "GET", "/v1/health", client=None)[0] == 200:
                    return
            except OSError:
                time.sleep(0.02)
        raise CustodianError(f"{self.names[at]} does not answer: {self.output(at)}")

    def output(self, at):
        return (self.home(at) / "output").read_text(errors="replace")

    def kill(self, at, number=signal.SIGKILL):
        """Ends the daemon; SIGSTOP and SIGCONT are sent to it only."""
        self.children[at].send_signal(number)
        if number not in (signal.SIGSTOP, signal.SIGCONT):
            self.children[at].wait(timeout=30)

    def send(self, at, number):
        """A signal that does not end it."""
        self.children[at].send_signal(number)

    def stop(self):
        for child in filter(None, self.children):
            if child.poll() is None:
                child.kill()
            child.wait()
        if self.owns_folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    # ---- requests ----

    def tls(self, client, authority=None):
        context = ssl.create_default_context(cafile=str(self.authority.certificate))
        if client:
            context.load_cert_chain(*map(str, (authority or self.authority).sign(client)))
        return context

    def ask(self, at, method, path, body=None, client="admin", authority=None, headers=None, raw=None, seen=None):
        """(status, JSON or text). `raw` bytes go out instead of `body`; `seen` gets the answer's header fields."""
        connection = http.client.HTTPSConnection("localhost", self.ports[at], timeout=30, context=self.tls(client, authority))
        sent = {} if body is None and raw is None else {"Content-Type": "application/json"}
        try:
            connection.request(method, path, raw if raw is not None else None if body is None else json.dumps(body),
                               {**sent, **(headers or {})})
            response = connection.getresponse()
            text = response.read().decode(errors="replace")
            if seen is not None:
                seen.update(response.getheaders())
        finally:
            connection.close()
        is_json = response.headers.get_content_type() == "application/json"
        return response.status, json.loads(text) if is_json and text else text

    def must(self, at, method, path, body=None, **options):
        status, said = self.ask(at, method, path, body, **options)
        if status != 200:
            raise CustodianError(f"{self.names[at]}: {method} {path} gave {status} {said}")
        return said

    def asker_file(self, client):
        """A file for --custodians: who the custodians are, and the client's certificate."""
        certificate, key = self.authority.sign(client)
        path = self.folder / f"custodians-{client}.json"
        path.write_text(json.dumps({
            "custodians": [{"name": name, "url": self.url(at), "identity": self.identities[at]}
                           for at, name in enumerate(self.names)],
            "tls": {"ca": str(self.authority.certificate), "certificate": str(certificate), "key": str(key)}}))
        return path

    # ---- a run, step by step ----

    def begin(self, threshold, policy, members=None, leaving=(), **more):
        """Begins a generation at all of `members`, or what `more` says; gives its session."""
        members = list(range(len(self.names))) if members is None else members
        session = encoded(secrets.token_bytes(32))
        statements = [self.must(at, "POST", "/v1/members", {"session": session})["statement"] for at in members]
        for at in [*members, *leaving]:
            self.must(at, "POST", "/v1/runs", {"session": session, "kind": "generate", "threshold": threshold,
                                               "statements": statements, "policy": policy, **more})
        return session

    def exchange(self, session, members=None):
        """One round: everybody's messages so far go to everybody. Gives the states."""
        members = list(range(len(self.names))) if members is None else members
        messages = []
        for at in members:
            messages += self.must(at, "GET", f"/v1/runs/{session}")["sent"]
        return [self.must(at, "POST", f"/v1/runs/{session}/messages", {"messages": messages}) for at in members]

    def generate(self, threshold, policy, members=None):
        """A group of all (or these) custodians: its id."""
        session = self.begin(threshold, policy, members)
        return self.finish(session, members)

    def refresh(self, group, threshold, policy):
        """The next epoch of a group of all custodians."""
        shown = self.must(0, "GET", f"/v1/groups/{group}")
        return self.finish(self.begin(threshold, policy, kind="reshare", group=group, epoch=shown["epoch"], **{"from": shown["group"]}))

    def finish(self, session, members=None):
        for _ in range(3):
            states = self.exchange(session, members)
        if not all(state["done"] for state in states):
            raise CustodianError(f"the run is not done: {states}")
        return states[0]["group"]
