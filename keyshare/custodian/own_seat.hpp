#pragma once

#include "config/custodian_settings.hpp"
#include "keyshare/custodian/access_log.hpp"
#include "keyshare/custodian/custodian_store.hpp"
#include "keyshare/quorum/exchange.hpp"
#include "keyshare/user/error.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace pgveil::custodian {

/// The share of a person who is a member of groups: a custodian that does not serve at the moment,
/// asked on its own machine. Its rules and its log are those it has behind HTTPS. One thread.
class OwnSeat {
public:
    /// kUsage for settings or a store that cannot be used; while the custodian serves, the store is
    /// in use.
    static user::Result<OwnSeat> open(const std::string& settings_file);

    /// Its number in this group at this epoch. kUsage where it holds no such share.
    user::Result<std::uint32_t> index_in(const quorum::Group& group) const;

    /// The answer to a request of this group, sealed to the asker, or why there is none.
    user::Result<core::Bytes> answer(const quorum::PartialRequest& request);

private:
    OwnSeat(config::CustodianSettings settings, CustodianStore store, AccessLog log);

    config::CustodianSettings settings_;
    std::unique_ptr<CustodianStore> store_;
    std::unique_ptr<AccessLog> log_;
    std::vector<LogEntry> recent_;
};

}  // namespace pgveil::custodian
