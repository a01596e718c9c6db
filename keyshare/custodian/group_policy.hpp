#pragma once

#include "keyshare/custodian/evidence.hpp"
#include "keyshare/custodian/refusal.hpp"
#include "keyshare/share/json_fields.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgveil::custodian {

/// What one requester may ask of a group.
struct RequesterRule {
    std::vector<std::string> purposes;  ///< ascending, distinct
    std::uint32_t per_minute = 60;      ///< questions in any 60 seconds

    friend bool operator==(const RequesterRule&, const RequesterRule&) = default;
};

/// Who may ask the members of a group for partials, and what for. All members agreed on it when the
/// group was made: its digest is part of what they signed.
struct GroupPolicy {
    std::map<std::string, RequesterRule, std::less<>> requesters;  ///< by name in the certificate
    std::vector<std::string> administrators;  ///< ascending; empty: those of the settings
    bool needs_header = false;  ///< the header of a protected file comes with every question
    std::optional<EvidenceRule> evidence;  ///< what the asker's TPM shows with every question

    friend bool operator==(const GroupPolicy&, const GroupPolicy&) = default;
};

/// 400, naming the member that does not fit. Unknown members are refused.
Result<GroupPolicy> parse_policy(const share::Json& json);
/// The one form that is hashed, stored and shown.
share::Json policy_json(const GroupPolicy& policy);
std::string policy_text(const GroupPolicy& policy);

/// 403 when the policy knows no such requester, or not for this purpose.
Result<void> check_request(
    const GroupPolicy& policy, std::string_view requester, std::string_view purpose
);

}  // namespace pgveil::custodian
