#pragma once

#include "keyshare/share/audit_head.hpp"
#include "keyshare/share/chain_walk.hpp"
#include "proxy/audit/line.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgveil::audit {

using Wrong = share::ChainFault;
using Finding = share::ChainFinding;
using share::name_of;

struct Trusted {
    std::string tenant;
    share::Digest identity{};              ///< fingerprint of the proxy's identity key
    std::optional<std::string> last_head;  ///< the JWS of a head that must be in the log
};

/// What the files prove.
struct Proof {
    std::uint64_t first = 0;         ///< number of the first line; not 1: older files are missing
    std::uint64_t last = 0;          ///< of the last line
    std::uint64_t signed_up_to = 0;  ///< the last line that a head covers; 0: none
    std::string last_head;           ///< its JWS
    std::uint64_t torn_bytes = 0;    ///< at the end of the last file: a line being written
};

/// Looks through the files of a log, oldest first. No I/O. Drive it: take() each file until
/// finding() is set, then finish().
///
/// Promises to find any change of what a signed head covers, by whoever has not the identity key.
/// Lines behind the last head are chained only: whoever may write the file can cut them off, or
/// write them anew.
class Verification {
public:
    explicit Verification(Trusted trusted);

    void take(std::string_view file, std::string_view content);
    void finish();

    const std::optional<Finding>& finding() const { return walk_.finding(); }

    const Proof& proof() const { return proof_; }

private:
    using Place = share::ChainPlace;

    void check(const Place& place);
    bool check_opening(const Place& place, const Line& line);
    void check_head(const Place& place, const Line& line);
    bool check_expected(const Place& place, const Line& line);
    void check_age(const Place& place, const Line& line);

    Trusted trusted_;
    share::ChainWalk walk_;
    std::optional<share::AuditHead> expected_;
    std::optional<core::VerifyingKey> key_;
    std::int64_t unsigned_since_ms_ = 0;
    Proof proof_;
};

}  // namespace pgveil::audit
