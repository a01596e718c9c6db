#include "sql/guard/flow.hpp"

#include <algorithm>

namespace pgveil::guard {

namespace {

const Flow* find(const Columns& columns, const std::string& name) {
    const auto found = std::find_if(columns.begin(), columns.end(), [&](const NamedFlow& column) {
        return column.name == name;
    });
    return found == columns.end() ? nullptr : &found->flow;
}

const Range* find(const std::string& alias, const Level& level) {
    for (const Level* at = &level; at != nullptr; at = at->outer) {
        for (const Range& range : at->ranges) {
            if (range.alias == alias) {
                return &range;
            }
        }
    }
    return nullptr;
}

Flow all_of(const Columns& columns) {
    Flow flow;
    for (const NamedFlow& column : columns) {
        flow.add(column.flow);
    }
    return flow;
}

/// The innermost level that has such a column; there, every FROM item that has one.
std::optional<Flow> unqualified(const std::string& name, const Level& level) {
    for (const Level* at = &level; at != nullptr; at = at->outer) {
        std::optional<Flow> found;
        for (const Range& range : at->ranges) {
            if (const Flow* const flow = find(range.columns, name)) {
                found = found.value_or(Flow());
                found->add(*flow);
            }
        }
        if (found) {
            return found;
        }
    }
    return std::nullopt;
}

}  // namespace

Flow flow_of(const parse::ColumnReference& reference, const Level& level) {
    const auto& parts = reference.parts;
    if (parts.empty()) {
        return {};
    }
    if (parts.size() == 1) {
        if (auto flow = unqualified(parts.front(), level)) {
            return *flow;
        }
    } else if (const Range* const range = find(parts[parts.size() - 2], level)) {
        const Flow* const flow = find(range->columns, parts.back());
        return flow == nullptr ? Flow() : *flow;
    }
    const Range* const whole_row = find(parts.back(), level);
    return whole_row == nullptr ? Flow() : all_of(whole_row->columns);
}

Columns columns_of(const parse::ColumnReference& star, const Level& level) {
    if (!star.parts.empty()) {
        const Range* const range = find(star.parts.back(), level);
        return range == nullptr ? Columns() : range->columns;
    }
    Columns all;
    for (const Range& range : level.ranges) {
        all.insert(all.end(), range.columns.begin(), range.columns.end());
    }
    return all;
}

}  // namespace pgveil::guard
