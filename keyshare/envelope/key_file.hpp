#pragma once

#include "keyshare/core/p256.hpp"
#include "keyshare/user/error.hpp"

#include <string>
#include <string_view>

namespace pgveil::envelope {

using user::Result;

/// What everybody needs who protects a file, and all of it: the group's public key. It is public,
/// but whoever can exchange the file can read what is protected with it from then on: compare its
/// fingerprint.
std::string write_key_file(const core::PublicPoint& key);

/// Strict: one text per key.
Result<core::PublicPoint> parse_key_file(std::string_view text);

/// Such a file, or the group file that `pgveil-custodian group create` writes.
Result<core::PublicPoint> read_key_file(const std::string& path);

/// As people compare it: eight groups of eight hexadecimal digits.
std::string fingerprint_of(const core::PublicPoint& key);

}  // namespace pgveil::envelope
