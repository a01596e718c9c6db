"""Runs statements on both sides and counts: same, refused, different."""

import collections
import re

from comparison import difference, error_of

REFUSED = "0A000"


class Counts:
    """What came of the statements. `refused` only counts what PostgreSQL accepts."""

    def __init__(self):
        self.same = collections.Counter()
        self.forms = collections.Counter()
        self.reasons = collections.Counter()
        self.examples = {}
        self.different = []
        self.both_err = 0

    @property
    def statements(self):
        return sum(self.same.values()) + self.refused + self.both_err + len(self.different)

    @property
    def refused(self):
        return sum(self.reasons.values())

    @property
    def accepted(self):
        return self.same["rows"] + self.refused

    @property
    def refused_share(self):
        return 100 * self.refused / max(1, self.accepted)

    def add(self, other):
        for name in ("same", "forms", "reasons"):
            getattr(self, name).update(getattr(other, name))
        self.examples = {**other.examples, **self.examples}
        self.different += other.different
        self.both_err += other.both_err

    def forget_answers(self):
        """Of differences only number and words stay."""
        self.different = [Difference(found.number, None, found.what, [], []) for found in self.different]

    def refuse(self, statement, error):
        reason = reason_of(error)
        self.reasons[reason] += 1
        self.forms[statement.form] += 1
        self.examples.setdefault(reason, statement.sql)


def reason_of(error):
    """A refusal's message without the names in it."""
    text = re.sub(r"\b(public\.)?[tvnwmx]\d+(_[a-z]\d?)?\b(\.(\w+|\"[^\"]*\"))?", "X", error["M"])
    return re.sub(r"\"[^\"]*\"", "X", text)


class Difference:
    """One difference with all it takes to see it again."""

    def __init__(self, number, statement, what, veiled, plain):
        self.number = number
        self.statement = statement
        self.what = what
        self.veiled = veiled
        self.plain = plain


class Runner:
    """Works through units of statements over one schema. `number` counts them."""

    def __init__(self, twins, counts, first=0, trace=None):
        self.twins = twins
        self.counts = counts
        self.number = first
        self.current = None
        self.trace = trace

    def unit(self, statements, stop_at=None):
        """One unit: where a needed statement does not run, the rest up to the last ones is left out. True if a
        difference was found."""
        skipping = found = False
        for statement in statements:
            if skipping and not statement.last:
                continue
            outcome = self.statement(statement)
            skipping = skipping or outcome == "refused" or statement.needed and outcome != "same"
            found = found or outcome == "different"
            if stop_at is not None and self.number >= stop_at:
                break
        for session in (self.twins.veiled, self.twins.plain):
            if session.state != "I":
                session.run("ROLLBACK")
        return found

    def statement(self, statement):
        """same, error (the same on both), refused or different."""
        self.number += 1
        self.current = statement
        outcome = self._judged(statement)
        if self.trace:
            values = [value for _, value, _ in statement.parameters]
            print(f"{self.number} {outcome} [{statement.protocol}] {statement.sql} {values or ''}", file=self.trace, flush=True)
        return outcome

    def _judged(self, statement):
        veiled, plain = self._answers(statement)
        refusal = error_of(veiled)
        other = error_of(plain)
        if refusal and refusal["C"] == REFUSED and (other is None or other["C"] != REFUSED or other["M"] != refusal["M"]):
            if other is None:
                self.counts.refuse(statement, refusal)
            else:
                self.counts.both_err += 1
            self._align()
            return "refused"
        what = difference(statement, veiled, plain)
        if what:
            self.counts.different.append(Difference(self.number, statement, what, veiled, plain))
            return "different"
        self.counts.same[f"error {other['C']}" if other else "rows"] += 1
        return "error" if other else "same"

    def _answers(self, statement):
        """(through pgveil, direct); what the proxy refuses to change does not change directly either."""
        twins = self.twins
        if not statement.changes:
            twins.veiled.start(statement.request)
            plain = twins.plain.ask(statement.request)
            veiled = twins.veiled.finish(statement.request)
            return twins.read(veiled, 0), twins.read(plain, 1)
        before = twins.plain.state
        veiled = twins.read(twins.veiled.ask(statement.request), 0)
        error = error_of(veiled)
        if error and error["C"] == REFUSED:
            plain = self._probe(statement, before)
            other = error_of(plain)
            if not other or (other["C"], other["M"]) != (error["C"], error["M"]):
                return veiled, plain
        return veiled, twins.read(twins.plain.ask(statement.request), 1)

    def _probe(self, statement, before):
        """What PostgreSQL says to a refused statement, undone at once."""
        plain = self.twins.plain
        if before == "I":
            plain.run("BEGIN")
        elif before == "T":
            plain.run("SAVEPOINT probe")
        answer = self.twins.read(plain.ask(statement.probe or statement.request), 1)
        if before == "I":
            plain.run("ROLLBACK")
            if not statement.sql.startswith("EXECUTE"):
                plain.run("DEALLOCATE ALL")
        elif before == "T":
            plain.run("ROLLBACK TO SAVEPOINT probe")
        return answer

    def _align(self):
        """A refusal leaves a block failed: the direct side's, too."""
        veiled, plain = self.twins.veiled, self.twins.plain
        if veiled.state == plain.state:
            return
        if plain.state == "I":
            plain.run("BEGIN")
        plain.run("SELECT 1 / 0" if veiled.state == "E" else "ROLLBACK")
