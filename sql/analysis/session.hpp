#pragma once

#include "sql/analysis/draft.hpp"

#include <optional>
#include <string>
#include <string_view>

// SET, RESET, SHOW, and what set_config() shares with them (SQL.md section 7).
namespace pgveil::analysis {

void set_variable(Draft& draft, const parse::VariableSet& statement);
void show_variable(Draft& draft, const parse::VariableShow& statement);

/// A spelling of a name under pgveil_verified, which only the proxy sets.
bool is_verified_name(std::string_view name);

/// The parameter of ours that `name` spells. Refuses other names under pgveil and pgveil_verified;
/// nullopt then, and for all other names.
std::optional<SessionParameter> veil_parameter(Draft& draft, const std::string& name);

/// True for parameters that change what unqualified names mean.
bool changes_search_path(const std::string& name);

StatementKind kind_of_transaction(parse::Transaction::Kind kind);

/// Replaces the constant `node` by a handle.
void hide_value(Draft& draft, const parse::Expression& node, SessionParameter which);

/// Refuses a change of pg_settings: it sets parameters, search_path and those of pgveil among them,
/// behind the back of SET. A table of that name may be made.
void refuse_settings_update(Draft& draft, const parse::Statement& statement);

}  // namespace pgveil::analysis
