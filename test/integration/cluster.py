"""Several pgveil on one share store in PostgreSQL, beside a stack's own.

    left = ClusterProxy(stack, "left"); left.order(); left.start(); left.bootstrap()
    right = left.another("right"); right.start()
"""

import json
import re
import shutil

from fresh_proxy import FreshProxy

DATABASE = "pgveil_store"
MAX_AGE_S = 3.0  # the default is one second; a busy machine may answer late


class ClusterProxy(FreshProxy):
    def __init__(self, stack, name, first=None):
        self.first = first or self
        if first is None:
            stack.superuser(f"CREATE ROLE {DATABASE} LOGIN PASSWORD 'store'")
            stack.superuser(f"CREATE DATABASE {DATABASE} OWNER {DATABASE}")
            stack.write(f"secrets/{DATABASE}.password", "store\n")
        super().__init__(stack, name)
        self.home, self.users = self.first.dir / "tenant", self.first.dir / "users"

    def write_settings(self):
        super().write_settings()
        settings = json.loads(self.settings.read_text())
        upstream = settings["upstream"]
        settings["home"]["database"] = f"home_{self.first.name}"
        settings["store"] = {
            "kind": "postgresql", "hosts": [{"host": upstream["host"], "port": upstream["port"]}],
            "tls": {"ca": upstream["tls"]["ca"]}, "password_file": f"secrets/{DATABASE}.password",
            "max_age_ms": int(1000 * MAX_AGE_S)}
        self.stack.write(self.settings.name, json.dumps(settings))

    def another(self, name):
        """A second proxy: with the settings of the first one, and a copy of its key."""
        other = ClusterProxy(self.stack, name, self)
        other._make_folder(other.dir / "store")
        other.take_key()
        return other

    def take_key(self):
        """Copies the first proxy's store key, as its operator does it."""
        shutil.copy2(self.first.dir / "store" / "seal.key", self.dir / "store" / "seal.key")
        owner = self.stack.dir.stat()
        shutil.chown(self.dir / "store" / "seal.key", owner.st_uid, owner.st_gid)

    def kill(self):
        self.child.kill()
        self.child.wait(timeout=20)
        self.child = None

    def said(self):
        return (self.dir / "log").read_text(errors="replace")

    def token_of(self, options):
        return re.search(r"pgveil\.user_token=(\S+)", options).group(1)


class StoreCopy:
    """What somebody with the store's server can do: keep all of it, and put it back."""

    TABLES = ("sealed_row_1", "token_claim_1", "key_step_1")

    def __init__(self, stack, name):
        self.stack, self.name = stack, name
        stack.superuser(f"CREATE SCHEMA {name}; " + "; ".join(
            f"CREATE TABLE {name}.{table} AS SELECT * FROM pgveil_store.{table}" for table in self.TABLES), DATABASE)

    def put_back(self):
        self.stack.superuser("; ".join(
            f"DELETE FROM pgveil_store.{table}; INSERT INTO pgveil_store.{table} SELECT * FROM {self.name}.{table}"
            for table in self.TABLES), DATABASE)
