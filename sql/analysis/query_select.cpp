#include "sql/analysis/column_name.hpp"
#include "sql/analysis/constants.hpp"
#include "sql/analysis/list_position.hpp"
#include "sql/analysis/query.hpp"

#include <algorithm>
#include <optional>

namespace pgveil::analysis {

namespace {

const NamedValue* find_named(const NamedValues& columns, const std::string& name) {
    const auto found =
        std::find_if(columns.begin(), columns.end(), [&name](const NamedValue& column) {
            return column.name == name;
        });
    return found == columns.end() ? nullptr : &*found;
}

}  // namespace

void Query::select(const parse::Select& statement) {
    set_results(query(statement, nullptr), &statement);
}

void Query::set_results(const Output& output, const parse::Select* select) {
    const bool has_protected =
        std::any_of(output.columns.begin(), output.columns.end(), [](const auto& column) {
            return column.value.column != nullptr;
        });
    if (!has_protected) {
        return;
    }
    if (output.is_opaque) {
        const auto first =
            std::find_if(output.columns.begin(), output.columns.end(), [](const auto& column) {
                return column.value.column != nullptr;
            });
        draft_.refuse(
            "* over a function or an unknown relation",
            "list the columns",
            first->value.column,
            parse::kNowhere
        );
        return;
    }
    for (const NamedValue& column : output.columns) {
        draft_.note_column(column.value.column);
        draft_.plan().results.push_back(ResultColumn{
            column.value.column,
            {},
            {},
            column.value.shown_type,
            column.value.others,
            column.value.is_bytea});
    }
    carry_keys(output, select);
}

Query::Output Query::query(const parse::Select& statement, const Scope* outer) {
    common_tables_.emplace_back();
    add_common_tables(statement.with, outer);
    Output output;
    if (statement.operation != parse::Select::SetOperation::kNone) {
        output = set_operation(statement, outer);
    } else if (!statement.values.empty()) {
        output = values(statement, outer);
    } else {
        output = plain_select(statement, outer);
    }
    common_tables_.pop_back();
    return output;
}

/// The column of a VALUES in FROM.
void Query::add_list(Value& value, std::uint32_t begin) {
    if (value.is_adaptable()) {
        value.list = std::make_shared<ListColumn>();
        value.list->begin = begin;
        draft_.note_list(value.list);
    }
}

void Query::name_columns(NamedValues& columns, const parse::Alias& alias) {
    for (std::size_t i = 0; i < std::min(columns.size(), alias.columns.size()); ++i) {
        columns[i].name = alias.columns[i];
    }
}

Query::Output Query::values(const parse::Select& statement, const Scope* outer) {
    Scope scope;
    scope.outer = outer;
    Output output;
    std::vector<std::vector<Value>> items;
    for (const parse::Expressions& row : statement.values) {
        for (std::size_t i = 0; i < row.size(); ++i) {
            if (items.size() <= i) {
                items.emplace_back();
            }
            items[i].push_back(expression(*row[i], scope));
            if (items[i].back().column != nullptr) {
                draft_.refuse(
                    "VALUES", rule_of(Use::kConstruct).hint, items[i].back().column, row[i]->begin
                );
            }
        }
    }
    for (std::vector<Value>& column : items) {
        const bool is_complete = column.size() == statement.values.size();
        Value whole = is_complete ? chosen(std::move(column), false, statement.begin) : Value();
        output.columns.push_back(
            {"column" + std::to_string(output.columns.size() + 1), std::move(whole)}
        );
    }
    scope.visible = output.columns;
    check_order(statement, scope, output);
    plain_all(statement.limits, scope, Use::kConstruct);
    return output;
}

Query::Output Query::plain_select(const parse::Select& statement, const Scope* outer) {
    Scope scope;
    scope.outer = outer;
    from(statement.from, scope);
    condition(statement.where, scope);
    Output output = targets(statement.targets, scope);
    check_grouping(statement, scope, output);
    condition(statement.having, scope);
    for (const parse::Window& item : statement.windows) {
        window(item, scope);
    }
    check_distinct(statement, scope, output);
    check_order(statement, scope, output);
    plain_all(statement.limits, scope, Use::kConstruct);
    return output;
}

Query::Output Query::targets(const std::vector<parse::Target>& list, const Scope& scope) {
    Output output;
    for (const parse::Target& target : list) {
        if (target.value == nullptr) {
            continue;
        }
        const auto* const reference = std::get_if<parse::ColumnReference>(&target.value->node);
        if (reference != nullptr && reference->star) {
            expand_target(*reference, scope, target.value->begin, output);
            continue;
        }
        const Value value = expression(*target.value, scope);
        label_extremum(target, value);
        check_cast_name(target, value);
        output.columns.push_back(
            {target.name.empty() ? name_of_column(*target.value) : target.name, value}
        );
    }
    return output;
}

void Query::expand_target(
    const parse::ColumnReference& star, const Scope& scope, std::uint32_t begin, Output& into
) {
    const auto expansion = expand_star(star, scope);
    if (!expansion) {
        const std::string alias = star.parts.empty() ? std::string() : star.parts.back();
        draft_.refuse(
            postgres_error("42P01", "missing FROM-clause entry for table \"" + alias + "\"", begin)
        );
        return;
    }
    // PostgreSQL's MaxTupleAttributeNumber.
    constexpr std::size_t kResultColumnsMax = 1664;
    if (into.columns.size() + expansion->columns->size() > kResultColumnsMax) {
        draft_.refuse(postgres_error("54011", "target lists can have at most 1664 entries", begin));
        return;
    }
    for (const NamedValue& column : *expansion->columns) {
        if (column.value.list != nullptr) {
            ++column.value.list->references;
        }
    }
    into.columns.insert(into.columns.end(), expansion->columns->begin(), expansion->columns->end());
    into.is_opaque = into.is_opaque || expansion->is_opaque;
}

/// The server would find a key of ours there (carry_keys).
void Query::check_ordinal(
    std::optional<std::size_t> ordinal,
    const Output& output,
    const std::string& clause,
    std::uint32_t begin
) {
    const bool is_there =
        !ordinal || output.is_opaque || (*ordinal >= 1 && *ordinal <= output.columns.size());
    if (!is_there) {
        draft_.refuse(postgres_error(
            "42P10",
            clause + " position " + std::to_string(*ordinal) + " is not in select list",
            begin
        ));
    }
}

void Query::check_distinct(
    const parse::Select& statement, const Scope& scope, const Output& output
) {
    if (!statement.distinct) {
        return;
    }
    if (statement.distinct_on.empty()) {
        for (const NamedValue& column : output.columns) {
            require(Use::kDistinct, column.value, parse::kNowhere);
        }
        return;
    }
    for (const auto& item : statement.distinct_on) {
        const auto ordinal = ordinal_of(*item);
        check_ordinal(ordinal, output, "SELECT DISTINCT ON", item->begin);
        const std::string* const name = bare_name(*item);
        const NamedValue* const named =
            name == nullptr ? nullptr : find_named(output.columns, *name);
        Value value;
        if (ordinal && *ordinal >= 1 && *ordinal <= output.columns.size()) {
            value = output.columns[*ordinal - 1].value;
        } else {
            value = named != nullptr ? named->value : expression(*item, scope);
        }
        require(Use::kDistinct, value, item->begin);
    }
}

void Query::check_grouping(
    const parse::Select& statement, const Scope& scope, const Output& output
) {
    for (const auto& item : statement.group_by) {
        check_group(*item, scope, output);
    }
}

void Query::check_group(const parse::Expression& item, const Scope& scope, const Output& output) {
    const auto* const sets = std::get_if<parse::Construct>(&item.node);
    if (sets != nullptr && (sets->name == "GROUPING SETS" || sets->name == "row value")) {
        for (const auto& part : sets->parts) {
            check_group(*part, scope, output);
        }
        return;
    }
    const auto ordinal = ordinal_of(item);
    check_ordinal(ordinal, output, "GROUP BY", item.begin);
    if (ordinal && *ordinal >= 1 && *ordinal <= output.columns.size()) {
        require(Use::kGroupBy, output.columns[*ordinal - 1].value, item.begin);
        return;
    }
    // GROUP BY looks among the FROM columns first, then among the result columns.
    const std::string* const name = bare_name(item);
    const bool is_input = name != nullptr && find_named(scope.visible, *name) != nullptr;
    const NamedValue* const named =
        name == nullptr || is_input ? nullptr : find_named(output.columns, *name);
    const Value value = named != nullptr ? named->value : expression(item, scope);
    require(Use::kGroupBy, value, item.begin);
}

void Query::check_order(const parse::Select& statement, const Scope& scope, const Output& output) {
    for (const auto& item : statement.order_by) {
        const auto ordinal = ordinal_of(*item);
        if (ordinal) {
            if (output.is_opaque) {
                draft_.refuse(refusal_of(
                    "*", "ORDER BY a column number", "order by a column name", item->begin
                ));
            } else if (*ordinal < 1 || *ordinal > output.columns.size()) {
                check_ordinal(ordinal, output, "ORDER BY", item->begin);
            } else {
                require(Use::kOrderBy, output.columns[*ordinal - 1].value, item->begin);
            }
            continue;
        }
        // ORDER BY looks among the result columns first.
        const std::string* const name = bare_name(*item);
        const NamedValue* const named =
            name == nullptr ? nullptr : find_named(output.columns, *name);
        const Value value = named != nullptr ? named->value : expression(*item, scope);
        require(Use::kOrderBy, value, item->begin);
    }
}

Query::Output Query::set_operation(
    const parse::Select& statement, const Scope* outer, const parse::CommonTable* recursive
) {
    Output left = query(*statement.left, outer);
    if (recursive != nullptr) {
        // The last level is for the WITH of the table's own query.
        name_common_table(*recursive, left, *(common_tables_.end() - 2));
    }
    const Output right = query(*statement.right, outer);
    combine(statement, left, right, recursive != nullptr);
    Scope scope;
    scope.outer = outer;
    scope.visible = left.columns;
    check_order(statement, scope, left);
    plain_all(statement.limits, scope, Use::kConstruct);
    return left;
}

void Query::combine(
    const parse::Select& statement, Output& left, const Output& right, bool is_recursive
) {
    const bool is_union_all =
        statement.operation == parse::Select::SetOperation::kUnion && statement.operation_all;
    // A query that reads its own table takes the columns to be those of the first query.
    const bool may_mix = is_union_all && !is_recursive;
    left.is_opaque = left.is_opaque || right.is_opaque;
    for (NamedValue& column : left.columns) {
        column.value.origin = {};
        column.value.adaptables.clear();
        column.value.list.reset();
    }
    for (std::size_t i = 0; i < std::min(left.columns.size(), right.columns.size()); ++i) {
        Value& one = left.columns[i].value;
        const Value& other = right.columns[i].value;
        const ColumnPtr& column = one.column != nullptr ? one.column : other.column;
        if (column == nullptr) {
            continue;
        }
        const bool both = one.column != nullptr && other.column != nullptr && !left.is_opaque;
        // The result has one length and scale, and its values are not made anew.
        const bool is_one_type = both && one.type() == other.type();
        if (!is_one_type || !(may_mix ? joins_contexts(one, other, parse::kNowhere)
                                      : field::shares_context(*one.column, *other.column) &&
                                            one.column->type == other.column->type)) {
            draft_.refuse(
                "UNION, INTERSECT or EXCEPT with something else in the same place",
                "combine columns of the same context and type only, or run two queries",
                column,
                parse::kNowhere
            );
            return;
        }
        one.is_bytea = one.is_bytea || other.is_bytea;
        if (!is_union_all) {
            require(Use::kSetOperation, one, parse::kNowhere);
            require(Use::kSetOperation, other, parse::kNowhere);
        }
    }
}

}  // namespace pgveil::analysis
