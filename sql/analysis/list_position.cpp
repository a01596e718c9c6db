#include "sql/analysis/list_position.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace pgveil::analysis {

std::optional<std::size_t> ordinal_of(const parse::Expression& node) {
    const auto* const constant = std::get_if<parse::Constant>(&node.node);
    if (constant == nullptr || constant->kind != parse::Constant::Kind::kInteger) {
        return std::nullopt;
    }
    std::size_t number = 0;
    const auto* const end = constant->text.data() + constant->text.size();
    const auto parsed = std::from_chars(constant->text.data(), end, number);
    return parsed.ec == std::errc() && parsed.ptr == end ? std::optional(number) : std::nullopt;
}

const std::string* bare_name(const parse::Expression& node) {
    const auto* const reference = std::get_if<parse::ColumnReference>(&node.node);
    return reference != nullptr && !reference->star && reference->parts.size() == 1
               ? &reference->parts.front()
               : nullptr;
}

namespace {

/// The item means the result column, or is of a kind (ROLLUP, say) that may hold it.
bool may_mean(const parse::Expression& item, std::size_t index, const std::string& name) {
    const auto ordinal = ordinal_of(item);
    const std::string* const used = bare_name(item);
    return ordinal == index + 1 || (used != nullptr && *used == name) ||
           std::holds_alternative<parse::Construct>(item.node);
}

}  // namespace

bool is_union_all(const parse::Select& select) {
    return select.operation == parse::Select::SetOperation::kUnion && select.operation_all;
}

namespace {

/// A query inside UNION ALL that only lists values.
bool only_lists(const parse::Select& arm) {
    if (!arm.order_by.empty() || !arm.group_by.empty() || arm.distinct) {
        return false;
    }
    return arm.operation == parse::Select::SetOperation::kNone ||
           (is_union_all(arm) && only_lists(*arm.left) && only_lists(*arm.right));
}

}  // namespace

bool compares_column(const parse::Select& select, std::size_t index, const std::string& name) {
    const bool is_list_of_lists =
        is_union_all(select) && only_lists(*select.left) && only_lists(*select.right);
    const bool compares_all =
        (select.operation != parse::Select::SetOperation::kNone && !is_list_of_lists) ||
        (select.distinct && select.distinct_on.empty());
    const std::array lists = {&select.group_by, &select.order_by, &select.distinct_on};
    return compares_all || std::ranges::any_of(lists, [&](const parse::Expressions* list) {
               return std::ranges::any_of(*list, [&](const parse::ExpressionPtr& item) {
                   return may_mean(*item, index, name);
               });
           });
}

}  // namespace pgveil::analysis
