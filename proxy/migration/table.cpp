#include "proxy/migration/table.hpp"

#include "config/migrating.hpp"
#include "proxy/migration/views.hpp"
#include "sql/schema/schema.hpp"

#include <algorithm>
#include <charconv>

namespace pgveil::migration {

namespace {

std::string qualified(const config::PolicyName& name, std::string_view suffix) {
    return schema::quote_identifier(name.schema) + "." +
           schema::quote_identifier(name.name + std::string(suffix));
}

std::int64_t number(const std::string& text) {
    std::int64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

constexpr const char* kRelation = R"sql(
SELECT c.oid, pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(c.relowner)), c.reltuples::bigint,
  pg_catalog.pg_total_relation_size(c.oid),
  EXISTS (SELECT 1 FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND NOT a.attisdropped
    AND a.atttypid = pg_catalog.to_regtype('pgveil.ciphertext')),
  pg_catalog.to_regclass($2) IS NOT NULL, pg_catalog.to_regclass($3) IS NOT NULL,
  COALESCE(pg_catalog.obj_description(pg_catalog.to_regclass($4), 'pg_class') = 'enqueued', false)
FROM pg_catalog.pg_class c WHERE c.oid = pg_catalog.to_regclass($1))sql";

constexpr const char* kColumns = R"sql(
SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod),
  COALESCE(pg_catalog.pg_get_expr(d.adbin, d.adrelid), ''), a.attgenerated <> '',
  COALESCE(pg_catalog.array_position(k.conkey, a.attnum), 0)
FROM pg_catalog.pg_attribute a
LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
LEFT JOIN pg_catalog.pg_constraint k ON k.conrelid = a.attrelid AND k.contype = 'p'
WHERE a.attrelid = $1::pg_catalog.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum)sql";

// An index of the sibling is called by the OID of the one that it stands for.
constexpr const char* kIndexes = R"sql(
SELECT pg_catalog.bool_and(pg_catalog.to_regclass($2 || '.pgveil_' || i.indexrelid) IS NOT NULL),
  pg_catalog.bool_or(i.indisunique AND NOT i.indisprimary)
FROM pg_catalog.pg_index i WHERE i.indrelid = $1::pg_catalog.oid)sql";

Result<void> read_columns(
    Connection& database, const std::string& oid, const config::TablePolicy& policy, Table& table
) {
    const auto rows = database.ask(kColumns, {oid});
    if (!rows) {
        return rows.error();
    }
    std::vector<std::pair<std::int64_t, std::string>> key;
    for (const Row& row : *rows) {
        Column column;
        column.name = schema::quote_identifier(row[0]);
        column.type = row[1];
        column.veil = policy.column(row[0]);
        column.default_text = row[2];
        column.is_generated = row[3] == "t";
        if (const std::int64_t place = number(row[4]); place > 0) {
            key.emplace_back(place, column.name);
        }
        table.columns.push_back(std::move(column));
    }
    std::sort(key.begin(), key.end());
    for (auto& [place, name] : key) {
        table.key.push_back(std::move(name));
    }
    for (const config::ColumnPolicy& column : policy.columns) {
        const bool is_there =
            std::any_of(table.columns.begin(), table.columns.end(), [&column](const auto& each) {
                return each.veil == &column;
            });
        if (!is_there) {
            return unusable(
                "the policy names column " + column.name +
                ", which the table does not have: correct " + column.pointer + ", and reload"
            );
        }
    }
    return {};
}

}  // namespace

Names::Names(const config::PolicyName& name)
    : table(qualified(name, "")),
      veiled(qualified(name, config::kVeiledSuffix)),
      plain(qualified(name, config::kPlainSuffix)),
      marks(qualified(name, "__marks")),
      function(qualified(name, "__mark")) {}

std::string Table::column_list() const {
    std::string list = key_list();
    for (const Column& column : columns) {
        const bool is_key = std::find(key.begin(), key.end(), column.name) != key.end();
        list += column.is_generated || is_key ? "" : ", " + column.name;
    }
    return list;
}

std::string Table::key_list(const std::string& prefix) const {
    std::string list;
    for (const std::string& column : key) {
        list += (list.empty() ? "" : ", ") + prefix + column;
    }
    return list;
}

std::string quote_literal(std::string_view text) {
    std::string quoted = "'";
    for (const char letter : text) {
        quoted += letter;
        if (letter == '\'') {
            quoted += letter;
        }
    }
    return quoted + "'";
}

void put(std::string& text, std::string_view mark, const std::string& value) {
    for (std::size_t at = 0; (at = text.find(mark, at)) != std::string::npos;) {
        text.replace(at, mark.size(), value);
        at += value.size();
    }
}

Result<config::PolicyName> parse_table_name(const std::string& text) {
    const std::size_t dot = text.find('.');
    const bool is_simple = text.find('"') == std::string::npos && text.rfind('.') == dot;
    if (!is_simple || text.empty() || dot == 0 || dot + 1 == text.size()) {
        return unusable("TABLE is schema.table, exactly as in the policy and without quotes");
    }
    if (dot == std::string::npos) {
        return config::PolicyName{"public", text};
    }
    return config::PolicyName{text.substr(0, dot), text.substr(dot + 1)};
}

Result<Table> read_table(
    Connection& database,
    const config::PolicyName& name,
    const config::TablePolicy& policy,
    std::optional<Rekeying> rekeying
) {
    const Names names(name);
    const auto found =
        database.ask(kRelation, {names.table, names.veiled, names.plain, names.marks});
    if (!found) {
        return found.error();
    }
    if (found->empty()) {
        return unusable(
            "there is no table " + name.schema + "." + name.name + " in " + database.name() +
            ": does --direct name the right database?"
        );
    }
    const Row& row = found->front();
    Table table;
    table.name = name;
    table.rekeying = std::move(rekeying);
    table.owner = row[1];
    table.rows_estimated = std::max<std::int64_t>(number(row[2]), 0);
    table.size_bytes = number(row[3]);
    table.is_veiled = row[4] == "t";
    table.has_sibling = row[table.makes_plain() ? 6 : 5] == "t";
    table.is_enqueued = row[7] == "t";
    if (row[table.makes_plain() ? 5 : 6] == "t") {
        return unusable(
            "there is a table " + (table.makes_plain() ? names.veiled : names.plain) + " beside " +
            names.table +
            ", which is of other work: end the work that it is from (`pgveil migrate --drop`, or "
            "`pgveil rotate-data`), or rename it"
        );
    }
    const auto columns = read_columns(database, row[0], policy, table);
    if (!columns) {
        return columns.error();
    }
    const auto indexes = database.ask(kIndexes, {row[0], schema::quote_identifier(name.schema)});
    if (!indexes) {
        return indexes.error();
    }
    table.is_indexed = indexes->front()[0] == "t";
    table.has_unique = indexes->front()[1] == "t";
    auto views = read_views(database, names.table);
    if (!views) {
        return views.error();
    }
    table.views = std::move(*views);
    return table;
}

}  // namespace pgveil::migration
