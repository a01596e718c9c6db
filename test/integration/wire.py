"""A client that says single messages of the protocol: portals in pieces, batches, pipelines. What no library lets a
test say. TLS and SCRAM-SHA-256 (RFC 5802, RFC 7677) as PostgreSQL's chapter "Frontend/Backend Protocol" has them.

    with Wire(stack, stack.options()) as wire:
        wire.parse("s", "SELECT ...").bind("p", "s").execute("p", 2).sync()
        wire.replies()      # [("1", b""), ("2", b""), ("D", ...), ("D", ...), ("s", b""), ("Z", b"I")]
"""

import base64
import contextlib
import hashlib
import hmac
import os
import re
import select
import socket
import ssl
import struct

SSL_REQUEST = struct.pack("!ii", 8, 80877103)
VERSION_3 = 196608


def text(value):
    return value.encode() + b"\0"


def fields_of(body):
    """The fields of an ErrorResponse: {"C": "28000", ...}."""
    return {part[:1].decode(): part[1:].decode() for part in body.split(b"\0") if part}


class Wire:
    """One session. Messages gather until send() or replies() sends them."""

    def __init__(self, stack, options, role="app", database="clinic", port=None, tls=True):
        self._socket = socket.create_connection(("localhost", port or stack.proxy_port), timeout=30)
        if tls:
            self._begin_tls(stack)
        self._out, self._in = b"", b""
        pairs = {"user": role, "database": database, "options": options}
        body = struct.pack("!i", VERSION_3) + b"".join(text(k) + text(v) for k, v in pairs.items()) + b"\0"
        self._socket.sendall(struct.pack("!i", len(body) + 4) + body)
        self._log_in((stack.dir / "secrets" / f"{role}.password").read_text().strip())
        self.replies()

    def _begin_tls(self, stack):
        self._socket.sendall(SSL_REQUEST)
        assert self._socket.recv(1) == b"S", "no TLS"
        context = ssl.create_default_context(cafile=str(stack.dir / "tls" / "ca.crt"))
        self._socket = context.wrap_socket(self._socket, server_hostname="localhost")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()

    def _log_in(self, password):
        self._read()
        nonce = base64.b64encode(os.urandom(18)).decode()
        first = f"n=,r={nonce}"
        body = text("SCRAM-SHA-256") + struct.pack("!i", len(first) + 3) + b"n,," + first.encode()
        challenge = self._say("p", body).send()._read()[1][4:].decode()
        salt, rounds = re.search(r"s=([^,]+),i=(\d+)", challenge).groups()
        salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(salt), int(rounds))
        bare = f"c=biws,{challenge.split(',')[0]}"
        client_key = hmac.digest(salted, b"Client Key", "sha256")
        signature = hmac.digest(hashlib.sha256(client_key).digest(), f"{first},{challenge},{bare}".encode(), "sha256")
        proof = base64.b64encode(bytes(a ^ b for a, b in zip(client_key, signature))).decode()
        self._say("p", f"{bare},p={proof}".encode())

    def _say(self, letter, body=b""):
        self._out += letter.encode() + struct.pack("!i", len(body) + 4) + body
        return self

    def message(self, letter, body=b""):
        """Any message."""
        return self._say(letter, body)

    def raw(self, data):
        """Any bytes."""
        self._out += data
        return self

    def query(self, sql):
        return self._say("Q", text(sql))

    def parse(self, name, sql):
        return self._say("P", text(name) + text(sql) + struct.pack("!h", 0))

    def bind(self, portal, statement):
        return self._say("B", text(portal) + text(statement) + struct.pack("!hhh", 0, 0, 0))

    def execute(self, portal, rows=0):
        return self._say("E", text(portal) + struct.pack("!i", rows))

    def flush(self):
        return self._say("H")

    def sync(self):
        return self._say("S")

    def send(self):
        """Sends what has gathered, and reads nothing."""
        self._socket.sendall(self._out)
        self._out = b""
        return self

    def exchange(self, data, ends):
        """Sends `data` while it reads, which one who only sends may wait for in vain, until so many ReadyForQuery have
        come. The types of all messages that came."""
        self._socket.setblocking(False)
        came, left = "", memoryview(data)
        while ends > 0:
            if not select.select([self._socket], [self._socket] if left else [], [], 60)[0] and not left:
                raise AssertionError("no answer for a minute")
            with contextlib.suppress(ssl.SSLWantReadError, ssl.SSLWantWriteError):
                left = left[self._socket.send(left[:65536]):] if left else left
            with contextlib.suppress(ssl.SSLWantReadError, ssl.SSLWantWriteError):
                self._in += self._socket.recv(65536)
            letters = self._take_letters()
            came, ends = came + letters, ends - letters.count("Z")
        self._socket.setblocking(True)
        return came

    def _take_letters(self):
        letters, at = "", 0
        while len(self._in) >= at + 5 and len(self._in) > at + struct.unpack_from("!i", self._in, at + 1)[0]:
            letters += chr(self._in[at])
            at += 1 + struct.unpack_from("!i", self._in, at + 1)[0]
        self._in = self._in[at:]
        return letters

    def patience(self, seconds):
        """How long a read or write may take."""
        self._socket.settimeout(seconds)

    def abandon(self):
        """Ends the connection without a word, whatever is under way."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _read(self):
        while len(self._in) < 5 or len(self._in) < 1 + struct.unpack("!i", self._in[1:5])[0]:
            more = self._socket.recv(65536)
            if not more:
                raise ConnectionError("the proxy closed the connection")
            self._in += more
        size = 1 + struct.unpack("!i", self._in[1:5])[0]
        message, self._in = self._in[:size], self._in[size:]
        return chr(message[0]), message[5:]

    def replies(self, until="Z"):
        """Sends what has gathered; what comes back up to a message of one of these letters, without notices."""
        self.send()
        came = []
        while not came or came[-1][0] not in until:
            came.append(self._read())
        return [(letter, body) for letter, body in came if letter not in "SNRK"]

    def letters(self, until="Z"):
        """The same as letters, an error with its SQLSTATE: "12DDsZ", "E28000Z"."""
        return "".join(letter + (fields_of(body)["C"] if letter == "E" else "") for letter, body in self.replies(until))
