#pragma once

#include "config/policy.hpp"
#include "sql/types/type.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace pgveil::field {

/// One protected column of one relation, with everything that keys and associated data depend on.
/// Immutable; shared between plans.
struct ProtectedColumn {
    std::string schema;
    std::string table;
    std::string name;
    std::string context;
    std::string group;
    types::Type type;
    config::Scheme scheme = config::Scheme::kRandomized;
    /// See config::ColumnPolicy.
    std::uint32_t pad_to = 0;
    std::uint32_t order_bytes = 0;
    std::vector<std::string> bind_to;
    bool is_null_without_key = false;
    std::vector<std::string> poison;
    /// Of a searchable column whose values stand under another data key than the group's live one:
    /// its id, as the database says; else 0.
    std::uint32_t data_key = 0;
    /// The database compares text byte by byte, as order tags do.
    bool has_bytewise_text = false;

    /// Values belong to one row: sealing and opening need its row binding.
    bool is_bound() const { return !bind_to.empty(); }

    /// Of the type, in the associated data.
    std::string associated_type_name() const;

    /// "public.patients.ssn", for messages.
    std::string qualified_name() const { return schema + "." + table + "." + name; }
};

/// The column `policy` as it occurs in `schema.table` (the schema is the relation's own, never
/// "*").
std::shared_ptr<ProtectedColumn> protected_column(
    std::string_view schema, std::string_view table, const config::ColumnPolicy& policy
);

/// True if values of the two may be copied, joined and compared without opening them: same
/// context, type by its associated name, scheme, padding, order_bytes, group and data key.
bool shares_context(const ProtectedColumn& left, const ProtectedColumn& right);

}  // namespace pgveil::field
