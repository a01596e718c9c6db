#include "sql/schema/inspection.hpp"

#include "sql/schema/schema.hpp"
#include "sql/schema/sql_template.hpp"

#include <array>

namespace pgveil::schema {

namespace {

constexpr std::string_view kDatabases = R"sql(
SELECT d.datname, pg_catalog.has_database_privilege(d.oid, 'CONNECT')
FROM pg_catalog.pg_database d WHERE d.datallowconn AND NOT d.datistemplate ORDER BY d.datname)sql";

constexpr std::string_view kMarker = R"sql(
SELECT t.typtype, pg_catalog.format_type(t.typbasetype, NULL),
  t.typnotnull OR t.typdefault IS NOT NULL OR t.typtypmod {<>} '-1'
  OR EXISTS (SELECT 1 FROM pg_catalog.pg_constraint k WHERE k.contypid {=} t.oid)
FROM pg_catalog.pg_type t WHERE t.oid {=} {marker})sql";

constexpr std::string_view kRelations = R"sql(
SELECT n.nspname, c.relname, c.relkind
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid {=} c.relnamespace
WHERE c.relname {=} ANY ($1::pg_catalog.text[]::pg_catalog.name[])
  AND c.relkind {=} ANY ('{r,p,v,m,f}'::pg_catalog."char"[]) AND c.relpersistence {<>} 't'
  AND n.nspname {<>} 'pgveil'
ORDER BY n.nspname, c.relname)sql";

constexpr std::string_view kParents = R"sql(
SELECT cn.nspname, c.relname, pn.nspname, p.relname
FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class c ON c.oid {=} i.inhrelid
JOIN pg_catalog.pg_namespace cn ON cn.oid {=} c.relnamespace
JOIN pg_catalog.pg_class p ON p.oid {=} i.inhparent JOIN pg_catalog.pg_namespace pn ON pn.oid {=} p.relnamespace
WHERE p.relkind {=} ANY ('{r,p}'::pg_catalog."char"[])
ORDER BY cn.nspname, c.relname, i.inhseqno)sql";

constexpr std::string_view kColumns = R"sql(
WITH RECURSIVE concerned AS (
  SELECT c.oid FROM pg_catalog.pg_class c WHERE c.relname {=} ANY ($1::pg_catalog.text[]::pg_catalog.name[])
  UNION SELECT i.inhrelid FROM concerned k JOIN pg_catalog.pg_inherits i ON i.inhparent {=} k.oid
)
SELECT n.nspname, c.relname, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), (a.atttypid {=} {marker}) IS TRUE,
  c.relkind, a.atttypid, a.atttypmod
FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid {=} a.attrelid
JOIN pg_catalog.pg_namespace n ON n.oid {=} c.relnamespace
WHERE a.attnum {>} 0 AND NOT a.attisdropped AND c.relpersistence {<>} 't'
  AND (c.relkind {=} ANY ('{r,p,m,f}'::pg_catalog."char"[]) AND a.atttypid {=} {marker}
    OR c.relkind {=} ANY ('{r,p}'::pg_catalog."char"[])
      AND c.oid {=} ANY (SELECT k.oid FROM concerned k))
ORDER BY n.nspname, c.relname, a.attnum)sql";

constexpr std::string_view kChecks = R"sql(
SELECT n.nspname, c.relname, k.conname, k.convalidated, pg_catalog.pg_get_constraintdef(k.oid)
FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid {=} k.conrelid
JOIN pg_catalog.pg_namespace n ON n.oid {=} c.relnamespace
WHERE k.contype {=} 'c' AND pg_catalog.starts_with(k.conname::pg_catalog.text, 'pgveil_'))sql";

// A function is found by the words of its source, or, where it has a parsed body, by dependency.
constexpr std::string_view kAttachments = R"sql(
WITH RECURSIVE guarded AS (
  SELECT c.oid, n.nspname, c.relname,
    '\m' OPERATOR(pg_catalog.||) pg_catalog.regexp_replace(c.relname::pg_catalog.text, '([^[:alnum:]_])', '\\\1', 'g')
      OPERATOR(pg_catalog.||) '\M' AS word
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid {=} c.relnamespace
  WHERE c.relname {=} ANY ($1::pg_catalog.text[]::pg_catalog.name[])
    AND c.relkind {=} ANY ('{r,p}'::pg_catalog."char"[]) AND c.relpersistence {<>} 't'
), depending(oid, nspname, relname, seen) AS (
  SELECT g.oid, g.nspname, g.relname, g.oid FROM guarded g
  UNION
  SELECT w.ev_class, d.nspname, d.relname, w.ev_class
  FROM depending d JOIN pg_catalog.pg_depend p ON p.refobjid {=} d.oid
    AND p.refclassid {=} 'pg_catalog.pg_class'::pg_catalog.regclass
    AND p.classid {=} 'pg_catalog.pg_rewrite'::pg_catalog.regclass
  JOIN pg_catalog.pg_rewrite w ON w.oid {=} p.objid
), found AS (
  SELECT d.nspname, d.relname, CASE c.relkind WHEN 'm' THEN 'materialized view' ELSE 'view' END AS kind,
    d.oid::pg_catalog.regclass::pg_catalog.text AS name, m.nspname AS own_schema, c.relname AS own_name
  FROM depending d JOIN pg_catalog.pg_class c ON c.oid {=} d.oid
  JOIN pg_catalog.pg_namespace m ON m.oid {=} c.relnamespace
  WHERE c.relkind {=} ANY ('{v,m}'::pg_catalog."char"[])
  UNION SELECT g.nspname, g.relname, 'rule', w.rulename, NULL, NULL FROM guarded g
    JOIN pg_catalog.pg_rewrite w ON w.ev_class {=} g.oid
  UNION SELECT g.nspname, g.relname, 'trigger', t.tgname, NULL, NULL FROM guarded g
    JOIN pg_catalog.pg_trigger t ON t.tgrelid {=} g.oid AND NOT t.tgisinternal
  UNION SELECT g.nspname, g.relname, 'row-level security policy', p.polname, NULL, NULL FROM guarded g
    JOIN pg_catalog.pg_policy p ON p.polrelid {=} g.oid
  UNION SELECT g.nspname, g.relname, 'function', f.oid::pg_catalog.regprocedure::pg_catalog.text, n.nspname, f.proname
    FROM guarded g JOIN pg_catalog.pg_proc f ON f.prosrc OPERATOR(pg_catalog.~*) g.word
    JOIN pg_catalog.pg_namespace n ON n.oid {=} f.pronamespace
    WHERE n.nspname {<>} ALL ('{pg_catalog,information_schema,pgveil}'::pg_catalog.name[])
  UNION SELECT g.nspname, g.relname, 'function', f.oid::pg_catalog.regprocedure::pg_catalog.text, n.nspname, f.proname
    FROM guarded g JOIN pg_catalog.pg_depend p ON p.refobjid {=} g.oid
      AND p.refclassid {=} 'pg_catalog.pg_class'::pg_catalog.regclass
      AND p.classid {=} 'pg_catalog.pg_proc'::pg_catalog.regclass
    JOIN pg_catalog.pg_proc f ON f.oid {=} p.objid
    JOIN pg_catalog.pg_namespace n ON n.oid {=} f.pronamespace
)
SELECT f.nspname, f.relname, f.kind, f.name, f.own_schema, f.own_name FROM found f ORDER BY 1, 2, 3, 4)sql";

constexpr std::string_view kEnums = R"sql(
SELECT n.nspname, t.typname, e.enumlabel
FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid {=} t.typnamespace
JOIN pg_catalog.pg_enum e ON e.enumtypid {=} t.oid
ORDER BY n.nspname, t.typname, e.enumsortorder)sql";

constexpr std::string_view kViews = R"sql(
WITH RECURSIVE over(oid) AS (
  SELECT c.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid {=} c.relnamespace
  WHERE n.nspname {<>} 'pgveil' AND c.relkind {=} ANY ('{r,p,m,f}'::pg_catalog."char"[])
    AND (c.relname {=} ANY ($1::pg_catalog.text[]::pg_catalog.name[])
      OR EXISTS (SELECT 1 FROM pg_catalog.pg_attribute a WHERE a.attrelid {=} c.oid
        AND a.atttypid {=} {marker} AND NOT a.attisdropped))
  UNION
  SELECT w.ev_class FROM over o JOIN pg_catalog.pg_depend p ON p.refobjid {=} o.oid
    AND p.refclassid {=} 'pg_catalog.pg_class'::pg_catalog.regclass
    AND p.classid {=} 'pg_catalog.pg_rewrite'::pg_catalog.regclass
  JOIN pg_catalog.pg_rewrite w ON w.oid {=} p.objid
)
SELECT n.nspname, c.relname, c.relkind, a.attname, a.atttypid, a.atttypmod,
  (a.atttypid {=} {marker}) IS TRUE,
  (SELECT pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(
      q.ev_action::pg_catalog.text, pg_catalog.getdatabaseencoding())), 'hex')
    FROM pg_catalog.pg_rewrite q WHERE q.ev_class {=} c.oid AND q.rulename {=} '_RETURN')
FROM over o JOIN pg_catalog.pg_class c ON c.oid {=} o.oid
JOIN pg_catalog.pg_namespace n ON n.oid {=} c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid {=} c.oid AND a.attnum {>} 0 AND NOT a.attisdropped
WHERE c.relkind {=} ANY ('{v,m}'::pg_catalog."char"[]) AND c.relpersistence {<>} 't'
ORDER BY n.nspname, c.relname, a.attnum)sql";

/// Takes out what the server's own spelling adds or leaves out.
std::string bare(std::string_view condition) {
    constexpr std::array<std::string_view, 16> kNoise = {
        "::pg_catalog.bytea",
        "pg_catalog.",
        "OPERATOR",
        "::pgveil.ciphertext",
        "::bytea",
        "E'",
        "'",
        "\\",
        "(",
        ")",
        " ",
        "\n",
        "\t",
        "\"",
        "CHECK",
        "NOT VALID"};
    std::string result;
    while (!condition.empty()) {
        std::size_t noise = 0;
        for (const std::string_view word : kNoise) {
            noise = noise == 0 && condition.starts_with(word) ? word.size() : noise;
        }
        if (noise == 0) {
            result += condition.front();
        }
        condition.remove_prefix(noise == 0 ? 1 : noise);
    }
    return result;
}

std::string query(std::string_view text) {
    return expand(text.substr(1));
}

}  // namespace

std::string databases_query() {
    return query(kDatabases);
}

std::string marker_query() {
    return query(kMarker);
}

std::string relations_query() {
    return query(kRelations);
}

std::string parents_query() {
    return query(kParents);
}

std::string columns_query() {
    return query(kColumns);
}

std::string checks_query() {
    return query(kChecks);
}

std::string attachments_query() {
    return query(kAttachments);
}

std::string views_query() {
    return query(kViews);
}

std::string enums_query() {
    return query(kEnums);
}

bool is_check_of(std::string_view definition, std::string_view column, config::Scheme scheme) {
    return bare(definition) == bare(check_expression(column, scheme));
}

}  // namespace pgveil::schema
