#include "sql/schema/veiled_columns.hpp"

#include "sql/schema/sql_template.hpp"
#include "sql/types/enum_type.hpp"

#include <set>

namespace pgveil::schema {

namespace {

std::string typed(std::string_view text, std::string_view type) {
    return quote_literal(text) + "::pg_catalog." + std::string(type);
}

/// The schemas that an entry for `*.name` does not reach: they have an entry of their own, or the
/// policy lists the relation as plain.
std::string exceptions_of(const config::Policy& policy, const config::TablePolicy& table) {
    std::set<std::string_view> schemas;
    if (table.schema == "*") {
        for (const config::TablePolicy& other : policy.tables()) {
            if (other.name == table.name && other.schema != "*") {
                schemas.insert(other.schema);
            }
        }
        for (const config::PolicyName& plain : policy.plain()) {
            if (plain.name == table.name) {
                schemas.insert(plain.schema);
            }
        }
    }
    std::string list;
    for (const std::string_view schema : schemas) {
        list += (list.empty() ? "" : ", ") + quote_literal(schema);
    }
    return "ARRAY[" + list + "]::pg_catalog.name[]";
}

/// An enum has another OID in every database.
std::string number_of(types::Kind kind) {
    if (!types::is_enum(kind)) {
        return typed(std::to_string(types::oid_of(kind)), "oid");
    }
    const types::EnumDefinition& definition = types::enum_definition_of(kind);
    return expand(
               "(SELECT t." + std::string(types::is_array(kind) ? "typarray" : "oid") +
               " FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n "
               "ON n.oid {=} t.typnamespace WHERE t.typtype {=} 'e' AND n.nspname {=} "
           ) +
           typed(definition.schema, "name") + expand(" AND t.typname {=} ") +
           typed(definition.name, "name") + ")";
}

std::string rows_of(const config::Policy& policy) {
    std::string rows;
    for (const config::TablePolicy& table : policy.tables()) {
        const std::string exceptions = exceptions_of(policy, table);
        for (const config::ColumnPolicy& column : table.columns) {
            rows += rows.empty() ? "(" : ", (";
            rows += typed(table.schema, "name") + ", " + typed(table.name, "name") + ", " +
                    typed(column.name, "name") + ", " + number_of(column.type.kind) + ", " +
                    typed(std::to_string(column.type.typmod), "int4") + ", " + exceptions + ")";
        }
    }
    return rows;
}

constexpr std::string_view kHead =
    "(WITH RECURSIVE entry(nspname, relname, attname, typid, typmod, exceptions) AS (VALUES ";

// A child may have an entry of its own: the nearest one counts. Columns of an index carry the type
// of the column they stand for. The query of a view, as the server keeps it, says behind each
// column (:resno) of which table and column it is (:resorigtbl); the view's own list is the last
// one. That of a set operation says nothing, but its queries do.
constexpr std::string_view kTail = R"sql(), reach(relid, attname, typid, typmod, depth) AS (
  SELECT c.oid, e.attname, e.typid, e.typmod, 0
  FROM entry e JOIN pg_catalog.pg_class c ON c.relname {=} e.relname
  JOIN pg_catalog.pg_namespace n ON n.oid {=} c.relnamespace
    AND (n.nspname {=} e.nspname OR e.nspname {=} '*' AND n.nspname {<>} ALL (e.exceptions))
  UNION ALL
  SELECT i.inhrelid, r.attname, r.typid, r.typmod, r.depth {+} 1
  FROM reach r JOIN pg_catalog.pg_inherits i ON i.inhparent {=} r.relid
), veiled AS (
  SELECT DISTINCT ON (a.attrelid, a.attnum) a.attrelid AS relid, a.attnum, a.attname, r.typid, r.typmod
  FROM reach r JOIN pg_catalog.pg_attribute a ON a.attrelid {=} r.relid AND a.attname {=} r.attname
    AND a.atttypid {=} {marker}
  ORDER BY a.attrelid, a.attnum, r.depth
), over(oid) AS (
  SELECT v.relid FROM veiled v
  UNION
  SELECT w.ev_class FROM over o JOIN pg_catalog.pg_depend p ON p.refobjid {=} o.oid
    AND p.refclassid {=} 'pg_catalog.pg_class'::pg_catalog.regclass
    AND p.classid {=} 'pg_catalog.pg_rewrite'::pg_catalog.regclass
  JOIN pg_catalog.pg_rewrite w ON w.oid {=} p.objid AND w.rulename {=} '_RETURN'
), shown AS (
  SELECT DISTINCT ON (a.attrelid, a.attnum) a.attrelid AS relid, a.attnum, a.attname,
    x.part[1]::pg_catalog.oid AS origin, x.part[2]::pg_catalog.int2 AS origin_column
  FROM over o JOIN pg_catalog.pg_rewrite w ON w.ev_class {=} o.oid AND w.rulename {=} '_RETURN'
  JOIN pg_catalog.pg_attribute a ON a.attrelid {=} o.oid AND a.atttypid {=} {marker}
  CROSS JOIN LATERAL pg_catalog.regexp_matches(w.ev_action::pg_catalog.text,
    pg_catalog.concat(':resno ', a.attnum, ' :resname [^:]+ :ressortgroupref [0-9]+',
      ' :resorigtbl ([0-9]+) :resorigcol ([0-9]+) '), 'g') WITH ORDINALITY AS x(part, place)
  WHERE x.part[1] {<>} '0' OR w.ev_action::pg_catalog.text OPERATOR(pg_catalog.!~) 'SETOPERATIONSTMT'
  ORDER BY a.attrelid, a.attnum, x.place DESC
), with_views AS (
  SELECT v.relid, v.attnum, v.attname, v.typid, v.typmod FROM veiled v
  UNION
  SELECT s.relid, s.attnum, s.attname, v.typid, v.typmod
  FROM with_views v JOIN shown s ON s.origin {=} v.relid AND s.origin_column {=} v.attnum
), with_indexes AS (
  SELECT v.* FROM with_views v
  UNION ALL
  SELECT a.attrelid, a.attnum, a.attname, v.typid, v.typmod
  FROM with_views v JOIN pg_catalog.pg_index x ON x.indrelid {=} v.relid
  JOIN pg_catalog.pg_attribute a ON a.attrelid {=} x.indexrelid AND a.atttypid {=} {marker}
    AND x.indkey[a.attnum {-} 1] {=} v.attnum
)
SELECT w.relid, w.attnum, n.nspname, c.relname, w.attname, w.typid, w.typmod, t.typlen, t.typbyval,
  t.typalign, t.typstorage, t.typcollation, t.typname, t.typelem, y.nspname AS typschema
FROM with_indexes w JOIN pg_catalog.pg_class c ON c.oid {=} w.relid
JOIN pg_catalog.pg_namespace n ON n.oid {=} c.relnamespace
JOIN pg_catalog.pg_type t ON t.oid {=} w.typid
JOIN pg_catalog.pg_namespace y ON y.oid {=} t.typnamespace))sql";

}  // namespace

std::string veiled_columns(const config::Policy& policy) {
    return std::string(kHead) + rows_of(policy) + expand(kTail);
}

}  // namespace pgveil::schema
