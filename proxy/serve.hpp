#pragma once

#include "proxy/start.hpp"

#include <string>

namespace pgveil::proxy {

/// `pgveil serve`: runs until TERM (drains: sessions end when they are outside a transaction), INT
/// (at once), or a second signal (at once). HUP reloads settings, policy, users and certificates;
/// a reload that fails keeps the old ones and says why in the log. Returns the exit code.
int serve(const std::string& settings_file);

}  // namespace pgveil::proxy
