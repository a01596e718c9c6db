#pragma once

#include "keyshare/share/key_kinds.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pgveil::share {

/// Whose share a commitment is of, and when it was given out.
struct SharePlace {
    std::string_view tenant;
    std::string_view user_id;
    std::string_view group;
    std::uint32_t epoch;  ///< share epoch
};

/// HKDF(share, LP("pgveil/1 share commitment", tenant, uid, group, epoch, role)), role "user" or
/// "app". Public: it lets P say which share is wrong, and says nothing about a share of 32 random
/// bytes.
Digest commitment_of(const UserPart& part, const SharePlace& place);
Digest commitment_of(const AppPart& part, const SharePlace& place);

/// The tenant's word on which shares of one group are in force. Epochs are kept per role, because
/// TKu outlives a renewal of the other two.
struct GroupCommitment {
    std::string group;
    std::uint32_t user_epoch = 0;
    Digest user{};
    std::uint32_t app_epoch = 0;
    Digest app{};

    bool operator==(const GroupCommitment&) const = default;
};

}  // namespace pgveil::share
