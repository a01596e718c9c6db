#pragma once

#include "keyshare/custody/asker_settings.hpp"
#include "keyshare/custody/coordination.hpp"
#include "keyshare/custody/run_state.hpp"
#include "keyshare/quorum/group.hpp"

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace pgveil::custody {

/// A custodian in a run, as far as the coordinator knows.
struct Seat {
    Custodian custodian;
    std::uint32_t index = 0;  ///< in the group to be; 0: a member of the former one only
    bool has_begun = false;
    bool is_done = false;
    std::string trouble = {};
    std::vector<RunMessage> sent = {};
    std::set<RunMessage> has = {};  ///< messages of others that it took
};

/// The members in the plan's order; then, where it starts from a group, members of that one only.
Result<std::vector<Seat>> seats_of(const AskerSettings& settings, const RunPlan& plan);

/// The custodian's name, place, and what it said or why it said nothing.
std::string said_by(const Seat& seat, const HttpsReply& reply);

/// No answer, or one that may be another one later.
bool may_pass(const HttpsReply& reply);

/// The member key that the custodian of this seat has said for this session; kCheating otherwise.
Result<core::PublicPoint> member_key_in(
    const std::string& statement, const std::string& session, const Seat& seat
);

/// The group in a custodian's description, if its certificate was signed by just these members.
std::optional<quorum::Group> group_made(
    const RunPlan& plan, const std::vector<core::PublicPoint>& member_keys, const std::string& body
);

}  // namespace pgveil::custody
