#pragma once

#include "sql/analysis/draft.hpp"

#include <string>
#include <string_view>

// Function calls that mean more than a value: session parameters, the calls that the proxy answers,
// and functions that run SQL.
namespace pgveil::analysis {

/// True if the SELECT is a lone call of a pgveil function; the draft then answers for it.
bool answer_veil_call(Draft& draft, const parse::Select& statement);

/// The function as it is called: the last two parts of its name.
catalog::RelationName called_name(const parse::Call& call);

/// Judges every function call of a statement: set_config, schema pgveil, functions that run SQL.
/// `select`: the whole statement, if it is one.
void check_calls(
    Draft& draft, const parse::Inventory& inventory, const parse::Select* select = nullptr
);

/// Functions that run SQL they get as a string: query_to_xml, ts_stat, dblink, ...
bool runs_sql(const std::string& function_name);

/// Their refusal: what a string names can be written in too many ways to search it.
Rejection sql_runner_refusal(const std::string& function_name, std::uint32_t begin);

/// True if a word of `text` is the name of a protected relation or begins with pgveil, in any case.
bool mentions_protected(std::string_view text, const config::Policy& policy);

}  // namespace pgveil::analysis
