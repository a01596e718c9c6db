#include "sql/analysis/claims.hpp"

#include "config/migrating.hpp"
#include "config/searchable.hpp"
#include "sql/types/enum_type.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace pgveil::analysis {

bool is_not_yet_veiled(const catalog::Relation& relation, const config::Policy& policy) {
    const bool has_ciphertext =
        std::any_of(relation.columns.begin(), relation.columns.end(), [](const auto& column) {
            return column.is_ciphertext;
        });
    // One that this text creates is made by the policy.
    return !has_ciphertext && relation.oid != 0 &&
           config::is_migrating(policy, relation.schema, relation.name);
}

const config::TablePolicy* entry_of(
    const catalog::Relation& relation, const config::Policy& policy
) {
    const auto* const entry = policy.find(relation.schema, relation.name);
    return entry == nullptr || is_not_yet_veiled(relation, policy) ? nullptr : entry;
}

Claims::Claims(std::string schema, std::string table, const config::TablePolicy& policy) {
    claims_.push_back({std::move(schema), std::move(table), &policy});
}

Claims::Claims(const catalog::Relation& relation, const config::Policy& policy)
    : has_bytewise_text_(relation.has_bytewise_text) {
    if (const auto* const own = entry_of(relation, policy)) {
        claims_.push_back({relation.schema, relation.name, own});
    }
    for (const catalog::QualifiedName& ancestor : relation.ancestors) {
        if (const auto* const inherited = policy.find(ancestor.schema, ancestor.name)) {
            claims_.push_back({ancestor.schema, ancestor.name, inherited});
        }
    }
    for (const catalog::Column& column : relation.columns) {
        if (column.data_key != 0) {
            data_keys_.emplace(column.name, column.data_key);
        }
    }
}

ColumnPtr Claims::column_of(const Claim& claim, const config::ColumnPolicy& entry) const {
    const auto found = field::protected_column(claim.schema, claim.table, entry);
    found->has_bytewise_text = has_bytewise_text_;
    const auto data_key = data_keys_.find(entry.name);
    if (config::is_searchable(entry.scheme) && data_key != data_keys_.end()) {
        found->data_key = data_key->second;
    }
    return found;
}

ColumnPtr Claims::column(std::string_view name) const {
    for (const Claim& claim : claims_) {
        if (const auto* const entry = claim.policy->column(name)) {
            return column_of(claim, *entry);
        }
    }
    return nullptr;
}

std::string Claims::pointer_of(std::string_view name) const {
    for (const Claim& claim : claims_) {
        if (const auto* const entry = claim.policy->column(name)) {
            return entry->pointer;
        }
    }
    return {};
}

std::vector<ColumnPtr> Claims::columns() const {
    std::map<std::string_view, ColumnPtr> found;
    for (const Claim& claim : claims_) {
        for (const config::ColumnPolicy& entry : claim.policy->columns) {
            found.try_emplace(entry.name, column(entry.name));
        }
    }
    std::vector<ColumnPtr> columns;
    for (auto& [name, column] : found) {
        columns.push_back(std::move(column));
    }
    return columns;
}

std::optional<Rejection> Claims::conflict(std::uint32_t begin) const {
    for (const Claim& claim : claims_) {
        for (const config::ColumnPolicy& entry : claim.policy->columns) {
            const auto first = column(entry.name);
            const auto other = column_of(claim, entry);
            if (!are_alike(*first, *other)) {
                return disagreement(
                    first->qualified_name(),
                    "has another entry in the policy (" + pointer_of(entry.name) + ") than " +
                        other->qualified_name() +
                        ", though the one table is a partition or child of the other: take the "
                        "entry out, or give it \"context\": \"" +
                        other->context + "\" and the same type, search and group",
                    begin
                );
            }
        }
    }
    return std::nullopt;
}

void Claims::add(const Claims& other) {
    claims_.insert(claims_.end(), other.claims_.begin(), other.claims_.end());
}

void Claims::begin_under(const NextKeys& next, const std::vector<catalog::Column>& present) {
    for (const ColumnPtr& column : columns()) {
        const auto key = next.find(column->group);
        const bool is_there =
            std::ranges::find(present, column->name, &catalog::Column::name) != present.end();
        if (key != next.end() && !is_there && config::is_searchable(column->scheme)) {
            data_keys_.emplace(column->name, key->second);
        }
    }
}

bool are_alike(const field::ProtectedColumn& left, const field::ProtectedColumn& right) {
    const bool is_same_type =
        left.type == right.type || types::is_same_enum(left.type.kind, right.type.kind);
    return field::shares_context(left, right) && is_same_type && left.bind_to == right.bind_to;
}

}  // namespace pgveil::analysis
