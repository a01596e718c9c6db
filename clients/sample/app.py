#!/usr/bin/python3
"""A web application whose patients only their nurse's key opens: user's headers -> session parameters -> rows.

    app.py --database postgresql://app@HOST:6543/clinic --app-shares DIRECTORY [--port 8080]

It needs psycopg 3 alone. The page asks its user for a .user file and the passphrase, which stay in the page
(clients/browser); with each request comes a token that lives a minute. The application adds its own share of that user,
a file UID.app, and gives all three to pgveil for one transaction. It listens on 127.0.0.1: TLS is the affair of the web
server in front of it, and browsers give pages no WebCrypto without it, except on the same machine.
"""

import argparse
import http.server
import json
import pathlib
import re
import threading

import psycopg

HERE = pathlib.Path(__file__).resolve().parent
MODULE = HERE.parent / "browser"
USER_ID = re.compile(r"[A-Za-z0-9_@-][A-Za-z0-9._@-]{0,63}")
TOKEN = re.compile(r"pgvt1\.[A-Za-z0-9_-]{1,16378}")
PARAMETERS = ("SELECT set_config('pgveil.user_id', %s, true), set_config('pgveil.user_token', %s, true),"
              " set_config('pgveil.app_share', %s, true)")
PATIENTS = "SELECT id, name, ward FROM patients ORDER BY id"
# What the database says about a request of one user, as HTTP; everything else is 500.
STATUS = {"28000": 401, "42501": 403}


class Refused(Exception):
    """What the user is told instead of rows."""

    def __init__(self, status, reason):
        super().__init__(reason)
        self.status = status


class Clinic:
    """One connection for everybody, as a pool has it. Parameters are set for a transaction, so that they end with it."""

    def __init__(self, url, app_shares):
        self.url = url
        self.app_shares = pathlib.Path(app_shares)
        self.lock = threading.Lock()
        self.connection = None

    def run(self, work):
        with self.lock:
            if self.connection is None or self.connection.closed:
                self.connection = psycopg.connect(self.url, autocommit=True)
            with self.connection.transaction():
                return work(self.connection)

    def token_key(self):
        return self.run(lambda session: session.execute("SELECT pgveil.token_key()").fetchone()[0])

    def patients(self, user_id, token):
        shares = (user_id, token, self.app_share(user_id))

        def work(session):
            session.execute(PARAMETERS, shares)
            return session.execute(PATIENTS).fetchall()
        try:
            return [{"id": number, "name": name, "ward": ward} for number, name, ward in self.run(work)]
        except psycopg.Error as error:
            raise Refused(STATUS.get(error.sqlstate, 500), error.diag.message_primary or "the database is not there") from error

    def app_share(self, user_id):
        try:
            return (self.app_shares / f"{user_id}.app").read_text().strip()
        except FileNotFoundError:
            raise Refused(403, "this application has no share of that user") from None


class Handler(http.server.BaseHTTPRequestHandler):
    """The page, the module, the proxy's statement, and the patients. The log holds method, path and status alone."""

    server_version = "clinic"
    FILES = {"/": (HERE / "index.html", "text/html; charset=utf-8"), "/page.js": (HERE / "page.js", "text/javascript")}
    FILES.update({f"/pgveil/{file.name}": (file, "text/javascript") for file in MODULE.glob("*.js")})

    def do_GET(self):
        try:
            if self.path in self.FILES:
                file, kind = self.FILES[self.path]
                self.send(200, kind, file.read_bytes())
            elif self.path == "/token-key":
                self.send(200, "text/plain", self.server.clinic.token_key().encode())
            elif self.path == "/patients":
                self.send(200, "application/json", json.dumps(self.patients()).encode())
            else:
                raise Refused(404, "there is no such page")
        except Refused as refused:
            self.send(refused.status, "text/plain; charset=utf-8", str(refused).encode())
        except psycopg.Error:
            self.send(503, "text/plain", b"the database is not there")

    def patients(self):
        user_id, token = (self.headers.get(name, "") for name in ("Pgveil-User", "Pgveil-User-Share"))
        if not USER_ID.fullmatch(user_id) or not TOKEN.fullmatch(token):
            raise Refused(401, "open your user file first")
        return self.server.clinic.patients(user_id, token)

    def send(self, status, kind, body):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        # Who can run a script in this page can use the key: nobody's but ours, and answers go nowhere else.
        self.send_header("Content-Security-Policy", "default-src 'none'; script-src 'self'; connect-src 'self'; "
                         "base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
        self.end_headers()
        self.wfile.write(body)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", required=True, help="the URL of pgveil")
    parser.add_argument("--app-shares", required=True, help="the directory of the files UID.app")
    parser.add_argument("--port", type=int, default=8080)
    options = parser.parse_args()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", options.port), Handler)
    server.clinic = Clinic(options.database, options.app_shares)
    print(f"http://127.0.0.1:{server.server_port}/", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
