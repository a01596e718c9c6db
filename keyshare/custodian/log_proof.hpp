#pragma once

#include "keyshare/custodian/log_head.hpp"
#include "keyshare/share/chain_walk.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgveil::custodian {

/// Looks through the files of a custodian's log, oldest first. No I/O. Drive it: expect() heads
/// that were kept, take() each file until finding() is set, then finish().
///
/// Promises to find any change of what an expected head covers. Lines behind the newest such head
/// are chained only: whoever may write the file can cut them off, or write them anew.
class LogProof {
public:
    explicit LogProof(const std::string& custodian);

    void expect(LogHead head) { heads_.push_back(std::move(head)); }

    void take(const std::string& file, std::string_view content);
    void finish();

    const std::optional<share::ChainFinding>& finding() const { return walk_.finding(); }

    /// Numbers of the first and the last line; 0: none.
    std::uint64_t first() const { return walk_.first(); }

    const share::ChainLink& last() const { return walk_.last(); }

    /// The last line that an expected head covers; 0: none.
    std::uint64_t proven_up_to() const { return proven_; }

    /// At the end of the last file: a line that is being written, or was cut short by a kill.
    std::size_t torn_bytes() const { return torn_; }

private:
    bool fits_heads(const share::ChainPlace& place, const share::ChainedLine& line);

    share::ChainWalk walk_;
    std::vector<LogHead> heads_;
    std::uint64_t proven_ = 0;
    std::size_t torn_ = 0;
};

}  // namespace pgveil::custodian
