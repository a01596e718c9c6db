#include "proxy/rotation/stored.hpp"

#include "sql/schema/schema.hpp"

#include <array>
#include <cstdio>

namespace pgveil::rotation {

namespace {

// {data key}: schema::kDataKeyOfAttribute.
constexpr std::string_view kTables = R"sql(
WITH RECURSIVE up AS (
  SELECT c.oid AS relation, c.oid AS top FROM pg_catalog.pg_class c WHERE c.relkind IN ('r', 'm')
  UNION SELECT up.relation, i.inhparent FROM up JOIN pg_catalog.pg_inherits i ON i.inhrelid = up.top)
SELECT n.nspname, c.relname, c.relkind = 'm',
  pg_catalog.pg_relation_size(c.oid) / pg_catalog.current_setting('block_size')::pg_catalog.int8,
  rn.nspname, r.relname, a.attname, COALESCE({data key}, '0')
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_catalog.pg_class r ON r.oid = (SELECT pg_catalog.min(up.top) FROM up WHERE up.relation = c.oid
  AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_inherits i WHERE i.inhrelid = up.top))
JOIN pg_catalog.pg_namespace rn ON rn.oid = r.relnamespace
WHERE c.relkind IN ('r', 'm') AND a.atttypid = pg_catalog.to_regtype('pgveil.ciphertext')
ORDER BY n.nspname, c.relname, a.attnum)sql";

// $1: what an envelope under one of the keys looks like in a definition.
constexpr const char* kDefinitions = R"sql(
SELECT pg_catalog.format('the DEFAULT of %s.%I: set it again through pgveil', d.adrelid::pg_catalog.regclass, a.attname)
FROM pg_catalog.pg_attrdef d
JOIN pg_catalog.pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
WHERE pg_catalog.pg_get_expr(d.adbin, d.adrelid) ~ $1
UNION ALL
SELECT pg_catalog.format('a constant in view %s: create it again through pgveil', c.oid::pg_catalog.regclass)
FROM pg_catalog.pg_class c WHERE c.relkind IN ('v', 'm') AND pg_catalog.pg_get_viewdef(c.oid) ~ $1
UNION ALL
SELECT pg_catalog.format('a constant in constraint %I: create it again through pgveil', k.conname)
FROM pg_catalog.pg_constraint k WHERE pg_catalog.pg_get_constraintdef(k.oid) ~ $1
UNION ALL
SELECT pg_catalog.format('a constant in function %s: create it again through pgveil', p.oid::pg_catalog.regprocedure)
FROM pg_catalog.pg_proc p WHERE p.prosrc ~ $1)sql";

std::string hex_of(std::uint32_t key_id) {
    std::array<char, 9> hex{};
    static_cast<void>(std::snprintf(hex.data(), hex.size(), "%08x", key_id));
    return hex.data();
}

std::string joined(
    const std::vector<std::uint32_t>& key_ids,
    const std::string& before,
    const std::string& between,
    const std::string& after
) {
    std::string text;
    for (const std::uint32_t key_id : key_ids) {
        text += (text.empty() ? "" : between) + before + hex_of(key_id) + after;
    }
    return text;
}

/// What can be done about values that stay.
std::string advice(const StoredTable& table, const StoredColumn& column) {
    if (table.is_view) {
        return ": REFRESH MATERIALIZED VIEW, then run this again";
    }
    if (column.veil == nullptr) {
        return ": the policy does not know it; add it there, or drop it";
    }
    return {};
}

Result<void> count_table(
    Connection& database,
    const StoredTable& table,
    const std::vector<std::uint32_t>& key_ids,
    std::vector<Remainder>& found
) {
    std::string counts;
    for (const StoredColumn& column : table.columns) {
        counts += (counts.empty() ? "" : ", ") + std::string("count(*) FILTER (WHERE ") +
                  is_under(column.name, key_ids) + ")";
    }
    const auto row = database.run("SELECT " + counts + " FROM ONLY " + table.quoted);
    if (!row) {
        return row.error();
    }
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
        const std::int64_t count = std::stoll(row->front()[i]);
        if (count > 0) {
            const StoredColumn& column = table.columns[i];
            found.push_back(
                {"column " + table.name.schema + "." + table.name.name + "." + column.name +
                     advice(table, column),
                 count}
            );
        }
    }
    return {};
}

}  // namespace

std::string quoted(const std::string& name) {
    return schema::quote_identifier(name);
}

std::string is_under(const std::string& column, const std::vector<std::uint32_t>& key_ids) {
    return "pg_catalog.substring(" + quoted(column) + "::pg_catalog.bytea, 3, 4) IN (" +
           joined(key_ids, "'\\x", ", ", "'") + ")";
}

Result<std::vector<StoredTable>> stored_tables(Connection& database, const config::Policy& policy) {
    constexpr std::string_view kMark = "{data key}";
    std::string query(kTables);
    query.replace(query.find(kMark), kMark.size(), schema::kDataKeyOfAttribute);
    const auto rows = database.run(query);
    if (!rows) {
        return rows.error();
    }
    std::vector<StoredTable> tables;
    for (const migration::Row& row : *rows) {
        const config::PolicyName name{row[0], row[1]};
        if (tables.empty() || tables.back().name != name) {
            tables.push_back(
                {name,
                 {row[4], row[5]},
                 quoted(row[0]) + "." + quoted(row[1]),
                 std::stoll(row[3]),
                 row[2] == "t",
                 {}}
            );
        }
        const config::TablePolicy* entry = policy.find(row[4], row[5]);
        tables.back().columns.push_back(
            {row[6],
             entry == nullptr ? nullptr : entry->column(row[6]),
             static_cast<std::uint32_t>(std::stoul(row[7]))}
        );
    }
    return tables;
}

Result<std::vector<Remainder>> remainders(
    Connection& database, const config::Policy& policy, const std::vector<std::uint32_t>& key_ids
) {
    const auto tables = stored_tables(database, policy);
    if (!tables) {
        return tables.error();
    }
    std::vector<Remainder> found;
    for (const StoredTable& table : *tables) {
        if (const auto counted = count_table(database, table, key_ids, found); !counted) {
            return counted.error();
        }
    }
    const auto definitions =
        database.ask(kDefinitions, {R"(\\x01[0-9a-f]{2}()" + joined(key_ids, "", "|", "") + ")"});
    if (!definitions) {
        return definitions.error();
    }
    for (const migration::Row& row : *definitions) {
        found.push_back({row[0], 1});
    }
    return found;
}

}  // namespace pgveil::rotation
