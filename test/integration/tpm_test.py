"""The store key under a TPM: a real swtpm, an existing proxy that moves to it, what changes and who approves it."""

import json
import os
import re
import unittest

import clinic
from stack import Stack, StackError, run, wait_until
from swtpm import Swtpm

READ = "SELECT count(name) FROM patients"


def setUpModule():
    global STACK, TPM, SETTINGS, POLICY
    STACK = Stack.start()
    clinic.Clinic(STACK)
    SETTINGS = json.loads(re.sub(r"^\s*//.*$", "", STACK.settings.read_text(), flags=re.M))
    POLICY = (STACK.dir / "policy.json").read_text()
    TPM = Swtpm(STACK)
    unittest.addModuleCleanup(TPM.stop)
    unittest.addModuleCleanup(STACK.stop)
    TPM.start()
    move_to_tpm()


def tool(verb, *arguments):
    return run([*STACK.as_owner(), STACK.dir / "bin" / "pgveil", verb, "--config", STACK.settings, *arguments])


def done_well(done):
    if done.returncode != 0:
        raise StackError(done.stdout + done.stderr)
    return done.stdout


def move_to_tpm():
    """As docs/OPERATIONS.md says it: a backup under the file seal comes back under the TPM."""
    backup = "--store", STACK.dir / "tpm" / "backup.store", "--key", STACK.dir / "tpm" / "backup.key"
    STACK.stop_proxy()
    done_well(tool("backup", *backup))
    seal = {"kind": "tpm", "path": str(STACK.dir / "store" / "seal.tpm"), "tpm": {
        "tcti": TPM.place, "approver": done_well(STACK.tenant_tool("approver")).strip()}}
    STACK.write("pgveil.json", json.dumps({**SETTINGS, "seal": seal}))
    done_well(tool("restore", *backup))
    (STACK.dir / "store" / "seal.key").unlink()


def approve(*arguments):
    """What the operator measures and the tenant approves; a finished process of the tenant's."""
    measured = STACK.write("measured", done_well(tool("measure")))
    return STACK.tenant_tool("approve", measured, *arguments)


def add_approval(*arguments):
    approvals = STACK.dir / "store" / "seal.tpm.approvals"
    before = approvals.read_text() if approvals.exists() else ""
    STACK.write("store/seal.tpm.approvals", before + done_well(approve(*arguments)))


class SealedByTpm(unittest.TestCase):
    def assert_refused(self, done, *words):
        self.assertIsNotNone(done, "it kept running")
        self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)

    def works(self):
        with STACK.connect(STACK.options("nurse")) as connection:
            self.assertGreater(connection.execute(READ).fetchone()[0], 0)

    def test_1_T8_nothing_is_released_before_the_tenant_approves(self):
        self.assert_refused(STACK.serve(), "has not approved", "pgveil measure", "pgveil-tenant approve")
        add_approval("--binary", STACK.dir / "bin" / "pgveil", "--settings", STACK.settings, "--policy",
                     STACK.dir / "policy.json")
        STACK.start_proxy()
        self.works()
        self.assertIn("the store key is sealed by the TPM at swtpm:path=", STACK.proxy_log())

    def test_2_the_tenant_approves_no_other_files_than_those_it_has(self):
        for option in ("--binary", "--settings", "--policy"):
            done = approve(option, STACK.dir / "users.txt")
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertIn("Nothing was approved", done.stderr)

    def test_3_T8_a_changed_policy_does_not_open_until_approved(self):
        STACK.write("policy.json", "// changed\n" + POLICY)
        STACK.signal_proxy(1)
        wait_until(lambda: "the next start will fail" in STACK.proxy_log(), "the warning")
        self.works()
        STACK.stop_proxy()
        self.assert_refused(STACK.serve(), "has not approved")
        add_approval()
        STACK.start_proxy()
        self.works()
        STACK.stop_proxy()
        STACK.write("policy.json", POLICY)  # the first approval still stands
        STACK.start_proxy()
        self.works()

    def test_4_a_withdrawal_renews_the_key_and_the_former_one_is_never_released_again(self):
        STACK.add_user("visitor")
        kept = (STACK.dir / "store" / "seal.tpm").read_bytes()
        STACK.withdraw_user("visitor")
        STACK.restart_proxy()  # renews at once; while it runs, twice a minute
        wait_until(lambda: (STACK.dir / "store" / "seal.tpm").read_bytes() != kept, "the key to be renewed")
        STACK.stop_proxy()
        renewed = (STACK.dir / "store" / "seal.tpm").read_bytes()
        (STACK.dir / "store" / "seal.tpm").write_bytes(kept)
        self.assert_refused(STACK.serve(), "older than the last renewal")
        (STACK.dir / "store" / "seal.tpm").write_bytes(renewed)
        STACK.start_proxy()
        self.works()

    def test_4b_T9_shares_are_renewed_only_once_the_tpm_has_answered(self):
        keys = STACK.write("keys", done_well(tool("attest")))
        renew = "renew-shares", "--out", STACK.dir / "renewed", "--apply", STACK.url()
        unknown = STACK.tenant_tool("attest", "ask", keys)
        self.assertEqual(unknown.returncode, 2, unknown.stderr)
        fingerprint = re.search(r"the file says '([0-9a-f ]+)'", unknown.stderr)[1]
        self.assertEqual(STACK.tenant_tool("attest", "ask", keys, "--endorsement", "00" * 32).returncode, 1)
        question = done_well(STACK.tenant_tool("attest", "ask", keys, "--endorsement", fingerprint))
        refused = STACK.tenant_tool(*renew)
        self.assertEqual(refused.returncode, 1, refused.stderr)
        self.assertIn("no evidence was believed", refused.stderr)

        evidence = done_well(tool("attest", "--challenge", STACK.write("challenge", question)))
        for line in ("binary: ", "quote: ", "signature: "):
            at = evidence.index(line) + len(line)
            forged = f"{evidence[:at]}{int(evidence[at], 16) ^ 1:x}{evidence[at + 1:]}"
            done = STACK.tenant_tool("attest", "verify", STACK.write("forged", forged))
            self.assertEqual((done.returncode, done.stdout), (1, ""), done.stderr)
        self.assertIn("attested", done_well(STACK.tenant_tool("attest", "verify", STACK.write("evidence", evidence))))
        again = STACK.tenant_tool("attest", "verify", STACK.dir / "evidence")
        self.assertIn("no question waits", again.stderr)
        done_well(STACK.tenant_tool(*renew))

    def test_5_a_missing_tpm_is_said(self):
        STACK.stop_proxy()
        TPM.stop()
        self.assert_refused(STACK.serve(), "there is no TPM at")
        self.assert_refused(tool("measure"), "there is no TPM at")
        TPM.start()
        STACK.start_proxy()
        STACK.add_user("guest")
        TPM.stop()
        STACK.withdraw_user("guest")
        wait_until(lambda: "share store: the store key could not be renewed" in STACK.proxy_log(), "the trouble")
        self.works()
        TPM.start()
        STACK.restart_proxy()
        self.works()


if __name__ == "__main__":
    os.umask(0o077)
    unittest.main(verbosity=2)
