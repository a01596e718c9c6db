#pragma once

#include "config/policy.hpp"
#include "keyshare/share/keyring.hpp"
#include "proxy/migration/filling.hpp"
#include "proxy/migration/maintenance_user.hpp"

#include <functional>
#include <string>
#include <vector>

// `pgveil rotate-data`: the values of a key group come under its next data key, while applications
// use them.
namespace pgveil::rotation {

struct Request {
    std::string group = "default";
    std::vector<std::string> tables;  ///< schema.table; empty: all
    std::string proxy;                ///< URL of pgveil
    std::string direct;               ///< URL of PostgreSQL itself
    std::string report;               ///< file for the tenant; empty: none
    migration::UserFiles user;
    migration::Pace pace{100, 0};
    /// How long a proxy believes what it was told of a table: limits.catalog_ttl_ms.
    std::int64_t catalog_ttl_ms = 0;
    bool check = false;  ///< only say what is left
    bool plan = false;   ///< only say what would become of searchable columns
};

/// Reads what the home database has of the keyring.
using Mirror = std::function<migration::Result<std::vector<share::MirrorRow>>()>;

/// Goes on from wherever the last run ended. The mirror is believed only where the proxy signed it
/// whose identity is pinned in the user's key, and read again for 5 s while it has no next key: the
/// proxy writes it after it has answered the tenant. Standard error has what happens. The exit code
/// of the program: 0 when nothing is left under a former key.
int run(const config::Policy& policy, const Mirror& mirror, const Request& request);

}  // namespace pgveil::rotation
