#pragma once

#include "sql/analysis/draft.hpp"

namespace pgveil::analysis {

/// Wherever the statement reads a catalog relation in which pgveil would show, a sub-select takes
/// its place that shows the plain tables (schema/facade.hpp). Adds splices, and look-ups of these
/// relations; what the statement writes is left alone.
/// Refuses `*` beside a system column (ctid, tableoid, xmin, ...): a sub-select has either.
void show_plain_catalog(Draft& draft, const parse::Statement& statement);

}  // namespace pgveil::analysis
