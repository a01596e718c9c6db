#include "sql/parse/raw.hpp"

#include <memory>
#include <utility>

namespace pgveil::parse {

namespace {

Alias alias_of(const ::Alias* alias) {
    if (alias == nullptr) {
        return {};
    }
    return Alias{text_or_empty(alias->aliasname), names_of(alias->colnames)};
}

Join::Kind kind_of_join(JoinType type) {
    switch (static_cast<int>(type)) {
        case JOIN_LEFT: return Join::Kind::kLeft;
        case JOIN_RIGHT: return Join::Kind::kRight;
        case JOIN_FULL: return Join::Kind::kFull;
        default: return Join::Kind::kInner;
    }
}

}  // namespace

TableReference RawReader::table(const RangeVar* range) {
    TableReference result;
    if (range == nullptr) {
        return result;
    }
    result.database = text_or_empty(range->catalogname);
    result.schema = text_or_empty(range->schemaname);
    result.name = text_or_empty(range->relname);
    result.alias = alias_of(range->alias);
    result.begin = offset_of(range->location);
    inventory_.tables.push_back({result.database, result.schema, result.name, result.begin});
    return result;
}

TableReference RawReader::source(const RangeVar* range) {
    TableReference result = table(range);
    Inventory::Table& noted = inventory_.tables.back();
    noted.is_source = true;
    noted.has_alias = !result.alias.name.empty();
    noted.is_common = result.schema.empty() && common_tables_.contains(result.name);
    return result;
}

TableReference RawReader::target(const RangeVar* range) {
    TableReference result = table(range);
    if (range != nullptr) {
        inventory_.tables.back().is_target = true;
    }
    return result;
}

std::vector<FromItemPtr> RawReader::from_items(const List* list) {
    std::vector<FromItemPtr> result;
    for (const void* element : elements_of(list)) {
        result.push_back(from_item(element));
    }
    return result;
}

FromItemPtr RawReader::from_item(const void* node) {
    auto result = std::make_unique<FromItem>();
    const Level level(*this);
    if (!level || node == nullptr) {
        return result;
    }
    switch (static_cast<int>(tag_of(node))) {
        case T_RangeVar:
            result->begin = offset_of(node_as<RangeVar>(node)->location);
            result->node = source(node_as<RangeVar>(node));
            return result;
        case T_RangeSubselect: {
            const auto& raw = *node_as<RangeSubselect>(node);
            result->node = FromSubquery{select(raw.subquery), alias_of(raw.alias), raw.lateral};
            return result;
        }
        case T_RangeFunction:
            result->node = from_function(*node_as<RangeFunction>(node));
            return result;
        case T_JoinExpr: result->node = join(*node_as<JoinExpr>(node)); return result;
        case T_RangeTableSample:
            read_sample(*node_as<RangeTableSample>(node), *result);
            return result;
        default:
            result->node = Unknown{kind_of(node)};
            note_unknown();
            return result;
    }
}

/// No sub-select can stand in such a place.
void RawReader::read_sample(const RangeTableSample& raw, FromItem& into) {
    const RangeVar* const relation = raw.relation != nullptr && tag_of(raw.relation) == T_RangeVar
                                         ? node_as<RangeVar>(raw.relation)
                                         : nullptr;
    into.begin = relation == nullptr ? kNowhere : offset_of(relation->location);
    into.is_sampled = true;
    into.sample = expressions(raw.args);
    if (auto seed = expression(raw.repeatable)) {
        into.sample.push_back(std::move(seed));
    }
    into.node = table(relation);
}

FromFunction RawReader::from_function(const RangeFunction& raw) {
    FromFunction result;
    // Each element is a list of the call and its own column definitions.
    for (const void* element : elements_of(raw.functions)) {
        const auto parts = elements_of(node_as<List>(element));
        result.calls.push_back(expression(parts.empty() ? nullptr : parts.front()));
        result.has_column_definitions |= parts.size() > 1 && parts[1] != nullptr;
    }
    result.with_ordinality = raw.ordinality;
    result.alias = alias_of(raw.alias);
    for (const void* definition : elements_of(raw.coldeflist)) {
        result.has_column_definitions = true;
        const auto& column = *node_as<ColumnDef>(definition);
        static_cast<void>(type_name(column.typeName));
        result.column_definitions.push_back(text_or_empty(column.colname));
    }
    return result;
}

Join RawReader::join(const JoinExpr& raw) {
    Join result;
    result.kind = kind_of_join(raw.jointype);
    result.natural = raw.isNatural;
    inventory_.has_star = inventory_.has_star || raw.isNatural;
    result.using_columns = names_of(raw.usingClause);
    result.using_alias = alias_of(raw.join_using_alias).name;
    result.left = from_item(raw.larg);
    result.right = from_item(raw.rarg);
    result.condition = expression(raw.quals);
    result.alias = alias_of(raw.alias);
    return result;
}

}  // namespace pgveil::parse
