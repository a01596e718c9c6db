#include "sql/analysis/settings_call.hpp"

#include "sql/analysis/constants.hpp"

#include <algorithm>
#include <string>

namespace pgveil::analysis {

namespace {

const parse::TableReference* table_of(const parse::Select& select) {
    return select.from.size() == 1 ? std::get_if<parse::TableReference>(&select.from.front()->node)
                                   : nullptr;
}

bool is_list_of_settings(const parse::Select& select) {
    const parse::TableReference* const table = table_of(select);
    return table != nullptr && table->name == "pg_settings" && table->database.empty() &&
           (table->schema.empty() || table->schema == "pg_catalog") &&
           table->alias.columns.empty() && select.with.tables.empty() && select.values.empty() &&
           select.operation == parse::Select::SetOperation::kNone;
}

/// `name`, or `name` of something: there is one thing in FROM that it can be of.
bool is_name_column(const parse::Expression& expression) {
    const auto* const column = std::get_if<parse::ColumnReference>(&expression.node);
    return column != nullptr && !column->star && !column->parts.empty() &&
           column->parts.size() <= 2 && column->parts.back() == "name";
}

bool is_no_share(const parse::Expression& value) {
    const auto text = string_of(value);
    return text && text->find("pgvt1.") == std::string_view::npos &&
           text->find("pgva1.") == std::string_view::npos;
}

}  // namespace

const parse::Expression* settings_call(const parse::Select& select) {
    if (!is_list_of_settings(select)) {
        return nullptr;
    }
    const auto found = std::ranges::find_if(select.targets, [](const parse::Target& target) {
        const auto* const call = std::get_if<parse::Call>(&target.value->node);
        return call != nullptr && !call->name.empty() && call->name.back() == "set_config" &&
               call->arguments.size() == 3 && is_name_column(*call->arguments[0]) &&
               is_no_share(*call->arguments[1]);
    });
    return found == select.targets.end() ? nullptr : found->value.get();
}

void pass_settings_call(Draft& draft, const parse::Select& select) {
    catalog::Relation list;
    list.schema = "pg_catalog";
    list.name = "pg_settings";
    draft.qualify(*table_of(select), list);
    draft.plan().may_change_search_path = true;
    draft.plan().may_change_session_parameters = true;
}

}  // namespace pgveil::analysis
