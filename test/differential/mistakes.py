"""Statements that PostgreSQL answers with an error or a warning, one kind each."""

import pgtypes
import weights
from changes import Changes
from schema import unique_value
from weights import pick


class Mistakes(Changes):
    """Each method gives the text of one wrong statement."""

    def mistake(self):
        kind = pick(self.rng, weights.MISTAKE)
        return getattr(self, "wrong_" + kind.replace(" ", "_"))()

    def any_column(self, wanted=lambda column: True):
        """(table, column) that fits; of all, where none does."""
        found = [(table, column) for table in self.schema.tables for column in table.columns[3:] if wanted(column)]
        return self.rng.choice(found or [(table, column) for table in self.schema.tables for column in table.columns[2:3]])

    def wrong_syntax(self):
        table = self.table()
        return self.rng.choice((f"SELEC * FROM {table.name}", f"SELECT FROM WHERE {table.name}",
                                f"SELECT * FROM {table.name} JOIN {table.name} b", f"SELECT id FROM {table.name} WHERE",
                                f"INSERT INTO {table.name} (id VALUES (1)", f"UPDATE {table.name} SET id = 1 1",
                                "SELECT (1", "SELECT 'open",
                                "INSERT nowhere", "SELECT 1 +", "UPDATE SET x", "DROP", "SELECT 1 1 1", ")"))

    def wrong_column(self):
        table, column = self.any_column()
        return self.rng.choice((f"SELECT missing FROM {table.name}", f"SELECT x.{column.name} FROM {table.name} y",
                                f"UPDATE {table.name} SET missing = 1", f"INSERT INTO {table.name} (id, missing) VALUES (1, 2)",
                                f"SELECT id FROM {table.name} WHERE missing = 'a'",
                                f"DELETE FROM {table.name} WHERE y.id = 1"))

    def wrong_table(self):
        return self.rng.choice(("SELECT * FROM missing", "INSERT INTO missing VALUES (1)", "UPDATE public.missing SET a = 1",
                                "SELECT 1 FROM nowhere.missing", f"SELECT * FROM {self.table().name} JOIN missing USING (id)",
                                "DROP TABLE missing", "SELECT * FROM elsewhere.public.missing"))

    def wrong_function(self):
        return self.rng.choice((f"SELECT missing(id) FROM {self.table().name}", "SELECT lower(1, 2)", "SELECT abs('x', 1)",
                                f"SELECT sum(id, 2) FROM {self.table().name}"))

    def wrong_type(self):
        table, column = self.any_column(lambda column: column.is_plain and column.type is pgtypes.INT4)
        return self.rng.choice((f"SELECT id FROM {table.name} WHERE id = 'x'", f"SELECT id FROM {table.name} WHERE id = true",
                                f"UPDATE {table.name} SET grp = true", "SELECT 1 + date '2020-01-01' + true",
                                f"INSERT INTO {table.name} (id) VALUES (date '2020-01-01')",
                                f"SELECT CASE WHEN true THEN id ELSE 'x' END FROM {table.name}",
                                f"SELECT id FROM {table.name} UNION SELECT 'x'::text", f"SELECT id FROM {table.name} WHERE grp"))

    def wrong_division(self):
        return self.rng.choice(("SELECT 1 / 0", f"SELECT id / (id - id) FROM {self.table().name}", "SELECT 1 % 0",
                                f"UPDATE {self.table().name} SET grp = 1 / 0", "SELECT 2147483647 + 1"))

    def full_row(self, table, **given):
        """INSERT of a row with all columns but the ones given."""
        names = list(table.columns)
        number = given.pop("number", None) or self.new_id()
        values = [given.get(column.name) or (self.assigned(column, number)) for column in names]
        return f"INSERT INTO {table.name} ({', '.join(column.name for column in names)}) VALUES ({', '.join(values)})"

    def wrong_not_null(self):
        table, column = self.any_column(lambda column: column.not_null)
        if self.rng.random() < 0.5:
            return f"UPDATE {table.name} SET {column.name} = NULL WHERE id = {self.rng.randint(1, 14)}"
        return self.full_row(table, **{column.name: "NULL"}) + self.returning(table, chance=0.1)

    def wrong_unique(self):
        table, column = self.any_column(lambda column: column.unique)
        number = self.rng.randint(1, 14) if table.has_key else self.new_id()
        if not column.unique or self.rng.random() < 0.4:
            return self.full_row(table, number=number)
        taken = pgtypes.quoted(unique_value(column.type, number))
        if self.rng.random() < 0.4:
            return f"UPDATE {table.name} SET {column.name} = {taken} WHERE id = {number % 14 + 1}"
        return self.full_row(table, **{column.name: taken})

    def wrong_foreign_key(self):
        children = [table for table in self.schema.tables if table.parent]
        if not children:
            return self.wrong_unique()
        table = self.rng.choice(children)
        return self.rng.choice((self.full_row(table, ref="999999"), f"UPDATE {table.name} SET ref = 999999 WHERE id = 3",
                                f"DELETE FROM {table.parent} WHERE id IN (SELECT ref FROM {table.name})",
                                f"TRUNCATE {table.parent}"))

    def wrong_check(self):
        table = self.rng.choice(self.schema.tables[:4])
        return self.rng.choice((f"UPDATE {table.name} SET grp = -1 WHERE id = 2", self.full_row(table, grp="-5")))

    def wrong_length(self):
        table, column = self.any_column(lambda column: column.type in (pgtypes.VARCHAR, pgtypes.CHAR, pgtypes.NUMERIC)
                                        and not column.bound)
        if not column.type.wrong or column.name == "grp":
            return self.wrong_check()
        value = self.writer.constant(column.type, column.type.wrong[0][0])
        return self._put(table, column, value)

    def wrong_input(self):
        table, column = self.any_column(lambda column: column.type.wrong and not column.bound)
        value = pgtypes.quoted(self.rng.choice(column.type.wrong or [("x", "")])[0])
        if self.writer.extended and self.rng.random() < 0.5 and column.type.wrong:
            value = self.writer.parameter(WRONG_TEXT, value[1:-1])
        if column.allows_equality and self.rng.random() < 0.4 and not column.type.is_text:
            return f"SELECT id FROM {table.name} WHERE {column.name} = {value}"
        return self._put(table, column, value)

    def _put(self, table, column, value):
        if self.rng.random() < 0.5:
            return f"UPDATE {table.name} SET {column.name} = {value} WHERE id = {self.rng.randint(1, 14)}"
        return self.full_row(table, **{column.name: value})

    def wrong_ambiguous(self):
        one, other = self.rng.sample(self.schema.tables, 2)
        return self.rng.choice((f"SELECT id FROM {one.name}, {other.name}", f"SELECT 1 FROM {one.name} x, {other.name} x",
                                f"SELECT x.id FROM {one.name} x JOIN {other.name} y ON k = y.k"))

    def wrong_group_by(self):
        table, column = self.any_column()
        return self.rng.choice((f"SELECT grp, {column.name}, count(*) FROM {table.name} GROUP BY grp",
                                f"SELECT count(*) FROM {table.name} HAVING {column.name} IS NULL",
                                f"SELECT id FROM {table.name} ORDER BY 7", f"SELECT id FROM {table.name} GROUP BY 3",
                                f"SELECT DISTINCT grp FROM {table.name} ORDER BY id"))

    def wrong_aggregate(self):
        table, column = self.any_column()
        return self.rng.choice((f"SELECT id FROM {table.name} WHERE count(*) > 1", f"SELECT count(count(*)) FROM {table.name}",
                                f"SELECT sum(x.id) OVER () FROM {table.name} x WHERE row_number() OVER () = 1",
                                f"UPDATE {table.name} SET grp = count(*)"))

    def wrong_savepoint(self):
        return self.rng.choice(("SAVEPOINT nowhere", "ROLLBACK TO SAVEPOINT nowhere", "RELEASE nowhere"))

    def wrong_prepared(self):
        return self.rng.choice(("EXECUTE missing", "DEALLOCATE missing", "EXECUTE missing (1, 'x')"))

    def wrong_cursor(self):
        return self.rng.choice(("FETCH 1 FROM missing", "CLOSE missing", f"DECLARE c CURSOR FOR SELECT id FROM {self.table().name}",
                                "MOVE 3 IN missing"))

    def wrong_exists(self):
        table = self.table()
        return self.rng.choice((f"CREATE TABLE {table.name} (id int4)", f"ALTER TABLE {table.name} ADD COLUMN grp int4",
                                f"CREATE INDEX {table.name}_index ON {table.name} (id)", "CREATE SCHEMA public",
                                f"CREATE VIEW {table.name} AS SELECT 1", f"ALTER TABLE {table.name} DROP COLUMN missing"))

    def wrong_warning(self):
        return self.rng.choice(("COMMIT", "ROLLBACK", "DROP TABLE IF EXISTS missing", "SET LOCAL work_mem = '4MB'",
                                "DROP VIEW IF EXISTS missing, gone CASCADE", "CREATE SCHEMA IF NOT EXISTS public"))

    def wrong_operator(self):
        table, _ = self.any_column()
        return self.rng.choice((f"SELECT id FROM {table.name} WHERE id ->> 'x' = 'y'", "SELECT 1 @@@ 2", "SELECT 'a' - 'b'",
                                f"SELECT -x.* FROM {table.name} x"))

    def wrong_subscript(self):
        return self.rng.choice((f"SELECT id[1] FROM {self.table().name}", f"SELECT (id).x FROM {self.table().name}"))

    def wrong_many_columns(self):
        table = self.table()
        return self.rng.choice((f"INSERT INTO {table.name} (id, grp) VALUES (1)", f"INSERT INTO {table.name} (id) VALUES (1, 2)",
                                f"INSERT INTO {table.name} (id, id) VALUES (1, 2)", f"UPDATE {table.name} SET grp = 1, grp = 2",
                                f"SELECT id FROM {table.name} WHERE id IN (SELECT id, grp FROM {table.name})",
                                f"SELECT (SELECT id FROM {table.name})", f"SELECT id FROM {table.name} UNION SELECT 1, 2"))

    def wrong_set(self):
        return self.rng.choice(("SET work_mem = 'much'", "SET missing_parameter = 1", "SET TimeZone = 'Nowhere/City'",
                                "SHOW missing_parameter", "SET DateStyle = 'odd'"))

    def wrong_parameter(self):
        return self.rng.choice(("SELECT $1", f"SELECT id FROM {self.table().name} WHERE id = $3", f"SELECT $2 FROM {self.table().name}"))

    def wrong_limit(self):
        return f"SELECT id FROM {self.table().name} LIMIT -1"

    def wrong_raise(self):
        return self.rng.choice(("DO $$ BEGIN RAISE NOTICE 'seen %', 1; END $$", "DO $$ BEGIN RAISE EXCEPTION 'stop'; END $$",
                                "DO $$ BEGIN RAISE WARNING 'w' USING ERRCODE = '01008'; END $$"))


WRONG_TEXT = pgtypes.Type("text", 0, [])
