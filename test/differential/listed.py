"""Lists of values and of rows: keys beside any column, the least and the greatest, set operations with constants, clauses of
FROM that pick rows."""

import dataclasses

import pgtypes
from composed import Composed, ID, has_extremes
from expressions import Conditions, Source, comparable
from queries import Query
from schema import Column


class Listed(Composed):
    """Adds them to the other queries."""

    # -- a unique key tells rows apart ------------------------------------------------------------------

    def keyed(self):
        """DISTINCT, GROUP BY or UNION of columns of every scheme, with `id` among them."""
        rng = self.rng
        source = self.source(rng.choice(self.schema.tables))
        possible = [column for column in source.columns if column.type.groups and column.name != "id"]
        listed = [ID, *rng.sample(possible, min(len(possible), rng.randint(1, 4)))]
        rng.shuffle(listed)
        text = ", ".join(source.ref(column) for column in listed)
        tail = f"FROM {self.from_item(source)}{self.where([source])}"
        order = f" ORDER BY {listed.index(ID) + 1}"
        form = rng.choice(("distinct", "distinct", "derived", "on", "group", "rollup", "union"))
        if form == "distinct":
            return Query(f"SELECT DISTINCT {text} {tail}{order}", listed, "all")
        if form == "derived":
            return Query(f"SELECT count(*) FROM (SELECT DISTINCT {text} {tail}) s", [], "all")
        if form == "on":
            return Query(f"SELECT DISTINCT ON ({text}) {text} {tail}", listed)
        if form == "group":
            return Query(f"SELECT {text}, count(*) {tail} GROUP BY {text}{order}", listed, "all")
        if form == "rollup":
            other = next(column for column in listed if column.name != "id")
            return Query(f"SELECT {source.ref(ID)}, {source.ref(other)}, count(*) {tail} GROUP BY {source.ref(ID)}, "
                         f"ROLLUP ({source.ref(other)})", [])
        again = self.source(source.table)
        second = ", ".join(again.ref(column) for column in listed)
        word = rng.choice(("UNION", "UNION", "INTERSECT", "EXCEPT"))
        return Query(f"SELECT {text} {tail} {word} SELECT {second} FROM {self.from_item(again)}{self.where([again])}{order}",
                     listed, "all")

    # -- the least and the greatest ----------------------------------------------------------------------

    def extreme(self):
        """One MIN or MAX of one table, alone or in a condition."""
        rng = self.rng
        source = self.source(rng.choice(self.schema.tables), rng.random() < 0.5)
        column = rng.choice([column for column in source.columns if column.allows_order and has_extremes(column.type)])
        word, label = rng.choice(("min", "max")), rng.choice(("", "", " AS m", " m", ' AS "From"'))
        text = f"SELECT {word}({source.ref(column)}){label} FROM {self.from_item(source)}{self.where([source], 0.7)}"
        if rng.random() < 0.6:
            return Query(text, [], "all")
        outer = self.source(source.table)
        return Query(f"SELECT {outer.ref(ID)} FROM {self.from_item(outer)} WHERE {outer.ref(column)} = ({text}) ORDER BY 1",
                     [ID], "all")

    def greatest(self):
        rng = self.rng
        source = self.source()
        column = rng.choice([column for column in source.columns if column.allows_order])
        others = [source.ref(other) for other in source.columns if comparable(column, other) and other.type is column.type]
        arms = [source.ref(column)]
        arms += [rng.choice((self.value(column), rng.choice(others), "NULL")) for _ in range(rng.randint(1, 2))]
        rng.shuffle(arms)
        end, order = self.tail([source])
        return Query(f"SELECT {rng.choice(('GREATEST', 'LEAST'))}({', '.join(arms)}) AS g, {source.ref(ID)} FROM "
                     f"{self.from_item(source)}{self.where([source], 0.4)}{end}", [], order)

    # -- lists of constants --------------------------------------------------------------------------------

    def constants(self):
        """A column beside constants in a set operation, text beside varchar."""
        rng = self.rng
        source = self.source()
        column = rng.choice([column for column in source.columns if not column.bound])
        if column.type.is_text and rng.random() < 0.5:
            others = [other for other in source.columns if not other.bound and other.is_plain == column.is_plain
                      and {other.type, column.type} <= {pgtypes.TEXT, pgtypes.VARCHAR}]
            if others and column.type is not pgtypes.CHAR:
                return Query(f"SELECT {source.ref(ID)}, COALESCE({source.ref(column)}, {source.ref(rng.choice(others))}) FROM "
                             f"{self.from_item(source)}{self.where([source], 0.4)} ORDER BY 1", [], "all")
        words = ("UNION ALL", "UNION ALL", "UNION", "EXCEPT", "INTERSECT") if column.allows_equality else ("UNION ALL",)
        parts = [f"SELECT {source.ref(column)} FROM {self.from_item(source)}{self.where([source], 0.4)}"]
        parts += [f"SELECT {rng.choice((self.value(column), 'NULL'))}" for _ in range(rng.choice((1, 1, 2)))]
        return Query(f" {rng.choice(words)} ".join(parts), [])

    def rows(self):
        """Rows compared with those of a sub-query."""
        rng = self.rng
        outer, inner = self.source(), self.source()
        pairs = [(one, other) for one in outer.columns for other in inner.columns
                 if comparable(one, other) and one.allows_equality and other.allows_equality]
        one, other = rng.choice(pairs)
        left, right = [outer.ref(one), outer.ref(ID)], [inner.ref(other), inner.ref(ID)]
        sign = rng.choice(("IN", "NOT IN", "= ANY", "<> ALL"))
        return Query(f"SELECT {outer.ref(ID)} FROM {self.from_item(outer)} WHERE ({', '.join(left)}) {sign} (SELECT "
                     f"{', '.join(right)} FROM {self.from_item(inner)}{self.where([inner], 0.5)}) ORDER BY 1", [], "all")

    # -- which rows, and in which order ----------------------------------------------------------------------

    def picked(self):
        """TABLESAMPLE, WITH TIES, USING (...) AS, SEARCH and CYCLE."""
        return getattr(self, "_" + self.rng.choice(("sampled", "ties", "merged", "searched")))()

    def _sampled(self):
        source = self.source(self.rng.choice([table for table in self.schema.tables if table.kind == "table"]))
        seed = self.rng.choice(("", " REPEATABLE (3)"))
        listed, columns = self.items([source])
        return Query(f"SELECT {listed} FROM {self.from_item(source)} TABLESAMPLE {self.rng.choice(('bernoulli', 'system'))} (100)"
                     f"{seed}{self.where([source], 0.5)}", columns)

    def _ties(self):
        source = self.source()
        column = self.rng.choice([column for column in source.columns if column.allows_order])
        way = self.rng.choice(("", " DESC", " NULLS FIRST"))
        return Query(f"SELECT {source.ref(column)}, {source.ref(ID)} FROM {self.from_item(source)}{self.where([source], 0.5)} "
                     f"ORDER BY {source.ref(column)}{way} FETCH FIRST {self.rng.randint(1, 6)} ROWS WITH TIES", [column, ID], (0,))

    def _merged(self):
        left, right = self.source(), self.source()
        column = self.rng.choice([column for column in right.columns if not column.bound])
        return Query(f"SELECT j.id, {right.ref(column)} FROM {self.from_item(left)} JOIN {self.from_item(right)} USING (id) AS j "
                     f"WHERE j.id < {self.number(9)} ORDER BY j.id", [ID, column], "all")

    def _searched(self):
        rng = self.rng
        table = rng.choice(self.schema.tables)
        column = rng.choice([column for column in table.columns[3:] if not column.bound])
        start = Conditions(self.writer, self.schema, [Source("", table.columns, table)]).some(2)
        clause = f"SEARCH {rng.choice(('DEPTH', 'BREADTH'))} FIRST BY id SET place"
        clause += rng.choice(("", " CYCLE id SET again USING path", " CYCLE id SET again TO 'y' DEFAULT 'n' USING path"))
        return Query(f"WITH RECURSIVE w AS (SELECT id, {column.name}, 1 AS depth FROM {table.name} WHERE {start} UNION ALL "
                     f"SELECT x.id, x.{column.name}, w.depth + 1 FROM {table.name} x JOIN w ON x.ref = w.id WHERE w.depth < 3) "
                     f"{clause} SELECT id, {column.name}, depth FROM w ORDER BY place, depth", [ID, column])
