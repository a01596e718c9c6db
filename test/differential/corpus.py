"""The fixed statements of corpus/: what ORMs emit, in the order in which they emit it. Each file is one application: the
tables of its policy and its statements, [text] as a simple query, [text, parameters] or [text, parameters,
their declared types] as an extended one."""

import json
import pathlib
import re

import pgtypes
from runner import Counts, Runner
from statements import Statement, finished, simple
from twins import PLAIN, VEILED

FOLDER = pathlib.Path(__file__).resolve().parent / "corpus"
ANY = pgtypes.Type("any", 0, [])
BEGINS = re.compile(r"\s*(begin|start transaction)\b", re.I)
ENDS = re.compile(r"\s*(commit|rollback(?!\s+to))\b", re.I)


def files():
    return {path.stem: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json")) if path.stem != "argued"}


def policy():
    tables = {}
    for content in files().values():
        tables.update(content["tables"])
    return {"databases": [VEILED], "tables": tables}


class NoChance:
    """Where the stream draws, the corpus always does the same."""

    @staticmethod
    def random():
        return 0.99

    @staticmethod
    def randrange(_):
        return 0


def order_of(text):
    """Do the rows of the whole have an order? An ORDER BY within parentheses is not the whole's."""
    _, found, tail = text.upper().rpartition("ORDER BY")
    return "all" if found and tail.count("(") >= tail.count(")") else "none"


def statement(form, entry):
    text = entry[0]
    if len(entry) == 1:
        return simple(form, text, order=order_of(text), shape_only=text.lstrip().upper().startswith("EXPLAIN"))
    declared = entry[2] if len(entry) > 2 else [0] * len(entry[1])
    parameters = [(ANY, value, number) for value, number in zip(entry[1], declared)]
    return finished(NoChance, form, Statement(form, text, order=order_of(text)), parameters, "extended")


def blocks(entries):
    """Transactions, and statements outside of any."""
    block, inside = [], False
    for entry in entries:
        block.append(entry)
        inside = (inside or bool(BEGINS.match(entry[0]))) and not ENDS.match(entry[0])
        if not inside:
            yield block
            block = []
    if block:
        yield block


class Corpus:
    """Runs all files. A refused statement is left out and its transaction done again without it, so that the rest has
    what it needs."""

    def __init__(self, twins):
        self.twins = twins
        self.counts = Counts()
        self.per_file = {}

    def go(self, tell):
        for name, content in files().items():
            before = self._figures()
            self._empty()
            runner = Runner(self.twins, self.counts, self.counts.statements)
            for block in blocks(content["statements"]):
                self._block(runner, [statement(name, entry) for entry in block])
                tell(name)
            self.per_file[content["orm"]] = [after - one for after, one in zip(self._figures(), before)]

    def _figures(self):
        return [sum(self.counts.same.values()), self.counts.refused, len(self.counts.different)]

    def _empty(self):
        self.twins.reconnect()
        for database in (VEILED, PLAIN):
            self.twins.stack.superuser("DROP SCHEMA public CASCADE", database)
            self.twins.stack.superuser("CREATE SCHEMA public AUTHORIZATION app", database)

    def _block(self, runner, statements):
        counted = 0
        while statements:
            for number, one in enumerate(statements):
                outcome = runner.statement(one) if number >= counted else self._again(one)
                if outcome in ("refused", "different"):
                    break
            else:
                break
            # Without the one that failed, from the start of the block.
            counted = number
            statements = statements[:number] + statements[number + 1:]
            for session in (self.twins.veiled, self.twins.plain):
                if session.state != "I":
                    session.run("ROLLBACK")
            self._align_sequences()
            if not BEGINS.match(statements[0].sql if statements else ""):
                break

    def _again(self, one):
        for session in (self.twins.veiled, self.twins.plain):
            session.ask(one.request)
        return "again"

    def _align_sequences(self):
        """A refused INSERT drew numbers on the direct side only."""
        with self.twins.direct(VEILED) as veiled, self.twins.direct(PLAIN) as plain:
            names = plain.execute("SELECT format('%I.%I', schemaname, sequencename) FROM pg_sequences").fetchall()
            for name, in names:
                last, called = veiled.execute(f"SELECT last_value, is_called FROM {name}").fetchone()
                plain.execute("SELECT setval(%s, %s, %s)", (name, last, called))


def argued():
    """(pattern of a refusal's reason, why it is right to refuse)."""
    return [(re.compile(pattern), why) for pattern, why in json.loads((FOLDER / "argued.json").read_text())]


def not_argued(counts):
    """Reasons of refusals that corpus/argued.json does not defend."""
    known = argued()
    return {reason: count for reason, count in counts.reasons.items()
            if not any(pattern.search(reason) for pattern, _ in known)}
