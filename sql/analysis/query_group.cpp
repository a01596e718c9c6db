#include "sql/analysis/list_position.hpp"
#include "sql/analysis/query.hpp"

#include <algorithm>

// DISTINCT and GROUP BY: which rows count as one.
namespace pgveil::analysis {

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

/// A column that may not be compared stands beside a unique key of its own row: the key tells the
/// rows apart, and two that agree in it are one stored row, with one stored value.
bool Query::is_told_apart(const Value& value, std::span<const Value> list) const {
    return draft_.text().relations.knows_keys() && stored_.is_settled(value, list);
}

void Query::check_distinct(
    const parse::Select& statement, const Scope& scope, const Output& output
) {
    if (!statement.distinct) {
        return;
    }
    std::vector<Value> list;
    std::vector<std::uint32_t> begins;
    if (statement.distinct_on.empty()) {
        for (const NamedValue& column : output.columns) {
            list.push_back(column.value);
        }
        begins.assign(list.size(), parse::kNowhere);
    }
    for (const auto& item : statement.distinct_on) {
        const auto ordinal = ordinal_of(*item);
        check_ordinal(ordinal, output, "SELECT DISTINCT ON", item->begin);
        const std::string* const name = bare_name(*item);
        const NamedValue* const named =
            name == nullptr ? nullptr : find_named(output.columns, *name);
        if (ordinal && *ordinal >= 1 && *ordinal <= output.columns.size()) {
            list.push_back(output.columns[*ordinal - 1].value);
        } else {
            list.push_back(named != nullptr ? named->value : expression(*item, scope));
        }
        begins.push_back(item->begin);
    }
    for (std::size_t i = 0; i < list.size(); ++i) {
        if (!is_told_apart(list[i], list)) {
            require(Use::kDistinct, list[i], begins[i]);
        }
    }
}

void Query::check_grouping(
    const parse::Select& statement, const Scope& scope, const Output& output
) {
    std::vector<GroupItem> items;
    for (const auto& item : statement.group_by) {
        add_group(*item, scope, output, true, items);
    }
    std::vector<Value> in_every_set;
    for (const GroupItem& item : items) {
        if (item.is_in_every_set) {
            in_every_set.push_back(item.value);
        }
    }
    for (const GroupItem& item : items) {
        if (!is_told_apart(item.value, in_every_set)) {
            require(Use::kGroupBy, item.value, item.begin);
        }
    }
}

void Query::add_group(
    const parse::Expression& item,
    const Scope& scope,
    const Output& output,
    bool is_in_every_set,
    std::vector<GroupItem>& into
) {
    const auto* const sets = std::get_if<parse::Construct>(&item.node);
    if (sets != nullptr && (sets->name == "GROUPING SETS" || sets->name == "row value")) {
        for (const auto& part : sets->parts) {
            add_group(*part, scope, output, is_in_every_set && sets->name == "row value", into);
        }
        return;
    }
    const auto ordinal = ordinal_of(item);
    check_ordinal(ordinal, output, "GROUP BY", item.begin);
    if (ordinal && *ordinal >= 1 && *ordinal <= output.columns.size()) {
        into.push_back({output.columns[*ordinal - 1].value, item.begin, is_in_every_set});
        return;
    }
    // GROUP BY looks among the FROM columns first, then among the result columns.
    const std::string* const name = bare_name(item);
    const bool is_input = name != nullptr && find_named(scope.visible, *name) != nullptr;
    const NamedValue* const named =
        name == nullptr || is_input ? nullptr : find_named(output.columns, *name);
    into.push_back(
        {named != nullptr ? named->value : expression(item, scope), item.begin, is_in_every_set}
    );
}

}  // namespace pgveil::analysis
