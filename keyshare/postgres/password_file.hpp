#pragma once

#include "keyshare/core/secret.hpp"

#include <optional>
#include <string>

namespace pgveil::postgres {

/// The first line of the file, at most 1,023 bytes, with the final NUL that libpq wants; the NUL
/// alone for an empty path. Nothing if the file cannot be read, or its first line is empty. Leaves
/// no other copy in this process.
std::optional<core::SecretBytes> read_password(const std::string& path);

}  // namespace pgveil::postgres
