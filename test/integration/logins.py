"""Logins message by message, and settings of a stack changed for a while. For the test files on logins.

    with changed(stack, {"limits": {"sessions_per_user": 2}}):       # SIGHUP, and back at the end
        login = Login(stack, version=VERSION_32)                      # TLS and the startup packet
        login.finish()                                                # SCRAM, up to ReadyForQuery
"""

import contextlib
import json
import re
import signal
import socket
import ssl
import struct

from stack import wait_until
from wire import SSL_REQUEST, VERSION_3, Wire, fields_of, text

VERSION_32 = VERSION_3 + 2
CANCEL = 80877102


def read_settings(stack):
    return json.loads(re.sub(r"^\s*//.*$", "", stack.settings.read_text(), flags=re.M))


def merge(settings, changes):
    """None takes a key away."""
    for key, value in changes.items():
        if value is None:
            settings.pop(key, None)
        elif isinstance(value, dict) and isinstance(settings.get(key), dict):
            merge(settings[key], value)
        else:
            settings[key] = value
    return settings


def reload(stack):
    seen = len(stack.proxy_log())
    stack.signal_proxy(signal.SIGHUP)
    wait_until(lambda: "reload" in stack.proxy_log()[seen:], "the reload")
    assert "reload failed" not in stack.proxy_log()[seen:], stack.proxy_log()[seen:]


@contextlib.contextmanager
def changed(stack, changes, restart=False):
    """What listens is opened at a start only."""
    before = stack.settings.read_text()
    take_up = stack.restart_proxy if restart else lambda: reload(stack)
    stack.write("pgveil.json", json.dumps(merge(read_settings(stack), changes)))
    try:
        take_up()
        yield
    finally:
        stack.write("pgveil.json", before)
        take_up()


def tls_context(stack, protocols=None):
    context = ssl.create_default_context(cafile=str(stack.dir / "tls" / "ca.crt"))
    if protocols:
        context.set_alpn_protocols(protocols)
    return context


def over_tcp(stack):
    return socket.create_connection(("localhost", stack.proxy_port), timeout=30)


def over_tls(stack):
    plain = over_tcp(stack)
    plain.sendall(SSL_REQUEST)
    assert plain.recv(1) == b"S", "no TLS"
    return tls_context(stack).wrap_socket(plain, server_hostname="localhost")


def startup_packet(pairs, version=VERSION_3):
    body = struct.pack("!i", version) + b"".join(text(k) + text(v) for k, v in pairs.items()) + b"\0"
    return struct.pack("!i", len(body) + 4) + body


class Login(Wire):
    """A client that has sent its startup packet, and nothing else yet."""

    def __init__(self, stack, role="app", database="clinic", version=VERSION_3, connection=None, pieces=None, **more):
        self._stack, self._role = stack, role
        self._socket = connection or over_tls(stack)
        self._out, self._in = b"", b""
        self.negotiated, self.key = None, None
        packet = startup_packet({"user": role, "database": database, **more}, version)
        for at in range(0, len(packet), pieces or len(packet)):
            self._socket.sendall(packet[at:at + (pieces or len(packet))])

    def finish(self, password=None):
        """SCRAM and the greeting, or the FATAL as what fields_of() says."""
        letter, body = self._read()
        if letter == "E":
            return self.refusal
        self._in = letter.encode() + struct.pack("!i", len(body) + 4) + body + self._in  # _log_in reads it again
        self._log_in(password or (self._stack.dir / "secrets" / f"{self._role}.password").read_text().strip())
        self.send()
        return self._until_ready()

    def _until_ready(self):
        letter = ""
        while letter not in ("Z", "E"):
            letter = self._read()[0]
        return self.refusal if letter == "E" else None

    def _read(self):
        letter, body = super()._read()
        if letter == "v":
            version, count = struct.unpack("!ii", body[:8])
            self.negotiated = version, [name.decode() for name in body[8:].split(b"\0")[:count]]
            return self._read()
        if letter == "K":
            self.key = body
        if letter == "E":
            self.refusal = fields_of(body)
        return letter, body

    def logged_in(self):
        """Whether the login succeeds."""
        return self.finish() is None

    def read_error(self):
        """The FATAL that comes next."""
        letter = ""
        while letter != "E":
            letter = self._read()[0]
        return self.refusal

    def is_closed(self):
        """Whether the proxy has ended the connection; waits for it."""
        try:
            return self._in == b"" and self._socket.recv(1) == b""
        except ConnectionResetError:
            return False

    def close(self):
        self._socket.close()


def cancel_request(key):
    return struct.pack("!ii", len(key) + 8, CANCEL) + key
