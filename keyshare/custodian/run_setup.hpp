#pragma once

#include "keyshare/core/p256.hpp"
#include "keyshare/custodian/group_policy.hpp"
#include "keyshare/custodian/refusal.hpp"
#include "keyshare/quorum/group.hpp"
#include "keyshare/share/json_fields.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pgveil::custodian {

/// A custodian whose statements count.
struct Peer {
    std::string name;
    core::VerifyingKey identity;
};

inline constexpr const char* kGenerate = "generate";
inline constexpr const char* kReshare = "reshare";

/// What a coordinator proposes: the body of POST /v1/runs.
struct RunSetup {
    std::string session;
    std::string kind;
    std::uint32_t threshold = 0;
    std::vector<std::string> statements;
    std::vector<std::string> names;  ///< of the members, as their statements say
    std::vector<core::PublicPoint> members;
    GroupPolicy policy;
    // ---- of a reshare ----
    std::string group;                   ///< id of the group that it starts from
    std::uint32_t epoch = 0;             ///< of that group
    std::optional<quorum::Group> from;   ///< that group, as the coordinator says
    std::vector<std::uint32_t> dealers;  ///< ascending; empty: all members of that group

    /// One text of all of it.
    std::string text() const;
};

/// Every statement is checked against `custodians`. 400 for what fits no setup, 409 when a
/// statement is of nobody known here.
Result<RunSetup> read_setup(const share::Json& body, const std::vector<Peer>& custodians);

/// What members of a run agree on beside its keys: the policy, and who they are.
core::Bytes agreement_of(const std::string& policy, const std::vector<std::string>& names);

}  // namespace pgveil::custodian
