"""Keys that TPMs make for customers: ordered, found, certified, used, moved and ended, in a dictionary behind pgveil."""

import functools
import os
import re
import unittest

from stack import ROOT, Stack, psql, run, succeeded
from swtpm import Swtpm

EXAMPLES = ROOT / "config" / "examples"
LABEL = "key of the invoices"
OWNER = "Billing GmbH"
FOR_A_YEAR = "--until", "2999-12-31", "--purpose", "signs invoices"


def setUpModule():
    global STACK, HERE, THERE
    STACK = Stack.start(EXAMPLES / "key_dictionary.json")
    STACK.never_logged = (LABEL, OWNER)
    unittest.addModuleCleanup(STACK.stop)
    succeeded(psql(STACK.url(), "-q", "-v", "ON_ERROR_STOP=1", "-f", EXAMPLES / "key_dictionary.sql",
                   options=STACK.options()))
    for home in ("customers", "authority"):
        succeeded(tenant("init", "--tenant", home, "--test-scrypt-log2-n", "10", home=home))
    HERE, THERE = Swtpm(STACK, "here"), Swtpm(STACK, "there")
    for tpm in (HERE, THERE):
        tpm.start()
        unittest.addModuleCleanup(tpm.stop)


def tenant(*arguments, home="customers", options=""):
    """pgveil-tenant in a home of its own: one that opens quickly."""
    return run([*STACK.as_owner(), STACK.dir / "bin" / "pgveil-tenant", *arguments, "--home", STACK.dir / home,
                "--passphrase-file", STACK.dir / "secrets" / "tenant.passphrase"],
               env={**os.environ, "PGOPTIONS": options})


def key(verb, *arguments, home="customers"):
    """With the shares of a user, as `pgveil-user exec` gives them."""
    if verb not in ("target", "allow", "verify"):
        arguments = *arguments, "--dictionary", STACK.url()
    return tenant("key", verb, *arguments, home=home, options=STACK.options())


def order(label, *arguments, owner=OWNER):
    return key("order", label, "--owner", owner, "--tpm", HERE.place, *FOR_A_YEAR, *arguments)


@functools.cache
def target(tpm):
    """A file with its text, and the fingerprint of its attestation key."""
    done = key("target", "--tpm", tpm.place)
    return STACK.write(f"target-{tpm.folder.name}", succeeded(done)), re.search(r"attestation key of this TPM: ([0-9a-f ]+)", done.stderr)[1]


class KeysOfCustomers(unittest.TestCase):
    def refused(self, done, *words):
        self.assertIn(done.returncode, (1, 2), done.stdout + done.stderr)
        self.assertEqual(done.stdout, "")
        for word in words:
            self.assertIn(word, done.stderr)

    def rows(self):
        return STACK.superuser("SELECT * FROM public.pgveil_keys", "clinic")

    def setUp(self):
        self.addCleanup(STACK.superuser, "TRUNCATE public.pgveil_keys", "clinic")
        (STACK.dir / "customers" / "keys").unlink(missing_ok=True)
        self.message = STACK.write("message", "an invoice")

    def test_T2_T10_a_key_is_ordered_found_and_used_and_the_database_reads_nothing(self):
        point = succeeded(order(LABEL))
        succeeded(order("another", owner="somebody else"))
        self.refused(order(LABEL), "another label")
        listed = succeeded(key("list", "--owner", OWNER)).splitlines()
        self.assertEqual([line.split("\t")[:4] for line in listed], [[LABEL, "NMK", "signing", "active"]])
        self.assertEqual(len(succeeded(key("list", "--expiring-before", "3000-01-01")).splitlines()), 2)
        self.assertEqual(succeeded(key("list", "--expiring-before", "2999-12-31")), "")
        shown = succeeded(key("show", LABEL))
        for words in (f"owner: {OWNER}", "purpose: signs invoices", "ECDSA P-256", "TPM2_Create", point.strip()):
            self.assertIn(words, shown)
        self.assertGreater(len(succeeded(key("sign", LABEL, self.message, "--tpm", HERE.place))), 80)
        stored = repr(self.rows())
        for secret in (LABEL, OWNER, "signs invoices"):
            self.assertNotIn(secret, stored)
        # The control: a session without shares gets no further than that.
        self.refused(tenant("key", "list", "--dictionary", STACK.url()))

    def test_T2_what_is_encrypted_to_a_key_opens_in_its_tpm_only_and_after_its_end_too(self):
        kept = "a passphrase of the payroll"
        secret = STACK.write("payroll", kept)
        succeeded(order(LABEL, "--use", "encryption", "--kind", "mk"))
        succeeded(order("another", "--use", "encryption"))
        succeeded(order("signing"))
        text = succeeded(key("encrypt", LABEL, secret))
        self.assertNotIn(kept.encode().hex(), text)
        message = STACK.write("message.key", text)
        opening = "decrypt", LABEL, message, "--tpm", HERE.place
        self.assertEqual(succeeded(key(*opening)), kept)
        self.refused(key("decrypt", "another", message, "--tpm", HERE.place), "encrypted to another key")
        self.refused(key("decrypt", LABEL, message, "--tpm", THERE.place))
        self.refused(key("decrypt", LABEL, STACK.write("altered", text[:-3] + ("00\n" if text[-3:] != "00\n" else "11\n")),
                         "--tpm", HERE.place), "does not open")
        self.refused(key("encrypt", "signing", secret), "is for signing")
        succeeded(key("revoke", LABEL, "--reason", "over"))
        self.refused(key("encrypt", LABEL, secret), "not used for anything new")
        self.assertEqual(succeeded(key(*opening)), kept)
        succeeded(key("destroy", LABEL, "--reason", "done"))
        self.refused(key(*opening), "nothing of key")

    def test_T3_an_nmk_is_not_exported(self):
        succeeded(order(LABEL))
        text, name = target(THERE)
        self.refused(key("export", LABEL, "--tpm", HERE.place, "--to", text, "--attestation", name), "never lets it go")

    def test_T4_an_mk_moves_to_the_tpm_that_was_named(self):
        succeeded(order(LABEL, "--kind", "mk"))
        text, name = target(THERE)
        export = "export", LABEL, "--tpm", HERE.place, "--to", text, "--attestation"
        self.refused(key(*export, "00" * 32), "another TPM")
        moving = STACK.write("moving", succeeded(key(*export, name)))
        self.refused(key("import", moving, "--tpm", HERE.place), "for another TPM")
        succeeded(key("import", moving, "--tpm", THERE.place))
        succeeded(key("sign", LABEL, self.message, "--tpm", THERE.place))
        self.assertIn(f"held by: the TPM with attestation key {name}", succeeded(key("show", LABEL)))

    def test_T5_a_cmk_moves_by_leave_of_its_authority_only(self):
        authority = succeeded(tenant("approver", home="authority")).strip()
        self.refused(order(LABEL, "--kind", "cmk"), "--authority")
        succeeded(order(LABEL, "--kind", "cmk", "--authority", authority))
        text, name = target(THERE)
        export = "export", LABEL, "--tpm", HERE.place, "--to", text, "--attestation", name
        self.refused(key(*export), "by leave of its authority only")
        wrong = succeeded(key("allow", text, "--attestation", name, "--tenant", "customers"))
        self.refused(key(*export, "--permit", STACK.write("permit", wrong)), "has not allowed this target")
        leave = succeeded(key("allow", text, "--attestation", name, "--tenant", "customers", home="authority"))
        moving = succeeded(key(*export, "--permit", STACK.write("permit", leave)))
        succeeded(key("import", STACK.write("moving", moving), "--tpm", THERE.place))
        succeeded(key("sign", LABEL, self.message, "--tpm", THERE.place))

    def test_T6_a_certificate_shows_the_key_and_who_controls_it(self):
        succeeded(order(LABEL))
        nonce = "ab" * 32
        text = succeeded(key("certify", LABEL, "--tpm", HERE.place, "--nonce", nonce))
        _, name = target(HERE)
        self.assertIn("certified: NMK", succeeded(
            key("verify", STACK.write("certificate", text), "--nonce", nonce, "--attestation", name)))
        self.refused(key("verify", STACK.dir / "certificate", "--nonce", "cd" * 32, "--attestation", name), "nonce")
        _, other = target(THERE)
        self.refused(key("verify", STACK.dir / "certificate", "--attestation", other), "another TPM")
        forged = text.replace("statement: ff", "statement: fe")
        self.assertNotEqual(forged, text)
        self.refused(key("verify", STACK.write("forged", forged), "--attestation", name), "signature")

    def test_T7_a_tpm_is_pinned_by_the_certificate_of_a_maker_that_is_named(self):
        folder = STACK.dir / "makers"
        folder.mkdir()
        (folder / "ek.ext").write_text("extendedKeyUsage=2.23.133.8.1\n")

        def openssl(command):
            succeeded(run(["openssl", *command.split()], cwd=folder))

        for name in ("maker", "another"):
            openssl(f"req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN={name}"
                    f" -keyout {name}.key -out {name}.pem")
        openssl("req -newkey rsa:2048 -nodes -subj /CN=tpm -keyout ek.key -out ek.csr")
        openssl("x509 -req -in ek.csr -CA maker.pem -CAkey maker.key -CAcreateserial -days 30 -extfile ek.ext -outform DER"
                " -out ek.der")
        point = succeeded(tenant("approver", home="authority")).strip()
        text = f"pgveil-tpm: 1\nendorsement: {point}\nattestation: {point}\n"
        certified = text + f"certificate: {(folder / 'ek.der').read_bytes().hex()}\n"
        roots = {name: STACK.write(f"{name}.pem", (folder / f"{name}.pem").read_text()) for name in ("maker", "another")}
        keys = STACK.write("tpm-keys", certified)
        ask = "attest", "ask", keys, "--identity", "00" * 32
        self.refused(tenant(*ask, "--ek-roots", roots["another"], home="authority"), "not of one of the trusted makers")
        challenge = succeeded(tenant(*ask, "--ek-roots", roots["maker"], home="authority"))
        self.assertEqual(len(re.search(r"^seed: ([0-9a-f]+)$", challenge, re.M)[1]), 512)  # for the RSA key
        self.refused(tenant(*ask, home="authority"), "was asked before, and has not answered")
        STACK.write("tpm-keys", text)
        self.refused(tenant(*ask, "--ek-roots", roots["maker"], home="authority"), "no certificate")

    def test_T11_a_key_goes_through_its_states_and_never_back_from_its_end(self):
        succeeded(order(LABEL))
        sign = "sign", LABEL, self.message, "--tpm", HERE.place
        succeeded(key("suspend", LABEL, "--reason", "audit"))
        self.refused(key(*sign), "is suspended")
        self.assertIn("version 2", succeeded(key("show", LABEL)))
        succeeded(key("resume", LABEL))
        succeeded(key(*sign))
        succeeded(key("revoke", LABEL, "--compromised"))
        self.refused(key(*sign), "is compromised")
        self.refused(key("resume", LABEL), "does not become active")
        succeeded(key("destroy", LABEL))
        self.assertEqual(STACK.superuser("SELECT object FROM public.pgveil_keys", "clinic"), [(None,)])
        self.assertIn("destroyed", succeeded(key("list")))
        self.refused(key("certify", LABEL, "--tpm", HERE.place), "nothing of key")

    def test_T10_old_rows_that_are_back_and_rows_that_are_gone_are_noticed(self):
        succeeded(order(LABEL))
        STACK.superuser("CREATE TABLE public.kept AS SELECT * FROM public.pgveil_keys", "clinic")
        self.addCleanup(STACK.superuser, "DROP TABLE public.kept", "clinic")
        succeeded(key("suspend", LABEL))
        STACK.superuser("TRUNCATE public.pgveil_keys; INSERT INTO public.pgveil_keys SELECT * FROM public.kept", "clinic")
        sign = "sign", LABEL, self.message, "--tpm", HERE.place
        self.refused(key(*sign), "put old rows back")
        self.refused(key("list"), "put old rows back")
        STACK.superuser("TRUNCATE public.pgveil_keys", "clinic")
        self.refused(key("list"), "were there before", LABEL)
        self.refused(key(*sign), "somebody took it away")


if __name__ == "__main__":
    os.umask(0o077)
    unittest.main(verbosity=2)
