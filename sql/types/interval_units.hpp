#pragma once

#include "sql/types/interval_value.hpp"

#include <optional>
#include <string_view>

// The names of units inside intervals (PostgreSQL documentation section 8.5.4); lower case.
namespace pgveil::types {

std::optional<IntervalSum::Unit> find_interval_unit(std::string_view word);

/// PostgreSQL compares ten letters of a word: what begins like this is a unit to it, too.
bool is_cut_interval_unit(std::string_view word);

}  // namespace pgveil::types
