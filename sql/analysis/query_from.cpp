#include "sql/analysis/query.hpp"
#include "sql/schema/schema.hpp"

#include <algorithm>
#include <iterator>

namespace pgveil::analysis {

namespace {

constexpr std::size_t kVisibleColumnsMax = 20'000;

NamedValue* find_column(NamedValues& columns, const std::string& name) {
    const auto found =
        std::find_if(columns.begin(), columns.end(), [&name](const NamedValue& column) {
            return column.name == name;
        });
    return found == columns.end() ? nullptr : &*found;
}

/// The columns as something that stands between them and their relation shows them.
void hide_origins(NamedValues& columns) {
    for (NamedValue& column : columns) {
        column.value.origin = {};
    }
}

/// A column of VALUES is compared as it is.
void use_in_join(Value& value) {
    if (value.list != nullptr) {
        ++value.list->references;
    }
    value.list.reset();
    value.adaptables.clear();
}

bool differ_in_type(const Value& one, const Value& other) {
    return one.column != nullptr && other.column != nullptr &&
           (one.column->type != other.column->type || one.type() != other.type());
}

bool holds(const NamedValues& columns, const std::string& name) {
    return std::any_of(columns.begin(), columns.end(), [&name](const NamedValue& column) {
        return column.name == name;
    });
}

}  // namespace

void Query::add_range(Range range, Scope& scope) {
    if (scope.visible.size() + range.columns.size() > kVisibleColumnsMax) {
        draft_.refuse(limit_error(
            "54001",
            "the FROM clause of a statement on encrypted columns has too many columns",
            "split the statement"
        ));
        return;
    }
    scope.visible.insert(scope.visible.end(), range.columns.begin(), range.columns.end());
    scope.is_opaque = scope.is_opaque || range.is_opaque;
    scope.ranges.push_back(std::move(range));
}

void Query::from(const std::vector<parse::FromItemPtr>& items, Scope& scope) {
    for (const auto& item : items) {
        from_item(*item, scope);
    }
}

void Query::from_item(const parse::FromItem& item, Scope& scope) {
    if (const auto* const table = std::get_if<parse::TableReference>(&item.node)) {
        from_table(*table, scope);
        plain_all(item.sample, lateral_view(scope), Use::kConstruct);
    } else if (const auto* const nested = std::get_if<parse::FromSubquery>(&item.node)) {
        from_subquery(*nested, scope);
    } else if (const auto* const function = std::get_if<parse::FromFunction>(&item.node)) {
        from_function(*function, scope);
    } else if (const auto* const join = std::get_if<parse::Join>(&item.node)) {
        from_join(*join, scope);
    } else {
        draft_.refuse(refusal_of(
            "a statement on encrypted columns",
            std::get<parse::Unknown>(item.node).kind,
            "leave it out, or use separate statements",
            item.begin
        ));
    }
}

const KnownRelation* Query::known(const parse::TableReference& table) {
    // What a statement changes was judged as such before.
    const Judgement judgement =
        draft_.text().relations.judge({table.database, table.schema, table.name, table.begin, true}
        );
    if (judgement.rejection) {
        draft_.refuse(*judgement.rejection);
    }
    draft_.note_read(table.begin);
    if (judgement.standing == Standing::kProtected && judgement.known != nullptr) {
        draft_.plan().touches_protected = true;
        draft_.qualify(table, *judgement.known->relation);
    }
    return judgement.known;
}

Query::ReadRelation Query::read_relation(const Range& range, const KnownRelation& known) {
    ReadRelation read;
    read.prefix = range.schema.empty() ? "" : schema::quote_identifier(range.schema) + ".";
    read.prefix += schema::quote_identifier(range.alias) + ".";
    read.known = &known;
    for (const NamedValue& column : range.columns) {
        read.names.push_back(column.name);
    }
    return read;
}

void Query::name_range(Range& range, const parse::Alias& alias) {
    if (!range.is_opaque && alias.columns.size() > range.columns.size()) {
        draft_.refuse(postgres_error(
            "42P10",
            "table \"" + range.alias + "\" has " + std::to_string(range.columns.size()) +
                " columns available but " + std::to_string(alias.columns.size()) +
                " columns specified",
            parse::kNowhere
        ));
    }
    name_columns(range.columns, alias);
}

Range Query::range_of(const parse::TableReference& table) {
    Range range;
    range.alias = table.alias.name.empty() ? table.name : table.alias.name;
    const KnownRelation* const relation = known(table);
    range.is_opaque = relation == nullptr;
    if (relation == nullptr) {
        range.schema = table.schema;
        return range;
    }
    range.schema = table.alias.name.empty() ? relation->relation->schema : std::string();
    const std::size_t rows = stored_.add(*relation);
    for (std::size_t i = 0; i < relation->veils.size(); ++i) {
        range.columns.push_back(
            {relation->relation->columns[i].name,
             Value{relation->veils[i], {}, Origin{read_.size() + 1, i}, Origin{rows, i}}}
        );
    }
    name_range(range, table.alias);
    read_.push_back(read_relation(range, *relation));
    return range;
}

void Query::from_table(const parse::TableReference& table, Scope& scope) {
    if (from_common_table(table, scope)) {
        return;
    }
    add_range(range_of(table), scope);
}

void Query::from_subquery(const parse::FromSubquery& item, Scope& scope) {
    const Scope lateral = item.lateral ? lateral_view(scope) : Scope();
    Output output = query(*item.query, item.lateral ? &lateral : scope.outer);
    const bool is_list = !item.query->values.empty() && item.query->order_by.empty();
    for (NamedValue& column : output.columns) {
        if (is_list) {
            add_list(column.value, item.query->begin);
        } else {
            column.value.adaptables.clear();
            column.value.list.reset();
        }
        if (item.query->has_locks) {
            column.value.stored = {};  // a row may be of a later version than elsewhere
        }
    }
    hide_origins(output.columns);
    Range range{item.alias.name, {}, std::move(output.columns), output.is_opaque};
    name_range(range, item.alias);
    add_range(std::move(range), scope);
}

void Query::from_join(const parse::Join& join, Scope& scope) {
    Scope left;
    left.outer = scope.outer;
    left.siblings = &scope;
    from_item(*join.left, left);
    Scope right;
    right.outer = scope.outer;
    right.siblings = &left;
    from_item(*join.right, right);
    left.siblings = nullptr;
    const std::uint32_t begin = join.right == nullptr ? parse::kNowhere : join.right->begin;
    merge(join, left, std::move(right), begin);
    condition(join.condition, left);
    if (!join.alias.name.empty()) {
        // The alias hides the names inside.
        hide_origins(left.visible);
        Range range{join.alias.name, {}, std::move(left.visible), left.is_opaque};
        name_columns(range.columns, join.alias);
        add_range(std::move(range), scope);
        return;
    }
    std::move(left.ranges.begin(), left.ranges.end(), std::back_inserter(scope.ranges));
    std::move(left.visible.begin(), left.visible.end(), std::back_inserter(scope.visible));
    scope.is_opaque = scope.is_opaque || left.is_opaque;
}

std::vector<std::string> Query::merged_names(
    const parse::Join& join, const Scope& left, const Scope& right
) {
    if (!join.natural) {
        return join.using_columns;
    }
    std::vector<std::string> names;
    for (const NamedValue& column : left.visible) {
        if (holds(right.visible, column.name)) {
            names.push_back(column.name);
        }
    }
    const auto is_protected = [](const NamedValue& column) {
        return column.value.column != nullptr;
    };
    const auto found = std::find_if(left.visible.begin(), left.visible.end(), is_protected);
    if ((left.is_opaque || right.is_opaque) && found != left.visible.end()) {
        draft_.refuse(
            "NATURAL JOIN with unknown columns",
            "write JOIN ... ON",
            found->value.column,
            parse::kNowhere
        );
    }
    return names;
}

NamedValue Query::merged_column(
    const parse::Join& join, const std::string& name, Scope& left, Scope& right, std::uint32_t begin
) {
    NamedValue* const one = find_column(left.visible, name);
    NamedValue* const other = find_column(right.visible, name);
    if (one == nullptr || other == nullptr) {
        if (!left.is_opaque && !right.is_opaque) {
            draft_.refuse(postgres_error(
                "42703",
                "column \"" + name + "\" specified in USING clause does not exist in " +
                    (one == nullptr ? "left" : "right") + " table",
                parse::kNowhere
            ));
        }
        const NamedValue* const present = one != nullptr ? one : other;
        if (present != nullptr) {
            compare(present->value, {}, Use::kUsing, begin);
        }
        return {name, {}};
    }
    use_in_join(one->value);
    use_in_join(other->value);
    compare(one->value, other->value, Use::kUsing, begin);
    if (differ_in_type(one->value, other->value)) {
        draft_.refuse(
            "USING or NATURAL JOIN of columns with different lengths or types",
            "write JOIN ... ON",
            one->value.column,
            begin
        );
    }
    NamedValue merged{name, join.kind == parse::Join::Kind::kRight ? other->value : one->value};
    merged.value.origin = {};  // it may have another type, and be NULL elsewhere
    merged.value.stored = {};
    return merged;
}

void Query::merge(const parse::Join& join, Scope& left, Scope right, std::uint32_t begin) {
    NamedValues merged;
    for (const std::string& name : merged_names(join, left, right)) {
        merged.push_back(merged_column(join, name, left, right, begin));
    }
    const auto is_merged = [&merged](const NamedValue& column) {
        return holds(merged, column.name);
    };
    if (!join.using_alias.empty()) {
        left.ranges.push_back(Range{join.using_alias, {}, merged});
    }
    NamedValues visible = merged;
    std::remove_copy_if(
        left.visible.begin(), left.visible.end(), std::back_inserter(visible), is_merged
    );
    std::remove_copy_if(
        right.visible.begin(), right.visible.end(), std::back_inserter(visible), is_merged
    );
    left.visible = std::move(visible);
    std::move(right.ranges.begin(), right.ranges.end(), std::back_inserter(left.ranges));
    left.is_opaque = left.is_opaque || right.is_opaque;
}

}  // namespace pgveil::analysis
