#pragma once

#include "config/settings.hpp"
#include "keyshare/store/proxy_custody.hpp"
#include "proxy/mirror/database.hpp"

#include <string>

namespace pgveil::mirror {

/// Start-up: the home database answers, the server has no database named `pgveil` (that name is the
/// proxy's own, for bootstrap and console), and no pooler in transaction mode stands in between.
/// A pooler that treats other databases or roles otherwise than the home's is not noticed.
Result<void> check_home(const config::Settings& settings);

/// Makes pgveil.keyring in the home database what the custody says, and gives the custody the "0"
/// read from there: rows that are missing, older, foreign or altered are replaced. Afterwards
/// requests can be served. Call it at start-up and after the bootstrap is closed. Returns what was
/// wrong with the rows that stood there; empty if nothing was, or there were none.
Result<std::string> publish_keyring(const config::Settings& settings, store::ProxyCustody& custody);

}  // namespace pgveil::mirror
