#include "sql/analysis/constants.hpp"
#include "sql/analysis/query.hpp"

#include <algorithm>

// Operators, and values side by side: where constants are sealed for what they are compared with.
namespace pgveil::analysis {

namespace {

bool is_range_operator(std::string_view name) {
    return name == "<" || name == "<=" || name == ">" || name == ">=";
}

/// Which rule an operator that is neither = nor <> falls under.
Use use_of_operator(std::string_view name) {
    if (is_range_operator(name)) {
        return Use::kRange;
    }
    return name.starts_with('~') || name.starts_with("!~") ? Use::kLike : Use::kOperator;
}

/// ANY and ALL of an array with another operator than = and <>, which compare_array() takes.
Use use_of_elements(std::string_view name) {
    const Use use = use_of_operator(name);
    return use == Use::kRange ? Use::kOperator : use;
}

Use use_of(const parse::Operation& operation) {
    using Kind = parse::Operation::Kind;
    switch (operation.kind) {
        case Kind::kOperator: return use_of_operator(operation.name);
        case Kind::kAnyArray:
        case Kind::kAllArray: return use_of_elements(operation.name);
        case Kind::kNullIf: return Use::kChoiceTest;
        case Kind::kLike: return Use::kLike;
        case Kind::kBetween: return Use::kRange;
        case Kind::kDistinct:
        case Kind::kNotDistinct: return Use::kDistinctFrom;
        case Kind::kIn:
        case Kind::kNotIn: return Use::kIn;
    }
    return Use::kOperator;
}

bool compares_equality(const parse::Operation& operation) {
    using Kind = parse::Operation::Kind;
    const bool is_equality = (operation.name == "=" || operation.name == "<>") &&
                             !operation.is_qualified && operation.operands.size() == 2;
    return (operation.kind == Kind::kOperator && is_equality) || operation.kind == Kind::kIn ||
           operation.kind == Kind::kNotIn || operation.kind == Kind::kDistinct ||
           operation.kind == Kind::kNotDistinct;
}

bool compares_order(const parse::Operation& operation) {
    using Kind = parse::Operation::Kind;
    const bool is_range = operation.kind == Kind::kOperator && is_range_operator(operation.name) &&
                          !operation.is_qualified && operation.operands.size() == 2;
    return is_range || (operation.kind == Kind::kBetween && operation.operands.size() == 3);
}

/// A constant or parameter by itself, not one out of several.
bool is_bare(const Value& value) {
    return value.adaptables.size() == 1 && value.adaptables.front().conversions.empty();
}

/// An item of a list that has this type.
Value open_as(std::optional<types::Kind> kind, Value value) {
    for (Adaptable& adaptable : value.adaptables) {
        adaptable.open_kind = kind;
    }
    return value;
}

/// As something around the query shows it.
Value hidden(Value value) {
    value.adaptables.clear();
    value.list.reset();
    value.origin = {};
    value.stored = {};
    return value;
}

}  // namespace

Value Query::operation(
    const parse::Expression& node, const parse::Operation& nested, const Scope& scope
) {
    if (nested.kind == parse::Operation::Kind::kNullIf) {
        return null_if(nested, scope, node.begin);
    }
    if (compare_rows(node, nested, scope) || compare_array(node, nested, scope)) {
        return {};
    }
    const Use use = nested.kind == parse::Operation::Kind::kOperator && compares_equality(nested)
                        ? Use::kEqual
                        : use_of(nested);
    if (!compares_equality(nested) && !compares_order(nested)) {
        const bool is_named = use == Use::kOperator || use == Use::kLike || use == Use::kRange;
        const std::string construct = is_named ? nested.name : std::string();
        plain_all(nested.operands, scope, use, construct);
        return {};
    }
    const Value left = expression(*nested.operands.front(), scope);
    if (use == Use::kIn) {
        check_list_types(nested, left.column, node.begin);
    }
    const auto open_kind = use == Use::kIn && left.column != nullptr
                               ? open_kind_of_list(nested, left.type())
                               : std::nullopt;
    for (std::size_t i = 1; i < nested.operands.size(); ++i) {
        const Value right = open_as(open_kind, expression(*nested.operands[i], scope));
        if (right.column != nullptr && left.column == nullptr && nested.operands.size() > 2) {
            // One constant would have to be a plain and a protected value at once.
            draft_.refuse(
                use == Use::kRange ? "BETWEEN with the column on the right"
                                   : "IN with the column on the right",
                use == Use::kRange ? "write it with <= and AND" : "write it with OR",
                right.column,
                node.begin
            );
            return {};
        }
        if (use == Use::kIn && nested.operands.size() > 2 && left.column != nullptr &&
            right.is_adaptable() && !is_bare(right)) {
            draft_.refuse(
                "CASE or COALESCE among the items of IN",
                "write it with OR",
                left.column,
                node.begin
            );
        }
        for (const Value* value : {&left, &right}) {
            if (use == Use::kRange && value->column != nullptr &&
                !allows(rule_of(use), value->column->scheme)) {
                draft_.refuse(nested.name, rule_of(use).hint, value->column, node.begin);
            }
        }
        compare(left, right, use, node.begin);
    }
    return {};
}

/// PostgreSQL reads the untyped items of a list in the common type of all of them.
void Query::check_list_types(
    const parse::Operation& list, const ColumnPtr& column, std::uint32_t begin
) {
    if (column == nullptr || list.operands.size() <= 2) {
        return;
    }
    std::vector<const parse::Expression*> items;
    for (std::size_t i = 1; i < list.operands.size(); ++i) {
        items.push_back(list.operands[i].get());
    }
    if (!is_read_as_column(items, column->type, draft_)) {
        draft_.refuse(
            "a list of items of different types",
            "write all items without a type, or in the column's own type " +
                types::sql_name_of(column->type),
            column,
            begin
        );
    }
}

void Query::require(Use use, const Value& value, std::uint32_t begin) {
    if (value.list != nullptr) {
        ++value.list->references;
    }
    if (!value.others.empty() && use != Use::kCount) {
        draft_.refuse(
            "a value of " + value.others.front()->qualified_name() + " in the same place",
            "values of different contexts can only be returned: give both columns the same "
            "\"context\" in the policy, or select them in two columns",
            value.column,
            begin
        );
    }
    draft_.require(use, value.column, begin);
}

void Query::compare(const Value& left, const Value& right, Use use, std::uint32_t begin) {
    if (left.column == nullptr && right.column == nullptr) {
        return;
    }
    const ColumnPtr& column = left.column != nullptr ? left.column : right.column;
    require(use, left.column != nullptr ? left : right, begin);
    if (left.column != nullptr && right.column != nullptr) {
        require(use, right, begin);
        if (!field::shares_context(*left.column, *right.column)) {
            draft_.refuse(
                "comparison with " + right.column->qualified_name(),
                "give both columns the same \"context\", type, search and group in the policy",
                left.column,
                begin
            );
        }
        return;
    }
    const Value& other = left.column != nullptr ? right : left;
    if (!other.is_adaptable()) {
        draft_.refuse(
            "comparison with an unprotected expression",
            "compare with a constant, a parameter or a column of the same context",
            column,
            begin
        );
        return;
    }
    seal(other, column, ParameterUse::kCompared);
}

void Query::seal(const Value& value, const ColumnPtr& column, ParameterUse use) {
    if (value.list != nullptr) {
        ++value.list->sealed_references;
    }
    for (const Adaptable& adaptable : value.adaptables) {
        if (draft_.is_refused()) {
            return;
        }
        draft_.seal(adaptable, column, use);
    }
}

Value Query::sub_query(
    const parse::Expression& node, const parse::SubQuery& nested, const Scope& scope
) {
    using Kind = parse::SubQuery::Kind;
    const Output output = query(*nested.query, &scope);
    if (nested.kind == Kind::kExists) {
        return {};
    }
    if (nested.kind == Kind::kScalar && output.columns.size() == 1) {
        return hidden(output.columns.front().value);
    }
    const bool is_equality = nested.operator_name == "=" || nested.operator_name == "<>";
    const bool is_range = is_range_operator(nested.operator_name);
    if (nested.test != nullptr && (is_equality || is_range) && output.columns.size() == 1) {
        const Value test = expression(*nested.test, scope);
        const Value& first = output.columns.front().value;
        const bool is_list = !nested.query->values.empty() && nested.query->order_by.empty();
        const Value listed = is_list ? first : hidden(first);
        compare(test, listed, is_range ? Use::kRange : Use::kInSubquery, node.begin);
        return {};
    }
    if (nested.test != nullptr &&
        compare_row_query(*nested.test, nested.operator_name, output, scope, node.begin)) {
        return {};
    }
    if (nested.test != nullptr) {
        plain(*nested.test, scope, Use::kSubquery);
    }
    refuse_protected(output, Use::kSubquery, node.begin);
    return {};
}

void Query::refuse_protected(const Output& output, Use use, std::uint32_t begin) {
    const auto first = std::ranges::find_if(output.columns, [](const NamedValue& column) {
        return column.value.column != nullptr;
    });
    if (first != output.columns.end()) {
        draft_.refuse(use, first->value.column, begin);
    }
}

}  // namespace pgveil::analysis
