#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/quorum/dkg.hpp"
#include "keyshare/quorum/error.hpp"
#include "keyshare/quorum/group.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace pgveil::quorum {

enum class Round : std::uint32_t { kPledge = 1, kDealing = 2, kSignature = 3, kDone = 4 };

/// One member's part in one key generation, as steps that can be interrupted anywhere.
///
///   start() or parse_generation_run()
///   until round() is kDone:
///     store serialize(run); only then send outgoing() to everybody, as often as needed
///     receive() what others sent; advance()
///
/// All of the state is public: whatever is secret follows from it and the member key, which must be
/// stored before. So a program that was killed goes on from the last state it stored: it sends the
/// same bytes again, and never two different ones in a round. There is a group only when every
/// member signed; a member that missed the last signatures gets them from anybody. A value; one
/// thread at a time.
class GenerationRun {
public:
    /// Errors as open_run(). Once per session: what was lost before it was stored was never sent.
    static Result<GenerationRun> start(DkgSetup setup, const MemberKey& key);

    Round round() const noexcept { return round_; }

    const DkgSetup& setup() const noexcept { return setup_; }

    /// This member's message of the present round; empty when done. A dealing is given away only
    /// when all pledges are here.
    core::ByteView outgoing() const;

    /// A message of member `index`; one that comes early is kept, one that comes again is nothing
    /// new. From whom it comes is the caller's to know: the first one is kept unread. kCheating
    /// names a member that sent two different ones, or one of a size that none has; kForeign is for
    /// a member or a round that is none.
    Result<void> receive(Round round, std::uint32_t index, core::ByteView message);

    /// The members whose message of this round is not here yet.
    std::vector<std::uint32_t> awaited() const;

    /// Goes on to the next round when all messages of this one are here and hold; false when some
    /// are awaited. kCheating names who cheated: the run is over then, and its key too, except in
    /// the last round, where a signature that does not fit is dropped and the right one may come.
    Result<bool> advance(const MemberKey& key);

    /// When done (invariant).
    Certificate certificate() const;
    /// The share, and what recover() needs, when done (invariant).
    Result<KeyShare> share(const MemberKey& key) const;
    core::Bytes sealed_shares() const;

private:
    friend core::Bytes serialize(const GenerationRun& run);
    friend Result<GenerationRun> parse_generation_run(core::ByteView bytes);

    explicit GenerationRun(DkgSetup setup);
    std::size_t size_in(Round round) const;

    std::vector<core::Bytes>& messages(Round round) { return messages_.at(place_of(round)); }

    const std::vector<core::Bytes>& messages(Round round) const {
        return messages_.at(place_of(round));
    }

    static std::size_t place_of(Round round);

    DkgSetup setup_;
    std::uint32_t own_ = 0;
    Round round_ = Round::kPledge;
    /// Of each round before kDone, a place for each member.
    std::array<std::vector<core::Bytes>, 3> messages_;
    core::Bytes transcript_;
};

core::Bytes serialize(const GenerationRun& run);
/// kMalformed for anything else. Form only: it is this program's own state.
Result<GenerationRun> parse_generation_run(core::ByteView bytes);

}  // namespace pgveil::quorum
