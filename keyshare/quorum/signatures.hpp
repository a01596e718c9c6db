#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/p256.hpp"
#include "keyshare/quorum/error.hpp"
#include "keyshare/quorum/schnorr.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace pgveil::quorum {

core::Bytes joined(std::span<const SchnorrSignature> signatures);
/// kMalformed unless it is exactly `count` of them.
Result<std::vector<SchnorrSignature>> split_signatures(core::ByteView bytes, std::size_t count);

/// One signature of each of `members` over `message`, in their order (empty: not here). kMissing or
/// kCheating names members.
Result<std::vector<SchnorrSignature>> check_signatures(
    const std::vector<core::PublicPoint>& members,
    core::ByteView message,
    std::span<const core::Bytes> signatures
);

/// What is wrong with whom, gathered over a whole round so that all are named at once.
class Faults {
public:
    void missing(std::uint32_t index) { missing_.push_back(index); }

    /// `what` follows "member 3: "; the first one of a member counts.
    void cheating(std::uint32_t index, const std::string& what) { cheating_.emplace(index, what); }

    bool none() const { return missing_.empty() && cheating_.empty(); }

    /// There is one (invariant). Cheating is told before missing. `what` names the kind of message.
    Error error(const std::string& what) const;

private:
    std::vector<std::uint32_t> missing_;
    std::map<std::uint32_t, std::string> cheating_;
};

}  // namespace pgveil::quorum
