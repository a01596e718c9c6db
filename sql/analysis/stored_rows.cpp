#include "sql/analysis/stored_rows.hpp"

#include "sql/analysis/rules.hpp"

#include <algorithm>

namespace pgveil::analysis {

namespace {

/// PostgreSQL has no equality for json: it would refuse the plain column.
bool has_equality(types::Kind kind) {
    return types::element_of(kind) != types::Kind::kJson;
}

bool is_compared_as_it_is(const Value& value) {
    return value.column == nullptr || allows(rule_of(Use::kDistinct), value.column->scheme);
}

}  // namespace

std::size_t StoredRows::add(const KnownRelation& relation) {
    rows_.push_back({relation.relation});
    return rows_.size();
}

Origin StoredRows::either(const Origin& one, const Origin& other) {
    if (one.relation == 0 || other.relation == 0 || one.column != other.column) {
        return {};
    }
    const catalog::Relation* const relation = rows_[one.relation - 1].relation;
    const catalog::Relation* const second = rows_[other.relation - 1].relation;
    if (relation->oid == 0 || relation->oid != second->oid) {
        return {};
    }
    const auto known = std::find_if(rows_.begin(), rows_.end(), [&](const Rows& rows) {
        return rows.one == one.relation && rows.other == other.relation;
    });
    const auto number = static_cast<std::size_t>(known - rows_.begin()) + 1;
    if (known == rows_.end()) {
        rows_.push_back({relation, one.relation, other.relation});
    }
    return Origin{number, one.column};
}

bool StoredRows::is_settled(const Value& value, std::span<const Value> list) const {
    const std::size_t number = value.stored.relation;
    if (value.column == nullptr || number == 0 || !has_equality(value.column->type.kind)) {
        return false;
    }
    const auto& keys = rows_[number - 1].relation->keys;
    return std::any_of(keys.begin(), keys.end(), [&](const std::vector<std::int16_t>& key) {
        return !key.empty() && std::all_of(key.begin(), key.end(), [&](std::int16_t attnum) {
            return holds(attnum, number, list);
        });
    });
}

bool StoredRows::holds(std::int16_t attnum, std::size_t number, std::span<const Value> list) const {
    const auto& columns = rows_[number - 1].relation->columns;
    return std::any_of(list.begin(), list.end(), [&](const Value& value) {
        return value.stored.relation == number && value.stored.column < columns.size() &&
               columns[value.stored.column].attnum == attnum && is_compared_as_it_is(value);
    });
}

}  // namespace pgveil::analysis
