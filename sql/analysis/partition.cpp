#include "sql/analysis/partition.hpp"

#include "sql/analysis/constants.hpp"
#include "sql/analysis/mentions.hpp"
#include "sql/parse/parser.hpp"

#include <algorithm>

namespace pgveil::analysis {

namespace {

/// A key that is a column; null: an expression.
const std::string* column_of(const parse::Expression& key) {
    const auto* const reference = std::get_if<parse::ColumnReference>(&key.node);
    const bool is_column = reference != nullptr && !reference->star && reference->parts.size() == 1;
    return is_column ? &reference->parts.front() : nullptr;
}

Use use_of(const std::string& strategy) {
    if (strategy == "hash") {
        return Use::kPartitionHash;
    }
    return strategy == "list" ? Use::kPartitionList : Use::kPartitionRange;
}

/// MINVALUE and MAXVALUE, which the grammar takes for columns.
bool is_open_end(const parse::Expression& bound) {
    const std::string* const word = column_of(bound);
    return word != nullptr && (*word == "minvalue" || *word == "maxvalue");
}

/// The protected column that a key is, or that an expression may mention; null: none.
ColumnPtr veil_in(const parse::Expression& key, const KnownRelation& root) {
    for (std::size_t i = 0; i < root.veils.size(); ++i) {
        const SoughtColumn sought{root.relation->name, root.relation->columns[i].name};
        if (root.veils[i] != nullptr && may_mention(key, sought)) {
            return root.veils[i];
        }
    }
    return nullptr;
}

void seal_bound(
    Draft& draft, const parse::Expression& bound, const ColumnPtr& veil, std::uint32_t begin
) {
    if (is_open_end(bound)) {
        return;
    }
    const auto bare = bare_constant(bound);
    if (!bare || bare->constant == nullptr) {
        draft.refuse("a partition bound other than a constant", "write the value", veil, begin);
        return;
    }
    draft.seal(Adaptable{&bound}, veil, ParameterUse::kAssigned);
}

}  // namespace

void partition_by(Draft& draft, const parse::CreateTable& statement, TableRules& rules) {
    for (const auto& key : statement.partition_keys) {
        if (key == nullptr) {
            continue;
        }
        const std::string* const name = column_of(*key);
        const ColumnPtr veil = name == nullptr ? nullptr : rules.veil_of(*name);
        if (veil == nullptr) {
            rules.forbid(key, Use::kPartitionKey);
        } else if (statement.has_partition_options || veil->is_bound()) {
            draft.refuse(Use::kPartitionKey, veil, statement.target.begin);
        } else {
            draft.require(use_of(statement.partition_strategy), veil, statement.target.begin);
        }
    }
}

void bound_partition(
    Draft& draft, const parse::Expressions& bounds, const KnownRelation& root, std::uint32_t begin
) {
    const bool has_veil =
        std::ranges::any_of(root.veils, [](const ColumnPtr& veil) { return veil != nullptr; });
    if (bounds.empty() || !has_veil) {
        return;
    }
    const auto parsed =
        parse::parse("CREATE TABLE t () PARTITION BY " + root.relation->partition_key);
    const auto* const table = parsed.has_value() && parsed->size() == 1
                                  ? std::get_if<parse::CreateTable>(&parsed->front().node)
                                  : nullptr;
    if (table == nullptr || table->partition_keys.empty()) {
        draft.refuse(refusal_of(
            root.relation->schema + "." + root.relation->name,
            "a partition of a table whose key pgveil cannot read",
            "partition by plain columns",
            begin
        ));
        return;
    }
    for (std::size_t i = 0; i < bounds.size(); ++i) {
        const parse::Expression& key = *table->partition_keys[i % table->partition_keys.size()];
        const ColumnPtr veil = veil_in(key, root);
        if (veil == nullptr) {
            continue;
        }
        if (column_of(key) == nullptr || veil->is_bound()) {
            draft.refuse(Use::kPartitionKey, veil, begin);
            return;
        }
        draft.require(use_of(table->partition_strategy), veil, begin);
        seal_bound(draft, *bounds[i], veil, begin);
    }
}

std::string partition_key_of(const parse::CreateTable& statement) {
    std::string key = statement.partition_strategy;
    for (const auto& part : statement.partition_keys) {
        const std::string* const name = part == nullptr ? nullptr : column_of(*part);
        if (name == nullptr) {
            return "an expression";
        }
        key += (&part == &statement.partition_keys.front() ? " (" : ", ") +
               catalog::quoted({std::string(), *name});
    }
    return key.empty() ? key : key + ")";
}

}  // namespace pgveil::analysis
