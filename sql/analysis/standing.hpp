#pragma once

#include "sql/analysis/analyzer.hpp"

#include <span>
#include <vector>

namespace pgveil::analysis {

struct StandingOfAll {
    /// None of them is protected, or shows what is.
    bool are_plain = false;
    /// To be looked up before that can be said: put the answers into the catalog, and ask again.
    std::vector<catalog::RelationName> missing;
};

/// What the names that a decision depended on (Analysis::relations) stand for by now. Any thread.
StandingOfAll standing_of(std::span<const catalog::RelationName> names, const Context& context);

/// Two decisions for the same text: both would leave as the same bytes, with the same parameters,
/// and the same is done with the rows.
bool leaves_alike(const StatementPlan& left, const StatementPlan& right);

}  // namespace pgveil::analysis
