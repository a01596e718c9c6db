#pragma once

#include "keyshare/core/secret.hpp"
#include "sql/types/error.hpp"

#include <cstdint>
#include <string_view>

// The length limit of varchar(n); `typmod` is n + 4, or -1 for none. `text` is valid UTF-8.
namespace pgveil::types {

/// Assignment: drops excess characters if they are all blanks, else 22001.
Result<core::SecretBytes> assign_to_varchar(std::int32_t typmod, std::string_view text);

/// Explicit cast: keeps the first n characters.
core::SecretBytes truncate_to_varchar(std::int32_t typmod, std::string_view text);

}  // namespace pgveil::types
