#pragma once

#include "config/json_document.hpp"
#include "config/policy.hpp"

#include <string>
#include <string_view>
#include <vector>

// Tables that `pgveil migrate` is at work on ("migrating" in the policy). Such a table is protected
// as soon as the database stores its columns encrypted, and plain until then. Beside it stands a
// table of the same name with kVeiledSuffix, which is always protected and shares its contexts:
// what was sealed there opens in the table, whose place it takes.
namespace pgveil::config {

inline constexpr std::string_view kVeiledSuffix = "__veiled";
/// The table as it was, once the encrypted one has taken its place. Not protected.
inline constexpr std::string_view kPlainSuffix = "__plain";

/// True if the policy lists the table under "migrating": then a relation of that name without any
/// encrypted column may be used as plain.
bool is_migrating(const Policy& policy, std::string_view schema, std::string_view table);

/// The entry is that of a table beside one that is migrated: it need not be there.
inline bool is_beside_migrating(const TablePolicy& table) {
    return table.name.ends_with(kVeiledSuffix);
}

/// The same by its name, as `schema.table`.
inline bool is_name_beside_migrating(std::string_view name) {
    return name.ends_with(kVeiledSuffix);
}

/// The tables listed under "migrating". Errors: one without an entry of its own under /tables, a
/// name that leaves no room for the suffixes, a table that bears such a name.
Result<std::vector<PolicyName>> read_migrating(
    std::string_view file, const Json& document, const PolicyContent& content
);

/// Adds the entry for the table with kVeiledSuffix beside each of `tables`. Call it last: it is
/// alike in all that check_policy() looks at.
void add_veiled_tables(const std::vector<PolicyName>& tables, PolicyContent& content);

}  // namespace pgveil::config
