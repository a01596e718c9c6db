#pragma once

#include "sql/analysis/draft.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// For texts and commands without a model: what their words may name.
namespace pgveil::analysis {

/// What is looked at besides identifiers.
struct NameSearch {
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
    /// Judge the words inside string literals, too (DO, CREATE FUNCTION, unreadable text).
    bool inside_strings = false;
};

/// Judges every identifier in the range that could name a relation. The first protected one gives
/// `construct` refused; names not yet looked up go to relations.missing(). nullopt: nothing
/// protected is concerned (or names are missing).
std::optional<Rejection> concerned_by_words(
    Text& text, const NameSearch& search, std::string_view construct
);

/// Where the first identifier stands that satisfies `is_wanted`; nullopt if none does.
using NamePredicate = bool (*)(const std::string&);
std::optional<std::uint32_t> called_by_name(
    Text& text, const NameSearch& search, NamePredicate is_wanted
);

/// The first function name in the range that runs SQL given as a string: runs_sql(), called.
std::optional<std::string> sql_runner_named(
    const parse::Tokens& tokens, std::uint32_t begin, std::uint32_t end
);

/// True if an identifier in the range names schema pgveil or one of its parameters. Behind TO or
/// FROM of GRANT and REVOKE stand roles, and a role may have that name.
bool names_veil(const parse::Tokens& tokens, std::uint32_t begin, std::uint32_t end);

}  // namespace pgveil::analysis
