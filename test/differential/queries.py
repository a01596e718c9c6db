"""SELECT in all its forms."""

import dataclasses

import pgtypes
import weights
from expressions import Conditions, Source, Writer, comparable
from schema import Column
from weights import pick


@dataclasses.dataclass
class Query:
    """Its text, what its columns are, and how its rows are ordered: "all" (every row has its place), "none", or the
    numbers of the columns whose sequence is defined."""

    sql: str
    columns: list
    order: object = "none"


class Queries:
    """Writes queries over one schema into one statement."""

    def __init__(self, writer: Writer, schema):
        self.writer = writer
        self.rng = writer.rng
        self.schema = schema

    # -- pieces ---------------------------------------------------------------------------------------

    def relation(self, views=True):
        choice = self.schema.tables + (self.schema.views if views and self.rng.random() < 0.12 else [])
        return self.rng.choice(choice)

    def source(self, table=None, alias=True):
        table = table or self.relation()
        name = self.writer.alias("t") if alias else ""
        columns = [column for column in table.columns if not (column.bound and self.rng.random() < 0.9)]
        return Source(name, columns, table)

    def from_item(self, source):
        return f"{source.table.name} {self.rng.choice(('', 'AS '))}{source.alias}" if source.alias else source.table.name

    def where(self, sources, chance=0.8):
        if self.rng.random() > chance:
            return ""
        return f" WHERE {Conditions(self.writer, self.schema, sources).some()}"

    def items(self, sources, at_least_id=True):
        """(text, columns, number of the first `id` or 0)."""
        texts, columns = [], []
        for _ in range(self.rng.randint(1, 5)):
            text, made = self._item(sources)
            texts.append(text)
            columns += made
        if at_least_id and self.rng.random() < 0.7:
            texts.append(sources[0].ref(Column("id", pgtypes.INT4)))
            columns.append(Column("id", pgtypes.INT4))
        return ", ".join(texts), columns

    def _item(self, sources):
        source = self.rng.choice(sources)
        column = self.rng.choice(source.columns)
        ref = source.ref(column)
        what = pick(self.rng, weights.ITEM)
        if what == "star":
            starred = source.table.columns if source.table else source.columns
            return (f"{source.alias}.*" if source.alias else "*"), list(starred)
        if what == "alias":
            name = self.writer.alias("n")
            return f"{ref} AS {name}", [dataclasses.replace(column, name=name)]
        if what == "constant":
            kind = self.rng.choice((pgtypes.INT4, pgtypes.TEXT))
            name = self.writer.alias("n")
            return f"{self.writer.constant(kind, kind.value(self.rng))}::{kind.name} AS {name}", [Column(name, kind)]
        if what in ("expression", "case", "coalesce", "nullif", "scalar"):
            return getattr(self, "_" + what)(sources, ref, column)
        return ref, [column]

    def _expression(self, sources, ref, column):
        name = self.writer.alias("n")
        if column.is_plain and column.type is pgtypes.INT4:
            return f"{ref}::int8 + 1 AS {name}", [Column(name, pgtypes.INT8)]
        if column.is_plain and column.type.is_text:
            return f"lower({ref}) AS {name}", [Column(name, pgtypes.TEXT)]
        return f"{ref} IS NULL AS {name}", [Column(name, pgtypes.BOOL)]

    def _case(self, sources, ref, column):
        name = self.writer.alias("n")
        if column.bound:
            return ref, [column]
        test = Conditions(self.writer, self.schema, sources).some(2)
        other = self.rng.choice(("NULL", ref, self.value(column)))
        return f"CASE WHEN {test} THEN {ref} ELSE {other} END AS {name}", [self._made(name, column)]

    def value(self, column):
        """A constant of the column's type where a value of it stands beside."""
        return pgtypes.quoted(column.value(self.rng))

    def _coalesce(self, sources, ref, column):
        if column.bound or column.type is pgtypes.JSON:
            return ref, [column]
        found = [source.ref(other) for source in sources for other in source.columns
                 if comparable(column, other) and other.type is column.type]
        second = self.rng.choice(found) if found and self.rng.random() < 0.5 else self.value(column)
        name = self.writer.alias("n")
        head = self.rng.choice((ref, ref, ref, f"NULLIF({ref}, {self.value(column)})" if column.allows_equality else ref))
        return f"COALESCE({head}, {second}) AS {name}", [self._made(name, column)]

    def _nullif(self, sources, ref, column):
        if not column.allows_equality:
            return ref, [column]
        name = self.writer.alias("n")
        return f"NULLIF({ref}, {self.value(column)}) AS {name}", [self._made(name, column)]

    def _made(self, name, column):
        """An expression of it: of no table, so not to be grouped or sorted by here."""
        return dataclasses.replace(column, name=name, scheme=column.scheme if column.is_plain else "randomized", unique=False)

    def _scalar(self, sources, ref, column):
        table = self.rng.choice(self.schema.tables)
        alias, name = self.writer.alias("q"), self.writer.alias("n")
        chosen = self.rng.choice([other for other in table.columns if not other.bound])
        return (f"(SELECT {alias}.{chosen.name} FROM {table.name} {alias} WHERE {alias}.id = "
                f"{sources[0].ref(Column('id', pgtypes.INT4))}) AS {name}", [self._made(name, chosen)])

    def ids(self, sources):
        return ", ".join(source.ref(Column("id", pgtypes.INT4)) for source in sources)

    def tail(self, sources):
        """ORDER BY with all ids at its end, perhaps LIMIT; or nothing."""
        rng = self.rng
        if rng.random() < 0.35:
            return "", "none"
        keys = []
        for source in sources:
            sortable = [column for column in source.columns if column.allows_order]
            if sortable and rng.random() < 0.5:
                ways = ("", "", " DESC", " ASC NULLS FIRST", " DESC NULLS LAST")
                keys.append(source.ref(rng.choice(sortable)) + rng.choice(ways))
        text = " ORDER BY " + ", ".join([*keys, self.ids(sources)])
        if rng.random() < 0.35:
            text += f" LIMIT {self.number(rng.randint(0, 12))}"
            text += f" OFFSET {self.number(rng.randint(0, 4))}" if rng.random() < 0.5 else ""
        return text, "all"

    def number(self, value):
        if self.writer.extended and self.rng.random() < 0.5:
            return self.writer.parameter(pgtypes.INT8, str(value))
        return str(value)

    # -- forms ----------------------------------------------------------------------------------------

    def select(self, table=None):
        source = self.source(table, self.rng.random() < 0.5)
        if self.rng.random() < 0.03:
            return Query(f"TABLE {source.table.name}", source.table.columns)
        if self.rng.random() < 0.15:
            text, columns = "*", list(source.table.columns)
        else:
            text, columns = self.items([source])
        end, order = self.tail([source])
        lock = ""
        if source.table.is_table and self.rng.random() < 0.05:
            lock = self.rng.choice((" FOR UPDATE", " FOR NO KEY UPDATE", " FOR SHARE SKIP LOCKED", " FOR UPDATE NOWAIT"))
        return Query(f"SELECT {text} FROM {self.from_item(source)}{self.where([source])}{end}{lock}", columns, order)

    def join(self):
        sources = [self.source()]
        text = self.from_item(sources[0])
        for _ in range(self.rng.choice((1, 1, 2))):
            text = self._joined(text, sources)
        listed, columns = self.items(sources)
        end, order = self.tail(sources)
        return Query(f"SELECT {listed} FROM {text}{self.where(sources, 0.6)}{end}", columns, order)

    def _joined(self, text, sources):
        kind = pick(self.rng, weights.JOIN)
        source = self.source()
        left = self.rng.choice(sources)
        if kind == "USING":
            # The merged column loses its alias: only the others are used further on.
            sources.append(source)
            return f"({text} LEFT JOIN {self.from_item(source)} USING (id))" if len(sources) == 2 else \
                f"{text} LEFT JOIN {self.from_item(source)} ON {source.alias}.id = {left.alias}.ref"
        if kind == "CROSS JOIN":
            sources.append(source)
            return f"{text} CROSS JOIN {self.from_item(source)}"
        if kind == "LATERAL":
            inner = self.source()
            alias = self.writer.alias("l")
            kept = [column for column in inner.columns if not column.bound]
            sources.append(Source(alias, kept))
            return (f"{text} CROSS JOIN LATERAL (SELECT {', '.join(inner.ref(column) for column in kept)} FROM "
                    f"{self.from_item(inner)} WHERE {inner.alias}.ref = {left.alias}.id) {alias}")
        condition = self._on(left, source)
        sources.append(source)
        return f"{text} {kind} {self.from_item(source)} ON {condition}"

    def _on(self, left, right):
        pairs = [(one, other) for one in left.columns for other in right.columns
                 if not one.is_plain and comparable(one, other)]
        if pairs and self.rng.random() < 0.5:
            one, other = self.rng.choice(pairs)
            return f"{left.alias}.{one.name} = {right.alias}.{other.name}"
        return self.rng.choice((f"{right.alias}.id = {left.alias}.ref", f"{left.alias}.id = {right.alias}.id"))

    def distinct(self):
        source = self.source()
        kinds = [column for column in source.columns if column.allows_equality]
        if self.rng.random() < 0.3:
            key = self.rng.choice([column for column in source.columns if column.allows_order])
            listed = [key, *self.rng.sample([column for column in source.columns if not column.bound], 2)]
            text = ", ".join(source.ref(column) for column in listed)
            return Query(f"SELECT DISTINCT ON ({source.ref(key)}) {text} FROM {self.from_item(source)}{self.where([source])} "
                         f"ORDER BY {source.ref(key)}, {source.ref(Column('id', pgtypes.INT4))}", listed, "all")
        listed = self.rng.sample(kinds, min(len(kinds), self.rng.randint(1, 3)))
        text = ", ".join(source.ref(column) for column in listed)
        end, order = self.sorted_by(listed)
        return Query(f"SELECT DISTINCT {text} FROM {self.from_item(source)}{self.where([source])}{end}", listed, order)

    def sorted_by(self, listed, chance=0.6):
        """ORDER BY numbers of all columns that can be sorted by; every row has its place if that is all of them."""
        keys = [number for number, column in enumerate(listed) if column.allows_order]
        if not keys or self.rng.random() > chance:
            return "", "none"
        text = " ORDER BY " + ", ".join(f"{number + 1}{self.rng.choice(('', ' DESC'))}" for number in keys)
        return text, tuple(keys)

    def case(self):
        """A list of CASE, COALESCE and NULLIF, and conditions with them."""
        source = self.source(self.relation(False))
        parts = [self.rng.choice((self._case, self._coalesce, self._nullif))([source], source.ref(column), column)
                 for column in self.rng.sample(source.columns, min(3, len(source.columns)))]
        listed = ", ".join(text for text, _ in parts)
        end, order = self.tail([source])
        return Query(f"SELECT {listed} FROM {self.from_item(source)}{self.where([source], 0.5)}{end}",
                     [column for _, made in parts for column in made], order)

    def plain(self):
        """Touches nothing protected."""
        rng = self.rng
        return Query(rng.choice((
            "SELECT 1", "SELECT now() IS NOT NULL, version() <> ''", "SELECT generate_series(1, 5) AS n",
            "SELECT n, n * n FROM generate_series(1, 4) n ORDER BY n", "SELECT 'a' || 'b', 1.50::numeric(5,1), date '2020-01-01'",
            "SELECT row_number() OVER () FROM generate_series(1, 3)", "SELECT ARRAY[1, 2], ROW(1, 'x'), NULL",
            "SELECT coalesce(NULL, 'x'), nullif(1, 1), greatest(1, 3, 2)", "SELECT pg_advisory_lock(7), pg_advisory_unlock(7)",
            "SELECT current_schema, current_user", "SELECT to_char(timestamp '2020-01-02', 'YYYY'), interval '-3 hours' * 2")), [], "all")

    def catalog(self):
        table = self.rng.choice(self.schema.tables)
        return Query(self.rng.choice((
            f"SELECT attname, format_type(atttypid, atttypmod), attnotnull FROM pg_attribute WHERE attrelid = '{table.name}'::regclass "
            "AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
            f"SELECT column_name, data_type, is_nullable, character_maximum_length FROM information_schema.columns "
            f"WHERE table_name = '{table.name}' ORDER BY ordinal_position",
            f"SELECT indexrelid::regclass::text, indisunique FROM pg_index WHERE indrelid = '{table.name}'::regclass ORDER BY 1",
            f"SELECT conname, contype FROM pg_constraint WHERE conrelid = '{table.name}'::regclass ORDER BY 1",
            f"SELECT relname, relkind FROM pg_class WHERE relname LIKE 't{self.schema.number}%' ORDER BY 1")), [], "all")
