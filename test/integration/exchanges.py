"""What a client says after its login, byte for byte: one exchange of each kind, on the clinic.

    for exchange in EXCHANGES:
        talk.say(exchange.said)
        talk.hear(exchange.ends)        # bytes, and whether the connection ended
"""

import socket
import ssl
import struct

from leg import split
from wire import Wire, fields_of, text

# Written and asked for below; none of it may stand in any log.
SECRETS = ["Jolanta Vrba", "Tomas Kral", "911-22-330"]
LATER = 9000  # ids that exchanges write


def message(letter, body=b""):
    return letter.encode() + struct.pack("!i", len(body) + 4) + body


def query(sql):
    return message("Q", text(sql))


def parse(name, sql):
    return message("P", text(name) + text(sql) + struct.pack("!h", 0))


def bind(portal, statement, *values):
    cells = b"".join(struct.pack("!i", len(value)) + value for value in map(str.encode, values))
    return message("B", text(portal) + text(statement) + struct.pack("!hh", 0, len(values)) + cells + struct.pack("!h", 0))


def describe(kind, name):
    return message("D", kind.encode() + text(name))


def execute(portal, rows=0):
    return message("E", text(portal) + struct.pack("!i", rows))


SYNC, FLUSH = message("S"), message("H")


class Exchange:
    """`said` is answered with `ends` ReadyForQuery. `writes`: rows from LATER on, all of them or none."""

    def __init__(self, name, *messages, ends=1, writes=0):
        self.name, self.messages, self.ends, self.writes = name, messages, ends, writes
        self.said = b"".join(messages)


def ask(sql, *values, portal=""):
    """A whole extended request, without its Sync."""
    return parse("", sql) + bind(portal, "", *values) + describe("P", portal) + execute(portal)


BY_SSN = "SELECT id, name, born FROM patients WHERE ssn = $1"
EXCHANGES = [
    Exchange("simple", query("SELECT id, name, ssn, born FROM patients WHERE ssn = '120-44-7781'")),
    Exchange("simple, plain", query("SELECT title FROM departments ORDER BY code")),
    Exchange("simple, wide plain rows", query("SELECT repeat('x', 30000) FROM generate_series(1, 4)")),
    Exchange("simple, several statements", query("SELECT 1; SELECT name FROM patients WHERE id = 2; SELECT 3")),
    Exchange("simple, an error and a refusal", query("SELECT 1 / 0"), query("SELECT name FROM patients ORDER BY name"), ends=2),
    Exchange("extended", *(parse("", BY_SSN), bind("", "", "120-44-7781"), describe("P", ""), execute(""), SYNC)),
    Exchange("extended, a portal in pieces", parse("s", "SELECT id, name FROM patients ORDER BY id"), bind("p", "s"),
             execute("p", 2), FLUSH, execute("p", 3), message("C", b"Ss\0"), SYNC),
    Exchange("pipelined", ask(BY_SSN, "120-44-7781"), SYNC, ask("SELECT 1 / $1::int", "0"), ask("SELECT 2"), SYNC,
             ask("SELECT name FROM patients WHERE id = $1", "3"), SYNC, ends=3),
    Exchange("copy in", query("COPY patients (id, ssn, name) FROM STDIN"), message("d", b"9001\t911-22-3301\tJolanta Vrba\n"),
             message("d", b"9002\t911-22-3302\tTomas Kral\n"), message("c"), writes=2),
    Exchange("copy in, given up", query("COPY patients (id, ssn, name) FROM STDIN"),
             message("d", b"9003\t911-22-3303\tTomas Kral\n"), message("f", b"no more\0")),
    Exchange("copy out", query("COPY patients (id, ssn, name) TO STDOUT")),
    Exchange("copy out, plain", query("COPY departments TO STDOUT")),
    Exchange("a transaction", query("BEGIN"), ask("INSERT INTO patients (id, ssn, name) VALUES (9004, $1, $2)", "911-22-3304",
             "Jolanta Vrba"), SYNC, query("SELECT name FROM patients WHERE ssn = '911-22-3304'"), query("COMMIT"), ends=4, writes=1),
]


class Talk:
    """A session of nurse's that says bytes and hears bytes. As a context it is closed at the end."""

    def __init__(self, stack, port=None, seconds=60):
        self.wire = Wire(stack, stack.options(), port=port)
        self.socket = self.wire._socket  # pylint: disable=protected-access
        self.wire.patience(seconds)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def say(self, data):
        self.socket.sendall(data)
        return self

    def hear(self, ends=None):
        """What comes until so many ReadyForQuery, or (None) until the end of the connection; and whether it ended."""
        data = b""
        while ends is None or sum(each[:1] == b"Z" for each in split(data)[0]) < ends:
            try:
                more = self.socket.recv(65536)
            except (ConnectionError, ssl.SSLEOFError):
                more = b""
            if not more:
                return data, True
            data += more
        return data, False

    def break_off(self, reset):
        """Ends the TCP connection below TLS, without close_notify."""
        if reset:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


class LoginError(Exception):
    """args[0]: the fields of the error that ended a login."""


class Login(Wire):
    """A login whose error is raised."""

    def _read(self):
        letter, body = super()._read()
        if letter == "E":
            raise LoginError(fields_of(body))
        return letter, body


def farewell(data):
    """The fields of the last message if that is an error of severity FATAL, and the bytes before it."""
    messages, rest = split(data)
    if rest or not messages or messages[-1][:1] != b"E":
        return {}, data
    fields = fields_of(messages[-1][5:])
    return (fields, b"".join(messages[:-1])) if fields.get("V") == "FATAL" else ({}, data)
