"""The store key sealed to three custodians: any two open it; who is missing is named; an older key is not released;
a locked proxy opens with them only."""

import json
import os
import pathlib
import subprocess
import unittest

import clinic
import operation
import psycopg
from custodians import PROGRAM, Custodians
from stack import Stack, StackError, run, wait_until

READ = "SELECT count(name) FROM patients"
OPENS = "SELECT name FROM patients"
POLICY = {"requesters": {"clinic": {"purposes": ["unseal"], "per_minute": 10000}}}


def setUpModule():
    global STACK, CREW, SEAL
    STACK = Stack.start()
    unittest.addModuleCleanup(STACK.stop)
    clinic.Clinic(STACK)
    operation.open_console(STACK)
    CREW = Custodians(3)
    unittest.addModuleCleanup(CREW.stop)
    SEAL = STACK.dir / "store" / "seal.custodians"
    make_group()
    move_to_custodians()


def done_well(done):
    if done.returncode != 0:
        raise StackError(done.stdout + done.stderr)
    return done.stdout


def tool(verb, *arguments):
    return run([*STACK.as_owner(), STACK.dir / "bin" / "pgveil", verb, "--config", STACK.settings, *arguments])


def make_group():
    (CREW.folder / "policy.json").write_text(json.dumps(POLICY))
    done_well(subprocess.run(
        [PROGRAM, "group", "create", "--custodians", CREW.asker_file("admin"), "--threshold", "2", "--policy",
         CREW.folder / "policy.json", "--out", CREW.folder / "group.json"],
        capture_output=True, text=True, check=False, timeout=120))


def move_to_custodians():
    """As docs/OPERATIONS.md says it: a backup under the file seal comes back under the custodians."""
    asker = json.loads(CREW.asker_file("clinic").read_text())
    for kind, path in asker["tls"].items():
        asker["tls"][kind] = str(STACK.write(f"custodians-{kind}.pem", pathlib.Path(path).read_text()))
    STACK.write("custodians.json", json.dumps(asker))
    STACK.write("group.json", (CREW.folder / "group.json").read_text())
    backup = STACK.dir / "store" / "moved"
    arguments = "--store", f"{backup}.store", "--key", f"{backup}.key"
    STACK.stop_proxy()
    done_well(tool("backup", *arguments))
    operation.write_settings(STACK, seal={
        "kind": "custodians", "path": str(SEAL), "custodians": {"file": "custodians.json", "group": "group.json"}})
    done_well(tool("restore", *arguments))
    (STACK.dir / "store" / "seal.key").unlink()
    STACK.start_proxy()


class SealedToCustodians(unittest.TestCase):
    def works(self):
        with STACK.connect(STACK.options("nurse")) as connection:
            self.assertGreater(connection.execute(READ).fetchone()[0], 0)

    def assert_refused(self, done, *words):
        self.assertIsNotNone(done, "it kept running")
        self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)

    def test_1_it_starts_with_one_of_three_down_and_with_two_says_who(self):
        self.works()
        self.assertIn("the store key is sealed to the custodians of ", STACK.proxy_log())
        CREW.kill(0)
        STACK.restart_proxy()
        self.works()
        STACK.stop_proxy()
        CREW.kill(2)
        self.assert_refused(STACK.serve(), "only 1 of the 2 custodians", f"{CREW.names[0]} (https://", f"{CREW.names[2]} (https://")
        CREW.start(0)
        CREW.start(2)
        STACK.start_proxy()
        self.works()

    def test_2_a_locked_proxy_opens_with_two_of_them_and_with_one_says_who_is_missing(self):
        with STACK.connect(STACK.options("nurse")) as connection:
            self.assertGreater(len(connection.execute(OPENS).fetchall()), 0)
            done_well(operation.tell_lock(STACK, "lock"))
            with self.assertRaises(psycopg.Error) as refused:
                connection.execute(OPENS)
            self.assertEqual(refused.exception.sqlstate, "58030")
            for at in (0, 1):
                CREW.kill(at)
            failed = operation.tell_lock(STACK, "unlock")
            self.assertEqual(failed.returncode, 1, failed.stdout)
            for at in (0, 1):
                self.assertIn(f"{CREW.names[at]} (https://", failed.stderr)
            self.assertEqual(operation.state(STACK)["locked"], "yes")
            CREW.start(0)
            self.assertNotIn("file seal", done_well(operation.tell_lock(STACK, "unlock")))
            self.assertGreater(len(connection.execute(OPENS).fetchall()), 0)
        CREW.start(1)

    def test_3_a_withdrawal_renews_the_key_and_the_former_one_is_not_released(self):
        STACK.add_user("visitor")
        kept = SEAL.read_bytes()
        STACK.withdraw_user("visitor")
        wait_until(lambda: SEAL.read_bytes() != kept, "the key to be renewed")
        wait_until(lambda: not SEAL.with_name(SEAL.name + ".unnoted").exists(), "the custodians to note it")
        STACK.stop_proxy()
        renewed = SEAL.read_bytes()
        SEAL.write_bytes(kept)
        self.assert_refused(STACK.serve(), "older")
        SEAL.write_bytes(renewed)
        STACK.start_proxy()
        self.works()

    def test_4_a_refreshed_group_is_followed_without_a_new_group_file(self):
        done_well(subprocess.run(
            [PROGRAM, "group", "refresh", "--custodians", CREW.asker_file("admin"), "--policy", CREW.folder / "policy.json",
             "--group", CREW.folder / "group.json"], capture_output=True, text=True, check=False, timeout=120))
        self.assertNotEqual((STACK.dir / "group.json").read_text(), (CREW.folder / "group.json").read_text())
        STACK.restart_proxy()
        self.works()

    def test_5_a_new_proxy_is_ordered_straight_under_custodians(self):
        settings = operation.settings_of(STACK)
        settings["store"] = {"path": str(STACK.dir / "store" / "ordered.db")}
        settings["seal"] = {**settings["seal"], "path": str(STACK.dir / "store" / "ordered.seal")}
        other = STACK.write("ordered.json", json.dumps(settings))

        def order(*arguments):
            return run([*STACK.as_owner(), STACK.dir / "bin" / "pgveil", "order", "--config", other, *arguments])

        for at in (0, 1):
            CREW.kill(at)
        try:
            alone = order()
            self.assertEqual(alone.returncode, 2, alone.stdout)
            self.assertIn("only 1 of the 2 custodians", alone.stderr)
            self.assertNotIn("one-time password", alone.stdout)
        finally:
            for at in (0, 1):
                CREW.start(at)
        first, again = done_well(order()), done_well(order("--again"))
        for said in (first, again):
            self.assertRegex(said, r"(?m)^one-time password: \S")
        self.assertNotEqual(first.splitlines()[0], again.splitlines()[0])
        self.assertIn(b"pgveil/1 custodians seal", (STACK.dir / "store" / "ordered.seal").read_bytes())
        self.assertFalse((STACK.dir / "store" / "seal.key").exists())


if __name__ == "__main__":
    os.umask(0o077)
    unittest.main(verbosity=2)
