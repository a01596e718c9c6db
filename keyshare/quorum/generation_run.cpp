#include "keyshare/quorum/generation_run.hpp"

#include "keyshare/core/invariant.hpp"
#include "keyshare/core/lp.hpp"
#include "keyshare/quorum/dealing.hpp"
#include "keyshare/quorum/pledge.hpp"
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

constexpr std::string_view kGenerationRun = "pgveil/1 dkg run";

}  // namespace

GenerationRun::GenerationRun(DkgSetup setup) : setup_(std::move(setup)) {
    messages_.fill(Messages(setup_.members.size()));
}

Result<GenerationRun> GenerationRun::start(DkgSetup setup, const MemberKey& key) {
    auto opened = open_run(setup, key);
    if (!opened.has_value()) {
        return opened.error();
    }
    GenerationRun out(std::move(setup));
    out.own_ = index_of(out.setup_.members, key.point());
    out.messages(Round::kPledge)[out.own_ - 1] = std::move(opened->pledge);
    out.messages(Round::kDealing)[out.own_ - 1] = std::move(opened->dealing);
    return out;
}

std::size_t GenerationRun::place_of(Round round) {
    core::invariant(round != Round::kDone, "no message is sent when all is done");
    return static_cast<std::size_t>(round) - 1;
}

std::size_t GenerationRun::size_in(Round round) const {
    const std::array<std::size_t, 3> sizes{
        kPledgeSize, plain_dealing_size(setup_.threshold, setup_.members.size()), kSchnorrSize};
    return sizes.at(place_of(round));
}

ByteView GenerationRun::outgoing() const {
    return round_ == Round::kDone ? ByteView() : ByteView(messages(round_)[own_ - 1]);
}

Result<void> GenerationRun::receive(Round round, std::uint32_t index, ByteView message) {
    if (round < Round::kPledge || round > Round::kSignature || index == own_) {
        return Error{ErrorCode::kForeign, "no message of another member in this run", {}};
    }
    return keep_message(messages(round), index, message, size_in(round));
}

std::vector<std::uint32_t> GenerationRun::awaited() const {
    return round_ == Round::kDone ? std::vector<std::uint32_t>() : missing_of(messages(round_));
}

Result<bool> GenerationRun::advance(const MemberKey& key) {
    if (round_ == Round::kDone || !awaited().empty()) {
        return false;
    }
    if (round_ == Round::kPledge) {
        if (const auto checked = check_pledges(setup_, messages(Round::kPledge));
            !checked.has_value()) {
            return checked.error();
        }
        round_ = Round::kDealing;
    } else if (round_ == Round::kDealing) {
        auto accepted =
            accept_dealings(setup_, key, messages(Round::kPledge), messages(Round::kDealing));
        if (!accepted.has_value()) {
            return accepted.error();
        }
        transcript_ = std::move(accepted->transcript);
        messages(Round::kSignature)[own_ - 1] = core::to_bytes(accepted->signature);
        round_ = Round::kSignature;
    } else {
        const auto certified = certify(transcript_, messages(Round::kSignature));
        if (!certified.has_value()) {
            drop_messages(messages(Round::kSignature), certified.error().participants);
            return certified.error();
        }
        round_ = Round::kDone;
    }
    return true;
}

Certificate GenerationRun::certificate() const {
    core::invariant(round_ == Round::kDone, "a certificate has all signatures");
    auto out = certify(transcript_, messages(Round::kSignature));
    core::invariant(out.has_value(), "what was certified once is again");
    return *std::move(out);
}

Result<KeyShare> GenerationRun::share(const MemberKey& key) const {
    return recover(key, certificate(), sealed_shares());
}

Bytes GenerationRun::sealed_shares() const {
    auto out = sealed_shares_of(setup_, messages(Round::kDealing), own_);
    core::invariant(out.has_value(), "accepted dealings have a share for each member");
    return *std::move(out);
}

Bytes serialize(const GenerationRun& run) {
    return core::length_prefixed(
        {as_bytes(kGenerationRun),
         core::big_endian32(static_cast<std::uint32_t>(run.round_)),
         core::big_endian32(run.own_),
         run.setup_.session,
         core::big_endian32(run.setup_.threshold),
         joined_points(run.setup_.members),
         run.setup_.extension,
         joined_messages(run.messages(Round::kPledge)),
         joined_messages(run.messages(Round::kDealing)),
         joined_messages(run.messages(Round::kSignature)),
         run.transcript_}
    );
}

Result<GenerationRun> parse_generation_run(ByteView bytes) {
    const Error malformed{ErrorCode::kMalformed, "not the state of a key generation", {}};
    const auto split = core::split_length_prefixed(bytes, 11);
    if (!split.has_value() || !std::ranges::equal((*split)[0], as_bytes(kGenerationRun)) ||
        (*split)[1].size() != kWordSize || (*split)[2].size() != kWordSize ||
        (*split)[4].size() != kWordSize) {
        return malformed;
    }
    const auto& parts = *split;
    auto members = split_points(parts[5]);
    if (!members.has_value()) {
        return malformed;
    }
    GenerationRun out(
        {core::to_bytes(parts[3]),
         core::read_big_endian32(parts[4]),
         *std::move(members),
         core::to_bytes(parts[6])}
    );
    out.round_ = Round{core::read_big_endian32(parts[1])};
    out.own_ = core::read_big_endian32(parts[2]);
    out.transcript_ = core::to_bytes(parts[10]);
    const bool is_whole = split_messages(parts[7], out.messages(Round::kPledge)) &&
                          split_messages(parts[8], out.messages(Round::kDealing)) &&
                          split_messages(parts[9], out.messages(Round::kSignature));
    if (!is_whole || !check_setup(out.setup_).has_value() || out.round_ < Round::kPledge ||
        out.round_ > Round::kDone || out.own_ == 0 || out.own_ > out.setup_.members.size() ||
        out.transcript_.empty() == (out.round_ >= Round::kSignature)) {
        return malformed;
    }
    return out;
}

}  // namespace pgveil::quorum
