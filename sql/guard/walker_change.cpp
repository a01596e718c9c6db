#include "sql/guard/walker.hpp"

#include <algorithm>

namespace pgveil::guard {

namespace {

Flow column_flow(const Range& range, const std::string& name) {
    const auto found =
        std::find_if(range.columns.begin(), range.columns.end(), [&](const NamedFlow& column) {
            return column.name == name;
        });
    return found == range.columns.end() ? Flow() : found->flow;
}

}  // namespace

Columns Walker::insert(const parse::Insert& insert, const Level* outer) {
    with(insert.with, outer);
    const Range target = relation(insert.target);
    const Columns source = insert.source == nullptr ? Columns() : select(*insert.source, outer);
    for (std::size_t i = 0; i < source.size(); ++i) {
        Flow flow = source[i].flow;
        if (i < insert.columns.size()) {
            flow.add(column_flow(target, insert.columns[i].name));
        } else if (insert.columns.empty() && i < target.columns.size()) {
            flow.add(target.columns[i].flow);
        }
        checked(flow);
    }
    if (insert.on_conflict) {
        on_conflict(*insert.on_conflict, target, outer);
    }
    Level level;
    level.outer = outer;
    level.ranges.push_back(target);
    Columns columns = targets(insert.returning, level);
    common_tables_.pop_back();
    return columns;
}

void Walker::on_conflict(const parse::OnConflict& clause, const Range& target, const Level* outer) {
    Level level;
    level.outer = outer;
    level.ranges = {target, Range{"excluded", target.columns}};
    set(clause.assignments, target, level);
    optional(clause.where, level);
    optional(clause.index_condition, level);
}

void Walker::merge(const parse::Merge& merge) {
    with(merge.with, nullptr);
    const Range target = relation(merge.target);
    Level level;
    level.ranges.push_back(target);
    if (merge.source != nullptr) {
        for (Range& range : from_item(*merge.source, Level())) {
            level.ranges.push_back(std::move(range));
        }
    }
    optional(merge.condition, level);
    for (const parse::Merge::Action& action : merge.actions) {
        optional(action.condition, level);
        if (action.kind == parse::Merge::Action::Kind::kUpdate) {
            set(action.targets, target, level);
        }
        for (std::size_t i = 0; i < action.values.size(); ++i) {
            Flow flow = optional(action.values[i], level);
            if (i < action.targets.size()) {
                flow.add(column_flow(target, action.targets[i].name));
            } else if (action.targets.empty() && i < target.columns.size()) {
                flow.add(target.columns[i].flow);
            }
            checked(flow);
        }
    }
    common_tables_.pop_back();
}

void Walker::copy(const parse::Copy& copy) {
    if (copy.query != nullptr) {
        statement(*copy.query, nullptr);
        return;
    }
    Level level;
    level.ranges.push_back(relation(copy.target));
    optional(copy.where, level);
}

void Walker::argument(const parse::Expression& value, const std::string& column) {
    Flow flow = expression(value, Level());
    flow.add({column, parse::kNowhere});
    checked(flow);
}

void Walker::set(const std::vector<parse::Target>& list, const Range& target, const Level& level) {
    std::vector<Flow> together_assigned;  // of `(a, b) = (x, y)`, whose first column has the source
    for (const parse::Target& assigned : list) {
        if (assigned.value == nullptr) {
            continue;
        }
        Flow flow = column_flow(target, assigned.name);
        if (const auto* const part = std::get_if<parse::MultiAssignment>(&assigned.value->node)) {
            if (part->source != nullptr) {
                together_assigned = row(*part->source, level);
            }
            const std::size_t index = part->column - 1;
            const bool is_row = index < together_assigned.size();
            flow.add(
                is_row                       ? together_assigned[index]
                : !together_assigned.empty() ? together_assigned.front()
                                             : Flow()
            );
        } else {
            flow.add(expression(*assigned.value, level));
        }
        checked(flow);
    }
}

Columns Walker::update(const parse::Update& update, const Level* outer) {
    with(update.with, outer);
    const Range target = relation(update.target);
    Level level;
    level.outer = outer;
    level.ranges.push_back(target);
    from(update.from, level);
    set(update.assignments, relation(update.target), level);
    optional(update.where, level);
    Columns columns = targets(update.returning, level);
    common_tables_.pop_back();
    return columns;
}

Columns Walker::remove(const parse::Delete& remove, const Level* outer) {
    with(remove.with, outer);
    Level level;
    level.outer = outer;
    level.ranges.push_back(relation(remove.target));
    from(remove.from, level);
    optional(remove.where, level);
    Columns columns = targets(remove.returning, level);
    common_tables_.pop_back();
    return columns;
}

void Walker::definition(const parse::ColumnDefinition& column, const Range& target) {
    for (const parse::Constraint& constraint : column.constraints) {
        if (constraint.kind == parse::Constraint::Kind::kDefault) {
            Flow flow = column_flow(target, column.name);
            flow.add(optional(constraint.expression, Level()));
            checked(flow);
        }
    }
}

void Walker::define(const parse::CreateTable& create) {
    const Range target = relation(create.target);
    for (const parse::ColumnDefinition& column : create.columns) {
        definition(column, target);
    }
}

void Walker::alter(const parse::AlterTable& alter) {
    const Range target = relation(alter.target);
    for (const parse::Alteration& action : alter.actions) {
        definition(action.column, target);
        if (action.kind == parse::Alteration::Kind::kDefault) {
            Flow flow = column_flow(target, action.name);
            flow.add(optional(action.expression, Level()));
            checked(flow);
        }
    }
}

}  // namespace pgveil::guard
