#include "sql/analysis/plan.hpp"

#include <algorithm>

namespace pgveil::analysis {

bool StatementPlan::needs_keys() const {
    const auto is_sealed = [](const Splice& splice) {
        return std::holds_alternative<SealedLiteral>(splice.replacement);
    };
    const auto has_column = [](const auto& entry) {
        return entry.column != nullptr;
    };
    return copy != nullptr || std::any_of(splices.begin(), splices.end(), is_sealed) ||
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

}  // namespace pgveil::analysis
