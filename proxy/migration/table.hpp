#pragma once

#include "config/policy.hpp"
#include "config/searchable.hpp"
#include "proxy/migration/connection.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

// What the database says about the table that is migrated, and about what a migration keeps beside
// it. All of a migration's state lies there, so that it goes on from wherever it was interrupted:
//   T               what applications use, plain or encrypted
//   T__veiled       the encrypted table that is to take its place, or has had it
//   T__plain        the plain one, likewise
//   T__marks        keys of rows that T and the other table may differ in
namespace pgveil::migration {

/// Names, quoted and with their schema.
struct Names {
    std::string table;
    std::string veiled;
    std::string plain;
    std::string marks;
    std::string function;  ///< of the triggers that mark rows

    explicit Names(const config::PolicyName& name);
};

struct Column {
    std::string name;  ///< quoted
    std::string type;  ///< format_type(), as the table stores it
    /// Of the policy; null: plain on both sides.
    const config::ColumnPolicy* veil = nullptr;
    std::string default_text;  ///< pg_get_expr(); empty: none
    bool is_generated = false;
};

/// What `pgveil rotate-data` makes of an encrypted table: another one, T__veiled, in which the
/// searchable columns of a group stand under another data key.
struct Rekeying {
    std::string group;
    std::uint32_t key_id = 0;
};

struct Table {
    config::PolicyName name;
    std::optional<Rekeying> rekeying;
    std::string owner;  ///< quoted
    std::vector<Column> columns;
    std::vector<std::string> key;    ///< the columns of its primary key, quoted
    std::vector<std::string> views;  ///< over it, which are carried over with `rekeying`; quoted
    std::int64_t rows_estimated = 0;
    std::int64_t size_bytes = 0;
    bool is_veiled = false;    ///< stored encrypted
    bool has_sibling = false;  ///< T__plain beside an encrypted T, T__veiled beside a plain one
    bool is_enqueued = false;  ///< every row has been marked once
    /// The sibling has all indexes of the table.
    bool is_indexed = false;
    /// An index beside the primary key is unique: then rows are only right all together.
    bool has_unique = false;

    /// Columns that COPY carries, as a list.
    std::string column_list() const;
    /// `"id", "part"` or `t."id", t."part"`.
    std::string key_list(const std::string& prefix = {}) const;

    bool makes_plain() const { return is_veiled && !rekeying; }

    /// The other table, whichever it is.
    std::string sibling(const Names& names) const {
        return makes_plain() ? names.plain : names.veiled;
    }

    /// The column gets another data key.
    bool is_rekeyed(const Column& column) const {
        return rekeying && column.veil != nullptr && column.veil->group == rekeying->group &&
               config::is_searchable(column.veil->scheme);
    }
};

/// `schema.table` as a person writes it, in PostgreSQL's quotes where needed.
Result<config::PolicyName> parse_table_name(const std::string& text);

/// Reads the catalog as `database`, which has to be PostgreSQL itself.
Result<Table> read_table(
    Connection& database,
    const config::PolicyName& name,
    const config::TablePolicy& policy,
    std::optional<Rekeying> rekeying = {}
);

/// "'...'", for standard_conforming_strings on.
std::string quote_literal(std::string_view text);

/// Puts `value` in place of each `mark`.
void put(std::string& text, std::string_view mark, const std::string& value);

}  // namespace pgveil::migration
