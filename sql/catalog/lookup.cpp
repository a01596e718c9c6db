#include "sql/catalog/lookup.hpp"

#include <set>

namespace pgveil::catalog {

namespace {

// Qualified names are found by joining, not by to_regclass(): that raises an error, which would end
// the client's transaction, when the role may not use the schema.
constexpr std::string_view kLookupQuery = R"sql(
WITH RECURSIVE wanted AS (
  SELECT u.ord, CASE
    WHEN u.schema OPERATOR(pg_catalog.=) ''
      THEN pg_catalog.to_regclass(pg_catalog.quote_ident(u.name))::pg_catalog.oid
    ELSE (SELECT c.oid FROM pg_catalog.pg_class c
          WHERE c.relname OPERATOR(pg_catalog.=) u.name::pg_catalog.name
            AND c.relnamespace OPERATOR(pg_catalog.=) CASE
              WHEN u.schema OPERATOR(pg_catalog.=) 'pg_temp' THEN pg_catalog.pg_my_temp_schema()
              ELSE (SELECT n.oid FROM pg_catalog.pg_namespace n
                    WHERE n.nspname OPERATOR(pg_catalog.=) u.schema::pg_catalog.name) END)
    END AS oid
  FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.text[]), pg_catalog.unnest($2::pg_catalog.text[]))
    WITH ORDINALITY AS u(schema, name, ord)
), marker AS (
  SELECT t.oid FROM pg_catalog.pg_type t
  JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) t.typnamespace
  WHERE n.nspname OPERATOR(pg_catalog.=) 'pgveil' AND t.typname OPERATOR(pg_catalog.=) 'ciphertext'
), bytewise AS (
  SELECT d.encoding OPERATOR(pg_catalog.=) 6 AND CASE
    WHEN s.provider OPERATOR(pg_catalog.=) 'c' THEN d.datcollate::pg_catalog.text
      OPERATOR(pg_catalog.=) ANY (ARRAY['C', 'POSIX', 'C.UTF-8', 'C.utf8']::pg_catalog.text[])
    ELSE s.provider OPERATOR(pg_catalog.=) 'b' END AS bytewise
  FROM pg_catalog.pg_database d CROSS JOIN LATERAL (SELECT COALESCE(
    pg_catalog.to_jsonb(d) OPERATOR(pg_catalog.->>) 'datlocprovider', 'c') AS provider) s
  WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()
), reach AS (
  SELECT w.ord, w.oid AS start, w.oid FROM wanted w WHERE w.oid IS NOT NULL
  UNION
  SELECT r.ord, r.start, l.oid FROM reach r CROSS JOIN LATERAL (
    SELECT d.refobjid AS oid FROM pg_catalog.pg_rewrite rw JOIN pg_catalog.pg_depend d
      ON d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_rewrite'::pg_catalog.regclass
      AND d.objid OPERATOR(pg_catalog.=) rw.oid
      AND d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
      WHERE rw.ev_class OPERATOR(pg_catalog.=) r.oid
    UNION ALL SELECT i.inhrelid FROM pg_catalog.pg_inherits i WHERE i.inhparent OPERATOR(pg_catalog.=) r.oid
    UNION ALL SELECT i.inhparent FROM pg_catalog.pg_inherits i WHERE i.inhrelid OPERATOR(pg_catalog.=) r.oid
  ) l
)
SELECT w.ord, pg_catalog.current_schema(), c.oid, n.nspname, c.relname, c.relkind,
  CASE WHEN c.oid IS NOT NULL THEN EXISTS (
    SELECT 1 FROM reach r JOIN pg_catalog.pg_class x ON x.oid OPERATOR(pg_catalog.=) r.oid
    WHERE r.ord OPERATOR(pg_catalog.=) w.ord AND r.oid OPERATOR(pg_catalog.<>) r.start
      AND (x.relname OPERATOR(pg_catalog.=) ANY ($3::pg_catalog.text[]::pg_catalog.name[])
        OR EXISTS (SELECT 1 FROM pg_catalog.pg_attribute b JOIN marker k
                   ON b.atttypid OPERATOR(pg_catalog.=) k.oid
                   WHERE b.attrelid OPERATOR(pg_catalog.=) x.oid AND b.attnum OPERATOR(pg_catalog.>) 0
                     AND NOT b.attisdropped))) END,
  CASE WHEN c.oid IS NOT NULL THEN (SELECT b.bytewise FROM bytewise b) END,
  a.attnum, a.attname, a.atttypid, a.atttypmod, pg_catalog.format_type(a.atttypid, a.atttypmod),
  CASE WHEN a.attnum IS NOT NULL THEN EXISTS (
    SELECT 1 FROM marker k WHERE k.oid OPERATOR(pg_catalog.=) a.atttypid) END,
  a.attnotnull, a.atthasdef,
  a.attidentity OPERATOR(pg_catalog.<>) '' OR a.attgenerated OPERATOR(pg_catalog.<>) '',
  a.attgenerated OPERATOR(pg_catalog.<>) ''
FROM wanted w
LEFT JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) w.oid
LEFT JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid OPERATOR(pg_catalog.=) c.oid
  AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped
ORDER BY w.ord, a.attnum)sql";

void append_element(std::string& into, std::string_view element) {
    into.append(into.size() > 1 ? ",\"" : "\"");
    for (const char c : element) {
        if (c == '"' || c == '\\') {
            into.push_back('\\');
        }
        into.push_back(c);
    }
    into.push_back('"');
}

}  // namespace

std::string_view lookup_query() {
    return kLookupQuery.substr(1);
}

std::string schemas_parameter(std::span<const RelationName> names) {
    std::string result = "{";
    for (const RelationName& name : names) {
        append_element(result, name.schema);
    }
    return result + "}";
}

std::string names_parameter(std::span<const RelationName> names) {
    std::string result = "{";
    for (const RelationName& name : names) {
        append_element(result, name.name);
    }
    return result + "}";
}

std::string protected_parameter(const config::Policy& policy) {
    std::set<std::string_view> last_names;
    for (const config::TablePolicy& table : policy.tables()) {
        last_names.insert(table.name);
    }
    std::string result = "{";
    for (const std::string_view name : last_names) {
        append_element(result, name);
    }
    return result + "}";
}

}  // namespace pgveil::catalog
