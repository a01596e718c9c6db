#include "sql/analysis/plan.hpp"

#include "sql/analysis/copy_plan.hpp"

#include <algorithm>

namespace pgveil::analysis {

bool StatementPlan::needs_keys() const {
    const auto is_sealed = [](const Splice& splice) {
        return std::holds_alternative<SealedLiteral>(splice.replacement);
    };
    const auto has_column = [](const auto& entry) {
        return entry.column != nullptr;
    };
    return copy != nullptr || !guarded.empty() ||
           std::any_of(splices.begin(), splices.end(), is_sealed) ||
           std::any_of(parameters.begin(), parameters.end(), has_column) ||
           std::any_of(results.begin(), results.end(), has_column);
}

bool StatementPlan::may_change_settings() const {
    using enum StatementKind;
    const bool sets = kind == kSet || kind == kReset || kind == kDiscard;
    const bool uses_unknown =
        !used_name.empty() && used == nullptr && kind != kDeallocate && kind != kCloseCursor;
    return sets || uses_unknown || calls_set_config || calls_own_function || runs_unknown_sql ||
           may_change_session_parameters || (used != nullptr && used->may_change_settings());
}

bool StatementPlan::is_plain() const {
    return !touches_protected && splices.empty() && parameters.empty() && results.empty() &&
           copy == nullptr && !call && !shown_parameter;
}

namespace {

/// A ProtectedColumn with its names, and its place in a list.
constexpr std::size_t kColumnBytes = 320;

std::size_t size_of(const ResultColumn& column) {
    return sizeof(column) + column.keys.size() * sizeof(std::uint16_t) +
           column.others.size() * sizeof(ColumnPtr);
}

std::size_t size_of(const RowKey& key) {
    return sizeof(key) + key.column.size();
}

/// The plaintext of a literal lies in the arena.
std::size_t size_of(const Splice& splice) {
    const auto* const fixed = std::get_if<FixedText>(&splice.replacement);
    const auto* const sealed = std::get_if<SealedLiteral>(&splice.replacement);
    return sizeof(splice) + (fixed == nullptr ? 0 : fixed->text.size()) +
           (sealed == nullptr ? 0 : sealed->row.size());
}

std::size_t size_of(const CopiedField& field) {
    return sizeof(field) + field.name.size();
}

std::size_t size_of(const catalog::RelationName& name) {
    return sizeof(name) + name.schema.size() + name.name.size();
}

std::size_t size_of(const Decision& decision) {
    const auto* const plan = std::get_if<StatementPlan>(&decision);
    return plan == nullptr ? sizeof(decision) : size_bytes_of(*plan);
}

std::size_t size_of(const PlanPtr& other) {
    return other == nullptr ? 0 : size_bytes_of(*other);
}

std::size_t size_of(const std::string& name) {
    return sizeof(name) + name.size();
}

std::size_t size_of(const ParameterPlan& parameter);

template <class Items>
std::size_t sum_of(const Items& items) {
    std::size_t sum = 0;
    for (const auto& item : items) {
        sum += size_of(item);
    }
    return sum;
}

std::size_t size_of(const ParameterPlan& parameter) {
    return sizeof(parameter) + parameter.casts.size() * sizeof(types::Type) + sum_of(parameter.row);
}

std::size_t size_of(const CopyPlan& copy) {
    return sizeof(copy) + copy.relation.size() + sum_of(copy.columns) + sum_of(copy.fields);
}

std::size_t columns_of(const StatementPlan& plan) {
    return plan.columns.size() + plan.repeated.size() + plan.compared.size() + plan.guarded.size();
}

}  // namespace

std::size_t size_bytes_of(const StatementPlan& plan) {
    return sizeof(Decision) + sum_of(plan.tables) + columns_of(plan) * kColumnBytes +
           sum_of(plan.splices) + sum_of(plan.parameters) + sum_of(plan.results) +
           (plan.copy == nullptr ? 0 : size_of(*plan.copy)) + size_of(plan.used) +
           size_of(plan.defined) + plan.used_name.size() + plan.defined_name.size() +
           plan.open_texts.size() * sizeof(std::size_t);
}

std::size_t size_bytes_of(const Analysis& analysis) {
    return sizeof(analysis) + sum_of(analysis.statements) + sum_of(analysis.relations);
}

}  // namespace pgveil::analysis
