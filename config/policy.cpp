#include "config/policy.hpp"

#include <algorithm>
#include <atomic>
#include <utility>

namespace pgveil::config {

namespace {

std::uint64_t next_epoch() {
    static std::atomic<std::uint64_t> last{0};
    return ++last;
}

}  // namespace

std::string_view name_of(Scheme scheme) {
    switch (scheme) {
        case Scheme::kRandomized: return "randomized";
        case Scheme::kEquality: return "equality";
        case Scheme::kOrder: return "order";
        case Scheme::kPadded: return "padded";
    }
    return {};
}

const ColumnPolicy* TablePolicy::column(std::string_view column_name) const {
    const auto found =
        std::find_if(columns.begin(), columns.end(), [column_name](const ColumnPolicy& entry) {
            return entry.name == column_name;
        });
    return found == columns.end() ? nullptr : &*found;
}

Policy::Policy(PolicyContent content) : content_(std::move(content)), epoch_(next_epoch()) {
    for (std::size_t index = 0; index < content_.tables.size(); ++index) {
        const TablePolicy& table = content_.tables[index];
        by_name_.emplace(PolicyName{table.schema, table.name}, index);
        protected_names_.insert(table.name);
    }
    plain_.insert(content_.plain.begin(), content_.plain.end());
    for (const auto& [name, shapes] : content_.pins) {
        if (std::any_of(shapes.begin(), shapes.end(), is_view_shape)) {
            pinned_views_.insert(name.name);
        }
    }
}

const TablePolicy* Policy::find(std::string_view schema, std::string_view table) const {
    if (!is_protected_name(table) || is_listed_plain(schema, table)) {
        return nullptr;
    }
    auto found = by_name_.find(PolicyName{std::string(schema), std::string(table)});
    if (found == by_name_.end()) {
        found = by_name_.find(PolicyName{"*", std::string(table)});
    }
    return found == by_name_.end() ? nullptr : &content_.tables[found->second];
}

bool Policy::is_protected_name(std::string_view last_name) const {
    return protected_names_.contains(last_name);
}

bool is_view_shape(std::string_view shape) {
    return shape.starts_with("v ") || shape.starts_with("m ");
}

bool Policy::is_pinned_view_name(std::string_view last_name) const {
    return pinned_views_.contains(last_name);
}

bool Policy::is_listed_plain(std::string_view schema, std::string_view name) const {
    return !plain_.empty() && plain_.contains(PolicyName{std::string(schema), std::string(name)});
}

const FunctionPolicy* Policy::function(std::string_view schema, std::string_view name) const {
    const auto found = std::find_if(
        content_.functions.begin(),
        content_.functions.end(),
        [&](const FunctionPolicy& entry) {
            return entry.name.schema == schema && entry.name.name == name;
        }
    );
    return found == content_.functions.end() ? nullptr : &*found;
}

const std::set<std::string>* Policy::pinned_shapes(
    const std::string& schema, const std::string& table
) const {
    const auto found = content_.pins.find(PolicyName{schema, table});
    return found == content_.pins.end() ? nullptr : &found->second;
}

bool Policy::covers_database(std::string_view database) const {
    return content_.databases.empty() ||
           std::find(content_.databases.begin(), content_.databases.end(), database) !=
               content_.databases.end();
}

std::vector<std::string> Policy::groups() const {
    std::set<std::string> names;
    for (const TablePolicy& table : content_.tables) {
        for (const ColumnPolicy& column : table.columns) {
            names.insert(column.group);
        }
    }
    return {names.begin(), names.end()};
}

}  // namespace pgveil::config
