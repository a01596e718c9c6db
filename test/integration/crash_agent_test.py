"""kill -9 of the pgveil-agent that keeps the application's shares, at every step of add_user, change_key and withdraw_user, then the same
call again: its table has what the proxy has, and nothing else opens anything. (renew-shares and renew-tk hand shares out as files: no
agent is a part of them.)
"""

import os
import signal
import unittest

import psycopg

import crash_test as crash
from agents import Agent
from fresh_proxy import FreshProxy, StopAt
from stack import succeeded, wait_until

STRIDE = int(os.environ.get("PGVEIL_CRASH_STRIDE", "1"))
FEWEST = 1 if STRIDE > 1 else 3  # a sweep that killed less has swept nothing


def setUpModule():
    crash.setUpModule()


def tearDownModule():
    crash.tearDownModule()


class AgentDies(unittest.TestCase):
    """Each step has a user of its own."""

    @classmethod
    def setUpClass(cls):
        cls.proxy = FreshProxy(crash.STACK, "agent_dies")
        cls.proxy.order()
        cls.addClassCleanup(cls.proxy.stop)
        cls.proxy.start()
        succeeded(cls.proxy.bootstrap())
        succeeded(cls.proxy.user("add", "witness"))

    def setUp(self):
        self.table = self.proxy.dir / "table"
        self.page = StopAt(self.proxy.dir, "stop-agent")
        self.agent = None
        self.start_agent()
        self.addCleanup(lambda: self.agent.__exit__())

    def start_agent(self):
        witness = {name: str(self.proxy.users / f"witness.{ending}") for name, ending in (("key", "user"), ("app_share", "app"))}
        upstream = {"host": "localhost", "port": self.proxy.port, "ca": str(crash.STACK.dir / "tls" / "ca.crt")}
        self.agent = Agent(crash.STACK, users_files={"app": witness}, upstream=upstream, share_table=str(self.table),
                           under=self.page.words()).__enter__()

    def order(self, verb, user):
        """The call that the tenant hands out, with the application's share in its place."""
        for path in self.proxy.users.glob(f"{user}.[ua]*"):
            path.rename(path.with_name("old." + path.name))
        before = set(self.proxy.users.glob("*.sql"))
        succeeded(self.proxy.user(verb, user, apply=False))
        (written,) = set(self.proxy.users.glob("*.sql")) - before
        share = self.proxy.users / f"{user}.app"
        return written.read_text().replace("NULL", f"'{share.read_text().strip()}'") if share.exists() else written.read_text()

    def run_call(self, call):
        with self.agent.connect() as connection:
            connection.execute(call)
        succeeded(self.proxy.tenant("pending", "--apply", self.proxy.url()))

    def dies_at(self, step, call):
        """True if the agent died; it runs again afterwards."""
        with self.agent.connect() as connection:
            connection.execute("SELECT 1")
            self.page.set(step)
            try:
                connection.execute(call)
            except psycopg.OperationalError:
                wait_until(lambda: self.agent.child.poll() is not None, "the agent to die")
            self.page.set(0)
        if self.agent.child.poll() is None:
            return False
        self.assertEqual(self.agent.child.returncode, -signal.SIGKILL, self.agent.log())
        self.start_agent()
        return True

    def kept(self, user):
        path = self.table / f"{user}.app"
        return path.read_text().strip() if path.exists() else None

    def opens(self, key, app):
        """Whether a .user file opens values beside an .app file, of two folders."""
        try:
            with self.proxy.connect(self.proxy.options(key[1], folder=key[0], apps=app)) as connection:
                connection.execute(crash.READ)
                return True
        except psycopg.errors.InvalidAuthorizationSpecification:
            return False

    def sweep(self, verb, judge, prepare=lambda user: None):
        step, deaths, killed = 1, 0, True
        while killed:
            user = f"{verb}{step}"
            prepare(user)
            call = self.order(verb, user)
            killed = self.dies_at(step, call)
            deaths += killed
            with self.subTest(step=step):
                self.run_call(call)  # again, or once more
                judge(user)
                self.assertEqual(list(self.table.glob(".*")), [])
            step += STRIDE
        print(f"the agent was killed at {deaths} steps of {verb}")
        self.assertGreaterEqual(deaths, FEWEST)

    def has_the_share(self, user):
        self.assertEqual(self.kept(user), (self.proxy.users / f"{user}.app").read_text().strip())
        self.assertTrue(self.opens((self.proxy.users, user), self.table))

    def add(self, user):
        self.run_call(self.order("add", user))
        self.has_the_share(user)

    def changed(self, user):
        self.has_the_share(user)
        former = self.proxy.dir / f"former-{user}"
        former.mkdir(mode=0o755)
        for ending in ("user", "app"):
            (self.proxy.users / f"old.{user}.{ending}").rename(former / f"{user}.{ending}")
        self.assertFalse(self.opens((former, user), former))
        self.assertFalse(self.opens((former, user), self.table))

    def withdrawn(self, user):
        self.assertIsNone(self.kept(user))
        former = self.proxy.dir / f"former-{user}"
        former.mkdir(mode=0o755)
        for ending in ("user", "app"):
            (self.proxy.users / f"old.{user}.{ending}").rename(former / f"{user}.{ending}")
        self.assertFalse(self.opens((former, user), former))

    def test_add(self):
        self.sweep("add", self.has_the_share)

    def test_change_key(self):
        self.sweep("change-key", self.changed, self.add)

    def test_withdraw(self):
        self.sweep("withdraw", self.withdrawn, self.add)


if __name__ == "__main__":
    unittest.main()
