#pragma once

#include "keyshare/core/secret.hpp"
#include "keyshare/share/error.hpp"
#include "keyshare/share/key_kinds.hpp"

#include <cstdint>
#include <string>

namespace pgveil::share {

/// What the application holds of one user.
struct AppShare {
    std::string tenant;
    std::string user_id;
    std::uint32_t epoch = 0;
    GroupParts<AppPart> groups;
};

/// Text form: `pgva1.` and base64url of the binary form (docs/FORMATS.md). Not encrypted: it is A's
/// secret.
core::SecretBytes serialize(const AppShare& share);
/// Strict and canonical; authentic only once checked against the share commitment.
Result<AppShare> parse_app_share(core::ByteView text);

}  // namespace pgveil::share
