#pragma once

#include "sql/types/error.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

// What PostgreSQL's input functions ask of characters, in its own C locale reading: bytes above 127
// are neither letters, digits, blanks nor punctuation.
namespace pgveil::types {

bool is_space(char letter);
bool is_digit(char letter);
bool is_alpha(char letter);
bool is_alnum(char letter);
bool is_punctuation(char letter);
char to_lower(char letter);

bool is_all_digits(std::string_view text);
std::string_view trim_spaces(std::string_view text);
bool equals_ignoring_case(std::string_view text, std::string_view lower_case);

/// Decimal digits only; nullopt if empty, not digits, or above the type.
std::optional<std::int32_t> parse_int32(std::string_view digits);

/// Checks that `text` is UTF-8 as PostgreSQL demands it (no NUL, no surrogate, shortest form);
/// 22021 with PostgreSQL's text otherwise.
Result<void> check_utf8(std::string_view text);

/// Bytes that the character at the front of non-empty `text` takes, by its first byte; at most the
/// rest.
std::size_t character_size(std::string_view text);

/// Number of characters of valid UTF-8.
std::size_t count_characters(std::string_view text);

/// Bytes of the first `characters` characters of valid UTF-8.
std::size_t size_of_characters(std::string_view text, std::size_t characters);

}  // namespace pgveil::types
