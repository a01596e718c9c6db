"""The differential test's program; scripts/differential says what it does."""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))

import corpus
import pgtypes
import report
import weights
from crew import Crew
from rounds import PER_ROUND, running
from runner import Counts
from schema import PROTECTED, Abilities
from stack import ROOT, run
from twins import Twins


def options():
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--statements", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--round", type=int)
    parser.add_argument("--until", type=int)
    parser.add_argument("--refused-limit", type=float, default=100.0)
    parser.add_argument("--workers", type=int, default=os.cpu_count() + 1)  # they wait, too
    parser.add_argument("--watch", action="store_true")
    parser.add_argument("--corpus", action="store_true")
    parser.add_argument("--out", default=str(ROOT / "build" / "differential"))
    parser.add_argument("--trace", type=argparse.FileType("w"))
    parser.add_argument("--print", type=int, default=10)
    return parser.parse_args()


def abilities(programs):
    """Asks the program itself which types and schemes a policy may have."""
    pairs = [(name, scheme) for name in weights.TYPE for scheme in PROTECTED]
    with tempfile.TemporaryDirectory() as folder:
        base = pathlib.Path(folder)
        settings = {"tenant": "x", "users_file": "u", "upstream": {"host": "127.0.0.1", "port": 1, "tls": {"mode": "disable"}},
                    "listen": {"tls": {"mode": "disable"}}, "home": {"database": "x", "user": "x", "password_file": "p"},
                    "store": {"path": "s"}, "seal": {"kind": "file", "path": "k"}, "policy": "policy.json"}
        (base / "pgveil.json").write_text(json.dumps(settings))

        def takes(some):
            columns = {f"c{number}": {"type": name} if scheme == "randomized" else {"type": name, "search": scheme}
                       for number, (name, scheme) in enumerate(some)}
            (base / "policy.json").write_text(json.dumps({"tables": {"public.t": {"columns": columns}}, "enums": pgtypes.ENUMS}))
            return "policy.json" not in run([programs / "pgveil", "check", "--config", base / "pgveil.json"]).stderr

        return Abilities(taken(pairs, takes))


def taken(pairs, takes):
    """Those that a policy takes; few questions where it takes most."""
    if takes(pairs):
        return pairs
    if len(pairs) == 1:
        return []
    middle = len(pairs) // 2
    return taken(pairs[:middle], takes) + taken(pairs[middle:], takes)


class Run:
    """A whole run: rounds of statements, each over a schema of its own."""

    def __init__(self, given, able):
        self.given = given
        self.counts = Counts()
        self.told = self.around = self.proxy_mib = self.own_mib = 0
        self.leaked = []
        count = -(-given.statements // PER_ROUND)
        self.crew = Crew(given, able, range(count) if given.round is None else [given.round])

    def go(self):
        for outcome in self.crew.outcomes():
            self.counts.add(outcome.counts)
            self.around += outcome.around
            self.leaked += outcome.leaked
            self.proxy_mib = max(self.proxy_mib, outcome.proxy_mib)
            self.own_mib = max(self.own_mib, outcome.own_mib)
            self._tell(outcome)

    def _tell(self, outcome):
        for what, path, text in outcome.differences:
            print(text if self.told < self.given.print else f"different: {what[:200]}\n  {path}", flush=True)
            self.told += 1
        print(f"round {outcome.number}: {self.counts.statements} statements, refused {self.counts.refused}, "
              f"different {len(self.counts.different)}", file=sys.stderr, flush=True)

    def summary(self, seconds):
        return (f"made around the proxy: {self.around} views and indexes\n"
                f"memory at most: pgveil {self.proxy_mib} MiB, a process of this test {self.own_mib} MiB\n"
                + report.summary(self.counts, seconds))


def run_corpus(given):
    """The corpus; its own end of the report."""
    began = time.monotonic()
    with running(corpus.policy()) as stack:
        whole = corpus.Corpus(Twins(stack))
        told = 0

        def tell(name):
            nonlocal told
            for found in whole.counts.different[told:]:
                path = report.write(given.out, found, name, "scripts/differential --corpus")
                print(report.full(found, "scripts/differential --corpus") if told < given.print else f"different: {found.what}\n  {path}")
                told += 1

        whole.go(tell)
    print(report.summary(whole.counts, time.monotonic() - began))
    for orm, figures in whole.per_file.items():
        print("  {}: same {} refused {} different {}".format(orm, *figures))
    open_ones = corpus.not_argued(whole.counts)
    for reason, count in open_ones.items():
        print(f"refused, and corpus/argued.json does not say why: {count} {reason}\n    {whole.counts.examples[reason][:300]}")
    return 1 if whole.counts.different or open_ones else 0


def programs():
    return pathlib.Path(os.environ["PGVEIL_BIN"])


def main():
    given = options()
    if given.corpus:
        return run_corpus(given)
    began = time.monotonic()
    able = abilities(programs())
    if able.missing():
        print("left plain, because the policy of this build cannot have them: " + ", ".join(able.missing()))
    whole = Run(given, able)
    whole.go()
    print(whole.summary(time.monotonic() - began))
    for line in whole.leaked[:given.print]:
        print(f"a protected value reached the server: {line[:2000]}")
    if whole.crew.lost:
        print(f"{len(whole.crew.lost)} processes of this test ended before their rounds did; what they said stands above")
    if whole.counts.different or whole.leaked or whole.crew.lost:
        return 1
    if whole.counts.refused_share > given.refused_limit:
        print(f"refused are more than {given.refused_limit} %")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
