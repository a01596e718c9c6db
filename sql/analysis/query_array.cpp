#include "sql/analysis/constants.hpp"
#include "sql/analysis/query.hpp"
#include "sql/analysis/type_names.hpp"

// Comparison of a column with the elements of an array: = ANY, <> ALL and their kin.
namespace pgveil::analysis {

namespace {

constexpr std::string_view kHint =
    "compare with an array parameter, '{...}' or ARRAY[...] of constants and parameters";

/// `ARRAY[...]`, with the cast around it.
struct ArrayConstruct {
    const parse::Expressions* items = nullptr;
    const parse::Cast* cast = nullptr;
};

std::optional<ArrayConstruct> array_construct(const parse::Expression& node) {
    ArrayConstruct result;
    result.cast = std::get_if<parse::Cast>(&node.node);
    const parse::Expression& inner = result.cast == nullptr ? node : *result.cast->operand;
    const auto* const construct = std::get_if<parse::Construct>(&inner.node);
    if (construct == nullptr || construct->name != "ARRAY") {
        return std::nullopt;
    }
    result.items = &construct->parts;
    return result;
}

bool is_equality(const parse::Operation& operation) {
    const bool is_array = operation.kind == parse::Operation::Kind::kAnyArray ||
                          operation.kind == parse::Operation::Kind::kAllArray;
    return is_array && !operation.is_qualified && operation.operands.size() == 2 &&
           (operation.name == "=" || operation.name == "<>");
}

}  // namespace

/// False if `operation` is none of these, or compares nothing protected.
bool Query::compare_array(
    const parse::Expression& node, const parse::Operation& operation, const Scope& scope
) {
    if (!is_equality(operation)) {
        return false;
    }
    const Value left = expression(*operation.operands.front(), scope);
    if (left.column == nullptr) {
        plain(*operation.operands.back(), scope, Use::kAnyArray);
        return true;
    }
    require(Use::kAnyArray, left, node.begin);
    const parse::Expression& array = *operation.operands.back();
    if (bare_constant(array)) {
        draft_.seal_array(array, left.column);
    } else if (const auto construct = array_construct(array)) {
        compare_items(*construct->items, construct->cast, left.column, scope);
    } else {
        plain(array, scope, Use::kAnyArray);
        draft_.refuse("comparison with an unprotected array", kHint, left.column, node.begin);
    }
    return true;
}

/// PostgreSQL gives the items the array type of a cast around them, else their common type.
void Query::compare_items(
    const parse::Expressions& items,
    const parse::Cast* cast,
    const ColumnPtr& column,
    const Scope& scope
) {
    std::vector<Value> values;
    bool is_constant = true;
    for (const auto& item : items) {
        values.push_back(expression(*item, scope));
        is_constant = is_constant && values.back().is_adaptable() && values.back().list == nullptr;
    }
    const auto element =
        cast == nullptr ? std::nullopt : element_type_of(cast->type, draft_.enums());
    if (!is_constant || (cast != nullptr && !element)) {
        draft_.refuse("comparison with an unprotected array", kHint, column, parse::kNowhere);
        return;
    }
    if (cast != nullptr) {
        draft_.retype(*cast, "pg_catalog.bytea[]", column);
        for (Value& value : values) {
            for (Adaptable& adaptable : value.adaptables) {
                adaptable.conversions.push_back({*element, nullptr});
            }
            seal(value, column, ParameterUse::kCompared);
        }
        return;
    }
    const Value whole = chosen(std::move(values), false, parse::kNowhere);
    if (!whole.is_adaptable()) {
        draft_.refuse("comparison with an array of this type", kHint, column, parse::kNowhere);
        return;
    }
    seal(whole, column, ParameterUse::kCompared);
}

}  // namespace pgveil::analysis
