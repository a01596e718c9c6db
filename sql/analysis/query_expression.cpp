#include "sql/analysis/constants.hpp"
#include "sql/analysis/query.hpp"

#include <algorithm>

namespace pgveil::analysis {

namespace {

template <class... Ts>
struct Overloaded : Ts... {
    using Ts::operator()...;
};

template <class... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

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

Use use_of(const parse::Operation& operation) {
    using Kind = parse::Operation::Kind;
    switch (operation.kind) {
        case Kind::kOperator: return use_of_operator(operation.name);
        case Kind::kAnyArray:
        case Kind::kAllArray: return Use::kAnyArray;
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

Use use_of_construct(std::string_view name) {
    if (name == "GREATEST" || name == "LEAST") {
        return Use::kGreatest;
    }
    if (name == "row value") {
        return Use::kRow;
    }
    return name == "IS TRUE / FALSE / UNKNOWN" ? Use::kPredicate : Use::kConstruct;
}

Value constant_value(const parse::Expression& constant) {
    Value value;
    value.adaptables.push_back({&constant});
    return value;
}

/// A constant or parameter by itself, not one out of several.
bool is_bare(const Value& value) {
    return value.adaptables.size() == 1 && value.adaptables.front().conversions.empty();
}

/// As something around the query shows it.
Value hidden(Value value) {
    value.adaptables.clear();
    value.list.reset();
    value.origin = {};
    return value;
}

/// The value stands in a place where it is not sealed.
void note_plain_use(const NamedValues& columns) {
    for (const NamedValue& column : columns) {
        if (column.value.list != nullptr) {
            ++column.value.list->references;
        }
    }
}

}  // namespace

Value Query::expression(const parse::Expression& node, const Scope& scope) {
    return settled(open_expression(node, scope));
}

Value Query::open_expression(const parse::Expression& node, const Scope& scope) {
    return std::visit(
        Overloaded{
            [&](const parse::Constant&) {
                return constant_value(node);
            },
            [&](const parse::Parameter&) {
                return constant_value(node);
            },
            [&](const parse::ColumnReference& reference) { return column(node, reference, scope); },
            [&](const parse::Cast& typed) { return cast(node, typed, scope); },
            [&](const parse::SubQuery& nested) { return sub_query(node, nested, scope); },
            [&](const parse::Operation& nested) { return operation(node, nested, scope); },
            [&](const parse::Logical& logical) {
                plain_all(logical.operands, scope, Use::kPredicate);
                return Value{};
            },
            [&](const parse::NullTest& test) {
                null_test(test, scope);
                return Value{};
            },
            [&](const parse::Call& nested) { return call(node, nested, scope); },
            [&](const parse::Case& nested) { return choice(nested, scope, node.begin); },
            [&](const parse::Construct& construct) {
                if (construct.name == "COALESCE") {
                    return coalesce(construct, scope, node.begin);
                }
                plain_all(construct.parts, scope, use_of_construct(construct.name), construct.name);
                return Value{};
            },
            [&](const parse::MultiAssignment& assignment) {
                if (assignment.source != nullptr) {
                    plain(*assignment.source, scope, Use::kMultiAssignment);
                }
                return Value{};
            },
            [&](const parse::Default&) { return Value{}; },
            [&](const parse::Unknown& unknown) {
                draft_.refuse(refusal_of(
                    "a statement on encrypted columns",
                    unknown.kind,
                    "leave it out, or compute it in the application",
                    node.begin
                ));
                return Value{};
            }},
        node.node
    );
}

void Query::plain(
    const parse::Expression& node, const Scope& scope, Use use, std::string_view construct
) {
    const Value value = expression(node, scope);
    if (value.column == nullptr) {
        return;
    }
    const Rule& rule = rule_of(use);
    draft_.refuse(
        construct.empty() ? rule.construct : construct, rule.hint, value.column, node.begin
    );
}

void Query::plain_all(
    const parse::Expressions& list, const Scope& scope, Use use, std::string_view construct
) {
    for (const auto& item : list) {
        plain(*item, scope, use, construct);
    }
}

void Query::condition(const parse::ExpressionPtr& node, const Scope& scope) {
    if (node != nullptr) {
        plain(*node, scope, Use::kPredicate);
    }
}

Value Query::column(
    const parse::Expression& node, const parse::ColumnReference& reference, const Scope& scope
) {
    if (reference.star) {
        const auto star = expand_star(reference, scope);
        if (star) {
            note_plain_use(*star->columns);
        }
        const bool has_protected =
            star && std::any_of(star->columns->begin(), star->columns->end(), [](const auto& c) {
                return c.value.column != nullptr;
            });
        if (has_protected) {
            const auto first =
                std::find_if(star->columns->begin(), star->columns->end(), [](const auto& c) {
                    return c.value.column != nullptr;
                });
            draft_.refuse(Use::kWholeRow, first->value.column, node.begin);
        }
        return {};
    }
    const Resolution resolution = resolve(reference, scope);
    if (resolution.error) {
        draft_.refuse(
            postgres_error(resolution.error->sqlstate, resolution.error->message, node.begin)
        );
        return {};
    }
    if (resolution.is_whole_row) {
        note_plain_use(*resolution.row);
        if (resolution.value.column != nullptr) {
            draft_.refuse(Use::kWholeRow, resolution.value.column, node.begin);
        }
        return {};
    }
    Value value = resolution.value;
    if (value.list != nullptr) {
        ++value.list->references;
    } else {
        value.adaptables.clear();
    }
    return value;
}

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
    for (std::size_t i = 1; i < nested.operands.size(); ++i) {
        const Value right = expression(*nested.operands[i], scope);
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
                "CASE or COALESCE among the items of IN", "write it with OR", left.column, node.begin
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

void Query::null_test(const parse::NullTest& test, const Scope& scope) {
    if (const auto* const parameter = std::get_if<parse::Parameter>(&test.operand->node)) {
        draft_.note_null_test(parameter->number);
        return;
    }
    expression(*test.operand, scope);
}

bool Query::count_call(const parse::Expression& node, const parse::Call& call, const Scope& scope) {
    const bool is_count = !call.name.empty() && call.name.back() == "count" &&
                          (call.name.size() == 1 || call.name.front() == "pg_catalog");
    if (!is_count || call.has_over || call.arguments.size() != 1) {
        return false;
    }
    const Value value = expression(*call.arguments.front(), scope);
    require(call.distinct ? Use::kCountDistinct : Use::kCount, value, node.begin);
    sort_keys(call.order_by, scope, Use::kOrderBy);
    plain_all(call.clauses, scope, Use::kPredicate);
    return true;
}

Value Query::call(const parse::Expression& node, const parse::Call& nested, const Scope& scope) {
    if (count_call(node, nested, scope)) {
        return {};
    }
    if (const auto value = extremum(node, nested, scope)) {
        return *value;
    }
    const std::string name = nested.name.empty() ? std::string() : nested.name.back();
    const Use use = nested.has_over                  ? Use::kWindow
                    : name == "min" || name == "max" ? Use::kMinMax
                                                     : Use::kFunction;
    const std::string construct = "function " + name;
    plain_all(nested.arguments, scope, use, construct);
    sort_keys(nested.order_by, scope, Use::kOrderBy);
    plain_all(nested.clauses, scope, use, construct);
    window(nested.over, scope);
    return {};
}

Value Query::sub_query(
    const parse::Expression& node, const parse::SubQuery& nested, const Scope& scope
) {
    using Kind = parse::SubQuery::Kind;
    const Output output = query(*nested.query, &scope);
    const auto first_protected =
        std::find_if(output.columns.begin(), output.columns.end(), [](const auto& column) {
            return column.value.column != nullptr;
        });
    const bool has_protected = first_protected != output.columns.end();
    if (nested.kind == Kind::kExists) {
        return {};
    }
    if (nested.kind == Kind::kScalar && output.columns.size() == 1) {
        return hidden(output.columns.front().value);
    }
    const bool is_equality = (nested.kind == Kind::kAny && nested.operator_name == "=") ||
                             (nested.kind == Kind::kAll && nested.operator_name == "<>");
    const bool is_range = is_range_operator(nested.operator_name);
    if (nested.test != nullptr && (is_equality || is_range) && output.columns.size() == 1) {
        const Value test = expression(*nested.test, scope);
        const Value& first = output.columns.front().value;
        const bool is_list = !nested.query->values.empty() && nested.query->order_by.empty();
        const Value listed = is_list ? first : hidden(first);
        compare(test, listed, is_range ? Use::kRange : Use::kInSubquery, node.begin);
        return {};
    }
    if (nested.test != nullptr) {
        plain(*nested.test, scope, Use::kSubquery);
    }
    if (has_protected) {
        draft_.refuse(Use::kSubquery, first_protected->value.column, node.begin);
    }
    return {};
}

}  // namespace pgveil::analysis
