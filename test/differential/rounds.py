"""Rounds of statements: each has a schema of its own, and what it does depends on seed and number alone, not on who runs
it, after what, or beside what. Some rounds share a stack."""

import contextlib
import pathlib
import random
import re

import pgtypes
import report
import watch
from runner import Counts, Difference, Runner
from schema import Schema
from stack import Stack
from statements import simple
from stream import Stream
from twins import VEILED, Twins

PER_ROUND = 250

# Of the server: what speed costs is safety after a crash, and nobody looks there.
FAST = {"log_statement": "none", "log_min_error_statement": "panic", "log_min_messages": "panic", "autovacuum": "off",
        "synchronous_commit": "off", "full_page_writes": "off", "max_wal_size": "4GB", "checkpoint_timeout": "1h"}


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
        with stack.direct("postgres", "postgres") as connection:
            for name, value in FAST.items():
                connection.execute(f"ALTER SYSTEM SET {name} = '{value}'")
            connection.execute("SELECT pg_reload_conf()")
        stack.never_logged = []
        yield stack
    finally:
        stack.stop()


def peak_mib(pid):
    """The most memory that a process has had."""
    return int(re.search(r"VmHWM:\s*(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text()).group(1)) // 1024


class Outcome:
    """What came of one round, for whoever runs many. `differences`: (what, file, whole text) of each."""

    def __init__(self, number):
        self.number = number
        self.counts = Counts()
        self.differences = []
        self.around = 0
        self.leaked = []
        self.proxy_mib = self.own_mib = 0


class Rounds:
    """Some rounds on one stack: a policy with all of their tables."""

    def __init__(self, given, able, numbers):
        self.given = given
        self.able = able
        self.numbers = numbers

    def outcomes(self):
        with running(policy(self.given.seed, self.numbers, self.able)) as stack:
            if self.given.watch:
                watch.begin(stack)
            self.twins = Twins(stack)
            for number in self.numbers:
                outcome = self._round(number)
                if self.given.watch and number == self.numbers[-1]:
                    outcome.leaked = watch.found(stack)
                outcome.proxy_mib, outcome.own_mib = peak_mib(stack.proxy_pid), peak_mib("self")
                yield outcome

    def _round(self, number):
        schema = schema_of(self.given.seed, number, self.able)
        outcome = Outcome(number)
        self.twins.around = 0
        self.twins.reconnect()  # without what the round before left prepared or set
        self.twins.renew(schema)
        stream = iter(Stream(random.Random(f"{self.given.seed}/{number}/stream"), schema))
        first = number * PER_ROUND
        runner = Runner(self.twins, outcome.counts, first, self.given.trace)
        stop = self.given.until or first + PER_ROUND
        while runner.number < stop:
            try:
                found = runner.unit(next(stream), stop)
            except ConnectionError as error:
                found = self._broken(runner, error)
            if found:
                self._mend(schema)
        self._check(runner, schema)
        for sql in schema.drops():
            self.twins.both(sql)
        self._write(outcome)
        outcome.around = self.twins.around
        return outcome

    def _broken(self, runner, error):
        runner.counts.different.append(Difference(runner.number, runner.current, str(error), [], []))
        self.twins.reconnect()
        return True

    def _mend(self, schema):
        """After a difference the tables may be unequal: then they are made again, so that one error stays one."""
        if self.twins.unequal_tables(schema):
            self.twins.renew(schema)

    def _check(self, runner, schema):
        self.twins.both("RESET ALL")  # an encoding or zone that a statement has set
        unequal = self.twins.unequal_tables(schema)
        if unequal:
            table, veiled, plain = unequal
            statement = simple("all rows", f"SELECT * FROM {table.name} ORDER BY id")
            runner.counts.different.append(Difference(runner.number, statement, "rows at the end of the round", veiled, plain))

    def _write(self, outcome):
        """Of each difference stays what can be passed on: its text."""
        seed = self.given.seed
        for found in outcome.counts.different:
            how = f"scripts/differential --seed {seed} --round {outcome.number} --until {found.number}"
            outcome.differences.append((found.what, report.write(self.given.out, found, seed, how), report.full(found, how)))
        outcome.counts.forget_answers()
