#pragma once

#include "keyshare/core/secret.hpp"
#include "sql/types/error.hpp"

#include <cstdint>
#include <string_view>

// The length limits of varchar(n) and char(n); `typmod` is n + 4, or -1 for none. `text` is valid
// UTF-8. Lengths count characters. PostgreSQL documentation section 8.3.
namespace pgveil::types {

/// Assignment: drops excess characters if they are all blanks, else 22001.
Result<core::SecretBytes> assign_to_varchar(std::int32_t typmod, std::string_view text);

/// Explicit cast: keeps the first n characters.
core::SecretBytes truncate_to_varchar(std::int32_t typmod, std::string_view text);

/// As assign_to_varchar, then blanks up to n characters.
Result<core::SecretBytes> assign_to_bpchar(std::int32_t typmod, std::string_view text);

/// Explicit cast: the first n characters, blanks up to n.
core::SecretBytes truncate_to_bpchar(std::int32_t typmod, std::string_view text);

/// Without the blanks at the end, which do not count in a char(n).
std::string_view without_trailing_blanks(std::string_view text);

}  // namespace pgveil::types
