"""The stream of statements of one round: units picked by their weight."""

import itertools

import statements
import weights
from expressions import Writer
from scripts import Scripts
from statements import choose_protocol, finished
from mistakes import Mistakes
from weights import pick

WRITES = {"insert": "insert", "insert select": "insert_select", "on conflict": "on_conflict", "update": "update",
          "update from": "update_from", "delete": "delete", "merge": "merge", "with change": "with_change",
          "mistake": "mistake"}
READS = {"select": "select", "join": "join", "aggregate": "aggregate", "window": "window", "set operation": "set_operation",
         "with": "with_", "recursive": "recursive", "sub-query": "sub_query", "distinct": "distinct", "case": "case",
         "keyed": "keyed", "extreme": "extreme", "greatest": "greatest", "constants": "constants", "rows": "rows",
         "picked": "picked", "values": "values", "view": "view", "catalog": "catalog", "plain": "plain"}


class Stream:
    """Yields units: lists of statements that belong together. Depends on the seed and the schema alone."""

    def __init__(self, rng, schema):
        self.rng = rng
        self.schema = schema
        self.numbers = itertools.count(1)
        self.scripts = Scripts(self)

    def __iter__(self):
        while True:
            form = pick(self.rng, weights.UNIT)
            if form in READS or form in WRITES:
                yield [self.single(form)]
            else:
                yield self.scripts.of(form)

    def single(self, form, protocol="", **more):
        """One statement of a simple form."""
        protocol = protocol or choose_protocol(self.rng)
        writer, query = self.write(form, protocol != "simple")
        if protocol == "rows in pieces" and (form in WRITES or query.order != "all"):
            protocol = "extended"
        return finished(self.rng, form, query, writer.parameters, protocol, changes=form in WRITES, **more)

    def write(self, form, extended):
        """(writer, query) of a simple form."""
        writer = Writer(self.rng, extended)
        made = getattr(Mistakes(writer, self.schema, self.numbers), {**READS, **WRITES}[form])()
        if isinstance(made, str):
            made = statements.Wrong(made)
        return writer, made

    def text(self, form):
        """A simple form without parameters, and its query."""
        _, query = self.write(form, False)
        return query
