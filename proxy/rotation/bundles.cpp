#include "proxy/rotation/bundles.hpp"

#include "config/migrating.hpp"
#include "config/searchable.hpp"

#include <algorithm>
#include <utility>

namespace pgveil::rotation {

namespace {

std::string context_of(const StoredTable& table, const StoredColumn& column) {
    return column.veil->context.empty()
               ? config::default_context(table.root.schema, table.root.name, column.name)
               : column.veil->context;
}

struct Open {
    Bundle tables;
    std::set<std::string> contexts;

    bool shares(const std::set<std::string>& others) const {
        return std::any_of(others.begin(), others.end(), [this](const std::string& context) {
            return contexts.contains(context);
        });
    }

    void take(Open&& other) {
        std::move(other.tables.begin(), other.tables.end(), std::back_inserter(tables));
        contexts.merge(other.contexts);
    }
};

bool is_asked_for(const Bundle& bundle, const std::set<config::PolicyName>& asked) {
    return asked.empty() ||
           std::any_of(bundle.begin(), bundle.end(), [&asked](const StoredTable& table) {
               return asked.contains(table.name) || asked.contains(table.root);
           });
}

}  // namespace

bool is_to_change(
    const StoredTable& table,
    const StoredColumn& column,
    const std::string& group,
    std::uint32_t next
) {
    return !table.is_view && !config::is_name_beside_migrating(table.name.name) &&
           column.veil != nullptr && column.veil->group == group &&
           config::is_searchable(column.veil->scheme) && column.data_key != next;
}

std::vector<Bundle> bundles(
    const std::vector<StoredTable>& tables,
    const std::string& group,
    std::uint32_t next,
    const std::set<config::PolicyName>& asked
) {
    std::vector<Open> open;
    for (const StoredTable& table : tables) {
        Open one;
        for (const StoredColumn& column : table.columns) {
            if (is_to_change(table, column, group, next)) {
                one.contexts.insert(context_of(table, column));
            }
        }
        if (one.contexts.empty()) {
            continue;
        }
        one.tables.push_back(table);
        for (auto other = open.begin(); other != open.end();) {
            if (other->shares(one.contexts)) {
                one.take(std::move(*other));
                other = open.erase(other);
            } else {
                ++other;
            }
        }
        open.push_back(std::move(one));
    }
    std::vector<Bundle> found;
    for (Open& one : open) {
        std::sort(one.tables.begin(), one.tables.end(), [](const auto& left, const auto& right) {
            return left.name < right.name;
        });
        if (is_asked_for(one.tables, asked)) {
            found.push_back(std::move(one.tables));
        }
    }
    return found;
}

}  // namespace pgveil::rotation
