"""The store key under a TPM (a real swtpm) and two of three custodians, who demand the TPM's evidence: neither opens it alone, a
changed policy opens nothing before it is approved, another TPM is not believed, and disk and TPM put back together open no more."""

import json
import os
import pathlib
import re
import secrets
import shutil
import subprocess
import time
import unittest

import clinic
import operation
from custodians import PROGRAM, Custodians, decoded, encoded
from partials import Question
from stack import Stack, StackError, run, wait_until
from swtpm import Swtpm

READ = "SELECT count(name) FROM patients"


def setUpModule():
    global STACK, TPM, CREW, SEAL, SETTINGS_POLICY
    STACK = Stack.start()
    unittest.addModuleCleanup(STACK.stop)
    clinic.Clinic(STACK)
    SETTINGS_POLICY = (STACK.dir / "policy.json").read_text()
    TPM = Swtpm(STACK).start()
    unittest.addModuleCleanup(lambda: TPM.stop())
    CREW = Custodians(3)
    unittest.addModuleCleanup(CREW.stop)
    SEAL = STACK.dir / "store" / "seal.both"
    move_to_both()


def done_well(done):
    if done.returncode != 0:
        raise StackError(done.stdout + done.stderr)
    return done.stdout


def tool(verb, *arguments):
    return run([*STACK.as_owner(), STACK.dir / "bin" / "pgveil", verb, "--config", STACK.settings, *arguments])


def seal_settings(tpm):
    return {"kind": "tpm+custodians", "path": str(SEAL), "custodians": {"file": "custodians.json", "group": "group.json"},
            "tpm": {"tcti": tpm.place, "approver": done_well(STACK.tenant_tool("approver")).strip()}}


def make_group():
    """A group that demands the evidence of this TPM, in a state that this tenant has approved."""
    key = re.search(r"^attestation: (\S+)$", done_well(tool("attest")), re.M)[1]
    settings = operation.settings_of(STACK)
    (CREW.folder / "policy.json").write_text(json.dumps({
        "requesters": {"clinic": {"purposes": ["unseal"], "per_minute": 10000}},
        "evidence": {"attestation_keys": [key], "approver": settings["seal"]["tpm"]["approver"], "tenant": settings["tenant"]}}))
    done_well(subprocess.run(
        [PROGRAM, "group", "create", "--custodians", CREW.asker_file("admin"), "--threshold", "2", "--policy",
         CREW.folder / "policy.json", "--out", CREW.folder / "group.json"],
        capture_output=True, text=True, check=False, timeout=120))
    STACK.write("group.json", (CREW.folder / "group.json").read_text())


def move_to_both():
    """As docs/OPERATIONS.md says it: a backup under the file seal comes back under TPM and custodians."""
    asker = json.loads(CREW.asker_file("clinic").read_text())
    for kind, path in asker["tls"].items():
        asker["tls"][kind] = str(STACK.write(f"custodians-{kind}.pem", pathlib.Path(path).read_text()))
    STACK.write("custodians.json", json.dumps(asker))
    backup = STACK.dir / "store" / "moved"
    arguments = "--store", f"{backup}.store", "--key", f"{backup}.key"
    STACK.stop_proxy()
    done_well(tool("backup", *arguments))
    operation.write_settings(STACK, seal=seal_settings(TPM))
    make_group()
    done_well(tool("restore", *arguments))
    (STACK.dir / "store" / "seal.key").unlink()


def add_approval():
    approvals = STACK.dir / "store" / "seal.both.approvals"
    before = approvals.read_text() if approvals.exists() else ""
    measured = STACK.write("measured", done_well(tool("measure")))
    STACK.write("store/seal.both.approvals", before + done_well(STACK.tenant_tool("approve", measured)))


def group_id():
    return json.loads((CREW.folder / "group.json").read_text())["id"]


def logged(at=0):
    return [line["result"] for line in CREW.must(at, "GET", "/v1/log?limit=1000")["entries"] if line["operation"] == "partial"]


def refused_last(count, at=0):
    """The proxy's own questions, as when it renews its key, come in between."""
    return [result for result in logged(at) if result != "answered"][-count:]


def power_cycles(count):
    for _ in range(count):
        TPM.start()
        TPM.stop()


class SealedByTpmAndCustodians(unittest.TestCase):
    def works(self):
        with STACK.connect(STACK.options("nurse")) as connection:
            self.assertGreater(connection.execute(READ).fetchone()[0], 0)

    def assert_refused(self, done, *words):
        self.assertIsNotNone(done, "it kept running")
        self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)

    def test_1_T8_nothing_opens_before_the_tenant_approves(self):
        self.assert_refused(STACK.serve(seconds=60), "has not approved", "pgveil measure", "pgveil-tenant approve")
        add_approval()
        STACK.start_proxy()
        self.works()
        self.assertRegex(STACK.proxy_log(), "the store key is sealed to the custodians of .* and by the TPM at swtpm:path=")
        self.assertIn("answered", sum((logged(at) for at in range(3)), []))

    def test_2_neither_the_tpm_nor_the_custodians_alone_open_it(self):
        STACK.stop_proxy()
        TPM.stop()
        self.assert_refused(STACK.serve(seconds=60), "there is no TPM at")
        TPM.start()
        for at in (0, 2):
            CREW.kill(at)
        self.assert_refused(STACK.serve(seconds=60), "only 1 of the 2 custodians",
                            f"{CREW.names[0]} (https://", f"{CREW.names[2]} (https://")
        CREW.start(0)
        STACK.start_proxy()  # one of three is down still
        self.works()
        CREW.start(2)

    def test_3_T8_a_changed_policy_opens_nothing_until_it_is_approved(self):
        STACK.write("policy.json", "// changed\n" + SETTINGS_POLICY)
        STACK.stop_proxy()
        self.assert_refused(STACK.serve(seconds=60), "has not approved")
        add_approval()
        STACK.start_proxy()
        self.works()
        STACK.stop_proxy()
        STACK.write("policy.json", SETTINGS_POLICY)  # the first approval still stands
        STACK.start_proxy()
        self.works()

    def test_3b_T8_a_changed_program_opens_nothing_until_it_is_approved(self):
        program = STACK.dir / "bin" / "pgveil"
        whole = program.with_name("pgveil-as-built")
        STACK.stop_proxy()
        program.rename(whole)
        self.addCleanup(lambda: whole.exists() and whole.rename(program))
        shutil.copy(whole, program)
        with program.open("ab") as file:
            file.write(b"\0")
        self.assert_refused(STACK.serve(seconds=60), "has not approved")
        add_approval()
        STACK.start_proxy()
        self.works()
        STACK.stop_proxy()
        whole.rename(program)
        STACK.start_proxy()
        self.works()

    def test_4_the_proxys_certificate_without_its_tpm_gets_nothing(self):
        path = f"/v1/groups/{group_id()}"
        self.assertEqual(CREW.must(0, "POST", f"{path}/nonce", {}, client="clinic")["evidence"], "required")
        asked = Question(decoded(group_id()), requester="clinic")
        request = encoded(asked.bytes)
        status, said = CREW.ask(0, "POST", f"{path}/partial", {"request": request}, client="clinic")
        self.assertEqual((status, said["error"]["code"]), (403, "evidence_missing"), said)
        self.assertEqual(refused_last(1), ["evidence_missing"])
        key = operation.settings_of(STACK)["seal"]["tpm"]["approver"]
        body = {"request": request, "evidence": {"nonce": encoded(secrets.token_bytes(32)), "attestation_key": key, "text": "x"}}
        status, said = CREW.ask(0, "POST", f"{path}/partial", body, client="clinic")
        self.assertEqual((status, said["error"]["code"]), (403, "evidence_nonce"), said)
        body["evidence"]["nonce"] = CREW.must(0, "POST", f"{path}/nonce", {}, client="clinic")["nonce"]
        status, said = CREW.ask(0, "POST", f"{path}/partial", body, client="clinic")
        self.assertEqual((status, said["error"]["code"]), (403, "evidence_tpm"), said)
        self.assertEqual(refused_last(2), ["evidence_nonce", "evidence_tpm"])
        self.assertEqual(CREW.ask(0, "POST", f"{path}/nonce", {}, client="stranger")[0], 403)
        # Nor does it raise the version of a store beyond the proxy's: test_6 sees that the proxy does.
        version = {"store": encoded(secrets.token_bytes(16)), "version": 2**53 - 1}
        status, said = CREW.ask(0, "POST", f"{path}/store-version", version, client="clinic")
        self.assertEqual((status, said["error"]["code"]), (403, "evidence_missing"), said)

    def test_5_another_tpm_is_not_believed(self):
        STACK.stop_proxy()
        settings = STACK.settings.read_text()
        other = Swtpm(STACK, "other").start()
        self.addCleanup(other.stop)
        operation.write_settings(STACK, seal=seal_settings(other))
        add_approval()  # the tenant errs: its approval is for any TPM
        self.assert_refused(STACK.serve(seconds=60), "is none that the group's policy names")
        self.assertIn("evidence_tpm", sum((refused_last(1, at) for at in range(3)), []))
        STACK.write("pgveil.json", settings)
        STACK.start_proxy()
        self.works()

    def test_6_T13_disk_and_tpm_that_were_put_back_together_open_no_more(self):
        STACK.stop_proxy()
        TPM.stop()
        kept = STACK.dir / "kept"
        for name in ("store", "tpm"):
            done_well(run(["cp", "-a", STACK.dir / name, f"{kept}-{name}"]))
        TPM.start()
        STACK.start_proxy()
        STACK.add_user("visitor")
        sealed = SEAL.read_bytes()
        STACK.withdraw_user("visitor")
        STACK.restart_proxy()
        wait_until(lambda: SEAL.read_bytes() != sealed, "the key to be renewed")
        wait_until(lambda: not SEAL.with_name(SEAL.name + ".unnoted").exists(), "the custodians to note it")
        self.works()
        STACK.stop_proxy()
        TPM.stop()
        for name in ("store", "tpm"):
            shutil.move(STACK.dir / name, f"{kept}-{name}-renewed")
            done_well(run(["cp", "-a", f"{kept}-{name}", STACK.dir / name]))
        power_cycles(4)  # so that the TPM's own count of them shows nothing
        TPM.start()
        began = time.monotonic()
        self.assert_refused(STACK.serve(seconds=60), "an older copy was put in its place")
        powered_s = time.monotonic() - began
        TPM.stop()
        for name in ("store", "tpm"):
            shutil.rmtree(STACK.dir / name)
            shutil.move(f"{kept}-{name}-renewed", STACK.dir / name)
        # Custodians may have answered the other one before the age of its store came out: then it was on less often, and less long.
        power_cycles(8)
        TPM.start()
        time.sleep(powered_s + 1)
        STACK.start_proxy()
        self.works()


if __name__ == "__main__":
    os.umask(0o077)
    unittest.main(verbosity=2)
