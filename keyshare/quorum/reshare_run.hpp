#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/quorum/error.hpp"
#include "keyshare/quorum/group.hpp"
#include "keyshare/quorum/reshare.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace pgveil::quorum {

/// A new member's part in one refresh or reshare, as steps that can be interrupted anywhere; used
/// as GenerationRun. What old members do has no state: they deal (deal_again()), store what they
/// dealt, and keep share and key until they have the certificate.
///
///   start() or parse_reshare_run(); accept() the dealings; store; send signature();
///   receive() the others' signatures; finish()
///
/// A member that signed may not sign another run from the same group and epoch, or there could be
/// two groups of one epoch: one state per group and epoch is kept, and it is dropped only when the
/// certificate of this run, or of one that this member did not need to sign, is there.
class ReshareRun {
public:
    /// kForeign when the key is no new member's; else errors as check_setup().
    static Result<ReshareRun> start(ReshareSetup setup, const MemberKey& key);

    const ReshareSetup& setup() const noexcept { return setup_; }

    bool has_accepted() const noexcept { return !dealings_.empty(); }

    bool is_done() const noexcept { return done_; }

    /// The dealings that all new members are to use. Errors as accept_again(), and the run stays as
    /// it was: others may be tried. kCheating without a name for other dealings once it has signed.
    Result<void> accept(const MemberKey& key, std::span<const core::Bytes> dealings);

    /// This member's, over the transcript; empty before accept().
    core::ByteView signature() const;

    /// Errors as GenerationRun::receive().
    Result<void> receive(std::uint32_t index, core::ByteView signature);

    std::vector<std::uint32_t> awaited() const;

    /// False when signatures are awaited. kCheating names members whose signature does not fit;
    /// theirs are dropped, so that right ones may come.
    Result<bool> finish();

    /// When done (invariant).
    ReshareCertificate certificate() const;
    Group group() const;
    Result<KeyShare> share(const MemberKey& key) const;

private:
    friend core::Bytes serialize(const ReshareRun& run);
    friend Result<ReshareRun> parse_reshare_run(core::ByteView bytes);

    explicit ReshareRun(ReshareSetup setup);

    ReshareSetup setup_;
    std::uint32_t own_ = 0;
    bool done_ = false;
    std::vector<core::Bytes> dealings_, signatures_;
    core::Bytes transcript_;
};

core::Bytes serialize(const ReshareRun& run);
/// kMalformed for anything else. Form only: it is this program's own state.
Result<ReshareRun> parse_reshare_run(core::ByteView bytes);

}  // namespace pgveil::quorum
