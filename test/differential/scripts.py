"""Units of several statements: transactions, prepared statements, cursors, COPY, definitions, settings."""

import pgtypes
import session
import weights
from changes import Changes
from expressions import Writer
from statements import pipeline, simple
from weights import pick

READS = ("select", "join", "aggregate", "with", "sub-query", "distinct", "set operation")
WRITES = ("insert", "update", "delete", "insert", "update")


class Scripts:
    """Written for one stream, whose simple forms they are made of."""

    def __init__(self, stream):
        self.stream = stream
        self.rng = stream.rng
        self.schema = stream.schema

    def of(self, form):
        return getattr(self, form.replace(" ", "_"))()

    def some(self, protocol=""):
        return self.stream.single(self.rng.choice(READS + WRITES), protocol)

    def changes(self):
        return Changes(Writer(self.rng), self.schema, self.stream.numbers)

    def number(self):
        return next(self.stream.numbers)

    # -- transactions -----------------------------------------------------------------------------------

    def transaction(self):
        rng = self.rng
        begin = rng.choice(("BEGIN", "BEGIN", "START TRANSACTION", "BEGIN ISOLATION LEVEL REPEATABLE READ", "BEGIN READ ONLY"))
        body = [self.some() for _ in range(rng.randint(1, 4))]
        if rng.random() < 0.25:
            body.insert(rng.randint(0, len(body)), self.stream.single("mistake"))
        # What comes behind an error of its own is answered 25P02: some of it stays in.
        for statement in body:
            statement.needed = True
        return [simple("transaction", begin), *body, simple("transaction", rng.choice(("COMMIT", "COMMIT", "ROLLBACK", "END")), last=True)]

    def savepoint(self):
        parts = [simple("savepoint", "BEGIN"), self.some(), simple("savepoint", "SAVEPOINT s1"), self.some()]
        if self.rng.random() < 0.5:
            parts += [self.stream.single("mistake")]
        parts += [simple("savepoint", "ROLLBACK TO SAVEPOINT s1"), self.some(), simple("savepoint", "RELEASE SAVEPOINT s1"),
                  simple("savepoint", self.rng.choice(("COMMIT", "ROLLBACK")), last=True)]
        parts[1].needed = True
        return parts

    def several(self):
        """A text of several statements."""
        rng = self.rng
        forms, texts = [], []
        for _ in range(rng.randint(2, 3)):
            forms.append(rng.choice(READS + WRITES + ("plain",)))
            texts.append(self.stream.text(forms[-1]))
        if rng.random() < 0.2:
            texts.insert(rng.randint(0, len(texts)), self.stream.text("mistake"))
        if set(forms) & set(WRITES):  # a refusal behind a COMMIT would leave changes on one side only
            texts = [query for query in texts if query.sql != "COMMIT"]
        if rng.random() < 0.2:
            whole = simple("several", f"BEGIN; {'; '.join(query.sql for query in texts)}; COMMIT")
            whole.probe = self._without_ends(texts)
            return [whole, simple("several", "ROLLBACK", last=True)]
        whole = simple("several", "; ".join(query.sql for query in texts) + rng.choice(("", ";", " ; ")))
        whole.probe = self._without_ends(texts)
        return [whole]

    @staticmethod
    def _without_ends(texts):
        """What to probe: nothing in it may end the probe's own transaction."""
        return session.Request.simple("; ".join(query.sql for query in texts if query.sql not in ("COMMIT", "ROLLBACK")))

    def pipeline(self):
        return [pipeline(self.rng, [self.some("extended") for _ in range(self.rng.randint(2, 4))])]

    # -- prepared statements and cursors -------------------------------------------------------------------

    def prepare(self):
        rng = self.rng
        if rng.random() < 0.5:
            return self.prepared_change()
        table = rng.choice(self.schema.tables)
        column = rng.choice([column for column in table.columns if column.allows_equality])
        values = [pgtypes.quoted(column.value(rng)) for _ in range(2)]
        types = f" ({column.type.name})" if rng.random() < 0.5 and column.type.name != "char(6)" else ""
        where = f"{column.name} = $1"
        text = f"PREPARE ps{types} AS SELECT id, {column.name} FROM {table.name} WHERE {where} ORDER BY id"
        return [simple("prepare", text, needed=True),
                *(simple("prepare", f"EXECUTE ps ({value})", order="all") for value in values),
                simple("prepare", "DEALLOCATE ps", last=True)]

    def prepared_change(self):
        """An INSERT and an UPDATE with a parameter for every column."""
        changes = self.changes()
        table = changes.table()
        names = changes.insert_columns(table)
        marks = ", ".join(f"${number}" for number in range(1, len(names) + 1))
        listed = ", ".join(column.name for column in names)
        rows = [[pgtypes.quoted(field) if field is not None else "NULL" for field in map(self._field, names)] for _ in range(2)]
        returned = names[-1].name
        return [simple("prepare", f"PREPARE pi AS INSERT INTO {table.name} ({listed}) VALUES ({marks}) RETURNING id, {returned}",
                       needed=True),
                *(simple("prepare", f"EXECUTE pi ({', '.join(row)})", changes=True) for row in rows),
                simple("prepare", "DEALLOCATE pi", last=True)]

    def cursor(self):
        rng = self.rng
        query = self.stream.text("select")
        while query.order != "all" or "FOR " in query.sql:
            query = self.stream.text("select")
        head = rng.choice(("DECLARE c CURSOR FOR", "DECLARE c SCROLL CURSOR FOR", "DECLARE c NO SCROLL CURSOR FOR"))
        moves = rng.sample(("FETCH 2 FROM c", "FETCH c", "MOVE 1 IN c", "FETCH ALL FROM c", "FETCH FORWARD 3 IN c"), 3)
        if "SCROLL CURSOR" in head and "NO SCROLL" not in head:
            moves.append("FETCH BACKWARD 1 FROM c")
        return [simple("cursor", "BEGIN"), simple("cursor", f"{head} {query.sql}", needed=True),
                *(simple("cursor", move, order="all") for move in moves), simple("cursor", "CLOSE c", needed=True),
                simple("cursor", "COMMIT", last=True)]

    def explain(self):
        form = self.rng.choice(READS + WRITES)
        head = self.rng.choice(("EXPLAIN", "EXPLAIN (COSTS OFF)", "EXPLAIN (VERBOSE, COSTS OFF)"))
        return [simple("explain", f"{head} {self.stream.text(form).sql}", shape_only=True)]

    # -- COPY -------------------------------------------------------------------------------------------------

    def copy_to(self):
        rng = self.rng
        if rng.random() < 0.3:
            query = self.stream.text("select")
            while query.order != "all" or "FOR " in query.sql:
                query = self.stream.text("select")
            return [simple("copy to", f"COPY ({query.sql}) TO STDOUT", order="all")]
        table = rng.choice([table for table in self.schema.tables if table.kind == "table"])
        listed = rng.sample(table.columns, rng.randint(1, len(table.columns)))
        names = f" ({', '.join(column.name for column in listed)})" if rng.random() < 0.5 else ""
        options = rng.choice(("", "", " WITH (FORMAT csv)", " WITH (FORMAT csv, HEADER)", " WITH (FORMAT binary)",
                              " WITH (DELIMITER '|', NULL 'none')", " CSV QUOTE '!'"))
        return [simple("copy to", f"COPY {table.name}{names} TO STDOUT{options}")]

    def copy_from(self):
        rng = self.rng
        changes = self.changes()
        table = changes.table()
        names = [column for column in changes.insert_columns(table)]
        csv = rng.random() < 0.4
        rows = [[self._field(column) for column in names] for _ in range(rng.randint(0, 4))]
        options = " WITH (FORMAT csv)" if csv else ""
        body = "".join((csv_row if csv else text_row)(row) + "\n" for row in rows)
        listed = ", ".join(column.name for column in names)
        return [simple("copy from", f"COPY {table.name} ({listed}) FROM STDIN{options}", copy=body.encode())]

    def _field(self, column):
        if column.name == "id":
            return str(2000 + self.number())
        if column.name in ("ref", "grp"):
            return str(self.rng.randint(1, 5))
        if column.unique:
            return self.changes().assigned(column).strip("'") if column.type.is_number else f"u{2000 + self.number()}"
        if not column.not_null and self.rng.random() < weights.NULL:
            return None
        return column.value(self.rng)

    # -- settings and sessions ------------------------------------------------------------------------------

    def settings(self):
        rng = self.rng
        name, value = rng.choice((("DateStyle", "'German'"), ("DateStyle", "'SQL, DMY'"), ("TimeZone", "'Europe/Prague'"),
                                  ("IntervalStyle", "iso_8601"), ("bytea_output", "'escape'"), ("extra_float_digits", "0"),
                                  ("search_path", "public, pg_catalog"), ("standard_conforming_strings", "on"),
                                  ("client_encoding", "'LATIN1'"), ("TimeZone", "'-03:30'"), ("statement_timeout", "0")))
        body = [self.stream.single(rng.choice(("select", "select", "join"))) for _ in range(rng.randint(1, 2))]
        return [simple("settings", f"SET {name} = {value}"), *body, simple("settings", f"SHOW {name}", order="all"),
                simple("settings", f"RESET {name}", last=True)]

    def session(self):
        return [simple("session", self.rng.choice(("DISCARD PLANS", "DISCARD SEQUENCES", "LISTEN changes; NOTIFY changes; UNLISTEN *",
                                                   "SELECT lo_unlink(lo_create(0)) ", "SET application_name = 'x'", "CHECKPOINT",
                                                   "SELECT set_config('work_mem', '8MB', false)", "", ";")), order="all")]

    # -- definitions ---------------------------------------------------------------------------------------------

    def definition(self):
        form = pick(self.rng, weights.DEFINITION)
        return [simple("definition", text, needed=not index, last=text.startswith("DROP"))
                for index, text in enumerate(getattr(self, "_" + form.replace(" ", "_"))())]

    def any_table(self):
        return self.rng.choice(self.schema.tables[:4])

    def column_that(self, wanted):
        found = [(table, column) for table in self.schema.tables[:4] for column in table.columns if wanted(column)]
        return self.rng.choice(found)

    def _index(self):
        table, column = self.column_that(lambda column: column.allows_order)
        name = f"i{self.number()}"
        way = self.rng.choice(("", " DESC", " DESC NULLS LAST"))
        return [f"CREATE INDEX {name} ON {table.name} ({column.name}{way})",
                f"DROP INDEX IF EXISTS {name}"]

    def _add_column(self):
        table = self.any_table()
        column = self.rng.choice(("late text", "later int4", "plain int4 DEFAULT 7", "words text NOT NULL DEFAULT 'x'"))
        name = column.split()[0]
        text = f"SELECT id, {name} FROM {table.name} ORDER BY id LIMIT 3"
        if name in ("late", "later"):
            text = f"UPDATE {table.name} SET {name} = '5' WHERE id = 1; SELECT id, {name} FROM {table.name} WHERE id < 3 ORDER BY id"
        return [f"ALTER TABLE {table.name} ADD COLUMN {column}", text, f"ALTER TABLE {table.name} DROP COLUMN IF EXISTS {name}"]

    def _drop_column(self):
        table = self.any_table()
        return [f"ALTER TABLE {table.name} DROP COLUMN IF EXISTS missing", f"SELECT count(*) FROM {table.name}"]

    def _rename(self):
        table = self.any_table()
        return [f"ALTER TABLE {table.name} RENAME COLUMN grp TO grp2", f"ALTER TABLE {table.name} RENAME COLUMN grp2 TO grp"]

    def _comment(self):
        table, column = self.column_that(lambda column: True)
        return [self.rng.choice((f"COMMENT ON TABLE {table.name} IS 'a table'", f"COMMENT ON COLUMN {table.name}.{column.name} IS 'c'"))]

    def _create(self):
        name = f"n{self.schema.number}"
        return [f"CREATE TABLE {name} (id int4 PRIMARY KEY, late text, later int4{self.rng.choice(('', ' UNIQUE', ' NOT NULL'))})",
                f"INSERT INTO {name} VALUES (1, 'a', 5), (2, 'b', 6)", f"SELECT * FROM {name} WHERE later = 6",
                f"DROP TABLE IF EXISTS {name}"]

    def _create_as(self):
        table = self.any_table()
        plain = [column.name for column in table.columns if column.is_plain]
        name = f"m{self.number()}"
        columns = ", ".join(plain if self.rng.random() < 0.8 else [column.name for column in table.columns])
        return [f"CREATE TABLE {name} AS SELECT {columns} FROM {table.name}", f"SELECT count(*) FROM {name}",
                f"DROP TABLE IF EXISTS {name}"]

    def _view(self):
        table = self.any_table()
        name = f"w{self.number()}"
        columns = [column.name for column in table.columns if not column.bound]
        return [f"CREATE VIEW {name} AS SELECT {', '.join(columns)} FROM {table.name}", f"SELECT * FROM {name} ORDER BY id LIMIT 4",
                f"SELECT count(*) FROM {name} WHERE grp = 1", f"DROP VIEW IF EXISTS {name}"]

    def _truncate(self):
        return ["BEGIN; " + f"TRUNCATE {self.any_table().name} CASCADE" + "; ROLLBACK"]

    def _not_null(self):
        table, column = self.column_that(lambda column: not column.not_null and column.name != "ref")
        return [f"ALTER TABLE {table.name} ALTER COLUMN {column.name} SET NOT NULL",
                f"ALTER TABLE {table.name} ALTER COLUMN {column.name} DROP NOT NULL"]

    def _default(self):
        table, column = self.column_that(lambda column: column.name not in ("id", "grp", "ref") and not column.not_null)
        value = pgtypes.quoted(column.value(self.rng)) if column.is_plain else "NULL"
        return [f"ALTER TABLE {table.name} ALTER COLUMN {column.name} SET DEFAULT {value}",
                f"ALTER TABLE {table.name} ALTER COLUMN {column.name} DROP DEFAULT"]

    def _constraint(self):
        table, column = self.column_that(lambda column: column.allows_equality)
        name = f"k{self.number()}"
        return [f"ALTER TABLE {table.name} ADD CONSTRAINT {name} UNIQUE ({column.name}, id)",
                f"ALTER TABLE {table.name} DROP CONSTRAINT IF EXISTS {name}"]

    def _analyze(self):
        return [self.rng.choice((f"ANALYZE {self.any_table().name}", f"LOCK TABLE {self.any_table().name}",
                                 f"REINDEX TABLE {self.any_table().name}"))]

    def _function(self):
        name = f"f{self.number()}"
        return [f"CREATE FUNCTION {name}(a int) RETURNS int LANGUAGE sql AS 'SELECT a + 1'", f"SELECT {name}(3)",
                f"DROP FUNCTION IF EXISTS {name}"]

    def _grant(self):
        table = self.any_table()
        return [f"GRANT SELECT ON {table.name} TO PUBLIC", f"REVOKE SELECT ON {table.name} FROM PUBLIC"]

    def _sequence(self):
        name = f"q{self.number()}"
        return [f"CREATE SEQUENCE {name}", f"SELECT nextval('{name}'), nextval('{name}')", f"DROP SEQUENCE IF EXISTS {name}"]

    def temporary(self):
        name = f"x{self.number()}"
        return [simple("temporary", f"CREATE TEMP TABLE {name} (a int, b text)", needed=True),
                simple("temporary", f"INSERT INTO {name} VALUES (1, 'x'), (2, NULL)"),
                simple("temporary", f"SELECT t.id, x.b FROM {name} x JOIN {self.any_table().name} t ON t.id = x.a ORDER BY 1", order="all"),
                simple("temporary", f"DROP TABLE IF EXISTS {name}", last=True)]


def text_row(fields):
    def said(field):
        return "\\N" if field is None else field.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")
    return "\t".join(map(said, fields))


def csv_row(fields):
    return ",".join("" if field is None else '"' + field.replace('"', '""') + '"' for field in fields)
