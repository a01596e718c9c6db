"""One session for exact comparison: sends what a statement says in its protocol, and keeps every message of the answer.

    with Session(stack, "proxy", stack.options(), "clinic") as session:
        session.ask(Request.simple("SELECT 1"))     # [("T", b"..."), ("D", b"..."), ("C", b"SELECT 1\\0"), ("Z", b"I")]
"""

import struct

from wire import Wire, text


class Request:
    """Messages to send up to the ReadyForQuery that answers them, and what to send into a COPY."""

    def __init__(self, out, copy=b""):
        self.out = out
        self.copy = copy

    @classmethod
    def simple(cls, sql, copy=b""):
        return cls(message("Q", text(sql)), copy)


def message(letter, body=b""):
    return letter.encode() + struct.pack("!i", len(body) + 4) + body


def counted(codes, form="h"):
    return struct.pack(f"!h{len(codes)}{form}", len(codes), *codes)


def parse(name, sql, types=()):
    return message("P", text(name) + text(sql) + struct.pack(f"!h{len(types)}I", len(types), *types))


def bind(portal, name, values, formats, result_formats):
    """values: bytes or None each."""
    parts = [struct.pack("!i", -1) if value is None else struct.pack("!i", len(value)) + value for value in values]
    return message("B", text(portal) + text(name) + counted(formats) + struct.pack("!h", len(values)) + b"".join(parts)
                   + counted(result_formats))


def describe(what, name):
    return message("D", what.encode() + text(name))


def execute(portal, rows=0):
    return message("E", text(portal) + struct.pack("!i", rows))


def close(what, name):
    return message("C", what.encode() + text(name))


SYNC = message("S")


class Session(Wire):
    """A connection to one of the two sides; `state` is the transaction state of the last answer."""

    def __init__(self, stack, through, options, database, role="app"):
        port = stack.proxy_port if through == "proxy" else stack.pg_port
        super().__init__(stack, options, role, database, port)
        self.state = "I"
        self._buffer, self._at = bytearray(), 0

    def start(self, request):
        self._socket.sendall(request.out)

    def ask(self, request):
        self.start(request)
        return self.finish(request)

    def run(self, sql):
        """A simple Query; its answer."""
        return self.ask(Request.simple(sql))

    def finish(self, request):
        """The answer up to ReadyForQuery."""
        came = []
        while True:
            letter, body = self._next()
            came.append((letter, body))
            if letter == "G":
                self._socket.sendall(message("d", request.copy) + message("c"))
            elif letter == "Z":
                self.state = body.decode()
                return came

    def _next(self):
        self._need(5)
        size = 1 + struct.unpack_from("!i", self._buffer, self._at + 1)[0]
        self._need(size)
        start, self._at = self._at, self._at + size
        letter, body = chr(self._buffer[start]), bytes(self._buffer[start + 5:start + size])
        if self._at == len(self._buffer):
            self._buffer, self._at = bytearray(), 0
        return letter, body

    def _need(self, size):
        while len(self._buffer) - self._at < size:
            more = self._socket.recv(1 << 16)
            if not more:
                raise ConnectionError("the connection was closed")
            self._buffer += more
