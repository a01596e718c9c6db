"""kill -9 of `pgveil restore` at the steps of every change of the seal, then the same command again: it ends well, and at no step
is the store key lost: until then the former seal still opens the store. A real swtpm, real custodians.

A step is a system call that makes a write last or sends something (test/support/stop_at.cpp)."""

import json
import os
import pathlib
import shutil
import subprocess
import unittest

import operation
from custodians import PROGRAM, Custodians
from fresh_proxy import StopAt
from stack import Stack, StackError, run
from swtpm import Swtpm

STRIDE = int(os.environ.get("PGVEIL_CRASH_STRIDE", "1"))  # scripts/nightly meets every step, scripts/test every 25th
KILLED = -9
CHANGES = (("file", "tpm"), ("tpm", "custodians"), ("custodians", "tpm+custodians"), ("tpm+custodians", "file"))
POLICY = {"requesters": {"clinic": {"purposes": ["unseal"], "per_minute": 100000}}}


def setUpModule():
    global STACK, TPM, CREW, PAGE, SETTINGS
    STACK = Stack.start()
    unittest.addModuleCleanup(STACK.stop)
    STACK.stop_proxy()
    SETTINGS = operation.settings_of(STACK)
    TPM = Swtpm(STACK).start()
    unittest.addModuleCleanup(TPM.stop)
    CREW = Custodians(3)
    unittest.addModuleCleanup(CREW.stop)
    PAGE = StopAt(STACK.dir, "stop")
    make_group()


def done_well(done):
    if done.returncode != 0:
        raise StackError(done.stdout + done.stderr)
    return done.stdout


def tool(verb, *arguments, words=()):
    return run([*STACK.as_owner(), *words, STACK.dir / "bin" / "pgveil", verb, "--config", STACK.settings, *arguments])


def make_group():
    asker = json.loads(CREW.asker_file("clinic").read_text())
    for kind, path in asker["tls"].items():
        asker["tls"][kind] = str(STACK.write(f"custodians-{kind}.pem", pathlib.Path(path).read_text()))
    STACK.write("custodians.json", json.dumps(asker))
    (CREW.folder / "policy.json").write_text(json.dumps(POLICY))
    done_well(subprocess.run(
        [PROGRAM, "group", "create", "--custodians", CREW.asker_file("admin"), "--threshold", "2", "--policy",
         CREW.folder / "policy.json", "--out", CREW.folder / "group.json"],
        capture_output=True, text=True, check=False, timeout=120))
    STACK.write("group.json", (CREW.folder / "group.json").read_text())


def use(kind):
    """The settings name this seal; the tenant approves what it measures."""
    if kind == "file":
        return STACK.write("pgveil.json", json.dumps(SETTINGS))
    seal = {"kind": kind, "path": str(STACK.dir / "store" / f"seal.{kind}")}
    if "custodians" in kind:
        seal["custodians"] = {"file": "custodians.json", "group": "group.json"}
    if "tpm" in kind:
        seal["tpm"] = {"tcti": TPM.place, "approver": done_well(STACK.tenant_tool("approver")).strip(),
                       "approvals": str(STACK.dir / f"approvals.{kind}")}
    STACK.write("pgveil.json", json.dumps({**SETTINGS, "seal": seal}))
    if "tpm" in kind and not (STACK.dir / f"approvals.{kind}").exists():
        measured = STACK.write("measured", done_well(tool("measure")))
        STACK.write(f"approvals.{kind}", done_well(STACK.tenant_tool("approve", measured)))


class SealChanges(unittest.TestCase):
    def opens(self, kind):
        use(kind)
        for end in ("store", "key"):
            (STACK.dir / f"proof.{end}").unlink(missing_ok=True)
        done = tool("backup", "--store", STACK.dir / "proof.store", "--key", STACK.dir / "proof.key")
        self.assertEqual(done.returncode, 0, f"{kind} does not open the store: {done.stderr}")

    def put_back(self):
        shutil.rmtree(STACK.dir / "store")
        done_well(run(["cp", "-a", STACK.dir / "kept", STACK.dir / "store"]))

    def change(self, before, after):
        use(before)
        backup = "--store", STACK.dir / f"{before}.store", "--key", STACK.dir / f"{before}.key"
        done_well(tool("backup", *backup))
        shutil.rmtree(STACK.dir / "kept", ignore_errors=True)
        done_well(run(["cp", "-a", STACK.dir / "store", STACK.dir / "kept"]))
        killed = 0
        while True:
            use(after)
            PAGE.set(1 + killed * STRIDE)
            done = tool("restore", *backup, words=PAGE.words())
            PAGE.set(0)
            if done.returncode == 0:
                break
            with self.subTest(before=before, after=after, step=1 + killed * STRIDE):
                self.assertEqual(done.returncode, KILLED, done.stderr)
                self.opens(before)
                use(after)
                self.assertEqual((again := tool("restore", *backup)).returncode, 0, again.stderr)
                self.opens(after)
            self.put_back()
            killed += 1
        self.opens(after)
        print(f"{before} -> {after}: killed at {killed} steps")
        self.assertGreater(killed, 1)  # else it has swept nothing

    def test_every_change_survives_a_kill_at_its_steps(self):
        for before, after in CHANGES:
            self.change(before, after)
        STACK.start_proxy()


if __name__ == "__main__":
    os.umask(0o077)
    unittest.main(verbosity=2)
