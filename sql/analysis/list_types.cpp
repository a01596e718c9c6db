// In which type PostgreSQL reads the items of an IN list (documentation section 10.5).
#include "sql/analysis/common_type.hpp"
#include "sql/analysis/constants.hpp"
#include "sql/analysis/draft.hpp"
#include "sql/types/convert.hpp"
#include "sql/types/network_address.hpp"
#include "sql/types/number_casts.hpp"

#include <algorithm>

namespace pgveil::analysis {

namespace {

int width_of(types::Kind integer) {
    return integer == types::Kind::kInt2 ? 2 : integer == types::Kind::kInt4 ? 4 : 8;
}

bool number_widens_to(types::Kind from, types::Kind column) {
    if (types::is_integer(column)) {
        return types::is_integer(from) && width_of(from) <= width_of(column);
    }
    // The order of preference: numeric, float4, float8.
    const bool is_below_float4 = types::is_integer(from) || from == types::Kind::kNumeric;
    return from == column || column == types::Kind::kFloat8 || is_below_float4;
}

bool characters_widen_to(types::Kind from, types::Kind column) {
    return column != types::Kind::kBpchar || from != types::Kind::kText;
}

/// PostgreSQL compares a value of type `from` with the column in the column's own type.
bool widens_to(types::Kind from, types::Kind column) {
    if (types::is_number(from) && types::is_number(column)) {
        return number_widens_to(from, column);
    }
    if (types::is_characters(from) && types::is_characters(column)) {
        return characters_widen_to(from, column);
    }
    if (types::is_network(from) && types::is_network(column)) {
        return true;
    }
    return from == column || (from == types::Kind::kDate && column == types::Kind::kTimestamp);
}

/// The column's values are not all different in double precision.
bool is_finer_than_double(types::Kind column) {
    return column == types::Kind::kInt8 || column == types::Kind::kNumeric;
}

}  // namespace

bool is_read_as_column(
    const std::vector<const parse::Expression*>& items,
    const types::Type& column,
    const Draft& draft
) {
    bool has_untyped = false;
    bool has_other = false;
    bool has_float = false;
    bool has_exact = false;
    for (const parse::Expression* item : items) {
        const auto bare = bare_constant(*item);
        if (!bare || is_null_constant(*item)) {
            continue;  // a column of the same context, or NULL, which is the same in every type
        }
        const ArmType type = arm_type_of(*bare, draft);
        const bool is_float = type.type && types::is_float(type.type->kind);
        has_untyped |= !type.is_declared;
        has_other |= type.is_declared && !(type.type && widens_to(type.type->kind, column.kind));
        has_float |= is_float;
        has_exact |= !is_float;
    }
    const bool mixes_precision = is_finer_than_double(column.kind) && has_float && has_exact;
    // PostgreSQL reads the untyped items of a longer list as cidr, and a single one as inet.
    const bool is_cidr_list = column.kind == types::Kind::kCidr && has_untyped && items.size() > 1;
    return !(has_untyped && has_other) && !mixes_precision && !is_cidr_list;
}

std::optional<types::Kind> open_kind_of_list(
    const parse::Operation& list, const types::Type& column
) {
    if (column.kind != types::Kind::kVarchar) {
        return std::nullopt;
    }
    // text and char turn into varchar as freely as the other way round, so that the first type
    // stays.
    const auto constants =
        std::count_if(list.operands.begin() + 1, list.operands.end(), [](const auto& item) {
            return bare_constant(*item).has_value();
        });
    return constants > 1 ? std::optional(types::Kind::kVarchar) : std::nullopt;
}

}  // namespace pgveil::analysis
