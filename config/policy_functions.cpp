#include "config/policy_functions.hpp"

#include "config/policy_name.hpp"

#include <algorithm>
#include <utility>

namespace pgveil::config {

namespace {

/// The parts of a name of so many parts; none of them a star.
Result<std::vector<std::string>> parts_of(
    std::string_view file,
    const std::string& pointer,
    const std::string& text,
    std::size_t parts_max,
    const std::string& form
) {
    ParsedName name = parse_name(text);
    const bool is_short_or_long = name.parts.size() < 2 || name.parts.size() > parts_max;
    const bool has_star = std::find(name.parts.begin(), name.parts.end(), "*") != name.parts.end();
    if (name.problem.empty() && (is_short_or_long || has_star)) {
        name.problem = "is not of the form " + form;
    }
    if (!name.problem.empty()) {
        return error_at(file, pointer, name.problem);
    }
    return std::move(name.parts);
}

const TablePolicy* entry_for(const std::vector<TablePolicy>& tables, const PolicyName& name) {
    const TablePolicy* found = nullptr;
    for (const TablePolicy& table : tables) {
        const bool is_exact = table.schema == name.schema;
        if (table.name == name.name && (is_exact || (table.schema == "*" && found == nullptr))) {
            found = &table;
        }
    }
    return found;
}

/// What keeps the result of a function from being opened; empty: nothing.
std::string problem_of(const FunctionPolicy& function, const TablePolicy* table) {
    if (table == nullptr) {
        return "names a table that does not stand under /tables";
    }
    const ColumnPolicy* const column = table->column(function.column);
    if (!function.column.empty() && column == nullptr) {
        return "names a column that is not protected under /tables";
    }
    const bool is_bound =
        column != nullptr
            ? !column->bind_to.empty()
            : std::any_of(table->columns.begin(), table->columns.end(), [](const auto& each) {
                  return !each.bind_to.empty();
              });
    return is_bound ? "names a column with bind_to: its values open beside their own row only, "
                      "which the result of a function does not tell"
                    : "";
}

Result<FunctionPolicy> read_function(
    std::string_view file,
    const std::string& key,
    const Json& entry,
    const std::vector<TablePolicy>& tables
) {
    const std::string pointer = pointer_to("/functions", key);
    auto name = parts_of(file, pointer, key, 2, "schema.function");
    if (!name.has_value()) {
        return name.error();
    }
    const std::string returns = pointer_to(pointer, "returns");
    auto target = parts_of(
        file, returns, entry["returns"].get<std::string>(), 3, "schema.table or schema.table.column"
    );
    if (!target.has_value()) {
        return target.error();
    }
    FunctionPolicy function;
    function.name = {std::move((*name)[0]), std::move((*name)[1])};
    function.table = {std::move((*target)[0]), std::move((*target)[1])};
    if (target->size() > 2) {
        function.column = std::move((*target)[2]);
    }
    const std::string problem = problem_of(function, entry_for(tables, function.table));
    return problem.empty() ? Result<FunctionPolicy>(std::move(function))
                           : error_at(file, returns, problem);
}

}  // namespace

Result<std::vector<FunctionPolicy>> read_functions(
    std::string_view file, const Json& document, const std::vector<TablePolicy>& tables
) {
    std::vector<FunctionPolicy> functions;
    const Json entries = document.value("functions", Json::object());
    for (const auto& item : entries.items()) {
        Result<FunctionPolicy> function = read_function(file, item.key(), item.value(), tables);
        if (!function.has_value()) {
            return function.error();
        }
        for (const FunctionPolicy& other : functions) {
            if (other.name == function->name) {
                return error_at(
                    file,
                    pointer_to("/functions", item.key()),
                    "is the same function as another entry"
                );
            }
        }
        functions.push_back(std::move(*function));
    }
    return functions;
}

}  // namespace pgveil::config
