#pragma once

#include "keyshare/share/tenant.hpp"

#include <string>
#include <string_view>

// Steps that the tenant's commands share.
namespace pgveil::share {

/// nullptr if it is none of the tenant's.
const GroupKey* find_group(const Enrolment& enrolment, std::string_view group);

/// A command at the next place in the chain.
Command next_command(const Enrolment& enrolment, Operation operation, std::string_view user_id);

std::string sign_and_advance(
    Enrolment& enrolment, const TenantIdentity& identity, const Command& command
);

GroupCommitment commit_group(
    const Enrolment& enrolment, const UserShares& shares, const UserShares::GroupTriple& one
);

}  // namespace pgveil::share
