#pragma once

#include <string>
#include <vector>

namespace pgveil::proxy {

/// `pgveil check`: compares the policy with the databases it is for, over the proxy's own
/// connection (section "home" of the settings, the upstream server), and prints one line per
/// difference. Looks into `databases` if any are named, else into those of the policy, else into
/// every database of the server; then a table counts as missing when none of them has it.
/// Returns 0 clean, kExitFailed if there are differences, kExitConfiguration if something could
/// not be read.
int check(const std::string& settings_file, const std::vector<std::string>& databases);

}  // namespace pgveil::proxy
