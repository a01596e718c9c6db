"""Real custodians over mutual TLS: a group is made, asked and refused; every request by another implementation."""

import hashlib
import json
import random
import secrets
import signal
import ssl
import subprocess
import unittest

from custodians import PROGRAM, Authority, Custodians, decoded, encoded
from partials import Question, combined, point_of, prefixed, times

POLICY = {"requesters": {"proxy": {"purposes": ["unseal"], "per_minute": 1000},
                         "archive": {"purposes": ["open"], "per_minute": 2}}}


def setUpModule():
    global CREW, GROUP
    CREW = Custodians(3)
    unittest.addModuleCleanup(CREW.stop)
    GROUP = CREW.generate(2, POLICY)


def partial(at, asked, client="proxy", group=None, **more):
    return CREW.ask(at, "POST", f"/v1/groups/{group or GROUP}/partial", {"request": encoded(asked.bytes), **more}, client)


def question(**more):
    return Question(decoded(GROUP), **more)


class DeepBodies(unittest.TestCase):
    def test_a_body_of_brackets_is_refused_and_ends_nobody(self):
        deep = "[" * 900_000 + "]" * 900_000
        for path in (f"/v1/groups/{GROUP}/partial", f"/v1/groups/{GROUP}/store-version", "/v1/runs", "/v1/members"):
            for member in ("store_version", "policy", "messages", "unknown"):
                status, said = CREW.ask(0, "POST", path, raw=f'{{"{member}": {deep}}}'.encode())
                self.assertEqual((status, said["error"]["code"]), (400, "malformed"), said)
        self.assertEqual(partial(0, question())[0], 200)


class Groups(unittest.TestCase):
    def test_every_custodian_shows_the_same_group(self):
        said = [CREW.must(at, "GET", f"/v1/groups/{GROUP}", client="proxy") for at in range(3)]
        self.assertEqual({one["public_key"] for one in said}, {said[0]["public_key"]})
        self.assertEqual({one["certificate"] for one in said}, {said[0]["certificate"]})
        self.assertEqual([one["index"] for one in said], [1, 2, 3])
        self.assertEqual(said[0]["members"], CREW.names)
        listed = CREW.must(0, "GET", "/v1/groups", client="proxy")
        self.assertIn((GROUP, "live", 2, 3), [(one["id"], one["state"], one["threshold"], one["size"]) for one in listed])

    def test_any_two_partials_combine_and_one_is_not_enough(self):
        key = point_of(decoded(CREW.must(0, "GET", f"/v1/groups/{GROUP}", client="proxy")["public_key"]))
        asked = question()
        parts = {}
        for at in range(3):
            status, said = partial(at, asked)
            self.assertEqual(status, 200, said)
            parts[at + 1] = asked.opened(at + 1, decoded(said["answer"]))
        whole = times(asked.secret, key)
        for missing in parts:
            self.assertEqual(combined({at: part for at, part in parts.items() if at != missing}), whole)
            self.assertNotEqual(combined({missing: parts[missing]}), whole)

    def test_health_is_deep_and_open_to_everybody(self):
        status, said = CREW.ask(0, "GET", "/v1/health", client=None)
        self.assertEqual((status, said["status"], said["name"]), (200, "ok", "custodian-1"))
        self.assertEqual(said["identity"], CREW.identities[0])


class Status(unittest.TestCase):
    def status(self):
        return subprocess.run([PROGRAM, "status", "--custodians", CREW.asker_file("proxy")], capture_output=True, text=True,
                              check=False, timeout=60)

    def test_it_names_who_does_not_answer(self):
        well = self.status()
        self.assertEqual(well.returncode, 0, well.stderr)
        self.assertEqual([line.split()[:2] for line in well.stdout.splitlines()], [[name, "ok"] for name in CREW.names])
        CREW.kill(1)
        lacking = self.status()
        CREW.start(1)
        self.assertEqual(lacking.returncode, 1)
        self.assertRegex(lacking.stdout, r"(?m)^custodian-2  no answer")
        self.assertIn("1 of 3 custodians", lacking.stderr)


class Refused(unittest.TestCase):
    def assert_refused(self, got, status, code):
        self.assertEqual((got[0], got[1]["error"]["code"]), (status, code), got)

    def test_who_shows_no_certificate(self):
        self.assert_refused(CREW.ask(0, "GET", "/v1/groups", client=None), 401, "certificate")

    def test_whose_certificate_is_of_another_authority(self):
        self.assertEqual(partial(0, question())[0], 200)
        other = Authority(CREW.folder / "other", "another CA")
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            CREW.ask(0, "GET", "/v1/groups", client="proxy", authority=other)

    def test_whose_certificate_is_not_the_requesters(self):
        self.assert_refused(partial(0, question(), client="archive"), 403, "requester")

    def test_who_is_not_in_the_policy_or_asks_for_another_purpose(self):
        self.assert_refused(partial(0, question(requester="stranger"), client="stranger"), 403, "requester")
        self.assert_refused(partial(0, question(purpose="open")), 403, "purpose")

    def test_who_is_no_administrator(self):
        body = {"session": encoded(secrets.token_bytes(32))}
        self.assert_refused(CREW.ask(0, "POST", "/v1/members", body, client="proxy"), 403, "administrator")
        self.assertEqual(CREW.ask(0, "POST", "/v1/members", body, client="admin")[0], 200)

    def test_another_group_or_epoch(self):
        self.assert_refused(partial(0, question(), group=encoded(bytes(32))), 404, "group")
        self.assert_refused(partial(0, question(epoch=1)), 409, "epoch")
        self.assert_refused(partial(0, Question(bytes(32))), 409, "group")

    def test_too_large_a_body_and_another_content_type(self):
        self.assertEqual(CREW.ask(0, "POST", "/v1/members", raw=b"[" * (3 << 20))[0], 413)
        got = CREW.ask(0, "POST", "/v1/members", {"session": "x"}, headers={"Content-Type": "text/plain"})
        self.assert_refused(got, 415, "content-type")


class Runs(unittest.TestCase):
    def test_killed_between_all_rounds_it_goes_on_with_the_same_messages(self):
        session = CREW.begin(2, POLICY)
        for killed in range(3):
            before = CREW.must(killed, "GET", f"/v1/runs/{session}")["sent"]
            CREW.kill(killed)
            CREW.start(killed)
            self.assertEqual(CREW.must(killed, "GET", f"/v1/runs/{session}")["sent"], before)
            states = CREW.exchange(session)
        self.assertTrue(all(state["done"] for state in states), states)
        for at in range(3):
            CREW.kill(at, signal.SIGTERM)
            CREW.start(at)
        group = states[0]["group"]
        asked = Question(decoded(group))
        parts = {at + 1: asked.opened(at + 1, decoded(partial(at, asked, group=group)[1]["answer"])) for at in (0, 2)}
        key = point_of(decoded(CREW.must(1, "GET", f"/v1/groups/{group}")["public_key"]))
        self.assertEqual(combined(parts), times(asked.secret, key))

    def test_refreshed_and_killed_on_the_way_the_key_is_the_same_and_former_shares_are_nothing(self):
        group = CREW.generate(2, POLICY)
        key = point_of(decoded(CREW.must(1, "GET", f"/v1/groups/{group}")["public_key"]))
        former = Question(decoded(group))
        old = former.opened(1, decoded(partial(0, former, group=group)[1]["answer"]))
        shown = CREW.must(0, "GET", f"/v1/groups/{group}")
        session = CREW.begin(2, POLICY, kind="reshare", group=group, epoch=0, **{"from": shown["group"]})
        CREW.kill(1)
        CREW.start(1)
        CREW.exchange(session)
        CREW.kill(2)
        CREW.start(2)
        self.assertEqual(CREW.finish(session), group)
        self.assertEqual(partial(0, former, group=group)[1]["error"]["code"], "epoch")
        asked = Question(decoded(group), epoch=1)
        parts = {at + 1: asked.opened(at + 1, decoded(partial(at, asked, group=group)[1]["answer"])) for at in (0, 2)}
        self.assertEqual(combined(parts), times(asked.secret, key))
        self.assertNotEqual(combined({1: old, 3: parts[3]}), times(former.secret, key))

    def assert_cheat_is_named(self, session, number, cheat):
        """All are told what is true, but one is told another message of the cheat in this round."""
        honest = (cheat + 1) % 3
        messages = []
        for at in range(3):
            for one in CREW.must(at, "GET", f"/v1/runs/{session}")["sent"]:
                if at == cheat and one["round"] == number:
                    forged = bytearray(decoded(one["message"]))
                    forged[40] ^= 1
                    one["message"] = encoded(bytes(forged))
                messages.append(one)
        status, said = CREW.ask(honest, "POST", f"/v1/runs/{session}/messages", {"messages": messages})
        self.assertEqual((status, said["error"]["code"], said["error"]["member"]), (422, "cheating", cheat + 1), said)

    def test_K10_who_cheats_in_any_place_of_any_round_is_named(self):
        for cheat in range(3):
            for number in (1, 2, 3):
                with self.subTest(cheat=cheat, round=number):
                    session = CREW.begin(2, POLICY)
                    for _ in range(number - 1):
                        CREW.exchange(session)
                    self.assert_cheat_is_named(session, number, cheat)
                    failed = CREW.must((cheat + 1) % 3, "GET", f"/v1/runs/{session}").get("failure")
                    self.assertEqual(failed and failed["member"], cheat + 1 if number < 3 else None)  # another signature may come

    def test_K10_who_cheats_in_any_place_of_a_refresh_is_named(self):
        for cheat in range(3):
            for number in (2, 3):
                with self.subTest(cheat=cheat, round=number):
                    group = CREW.generate(2, POLICY)
                    shown = CREW.must(0, "GET", f"/v1/groups/{group}")
                    session = CREW.begin(2, POLICY, kind="reshare", group=group, epoch=0, **{"from": shown["group"]})
                    if number == 3:
                        CREW.exchange(session)
                    self.assert_cheat_is_named(session, number, cheat)

    def test_a_statement_of_a_stranger_makes_no_member(self):
        session = encoded(secrets.token_bytes(32))
        own = CREW.must(0, "POST", "/v1/members", {"session": session})["statement"]
        second = CREW.must(1, "POST", "/v1/members", {"session": session})["statement"]
        head, payload, signature = second.split(".")
        told = json.loads(decoded(payload))
        told["name"] = "custodian-3"
        altered = ".".join([head, encoded(json.dumps(told, separators=(",", ":")).encode()), signature])
        body = {"session": session, "kind": "generate", "threshold": 2, "statements": [own, altered], "policy": POLICY}
        self.assertEqual(CREW.ask(0, "POST", "/v1/runs", body)[0], 400)
        self.assertEqual(CREW.ask(0, "POST", "/v1/runs", {**body, "statements": [own, second]})[0], 200)
        self.assertEqual(CREW.ask(0, "POST", "/v1/runs", {**body, "statements": [second, own]})[0], 409)

    def test_given_up_its_member_key_is_gone(self):
        session = CREW.begin(2, POLICY)
        self.assertTrue(CREW.must(0, "POST", f"/v1/runs/{session}/abandon", {})["abandoned"])
        self.assertEqual(CREW.ask(0, "POST", "/v1/members", {"session": session})[0], 409)


    def test_what_others_signed_is_given_up_by_the_word_of_one_that_did_not(self):
        group = CREW.generate(2, POLICY)
        shown = CREW.must(0, "GET", f"/v1/groups/{group}")
        again = {"kind": "reshare", "group": group, "epoch": 0, "from": shown["group"]}
        session = CREW.begin(2, POLICY, **again)
        messages = [one for at in range(3) for one in CREW.must(at, "GET", f"/v1/runs/{session}")["sent"]]
        for at in (0, 1):  # they sign, the third does not
            CREW.must(at, "POST", f"/v1/runs/{session}/messages", {"messages": messages})
        other = CREW.begin(2, POLICY, **again)
        with self.assertRaisesRegex(AssertionError, "signed"):
            CREW.exchange(other)
        foreign = CREW.must(2, "POST", f"/v1/runs/{other}/abandon", {})["abandonment"]
        for words in ({}, {"abandonments": "x"}, {"abandonments": [foreign, 3, "a.b.c"]}):
            status, said = CREW.ask(0, "POST", f"/v1/runs/{session}/abandon", words)
            self.assertEqual((status, said["error"]["code"]), (409, "signed"), said)
        word = CREW.must(2, "POST", f"/v1/runs/{session}/abandon", {})["abandonment"]
        self.assertTrue(CREW.must(2, "POST", f"/v1/runs/{session}/messages", {"messages": messages})["abandoned"])
        for at in (0, 1):
            said = CREW.must(at, "POST", f"/v1/runs/{session}/abandon", {"abandonments": [word]})
            self.assertTrue(said["abandoned"])
            self.assertNotIn("abandonment", said)  # it has signed, and cannot say that it has not
            CREW.kill(at)
            CREW.start(at)
        self.assertEqual(CREW.refresh(group, 2, POLICY), group)
        self.assertEqual(partial(0, Question(decoded(group), epoch=1), group=group)[0], 200)

    def test_a_member_that_only_said_its_key_can_give_its_word(self):
        session = encoded(secrets.token_bytes(32))
        CREW.must(0, "POST", "/v1/members", {"session": session})
        self.assertIn("abandonment", CREW.must(0, "POST", f"/v1/runs/{session}/abandon", {}))
        self.assertEqual(CREW.ask(0, "POST", "/v1/members", {"session": session})[0], 409)
        self.assertEqual(CREW.ask(0, "POST", f"/v1/runs/{encoded(secrets.token_bytes(32))}/abandon", {})[0], 404)


class Kept(unittest.TestCase):
    """What a custodian holds against whoever asks, also after kill -9."""

    def test_questions_a_minute(self):
        asked = [question(requester="archive", purpose="open") for _ in range(3)]
        self.assertEqual([partial(2, one, client="archive")[0] for one in asked[:2]], [200, 200])
        CREW.kill(2)
        CREW.start(2)
        status, said = partial(2, asked[2], client="archive")
        self.assertEqual((status, said["error"]["code"]), (429, "rate"))
        self.assertEqual(partial(1, asked[2], client="archive")[0], 200)

    def test_the_version_of_a_store(self):
        store = {"store": encoded(bytes(16)), "version": 9}
        self.assertEqual(CREW.must(0, "POST", f"/v1/groups/{GROUP}/store-version", store, client="proxy"), store)
        CREW.kill(0)
        CREW.start(0)
        self.assertEqual(partial(0, question(), store_version={**store, "version": 9})[0], 200)
        status, said = partial(0, question(), store_version={**store, "version": 8})
        self.assertEqual((status, said["error"]["code"]), (409, "older_store"))

    def test_a_chained_log_that_shows_when_it_was_altered(self):
        asked = question()
        self.assertEqual(partial(1, asked)[0], 200)
        said = CREW.must(1, "GET", "/v1/log?limit=1000")
        last = b"\0" * 32
        for entry in said["entries"]:
            self.assertEqual(decoded(entry["prev"]), last)
            digest = entry.pop("hash")
            body = json.dumps(entry, separators=(",", ":"), ensure_ascii=False)[:-1].encode()
            last = hashlib.sha256(prefixed(b"pgveil/1 custodian log", b"custodian-2", body)).digest()
            self.assertEqual(encoded(last), digest)
        self.assertEqual((entry["requester"], entry["result"], entry["operation"]), ("proxy", "answered", "partial"))
        self.assertNotIn("/", entry["request"])
        log = CREW.home(1) / "store" / "log.jsonl"
        self.assertEqual(CREW.must(1, "GET", "/v1/health")["status"], "ok")
        CREW.kill(1)
        whole = log.read_text()
        log.write_text(whole.replace('"proxy"', '"other"', 1))
        CREW.start(1)
        self.assertEqual(CREW.must(1, "GET", "/v1/health")["status"], "degraded")
        CREW.kill(1)
        log.write_text(whole)
        CREW.start(1)

    def test_a_shredded_share_stays_shredded(self):
        group = CREW.generate(2, POLICY)
        self.assertEqual(CREW.ask(0, "POST", f"/v1/groups/{group}/shred", {"confirm": GROUP})[0], 400)
        statement = CREW.must(0, "POST", f"/v1/groups/{group}/shred", {"confirm": group})["shredded"]
        CREW.kill(0)
        CREW.start(0)
        asked = Question(decoded(group))
        self.assertEqual(partial(0, asked, group=group)[1]["error"]["code"], "shredded")
        self.assertEqual(partial(1, asked, group=group)[0], 200)
        self.assertEqual(CREW.must(0, "POST", f"/v1/groups/{group}/shred", {"confirm": group})["shredded"], statement)


class Described(unittest.TestCase):
    """Every operation of the description, with bodies that fit and bodies that do not: never 500 or above."""

    def test_garbage_gives_no_5xx(self):
        group = CREW.generate(2, POLICY)
        described = CREW.must(0, "GET", "/v1/openapi.json", client=None)
        draw = random.Random(7)
        seen = set()
        for path, methods in described["paths"].items():
            for method in methods:
                for _ in range(8):
                    at = path.replace("{id}", draw.choice([group, "x", encoded(bytes(32))])).replace(
                        "{session}", draw.choice(["%00", encoded(bytes(32))]))
                    status, said = CREW.ask(0, method.upper(), at, raw=self.body(draw), client="admin", headers={
                        "Content-Type": "application/json"})
                    self.assertLess(status, 500, (method, at, said))
                    self.assertIn(str(status), {**methods[method]["responses"], "404": 1}, (method, at, said))
                    seen.add(status)
        self.assertLessEqual({200, 400, 404}, seen)

    @staticmethod
    def body(draw):
        junk = bytes(draw.randrange(256) for _ in range(draw.randrange(40)))
        deep = b"[" * 20000
        texts = ["", "A" * 43, encoded(junk), "\x00", "\ud800", 3, -1, 1e300, None, [], {}, [[]], {"a": {"b": []}}, True]
        names = ["session", "kind", "threshold", "statements", "policy", "messages", "request", "round", "confirm", "store",
                 "version", "group", "epoch", "index", "message", "requesters", "store_version", "header", "evidence"]
        built = json.dumps({draw.choice(names): draw.choice(texts) for _ in range(draw.randrange(6))}).encode()
        return draw.choice([junk, deep, b"{}", b"", built, built, built, built[:-1]])


if __name__ == "__main__":
    unittest.main()
