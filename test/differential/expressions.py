"""Values and conditions: what may stand in an expression, by the type and the scheme of its columns."""

import dataclasses

import pgtypes
import weights
from weights import pick

OPERATORS = ("<", "<=", ">", ">=")


@dataclasses.dataclass
class Source:
    """A relation in FROM under an alias; `columns` as they are visible there."""

    alias: str
    columns: list
    table: object = None

    def ref(self, column):
        return f"{self.alias}.{column.name}" if self.alias else column.name


class Writer:
    """One statement while it is written: its constants become literals, or parameters if it is an extended one."""

    def __init__(self, rng, extended=False):
        self.rng = rng
        self.extended = extended
        self.parameters = []
        self.reusable = []  # (type, whether its column is plain, "$1")
        self.names = 0

    def alias(self, stem="s"):
        self.names += 1
        return f"{stem}{self.names}"

    def parameter(self, kind, value, declared=False):
        self.parameters.append((kind, value, kind.oid if declared else 0))
        return f"${len(self.parameters)}"

    def constant(self, kind, value):
        """In a place where PostgreSQL knows the type from the other side."""
        if self.extended and self.rng.random() < weights.PARAMETER:
            return self.parameter(kind, value, self.rng.random() < 0.1)
        return pgtypes.literal(kind, value, self.rng)

    def again(self, column, make):
        """What make() gives for the column, or seldom a parameter that stands in the statement already."""
        known = [name for kind, is_plain, name in self.reusable if kind is column.type and is_plain == column.is_plain]
        if known and self.rng.random() < weights.PARAMETER_AGAIN:
            return self.rng.choice(known)
        text = make(column)
        if text == f"${len(self.parameters)}":
            self.reusable.append((column.type, column.is_plain, text))
        return text

    def compared(self, column):
        """A constant to compare with a column: of its type, seldom of another."""
        return self.again(column, self._compared)

    def _compared(self, column):
        rng = self.rng
        value = column.value(rng)
        if column.type in (pgtypes.INT2, pgtypes.INT4, pgtypes.INT8) and rng.random() < weights.OF_ANOTHER_TYPE:
            return f"{rng.choice(pgtypes.NUMBERS)}::{rng.choice(('int2', 'int4', 'int8', 'numeric'))}"
        if rng.random() < 0.02:
            value = None
        if column.type in (pgtypes.CHAR, pgtypes.VARCHAR, pgtypes.TEXT) and not self.extended:
            return pgtypes.quoted(value) if value is not None else "NULL"
        if column.type in (pgtypes.FLOAT4, pgtypes.NUMERIC, pgtypes.TIMESTAMP3, pgtypes.CHAR, pgtypes.VARCHAR) and value is not None:
            return self.parameter(column.type, value) if self.extended and rng.random() < 0.7 else pgtypes.quoted(value)
        return self.constant(column.type, value)


class Conditions:
    """WHERE, ON and HAVING over some sources. `schema` gives the tables for sub-queries."""

    def __init__(self, writer, schema, sources):
        self.writer = writer
        self.rng = writer.rng
        self.schema = schema
        self.sources = sources

    def some(self, depth=0):
        """A condition of one to three parts."""
        parts = [self._part(depth) for _ in range(self.rng.choice((1, 1, 1, 2, 2, 3)))]
        text = parts[0]
        for part in parts[1:]:
            text += f" {self.rng.choice(('AND', 'AND', 'OR'))} {part}"
        return f"({text})" if len(parts) > 1 else text

    def _part(self, depth):
        rng = self.rng
        source = rng.choice(self.sources)
        column = rng.choice(source.columns)
        text = self.of_column(source, column, depth)
        return f"NOT ({text})" if rng.random() < 0.06 else text

    def of_column(self, source, column, depth=0):
        ref = source.ref(column)
        if self.rng.random() < weights.BEYOND:
            return self._beyond(ref, column)
        if column.is_plain and self.rng.random() < 0.15:
            return self._plain(ref, column)
        use = pick(self.rng, weights.CONDITION)
        if use == "null" or not column.allows_equality:
            return f"{ref} IS {self.rng.choice(('', 'NOT '))}NULL"
        if use in ("range", "between", "row"):
            if not column.allows_order:
                use = "equal"
        return getattr(self, "_" + use.replace(" ", "_").replace("-", "_"))(source, ref, column, depth)

    def _equal(self, _source, ref, column, _depth):
        sign = self.rng.choice(("=", "=", "=", "<>", "!="))
        constant = self.writer.compared(column)
        text = f"{constant} {sign} {ref}" if self.rng.random() < 0.1 else f"{ref} {sign} {constant}"
        if constant.startswith("$") and self.rng.random() < weights.NULL_TEST:
            return self.rng.choice((f"({constant} IS NULL OR {text})", f"({text} OR {constant} IS NULL)"))
        return text

    def _in(self, _source, ref, column, _depth):
        """A list of constants of one kind: untyped literals and parameters."""
        values = [self._item(column) for _ in range(self.rng.randint(1, 4))]
        return f"{ref} {self.rng.choice(('IN', 'IN', 'NOT IN'))} ({', '.join(values)})"

    def _item(self, column):
        value = column.value(self.rng)
        if self.writer.extended and self.rng.random() < 0.7:
            return self.writer.parameter(column.type, value)
        return pgtypes.quoted(value)

    def _distinct_from(self, _source, ref, column, _depth):
        return f"{ref} IS {self.rng.choice(('', 'NOT '))}DISTINCT FROM {self.writer.compared(column)}"

    def _any(self, _source, ref, column, _depth):
        if not column.type.array and column.type is not pgtypes.MOOD:
            return f"{ref} IS NULL"
        values = [column.value(self.rng) for _ in range(self.rng.randint(0, 3))]
        sign, word = self.rng.choice((("=", "ANY"), ("=", "ANY"), ("<>", "ALL")))
        text = array_text(values)
        if self.writer.extended:
            array = pgtypes.Type(column.type.name + "[]", column.type.array, [text])
            return f"{ref} {sign} {word} ({self.writer.parameter(array, text)})"
        return f"{ref} {sign} {word} ({pgtypes.quoted(text)}::{column.type.name}[])"

    def _chosen(self, _source, ref, column, _depth):
        """What hands values on, compared."""
        one, other, third = (pgtypes.quoted(column.value(self.rng)) for _ in range(3))
        return self.rng.choice((
            f"COALESCE({ref}, {one}) = {other}", f"{one} = COALESCE(NULL, {ref})", f"NULLIF({ref}, {one}) IS NULL",
            f"NULLIF({ref}, {one}) <> {other}", f"CASE WHEN {ref} IS NULL THEN {one} ELSE {ref} END IN ({other}, {third})",
            f"CASE {ref} WHEN {one} THEN 1 WHEN {other} THEN 2 ELSE 3 END > 1", f"CASE WHEN {ref} = {one} THEN {ref} = {other} END",
            f"{ref} = CASE WHEN {ref} <> {one} THEN {other} ELSE {third} END", f"{ref} IN ({one}, NULL, {ref})"))

    def _listed(self, source, ref, column, depth):
        """Lists that are no IN of constants."""
        kind, rng = column.type.name, self.rng
        one, other = (self._item(column) + f"::{kind}" for _ in range(2))
        rows = f"VALUES ({one}), ({other})"
        if self.writer.extended:
            return rng.choice((f"{ref} = ANY (ARRAY[{one}, {other}])", f"{ref} IN ({rows})", f"{ref} = ANY ({rows})"))
        alias = f"{source.alias}." if source.alias else ""
        return rng.choice((
            f"{ref} = ANY (ARRAY[{one}, {other}])", f"{ref} <> ALL (ARRAY[{one}, NULL]::{kind}[])", f"{ref} IN ({rows})",
            f"{ref} = ANY ({rows})", f"EXISTS (SELECT 1 FROM ({rows}) v (p) WHERE v.p = {ref})",
            f"({alias}id, {ref}) IN ((1, {one}), (2, {other}))", f"{ref} = ({self.rng.choice((one, other))})"))

    def _sub_query(self, _source, ref, column, depth):
        found = self.partners(column)
        if not found or depth > 1:
            return f"{ref} IS NOT NULL"
        table, other = self.rng.choice(found)
        alias = self.writer.alias("q")
        inner = Conditions(self.writer, self.schema, [Source(alias, table.columns, table)])
        query = f"SELECT {alias}.{other.name} FROM {table.name} {alias}"
        if self.rng.random() < 0.7:
            query += f" WHERE {inner.some(depth + 1)}"
        form = self.rng.choice(("IN", "IN", "NOT IN", "= ANY", "= scalar"))
        if form == "= scalar":
            return f"{ref} = (SELECT {alias}.{other.name} FROM {table.name} {alias} WHERE {alias}.id = {self.rng.randint(1, 14)})"
        return f"{ref} {form} ({query})"

    def partners(self, column):
        """(table, column) that may be compared with this one."""
        return [(table, other) for table in self.schema.tables for other in table.columns
                if comparable(column, other)]

    def _column(self, _source, ref, column, _depth):
        found = [(source, other) for source in self.sources for other in source.columns
                 if comparable(column, other) and source.ref(other) != ref]
        if not found:
            return f"{ref} = {ref}" if self.rng.random() < 0.2 else f"{ref} IS NOT NULL"
        source, other = self.rng.choice(found)
        sign = self.rng.choice(("=", "=", "<>", *(OPERATORS if column.allows_order else ())))
        return f"{ref} {sign} {source.ref(other)}"

    def _range(self, _source, ref, column, _depth):
        return f"{ref} {self.rng.choice(OPERATORS)} {self.writer.compared(column)}"

    def _between(self, _source, ref, column, _depth):
        word = self.rng.choice(("BETWEEN", "BETWEEN", "NOT BETWEEN", "BETWEEN SYMMETRIC"))
        return f"{ref} {word} {self.writer.compared(column)} AND {self.writer.compared(column)}"

    def _row(self, source, ref, column, _depth):
        """Keyset paging, and pairs that are equal."""
        names = [other.name for other in source.columns]
        if "id" not in names:
            return f"{ref} IS NOT NULL"
        sign = self.rng.choice((">", "<", ">=", "="))
        return f"({ref}, {source.alias + '.' if source.alias else ''}id) {sign} ({self.writer.compared(column)}, " \
               f"{self.rng.randint(0, 9)})"

    def _plain(self, ref, column):
        """What only plain columns can do."""
        kind, rng = column.type, self.rng
        if kind.is_text:
            return rng.choice((f"{ref} LIKE '%e%'", f"upper({ref}) = 'A'", f"length({ref}) > 2", f"{ref} || 'x' <> 'ax'",
                               f"{ref} ILIKE 'Z%'", f"{ref} ~ '^[a-z]+$'"))
        if kind in (pgtypes.INT2, pgtypes.INT4):
            return rng.choice((f"{ref} % 2 = 0", f"abs({ref}::int8) > 3", f"{ref} / 2 < 10", f"-({ref}::int8) < 0"))
        if kind is pgtypes.BOOL:
            return rng.choice((ref, f"NOT {ref}", f"{ref} IS TRUE", f"{ref} IS NOT FALSE"))
        if kind is pgtypes.JSONB:
            return rng.choice((f"{ref} ? 'a'", f"{ref} @> '[1, 2]'", f"{ref} ->> 'a' IS NULL"))
        if kind is pgtypes.DATE:
            return f"{ref} + 1 > '1999-12-31'"
        return f"{ref} IS NOT NULL"

    def _beyond(self, ref, column):
        """PostgreSQL accepts these; on a protected column most are refused."""
        kind, rng = column.type, self.rng
        if kind.is_text:
            return rng.choice((f"{ref} LIKE 'Z%'", f"upper({ref}) LIKE upper('z%')", f"{ref} || 'x' = 'ax'", f"length({ref}) = 1"))
        if kind.is_number:
            return rng.choice((f"{ref} + 0 = 1", f"{ref}::text = '1'", f"{ref} < 2.5", f"{ref} < 2", f"{ref} >= 0"))
        if kind is pgtypes.BOOL:
            return ref
        if kind.groups and kind.name not in ("bytea",):
            return f"{ref} > {pgtypes.quoted(kind.value(rng))}"
        return f"{ref}::text <> ''"


def comparable(column, other):
    """Both plain and of one type, or of one context."""
    if column.is_plain or other.is_plain:
        return column.is_plain and other.is_plain and column.type is other.type and column.type.groups
    return column.context == other.context and column.allows_equality and other.allows_equality


def array_text(values):
    escaped = [value.replace("\\", "\\\\").replace('"', '\\"') for value in values]
    return "{" + ",".join(f'"{value}"' for value in escaped) + "}"
