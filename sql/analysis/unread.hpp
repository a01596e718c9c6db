#pragma once

#include "sql/analysis/draft.hpp"

namespace pgveil::analysis {

/// Refuses a statement that names a protected relation, or calls a function that returns stored
/// values, where no rule went through: in a CHECK, the bound of a partition, an index. The
/// constants there would leave as they are. To be called last.
void refuse_unread(Draft& draft, const parse::Inventory& inventory);

}  // namespace pgveil::analysis
