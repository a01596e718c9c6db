"""INSERT, UPDATE, DELETE, MERGE and their clauses."""

import pgtypes
import weights
from composed import ID
from expressions import Conditions, Source, comparable
from listed import Listed
from queries import Query
from schema import unique_value


class Changes(Listed):
    """Writes statements that change rows. New ids come from a counter, so that most inserts find their place free."""

    def __init__(self, writer, schema, numbers):
        super().__init__(writer, schema)
        self.numbers = numbers

    def table(self):
        views = [view for view in self.schema.views if view.writable]
        if views and self.rng.random() < weights.CHANGED_VIEW:
            return self.rng.choice(views)
        return self.rng.choice(self.schema.tables)

    # -- values ---------------------------------------------------------------------------------------

    def assigned(self, column, number=None):
        """A constant for the column, seldom NULL or DEFAULT."""
        rng = self.rng
        if column.name == "id":
            return str(number)
        if column.name == "ref":
            return rng.choice(("NULL", str(rng.randint(1, 14))))
        if column.name == "grp":
            return rng.choice(("DEFAULT", str(rng.randint(0, 5))))
        if column.unique:
            return self.writer.constant(column.type, unique_value(column.type, 100 + next(self.numbers) % 30000))
        if not column.not_null and rng.random() < weights.NULL:
            return rng.choice(("NULL", "DEFAULT")) if number else "NULL"
        return self.writer.again(column, self._assigned)

    def _assigned(self, column):
        value = column.value(self.rng)
        if column.type.is_text or column.type in (pgtypes.TIMESTAMP3, pgtypes.NUMERIC):
            if self.writer.extended and self.rng.random() < weights.PARAMETER:
                return self.writer.parameter(column.type, value)
            return pgtypes.quoted(value)
        return self.writer.constant(column.type, value)

    def new_id(self):
        return 1000 + next(self.numbers)

    def returning(self, table, alias="", chance=0.4):
        if self.rng.random() > chance:
            return ""
        if self.rng.random() < 0.2:
            return " RETURNING *"
        kept = [column for column in table.columns if not column.bound or not alias]
        listed = self.rng.sample(kept, min(len(kept), self.rng.randint(1, 3)))
        prefix = f"{alias}." if alias else ""
        return " RETURNING " + ", ".join(prefix + column.name for column in listed)

    def insert_head(self, table, names=None):
        names = names or self.insert_columns(table)
        return f"INSERT INTO {table.name} ({', '.join(column.name for column in names)})", names

    def insert_columns(self, table):
        """All that must be there, and some of the others, in any order."""
        names = [column for column in table.columns
                 if column.name == "id" or column.not_null and not column.default or self.rng.random() < 0.7]
        if self.rng.random() < 0.3:
            self.rng.shuffle(names)
        return names

    def row(self, names):
        number = self.new_id()
        return "(" + ", ".join(self.assigned(column, number) for column in names) + ")"

    # -- statements -----------------------------------------------------------------------------------

    def insert(self):
        table = self.table()
        head, names = self.insert_head(table)
        rows = ", ".join(self.row(names) for _ in range(self.rng.choice((1, 1, 1, 2, 4))))
        return Query(f"{head} VALUES {rows}{self.returning(table)}", [])

    def insert_select(self):
        """Rows of a table again, under new ids."""
        table = self.table()
        if self.rng.random() < 0.4:
            return self.insert_lists(table)
        names = [column for column in table.columns if not column.bound and not column.unique]
        if any(column.not_null and column not in names for column in table.columns):
            return self.insert()
        head, _ = self.insert_head(table, names)
        low = self.new_id()
        listed = ", ".join(f"id + {low * 1000}" if column.name == "id" else column.name for column in names)
        return Query(f"{head} SELECT {listed} FROM {table.name} WHERE id BETWEEN {low % 12} AND {low % 12 + 2}"
                     f"{self.returning(table)}", [])

    def insert_lists(self, table):
        """Constants in UNION ALL, which PostgreSQL reads as text before it assigns them."""
        names = [column for column in table.columns if column.name in ("id", "ref", "grp") or column.type.is_text
                 and column.type is not pgtypes.CHAR and not column.bound and not column.unique]
        if any(column.not_null and not column.default and column not in names for column in table.columns):
            return self.insert()
        head, _ = self.insert_head(table, names)
        rows = []
        for _ in range(self.rng.choice((2, 2, 3))):
            number = self.new_id()
            values = [{"id": str(number), "ref": "3", "grp": "1"}.get(column.name) or pgtypes.quoted(column.value(self.rng))
                      for column in names]
            rows.append(", ".join(values))
        return Query(f"{head} SELECT {' UNION ALL SELECT '.join(rows)}{self.returning(table)}", [])

    def on_conflict(self):
        rng = self.rng
        table = self.table()
        if not table.has_key:
            table = rng.choice([table for table in self.schema.tables if table.has_key])
        head, names = self.insert_head(table)
        number = rng.choice((self.new_id(), rng.randint(1, 14)))
        row = ", ".join(self.assigned(column, number) for column in names)
        text = f"{head} VALUES ({row}) ON CONFLICT "
        settable = [column for column in names if column.name not in ("id", "ref") and not column.bound and not column.unique]
        if rng.random() < 0.4 or not settable:
            return Query(f"{text}{rng.choice(('', '(id) '))}DO NOTHING{self.returning(table)}", [])
        parts = []
        for column in rng.sample(settable, min(len(settable), rng.randint(1, 3))):
            new, old = f"excluded.{column.name}", f"{table.name}.{column.name}"
            parts.append(f"{column.name} = " + (self.assigned(column) if rng.random() < 0.2 else rng.choice((
                new, old, f"COALESCE({new}, {old})",
                f"CASE WHEN {new} IS NULL THEN {old} ELSE {new} END", f"COALESCE({old}, {self.value(column)})"))))
        where = ""
        if rng.random() < 0.25:
            where = f" WHERE {table.name}.grp {rng.choice(('<>', '=', '<'))} excluded.grp"
        return Query(f"{text}(id) DO UPDATE SET {', '.join(parts)}{where}{self.returning(table)}", [])

    def settings_of(self, table, bound_too=False):
        """The SET list of an UPDATE."""
        rng = self.rng
        settable = [column for column in table.columns if column.name not in ("id", "ref") and not column.unique
                    and (bound_too or not column.bound)]
        parts = []
        for column in rng.sample(settable, min(len(settable), rng.choice((1, 1, 2, 3)))):
            partners = [other for other in settable if other is not column and comparable(column, other)
                        and other.type is column.type and (column.not_null <= other.not_null)]
            if partners and rng.random() < 0.15:
                value = rng.choice(partners).name
            elif rng.random() < 0.06 and not column.bound:
                value = f"CASE WHEN id = {rng.randint(1, 14)} THEN {self.value(column)} ELSE {column.name} END"
            elif column.name == "grp" and rng.random() < 0.3:
                value = "grp + 1"
            else:
                value = self.assigned(column)
            parts.append(f"{column.name} = {value}")
        return ", ".join(parts)

    def few(self, table, prefix=""):
        """A condition that few rows fit."""
        rng = self.rng
        if rng.random() < 0.6:
            return f"{prefix}id = {self.number(rng.randint(1, 20))}"
        condition = Conditions(self.writer, self.schema, [Source(prefix.rstrip("."), table.columns, table)])
        return f"{prefix}id < {rng.randint(2, 9)} AND {condition.some(1)}"

    def update(self):
        table = self.table()
        if table.bound and self.rng.random() < 0.5:
            return Query(f"UPDATE {table.name} SET {self.settings_of(table, True)} WHERE id = {self.rng.randint(1, 14)}"
                         f"{self.returning(table)}", [])
        return Query(f"UPDATE {table.name} SET {self.settings_of(table)} WHERE {self.few(table)}{self.returning(table)}", [])

    def update_from(self):
        if self.rng.random() < 0.3:
            return self.update_values()
        table, other = self.table(), self.table()
        extra = ""
        pairs = [(one, two) for one in table.columns for two in other.columns
                 if comparable(one, two) and one.type is two.type and one.name not in ("id", "ref", "grp") and not one.unique
                 and two.not_null >= one.not_null and not one.bound]
        if pairs and self.rng.random() < 0.4:
            one, two = self.rng.choice(pairs)
            extra = f"{one.name} = o.{two.name}"
        return Query(f"UPDATE {table.name} x SET {extra or self.settings_from(table)} FROM {other.name} o "
                     f"WHERE o.id = x.ref AND {self.few(table, 'x.')}{self.returning(table, 'x')}", [])

    def update_values(self):
        """New values from a list of rows."""
        table = self.table()
        fit = [column for column in table.columns[3:] if not column.bound and not column.unique]
        if not fit:
            return self.update_from()
        column = self.rng.choice(fit)
        kind = column.type.name
        rows = ", ".join(f"({number}, {self._listed_value(column, kind)})" for number in self.rng.sample(range(1, 15), 2))
        return Query(f"UPDATE {table.name} x SET {column.name} = v.p FROM (VALUES {rows}) v (id, p) WHERE x.id = v.id"
                     f"{self.returning(table, 'x')}", [])

    def _listed_value(self, column, kind):
        value = column.value(self.rng)
        if self.writer.extended and self.rng.random() < 0.6:
            return f"{self.writer.parameter(column.type, value)}::{kind}"
        return f"{pgtypes.quoted(value)}::{kind}"

    def settings_from(self, table):
        settable = [column for column in table.columns if column.name not in ("id", "ref") and not column.unique and not column.bound]
        column = self.rng.choice(settable)
        return f"{column.name} = {self.assigned(column)}"

    def delete(self):
        table = self.table()
        if self.rng.random() < 0.2:
            other = self.table()
            return Query(f"DELETE FROM {table.name} x USING {other.name} o WHERE o.id = x.ref AND x.id > 999 AND o.id = "
                         f"{self.rng.randint(1, 14)}{self.returning(table, 'x')}", [])
        low = self.rng.choice(("id > 999", "id > 999", f"id = {self.rng.randint(1, 14)}"))
        condition = Conditions(self.writer, self.schema, [Source("", table.columns, table)]).some(1)
        return Query(f"DELETE FROM {table.name} WHERE {low} AND {condition}{self.returning(table)}", [])

    def merge(self):
        rng = self.rng
        keyed = [table for table in self.schema.tables if table.has_key]
        table = rng.choice([table for table in keyed if not table.bound] or keyed)
        names = self.insert_columns(table)
        number = rng.choice((self.new_id(), rng.randint(1, 14)))
        values = ", ".join("s.id" if column.name == "id" else self.assigned(column, number) for column in names)
        columns = ", ".join(column.name for column in names)
        matched = rng.choice((f"UPDATE SET {self.settings_of(table)}", "DO NOTHING", "DELETE" if number > 999 else "DO NOTHING"))
        if rng.random() < 0.3:
            return self._merge_tables(table)
        return Query(f"MERGE INTO {table.name} t USING (SELECT {number} AS id) s ON t.id = s.id WHEN MATCHED THEN {matched} "
                     f"WHEN NOT MATCHED THEN INSERT ({columns}) VALUES ({values})", [])

    def _merge_tables(self, table):
        """From another table, by id, with a condition of its own and columns of the same context."""
        other = self.rng.choice([one for one in self.schema.tables if not one.bound] or self.schema.tables)
        condition = Conditions(self.writer, self.schema, [Source("s", other.columns, other), Source("t", table.columns, table)])
        pairs = [(one, two) for one in table.columns[2:] for two in other.columns[2:] if comparable(one, two)
                 and one.type is two.type and not one.unique and two.not_null >= one.not_null and not one.bound]
        change = "DO NOTHING"
        if pairs:
            one, two = self.rng.choice(pairs)
            change = f"UPDATE SET {one.name} = s.{two.name}"
        return Query(f"MERGE INTO {table.name} t USING {other.name} s ON t.id = s.id AND s.id < 9 "
                     f"WHEN MATCHED AND {condition.some(2)} THEN {change} WHEN MATCHED AND t.id > 999 THEN DELETE", [])

    def with_change(self):
        rng = self.rng
        table = self.table()
        kept = [column for column in table.columns if not column.bound]
        listed = [ID, *rng.sample(kept[1:], min(2, len(kept) - 1))]
        back = ", ".join(column.name for column in listed)
        form = rng.random()
        if form < 0.4:
            change = f"UPDATE {table.name} SET {self.settings_of(table)} WHERE id < 6"
        elif form < 0.7:
            change = f"DELETE FROM {table.name} WHERE id > 999"
        else:
            head, names = self.insert_head(table)
            change = f"{head} VALUES {self.row(names)}"
        text = f"WITH w AS ({change} RETURNING {back}) "
        if rng.random() < 0.3:
            condition = Conditions(self.writer, self.schema, [Source("w", listed), Source("o", table.columns, table)])
            return Query(f"{text}SELECT w.*, o.id FROM w JOIN {table.name} o ON o.id = w.id AND {condition.some(2)} ORDER BY w.id",
                         listed, "all")
        return Query(f"{text}SELECT * FROM w ORDER BY id", listed, "all")
