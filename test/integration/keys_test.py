"""The life of keys through the real programs: change-key, copy, the chain of commands, token keys by epoch."""

import re
import shutil
import time
import unittest

import psycopg

from fresh_proxy import FreshProxy
from stack import CLINIC, Stack, psql, succeeded, wait_until

READ = "SELECT name FROM patients WHERE ssn = 'x'"
EPOCH_S, VALIDITY_S = 10, 4


def setUpModule():
    global STACK, PROXY
    STACK = Stack.start()
    succeeded(psql(STACK.url(), "-q", "-f", CLINIC / "schema.sql", options=STACK.options()))
    PROXY = FreshProxy(STACK, "keys")
    PROXY.order()
    PROXY.start()
    succeeded(PROXY.bootstrap())


def tearDownModule():
    PROXY.stop()
    STACK.stop()


def reason(options, proxy=None):
    """Why a protected statement is refused with 28000; '' if it works."""
    try:
        with (proxy or PROXY).connect(options) as connection:
            connection.execute(READ)
            return ""
    except psycopg.errors.InvalidAuthorizationSpecification as refused:
        return str(refused)


def mixed(user_from, app_from):
    """The token of one set of options with the app share of another."""
    return re.sub(r"pgveil\.app_share=\S+", re.search(r"pgveil\.app_share=\S+", app_from).group(0), user_from)


def call(sql, arguments=()):
    """One row, one cell, through the proxy without shares; or the psycopg error."""
    with PROXY.connect("") as connection:
        try:
            return connection.execute(sql, arguments).fetchone()[0]
        except psycopg.Error as error:
            return error


def commands_in(directory, name):
    """The commands of NNNN-name.sql."""
    (path,) = sorted(directory.glob(f"*-{name}.sql"))[-1:]
    return re.search(r"'([^']*)'\);\n$", path.read_text()).group(1)


class ChangeKey(unittest.TestCase):
    def test_the_old_triple_is_refused_at_once_and_named(self):
        succeeded(PROXY.user("add", "nora"))
        old = PROXY.options("nora")
        with PROXY.connect(old) as open_session:
            open_session.execute(READ)
            new_files = PROXY.dir / "changed"
            succeeded(PROXY.user("change-key", "nora", out=new_files))
            new = PROXY.options("nora", folder=new_files)
            self.assertEqual(reason(new), "")
            with self.assertRaises(psycopg.errors.InvalidAuthorizationSpecification):
                open_session.execute(READ)
        self.assertIn("user's share is stale", reason(old))
        self.assertIn("user's share is stale", reason(mixed(old, new)))
        self.assertIn("application share is stale", reason(mixed(new, old)))
        self.assertIn("share epoch 1, in force 2", reason(old))
        PROXY.stop()
        PROXY.start()
        self.assertIn("stale", reason(old))
        self.assertEqual(reason(PROXY.options("nora", folder=new_files)), "")

    def test_change_key_as_sql_returns_a_receipt_that_the_tenant_files(self):
        succeeded(PROXY.user("add", "olga"))
        files = PROXY.dir / "by-sql"
        succeeded(PROXY.user("change-key", "olga", out=files, apply=False))
        command = commands_in(files, "change_key")
        app_share = (files / "olga.app").read_text().strip()
        receipt = call("SELECT pgveil.change_key(%s, %s, %s)", ("olga", app_share, command))
        STACK.write("keys/receipt", receipt + "\n")
        self.assertIn("was applied", PROXY.tenant("receipt", PROXY.dir / "receipt").stderr)
        self.assertIn("olga\tactive\tepoch 2", PROXY.tenant("user", "list").stdout)
        self.assertEqual(reason(PROXY.options("olga", folder=files)), "")

    def test_P9_a_copy_is_the_same_share_and_needs_no_command(self):
        succeeded(PROXY.user("add", "pia"))
        copies = PROXY.dir / "copies"
        succeeded(PROXY.user("copy", "pia", out=copies))
        self.assertEqual(PROXY.tenant("pending").stdout, "")
        (copies / "pia.app").write_text((PROXY.users / "pia.app").read_text())
        (copies / "pia.app").chmod(0o600)
        STACK.write("keys/copies/pia.app", (PROXY.users / "pia.app").read_text())
        self.assertEqual(reason(PROXY.options("pia", folder=copies)), "")


class RenewShares(unittest.TestCase):
    def setUp(self):
        self.out = PROXY.dir / self.id().rsplit(".", 1)[-1]

    def test_old_shares_work_until_the_new_ones_do_and_tokens_stay_good(self):
        for name in ("rosa", "sara"):
            succeeded(PROXY.user("add", name))
        old = PROXY.options("rosa")
        with PROXY.connect(old) as open_session:
            open_session.execute(READ)
            succeeded(PROXY.renew_shares(self.out))
            self.assertEqual(reason(PROXY.options("rosa")), "")
            open_session.execute(READ)
            PROXY.stop()
            PROXY.start()
        new = mixed(old, PROXY.options("rosa", apps=self.out))
        self.assertEqual(reason(old), "")
        self.assertEqual(reason(new), "")  # the token that was made before
        self.assertIn("application share is stale", reason(PROXY.options("rosa")))
        self.assertIn("share epoch 1, in force 2", reason(PROXY.options("rosa")))
        self.assertEqual(reason(PROXY.options("sara")), "")  # not used yet: both are good
        self.assertIn("rosa\tactive\tepoch 1", PROXY.tenant("user", "list").stdout)

    def test_a_stolen_table_or_a_stolen_store_is_worthless_and_both_are_not(self):
        succeeded(PROXY.user("add", "tina"))
        table = PROXY.options("tina", valid_s=600)  # holds the app share that was stolen
        PROXY.stop()
        PROXY.keep("stolen")
        PROXY.start()
        succeeded(PROXY.renew_shares(self.out))
        present = PROXY.options("tina", apps=self.out, valid_s=600)
        self.assertEqual(reason(present), "")
        self.assertIn("application share is stale", reason(table))
        PROXY.stop()
        PROXY.keep("now")
        PROXY.put_back("stolen")
        PROXY.start()
        self.assertIn("application share is newer", reason(present))
        self.assertEqual(reason(table), "")  # both taken
        PROXY.stop()
        PROXY.put_back("now")
        PROXY.start()
        self.assertEqual(reason(present), "")

    def test_P11_the_calls_can_be_sent_later_and_by_anybody(self):
        succeeded(PROXY.user("add", "uma"))
        succeeded(PROXY.renew_shares(self.out, apply=False))
        self.assertIn("uma\tactive, renew-shares pending", PROXY.tenant("user", "list").stdout)
        self.assertIn("newer than this proxy knows", reason(PROXY.options("uma", apps=self.out)))
        (calls,) = self.out.glob("*-renew_shares.sql")
        receipts = call(calls.read_text())
        STACK.write("keys/receipt", receipts + "\n")
        succeeded(PROXY.tenant("receipt", PROXY.dir / "receipt"))
        self.assertEqual(PROXY.tenant("pending").stdout, "")
        self.assertEqual(reason(PROXY.options("uma", apps=self.out)), "")


class RenewTk(unittest.TestCase):
    """Of everybody who is there, so the proxy is one of its own."""

    def setUp(self):
        self.proxy = FreshProxy(STACK, "renewed_tk")
        self.proxy.order()
        self.proxy.start()
        self.addCleanup(self.proxy.stop)
        succeeded(self.proxy.bootstrap())
        succeeded(self.proxy.user("add", "vera"))
        succeeded(self.proxy.user("add", "wilma"))

    def row(self, options):
        with self.proxy.connect(options) as connection:
            return connection.execute("SELECT name FROM patients WHERE ssn = 'renewed'").fetchone()

    def keyring(self):
        return STACK.superuser("SELECT key_id, version, entry FROM pgveil.keyring", "home_renewed_tk")

    def test_P9_all_change_over_at_once_and_what_was_sealed_before_is_read(self):
        old, out = self.proxy.options("vera"), self.proxy.dir / "new"
        with self.proxy.connect(old) as connection:
            connection.execute("DELETE FROM patients")
            connection.execute("INSERT INTO patients (id, name, ssn) VALUES (-9, 'Vera', 'renewed')")
            self.addCleanup(STACK.superuser, "DELETE FROM patients WHERE id = -9", "clinic")
            before = self.keyring()
            succeeded(self.proxy.renew_tk(out, apply=False))
            self.assertEqual(self.row(old), ("Vera",))
            succeeded(self.proxy.tenant("pending", "--apply", self.proxy.url()))
            with self.assertRaises(psycopg.errors.InvalidAuthorizationSpecification):
                connection.execute(READ)
        new = self.proxy.options("vera", apps=out)
        wait_until(lambda: reason(new, self.proxy) == "", "the keyring to be in the home database")
        self.assertEqual(self.row(new), ("Vera",))
        self.assertIn("application share is stale", reason(old, self.proxy))
        self.assertIn("application share is stale", reason(self.proxy.options("wilma"), self.proxy))
        self.assertEqual(reason(self.proxy.options("wilma", apps=out), self.proxy), "")
        self.assertIn("vera\tactive\tepoch 1", self.proxy.tenant("user", "list").stdout)
        self.assertNotIn("somebody changed pgveil.keyring", (self.proxy.dir / "log").read_text())
        self.put_back(before, new)

    def put_back(self, before, new):
        """The old keyring in the home database is written over, and nothing is read by it."""
        after = self.keyring()
        self.assertEqual([(row[0], int(row[1]) + 1) for row in before], [(row[0], int(row[1])) for row in after])
        for key_id, version, entry in before:
            STACK.superuser(f"UPDATE pgveil.keyring SET version = {version}, entry = '{entry}' WHERE key_id = {key_id}",
                            "home_renewed_tk")
        self.proxy.stop()
        self.proxy.start()
        wait_until(lambda: reason(new, self.proxy) == "", "the keyring to be in the home database")
        self.assertEqual([row[1] for row in self.keyring()], [row[1] for row in after])
        self.assertEqual(self.row(new), ("Vera",))


class Backup(unittest.TestCase):
    def setUp(self):
        self.files = PROXY.dir / self.id().rsplit(".", 1)[-1]
        self.home = self.files.with_suffix(".home")

    def copied(self):
        """A home restored from a backup of now."""
        succeeded(PROXY.tenant("backup", self.files, "--test-scrypt-log2-n", "4"))
        succeeded(PROXY.tenant("restore", self.files, "--test-scrypt-log2-n", "4", home=self.home))

    def test_a_restored_home_goes_on_once_the_proxy_says_that_it_lacks_nothing(self):
        self.copied()
        add = ("user", "add", "xenia", "--no-passphrase", "--out", self.files.with_suffix(".out"), "--apply", PROXY.url())
        self.assertIn("pgveil-tenant reconcile", PROXY.tenant(*add, home=self.home).stderr)
        succeeded(PROXY.tenant("reconcile", "--apply", PROXY.url(), home=self.home))
        succeeded(PROXY.tenant(*add, home=self.home))
        # Now it is the first home that lacks a command, and the proxy does not take its number twice.
        succeeded(PROXY.tenant("restore", self.files, "--test-scrypt-log2-n", "4", home=self.files.with_suffix(".older")))
        older = PROXY.tenant("reconcile", "--apply", PROXY.url(), home=self.files.with_suffix(".older"))
        self.assertIn("older than the proxy", older.stderr)
        shutil.rmtree(PROXY.home)
        self.home.rename(PROXY.home)
        succeeded(PROXY.user("add", "yara"))


class Chain(unittest.TestCase):
    """Lost, late, repeated, reordered and foreign commands, as the application could send them."""

    def setUp(self):
        self.out = PROXY.dir / self.id().rsplit(".", 1)[-1]

    def ordered(self, verb, name):
        """The newest command alone, ordered and not sent."""
        succeeded(PROXY.user(verb, name, out=self.out, apply=False))
        return commands_in(self.out, {"add": "add_user", "withdraw": "withdraw_user"}[verb]).split(",")[-1]

    def assert_refused(self, answer, sqlstate, words):
        self.assertIsInstance(answer, psycopg.Error)
        self.assertEqual(answer.sqlstate, sqlstate, answer)
        self.assertIn(words, str(answer))

    def settle(self):
        succeeded(PROXY.tenant("pending", "--apply", PROXY.url()))

    def test_a_gap_and_a_reordered_pair_name_what_is_missing(self):
        first, second = self.ordered("add", "anna"), self.ordered("add", "berta")
        self.assert_refused(call("SELECT pgveil.apply(%s)", (second,)), "55000", "came before its turn")
        self.assert_refused(call("SELECT pgveil.apply(%s)", (f"{second},{first}",)), "55000", "came before its turn")
        self.assertIn("not known", reason(PROXY.options("anna", folder=self.out)))
        both = call("SELECT pgveil.apply(%s)", (f"{first},{second}",))
        self.assertEqual(both.count(","), 1)
        self.assertEqual(call("SELECT pgveil.apply(%s)", (f"{first},{second}",)), both)  # the lost receipts again
        self.settle()

    def test_a_command_is_for_the_user_and_the_call_it_was_signed_for(self):
        command = self.ordered("add", "carla")
        for sql, words in (("SELECT pgveil.add_user('dora', NULL, %s)", 'signed for user "carla"'),
                           ("SELECT pgveil.change_key('carla', NULL, %s)", "signed as add_user"),
                           ("SELECT pgveil.withdraw_user('carla', %s)", "signed as add_user")):
            self.assert_refused(call(sql, (command,)), "22023", words)
        self.assertIn("not known", reason(PROXY.options("carla", folder=self.out)))
        self.settle()
        self.assertEqual(reason(PROXY.options("carla", folder=self.out)), "")

    def test_an_old_add_does_not_bring_a_withdrawn_user_back(self):
        command = self.ordered("add", "emma")
        self.settle()
        options = PROXY.options("emma", folder=self.out)
        self.assertEqual(reason(options), "")
        succeeded(PROXY.user("withdraw", "emma", out=self.out))
        call("SELECT pgveil.add_user('emma', NULL, %s)", (command,))
        self.assertIn("was withdrawn", reason(options))

    def test_altered_and_foreign_commands_change_nothing(self):
        command = self.ordered("add", "frida")
        head, body, signature = command.split(".")
        altered = f"{head}.{body[:40]}{'A' if body[40] != 'A' else 'B'}{body[41:]}.{signature}"
        self.assert_refused(call("SELECT pgveil.apply(%s)", (altered,)), "28000", "signature")
        (foreign,) = sorted((STACK.dir / "users").glob("*-add_user.sql"))[:1]
        theirs = re.search(r"'([^']*)'\);\n$", foreign.read_text()).group(1)
        self.assert_refused(call("SELECT pgveil.apply(%s)", (theirs,)), "28000", "another tenant")
        self.settle()

    def test_every_command_without_a_receipt_is_sent_again_oldest_first(self):
        self.ordered("add", "greta")
        self.ordered("add", "hanna")
        succeeded(PROXY.user("withdraw", "greta", out=self.out))
        self.assertEqual(PROXY.tenant("pending").stdout, "")
        self.assertIn("greta\twithdrawn", PROXY.tenant("user", "list").stdout)
        self.assertIn("hanna\tactive", PROXY.tenant("user", "list").stdout)


class TokenKeys(unittest.TestCase):
    def test_a_running_proxy_rolls_its_token_keys_and_refuses_recorded_tokens(self):
        proxy = FreshProxy(STACK, "epochs",
                           {"max_validity_s": VALIDITY_S, "clock_skew_s": 1, "key_epoch_s": EPOCH_S,
                            "grace_s": 0})
        proxy.order()
        proxy.start()
        self.addCleanup(proxy.stop)
        succeeded(proxy.bootstrap())
        succeeded(proxy.user("add", "nurse"))
        recorded = proxy.options("nurse", valid_s=VALIDITY_S)
        seal = (proxy.dir / "store" / "seal.key").read_bytes()
        self.assertEqual(reason(recorded, proxy), "")
        time.sleep(VALIDITY_S)
        self.assertIn("expired", reason(recorded, proxy))  # its key lives: it opens and says when
        wait_until(lambda: "destroyed" in reason(recorded, proxy), "the token key to be destroyed", 3 * EPOCH_S)
        wait_until(lambda: (proxy.dir / "store" / "seal.key").read_bytes() != seal, "the store key to be renewed")
        self.assertEqual(reason(proxy.options("nurse", valid_s=VALIDITY_S), proxy), "")
        self.assertEqual((proxy.dir / "log").read_text().count("error"), 0)


if __name__ == "__main__":
    unittest.main()
