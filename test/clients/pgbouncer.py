"""A pgbouncer beside a stack: in front of pgveil, or between pgveil and PostgreSQL.

    with Pgbouncer(stack, to=stack.proxy_port, pool_mode="transaction") as pool:
        psycopg.connect(pool.url())
"""

import re
import signal
import socket
import subprocess

from agents import free_port
from stack import StackError, wait_until

SETTINGS = """[databases]
* = host=localhost port={to}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {folder}/pgbouncer.{port}.users
server_tls_sslmode = verify-full
server_tls_ca_file = {folder}/tls/ca.crt
client_tls_sslmode = require
client_tls_cert_file = {folder}/tls/pgveil.crt
client_tls_key_file = {folder}/tls/pgveil.key
{more}
"""


class Pgbouncer:
    """One running pgbouncer; ends with the block. more: lines of its settings."""

    def __init__(self, stack, to, **more):
        self.stack = stack
        self.port = free_port()
        settings = SETTINGS.format(to=to, port=self.port, folder=stack.dir, more="\n".join(f"{name} = {value}" for name, value in more.items()))
        file = stack.write(f"pgbouncer.{self.port}.ini", settings)
        stack.write(f"pgbouncer.{self.port}.users", self.users(to))
        with open(stack.dir / "log" / f"pgbouncer.{self.port}.log", "ab") as log:
            self.child = subprocess.Popen([*stack.as_owner(), "pgbouncer", file], stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                          start_new_session=True)
        wait_until(lambda: self.child.poll() is not None or self.listens(), "pgbouncer to listen")
        if self.child.poll() is not None:
            raise StackError("pgbouncer ended at once:\n" + self.log())

    def users(self, to):
        """In front of pgveil it knows passwords. Behind it gets the key of the client's proof, which fits the server's own secret only."""
        secrets = self.stack.dir / "secrets"
        passwords = {role: (secrets / f"{role}.password").read_text().strip() for role in ("app", "pgveil")}
        known = f'"pgveil" "{passwords["pgveil"]}"\n'
        if to == self.stack.proxy_port:
            return known + f'"app" "{passwords["app"]}"\n'
        return known + re.search(r'^"app" .*\n', (self.stack.dir / "users.txt").read_text(), re.M).group(0)

    def listens(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def log(self):
        return (self.stack.dir / "log" / f"pgbouncer.{self.port}.log").read_text(errors="replace")

    def url(self):
        return re.sub(r":\d+/", f":{self.port}/", self.stack.url())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.send_signal(signal.SIGINT)
        self.child.wait(timeout=20)
