#include "sql/schema/facade.hpp"

#include "sql/schema/schema.hpp"
#include "sql/schema/sql_template.hpp"
#include "sql/schema/veiled_columns.hpp"

#include <algorithm>
#include <array>
#include <span>

namespace pgveil::schema {

namespace {

// In all texts: r is the relation, m its row of veiled_columns(), NULL where there is none.

struct Changed {
    std::string_view column;
    std::string_view expression;
};

struct Facade {
    std::string_view schema;
    std::string_view name;
    std::span<const Changed> changed;
    /// On which condition m is joined; empty: not at all.
    std::string_view join;
    /// Which rows are shown; empty: all.
    std::string_view condition;
};

// The default of a protected column is an envelope, or NULL, which a plain column does not list.
constexpr std::array kAttribute = {
    Changed{"atttypid", "COALESCE(m.typid, r.atttypid)"},
    Changed{"attlen", "COALESCE(m.typlen, r.attlen)"},
    Changed{"atttypmod", "COALESCE(m.typmod, r.atttypmod)"},
    Changed{
        "attndims",
        "CASE WHEN m.typelem {<>} 0 AND m.typlen {=} '-1' THEN '1' ELSE r.attndims END"},
    Changed{"attbyval", "COALESCE(m.typbyval, r.attbyval)"},
    Changed{"attalign", "COALESCE(m.typalign, r.attalign)"},
    Changed{"attstorage", "COALESCE(m.typstorage, r.attstorage)"},
    Changed{"attcollation", "COALESCE(m.typcollation, r.attcollation)"},
    Changed{"atthasdef", "r.atthasdef AND m.typid IS NULL"},
};

constexpr std::string_view kAttributeDefaultIsShown =
    "NOT EXISTS (SELECT 1 FROM pg_catalog.pg_attribute a WHERE a.attrelid {=} r.adrelid "
    "AND a.attnum {=} r.adnum AND a.atttypid {=} {marker})";

constexpr std::string_view kConstraintIsShown =
    "(r.connamespace {=} {home}) IS NOT TRUE AND NOT (r.contype {=} 'c' "
    "AND pg_catalog.starts_with(r.conname::pg_catalog.text, 'pgveil_') "
    "AND EXISTS (SELECT 1 FROM pg_catalog.pg_attribute a WHERE a.attrelid {=} r.conrelid "
    "AND r.conkey {=} ARRAY[a.attnum] AND a.atttypid {=} {marker}))";

constexpr std::array kClass = {
    Changed{
        "relchecks",
        "CASE WHEN r.relchecks {>} 0 THEN (r.relchecks {-} (SELECT pg_catalog.count(*) "
        "FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_attribute a "
        "ON a.attrelid {=} k.conrelid AND k.conkey {=} ARRAY[a.attnum] AND a.atttypid {=} {marker} "
        "WHERE k.conrelid {=} r.oid AND k.contype {=} 'c' "
        "AND pg_catalog.starts_with(k.conname::pg_catalog.text, 'pgveil_')))::pg_catalog.int2 "
        "ELSE r.relchecks END"},
};

// The same functions that information_schema uses itself.
constexpr std::array kColumns = {
    Changed{
        "column_default",
        "CASE WHEN m.typid IS NOT NULL "
        "THEN NULL::information_schema.character_data ELSE r.column_default END"},
    Changed{
        "data_type",
        "CASE WHEN m.typid IS NULL THEN r.data_type WHEN m.typelem {<>} 0 AND m.typlen {=} '-1' "
        "THEN 'ARRAY'::information_schema.character_data WHEN m.typschema {<>} 'pg_catalog' "
        "THEN 'USER-DEFINED'::information_schema.character_data "
        "ELSE pg_catalog.format_type(m.typid, NULL)::information_schema.character_data END"},
    Changed{
        "character_maximum_length",
        "CASE WHEN m.typid IS NULL THEN r.character_maximum_length ELSE information_schema."
        "_pg_char_max_length(m.typid, m.typmod)::information_schema.cardinal_number END"},
    Changed{
        "character_octet_length",
        "CASE WHEN m.typid IS NULL THEN r.character_octet_length ELSE information_schema."
        "_pg_char_octet_length(m.typid, m.typmod)::information_schema.cardinal_number END"},
    Changed{
        "numeric_precision",
        "CASE WHEN m.typid IS NULL THEN r.numeric_precision ELSE information_schema."
        "_pg_numeric_precision(m.typid, m.typmod)::information_schema.cardinal_number END"},
    Changed{
        "numeric_precision_radix",
        "CASE WHEN m.typid IS NULL THEN r.numeric_precision_radix ELSE information_schema."
        "_pg_numeric_precision_radix(m.typid, m.typmod)::information_schema.cardinal_number END"},
    Changed{
        "numeric_scale",
        "CASE WHEN m.typid IS NULL THEN r.numeric_scale ELSE information_schema."
        "_pg_numeric_scale(m.typid, m.typmod)::information_schema.cardinal_number END"},
    Changed{
        "datetime_precision",
        "CASE WHEN m.typid IS NULL THEN r.datetime_precision ELSE information_schema."
        "_pg_datetime_precision(m.typid, m.typmod)::information_schema.cardinal_number END"},
    Changed{
        "interval_type",
        "CASE WHEN m.typid IS NULL THEN r.interval_type ELSE information_schema."
        "_pg_interval_type(m.typid, m.typmod)::information_schema.character_data END"},
    Changed{
        "domain_catalog",
        "CASE WHEN m.typid IS NULL THEN r.domain_catalog "
        "ELSE NULL::information_schema.sql_identifier END"},
    Changed{
        "domain_schema",
        "CASE WHEN m.typid IS NULL THEN r.domain_schema "
        "ELSE NULL::information_schema.sql_identifier END"},
    Changed{
        "domain_name",
        "CASE WHEN m.typid IS NULL THEN r.domain_name "
        "ELSE NULL::information_schema.sql_identifier END"},
    Changed{
        "udt_schema",
        "CASE WHEN m.typid IS NULL THEN r.udt_schema "
        "ELSE m.typschema::information_schema.sql_identifier END"},
    Changed{
        "udt_name",
        "CASE WHEN m.typid IS NULL THEN r.udt_name "
        "ELSE m.typname::information_schema.sql_identifier END"},
};

constexpr std::string_view kNamedConstraintIsShown =
    "NOT (pg_catalog.starts_with(r.constraint_name::pg_catalog.text, 'pgveil_') "
    "AND EXISTS (SELECT 1 FROM pg_catalog.pg_constraint k "
    "JOIN pg_catalog.pg_namespace n ON n.oid {=} k.connamespace "
    "JOIN pg_catalog.pg_attribute a ON a.attrelid {=} k.conrelid "
    "AND k.conkey {=} ARRAY[a.attnum] AND a.atttypid {=} {marker} "
    "WHERE n.nspname {=} r.constraint_schema AND k.conname {=} r.constraint_name "
    "AND k.contype {=} 'c'))";

constexpr std::string_view kSchemaNameIsShown = "r.schemaname {<>} 'pgveil'";
constexpr std::string_view kTableSchemaIsShown = "r.table_schema {<>} 'pgveil'";
constexpr std::string_view kDomainSchemaIsShown = "r.domain_schema {<>} 'pgveil'";
constexpr std::string_view kObjectSchemaIsShown = "r.object_schema {<>} 'pgveil'";

constexpr std::string_view kPgCatalog = "pg_catalog";
constexpr std::string_view kInformation = "information_schema";
constexpr std::span<const Changed> kNothing;

constexpr std::array kFacades = {
    Facade{kPgCatalog, "pg_attrdef", kNothing, "", kAttributeDefaultIsShown},
    Facade{
        kPgCatalog,
        "pg_attribute",
        kAttribute,
        "m.relid {=} r.attrelid AND m.attnum {=} r.attnum",
        ""},
    Facade{kPgCatalog, "pg_class", kClass, "", "(r.relnamespace {=} {home}) IS NOT TRUE"},
    Facade{kPgCatalog, "pg_constraint", kNothing, "", kConstraintIsShown},
    Facade{kPgCatalog, "pg_indexes", kNothing, "", kSchemaNameIsShown},
    Facade{kPgCatalog, "pg_namespace", kNothing, "", "r.nspname {<>} 'pgveil'"},
    Facade{kPgCatalog, "pg_tables", kNothing, "", kSchemaNameIsShown},
    Facade{kPgCatalog, "pg_type", kNothing, "", "(r.typnamespace {=} {home}) IS NOT TRUE"},
    Facade{kPgCatalog, "pg_views", kNothing, "", kSchemaNameIsShown},
    Facade{kInformation, "check_constraints", kNothing, "", kNamedConstraintIsShown},
    Facade{kInformation, "column_domain_usage", kNothing, "", kDomainSchemaIsShown},
    Facade{kInformation, "column_privileges", kNothing, "", kTableSchemaIsShown},
    Facade{
        kInformation,
        "columns",
        kColumns,
        "m.nspname {=} r.table_schema AND m.relname {=} r.table_name "
        "AND m.attname {=} r.column_name",
        kTableSchemaIsShown},
    Facade{kInformation, "constraint_column_usage", kNothing, "", kNamedConstraintIsShown},
    Facade{kInformation, "domain_udt_usage", kNothing, "", kDomainSchemaIsShown},
    Facade{kInformation, "domains", kNothing, "", kDomainSchemaIsShown},
    Facade{kInformation, "role_table_grants", kNothing, "", kTableSchemaIsShown},
    Facade{kInformation, "schemata", kNothing, "", "r.schema_name {<>} 'pgveil'"},
    Facade{kInformation, "table_constraints", kNothing, "", kNamedConstraintIsShown},
    Facade{kInformation, "table_privileges", kNothing, "", kTableSchemaIsShown},
    Facade{kInformation, "tables", kNothing, "", kTableSchemaIsShown},
    Facade{kInformation, "usage_privileges", kNothing, "", kObjectSchemaIsShown},
};

const Facade* find_facade(std::string_view schema, std::string_view name) {
    const auto* const found =
        std::find_if(kFacades.begin(), kFacades.end(), [&](const Facade& facade) {
            return facade.schema == schema && facade.name == name;
        });
    return found == kFacades.end() ? nullptr : found;
}

std::string shown_column(const Facade& facade, const std::string& column) {
    const std::string name = quote_identifier(column);
    const auto changed =
        std::find_if(facade.changed.begin(), facade.changed.end(), [&](const Changed& candidate) {
            return candidate.column == column;
        });
    return changed == facade.changed.end() ? "r." + name
                                           : expand(changed->expression) + " AS " + name;
}

std::string shown_columns(
    const Facade& facade,
    const catalog::Relation& relation,
    const std::vector<std::string>& system_columns
) {
    std::string list;
    for (const catalog::Column& column : relation.columns) {
        list += (list.empty() ? "" : ", ") + shown_column(facade, column.name);
    }
    const bool is_table = relation.relkind == 'r';
    for (const std::string& column : is_table ? system_columns : std::vector<std::string>()) {
        list += ", r." + column;
    }
    return list;
}

}  // namespace

bool has_facade(std::string_view schema, std::string_view name) {
    return find_facade(schema, name) != nullptr;
}

bool has_facade(std::string_view name) {
    return has_facade(kPgCatalog, name) || has_facade(kInformation, name);
}

std::string facade_of(
    const catalog::Relation& relation,
    const config::Policy& policy,
    const std::vector<std::string>& system_columns
) {
    const Facade* const facade = find_facade(relation.schema, relation.name);
    if (facade == nullptr) {
        return {};
    }
    std::string text = "(SELECT " + shown_columns(*facade, relation, system_columns) + " FROM " +
                       std::string(facade->schema) + "." + std::string(facade->name) + " r";
    if (!facade->join.empty()) {
        text += " LEFT JOIN " + veiled_columns(policy) + " m ON " + expand(facade->join);
    }
    if (!facade->condition.empty()) {
        text += " WHERE " + expand(facade->condition);
    }
    return text + ")";
}

}  // namespace pgveil::schema
