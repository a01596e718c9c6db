#include "sql/analysis/query.hpp"

#include <algorithm>
#include <array>

// Rows that are compared, and windows.
namespace pgveil::analysis {

namespace {

/// The parts of `(a, b)` or `ROW(a, b)`.
const parse::Expressions* row_parts(const parse::Expression& node) {
    const auto* const construct = std::get_if<parse::Construct>(&node.node);
    const bool is_row = construct != nullptr && construct->name == "row value";
    return is_row ? &construct->parts : nullptr;
}

bool is_range_operator(std::string_view name) {
    constexpr std::array<std::string_view, 4> kRanges = {"<", "<=", ">", ">="};
    return std::ranges::find(kRanges, name) != kRanges.end();
}

/// How `operation` uses each pair when it compares two rows; nullopt if it does not.
std::optional<Use> use_of_rows(const parse::Operation& operation) {
    if (operation.kind == parse::Operation::Kind::kIn ||
        operation.kind == parse::Operation::Kind::kNotIn) {
        return Use::kIn;
    }
    if (operation.kind != parse::Operation::Kind::kOperator || operation.is_qualified) {
        return std::nullopt;
    }
    if (operation.name == "=" || operation.name == "<>") {
        return Use::kEqual;
    }
    return is_range_operator(operation.name) ? std::optional(Use::kRange) : std::nullopt;
}

}  // namespace

/// PostgreSQL compares rows pair by pair with the operators of the pairs' btree order
/// (documentation section 9.25.5).
bool Query::compare_rows(
    const parse::Expression& node, const parse::Operation& operation, const Scope& scope
) {
    const auto use = use_of_rows(operation);
    const auto& operands = operation.operands;
    if (!use || operands.size() < 2 || row_parts(*operands.front()) == nullptr) {
        return false;
    }
    const auto* const query = std::get_if<parse::SubQuery>(&operands[1]->node);
    if (query != nullptr && query->kind == parse::SubQuery::Kind::kScalar) {
        const Output output = this->query(*query->query, &scope);
        if (!compare_row_query(*operands[0], operation.name, output, scope, node.begin)) {
            plain(*operands[0], scope, Use::kRow);
            refuse_protected(output, Use::kSubquery, node.begin);
        }
        return true;
    }
    const parse::Expressions& left = *row_parts(*operands.front());
    const bool is_even = std::all_of(operands.begin(), operands.end(), [&](const auto& operand) {
        const parse::Expressions* const parts = row_parts(*operand);
        return parts != nullptr && parts->size() == left.size();
    });
    if (!is_even) {
        return false;
    }
    // IN compares with one row after the other; its items have no common type then.
    for (std::size_t row = 1; row < operands.size(); ++row) {
        const parse::Expressions& right = *row_parts(*operands[row]);
        for (std::size_t i = 0; i < left.size(); ++i) {
            const Value one = expression(*left[i], scope);
            const Value other = expression(*right[i], scope);
            compare(one, other, *use, node.begin);
        }
    }
    return true;
}

void Query::sort_keys(const parse::Expressions& keys, const Scope& scope, Use use) {
    for (const auto& key : keys) {
        require(use, expression(*key, scope), key->begin);
    }
}

void Query::window(const parse::Window& window, const Scope& scope) {
    sort_keys(window.partition_by, scope, Use::kPartitionBy);
    sort_keys(window.order_by, scope, Use::kWindowOrder);
    plain_all(window.offsets, scope, Use::kWindow);
    if (!window.has_range_offset) {
        return;
    }
    for (const auto& key : window.order_by) {
        plain(*key, scope, Use::kWindow, "RANGE with an offset");
    }
}

/// `(a, b) IN (SELECT ...)` and `(a, b) = (SELECT ...)`, pair by pair as above.
bool Query::compare_row_query(
    const parse::Expression& row,
    std::string_view operator_name,
    const Output& output,
    const Scope& scope,
    std::uint32_t begin
) {
    const parse::Expressions* const parts = row_parts(row);
    const bool is_equality = operator_name == "=" || operator_name == "<>";
    if (parts == nullptr || output.is_opaque || parts->size() != output.columns.size() ||
        (!is_equality && !is_range_operator(operator_name))) {
        return false;
    }
    for (std::size_t i = 0; i < parts->size(); ++i) {
        Value other = output.columns[i].value;
        other.adaptables.clear();
        other.list.reset();
        const Value one = expression(*(*parts)[i], scope);
        compare(one, other, is_equality ? Use::kInSubquery : Use::kRange, begin);
    }
    return true;
}

}  // namespace pgveil::analysis
