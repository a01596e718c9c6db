"""Tables and columns whose names need quotes, are cut, are words of SQL, or differ in case only; and what is said of them.

Every value of a protected text column begins with sec-, so that the logs can be searched for it."""

LONG = "l" * 63
LONGER = "l" * 80  # cut to LONG
OTHER = "l" * 62 + "m"  # differs from LONG in its last byte only
TABLE = "t" * 70
UMLAUTS, MORE_UMLAUTS = "ü" * 31, "ü" * 40  # 62 and 80 bytes; names are cut at characters
OE = "ö" * 40


def text(search="equality"):
    return {"type": "text", "search": search} if search else {"type": "text"}


TABLES = {
    'public."Order"': {"columns": {
        '"select"': text(), '"User Name"': {"type": "varchar(12)"}, '"a.b"': text(), '"q""q"': text(None),
        '"Größe"': {"type": "int4", "search": "order"}, '"order"': {"type": "date", "search": "order"}, '"Order"': text(),
        LONG: text(), OTHER: text()}},
    "public.text": {"columns": {
        "text": text(), "int4": {"type": "int4", "search": "order"}, "count": text(), "coalesce": text(), "value": text(None),
        "excluded": text()}},
    '"My Schema"."user"': {"columns": {'"user"': text(), "public": text(None)}},
    "public.public": {"columns": {"public": text()}},
    "public.pgveil_notes": {"columns": {"pgveil_x": text(), "ciphertext": text(None)}},
    "public.cases": {"columns": {"x": text()}},
    "public." + "t" * 63: {"columns": {"x": text()}},
    f'public."{UMLAUTS}"': {"columns": {f'"{"ö" * 31}"': text()}}}

SCHEMA = f"""
CREATE TABLE "Order" (id int PRIMARY KEY, "select" text, "User Name" varchar(12), "a.b" text UNIQUE, "q""q" text,
    U&"Gr\\00f6\\00dfe" int, "order" date, "Order" text, {LONGER} text, {OTHER} text, "Id" int, "plain one" text DEFAULT 'd');
CREATE TABLE text (id int, text text, int4 int4, count text, "coalesce" text, value text, excluded text);
CREATE SCHEMA "My Schema";
CREATE TABLE "My Schema"."user" ("user" text PRIMARY KEY, public text, "User" int);
CREATE TABLE public (public text, id int);
CREATE TABLE pgveil_notes (id int, pgveil_x text, ciphertext text);
CREATE TABLE cases (x text, "X" text, id int);
CREATE TABLE "Cases" (x text, "X" text, id int);
CREATE TABLE {TABLE} (id int, x text);
CREATE TABLE "{MORE_UMLAUTS}" (id int, "{OE}" text);
INSERT INTO "Order" (id, "select", "User Name", "a.b", "q""q", "Größe", "order", "Order", {LONGER}, {OTHER}, "Id") VALUES
    (1, 'sec-one', 'sec-Ann', 'sec-ab', 'sec-qq', 5, '2001-02-03', 'sec-ord', 'sec-ll', 'sec-lm', 3),
    (2, 'sec-two', 'sec-Bob', 'sec-ac', 'sec-qr', 6, '2002-02-03', 'sec-orders', 'sec-mm', NULL, 4);
INSERT INTO text VALUES (1, 'sec-t1', 1, 'sec-c1', 'sec-o1', 'sec-v1', 'sec-e1'),
    (2, 'sec-t2', 2, 'sec-c2', 'sec-o2', 'sec-v2', 'sec-e2');
INSERT INTO "My Schema"."user" VALUES ('sec-u1', 'sec-p1', 1), ('sec-u2', 'sec-p2', 2);
INSERT INTO public VALUES ('sec-pp', 1);
INSERT INTO pgveil_notes VALUES (1, 'sec-x1', 'sec-c1');
INSERT INTO cases VALUES ('sec-x1', 'X1', 1);
INSERT INTO "Cases" VALUES ('x1', 'X1', 1);
INSERT INTO {TABLE} VALUES (1, 'sec-x1');
INSERT INTO "{MORE_UMLAUTS}" VALUES (1, 'sec-x1');
"""

# Each alone, or together with what follows it, in a transaction that is rolled back.
STATEMENTS = [
    'SELECT * FROM "Order"', 'TABLE "Order"', 'SELECT "Id", id, ID FROM "Order" WHERE "Id" = 3 AND "select" = \'sec-one\'',
    'SELECT "select", "User Name", "a.b", "q""q", "Größe", "order", "Order" FROM "Order" ORDER BY "order" DESC',
    'SELECT U&"Gr\\00f6\\00dfe", U&"Gr!00f6!00dfe" UESCAPE \'!\' FROM U&"\\004frder" WHERE U&"Gr\\00f6\\00dfe" > 5',
    'SELECT "Order"."Order", "Order"."select" FROM "Order" WHERE "Order" = \'sec-ord\'',
    'SELECT public."Order"."Order" FROM public."Order"', 'SELECT "Order" FROM "Order" "order"',
    'SELECT "order"."order" FROM "Order" "order" WHERE "order"."order" < \'2002-01-01\'',
    f"SELECT {LONG}, {LONGER}, {OTHER} FROM \"Order\" WHERE {'l' * 100} = 'sec-ll' OR {OTHER} = 'sec-lm'",
    f'SELECT "{LONG[:-1]}M" FROM "Order"',
    f'UPDATE "Order" SET {LONGER} = \'sec-new\', "{OTHER}mmm" = \'sec-nm\' RETURNING *',
    'SELECT order FROM "Order"', 'SELECT Select FROM "Order"', "SELECT * FROM Order", 'SELECT * FROM "order"',
    'SELECT "Select" FROM "Order"', 'SELECT "USER NAME" FROM "Order"', 'SELECT "q"q"" FROM "Order"', 'SELECT a.b FROM "Order"',
    'SELECT "a.b" AS "A.B", "a.b" "a""b" FROM "Order" WHERE "a.b" IN (\'sec-ab\', \'sec-zz\')',
    'SELECT o."select" "from", o.* FROM "Order" AS o ("where", "select", "User Name")',
    'SELECT "where" FROM "Order" AS "O" ("ID", "where") WHERE "O"."where" = \'sec-one\'',
    'SELECT "O"."WHERE" FROM "Order" AS "O" ("ID", "where")',
    'INSERT INTO "Order" (id, "select", "q""q", U&"Gr\\00F6\\00DFE") VALUES (3, \'sec-x\', \'sec-y\', 7) RETURNING "q""q"',
    'INSERT INTO "Order" (id, "select", "q""q", U&"Gr\\00F6\\00DFe") VALUES (3, \'sec-x\', \'sec-y\', 7) RETURNING "q""q"',
    'INSERT INTO "Order" (id, "a.b", "User Name") VALUES (3, \'sec-ab\', \'sec-Cid\') ON CONFLICT ("a.b") DO UPDATE SET'
    ' "User Name" = excluded."User Name", "q""q" = \'sec-z\' RETURNING *',
    'INSERT INTO "Order" AS "Excluded" (id, "a.b") VALUES (3, \'sec-ab\') ON CONFLICT ("a.b") DO UPDATE SET "select" ='
    ' "Excluded"."select" RETURNING "Excluded"."select"',
    'UPDATE "Order" SET "select" = \'sec-n\', "Größe" = 8, "order" = DEFAULT WHERE "Größe" BETWEEN 5 AND 5 RETURNING *',
    'UPDATE "Order" "SET" SET "select" = \'sec-n\' WHERE "SET"."Order" = \'sec-ord\' RETURNING "SET"."select"',
    'DELETE FROM "Order" USING text WHERE "Order"."Größe" = 5 RETURNING "Order"."select", text.text',
    'SELECT a."select", b.text FROM "Order" a JOIN text b ON a.id = b.id ORDER BY a."Größe"',
    'SELECT "select" FROM "Order" JOIN text USING (id)', 'SELECT a."Order" FROM "Order" a JOIN "Order" b USING ("Order", "a.b")',
    'SELECT x."a.b", "X"."a.b" FROM "Order" x, LATERAL (SELECT "select" AS "a.b" FROM "Order" y WHERE y."Größe" > x."Größe") AS "X"',
    'SELECT count("select"), max("Größe"), min("order") FROM "Order"',
    'SELECT "select", count(*) FROM "Order" GROUP BY "select" HAVING "select" <> \'sec-x\'',
    'SELECT DISTINCT "a.b" FROM "Order" UNION SELECT "a.b" FROM "Order"',
    'WITH "With" AS (SELECT "select" AS "Select" FROM "Order") SELECT "Select" FROM "With" WHERE "With"."Select" = \'sec-one\'',
    'WITH "With" AS (SELECT "select" AS "Select" FROM "Order") SELECT "Select" FROM "with"',
    'COPY "Order" ("q""q", "a.b") TO STDOUT', f"COPY {TABLE} TO STDOUT (FORMAT csv, HEADER)",
    "SELECT * FROM text", "SELECT text.text FROM text", "SELECT text, count FROM text WHERE text = 'sec-t1' AND count = 'sec-c1'",
    "SELECT text 'abc', text FROM text", "SELECT int4 '5', int4 FROM text WHERE int4 = int4 '1'", "SELECT text::text FROM text",
    "SELECT count(*) FROM text", "SELECT count(count) FROM text", "SELECT text(id) FROM text", 'SELECT "coalesce" FROM text',
    "SELECT coalesce FROM text", "SELECT text.coalesce, coalesce(\"coalesce\", 'sec-none') FROM text",
    "SELECT text.value value FROM text", "SELECT t.text FROM text t WHERE t.text = text 'sec-t1'", "SELECT CAST(id AS text) FROM text",
    "INSERT INTO text (text, int4, \"coalesce\", value) VALUES ('sec-t3', 3, 'sec-o3', 'sec-v3') RETURNING text, value",
    "INSERT INTO text (text, int4, coalesce) VALUES ('sec-t3', 3, 'sec-o3')",
    "UPDATE text SET text = 'sec-n', value = text.value, \"coalesce\" = 'sec-c' WHERE text.text = 'sec-t1' RETURNING *",
    "SELECT excluded.excluded FROM text excluded WHERE excluded.excluded = 'sec-e1'",
    'SELECT "user" FROM "My Schema"."user"', 'SELECT "user"."user" FROM "My Schema"."user"', 'SELECT * FROM "my schema"."user"',
    'SELECT "My Schema"."user"."user" FROM "My Schema"."user" WHERE "My Schema"."user"."user" = \'sec-u1\'',
    'SELECT "User", "user" FROM "My Schema"."user" WHERE "user" = \'sec-u1\'', 'SELECT * FROM "user"', 'SELECT * FROM "My Schema".user',
    "SELECT user FROM \"My Schema\".\"user\"", 'SELECT public FROM "My Schema"."user"', "SELECT public FROM public",
    "SELECT public.public FROM public.public", "SELECT public.public.public FROM public.public", "SELECT public.* FROM public",
    "SELECT public.public.* FROM public.public WHERE public.public.public = 'sec-pp'",
    "INSERT INTO public.public (public) VALUES ('sec-x') RETURNING public.public.public",
    "UPDATE public SET public = 'sec-y' WHERE public.public.public = 'sec-pp' RETURNING public.public",
    'SELECT public FROM "My Schema"."user", public', 'SELECT public.public, "user".public FROM "My Schema"."user", public',
    "SELECT pgveil.pgveil_x FROM pgveil_notes pgveil WHERE pgveil_x = 'sec-x1'",
    'SELECT "pgveil" FROM (SELECT pgveil_x AS pgveil FROM pgveil_notes) q',
    "INSERT INTO pgveil_notes (pgveil_x, ciphertext) VALUES ('sec-x', 'sec-y') RETURNING ciphertext",
    "UPDATE pgveil_notes SET ciphertext = 'sec-n' RETURNING *", "SELECT X FROM CASES", 'SELECT x, "X" FROM cases WHERE "X" LIKE \'X%\'',
    'UPDATE cases SET "X" = \'a\' || "X", x = \'sec-b\' RETURNING *', "INSERT INTO cases (\"X\", x) VALUES ('1', 'sec-2') RETURNING *",
    'SELECT cases.x, "Cases".x FROM cases, "Cases"', 'UPDATE "Cases" SET x = \'plain\' RETURNING *',
    'UPDATE cases SET x = \'sec-cipher\' FROM "Cases" WHERE cases.id = "Cases".id RETURNING cases.x, "Cases".x',
    f"SELECT {TABLE}.x FROM {TABLE[:63]} WHERE {'t' * 90}.x = 'sec-x1'", f"SELECT {'a' * 70}.x FROM {TABLE} {'a' * 63}",
    f"SELECT {'a' * 64} FROM (SELECT x {'a' * 70} FROM {TABLE}) {'b' * 63}",
    f"UPDATE {TABLE} SET x = 'sec-y' RETURNING {'t' * 65}.x", f'SELECT "{"ö" * 45}" FROM "{UMLAUTS}" WHERE "{"ö" * 32}" = \'sec-x1\'',
    f"SELECT {UMLAUTS}.* FROM \"{'ü' * 33}\"", f"INSERT INTO \"{'ü' * 35}\" (\"{'ö' * 35}\") VALUES ('sec-z') RETURNING *",
    'LOCK TABLE "Order" IN SHARE MODE', 'TRUNCATE "Order"', "COMMENT ON COLUMN \"Order\".\"a.b\" IS 'x'", 'ANALYZE "Order" ("a.b")',
    'GRANT SELECT ("a.b", "q""q") ON "Order" TO app', 'ALTER TABLE "Order" ADD UNIQUE ("select", "Größe")',
    'ALTER TABLE "Order" ALTER "select" SET NOT NULL', 'ALTER TABLE "Order" DROP COLUMN "Q""q"',
    'CREATE INDEX "Index on ""select""" ON "Order" ("select", U&"Gr\\00f6\\00dfe" DESC)',
    'ALTER TABLE "Order" RENAME "plain one" TO "Plain One"', 'ALTER TABLE "Order" ADD COLUMN "a b" text, DROP COLUMN "Order"',
    f"ALTER TABLE {TABLE} ADD COLUMN y int, ALTER x SET NOT NULL", "DROP TABLE text",
]

SCRIPTS = [
    ('PREPARE "P p" AS SELECT "select" FROM "Order" WHERE "a.b" = $1', "EXECUTE \"P p\"('sec-ab')", "EXECUTE \"p p\"('sec-ab')"),
    (f"PREPARE {'p' * 70} AS SELECT \"select\" FROM \"Order\" WHERE \"a.b\" = $1", f"EXECUTE {'p' * 65}('sec-ab')",
     f"EXECUTE {'p' * 63}('sec-ab')", f"DEALLOCATE {'p' * 75}", f"EXECUTE {'p' * 65}('sec-ab')"),
    (f"DECLARE {'c' * 70} CURSOR FOR SELECT \"q\"\"q\" FROM \"Order\"", f"FETCH 1 FROM {'c' * 64}", f"MOVE 1 FROM {'c' * 63}",
     f"CLOSE {'c' * 70}", f"FETCH {'c' * 63}"),
    ('DECLARE U&"c\\0041" CURSOR FOR SELECT "q""q" FROM "Order"', 'FETCH 1 FROM "cA"',
     'UPDATE "Order" SET "q""q" = \'sec-new\' WHERE CURRENT OF U&"c!0041" UESCAPE \'!\' RETURNING "q""q"', "FETCH ca"),
    ('CREATE VIEW "View" AS SELECT "select" AS "SELECT", "Größe" FROM "Order"', 'SELECT "SELECT" FROM "View" WHERE "SELECT" = \'sec-one\'',
     "UPDATE \"View\" SET \"SELECT\" = 'sec-changed'", 'SELECT * FROM "View"', "SELECT * FROM view"),
    ('ALTER TABLE "Order" DROP COLUMN "select"', 'ALTER TABLE "Order" ADD COLUMN "select" text DEFAULT \'sec-d\'',
     "UPDATE \"Order\" SET \"select\" = 'sec-again' WHERE id = 1", 'SELECT * FROM "Order"'),
    ("CREATE INDEX ON text (text)", "CREATE INDEX ON text (count text_pattern_ops)", "ALTER TABLE text ADD PRIMARY KEY (text)",
     "INSERT INTO text (text) VALUES ('sec-t1')"),
    ('CREATE TEMP TABLE "order" (id int, "Order" text)', "INSERT INTO \"order\" VALUES (1, 'plain')", 'SELECT * FROM "order"',
     'SELECT "Order" FROM "Order"'),
]

WITH_PARAMETERS = [
    ('SELECT "a.b", U&"Gr\\00f6\\00dfe" FROM "Order" WHERE "select" = $1 AND "Größe" >= $2', ("sec-one", 1)),
    ('INSERT INTO "Order" (id, "User Name", "q""q", "order") VALUES ($1, $2, $3, $4) RETURNING *',
     (9, "sec-Eve", "sec-q", "2020-02-29")),
    (f"UPDATE \"Order\" SET {LONGER} = $1, {OTHER} = $2 WHERE {LONG} = $3 RETURNING {LONG}, {OTHER}", ("sec-1", "sec-2", "sec-ll")),
    ("SELECT public FROM public WHERE public.public.public = $1", ("sec-pp",)),
    ("SELECT text FROM text WHERE text = $1 OR count = $2::text", ("sec-t1", "sec-c2")),
]

REFUSED = [
    "INSERT INTO \"Order\" (id, \"a.b\") VALUES (3, 'sec-ab') ON CONFLICT (\"a.b\") DO UPDATE SET \"select\" = excluded.\"a.b\"",
    'SELECT (o)."Order" FROM "Order" o', 'SELECT o FROM "Order" o', "SELECT x FROM cases WHERE x LIKE 'sec-%'",
    'INSERT INTO "Cases" SELECT * FROM cases', 'INSERT INTO cases SELECT * FROM "Cases"', "SELECT lower(text) FROM text",
    f"SELECT upper({LONGER}) FROM \"Order\"", 'DO $$ BEGIN PERFORM count(*) FROM "Order"; END $$',
    "DO $$ BEGIN EXECUTE 'SELECT 1 FROM \"O' || 'rder\"'; PERFORM 1 FROM cases; END $$",
]

CATALOG = [
    "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = '\"Order\"'::regclass AND attnum > 0",
    "SELECT column_name, data_type, character_maximum_length FROM information_schema.columns WHERE table_name = 'Order'",
    "SELECT conname, contype FROM pg_constraint WHERE conrelid = ANY ('{\"\\\"Order\\\"\",text,cases,pgveil_notes}'::regclass[])",
    f"SELECT attname, atttypid::regtype FROM pg_attribute WHERE attrelid = '{TABLE[:63]}'::regclass AND attnum > 0",
    "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1",
    "SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = 'My Schema'",
]
