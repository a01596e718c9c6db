#pragma once

#include "keyshare/share/keyring.hpp"
#include "proxy/migration/maintenance_user.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace pgveil::rotation {

/// Key ids of one group.
struct GroupKeys {
    std::uint32_t next = 0;             ///< 0: there is none
    std::vector<std::uint32_t> former;  ///< all others
};

/// From what the home database has of the keyring: refused where the proxy did not sign it whose
/// identity is pinned in the user's key.
migration::Result<GroupKeys> group_keys(
    const std::vector<share::MirrorRow>& mirror,
    const migration::MaintenanceUser& user,
    const std::string& group
);

}  // namespace pgveil::rotation
