#pragma once

#include "sql/parse/tokens.hpp"

#include <string_view>
#include <vector>

namespace pgveil::parse {

/// The lexer behind Tokens: PostgreSQL's rules for where tokens begin and end.
std::vector<Token> scan(std::string_view text, bool standard_conforming_strings);

/// The text has more than `most` tokens. Stores nothing.
bool has_more_tokens(std::string_view text, bool standard_conforming_strings, std::size_t most);

}  // namespace pgveil::parse
