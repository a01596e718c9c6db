"""`pgveil-custodian group ...` with real custodians: making a key, going on after kills, who is named, what is shown."""

import json
import signal
import subprocess
import time
import unittest

from custodians import PROGRAM, Custodians

POLICY = {"requesters": {"proxy": {"purposes": ["unseal"], "per_minute": 1000}}}


def setUpModule():
    global CREW
    CREW = Custodians(3)
    unittest.addModuleCleanup(CREW.stop)
    (CREW.folder / "policy.json").write_text("// who may ask\n" + json.dumps(POLICY))


def command(*arguments, client="admin"):
    return [PROGRAM, "group", arguments[0], "--custodians", CREW.asker_file(client), *arguments[1:]]


def group(*arguments, client="admin"):
    return subprocess.run(command(*arguments, client=client), capture_output=True, text=True, check=False, timeout=120)


def create(name, *arguments, client="admin"):
    return ("create", "--threshold", "2", "--policy", CREW.folder / "policy.json", "--out", CREW.folder / name, *arguments)


class Groups(unittest.TestCase):
    def made(self, name, *arguments):
        done = group(*create(name, *arguments))
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads((CREW.folder / name).read_text())

    def test_a_group_is_made_pinned_and_shown(self):
        pinned = self.made("group.json")
        self.assertEqual((pinned["epoch"], pinned["threshold"], pinned["members"]), (0, 2, CREW.names))
        self.assertFalse((CREW.folder / "group.json.run").exists())
        served = CREW.must(0, "GET", f"/v1/groups/{pinned['id']}", client="proxy")
        self.assertEqual((served["group"], served["public_key"]), (pinned["group"], pinned["public_key"]))
        shown = group("show", "--group", CREW.folder / "group.json", client="proxy")
        self.assertEqual(shown.returncode, 0, shown.stderr)
        self.assertEqual(shown.stdout.count("  live\n"), 3)
        self.assertIn(pinned["public_key"], shown.stdout)
        self.assertEqual(group("list").stdout.count(pinned["id"]), 3)
        again = group(*create("group.json"))
        self.assertEqual(again.returncode, 2)
        self.assertIn("stays as it is", again.stderr)

    def test_two_of_the_three_in_another_order(self):
        pinned = self.made("pair.json", "--member", CREW.names[2], "--member", CREW.names[0])
        self.assertEqual(pinned["members"], [CREW.names[2], CREW.names[0]])
        self.assertEqual(CREW.must(2, "GET", f"/v1/groups/{pinned['id']}")["index"], 1)
        self.assertEqual(CREW.ask(1, "GET", f"/v1/groups/{pinned['id']}")[0], 404)

    def test_killed_at_any_time_the_coordinator_goes_on(self):
        """K: killed later and later, until it comes through; each time the same session goes on."""
        name, sessions = "killed.json", set()
        for step in range(200):
            child = subprocess.Popen(command(*create(name)), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            time.sleep(0.01 * step)
            child.send_signal(signal.SIGKILL)
            child.communicate(timeout=60)
            run = CREW.folder / f"{name}.run"
            if run.exists():
                sessions.add(json.loads(run.read_text())["session"])
            if (CREW.folder / name).exists() and not run.exists():
                break
        self.assertEqual(len(sessions), 1)
        pinned = json.loads((CREW.folder / name).read_text())
        for at in range(3):
            self.assertEqual(CREW.must(at, "GET", f"/v1/groups/{pinned['id']}")["group"], pinned["group"])

    def test_custodians_killed_in_between_are_waited_for(self):
        child = subprocess.Popen(command(*create("waited.json")), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for at in range(3):
            CREW.kill(at)
            CREW.start(at)
        said = child.communicate(timeout=120)
        if child.returncode != 0:  # one was away before it could say its member key
            self.assertIn("repeat the command", said[1])
            self.made("waited.json")
        self.assertEqual(group("show", "--group", CREW.folder / "waited.json").returncode, 0)

    def test_a_missing_member_is_named(self):
        CREW.kill(1)
        try:
            done = group(*create("missing.json"))
        finally:
            CREW.start(1)
        self.assertEqual(done.returncode, 1)
        self.assertIn(CREW.names[1], done.stderr)
        self.assertIn("repeat the command", done.stderr)
        self.made("missing.json")

    def test_another_plan_does_not_go_on_with_the_run(self):
        CREW.kill(1)
        try:
            group(*create("plan.json"))
            other = group(*create("plan.json", "--member", CREW.names[0], "--member", CREW.names[2]))
        finally:
            CREW.start(1)
        self.assertEqual(other.returncode, 2)
        self.assertIn("--abandon", other.stderr)
        self.assertEqual(group(*create("plan.json", "--abandon")).returncode, 0)
        self.assertFalse((CREW.folder / "plan.json.run").exists())
        self.made("plan.json", "--member", CREW.names[0], "--member", CREW.names[2])

    def test_a_custodian_with_another_identity_is_named(self):
        asker = CREW.asker_file("admin")
        settings = json.loads(asker.read_text())
        places = settings["custodians"]
        places[0]["url"], places[1]["url"] = places[1]["url"], places[0]["url"]
        swapped = CREW.folder / "swapped.json"
        swapped.write_text(json.dumps(settings))
        arguments = command(*create("swapped-group.json"))
        arguments[arguments.index("--custodians") + 1] = swapped
        done = subprocess.run(arguments, capture_output=True, text=True, check=False, timeout=60)
        self.assertEqual(done.returncode, 1)
        self.assertIn("not signed by the identity in the settings", done.stderr)
        self.assertFalse((CREW.folder / "swapped-group.json").exists())

    def test_who_is_no_administrator_makes_no_group(self):
        done = group(*create("stranger.json"), client="stranger")
        self.assertEqual(done.returncode, 1)
        self.assertIn(CREW.names[0], done.stderr)

    def test_fewer_live_members_than_the_threshold_are_an_error(self):
        self.made("few.json")
        CREW.kill(0)
        CREW.kill(1)
        try:
            shown = group("show", "--group", CREW.folder / "few.json")
        finally:
            CREW.start(0)
            CREW.start(1)
        self.assertEqual(shown.returncode, 1)
        self.assertIn("too few members", shown.stderr)

    def renewed(self, verb, name, *arguments):
        done = group(verb, "--group", CREW.folder / name, "--policy", CREW.folder / "policy.json", *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads((CREW.folder / name).read_text())

    def test_a_refresh_keeps_the_key_and_makes_new_shares(self):
        before = self.made("refreshed.json")
        after = self.renewed("refresh", "refreshed.json")
        self.assertEqual((after["id"], after["public_key"], after["epoch"]), (before["id"], before["public_key"], 1))
        self.assertNotEqual(after["group"], before["group"])
        shown = group("show", "--group", CREW.folder / "refreshed.json")
        self.assertEqual(shown.stdout.count("  live\n"), 3, shown.stdout + shown.stderr)
        (CREW.folder / "old.json").write_text(json.dumps(before, indent=2) + "\n")
        old = group("show", "--group", CREW.folder / "old.json")
        self.assertEqual((old.returncode, old.stderr.count("another epoch")), (1, 3))
        again = self.renewed("refresh", "old.json")  # another administrator's file, from before
        self.assertEqual((again["id"], again["epoch"]), (before["id"], 2))

    def test_a_reshare_moves_the_key_to_others_and_leaves_a_lost_member_behind(self):
        before = self.made("moved.json", "--member", CREW.names[0], "--member", CREW.names[1])
        after = self.renewed("reshare", "moved.json", *(word for name in CREW.names[1:] for word in ("--member", name)))
        self.assertEqual((after["public_key"], after["members"]), (before["public_key"], CREW.names[1:]))
        self.assertEqual(group("show", "--group", CREW.folder / "moved.json").returncode, 0)
        self.assertNotEqual(CREW.must(0, "GET", f"/v1/groups/{before['id']}")["state"], "live")

    def test_a_reshare_without_a_lost_member(self):
        before = self.made("lost.json")
        CREW.kill(0)
        try:
            after = self.renewed("reshare", "lost.json", "--lost", CREW.names[0], "--member", CREW.names[2], "--member",
                                 CREW.names[1])
        finally:
            CREW.start(0)
        self.assertEqual((after["public_key"], after["members"]), (before["public_key"], [CREW.names[2], CREW.names[1]]))
        self.assertEqual(group("show", "--group", CREW.folder / "lost.json").returncode, 0)

    def test_K8_shredded_by_enough_the_key_is_gone(self):
        pinned = self.made("shredded.json")
        asked = group("shred", "--group", CREW.folder / "shredded.json")
        self.assertEqual(asked.returncode, 2)
        self.assertIn(pinned["id"], asked.stderr)
        self.assertEqual(group("show", "--group", CREW.folder / "shredded.json").returncode, 0)
        CREW.kill(2)
        try:
            done = group("shred", "--group", CREW.folder / "shredded.json", "--confirm", pinned["id"])
        finally:
            CREW.start(2)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("beyond recovery", done.stdout)
        self.assertIn(CREW.names[2], done.stdout)
        shown = group("show", "--group", CREW.folder / "shredded.json")
        self.assertEqual(shown.returncode, 1)
        self.assertEqual(shown.stderr.count("shredded"), 2)


if __name__ == "__main__":
    unittest.main()
