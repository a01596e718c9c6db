#include "keyshare/quorum/reshare_run.hpp"

#include "keyshare/core/invariant.hpp"
#include "keyshare/core/lp.hpp"
#include "keyshare/quorum/points.hpp"
#include "keyshare/quorum/run_messages.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace pgveil::quorum {
namespace {

using core::as_bytes;
using core::Bytes;
using core::ByteView;

constexpr std::string_view kReshareRun = "pgveil/1 reshare run";

Error malformed_run() {
    return {ErrorCode::kMalformed, "not the state of a reshare", {}};
}

}  // namespace

ReshareRun::ReshareRun(ReshareSetup setup)
    : setup_(std::move(setup)), signatures_(setup_.members.size()) {}

Result<ReshareRun> ReshareRun::start(ReshareSetup setup, const MemberKey& key) {
    if (const auto checked = check_setup(setup); !checked.has_value()) {
        return checked.error();
    }
    const std::uint32_t own = index_of(setup.members, key.point());
    if (own == 0) {
        return Error{ErrorCode::kForeign, "this key is none of the new members' keys", {}};
    }
    ReshareRun out(std::move(setup));
    out.own_ = own;
    return out;
}

Result<void> ReshareRun::accept(const MemberKey& key, std::span<const Bytes> dealings) {
    auto accepted = accept_again(setup_, key, dealings);
    if (!accepted.has_value()) {
        return accepted.error();
    }
    if (has_accepted()) {
        if (accepted->transcript != transcript_) {
            return Error{
                ErrorCode::kCheating,
                "other dealings than those that this member has signed already",
                {}};
        }
        return {};
    }
    dealings_.assign(dealings.begin(), dealings.end());
    transcript_ = std::move(accepted->transcript);
    signatures_[own_ - 1] = core::to_bytes(accepted->signature);
    return {};
}

ByteView ReshareRun::signature() const {
    return signatures_[own_ - 1];
}

Result<void> ReshareRun::receive(std::uint32_t index, ByteView signature) {
    if (index == own_ || done_) {
        return Error{ErrorCode::kForeign, "no message of another member in this run", {}};
    }
    return keep_message(signatures_, index, signature, kSchnorrSize);
}

std::vector<std::uint32_t> ReshareRun::awaited() const {
    return missing_of(signatures_);
}

Result<bool> ReshareRun::finish() {
    if (done_ || !awaited().empty()) {
        return false;
    }
    const auto certified = certify_again(transcript_, signatures_);
    if (!certified.has_value()) {
        drop_messages(signatures_, certified.error().participants);
        return certified.error();
    }
    done_ = true;
    return true;
}

ReshareCertificate ReshareRun::certificate() const {
    core::invariant(done_, "a certificate has all signatures");
    auto out = certify_again(transcript_, signatures_);
    core::invariant(out.has_value(), "what was certified once is again");
    return *std::move(out);
}

Group ReshareRun::group() const {
    auto out = next_group(setup_.from, certificate());
    core::invariant(out.has_value(), "an accepted transcript follows its group");
    return *std::move(out);
}

Result<KeyShare> ReshareRun::share(const MemberKey& key) const {
    core::invariant(done_, "a share is used when all have signed");
    auto accepted = accept_again(setup_, key, dealings_);
    if (!accepted.has_value()) {
        return accepted.error();
    }
    return std::move(accepted->share);
}

Bytes serialize(const ReshareRun& run) {
    return core::length_prefixed(
        {as_bytes(kReshareRun),
         core::big_endian32(run.own_),
         core::big_endian32(run.done_ ? 1 : 0),
         run.setup_.session,
         serialize(run.setup_.from),
         core::big_endian32(run.setup_.threshold),
         joined_points(run.setup_.members),
         joined_messages(run.dealings_),
         joined_messages(run.signatures_),
         run.transcript_}
    );
}

Result<ReshareRun> parse_reshare_run(ByteView bytes) {
    const auto split = core::split_length_prefixed(bytes, 10);
    if (!split.has_value() || !std::ranges::equal((*split)[0], as_bytes(kReshareRun)) ||
        (*split)[1].size() != kWordSize || (*split)[2].size() != kWordSize ||
        (*split)[5].size() != kWordSize) {
        return malformed_run();
    }
    const auto& parts = *split;
    auto from = parse_group(parts[4]);
    auto members = split_points(parts[6]);
    const auto dealings = core::split_length_prefixed_up_to(parts[7], kMembersMax);
    if (!from.has_value() || !members.has_value() || !dealings.has_value()) {
        return malformed_run();
    }
    ReshareRun out(
        {core::to_bytes(parts[3]),
         *std::move(from),
         core::read_big_endian32(parts[5]),
         *std::move(members)}
    );
    out.own_ = core::read_big_endian32(parts[1]);
    const std::uint32_t done = core::read_big_endian32(parts[2]);
    out.done_ = done == 1;
    std::ranges::transform(*dealings, std::back_inserter(out.dealings_), core::to_bytes);
    out.transcript_ = core::to_bytes(parts[9]);
    if (!split_messages(parts[8], out.signatures_) || !check_setup(out.setup_).has_value() ||
        done > 1 || out.own_ == 0 || out.own_ > out.setup_.members.size() ||
        out.transcript_.empty() == out.has_accepted() ||
        out.signature().empty() == out.has_accepted() || (out.done_ && !out.awaited().empty())) {
        return malformed_run();
    }
    return out;
}

}  // namespace pgveil::quorum
