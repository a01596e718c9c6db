#pragma once

#include "config/settings.hpp"
#include "proxy/mirror/database.hpp"

#include <cstdint>
#include <optional>
#include <string>

// The version of the share store as the home database remembers it, so that a store that was
// replaced by an older copy is noticed (CRYPTO.md section 5). That catches accidents, not an
// attacker, who can change the note as well.
namespace pgveil::mirror {

struct VersionNote {
    std::uint64_t store_version = 0;
    std::uint64_t last_sequence = 0;  ///< of the tenant's commands that were carried out

    bool operator==(const VersionNote&) const = default;
};

/// `identity`: the fingerprint of the proxy's identity key, as text. Nothing: no such note yet.
Result<std::optional<VersionNote>> read_note(
    const config::Settings& settings, const std::string& identity
);

Result<void> write_note(
    const config::Settings& settings, const std::string& identity, const VersionNote& note
);

Result<void> forget_note(const config::Settings& settings, const std::string& identity);

}  // namespace pgveil::mirror
