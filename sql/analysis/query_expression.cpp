#include "sql/analysis/constants.hpp"
#include "sql/analysis/query.hpp"

#include <algorithm>
#include <array>

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
        case Kind::kNullIf: return Use::kConditional;
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

constexpr std::array<std::string_view, 4> kConditionals = {"CASE", "COALESCE", "GREATEST", "LEAST"};

Use use_of_construct(std::string_view name) {
    if (std::find(kConditionals.begin(), kConditionals.end(), name) != kConditionals.end()) {
        return Use::kConditional;
    }
    if (name == "row value") {
        return Use::kRow;
    }
    return name == "IS TRUE / FALSE / UNKNOWN" ? Use::kPredicate : Use::kConstruct;
}

}  // namespace

Value Query::expression(const parse::Expression& node, const Scope& scope) {
    return std::visit(
        Overloaded{
            [&](const parse::Constant&) {
                return Value{nullptr, &node};
            },
            [&](const parse::Parameter&) {
                return Value{nullptr, &node};
            },
            [&](const parse::ColumnReference& reference) { return column(node, reference, scope); },
            [&](const parse::Cast& typed) { return cast(node, typed, scope); },
            [&](const parse::SubQuery& nested) { return sub_query(node, nested, scope); },
            [&](const parse::Operation& nested) {
                operation(node, nested, scope);
                return Value{};
            },
            [&](const parse::Logical& logical) {
                plain_all(logical.operands, scope, Use::kPredicate);
                return Value{};
            },
            [&](const parse::NullTest& test) {
                null_test(test, scope);
                return Value{};
            },
            [&](const parse::Call& nested) { return call(node, nested, scope); },
            [&](const parse::Construct& construct) {
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
        if (resolution.value.column != nullptr) {
            draft_.refuse(Use::kWholeRow, resolution.value.column, node.begin);
        }
        return {};
    }
    Value value = resolution.value;
    value.adaptable = nullptr;
    return value;
}

Value Query::cast(const parse::Expression& node, const parse::Cast& typed, const Scope& scope) {
    if (bare_constant(node)) {
        return Value{nullptr, &node};
    }
    const bool is_bytea =
        !typed.type.is_array && !typed.type.names.empty() && typed.type.names.back() == "bytea";
    if (draft_.text().is_view && is_bytea) {
        return expression(*typed.operand, scope);
    }
    plain(*typed.operand, scope, Use::kCast);
    return {};
}

void Query::operation(
    const parse::Expression& node, const parse::Operation& nested, const Scope& scope
) {
    if (compare_rows(node, nested, scope)) {
        return;
    }
    const Use use = nested.kind == parse::Operation::Kind::kOperator && compares_equality(nested)
                        ? Use::kEqual
                        : use_of(nested);
    if (!compares_equality(nested) && !compares_order(nested)) {
        const bool is_named = use == Use::kOperator || use == Use::kLike || use == Use::kRange;
        const std::string construct = is_named ? nested.name : std::string();
        plain_all(nested.operands, scope, use, construct);
        return;
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
            return;
        }
        for (const Value* value : {&left, &right}) {
            if (use == Use::kRange && value->column != nullptr &&
                !allows(rule_of(use), value->column->scheme)) {
                draft_.refuse(nested.name, rule_of(use).hint, value->column, node.begin);
            }
        }
        compare(left, right, use, node.begin);
    }
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

void Query::compare(const Value& left, const Value& right, Use use, std::uint32_t begin) {
    if (left.column == nullptr && right.column == nullptr) {
        return;
    }
    const ColumnPtr& column = left.column != nullptr ? left.column : right.column;
    draft_.require(use, column, begin);
    if (left.column != nullptr && right.column != nullptr) {
        draft_.require(use, right.column, begin);
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
    if (other.adaptable == nullptr) {
        draft_.refuse(
            "comparison with an unprotected expression",
            "compare with a constant, a parameter or a column of the same context",
            column,
            begin
        );
        return;
    }
    if (!draft_.is_refused()) {
        draft_.seal(*other.adaptable, column, ParameterUse::kCompared);
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
    draft_.require(call.distinct ? Use::kCountDistinct : Use::kCount, value.column, node.begin);
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
        const Value& value = output.columns.front().value;
        return Value{value.column, nullptr, {}, value.is_extremum};
    }
    const bool is_equality = (nested.kind == Kind::kAny && nested.operator_name == "=") ||
                             (nested.kind == Kind::kAll && nested.operator_name == "<>");
    const bool is_range = is_range_operator(nested.operator_name);
    if (nested.test != nullptr && (is_equality || is_range) && output.columns.size() == 1) {
        const Value test = expression(*nested.test, scope);
        const Value listed{output.columns.front().value.column, nullptr};
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
