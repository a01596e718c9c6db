#include "sql/analysis/column_name.hpp"
#include "sql/analysis/constants.hpp"
#include "sql/analysis/list_position.hpp"
#include "sql/analysis/query.hpp"

#include <algorithm>
#include <optional>

namespace pgveil::analysis {

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
    // In the order of transformSelectStmt(): the first use of a parameter gives it its type.
    from(statement.from, scope);
    auto lone = extremum_by_index(statement, scope);
    Output output = lone ? std::move(*lone) : targets(statement.targets, scope);
    condition(statement.where, scope);
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
        output.columns.push_back({name_of(target), value});
    }
    return output;
}

/// As PostgreSQL shows it. Without an alias it must stay so, whatever the expression becomes.
std::string Query::name_of(const parse::Target& target) {
    if (!target.name.empty()) {
        return target.name;
    }
    const auto found = name_of_column(*target.value, draft_.text().context.server_major);
    if (found && found->may_change) {
        draft_.labels().note(target.begin, found->name);
    }
    return found ? found->name : std::string();
}

void Query::expand_target(
    const parse::ColumnReference& star, const Scope& scope, std::uint32_t begin, Output& into
) {
    const auto expansion = expand_star(star, scope);
    if (!expansion) {
        const std::string alias = star.parts.empty() ? std::string() : star.parts.back();
        Unresolved why = missing_range(alias);
        draft_.refuse(postgres_error(std::move(why.sqlstate), std::move(why.message), begin));
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

}  // namespace pgveil::analysis
