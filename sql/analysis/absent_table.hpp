#pragma once

#include "sql/analysis/draft.hpp"

#include <cstdint>

namespace pgveil::analysis {

/// ALTER TABLE IF EXISTS `target` where there is no such table, and the policy protects one of that
/// name: true, and what the statement would do to it does not leave, because it may hold values.
/// The server says what it says of any table that is absent: a NOTICE, and success.
/// @param end behind the statement
bool skips_absent_table(Draft& draft, const parse::TableReference& target, std::uint32_t end);

}  // namespace pgveil::analysis
