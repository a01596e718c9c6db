"""SIGHUP of pgveil-agent: sessions stay, and have what the files say now."""

import unittest
from contextlib import closing

import psycopg

from agent_test import FIND, FOUND, POLICY, SCHEMA
from agents import Agent
from stack import Stack, psql, succeeded, wait_until


def setUpModule():
    global STACK
    STACK = Stack.start(POLICY)
    for statement in SCHEMA:
        succeeded(psql(STACK.url(), "-q", "-c", statement, options=STACK.options()))
    STACK.add_user("mover")


def tearDownModule():
    STACK.stop()


def user_of(connection):
    return connection.execute("SHOW pgveil.user_id").fetchone()[0]


def change_key(user):
    for path in (STACK.dir / "users").glob(f"{user}.[ua]*"):
        path.rename(path.with_name("old." + path.name))
    succeeded(STACK.tenant_tool("user", "change-key", user, "--out", STACK.dir / "users", "--user-passphrase-file",
                                STACK.dir / "secrets" / f"{user}.passphrase", "--apply", STACK.url()))


class Reload(unittest.TestCase):
    def test_another_key_counts_for_sessions_that_live(self):
        with Agent(STACK, users={"app": "mover"}) as agent, closing(agent.connect()) as app:
            self.assertEqual(app.execute(FIND).fetchall(), FOUND)
            change_key("mover")
            with self.assertRaises(psycopg.errors.InvalidAuthorizationSpecification):
                app.execute(FIND)
            self.assertIn("reloaded", agent.reload())
            self.assertEqual(app.execute(FIND).fetchall(), FOUND)
            with closing(agent.connect()) as later:
                self.assertEqual(later.execute(FIND).fetchall(), FOUND)

    def test_another_user_counts_behind_the_transaction_and_none_ends_the_session(self):
        with Agent(STACK) as agent, closing(agent.connect()) as app, closing(agent.connect()) as idle:
            app.execute("BEGIN")
            self.assertEqual((user_of(app), user_of(idle)), ("nurse", "nurse"))
            agent.reload(users={"app": agent.files_of("clerk")})
            self.assertEqual((user_of(app), user_of(idle)), ("nurse", "clerk"))
            app.execute("COMMIT")
            self.assertEqual(user_of(app), "clerk")
            app.execute("BEGIN")
            agent.reload(users={"other": agent.files_of("clerk")})
            with self.assertRaisesRegex(psycopg.OperationalError, 'no user for role "app" any more'):
                idle.execute("SELECT 1")
            self.assertEqual(app.execute(FIND).fetchall(), FOUND)
            with self.assertRaises(psycopg.OperationalError):
                app.execute("COMMIT")
                wait_until(lambda: app.execute("SELECT 1") is None, "the session to end")

    def test_what_is_wrong_changes_nothing(self):
        with Agent(STACK) as agent, closing(agent.connect()) as app:
            files = agent.files_of("nurse")
            without = {name: file for name, file in files.items() if name != "passphrase_file"}
            self.assertIn("reloaded", agent.reload(users={"app": without}), "a key that is open needs no passphrase")
            for users, why in (({"app": {**agent.files_of("clerk"), "passphrase_file": str(STACK.dir / "none")}}, "none"),
                               ({"app": {**without, "key": agent.files_of("clerk")["key"]}}, "passphrase"),
                               ({"app": {**files, "app_share": agent.files_of("clerk")["app_share"]}}, "is the app share of clerk")):
                said = agent.reload(users=users)
                self.assertIn("reload failed, the old configuration stays", said)
                self.assertIn(why, said)
                self.assertEqual(app.execute(FIND).fetchall(), FOUND)
                with closing(agent.connect()) as later:
                    self.assertEqual(user_of(later), "nurse")

    def test_certificates_and_what_only_a_start_takes_up(self):
        with Agent(STACK) as agent, closing(agent.connect()) as app:
            right = agent.settings["upstream"]
            other = {**right, "ca": str(STACK.dir / "tls" / "pgveil.crt")}
            self.assertIn("limits.sessions has changed: it takes effect at the next start",
                          agent.reload(upstream=other, limits={"sessions": 7}))
            with self.assertRaisesRegex(psycopg.OperationalError, "certificate"):
                agent.connect()
            self.assertEqual(app.execute(FIND).fetchall(), FOUND)
            agent.reload(upstream=right)
            with closing(agent.connect()) as later:
                self.assertEqual(later.execute(FIND).fetchall(), FOUND)

    def test_a_share_that_was_put_into_the_table_is_found(self):
        table = STACK.dir / "filled"
        files = {name: str(STACK.dir / place) for name, place in (("key", "users/clerk.user"), ("passphrase_file", "secrets/clerk.passphrase"))}
        share = STACK.dir / "users" / "clerk.app"
        with Agent(STACK, users_files={"app": files}, share_table=str(table)) as agent, closing(agent.connect()) as app:
            with self.assertRaises(psycopg.errors.InvalidAuthorizationSpecification):
                app.execute(FIND)
            STACK.write("filled/clerk.app", share.read_text())
            agent.reload()
            self.assertEqual(app.execute(FIND).fetchall(), FOUND)


if __name__ == "__main__":
    unittest.main()
