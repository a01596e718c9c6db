"""The differential test's program; scripts/differential says what it does."""

import argparse
import contextlib
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))

import corpus
import pgtypes
import report
import watch
import weights
from runner import Counts, Difference, Runner
from schema import PROTECTED, Abilities, Schema
from stack import ROOT, Stack, run
from statements import simple
from stream import Stream
from twins import VEILED, Twins

PER_ROUND = 250
PER_STACK = 20


def options():
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--statements", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--round", type=int)
    parser.add_argument("--until", type=int)
    parser.add_argument("--refused-limit", type=float, default=100.0)
    parser.add_argument("--watch", action="store_true")
    parser.add_argument("--corpus", action="store_true")
    parser.add_argument("--out", default=str(ROOT / "build" / "differential"))
    parser.add_argument("--trace", type=argparse.FileType("w"))
    parser.add_argument("--print", type=int, default=10)
    return parser.parse_args()


def abilities(programs):
    """Asks the program itself which types and schemes a policy may have."""
    accepted = []
    with tempfile.TemporaryDirectory() as folder:
        base = pathlib.Path(folder)
        settings = {"tenant": "x", "users_file": "u", "upstream": {"host": "127.0.0.1", "port": 1, "tls": {"mode": "disable"}},
                    "listen": {"tls": {"mode": "disable"}}, "home": {"database": "x", "user": "x", "password_file": "p"},
                    "store": {"path": "s"}, "seal": {"kind": "file", "path": "k"}, "policy": "policy.json"}
        (base / "pgveil.json").write_text(json.dumps(settings))
        for name in weights.TYPE:
            for scheme in PROTECTED:
                entry = {"type": name} if scheme == "randomized" else {"type": name, "search": scheme}
                (base / "policy.json").write_text(json.dumps(
                    {"tables": {"public.t": {"columns": {"c": entry}}}, "enums": pgtypes.ENUMS}))
                said = run([programs / "pgveil", "check", "--config", base / "pgveil.json"]).stderr
                if "policy.json" not in said:
                    accepted.append((name, scheme))
    return Abilities(accepted)


def schema_of(seed, number, able):
    return Schema(random.Random(f"{seed}/{number}/schema"), number, able)


def policy(seed, numbers, able):
    tables = {}
    for number in numbers:
        tables.update(schema_of(seed, number, able).policy())
    return {"databases": [VEILED], "tables": tables, "enums": pgtypes.ENUMS}


@contextlib.contextmanager
def running(the_policy):
    """A stack whose server does not write every statement down."""
    stack = Stack.start(the_policy)
    try:
        stack.superuser("ALTER SYSTEM SET log_statement = 'none'")
        stack.superuser("ALTER SYSTEM SET log_min_error_statement = 'panic'")
        stack.superuser("ALTER SYSTEM SET log_min_messages = 'panic'")
        stack.superuser("SELECT pg_reload_conf()")
        stack.never_logged = []
        yield stack
    finally:
        stack.stop()


class Run:
    """A whole run: rounds of statements, each over a schema of its own."""

    def __init__(self, given, able):
        self.given = given
        self.able = able
        self.counts = Counts()
        self.told = 0
        self.around = 0
        self.leaked = []
        count = -(-given.statements // PER_ROUND)
        self.numbers = range(count) if given.round is None else [given.round]

    def go(self):
        for first in range(0, len(self.numbers), PER_STACK):
            self._rounds(self.numbers[first:first + PER_STACK])

    def _rounds(self, numbers):
        """Some rounds on one stack: a policy with all of their tables is a small one."""
        with running(policy(self.given.seed, numbers, self.able)) as stack:
            if self.given.watch:
                watch.begin(stack)
            self.twins = Twins(stack)
            for number in numbers:
                self._round(number)
                print(f"round {number}: {self.counts.statements} statements, refused {self.counts.refused}, "
                      f"different {len(self.counts.different)}", file=sys.stderr, flush=True)
            self.around += self.twins.around
            self.leaked += watch.found(stack) if self.given.watch else []

    def _round(self, number):
        schema = schema_of(self.given.seed, number, self.able)
        self.twins.reconnect()  # without what the round before left prepared or set
        self.twins.renew(schema)
        stream = iter(Stream(random.Random(f"{self.given.seed}/{number}/stream"), schema))
        first = number * PER_ROUND
        runner = Runner(self.twins, self.counts, first, self.given.trace)
        stop = self.given.until or first + PER_ROUND
        while runner.number < stop:
            try:
                found = runner.unit(next(stream), stop)
            except ConnectionError as error:
                found = self._broken(runner, error)
            self._tell(number)
            if found:
                self._mend(schema)
        self._check(runner, schema)
        self._tell(number)
        for sql in schema.drops():
            self.twins.both(sql)

    def _broken(self, runner, error):
        statement = runner.current
        self.counts.different.append(Difference(runner.number, statement, str(error), [], []))
        self.twins.reconnect()
        return True

    def _mend(self, schema):
        """After a difference the tables may be unequal: then they are made again, so that one error stays one."""
        if self.twins.unequal_tables(schema):
            self.twins.renew(schema)

    def _check(self, runner, schema):
        unequal = self.twins.unequal_tables(schema)
        if unequal:
            table, veiled, plain = unequal
            statement = simple("all rows", f"SELECT * FROM {table.name} ORDER BY id")
            self.counts.different.append(Difference(runner.number, statement, "rows at the end of the round", veiled, plain))

    def _tell(self, number):
        for found in self.counts.different[self.told:]:
            how = f"scripts/differential --seed {self.given.seed} --round {number} --until {found.number}"
            path = report.write(self.given.out, found, self.given.seed, how)
            if self.told < self.given.print:
                print(report.full(found, how), flush=True)
            else:
                print(f"different: {found.what[:200]}\n  {path}", flush=True)
            self.told += 1


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
    print(f"made around the proxy: {whole.around} views, partitions and indexes")
    print(report.summary(whole.counts, time.monotonic() - began))
    for line in whole.leaked[:given.print]:
        print(f"a protected value reached the server: {line[:2000]}")
    if whole.counts.different or whole.leaked:
        return 1
    if whole.counts.refused_share > given.refused_limit:
        print(f"refused are more than {given.refused_limit} %")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
