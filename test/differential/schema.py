"""A random schema: tables with keys, columns of all types and schemes, views over them, and the policy that fits."""

import dataclasses

import pgtypes
import weights

ROWS = 14
PROTECTED = ("randomized", "equality", "order")
ODD = ('"Mixed Case"', '"select"', '"über"', '"tab.dot"', '"o\'clock"')


@dataclasses.dataclass
class Column:
    """`context` names what it may be compared with; empty for plain columns."""

    name: str
    type: pgtypes.Type
    scheme: str = "plain"
    context: str = ""
    not_null: bool = False
    unique: bool = False
    options: dict = dataclasses.field(default_factory=dict)
    default: str = ""

    @property
    def is_plain(self):
        return self.scheme == "plain"

    @property
    def bound(self):
        return "bind_to" in self.options

    @property
    def allows_equality(self):
        return self.type.groups and self.scheme in ("plain", "equality", "order")

    @property
    def allows_order(self):
        return self.type.groups and self.scheme in ("plain", "order")

    def value(self, rng, any_value=None):
        """One of the type's. Plain and protected columns share few: the proxy refuses a statement that says one constant
        in both."""
        if rng.random() < (weights.ANY_VALUE if any_value is None else any_value):
            return rng.choice(self.type.pool)
        return rng.choice(self.type.half(self.is_plain))

    def sql(self):
        parts = [self.name, self.type.name]
        parts += [f"DEFAULT {self.default}"] if self.default else []
        parts += ["NOT NULL"] if self.not_null else []
        parts += ["UNIQUE"] if self.unique else []
        return " ".join(parts)


@dataclasses.dataclass
class Table:
    """A table or view. Its columns `id` (unique), `ref` and `grp` are plain. `of`: what it is a partition or child of."""

    name: str
    columns: list
    kind: str = "table"
    key: str = "id"
    parent: str = ""
    definition: str = ""
    ids: int = ROWS
    writable: bool = False
    of: str = ""
    bounds: str = ""

    def column(self, name):
        return next(column for column in self.columns if column.name == name)

    @property
    def is_table(self):
        return self.kind != "view"

    @property
    def is_whole(self):
        """Its rows are found nowhere else."""
        return self.kind not in ("partition", "child")

    @property
    def has_key(self):
        return self.key == "id"

    @property
    def bound(self):
        return any(column.bound for column in self.columns)

    def where(self, wanted):
        return [column for column in self.columns if wanted(column)]

    def sql(self):
        lines = [column.sql() for column in self.columns]
        if self.kind == "partition":
            return f"CREATE TABLE {self.name} PARTITION OF {self.of} {self.bounds}"
        if self.kind == "child":
            return f"CREATE TABLE {self.name} (own text) INHERITS ({self.of})"
        if self.kind == "partitioned":
            lines += [f"PRIMARY KEY ({self.key})"] if self.key else []
            return f"CREATE TABLE {self.name} ({', '.join(lines)}) PARTITION BY {self.bounds}"
        lines.append(f"PRIMARY KEY ({self.key})")
        if self.parent:
            lines.append(f"FOREIGN KEY (ref) REFERENCES {self.parent} (id)")
        lines.append(f"CONSTRAINT {self.name}_grp CHECK (grp >= 0)")
        return f"CREATE TABLE {self.name} ({', '.join(lines)})"


class Abilities:
    """Which (type, scheme) the policy of this build can have; the others are left plain and named in the report."""

    def __init__(self, accepted):
        self.accepted = set(accepted)

    def allows(self, kind, scheme):
        return scheme == "plain" or (kind.name, scheme) in self.accepted

    def missing(self):
        return [f"{name} {scheme}" for name in weights.TYPE for scheme in PROTECTED if (name, scheme) not in self.accepted]


class Schema:
    """Tables, views and rows of one round; the same for one (seed, round) and one set of abilities."""

    def __init__(self, rng, number, abilities):
        self.rng = rng
        self.number = number
        self.abilities = abilities
        self.shared = [self._shared(index) for index in range(3)]
        self.tables = []
        for index in range(4):
            self.tables.append(self._table(f"t{number}_{'abcd'[index]}", index))
        self.tables += self._partitioned(self._table(f"t{number}_p", 4, "partitioned"))
        self.tables.append(self._child(f"t{number}_i"))
        self.views = [self._view(index) for index in range(3)]
        self.views += [self._nested(index) for index in range(2)]
        self.views.append(self._united())

    # -- columns -------------------------------------------------------------------------------------

    def _shared(self, index):
        """A context of its own for columns of several tables."""
        scheme = self.rng.choice(("equality", "order"))
        kinds = [kind for kind in pgtypes.ALL if kind.groups and self.abilities.allows(kind, scheme)]
        kind = self.rng.choices(kinds, [weights.TYPE[kind.name] for kind in kinds])[0]
        return kind, scheme, f"r{self.number}.shared{index}"

    def _column(self, table, name, may_bind):
        rng = self.rng
        if rng.random() < weights.SHARED_CONTEXT:
            kind, scheme, context = rng.choice(self.shared)
            return Column(name, kind, scheme, context, rng.random() < weights.NOT_NULL, options={"context": context})
        kind = pgtypes.BY_NAME[weights.pick(rng, weights.TYPE)]
        scheme = weights.pick(rng, weights.SCHEME)
        if not self.abilities.allows(kind, scheme):
            scheme = "randomized" if self.abilities.allows(kind, "randomized") else "plain"
        column = Column(name, kind, scheme, not_null=rng.random() < weights.NOT_NULL)
        column.context = "" if scheme == "plain" else f"{table}.{name}"
        if scheme == "randomized":
            if rng.random() < weights.PAD_TO:
                column.options["pad_to"] = rng.choice((16, 64))
            if may_bind and rng.random() < weights.BIND_TO:
                column.options["bind_to"] = ["id"]
        return column

    def _table(self, name, index, kind="table"):
        rng = self.rng
        columns = [Column("id", pgtypes.INT4, not_null=True), Column("ref", pgtypes.INT4),
                   Column("grp", pgtypes.INT4, not_null=True, default="0")]
        odd = rng.sample(ODD, len(ODD))
        for number in range(rng.randint(5, 9)):
            odd_one = odd and rng.random() < weights.ODD_NAME
            columns.append(self._column(name, odd.pop() if odd_one else f"c{number}", kind == "table"))
        columns.append(self._shared_column())
        table = Table(name, columns, kind)
        unique = table.where(lambda column: column.allows_equality and not column.is_plain and has_unique_values(column.type))
        if kind == "table" and unique and rng.random() < 0.5:
            rng.choice(unique).unique = True
        if kind == "table" and index and rng.random() < 0.6:
            table.parent = self.tables[index - 1].name
        return table

    def _partitioned(self, root):
        """It and its partitions. By hash of an encrypted column a row lies elsewhere than by hash of the plain one: then
        nobody looks into the partitions."""
        equal = root.where(lambda column: column.allows_equality and not column.is_plain)
        way = weights.pick(self.rng, weights.PARTITION)
        names = [f"{root.name}1", f"{root.name}2"]
        if way == "hash of a protected column" and equal:
            root.bounds, root.key = f"HASH ({self.rng.choice(equal).name})", ""
            names = [f"{root.name}_hash1", f"{root.name}_hash2"]
        else:
            root.bounds = {"list": "LIST (grp)", "hash": "HASH (id)"}.get(way, "RANGE (id)")
            root.key = "id, grp" if way == "list" else "id"
        bounds = {"R": ["FOR VALUES FROM (MINVALUE) TO (8)", "FOR VALUES FROM (8) TO (MAXVALUE)"],
                  "L": ["FOR VALUES IN (0, 1, 2)", "DEFAULT"],
                  "H": [f"FOR VALUES WITH (MODULUS 2, REMAINDER {rest})" for rest in (0, 1)]}[root.bounds[0]]
        parts = [Table(name, root.columns, "partition", root.key, of=root.name, bounds=bound)
                 for name, bound in zip(names, bounds)]
        self.unseen = [] if root.key else parts
        return [root, *([] if self.unseen else parts)]

    def _child(self, name):
        parent = self.rng.choice(self.tables[:4])
        columns = [dataclasses.replace(column, unique=False) for column in parent.columns]
        return Table(name, [*columns, Column("own", pgtypes.TEXT)], "child", "", of=parent.name)

    def _shared_column(self):
        kind, scheme, context = self.shared[0]
        return Column("k", kind, scheme, context, options={"context": context})

    # -- views ---------------------------------------------------------------------------------------

    def _view(self, index):
        rng = self.rng
        name = f"v{self.number}_{'abc'[index]}"
        table = self.tables[index]
        kept = [column for column in table.columns if not column.bound]
        if index == 2:
            other = self.tables[3]
            more = [column for column in other.columns[3:] if not column.bound][:2]
            columns = kept + [dataclasses.replace(column, name=f"o{number}", unique=False)
                              for number, column in enumerate(more)]
            listed = [f"x.{column.name}" for column in kept] + [f"y.{column.name} AS o{number}"
                                                                for number, column in enumerate(more)]
            text = f"SELECT {', '.join(listed)} FROM {table.name} x LEFT JOIN {other.name} y ON y.id = x.ref"
        else:
            rest = kept[3:]
            columns = kept[:3] + rng.sample(rest, min(len(rest), rng.randint(2, 5)))
            text = f"SELECT {', '.join(column.name for column in columns)} FROM {table.name}"
            text += " WHERE grp < 90" if index else ""
        return Table(name, columns, "view", definition=f"CREATE VIEW {name} AS {text}",
                     writable=index != 2 and not table.bound)

    def _nested(self, index):
        """A view over a view, its columns under other names, with or without a check of what is written."""
        rng = self.rng
        below = self.views[index]
        name = f"v{self.number}_{'de'[index]}"
        columns = below.columns[:3] + [dataclasses.replace(column, name=f"m{number}")
                                       for number, column in enumerate(below.columns[3:])]
        check = rng.choice(("", "WITH LOCAL CHECK OPTION", "WITH CASCADED CHECK OPTION"))
        text = f"SELECT {', '.join(column.name for column in below.columns)} FROM {below.name} WHERE id < 100000"
        names = ", ".join(column.name for column in columns)
        return Table(name, columns, "view", definition=f"CREATE VIEW {name} ({names}) AS {text} {check}",
                     writable=below.writable)

    def _united(self):
        """Columns of one context, of two tables."""
        one, other = self.rng.sample(self.tables[:4], 2)
        name = f"v{self.number}_f"
        columns = one.columns[:3] + [dataclasses.replace(one.column("k"), unique=False, not_null=False)]
        text = f"SELECT id, ref, grp, k FROM {one.name} UNION ALL SELECT id + 5000, ref, grp, k FROM {other.name}"
        return Table(name, columns, "view", definition=f"CREATE VIEW {name} AS {text}")

    # -- what is made of it ----------------------------------------------------------------------------

    def policy(self):
        tables = {}
        for table in self.tables:
            if table.is_whole:
                columns = {column.name: self._entry(column) for column in table.columns if not column.is_plain}
                columns.update(self._made_later())
                tables[f"public.{table.name}"] = {"columns": columns}
        tables[f"public.n{self.number}"] = {"columns": self._made_later()}
        return tables

    def _made_later(self):
        """Columns that statements of the round add, and tables they make."""
        return {"late": {"type": "text"}, "later": {"type": "int4", "search": "equality"}}

    def _entry(self, column):
        entry = {"type": column.type.name, **column.options}
        if column.scheme != "randomized":
            entry["search"] = column.scheme
        return entry

    def statements(self):
        """(how to make it, its kind) in order; each also drops what an earlier round left."""
        for table in self.tables + self.unseen:
            yield table.sql(), table.kind
            yield self._index(table), "index"
        for view in self.views:
            yield view.definition, "view"

    def _index(self, table):
        columns = [column.name for column in table.columns[3:] if column.allows_order]
        return f"CREATE INDEX {table.name}_index ON {table.name} ({self.rng.choice(columns or ['grp'])}, id)"

    def drops(self):
        yield "ROLLBACK"
        for view in reversed(self.views):
            yield f"DROP VIEW IF EXISTS {view.name} CASCADE"
        for table in reversed(self.tables):
            yield f"DROP TABLE IF EXISTS {table.name} CASCADE"
        yield f"DROP TABLE IF EXISTS n{self.number} CASCADE"

    def rows(self, table):
        """INSERT statements that fill it."""
        names = ", ".join(column.name for column in table.columns)
        first = 1 if table.is_whole else 100
        lines = [", ".join(self._value(column, number) for column in table.columns) for number in range(first, first + ROWS)]
        return f"INSERT INTO {table.name} ({names}) VALUES " + ", ".join(f"({line})" for line in lines)

    def _value(self, column, number):
        rng = self.rng
        if column.name == "id":
            return str(number)
        if column.name == "ref":
            return str(rng.randint(1, ROWS)) if rng.random() < 0.8 else "NULL"
        if column.name == "grp":
            return str(rng.randint(0, 4))
        if column.unique:
            return pgtypes.quoted(unique_value(column.type, number))
        if not column.not_null and rng.random() < weights.NULL:
            return "NULL"
        return pgtypes.quoted(column.value(rng, 0))


def has_unique_values(kind):
    return kind.is_number or kind.is_text or kind in (pgtypes.DATE, pgtypes.UUID)


def unique_value(kind, number):
    """A value that no other number has, and no pool."""
    if kind.is_number:
        return str(number + 100)
    if kind is pgtypes.DATE:
        return f"{2100 + number // 365}-{1 + number // 28 % 12:02}-{1 + number % 28:02}"
    if kind is pgtypes.UUID:
        return f"00000000-0000-0000-0000-{number:012}"
    return f"u{number}"
