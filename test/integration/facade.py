"""What tools ask PostgreSQL's catalog, and tables to ask about. Names and shapes of the queries are those that psql 15,
ActiveRecord 7, SQLAlchemy 2, Django 5 and the JDBC driver 42 send, with the table's name as the parameter %(t)s."""

import clinic
from stack import psql, succeeded

POLICY = """
{ "tables": {
    "public.letters": { "columns": {
        "ssn":   { "type": "text", "search": "equality", "context": "ssn" },
        "body":  { "type": "varchar(300)" },
        "sent":  { "type": "timestamptz(3)" },
        "seal":  { "type": "bytea" },
        "stamp": { "type": "uuid" },
        "urgent": { "type": "bool" },
        "note":  { "type": "text" },
        "pages": { "type": "int2", "search": "equality" },
        "cents": { "type": "int8" } } },
    "*.replies": { "columns": {
        "letter_ssn": { "type": "text", "search": "equality", "context": "ssn" },
        "day":  { "type": "date" } } },
    "public.\\"Odd 'Täble'\\"": { "columns": { "\\"the \\\\ née\\"": { "type": "varchar(7)" } } } },
  "plain": ["attic.replies"] }
"""

SCHEMA = """
CREATE TABLE letters (id serial PRIMARY KEY, ssn text NOT NULL UNIQUE, body varchar(300),
    sent timestamp(3) with time zone, seal bytea, stamp uuid, urgent boolean, note text DEFAULT NULL,
    pages smallint, cents bigint, kind varchar(20) NOT NULL DEFAULT 'plain', CHECK (id > 0), CONSTRAINT pgveil_kind CHECK (kind <> ''));
CREATE INDEX letters_pages ON letters (pages, kind);
COMMENT ON COLUMN letters.body IS 'what it says';
CREATE TABLE replies (id int PRIMARY KEY, letter_ssn text REFERENCES letters (ssn), day date);
CREATE TABLE other (id int PRIMARY KEY, word text COLLATE "C");
CREATE TABLE "Odd 'Täble'" (id int PRIMARY KEY, "the \\ née" varchar(7));
CREATE SCHEMA attic;
CREATE TABLE attic.replies (id int PRIMARY KEY, letter_ssn text, day date);
CREATE VIEW letter_list AS SELECT id, ssn AS "The Number", body, sent, kind FROM letters;
CREATE VIEW letter_days AS SELECT l."The Number", r.day, l.id FROM letter_list l LEFT JOIN replies r ON r.letter_ssn = l."The Number";
CREATE VIEW letter_ssns (ssn) AS WITH a AS (SELECT ssn FROM letters) SELECT ssn FROM a UNION ALL SELECT letter_ssn FROM replies;
CREATE MATERIALIZED VIEW letter_copy AS SELECT ssn, id, pages FROM (SELECT * FROM letters WHERE id > 0) x;
CREATE UNIQUE INDEX letter_copy_key ON letter_copy (ssn, id);
CREATE DOMAIN shoe_size AS int CHECK (VALUE > 0);
"""

TABLES = ("letters", "letter_list", "letter_days", "letter_ssns", "letter_copy", "replies", "other", "attic.replies", "\"Odd 'Täble'\"")

# Everything that shows no OID.
PSQL = [r"\d", r"\d letter_list", r"\d letter_days", r"\d letter_ssns", r"\d letter_copy", r"\d letter_copy_key", r"\dm", r"\d letters", r"\d+ letters", r"\d letters_pages", r"\d+ letters_ssn_key", r"\d+ replies",
        r"\d+ attic.replies", r"\d+ other", r"\d \"Odd*", r"\dt", r"\dt pgveil.*", r"\dt attic.*", r"\di", r"\di public.*", r"\dT", r"\dT+", r"\dT *.*",
        r"\dD", r"\dD *.*", r"\dn", r"\dn *", r"\l", r"\ds", r"\dv", r"\df", r"\dp", r"\d pg_type", r"\dd", r"\dC"]

QUERIES = {
    "ActiveRecord, columns": """
        SELECT a.attname, format_type(a.atttypid, a.atttypmod), pg_get_expr(d.adbin, d.adrelid), a.attnotnull,
               a.atttypid, a.atttypmod, c.collname, col_description(a.attrelid, a.attnum) AS comment,
               attidentity AS identity, attgenerated AS attgenerated
          FROM pg_attribute a
          LEFT JOIN pg_attrdef d ON a.attrelid = d.adrelid AND a.attnum = d.adnum
          LEFT JOIN pg_type t ON a.atttypid = t.oid
          LEFT JOIN pg_collation c ON a.attcollation = c.oid AND a.attcollation <> t.typcollation
         WHERE a.attrelid = CAST(%(t)s AS regclass) AND a.attnum > 0 AND NOT a.attisdropped
         ORDER BY a.attnum""",
    "ActiveRecord, types": """
        SELECT t.oid, t.typname, t.typelem, t.typdelim, t.typinput, r.rngsubtype, t.typtype, t.typbasetype
          FROM pg_type as t LEFT JOIN pg_range as r ON oid = rngtypid
         WHERE t.typname IN ('int2', 'text', 'ciphertext') OR t.typtype IN ('r', 'e', 'd') AND t.typname <> 'shoe_size'
           AND t.typnamespace <> 'information_schema'::regnamespace ORDER BY 1""",
    "ActiveRecord, checks": """
        SELECT conname, pg_get_constraintdef(c.oid, true) AS constraintdef, c.convalidated AS valid
          FROM pg_constraint c JOIN pg_class t ON c.conrelid = t.oid JOIN pg_namespace n ON n.oid = c.connamespace
         WHERE c.contype = 'c' AND t.oid = CAST(%(t)s AS regclass) ORDER BY 1""",
    "SQLAlchemy, columns": """
        SELECT pg_catalog.pg_attribute.attname AS name,
               pg_catalog.format_type(pg_catalog.pg_attribute.atttypid, pg_catalog.pg_attribute.atttypmod) AS format_type,
               CASE WHEN pg_catalog.pg_attribute.atthasdef THEN
                 (SELECT pg_catalog.pg_get_expr(pg_catalog.pg_attrdef.adbin, pg_catalog.pg_attrdef.adrelid)
                  FROM pg_catalog.pg_attrdef WHERE pg_catalog.pg_attribute.atthasdef
                   AND pg_catalog.pg_attrdef.adrelid = pg_catalog.pg_attribute.attrelid
                   AND pg_catalog.pg_attrdef.adnum = pg_catalog.pg_attribute.attnum) ELSE NULL END AS "default",
               pg_catalog.pg_attribute.attnotnull AS not_null, pg_catalog.pg_class.relname AS table_name,
               pg_catalog.pg_description.description AS comment
        FROM pg_catalog.pg_class LEFT OUTER JOIN pg_catalog.pg_attribute
          ON pg_catalog.pg_class.oid = pg_catalog.pg_attribute.attrelid AND pg_catalog.pg_attribute.attnum > 0
         AND NOT pg_catalog.pg_attribute.attisdropped
        LEFT OUTER JOIN pg_catalog.pg_description
          ON pg_catalog.pg_description.objoid = pg_catalog.pg_attribute.attrelid
         AND pg_catalog.pg_description.objsubid = pg_catalog.pg_attribute.attnum
        JOIN pg_catalog.pg_namespace ON pg_catalog.pg_namespace.oid = pg_catalog.pg_class.relnamespace
        WHERE pg_catalog.pg_class.relkind = ANY (ARRAY['r', 'p']) AND pg_catalog.pg_class.oid = CAST(%(t)s AS regclass)
        ORDER BY pg_catalog.pg_class.relname, pg_catalog.pg_attribute.attnum""",
    "SQLAlchemy, primary key": """
        SELECT array_agg(CAST(attr.attname AS TEXT) ORDER BY attr.ord) AS cols, attr.conname
        FROM (SELECT con.conrelid, con.conname, con.ord, pg_catalog.pg_attribute.attname AS attname
              FROM pg_catalog.pg_attribute JOIN
                (SELECT pg_catalog.pg_constraint.conrelid AS conrelid, pg_catalog.pg_constraint.conname AS conname,
                        unnest(pg_catalog.pg_index.indkey) AS attnum,
                        generate_subscripts(pg_catalog.pg_index.indkey, 1) AS ord
                 FROM pg_catalog.pg_constraint JOIN pg_catalog.pg_index
                   ON pg_catalog.pg_constraint.conindid = pg_catalog.pg_index.indexrelid
                 WHERE pg_catalog.pg_constraint.contype IN ('p', 'u')
                   AND pg_catalog.pg_constraint.conrelid = CAST(%(t)s AS regclass)) AS con
              ON pg_catalog.pg_attribute.attnum = con.attnum AND pg_catalog.pg_attribute.attrelid = con.conrelid) AS attr
        GROUP BY attr.conrelid, attr.conname ORDER BY attr.conname""",
    "SQLAlchemy, indexes": """
        SELECT pg_catalog.pg_class.relname, pg_catalog.pg_index.indisunique,
               pg_catalog.pg_constraint.conrelid IS NOT NULL AS has_constraint, pg_catalog.pg_index.indoption,
               idx_cols.elements
        FROM pg_catalog.pg_index JOIN pg_catalog.pg_class
          ON pg_catalog.pg_index.indexrelid = pg_catalog.pg_class.oid
        LEFT OUTER JOIN (SELECT idx.indexrelid, array_agg(pg_catalog.pg_attribute.attname::text ORDER BY idx.ord) AS elements
              FROM (SELECT pg_catalog.pg_index.indexrelid AS indexrelid, pg_catalog.pg_index.indrelid AS indrelid,
                           unnest(pg_catalog.pg_index.indkey) AS attnum,
                           generate_subscripts(pg_catalog.pg_index.indkey, 1) AS ord FROM pg_catalog.pg_index) AS idx
              LEFT OUTER JOIN pg_catalog.pg_attribute ON pg_catalog.pg_attribute.attnum = idx.attnum
               AND pg_catalog.pg_attribute.attrelid = idx.indrelid GROUP BY idx.indexrelid) AS idx_cols
          ON pg_catalog.pg_index.indexrelid = idx_cols.indexrelid
        LEFT OUTER JOIN pg_catalog.pg_constraint ON pg_catalog.pg_index.indrelid = pg_catalog.pg_constraint.conrelid
         AND pg_catalog.pg_index.indexrelid = pg_catalog.pg_constraint.conindid
         AND pg_catalog.pg_constraint.contype = ANY (ARRAY['p', 'u', 'x'])
        WHERE pg_catalog.pg_index.indrelid = CAST(%(t)s AS regclass) ORDER BY 1""",
    "SQLAlchemy, foreign keys": """
        SELECT pg_catalog.pg_class.relname, pg_catalog.pg_constraint.conname,
               pg_catalog.pg_get_constraintdef(pg_catalog.pg_constraint.oid, true), nsp_ref.nspname
        FROM pg_catalog.pg_class LEFT OUTER JOIN pg_catalog.pg_constraint
          ON pg_catalog.pg_class.oid = pg_catalog.pg_constraint.conrelid AND pg_catalog.pg_constraint.contype = 'f'
        LEFT OUTER JOIN pg_catalog.pg_class AS cls_ref ON cls_ref.oid = pg_catalog.pg_constraint.confrelid
        LEFT OUTER JOIN pg_catalog.pg_namespace AS nsp_ref ON cls_ref.relnamespace = nsp_ref.oid
        WHERE pg_catalog.pg_class.oid = CAST(%(t)s AS regclass) ORDER BY 1, 2""",
    "SQLAlchemy, schemas": """
        SELECT pg_catalog.pg_namespace.nspname FROM pg_catalog.pg_namespace
        WHERE pg_catalog.pg_namespace.nspname NOT LIKE 'pg/_%%' ESCAPE '/' ORDER BY pg_catalog.pg_namespace.nspname""",
    "Django, columns": """
        SELECT a.attname AS column_name, NOT (a.attnotnull OR (t.typtype = 'd' AND t.typnotnull)) AS is_nullable,
               pg_get_expr(ad.adbin, ad.adrelid) AS column_default,
               CASE WHEN collname = 'default' THEN NULL ELSE collname END AS collation,
               a.attidentity != '' AS is_autofield, col_description(a.attrelid, a.attnum) AS column_comment
        FROM pg_attribute a
        LEFT JOIN pg_attrdef ad ON a.attrelid = ad.adrelid AND a.attnum = ad.adnum
        LEFT JOIN pg_collation co ON a.attcollation = co.oid
        JOIN pg_type t ON a.atttypid = t.oid
        JOIN pg_class c ON a.attrelid = c.oid
        JOIN pg_namespace n ON c.relnamespace = n.oid
        WHERE c.relkind IN ('f', 'm', 'p', 'r', 'v') AND c.oid = CAST(%(t)s AS regclass) AND n.nspname NOT IN ('pg_catalog', 'pg_toast')
          AND pg_catalog.pg_table_is_visible(c.oid) AND a.attnum > 0 ORDER BY a.attnum""",
    "Django, constraints": """
        SELECT c.conname,
               array(SELECT attname FROM unnest(c.conkey) WITH ORDINALITY cols(colid, arridx)
                     JOIN pg_attribute AS ca ON cols.colid = ca.attnum WHERE ca.attrelid = c.conrelid
                     ORDER BY cols.arridx),
               c.contype, cl.reloptions
        FROM pg_constraint AS c JOIN pg_class AS cl ON c.conrelid = cl.oid
        WHERE cl.oid = CAST(%(t)s AS regclass) AND pg_catalog.pg_table_is_visible(cl.oid) ORDER BY 1""",
    "JDBC, getColumns": """
        SELECT * FROM (SELECT n.nspname, c.relname, a.attname, a.atttypid,
            a.attnotnull OR (t.typtype = 'd' AND t.typnotnull) AS attnotnull, a.atttypmod, a.attlen, t.typtypmod,
            row_number() OVER (PARTITION BY a.attrelid ORDER BY a.attnum) AS attnum,
            nullif(a.attidentity, '') as attidentity, nullif(a.attgenerated, '') as attgenerated,
            pg_catalog.pg_get_expr(def.adbin, def.adrelid) AS adsrc, dsc.description, t.typbasetype, t.typtype
          FROM pg_catalog.pg_namespace n
          JOIN pg_catalog.pg_class c ON (c.relnamespace = n.oid)
          JOIN pg_catalog.pg_attribute a ON (a.attrelid = c.oid)
          JOIN pg_catalog.pg_type t ON (a.atttypid = t.oid)
          LEFT JOIN pg_catalog.pg_attrdef def ON (a.attrelid = def.adrelid AND a.attnum = def.adnum)
          LEFT JOIN pg_catalog.pg_description dsc ON (c.oid = dsc.objoid AND a.attnum = dsc.objsubid)
          LEFT JOIN pg_catalog.pg_class dc ON (dc.oid = dsc.classoid AND dc.relname = 'pg_class')
          LEFT JOIN pg_catalog.pg_namespace dn ON (dc.relnamespace = dn.oid AND dn.nspname = 'pg_catalog')
          WHERE c.relkind in ('r', 'p', 'v', 'f', 'm') and a.attnum > 0 AND NOT a.attisdropped
            AND c.oid = CAST(%(t)s AS regclass)) c
        WHERE true ORDER BY nspname, c.relname, attnum""",
    "every column of pg_attribute that is about a type": """
        SELECT attname, atttypid, attlen, attnum, attndims, atttypmod, attbyval, attalign, attstorage, attcompression,
               attnotnull, atthasdef, atthasmissing, attcollation, pg_typeof(atttypid), pg_typeof(attstorage),
               pg_typeof(atttypmod) FROM pg_catalog.pg_attribute
         WHERE pg_attribute.attrelid = CAST(%(t)s AS regclass) AND attnum > 0 ORDER BY attnum""",
    "information_schema.columns": """
        SELECT c.* FROM information_schema.columns c
         WHERE (quote_ident(table_schema) || '.' || quote_ident(table_name))::regclass = CAST(%(t)s AS regclass)
           AND table_schema IN ('public', 'attic') ORDER BY ordinal_position""",
    "information_schema.columns without alias": """
        SELECT information_schema.columns.column_name, columns.data_type, pg_typeof(columns.data_type),
               pg_typeof(character_maximum_length), pg_typeof(domain_name)
          FROM information_schema.columns WHERE table_schema = 'public' ORDER BY table_name, ordinal_position""",
    "information_schema, the rest": """
        SELECT 'domain', domain_name::text FROM information_schema.domains WHERE domain_schema <> 'information_schema'
        UNION SELECT 'schema', schema_name FROM information_schema.schemata
        UNION SELECT 'usage', domain_name || column_name FROM information_schema.column_domain_usage
               WHERE table_schema IN ('public', 'attic')
        UNION SELECT 'table', table_schema || '.' || table_name FROM information_schema.tables
        UNION SELECT 'constraint', constraint_name FROM information_schema.table_constraints
               WHERE constraint_name NOT LIKE '%%_not_null'
        UNION SELECT 'check', constraint_name FROM information_schema.check_constraints
               WHERE constraint_name NOT LIKE '%%_not_null'
        UNION SELECT 'checked', column_name FROM information_schema.constraint_column_usage
        UNION SELECT 'index', indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1, 2""",
    "with names of WITH, TABLE and ONLY": """
        WITH pg_type AS (SELECT 1 AS a), n AS (TABLE pg_namespace)
        SELECT (SELECT count(*) FROM pg_type), (SELECT count(*) FROM n WHERE nspname !~ '^pg_(toast_)?temp'),
               (SELECT count(*) FROM ONLY pg_catalog.pg_type),
               (SELECT count(*) FROM pg_attribute * a WHERE a.attrelid = CAST(%(t)s AS regclass))""",
}


class TwoSchools:
    """The same tables twice in one server: `clinic` made through pgveil, `plains` directly. The names are of one length,
    so that psql makes its columns equally wide."""

    def __init__(self, stack):
        self.stack = stack
        stack.superuser("CREATE DATABASE plains OWNER app")
        self.plain_url = stack.url("direct", "app", "plains")
        for url, options in ((stack.url(), stack.options()), (self.plain_url, "")):
            succeeded(psql(url, "-q", "-v", "ON_ERROR_STOP=1", options=options, stdin=SCHEMA))

    def answers(self, script):
        """The whole output of psql (through pgveil, on plain tables), but for the name of the database."""
        outputs = (clinic.in_psql(script, self.stack.url(), self.stack.options()),
                   clinic.in_psql(script, self.plain_url))
        return [output.replace("plains", "clinic") for output in outputs]
