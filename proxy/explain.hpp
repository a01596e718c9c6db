#pragma once

#include "config/policy.hpp"
#include "config/settings.hpp"
#include "proxy/mirror/database.hpp"

#include <memory>
#include <optional>
#include <string>

namespace pgveil::proxy {

struct ExplainRequest {
    std::string sql;
    /// Empty: the one database of the policy, else the home database.
    std::string database;
};

/// `pgveil explain`: prints what would be done with a text (explain::explanation). Nothing of it is
/// sent: only the relations it names are looked up, over the proxy's own connection.
/// Returns 0 if all of it would be sent, kExitFailed if something is refused, kExitConfiguration if
/// settings, policy or database cannot be read.
int explain(const std::string& settings_file, const ExplainRequest& request);

struct Explanation {
    std::string text;         ///< lines, each with its line break
    bool is_allowed = false;  ///< all of it would be sent
};

/// The same for the running proxy, under its settings and policy. Blocks while it connects and
/// while the database answers. An error: settings or database do not allow it.
mirror::Result<Explanation> explain_running(
    const config::Settings& settings,
    const std::shared_ptr<const config::Policy>& policy,
    const ExplainRequest& request
);

struct LogRequest {
    std::string file;
    /// As above. Statements that the log ascribes to another database are left out.
    std::string database;
};

/// `pgveil check --log`: decides dry on every statement of a server's query log (explain::
/// read_query_log), as if the tables of the policy were encrypted already, and lists what would be
/// refused: how often, why, on which lines. Returns as explain() does.
int check_log(const std::string& settings_file, const LogRequest& request);

}  // namespace pgveil::proxy
