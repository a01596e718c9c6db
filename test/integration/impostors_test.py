"""Who bootstraps in another's place: a one-time password is for the first tenant only, and a proxy that is not the one
ordered gets nothing, at every step where the tenant's program can be killed."""

import shutil
import time
import unittest

import crash_test as crash
from stack import StackError, run, succeeded


def setUpModule():
    crash.setUpModule()


def tearDownModule():
    crash.tearDownModule()


class OneTimePassword(crash.Swept):
    def test_it_is_for_the_first_tenant_only_even_half_way(self):
        """Whoever says hello first has the proxy; who steals the password later, at any step, gets nothing."""
        proxy = self.proxy("otp_half")
        proxy.keep("ordered")
        proxy.start()
        thief = proxy.dir / "thief"
        took, step = [], 1
        while self.kill_at(proxy, "tenant", step, proxy.bootstrap):
            stolen = proxy.bootstrap(home=thief)
            took.append(stolen.returncode == 0)
            if not took[-1]:
                self.assertRegex(stolen.stderr, "spent by the tenant keys|closed")
                self.assertFalse(thief.exists())
                done = proxy.bootstrap()
                self.assertTrue(done.returncode == 0 or "bootstrapped already" in done.stderr, done.stderr)
            shutil.rmtree(thief, ignore_errors=True)
            proxy.stop()
            proxy.put_back("ordered")
            proxy.start()
            step += 1
        self.assertGreater(took.count(False), crash.FEWEST)
        self.assertEqual(took, sorted(took, reverse=True))  # never again after the first refusal

    def test_P5_afterwards_the_interface_is_closed(self):
        proxy = self.proxy("otp_closed")
        proxy.start()
        succeeded(proxy.bootstrap())
        thief = proxy.dir / "thief"
        stolen = proxy.bootstrap(home=thief)
        self.assertNotEqual(stolen.returncode, 0)
        self.assertFalse(thief.exists())
        succeeded(proxy.user("add", "nurse"))
        closed = proxy.bootstrap(home=thief)
        self.assertIn("closed", closed.stderr)
        self.assertFalse(thief.exists())
        self.assertTrue(crash.opens(proxy, "nurse"))

    def test_wrong_ones_are_slowed_down_and_lock_nobody_out(self):
        proxy = self.proxy("otp_wrong")
        proxy.start()
        wrong = crash.STACK.write("otp_wrong/wrong", "AAAAA-AAAAA-AAAAA-AAAAA-AAAAAA\n")
        started = time.monotonic()
        for _ in range(3):
            self.assertIn("password", proxy.bootstrap(otp_file=wrong).stderr)
            self.assertFalse(proxy.home.exists())
        self.assertGreater(time.monotonic() - started, 0.5 + 1 + 2)
        succeeded(proxy.bootstrap())


class Impostors(crash.Swept):
    def test_P12_a_proxy_with_a_foreign_certificate_gets_nothing(self):
        proxy = self.proxy("foreign_certificate")
        proxy.start()
        key, certificate = proxy.dir / "ca.key", proxy.dir / "ca.crt"
        succeeded(run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                       "-keyout", key, "-out", certificate, "-subj", "/CN=other", "-days", "2"]))
        certificate.chmod(0o644)
        refused = proxy.bootstrap(ca=certificate)
        self.assertIn("certificate", refused.stderr)
        self.assertFalse(proxy.home.exists())
        succeeded(proxy.bootstrap())  # the password was not spent

    def test_a_proxy_that_does_not_know_the_password_gets_nothing(self):
        right, impostor = self.proxy("right"), self.proxy("impostor")
        impostor.start()
        refused = right.bootstrap(port=impostor.port)
        self.assertNotEqual(refused.returncode, 0)
        self.assertFalse(right.home.exists())
        right.start()
        succeeded(right.bootstrap())

    def test_another_identity_half_way_gets_nothing(self):
        """Ordered anew under the same name and certificate: who has verified an offer goes on with its identity only."""
        proxy = self.proxy("identity")
        proxy.start()
        refused = 0
        step = 1
        while self.kill_at(proxy, "tenant", step, proxy.bootstrap):
            proxy.keep("half")
            proxy.stop()
            try:
                proxy.order("--again")
            except StackError as closed:
                self.assertIn("belongs to a tenant already", str(closed))
                break
            proxy.start()
            again = proxy.bootstrap()
            if again.returncode != 0:
                refused += 1
                self.assertRegex(again.stderr, "does not verify|does not follow|identity")
            proxy.stop()
            for folder in (proxy.home, proxy.dir / "store"):
                shutil.rmtree(folder, ignore_errors=True)
            proxy.order()
            proxy.start()
            step += 1
        self.assertGreater(refused, 0)

if __name__ == "__main__":
    unittest.main()
