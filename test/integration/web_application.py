"""A web application for tests of pgveil-agent http."""

import contextlib
import http.server
import json
import socket
import ssl
import threading


class Application(http.server.ThreadingHTTPServer):
    """A web application by HTTPS that serves the proxy's statement, and tells what it was asked with."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            self.server.asked.append(self.path)
            self.server.peers.add(self.client_address)
            if self.headers.get("Upgrade") == "websocket":
                self.echo()
                return
            size = int(self.headers.get("Content-Length", 0))
            told = {"body": self.rfile.read(size).decode(), "fields": [[name.lower(), value] for name, value in self.headers.items()]}
            self.answer({"/token-key": self.server.statement, "/forged": self.server.statement[:-9] + "AAAAAAAAA"}.get(
                self.path, json.dumps(told)))

        do_POST = do_GET

        def answer(self, text):
            self.send_response(401 if self.path == "/who" else 200)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def echo(self):
            """What a WebSocket server would do with its bytes is not of interest here: they come back in upper case."""
            self.send_response(101)
            for name, value in {"Connection": "Upgrade", "Upgrade": "websocket", "X-User": self.headers["Pgveil-User"],
                                "X-Token": self.headers["Pgveil-User-Share"][:6]}.items():
                self.send_header(name, value)
            self.end_headers()
            self.close_connection = True
            while received := self.connection.recv(65536):
                self.connection.sendall(received.upper())

        def log_message(self, *_):
            pass

    def __init__(self, stack):
        super().__init__(("127.0.0.1", 0), self.Handler)
        self.asked = []
        self.peers, self.open = set(), []  # connections
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(stack.dir / "tls" / "pgveil.crt", stack.dir / "tls" / "pgveil.key")
        self.socket = context.wrap_socket(self.socket, server_side=True)
        with stack.connect(options="") as connection:
            self.statement = connection.execute("SELECT pgveil.token_key()").fetchone()[0]
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def get_request(self):
        accepted = super().get_request()
        self.open.append(accepted[0])
        return accepted

    def end_connections(self):
        """Their threads end, and close them."""
        for connection in self.open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.open.clear()

    @property
    def url(self):
        return f"https://localhost:{self.server_port}"
