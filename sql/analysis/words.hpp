#pragma once

#include "sql/analysis/draft.hpp"
#include "sql/analysis/named.hpp"

#include <string_view>

// Commands without a model are decided by their words.
namespace pgveil::analysis {

/// Refuses the statement in `range` if a word of it names something protected, or what could run
/// SQL or change the session unseen. `construct` is what a person calls the command.
void judge_words(Draft& draft, const NameSearch& range, std::string_view construct);

/// Inside such a command nobody knows which string is the parameter's name.
void refuse_set_config(Draft& draft, const NameSearch& range, std::string_view construct);

}  // namespace pgveil::analysis
