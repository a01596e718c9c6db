#pragma once

#include "sql/analysis/plan.hpp"

#include <string>
#include <string_view>

// What `pgveil explain` shows: the decisions for a text, for a person to read.
namespace pgveil::explain {

/// Every statement of `sql`, which is what `analysis` was made from (decided: nothing missing): as
/// it would be sent, with `<column>` in place of an envelope; what is sealed and opened, and what
/// the database learns from it; or why it is refused and what to write instead. Some lines of text,
/// each with its line break. Quotes the text, so it is for who wrote it and for no log.
std::string explanation(std::string_view sql, const analysis::Analysis& analysis);

/// What the database can see of the values of such a column.
std::string leakage_of(const field::ProtectedColumn& column);

/// True if every statement would be sent.
bool is_allowed(const analysis::Analysis& analysis);

}  // namespace pgveil::explain
