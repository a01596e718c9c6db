#pragma once

#include "config/settings.hpp"
#include "keyshare/store/proxy_custody.hpp"
#include "proxy/audit/writer.hpp"

#include <memory>
#include <string>
#include <vector>

namespace pgveil::proxy {

/// The writer of the running proxy; null where the settings name no folder. `custody` lives longer.
audit::Result<std::unique_ptr<audit::Writer>> open_audit(
    const config::Settings& settings, const store::ProxyCustody& custody
);

enum class AuditVerb { kVerify, kShow, kExport };

struct AuditRequest {
    std::vector<std::string> files;  ///< oldest first; empty: those of the settings' folder
    std::string identity;            ///< fingerprint; empty: of the share store
    std::string head;                ///< a JWS, or a file with one; empty: none
    std::string since;
    std::string until;
    std::string user;
};

/// `pgveil audit verify | show | export`: 0, 1 if something is wrong with the log, 2 if it could
/// not be looked at.
int audit_log(const std::string& settings_file, AuditVerb verb, const AuditRequest& request);

}  // namespace pgveil::proxy
