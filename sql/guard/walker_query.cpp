#include "sql/guard/walker.hpp"

#include <algorithm>

namespace pgveil::guard {

namespace {

/// `AS t (a, b)`, of a FROM item or a WITH table.
void rename(Columns& columns, const parse::Names& names) {
    for (std::size_t i = 0; i < std::min(columns.size(), names.size()); ++i) {
        columns[i].name = names[i];
    }
}

Columns columns_of(const Shape& shape) {
    Columns columns;
    for (const Shape::Column& column : shape.columns) {
        // A lone value has no name of its own, and the shape its column's.
        const std::string name = shape.name + (column.name.empty() ? "" : "." + column.name);
        columns.push_back({column.name, {column.is_protected ? name : "", parse::kNowhere}});
    }
    return columns;
}

std::string name_of(const parse::Target& target) {
    if (!target.name.empty() || target.value == nullptr) {
        return target.name;
    }
    const auto* const reference = std::get_if<parse::ColumnReference>(&target.value->node);
    return reference == nullptr || reference->parts.empty() ? std::string()
                                                            : reference->parts.back();
}

const Flow* find(const Columns& columns, const std::string& name) {
    const auto found = std::find_if(columns.begin(), columns.end(), [&](const NamedFlow& column) {
        return column.name == name;
    });
    return found == columns.end() ? nullptr : &found->flow;
}

/// The statement inside EXPLAIN, DECLARE, PREPARE, CREATE TABLE AS and CREATE VIEW.
const parse::Statement* inner_of(const parse::Statement& statement) {
    if (const auto* const explain = std::get_if<parse::Explain>(&statement.node)) {
        return explain->statement.get();
    }
    if (const auto* const cursor = std::get_if<parse::DeclareCursor>(&statement.node)) {
        return cursor->query.get();
    }
    if (const auto* const prepare = std::get_if<parse::Prepare>(&statement.node)) {
        return prepare->statement.get();
    }
    if (const auto* const view = std::get_if<parse::CreateView>(&statement.node)) {
        return view->source.get();
    }
    const auto* const create = std::get_if<parse::CreateTableAs>(&statement.node);
    return create == nullptr ? nullptr : create->source.get();
}

Range joined(const std::vector<Range>& ranges) {
    Range all;
    for (const Range& range : ranges) {
        all.columns.insert(all.columns.end(), range.columns.begin(), range.columns.end());
    }
    return all;
}

/// `USING (a, b) AS alias`: whatever flows into a column of that name, on either side.
Range merged(const parse::Join& join, const Range& both) {
    Range range{join.using_alias, {}};
    for (const std::string& name : join.using_columns) {
        Flow flow;
        for (const NamedFlow& column : both.columns) {
            flow.add(column.name == name ? column.flow : Flow());
        }
        range.columns.push_back({name, flow});
    }
    return range;
}

}  // namespace

Columns Walker::statement(const parse::Statement& statement, const Level* outer) {
    if (const auto* const query = std::get_if<std::unique_ptr<parse::Select>>(&statement.node)) {
        return *query == nullptr ? Columns() : select(**query, outer);
    }
    if (const auto* const change = std::get_if<parse::Insert>(&statement.node)) {
        return insert(*change, outer);
    }
    if (const auto* const change = std::get_if<parse::Update>(&statement.node)) {
        return update(*change, outer);
    }
    if (const auto* const change = std::get_if<parse::Delete>(&statement.node)) {
        return remove(*change, outer);
    }
    if (const auto* const change = std::get_if<parse::Merge>(&statement.node)) {
        merge(*change);
    } else if (const auto* const create = std::get_if<parse::CreateTable>(&statement.node)) {
        define(*create);
    } else if (const auto* const alteration = std::get_if<parse::AlterTable>(&statement.node)) {
        alter(*alteration);
    } else if (const auto* const copied = std::get_if<parse::Copy>(&statement.node)) {
        copy(*copied);
    } else if (const parse::Statement* const inner = inner_of(statement)) {
        return this->statement(*inner, outer);
    }
    return {};
}

void Walker::with(const parse::With& clause, const Level* outer) {
    common_tables_.emplace_back();
    for (const parse::CommonTable& table : clause.tables) {
        if (table.query == nullptr) {
            continue;
        }
        if (table.traversal) {
            together(table.traversal->values, Level());
        }
        const auto name = [&](Columns columns) {
            rename(columns, table.columns);
            common_tables_.back()[table.name] = std::move(columns);
        };
        const auto* const query = std::get_if<std::unique_ptr<parse::Select>>(&table.query->node);
        if (clause.recursive && query != nullptr && *query != nullptr && (*query)->left) {
            name(select(*(*query)->left, outer));  // what the table holds when it reads itself
        }
        name(statement(*table.query, outer));
    }
}

Columns Walker::select(const parse::Select& query, const Level* outer) {
    with(query.with, outer);
    Columns columns = query.operation != parse::Select::SetOperation::kNone
                          ? set_operation(query, outer)
                      : query.values.empty() ? plain_select(query, outer)
                                             : rows(query, outer);
    common_tables_.pop_back();
    return columns;
}

Columns Walker::plain_select(const parse::Select& query, const Level* outer) {
    Level level;
    level.outer = outer;
    from(query.from, level);
    Columns columns = targets(query.targets, level);
    optional(query.where, level);
    for (const auto& item : query.group_by) {
        group(*item, level);
    }
    for (const auto* const list : {&query.distinct_on, &query.order_by, &query.limits}) {
        for (const auto& item : *list) {
            optional(item, level);
        }
    }
    optional(query.having, level);
    for (const parse::Window& window : query.windows) {
        together(window.partition_by, level);
        together(window.order_by, level);
    }
    return columns;
}

/// The numbers in `GROUPING SETS ((a, 2))` are places, not values.
void Walker::group(const parse::Expression& item, const Level& level) {
    const auto* const sets = std::get_if<parse::Construct>(&item.node);
    if (sets == nullptr || (sets->name != "GROUPING SETS" && sets->name != "row value")) {
        expression(item, level);
        return;
    }
    for (const auto& part : sets->parts) {
        if (part != nullptr) {
            group(*part, level);
        }
    }
}

Columns Walker::rows(const parse::Select& query, const Level* outer) {
    Level level;
    level.outer = outer;
    Columns columns;
    for (const auto& values : query.values) {
        columns.resize(std::max(columns.size(), values.size()));
        for (std::size_t i = 0; i < values.size(); ++i) {
            columns[i].name = "column" + std::to_string(i + 1);
            columns[i].flow.add(optional(values[i], level));
        }
    }
    for (NamedFlow& column : columns) {
        checked(column.flow);
    }
    return columns;
}

Columns Walker::set_operation(const parse::Select& query, const Level* outer) {
    Columns columns = query.left == nullptr ? Columns() : select(*query.left, outer);
    const Columns right = query.right == nullptr ? Columns() : select(*query.right, outer);
    for (std::size_t i = 0; i < std::min(columns.size(), right.size()); ++i) {
        columns[i].flow.add(right[i].flow);
        checked(columns[i].flow);
    }
    return columns;
}

Columns Walker::targets(const std::vector<parse::Target>& list, const Level& level) {
    Columns columns;
    for (const parse::Target& target : list) {
        if (target.value == nullptr) {
            continue;
        }
        const auto* const reference = std::get_if<parse::ColumnReference>(&target.value->node);
        if (reference != nullptr && reference->star) {
            const Columns all = columns_of(*reference, level);
            columns.insert(columns.end(), all.begin(), all.end());
        } else {
            columns.push_back({name_of(target), expression(*target.value, level)});
        }
    }
    return columns;
}

void Walker::from(const std::vector<parse::FromItemPtr>& items, Level& level) {
    for (const auto& item : items) {
        if (item != nullptr) {
            for (Range& range : from_item(*item, level)) {
                level.ranges.push_back(std::move(range));
            }
        }
    }
}

Range Walker::relation(const parse::TableReference& table) {
    Range range;
    range.alias = table.alias.name.empty() ? table.name : table.alias.name;
    if (table.schema.empty()) {
        for (auto scope = common_tables_.rbegin(); scope != common_tables_.rend(); ++scope) {
            const auto found = scope->find(table.name);
            if (found != scope->end()) {
                range.columns = found->second;
                rename(range.columns, table.alias.columns);
                return range;
            }
        }
    }
    if (const auto shape = shapes_.relation(table.schema, table.name)) {
        range.columns = columns_of(*shape);
    }
    rename(range.columns, table.alias.columns);
    return range;
}

Range Walker::result_of(const parse::FromFunction& item, const Level& level) {
    Range range{item.alias.name, {}};
    const auto* const call = item.calls.size() == 1 && item.calls.front() != nullptr
                                 ? std::get_if<parse::Call>(&item.calls.front()->node)
                                 : nullptr;
    together(item.calls, level);
    if (call == nullptr || call->name.empty()) {
        return range;
    }
    range.alias = range.alias.empty() ? call->name.back() : range.alias;
    if (const auto shape = shape_of_call(*call)) {
        range.columns = columns_of(*shape);
        for (NamedFlow& column : range.columns) {
            column.name = column.name.empty() ? range.alias : column.name;
        }
        rename(range.columns, item.alias.columns);
    }
    return range;
}

std::vector<Range> Walker::from_item(const parse::FromItem& item, const Level& level) {
    std::vector<Range> found;
    together(item.sample, level);
    if (const auto* const table = std::get_if<parse::TableReference>(&item.node)) {
        found.push_back(relation(*table));
    } else if (const auto* const nested = std::get_if<parse::FromSubquery>(&item.node)) {
        Range range{nested->alias.name, {}};
        range.columns = nested->query == nullptr ? Columns() : select(*nested->query, &level);
        rename(range.columns, nested->alias.columns);
        found.push_back(std::move(range));
    } else if (const auto* const function = std::get_if<parse::FromFunction>(&item.node)) {
        found.push_back(result_of(*function, level));
    } else if (const auto* const pair = std::get_if<parse::Join>(&item.node)) {
        found = join(*pair, level);
    }
    return found;
}

std::vector<Range> Walker::join(const parse::Join& join, const Level& level) {
    Level inner = level;
    std::vector<Range> left =
        join.left == nullptr ? std::vector<Range>() : from_item(*join.left, level);
    inner.ranges.insert(inner.ranges.end(), left.begin(), left.end());
    std::vector<Range> right =
        join.right == nullptr ? std::vector<Range>() : from_item(*join.right, inner);
    merge_using(join, joined(left), joined(right));
    left.insert(left.end(), right.begin(), right.end());
    if (!join.using_alias.empty()) {
        left.push_back(merged(join, joined(left)));
    }
    inner.ranges = left;
    inner.outer = &level;
    optional(join.condition, inner);
    if (!join.alias.name.empty()) {
        Range all = joined(left);
        all.alias = join.alias.name;
        rename(all.columns, join.alias.columns);
        return {std::move(all)};
    }
    return left;
}

void Walker::merge_using(const parse::Join& join, const Range& left, const Range& right) {
    for (const NamedFlow& column : left.columns) {
        const bool is_merged =
            join.natural ||
            std::find(join.using_columns.begin(), join.using_columns.end(), column.name) !=
                join.using_columns.end();
        const Flow* const other = find(right.columns, column.name);
        if (is_merged && other != nullptr) {
            meet({{column.flow}, {*other}});
        }
    }
}

}  // namespace pgveil::guard
