#pragma once

#include "keyshare/core/p256.hpp"
#include "keyshare/share/error.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace pgveil::catalogue {

/// The newest version of each key's record that this tenant has seen, by label: what shows that
/// somebody put old rows of the dictionary back, or took some away.
struct SeenVersions {
    std::string tenant;
    std::map<std::string, std::uint64_t> versions;
};

/// A JWS of the tenant's, for a file in its home.
std::string sign_seen(const SeenVersions& seen, const core::SigningKey& tenant);
/// Strict; never throws on any text.
share::Result<SeenVersions> verify_seen(
    std::string_view jws, const core::VerifyingKey& key, std::string_view tenant
);

/// kOutOfOrder if a newer version was seen before; otherwise remembers this one.
share::Result<void> note_version(
    SeenVersions& seen, const std::string& label, std::uint64_t version
);

}  // namespace pgveil::catalogue
