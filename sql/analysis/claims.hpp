#pragma once

#include "sql/analysis/rejection.hpp"
#include "sql/catalog/catalog.hpp"
#include "sql/field/protected_column.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Which entries of the policy say what the columns of a relation are: its own, and those of the
// tables that it is a partition or child of. A partition needs none of its own: its rows are the
// root's.
namespace pgveil::analysis {

/// The policy's own entry for a relation; null: it is plain. A table listed under "migrating" has
/// its entry from when the database stores any of its columns encrypted.
const config::TablePolicy* entry_of(
    const catalog::Relation& relation, const config::Policy& policy
);

/// The relation is listed under "migrating" and still plain.
bool is_not_yet_veiled(const catalog::Relation& relation, const config::Policy& policy);

/// By key group: the data key that is about to take the place of the live one. Mostly empty.
using NextKeys = std::map<std::string, std::uint32_t, std::less<>>;

/// One entry and the table it stands for: values carry the context of that table.
struct Claim {
    std::string schema;
    std::string table;
    const config::TablePolicy* policy = nullptr;
};

/// Its own entry first, then those of its ancestors from near to far.
/// What a relation is a part of is the database's word: a claim that it made up only gives values
/// of one table the keys of another.
class Claims {
public:
    Claims() = default;
    Claims(std::string schema, std::string table, const config::TablePolicy& policy);
    Claims(const catalog::Relation& relation, const config::Policy& policy);

    bool empty() const { return claims_.empty(); }

    /// The column of that name, as the first entry that names it has it; null where plain.
    ColumnPtr column(std::string_view name) const;

    /// JSON pointer of that column's entry, for messages.
    std::string pointer_of(std::string_view name) const;

    /// Every column that an entry names, in name order.
    std::vector<ColumnPtr> columns() const;

    /// Two entries that make different values of one column; nullopt: there are none.
    std::optional<Rejection> conflict(std::uint32_t begin) const;

    /// The claims of two parents, or of a parent and its child, upon one relation.
    void add(const Claims& other);

    /// Searchable columns that are not in `present` are about to be made: they begin under the next
    /// key of their group, because what stands under the live one may die with it unnoticed.
    void begin_under(const NextKeys& next, const std::vector<catalog::Column>& present);

private:
    ColumnPtr column_of(const Claim& claim, const config::ColumnPolicy& entry) const;

    std::vector<Claim> claims_;
    std::map<std::string, std::uint32_t, std::less<>> data_keys_;  // by column, where not 0
    bool has_bytewise_text_ = false;
};

/// Values that were sealed for the one column open as values of the other, and are of one type.
bool are_alike(const field::ProtectedColumn& left, const field::ProtectedColumn& right);

}  // namespace pgveil::analysis
