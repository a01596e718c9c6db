#pragma once

#include "sql/parse/tokens.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgveil::parse {

/// What an operator is made of (PostgreSQL chapter 4.1.3).
inline constexpr std::string_view kOperatorCharacters = "~!@#^&|`?+-*/%<>=";

/// The lexer behind Tokens: PostgreSQL's rules for where tokens begin and end.
std::vector<Token> scan(std::string_view text, bool standard_conforming_strings);

/// The text has more than `most` tokens. Stores nothing.
bool has_more_tokens(std::string_view text, bool standard_conforming_strings, std::size_t most);

/// The text with blanks for the comments inside of constants: between the parts of a continued one,
/// and before UESCAPE and its character. They are white space for PostgreSQL, but not for
/// libpg_query. Of the same size, read with standard_conforming_strings; nullopt if there are none.
std::optional<std::string> without_comments_in_constants(std::string_view text);

}  // namespace pgveil::parse
