"""The wall between two tenants: what scripts/tenants starts side by side, and everything of one tried at the other."""

import os
import shutil
import tempfile
import unittest

import psycopg

from stack import ROOT, Stack, StackError, run

TENANTS = ROOT / "scripts" / "tenants"
READ = "SELECT label FROM pgveil_keys"


def setUpModule():
    global ACME, GLOBEX
    folder = tempfile.mkdtemp(prefix="pgveil-tenants.")
    unittest.addModuleCleanup(shutil.rmtree, folder, ignore_errors=True)
    unittest.addModuleCleanup(run, [TENANTS, "--stop", "--dir", folder])
    programs = os.environ.get("PGVEIL_TEST_PG_BIN")
    done = run([TENANTS, "--keep", "--dir", folder, *(["--pg-bin", programs] if programs else [])], timeout=300)
    if done.returncode != 0:
        raise StackError(done.stdout + done.stderr)
    ACME, GLOBEX = Stack(f"{folder}/acme"), Stack(f"{folder}/globex")


def labels(stack, options):
    with stack.connect(options) as connection:
        return connection.execute(READ).fetchall()


def key(stack, verb, *arguments):
    return run([*stack.as_owner(), stack.dir / "bin" / "pgveil-tenant", "key", verb, *arguments, "--home",
                stack.dir / "tenant", "--passphrase-file", stack.dir / "secrets" / "tenant.passphrase", "--dictionary",
                stack.url()], env={**os.environ, "PGOPTIONS": stack.options()})


class Wall(unittest.TestCase):
    """Each refusal has its control: the same thing where it belongs."""

    def test_T12_shares_open_nothing_at_another_tenants_proxy(self):
        self.assertEqual(labels(GLOBEX, GLOBEX.options()), [("invoices",)])
        with self.assertRaises(psycopg.Error):
            labels(GLOBEX, ACME.options())

    def test_T12_no_token_is_made_for_another_tenants_proxy(self):
        arguments = ["--key", ACME.dir / "users" / "nurse.user", "--passphrase-file",
                     ACME.dir / "secrets" / "nurse.passphrase"]
        tool = [*ACME.as_owner(), ACME.dir / "bin" / "pgveil-user", "token", *arguments, "--from"]
        self.assertEqual(run([*tool, ACME.url()]).returncode, 0)
        refused = run([*tool, GLOBEX.url()])
        self.assertEqual((refused.returncode, refused.stdout), (1, ""))
        self.assertIn("not that of the proxy this key file knows", refused.stderr)

    def test_T12_a_key_of_one_tpm_is_used_by_no_other(self):
        message = ACME.write("message", "an invoice")
        place = {stack: f"swtpm:path={stack.dir}/tpm/socket" for stack in (ACME, GLOBEX)}
        self.assertEqual(key(ACME, "sign", "invoices", message, "--tpm", place[ACME]).returncode, 0)
        refused = key(ACME, "sign", "invoices", message, "--tpm", place[GLOBEX])
        self.assertEqual((refused.returncode, refused.stdout), (1, ""))
        self.assertIn("another TPM", refused.stderr)

    def test_T12_rows_of_one_dictionary_are_nothing_in_another(self):
        row = ACME.superuser("SELECT id, label::bytea, owner::bytea, expires::bytea, record::bytea, object::bytea"
                             " FROM public.pgveil_keys", "clinic")[0]
        with GLOBEX.direct("postgres", "clinic") as direct:
            direct.execute("CREATE TABLE public.kept AS SELECT * FROM public.pgveil_keys")
            direct.execute("TRUNCATE public.pgveil_keys")
            direct.execute("INSERT INTO public.pgveil_keys SELECT %s, %s::bytea::pgveil.ciphertext,"
                           " %s::bytea::pgveil.ciphertext, %s::bytea::pgveil.ciphertext, %s::bytea::pgveil.ciphertext,"
                           " %s::bytea::pgveil.ciphertext", row)
            try:
                with self.assertRaises(psycopg.Error):
                    labels(GLOBEX, GLOBEX.options())
                self.assertEqual(key(GLOBEX, "list").returncode, 1)
            finally:
                direct.execute("TRUNCATE public.pgveil_keys")
                direct.execute("INSERT INTO public.pgveil_keys SELECT * FROM public.kept")
        self.assertEqual(key(GLOBEX, "list").returncode, 0)

    def test_T12_a_store_opens_under_its_own_seal_only(self):
        GLOBEX.stop_proxy()
        store = GLOBEX.dir / "store" / "shares.sqlite"
        own, others = store.read_bytes(), (ACME.dir / "store" / "shares.sqlite").read_bytes()
        logs = {path: path.read_bytes() for path in store.parent.glob("shares.sqlite-*")}
        for path in logs:
            path.unlink()
        store.write_bytes(others)
        refused = GLOBEX.serve()
        self.assertIsNotNone(refused, "it runs with another tenant's store")
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("share store", refused.stderr)
        for path in store.parent.glob("shares.sqlite-*"):
            path.unlink()
        store.write_bytes(own)
        for path, content in logs.items():
            path.write_bytes(content)
        GLOBEX.start_proxy()
        self.assertEqual(labels(GLOBEX, GLOBEX.options(valid_s=599)), [("invoices",)])


if __name__ == "__main__":
    os.umask(0o077)
    unittest.main(verbosity=2)
