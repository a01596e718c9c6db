"""A client that says single messages of the protocol: portals in pieces, batches, pipelines. What no library lets a
test say. TLS and SCRAM-SHA-256 (RFC 5802, RFC 7677) as PostgreSQL's chapter "Frontend/Backend Protocol" has them.

    with Wire(stack, stack.options()) as wire:
        wire.parse("s", "SELECT ...").bind("p", "s").execute("p", 2).sync()
        wire.replies()      # [("1", b""), ("2", b""), ("D", ...), ("D", ...), ("s", b""), ("Z", b"I")]
"""

import base64
import hashlib
import hmac
import os
import re
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

    def __init__(self, stack, options, role="app", database="clinic", port=None):
        plain = socket.create_connection(("localhost", port or stack.proxy_port), timeout=30)
        plain.sendall(SSL_REQUEST)
        assert plain.recv(1) == b"S", "no TLS"
        context = ssl.create_default_context(cafile=str(stack.dir / "tls" / "ca.crt"))
        self._socket = context.wrap_socket(plain, server_hostname="localhost")
        self._out, self._in = b"", b""
        pairs = {"user": role, "database": database, "options": options}
        body = struct.pack("!i", VERSION_3) + b"".join(text(k) + text(v) for k, v in pairs.items()) + b"\0"
        self._socket.sendall(struct.pack("!i", len(body) + 4) + body)
        self._log_in((stack.dir / "secrets" / f"{role}.password").read_text().strip())
        self.replies()

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
