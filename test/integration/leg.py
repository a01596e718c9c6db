"""A TCP relay that can hurt: it stands between a client and pgveil, or between pgveil and PostgreSQL.

    leg = Leg(port)                             # listens on leg.port, connects to port
    leg.arm(down=Cut(messages=2, more=3))       # of the newest session: ends it inside the third message to come
    leg.arm_next(up=Cut(more=100))              # of the next connection: ends it behind its first 100 bytes
    leg.arm(down=Rewrite(change))               # what the server says is changed on its way
    leg.grain = 1                               # from now on one byte at a time
    leg.stop()

Ways: "up" to the server, "down" to the client.
"""

import contextlib
import select
import socket
import struct
import threading

HEAD = 5
AT_ONCE = 0


def split(data):
    """Its whole messages, and the rest."""
    messages, at = [], 0
    while len(data) >= at + HEAD and len(data) > at + struct.unpack_from("!i", data, at + 1)[0]:
        size = 1 + struct.unpack_from("!i", data, at + 1)[0]
        messages.append(data[at:at + size])
        at += size
    return messages, data[at:]


class Count:
    """Whole messages that went by. Must begin at the head of a message with a type."""

    def __init__(self):
        self.messages, self._head, self._left = 0, b"", 0

    def step(self, data, at):
        """Goes on to the end of a head or a body, or of the data; where that is."""
        if self._left == 0:
            piece = data[at:at + HEAD - len(self._head)]
            self._head += piece
            at += len(piece)
            if len(self._head) == HEAD:
                self._left, self._head = struct.unpack("!i", self._head[1:])[0] - 4, b""
                self.messages += self._left == 0
            return at
        size = min(self._left, len(data) - at)
        self._left -= size
        self.messages += self._left == 0
        return at + size

    def take(self, data):
        at = 0
        while at < len(data):
            at = self.step(data, at)
        return data, False


class Cut:
    """Ends the connection behind so many messages and so many bytes more."""

    def __init__(self, messages=0, more=0, reset=False):
        self.reset, self.fired = reset, False
        self._until, self._more, self._count = messages, more, Count()

    def take(self, data):
        """What of the data goes on, and whether the connection ends behind it."""
        at = 0
        while at < len(data) and self._count.messages < self._until:
            at = self._count.step(data, at)
        if self._count.messages == self._until:
            size = min(self._more, len(data) - at)
            self._more, at = self._more - size, at + size
            self.fired = self._more == 0
        return data[:at], self.fired


class Rewrite:
    """Gives each whole message to change(letter, body), which returns the bytes that go on in its place."""

    def __init__(self, change):
        self.reset, self._change, self._rest = False, change, b""

    def take(self, data):
        messages, self._rest = split(self._rest + data)
        return b"".join(self._change(chr(message[0]), message[HEAD:]) for message in messages), False


class Connection:
    """One client's connection and the one that was made for it, and a thread for each way."""

    def __init__(self, leg, client, server, taps):
        self.taps, self.has_answered = {"up": None, "down": None, **taps}, False
        self._leg, self._sockets, self._living = leg, (client, server), {"up", "down"}
        for side in self._sockets:
            side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def start(self):
        client, server = self._sockets
        for way, source, sink in (("up", client, server), ("down", server, client)):
            threading.Thread(target=self._pump, args=(way, source, sink), daemon=True).start()

    @property
    def is_open(self):
        return all(side.fileno() >= 0 for side in self._sockets)

    def _pump(self, way, source, sink):
        with contextlib.suppress(OSError):
            while data := self._receive(source):
                self.has_answered = self.has_answered or way == "down"
                tap = self.taps[way]
                data, ends = tap.take(data) if tap else (data, False)
                self._send(sink, data)
                if ends:
                    return self.end(tap.reset)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)
        self._living.discard(way)
        if not self._living:
            self.end()

    def _receive(self, source):
        """What is there; where everything is to go at once, all that comes until there is silence."""
        data = source.recv(65536)
        while data and self._leg.grain == AT_ONCE and select.select([source], [], [], self._leg.silence_s)[0]:
            more = source.recv(65536)
            if not more:
                break
            data += more
        return data

    def _send(self, sink, data):
        grain = self._leg.grain or max(len(data), 1)
        for at in range(0, len(data), grain):
            sink.sendall(data[at:at + grain])
        self._leg.passed += len(data)

    def end(self, reset=False):
        """Both sides, at once. A reset says nothing of what was on its way."""
        for side in self._sockets:
            with contextlib.suppress(OSError):
                if reset:
                    side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                side.shutdown(socket.SHUT_RD if reset else socket.SHUT_RDWR)  # also wakes the other thread
            side.close()


class Leg:
    """The relay. Connections live in threads of their own; stop() ends them all."""

    def __init__(self, port, host="127.0.0.1"):
        self.grain, self.silence_s, self.passed = 65536, 0.03, 0
        self.connections = []
        self._target, self._next = (host, port), {}
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                try:
                    server = socket.create_connection(self._target, timeout=20)
                    server.settimeout(None)
                except OSError:
                    client.close()
                    continue
                taps, self._next = self._next, {}
                connection = Connection(self, client, server, taps)
                self.connections.append(connection)  # before its first byte: whoever has its answer finds it
                connection.start()

    @property
    def newest(self):
        """The newest session: a connection that brings a cancel has no answer."""
        return next(each for each in reversed(self.connections) if each.has_answered)

    def arm(self, **taps):
        """Taps of the newest session, which must be between two messages."""
        self.newest.taps.update(taps)

    def arm_next(self, **taps):
        self._next = taps

    def cut_all(self, reset=False):
        for connection in self.connections:
            connection.end(reset)
        self.connections.clear()

    def stop(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut_all()
