#pragma once

#include "sql/analysis/draft.hpp"

#include <cstdint>
#include <string_view>

// Functions that somebody made in the database over a protected table.
namespace pgveil::analysis {

/// What the policy says that the call returns; null: nothing protected, or it may not be called.
const config::FunctionPolicy* function_entry(Text& text, const parse::Call& call);

/// The encrypted values that `function` returns are not possible `where`.
Rejection stored_function_refusal(
    const config::FunctionPolicy& function, std::string_view where, std::uint32_t begin
);

}  // namespace pgveil::analysis
