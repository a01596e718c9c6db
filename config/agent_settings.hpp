#pragma once

#include "config/error.hpp"
#include "config/settings.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace pgveil::config {

/// Whose shares the sessions of one database role get. Paths are absolute.
struct AgentUserSettings {
    std::string key;
    std::string app_share;                 // empty: from the share table
    std::string passphrase_file;           // empty: asked for at the start, where the key needs one
    bool read_only = false;                // the tokens are for reading
    std::vector<std::string> tables = {};  // and for these protected tables; empty: for all
};

/// agent.json after load. A plain value; every path in it is absolute.
struct AgentSettings {
    std::string file;                // where they stand
    std::string host = "127.0.0.1";  // empty: no TCP
    std::uint16_t port = 6544;
    std::string unix_directory;  // empty: no Unix socket
    std::uint32_t unix_permissions = 0700;
    std::string upstream_host;  // name, address, or directory of a Unix socket
    std::uint16_t upstream_port = 6543;
    std::string upstream_ca;  // empty for a Unix socket only
    std::uint32_t connect_timeout_ms = 5000;
    std::uint32_t token_valid_s = 60;
    bool token_challenges = false;  // each token answers a challenge of its session
    bool token_channel = false;     // each is good on the agent's own TLS connection only
    std::uint32_t sessions = 100;
    std::string share_table;                                      // empty: none is kept
    std::map<std::string, AgentUserSettings, std::less<>> users;  // by role; "*": all others
    LogSettings log;

    /// Bytes of locked memory for so many sessions.
    std::size_t arena_size() const;
};

/// Reads settings of pgveil-agent (JSON with comments), as parse_settings does those of pgveil.
/// Shares never leave in the clear: an upstream on the network needs "ca".
Result<AgentSettings> parse_agent_settings(std::string_view file, std::string_view text);

/// parse_agent_settings on the content of a file.
Result<AgentSettings> load_agent_settings(const std::string& path);

}  // namespace pgveil::config
