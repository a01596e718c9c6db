"""docker-compose.yml: two tenants and five custodians come up from its services as they stand, and the walls between them hold."""

import os
import sys
import unittest

from compose_services import Composed, configuration, missing

READ = "SELECT label FROM pgveil_keys"


def setUpModule():
    global COMPOSED
    COMPOSED = Composed()
    unittest.addModuleCleanup(COMPOSED.__exit__)
    COMPOSED.up()


def at_proxy(tenant, whose, *command):
    """In a container of `tenant`, with the shares of its user, a command at the proxy of `whose`."""
    url = f"postgresql://{whose}@pgveil-{whose}:6543/{whose}?sslmode=require"
    script = ('options=$(pgveil-user options --key users/keeper.user --app-share users/keeper.app --from "$0" --valid 60); '
              'PGOPTIONS=$options PGPASSWORD=$(cat app.password) "${@:2}" "$1"')
    own = f"postgresql://{tenant}@pgveil-{tenant}:6543/{tenant}?sslmode=verify-full&sslrootcert=ca.crt"
    return COMPOSED.run(f"tenant-{tenant}", "bash", "-c", "export PGPASSWORD=$(cat app.password); " + script, own, url, *command)


class Services(unittest.TestCase):
    def test_1_each_tenant_has_a_key_of_its_own_tpm_in_its_own_dictionary(self):
        for tenant in ("acme", "globex"):
            self.assertEqual(COMPOSED.ended(f"tenant-{tenant}"), 0, COMPOSED.log(f"tenant-{tenant}") + COMPOSED.log(f"pgveil-{tenant}"))
            self.assertRegex(COMPOSED.log(f"tenant-{tenant}"), "invoices.*active")

    def test_2_T12_the_shares_of_one_tenant_open_nothing_at_the_other(self):
        code, said = at_proxy("acme", "acme", "psql", "-XAtc", READ)
        self.assertEqual((code, said.split()), (0, ["invoices"]), said)
        code, said = at_proxy("acme", "globex", "psql", "-XAtc", READ)
        self.assertNotEqual(code, 0)
        self.assertIn("password authentication failed", said)

    def test_2b_T12_no_role_of_one_tenant_comes_into_the_databases_of_the_other(self):
        for database, goes in (("acme", True), ("globex", False), ("globex_home", False)):
            code, said = COMPOSED.run("tenant-acme", "sh", "-c", f'PGPASSWORD=$(cat app.password) psql -XAtc "SELECT 1" '
                                      f'"host=postgres user=acme dbname={database} sslmode=verify-full sslrootcert=ca.crt"')
            self.assertEqual(code == 0, goes, said)
            if not goes:
                self.assertIn("permission denied for database", said)

    def test_3_two_custodians_may_be_away_and_not_three(self):
        code, said = COMPOSED.run("status")
        self.assertEqual(code, 0, said)
        COMPOSED.stop("pgveil-acme")
        for name in ("custodian-1", "custodian-4"):
            COMPOSED.stop(name)
        code, said = COMPOSED.run("status")
        self.assertEqual(code, 1, said)
        COMPOSED.start("pgveil-acme")
        self.assertTrue(COMPOSED.healthy("pgveil-acme"), COMPOSED.log("pgveil-acme"))
        self.assertEqual(at_proxy("acme", "acme", "psql", "-XAtc", READ)[0], 0)
        COMPOSED.stop("pgveil-acme")
        COMPOSED.stop("custodian-5")
        COMPOSED.start("pgveil-acme")
        self.assertNotEqual(COMPOSED.ended("pgveil-acme"), 0)
        self.assertIn("only 2 of the 3 custodians", COMPOSED.log("pgveil-acme"))

    def test_4_what_comes_back_goes_on(self):
        """The containers are made anew, over the same volumes: nobody makes anything twice."""
        for name in ("custodian-1", "custodian-4", "custodian-5"):
            COMPOSED.start(name)
        COMPOSED.stop("group")
        COMPOSED.start("group")
        self.assertEqual(COMPOSED.ended("group"), 0, COMPOSED.log("group"))
        COMPOSED.stop("pgveil-acme")
        COMPOSED.start("pgveil-acme")
        self.assertTrue(COMPOSED.healthy("pgveil-acme"), COMPOSED.log("pgveil-acme"))
        for name in ("prepare", "tenant-acme"):
            COMPOSED.stop(name)
            COMPOSED.start(name)
            self.assertEqual(COMPOSED.ended(name), 0, COMPOSED.log(name))


class Walls(unittest.TestCase):
    """What the file itself says."""

    def volumes(self, service):
        found = configuration()["services"][service]["volumes"]
        return {volume.split(":")[0] for volume in found if not volume.startswith("/")}

    def test_T12_the_tenants_have_no_volume_in_common_but_what_is_public(self):
        of = {tenant: set().union(*(self.volumes(f"{kind}-{tenant}") for kind in ("tpm", "pgveil", "tenant")))
              for tenant in ("acme", "globex")}
        self.assertEqual(of["acme"] & of["globex"], {"public"})

    def test_each_custodian_has_its_own_store_alone(self):
        for number in range(1, 6):
            self.assertEqual(self.volumes(f"custodian-{number}"), {f"custodian-{number}", "public"})


if __name__ == "__main__":
    WHY = "not root" if os.geteuid() != 0 else missing()
    if WHY:
        print(f"skipped: {WHY}")
        sys.exit(77)
    unittest.main(verbosity=2)
