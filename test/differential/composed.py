"""Queries made of queries: aggregates, windows, set operations, WITH, sub-queries."""

import dataclasses

import pgtypes
from expressions import Conditions, Source
from queries import Queries, Query
from schema import Column

ID = Column("id", pgtypes.INT4)


class Composed(Queries):
    """Adds them to the simple forms."""

    # -- aggregates -----------------------------------------------------------------------------------

    def aggregate(self):
        source = self.source()
        if self.rng.random() < 0.3:
            calls = [self._call(source) for _ in range(self.rng.randint(1, 3))]
            return Query(f"SELECT {', '.join(text for text, _ in calls)} FROM {self.from_item(source)}{self.where([source])}",
                         [column for _, column in calls], "all")
        return self._grouped(source)

    def _grouped(self, source):
        rng = self.rng
        possible = [column for column in source.columns if column.allows_equality]
        listed = rng.sample(possible, min(len(possible), rng.choice((1, 1, 2))))
        refs = [source.ref(column) for column in listed]
        calls = [self._call(source) for _ in range(rng.randint(1, 2))]
        columns = listed + [column for _, column in calls]
        by = ", ".join(refs)
        if len(refs) > 1 and rng.random() < 0.25:
            by = rng.choice((f"ROLLUP ({by})", f"CUBE ({by})", f"GROUPING SETS (({refs[0]}), ({refs[1]}), ())"))
        elif rng.random() < 0.15:
            by = ", ".join(str(number + 1) for number in range(len(refs)))
        text = f"SELECT {', '.join(refs + [text for text, _ in calls])} FROM {self.from_item(source)}{self.where([source])}" \
               f" GROUP BY {by}"
        if rng.random() < 0.3:
            text += f" HAVING {rng.choice(('count(*) > 1', f'count({source.ref(rng.choice(source.columns))}) >= 1'))}"
        end, order = self.sorted_by(columns)
        return Query(text + end, columns, order)

    def _call(self, source):
        """(text, column) of an aggregate whose result does not depend on the order of rows."""
        rng = self.rng
        name = self.writer.alias("n")
        column = rng.choice(source.columns)
        ref = source.ref(column)
        form = rng.random()
        if form < 0.25:
            text, made = "count(*)", Column(name, pgtypes.INT8)
        elif form < 0.45:
            text, made = f"count({ref})", Column(name, pgtypes.INT8)
        elif form < 0.6 and column.allows_equality:
            text, made = f"count(DISTINCT {ref})", Column(name, pgtypes.INT8)
        elif column.allows_order and has_extremes(column.type):
            word = rng.choice(("min", "max"))
            text, made = f"{word}({ref})", dataclasses.replace(column, name=name, unique=False)
            if column.type.is_text and column.type is not pgtypes.CHAR and column.is_plain:
                made.type = pgtypes.TEXT
        elif column.is_plain and column.type in (pgtypes.INT4, pgtypes.INT2):
            text, made = f"sum({ref})", Column(name, pgtypes.INT8)
        else:
            text, made = f"string_agg({source.ref(ID)}::text, ',' ORDER BY {source.ref(ID)})", Column(name, pgtypes.TEXT)
        if rng.random() < 0.1:
            text += f" FILTER (WHERE {Conditions(self.writer, self.schema, [source]).some(2)})"
        return (f"{text} AS {name}" if rng.random() < 0.5 else text), made

    def window(self):
        rng = self.rng
        source = self.source()
        sortable = [source.ref(column) for column in source.columns if column.allows_order]
        groups = [source.ref(column) for column in source.columns if column.allows_equality]
        by = f"PARTITION BY {rng.choice(groups)} " if rng.random() < 0.5 else ""
        key = source.ref(ID)
        over = f"{by}ORDER BY {rng.choice(sortable)}{rng.choice(('', ' DESC'))}, {key}"
        frame = rng.choice(("", "", " ROWS BETWEEN 1 PRECEDING AND CURRENT ROW", " GROUPS 2 PRECEDING",
                            " RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW"))
        call = rng.choice(("row_number()", "rank()", "dense_rank()", "count(*)", f"sum({key})", f"lag({key})", "ntile(3)",
                           f"first_value({key})", f"max({rng.choice(self._extremes(source))})"))
        listed, columns = self.items([source])
        text = f"SELECT {listed}, {call} OVER "
        named = rng.random() < 0.25
        text += f"w FROM {self.from_item(source)}" if named else f"({over}{frame}) FROM {self.from_item(source)}"
        text += self.where([source], 0.5)
        text += f" WINDOW w AS ({over})" if named else ""
        return Query(f"{text} ORDER BY {key}", columns, "all")

    def _extremes(self, source):
        return [source.ref(column) for column in source.columns if column.allows_order and has_extremes(column.type)]

    # -- set operations -------------------------------------------------------------------------------

    def set_operation(self):
        """Two selects of columns that fit each other."""
        rng = self.rng
        left, right = self.source(), self.source()
        pairs = [(one, other) for one in left.columns for other in right.columns if self._fit(one, other)]
        word = rng.choice(("UNION ALL", "UNION ALL", "UNION", "INTERSECT", "EXCEPT", "EXCEPT ALL"))
        if word != "UNION ALL":
            pairs = [(one, other) for one, other in pairs if one.allows_equality]
        chosen = rng.sample(pairs, min(len(pairs), rng.randint(1, 3)))
        texts = [", ".join(source.ref(pair[side]) for pair in chosen) for side, source in enumerate((left, right))]
        columns = [dataclasses.replace(one, unique=False) for one, _ in chosen]
        text = f"SELECT {texts[0]} FROM {self.from_item(left)}{self.where([left], 0.5)} {word} " \
               f"SELECT {texts[1]} FROM {self.from_item(right)}{self.where([right], 0.5)}"
        end, order = self.sorted_by(columns, 0.5)
        return Query(text + end, columns, order)

    @staticmethod
    def _fit(one, other):
        if one.bound or other.bound or one.type is not other.type:
            return False
        return one.is_plain and other.is_plain if one.is_plain or other.is_plain else one.context == other.context

    # -- WITH and sub-queries ---------------------------------------------------------------------------

    def derived(self):
        """(text, source's columns) of a simple query whose columns have names of their own."""
        inner = self.source(alias=self.rng.random() < 0.6)
        kept = [column for column in inner.columns if not column.bound and column.name != "id"]
        listed = [ID, *self.rng.sample(kept, min(len(kept), self.rng.randint(1, 5)))]
        text = ", ".join(inner.ref(column) for column in listed)
        return f"SELECT {text} FROM {self.from_item(inner)}{self.where([inner], 0.6)}", [
            dataclasses.replace(column, unique=False) for column in listed]

    def with_(self):
        rng = self.rng
        parts, sources = [], []
        for _ in range(rng.choice((1, 1, 2))):
            name = self.writer.alias("w")
            text, columns = self.derived()
            names = ""
            if rng.random() < 0.2:
                columns = [dataclasses.replace(column, name=self.writer.alias("k") if column.name != "id" else "id")
                           for column in columns]
                names = f" ({', '.join(column.name for column in columns)})"
            parts.append(f"{name}{names} AS {rng.choice(('', '', 'MATERIALIZED ', 'NOT MATERIALIZED '))}({text})")
            sources.append(Source(name, columns))
        return self._over(f"WITH {', '.join(parts)} ", sources, [source.alias for source in sources])

    def sub_query(self):
        sources, texts = [], []
        for _ in range(self.rng.choice((1, 1, 2))):
            name = self.writer.alias("d")
            text, columns = self.derived()
            sources.append(Source(name, columns))
            texts.append(f"({text}) {self.rng.choice(('', 'AS '))}{name}")
        if self.rng.random() < 0.4:
            return self._exists()
        return self._over("", sources, texts)

    def _exists(self):
        outer, inner = self.source(), self.source()
        word = self.rng.choice(("EXISTS", "EXISTS", "NOT EXISTS"))
        condition = f"{word} (SELECT 1 FROM {self.from_item(inner)} WHERE {inner.alias}.ref = {outer.ref(ID)} AND " \
                    f"{Conditions(self.writer, self.schema, [inner, outer]).some(1)})"
        listed, columns = self.items([outer])
        end, order = self.tail([outer])
        return Query(f"SELECT {listed} FROM {self.from_item(outer)} WHERE {condition}{end}", columns, order)

    def _over(self, head, sources, texts):
        joined = texts[0]
        for number, text in enumerate(texts[1:], 1):
            joined += f" JOIN {text} ON {sources[number].alias}.id = {sources[0].alias}.id"
        # Only simple items: a `*` of a query is its columns.
        listed, columns = self.items(sources)
        end, order = self.tail(sources)
        return Query(f"{head}SELECT {listed} FROM {joined}{self.where(sources, 0.5)}{end}", columns, order)

    def recursive(self):
        rng = self.rng
        table = rng.choice(self.schema.tables)
        column = rng.choice([column for column in table.columns[3:] if not column.bound])
        listed = rng.sample((ID, column), 2)
        first = ", ".join(one.name for one in listed)
        second = ", ".join(f"x.{one.name}" for one in listed)
        start = Conditions(self.writer, self.schema, [Source("", table.columns, table)]).some(2)
        return Query(f"WITH RECURSIVE w ({first}, depth) AS (SELECT {first}, 1 FROM {table.name} WHERE {start} UNION ALL "
                     f"SELECT {second}, w.depth + 1 FROM {table.name} x JOIN w ON x.ref = w.id WHERE w.depth < 3) "
                     f"SELECT {first}, depth FROM w", [*listed, Column("depth", pgtypes.INT4)])

    def values(self):
        rows = ", ".join(f"({number}, {self.writer.constant(pgtypes.TEXT, pgtypes.TEXT.value(self.rng))}::text)"
                         for number in range(1, 4))
        source = self.source()
        if self.rng.random() < 0.4:
            return Query(f"VALUES {rows}", [])
        return Query(f"SELECT v.b, {source.ref(self.rng.choice(source.columns))} FROM (VALUES {rows}) v (a, b) JOIN "
                     f"{self.from_item(source)} ON {source.ref(ID)} = v.a ORDER BY v.a", [], "all")

    def view(self):
        return self.select(self.rng.choice(self.schema.views))


def has_extremes(kind):
    """min() and max() exist before PostgreSQL 18."""
    return kind not in (pgtypes.BOOL, pgtypes.BYTEA, pgtypes.UUID, pgtypes.JSONB) and not kind.name.startswith("int4[")
