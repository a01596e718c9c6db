#pragma once

#include "sql/analysis/draft.hpp"

#include <cstdint>

namespace pgveil::analysis {

/// Refuses ALTER TYPE of an enum of the policy where that changes a label or its name: stored are
/// labels, and the policy goes by the name. ADD VALUE passes.
void refuse_enum_change(Draft& draft, std::uint32_t begin, std::uint32_t end);

}  // namespace pgveil::analysis
