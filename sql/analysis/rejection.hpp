#pragma once

#include "sql/analysis/plan.hpp"
#include "sql/analysis/rules.hpp"
#include "sql/types/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>

// How refusals are worded: what happened, to which column or relation, and what to do next.
namespace pgveil::analysis {

/// What to do when a value would leave encrypted and unencrypted at once.
inline constexpr std::string_view kRepeatedHint =
    "keep the value out of the unprotected place, or allow it: \"repeated_values\": \"count\" in "
    "the "
    "policy";

/// Position of the AST as a Rejection has it.
std::int32_t position_of(std::uint32_t offset);

/// `construct` is not possible on the encrypted column.
Rejection refusal_of_column(
    const field::ProtectedColumn& column,
    std::string_view construct,
    std::string_view hint,
    std::uint32_t begin
);

/// `construct` is not possible with something other than a column.
Rejection refusal_of(
    std::string_view subject, std::string_view construct, std::string_view hint, std::uint32_t begin
);

/// Column or relation and policy disagree.
Rejection disagreement(std::string_view subject, std::string_view what, std::uint32_t begin);

/// PostgreSQL's own error.
Rejection postgres_error(std::string sqlstate, std::string message, std::uint32_t begin);

Rejection limit_error(std::string sqlstate, std::string message, std::string hint);

/// The error of reading or converting a constant meant for `column`.
Rejection constant_error(
    const types::Error& error, const field::ProtectedColumn& column, std::uint32_t begin
);

}  // namespace pgveil::analysis
