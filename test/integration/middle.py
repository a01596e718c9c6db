"""Somebody between a client and pgveil who has the proxy's own certificate and key, ends TLS, and passes everything on."""

import contextlib
import select
import socket
import ssl
import threading

SSL_REQUEST = bytes.fromhex("0000000804d2162f")


class Middle:
    """with Middle(port, certificate, key) as middle: clients connect to middle.port."""

    def __init__(self, proxy_port, certificate, key):
        self.proxy_port = proxy_port
        self.towards_client = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.towards_client.load_cert_chain(certificate, key)
        self.towards_proxy = ssl.create_default_context()
        self.towards_proxy.check_hostname = False
        self.towards_proxy.verify_mode = ssl.CERT_NONE
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.opened = []

    def __enter__(self):
        threading.Thread(target=self.serve, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for end in self.opened:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                threading.Thread(target=self.carry, args=(client,), daemon=True).start()

    def carry(self, client):
        with contextlib.suppress(OSError):
            client.recv(len(SSL_REQUEST))
            client.sendall(b"S")
            client = self.towards_client.wrap_socket(client, server_side=True)
            proxy = socket.create_connection(("127.0.0.1", self.proxy_port))
            proxy.sendall(SSL_REQUEST)
            proxy.recv(1)
            proxy = self.towards_proxy.wrap_socket(proxy)
            self.opened += [client, proxy]
            while all(pass_on(source, sink) for source, sink in ready({client: proxy, proxy: client})):
                pass


def ready(pairs):
    """The pairs whose first has something to read."""
    held = [source for source in pairs if source.pending()]
    return [(source, pairs[source]) for source in held or select.select(list(pairs), [], [])[0]]


def pass_on(source, sink):
    """Whether there was anything."""
    said = source.recv(65536)
    sink.sendall(said)
    return bool(said)
