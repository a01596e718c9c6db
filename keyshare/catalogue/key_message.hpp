#pragma once

#include "keyshare/attest/error.hpp"
#include "keyshare/core/point_seal.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace pgveil::catalogue {

/// What is encrypted to a key at once: another key, a passphrase, a short file.
inline constexpr std::size_t kMessageContentMax = std::size_t{16} << 10U;

/// Something encrypted to a key whose use is encryption: core::seal_to_point() with this title.
using KeyMessage = core::PointSealed;
inline constexpr std::string_view kMessagePurpose = "pgveil/1 key message";

/// Lines: title, key, point, sealed.
std::string to_text(const KeyMessage& message);
/// Strict: exactly what to_text() writes.
attest::Result<KeyMessage> parse_message(std::string_view text);

}  // namespace pgveil::catalogue
