#pragma once

#include "keyshare/custodian/access_log.hpp"
#include "keyshare/custodian/custodian_store.hpp"

#include <cstdint>
#include <string>

namespace pgveil::custodian {

/// Whether store and log of a custodian are of the same age. Every line of the log has the store's
/// version, and every change of the store the log's last line: so whichever of the two was put back
/// from a copy is older than the other one knows. Both put back together look whole: that shows
/// only to somebody who has seen newer ones (an asker with a later epoch, a kept head of the log).
/// Give it the log's lines as they are read.
class StoreAge {
public:
    explicit StoreAge(const CustodianStore& store);

    void see(const LogEntry& entry);

    /// Empty, or why the store is an older copy: then its shares and keys are not to be used.
    std::string older_store() const;
    /// Empty, or why lines are missing at the log's end, or were written anew.
    std::string older_log(const share::ChainLink& last) const;

private:
    std::uint64_t version_;  ///< of the store
    share::ChainLink noted_;
    std::uint64_t seen_ = 0;     ///< the highest version in the log
    std::uint64_t seen_at_ = 0;  ///< the line with it
    bool is_rewritten_ = false;  ///< the noted line has another hash
};

}  // namespace pgveil::custodian
