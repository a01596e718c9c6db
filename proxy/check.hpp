#pragma once

#include <string>
#include <vector>

namespace pgveil::proxy {

struct CheckRequest {
    /// Look into these databases only; empty: into those of the policy, or all.
    std::vector<std::string> databases;
    /// Write the shapes of the protected tables into the pins file instead of comparing with it.
    bool pin = false;
};

/// `pgveil check`: compares the policy, and the pins beside it, with the databases they are for,
/// over the proxy's own connection (section "home" of the settings, the upstream server), and
/// prints one line per difference. Without named databases it looks into those of the policy, else
/// into every database of the server; then a table counts as missing when none of them has it.
/// Returns 0 clean, kExitFailed if there are differences, kExitConfiguration if something could
/// not be read; nothing is pinned then.
int check(const std::string& settings_file, const CheckRequest& request);

}  // namespace pgveil::proxy
