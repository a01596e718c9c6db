#pragma once

#include "sql/analysis/draft.hpp"

// Statements that run others by name: PREPARE and EXECUTE, FETCH.
namespace pgveil::analysis {

/// The types that PREPARE lists are what its parameters are declared as. Call it before the
/// statement inside is decided.
void declare_parameters(Draft& draft, const parse::Prepare& prepare);

/// Writes the list anew where parameters are protected: those are bytea, what was not listed is
/// `unknown`, so that the server infers it as before. `begin`: of the statement in the text.
void rewrite_parameter_types(Draft& draft, const parse::Prepare& prepare, std::uint32_t begin);

/// Seals the arguments that the prepared statement takes as values of protected columns. Refuses
/// what is no constant there, what may not be run by SQL, and names that nothing stands for: their
/// arguments are nobody's business.
void execute_prepared(Draft& draft, const parse::Execute& execute);

/// FETCH and MOVE: the rows are those of the portal, as far as a plan for it is known.
void fetch_from_portal(Draft& draft, const parse::Fetch& fetch);

}  // namespace pgveil::analysis
