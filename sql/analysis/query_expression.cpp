#include "sql/analysis/constants.hpp"
#include "sql/analysis/query.hpp"
#include "sql/parse/overloaded.hpp"

#include <algorithm>

namespace pgveil::analysis {

namespace {

Use use_of_construct(std::string_view name) {
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
        parse::Overloaded{
            [&](const parse::Constant&) { return constant_value(node); },
            [&](const parse::Parameter&) { return constant_value(node); },
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
                if (construct.name == "GREATEST" || construct.name == "LEAST") {
                    return greatest(construct, scope, node.begin);
                }
                if (construct.name == "GROUPING") {
                    // GROUP BY itself, in which each of them stands, is judged.
                    for (const auto& part : construct.parts) {
                        expression(*part, scope);
                    }
                    return Value{};
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
            star && std::any_of(star->columns->begin(), star->columns->end(), [](const auto& each) {
                return each.value.column != nullptr;
            });
        if (has_protected) {
            const auto first =
                std::find_if(star->columns->begin(), star->columns->end(), [](const auto& each) {
                    return each.value.column != nullptr;
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
    draft_.note_column(value.column);
    if (value.list != nullptr) {
        ++value.list->references;
    } else {
        value.adaptables.clear();
    }
    return value;
}

void Query::null_test(const parse::NullTest& test, const Scope& scope) {
    const auto bare = bare_constant(*test.operand);
    if (bare && bare->parameter != nullptr) {
        draft_.parameters().add_null_test(bare->parameter->number, bare->begin, bare->casts);
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
    if (const auto* const function = stored_values_of(node)) {
        return returned_value(node, *function, scope);
    }
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

}  // namespace pgveil::analysis
