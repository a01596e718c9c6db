#include "sql/analysis/query.hpp"

#include <algorithm>
#include <array>

// What the order scheme adds beside plain comparisons: rows, windows, MIN and MAX.
namespace pgveil::analysis {

namespace {

/// The parts of `(a, b)` or `ROW(a, b)`.
const parse::Expressions* row_parts(const parse::Expression& node) {
    const auto* const construct = std::get_if<parse::Construct>(&node.node);
    const bool is_row = construct != nullptr && construct->name == "row value";
    return is_row ? &construct->parts : nullptr;
}

/// How `operation` uses each pair when it compares two rows; nullopt if it does not.
std::optional<Use> use_of_rows(const parse::Operation& operation) {
    constexpr std::array<std::string_view, 4> kRanges = {"<", "<=", ">", ">="};
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
    const bool is_range = std::ranges::find(kRanges, operation.name) != kRanges.end();
    return is_range ? std::optional(Use::kRange) : std::nullopt;
}

bool is_extremum_call(const parse::Call& call) {
    if (call.name.empty() || (call.name.size() > 1 && call.name.front() != "pg_catalog")) {
        return false;
    }
    return (call.name.back() == "min" || call.name.back() == "max") && call.arguments.size() == 1 &&
           call.order_by.empty() &&
           std::holds_alternative<parse::ColumnReference>(call.arguments.front()->node);
}

std::optional<parse::CallRange> parts_of(
    const parse::Tokens& tokens, const parse::Expression& node, const parse::Call& call
) {
    return parse::call_range(tokens, node.begin, !call.clauses.empty(), call.has_over);
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

std::optional<Value> Query::extremum(
    const parse::Expression& node, const parse::Call& call, const Scope& scope
) {
    if (!is_extremum_call(call)) {
        return std::nullopt;
    }
    const Value value = expression(*call.arguments.front(), scope);
    if (value.column == nullptr || !allows(rule_of(Use::kMinMax), value.column->scheme)) {
        return std::nullopt;
    }
    require(Use::kMinMax, value, node.begin);
    plain_all(call.clauses, scope, Use::kPredicate);
    window(call.over, scope);
    rewrite_extremum(node, call, value.column);
    Value result;
    result.column = value.column;
    result.is_bytea = true;
    result.shown_type = types::comparison_type(value.column->type);
    return result;
}

/// bytea has min() and max() from PostgreSQL 18 on only. Hexadecimal digits under collation C stand
/// in the order of the bytes.
void Query::rewrite_extremum(
    const parse::Expression& node, const parse::Call& call, const ColumnPtr& column
) {
    const auto range = parts_of(draft_.text().tokens, node, call);
    if (!range) {
        draft_.refuse("this form of " + call.name.back(), "write min(column)", column, node.begin);
        return;
    }
    if (draft_.text().defines_view) {
        draft_.refuse(
            call.name.back() + " in the query of a view",
            "leave it out of the view, and write it in the statements that read the view",
            column,
            node.begin
        );
        return;
    }
    const std::string name = "pg_catalog.decode(pg_catalog." + call.name.back();
    draft_.splice(node.begin, range->name_end, FixedText{name});
    draft_.splice(range->argument_begin, range->argument_begin, FixedText{"pg_catalog.encode("});
    draft_.splice(
        range->argument_end, range->argument_end, FixedText{", 'hex') COLLATE pg_catalog.\"C\""}
    );
    draft_.splice(range->end, range->end, FixedText{", 'hex')"});
}

/// The result column keeps the name that PostgreSQL gives to min(x).
void Query::label_extremum(const parse::Target& target, const Value& value) {
    const auto* const call = std::get_if<parse::Call>(&target.value->node);
    if (value.column == nullptr || call == nullptr || !target.name.empty()) {
        return;
    }
    const auto range = parts_of(draft_.text().tokens, *target.value, *call);
    if (!range || target.begin != target.value->begin) {
        draft_.refuse(
            call->name.back() + " in parentheses without an alias",
            "leave the parentheses out, or add AS name",
            value.column,
            target.value->begin
        );
        return;
    }
    draft_.splice(range->end, range->end, FixedText{" AS \"" + call->name.back() + "\""});
}

}  // namespace pgveil::analysis
