#pragma once

#include "proxy/relay/row_keys.hpp"
#include "sql/analysis/plan.hpp"
#include "sql/types/style.hpp"

#include <cstddef>
#include <string_view>
#include <unordered_map>

namespace pgveil::relay {

/// The values that one Bind seals, by hashes of their forms, so that they are found where the same
/// Bind or its statement holds them unencrypted. Values that say little, or are equal by chance,
/// are left out: booleans, numbers with fewer than 8 characters, all others with fewer than 4.
class SealedValues {
public:
    /// @param sent as the client sent it
    /// @param value its send form in parameter.input_type
    void add(
        const analysis::ParameterPlan& parameter,
        const FormattedCell& sent,
        core::ByteView value,
        const types::TextStyle& style
    );

    bool is_empty() const { return columns_.empty(); }

    /// The column of a value that equals this one; null: none.
    analysis::ColumnPtr find(const FormattedCell& cell) const;
    /// The same of a string constant (parse::Inventory::String).
    analysis::ColumnPtr find_text(std::size_t hash) const;

private:
    std::unordered_map<std::size_t, analysis::ColumnPtr> columns_;
};

}  // namespace pgveil::relay
