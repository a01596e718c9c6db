#include "sql/catalog/lookup.hpp"
#include "sql/catalog/lookup_text.hpp"

#include <algorithm>

namespace pgveil::catalog {

namespace {

// Types below 16384 are PostgreSQL's own. format_type() writes no other type like this: a name with
// a point in it would be quoted, and what stands in search_path has no schema.
constexpr std::string_view kBriefAnswer = R"sql(WITH wanted AS (
  SELECT u.ord, {oid of u} AS oid
  FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.text[]), pg_catalog.unnest($2::pg_catalog.text[]))
    WITH ORDINALITY AS u(schema, name, ord)
)
SELECT w.ord, pg_catalog.current_schema(), c.oid, n.nspname, c.relname, c.relkind,
  CASE WHEN c.relkind OPERATOR(pg_catalog.=) 'r' AND NOT c.relhasrules AND NOT c.relhassubclass
    AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_inherits i WHERE i.inhrelid OPERATOR(pg_catalog.=) c.oid)
    THEN false END,
  ({bytewise}),
  a.attnum, a.attname, a.atttypid, a.atttypmod, pg_catalog.format_type(a.atttypid, a.atttypmod),
  CASE WHEN a.atttypid OPERATOR(pg_catalog.<) 16384::pg_catalog.oid THEN false
    WHEN pg_catalog.format_type(a.atttypid, a.atttypmod) OPERATOR(pg_catalog.=) 'pgveil.ciphertext' THEN true END,
  a.attnotnull, a.atthasdef,
  a.attidentity OPERATOR(pg_catalog.<>) '' OR a.attgenerated OPERATOR(pg_catalog.<>) '',
  a.attgenerated OPERATOR(pg_catalog.<>) '',
  NULL, NULL, NULL, NULL, NULL,
  CASE WHEN c.relhasindex THEN (SELECT pg_catalog.string_agg(u.columns, ',' ORDER BY i.indexrelid)
    FROM {unique keys of c}) END,
  NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, {viewpoint},
  CASE WHEN a.atttypid OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid THEN pg_catalog.array_to_string(ARRAY(
    SELECT pg_catalog.substring(dk.conname::pg_catalog.text, '^pgveil_key:([0-9]{1,9}):')
    FROM pg_catalog.pg_constraint dk WHERE dk.conrelid OPERATOR(pg_catalog.=) a.attrelid
      AND dk.contype OPERATOR(pg_catalog.=) 'c' AND dk.conkey OPERATOR(pg_catalog.=) ARRAY[a.attnum]), ' ') END
FROM wanted w
LEFT JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) w.oid
LEFT JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid OPERATOR(pg_catalog.=) c.oid
  AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped
ORDER BY w.ord, a.attnum)sql";

}  // namespace

bool has_brief_lookup(std::span<const RelationName> names) {
    return std::all_of(names.begin(), names.end(), [](const RelationName& name) {
        return name.kind == RelationName::Kind::kRelation;
    });
}

std::string brief_lookup_query(std::span<const RelationName> names) {
    const bool is_unqualified = std::all_of(names.begin(), names.end(), [](const auto& name) {
        return name.schema.empty();
    });
    std::string query(kBriefAnswer);
    replace_all(query, "{oid of u}", is_unqualified ? kOidOfUnqualified : kOidOfAny);
    replace_all(query, "{bytewise}", kBytewise);
    replace_all(query, "{unique keys of c}", kUniqueKeys);
    replace_all(query, "{viewpoint}", kViewpoint);
    return query;
}

}  // namespace pgveil::catalog
