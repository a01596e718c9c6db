#include "keyshare/quorum/curve.hpp"
#include "keyshare/quorum/dealing.hpp"
#include "keyshare/quorum/reshare_transcript.hpp"
#include "keyshare/quorum/schnorr.hpp"
#include "keyshare/quorum/sharing.hpp"
#include "test/keyshare/quorum/ceremony.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

namespace pgveil::quorum {
namespace {

using core::Bytes;
using testing::Ceremony;
using testing::Change;
using testing::kSizes;
using testing::opens;
using testing::some_members;
using Culprits = std::vector<std::uint32_t>;

TEST(ReshareTest, RefreshedSharesAreNewAndTheKeyIsTheSame) {
    for (const auto& size : kSizes) {
        Ceremony run(size);
        run.run();
        Change change(run.group, size);
        change.deal(run.keys, run.shares).accept_all();
        EXPECT_EQ(change.group.public_key(), run.group.public_key());
        EXPECT_EQ(change.group.id, run.group.id);
        EXPECT_EQ(change.group.epoch, 1U);
        for (std::uint32_t i = 0; i < size.second; ++i) {
            EXPECT_TRUE(belongs_to(change.shares[i], change.group));
            EXPECT_FALSE(belongs_to(run.shares[i], change.group));
        }
        EXPECT_TRUE(opens(change.group, change.shares, some_members(size.first, size.second)));
        EXPECT_FALSE(opens(change.group, change.shares, some_members(size.first - 1, size.second)));
        EXPECT_EQ(*next_group(run.group, change.certificate), change.group);
    }
}

TEST(ReshareTest, WhoKnowsTheFormerGroupFollowsOnlyItsOwnMembers) {
    Ceremony run({2, 3});
    run.run();
    Change change(run.group, {2, 3});
    change.deal(run.keys, run.shares).accept_all();
    EXPECT_EQ(*next_group(run.group, change.certificate, change.setup.session), change.group);
    const Bytes other(32, 1);
    EXPECT_EQ(next_group(run.group, change.certificate, other).error().code, ErrorCode::kForeign);
    // Public proofs of the true run under members of somebody's own, who sign it.
    auto transcript = *parse_reshare_transcript(change.certificate.transcript);
    const Change theirs(run.group, {2, 3});
    transcript.members = theirs.setup.members;
    const Bytes forged = serialize(transcript);
    std::vector<Bytes> signatures;
    for (const MemberKey& key : theirs.keys) {
        signatures.push_back(core::to_bytes(schnorr_sign(key.scalar(), forged)));
    }
    const auto certificate = certify_again(forged, signatures);
    ASSERT_TRUE(certificate.has_value()) << certificate.error().message;
    for (const Bytes& session : {change.setup.session, theirs.setup.session}) {
        EXPECT_EQ(next_group(run.group, *certificate, session).error().code, ErrorCode::kForeign);
    }
}

TEST(ReshareTest, OthersWithAnotherThresholdTakeOver) {
    Ceremony run({2, 3});
    run.run();
    Change grown(run.group, {3, 5});
    grown.deal(run.keys, run.shares).accept_all();
    EXPECT_TRUE(opens(grown.group, grown.shares, some_members(3, 5)));
    EXPECT_FALSE(opens(grown.group, grown.shares, some_members(2, 5)));
    Change shrunk(grown.group, {2, 4});
    shrunk.deal(grown.keys, grown.shares).accept_all();
    EXPECT_EQ(shrunk.group.epoch, 2U);
    EXPECT_EQ(shrunk.group.public_key(), run.group.public_key());
    EXPECT_TRUE(opens(shrunk.group, shrunk.shares, some_members(2, 4)));
}

TEST(ReshareTest, AnyThresholdOfOldMembersIsEnoughAndFewerAreNot) {
    Ceremony run({3, 5});
    run.run();
    Change change(run.group, {3, 5});
    change.deal(run.keys, run.shares);
    change.dealings = {change.dealings[4], change.dealings[0], change.dealings[2]};
    const auto in_this_order = change.accept(2);
    ASSERT_TRUE(in_this_order.has_value()) << in_this_order.error().message;
    EXPECT_EQ(in_this_order->group.public_key(), run.group.public_key());
    std::ranges::reverse(change.dealings);
    EXPECT_EQ(change.accept(2)->transcript, in_this_order->transcript);
    change.dealings.pop_back();
    EXPECT_EQ(change.accept(2).error().code, ErrorCode::kTooFew);
}

TEST(ReshareTest, SharesOfTwoEpochsDoNotCombine) {
    Ceremony run({2, 3});
    run.run();
    Change change(run.group, {2, 3});
    change.deal(run.keys, run.shares).accept_all();
    const auto sealed = testing::seal_to(run.group);
    EXPECT_EQ(
        make_partial(change.group, run.shares[0], sealed.point, {}).error().code,
        ErrorCode::kForeign
    );
    // One stolen before the refresh and one after: not even with the epoch forged.
    std::vector<Partial> mixed =
        testing::partials_of(change.group, change.shares, {2}, sealed.point, {});
    const KeyShare forged{change.group.id, 1, 1, run.shares[0].scalar.duplicate()};
    mixed.push_back(*make_partial(change.group, forged, sealed.point, {}));
    EXPECT_EQ(combine(change.group, sealed.point, {}, mixed).error().participants, Culprits{1});
}

// A dealer that deals another number than its share would change the key for all.
TEST(ReshareTest, K10_ACheatingDealerIsNamedWhateverItCheatsWith) {
    Ceremony run({2, 3});
    run.run();
    Ceremony other({2, 3});
    other.run();
    for (std::uint32_t cheat = 1; cheat <= 3; ++cheat) {
        Change change(run.group, {2, 3});
        change.deal(run.keys, run.shares);
        const std::vector<Bytes> honest = change.dealings;
        ASSERT_TRUE(change.accept(1).has_value());
        for (const std::size_t byte :
             {std::size_t{6}, std::size_t{80}, std::size_t{150}, honest.front().size() - 1}) {
            change.dealings = honest;
            change.dealings[cheat - 1][byte] ^= 1U;
            const auto refused = change.accept(1);
            EXPECT_EQ(refused.error().code, ErrorCode::kCheating) << byte;
            EXPECT_EQ(refused.error().participants, Culprits{cheat}) << byte;
        }
        // Signed and proved, but of another share.
        ReshareSetup lie = change.setup;
        lie.from.commitment = other.group.commitment;
        const KeyShare foreign{run.group.id, 0, cheat, other.shares[cheat - 1].scalar.duplicate()};
        change.dealings = honest;
        change.dealings[cheat - 1] = *deal_again(lie, run.key(cheat), foreign);
        EXPECT_EQ(change.accept(2).error().participants, Culprits{cheat});
        // The others go on without it.
        change.dealings = honest;
        change.dealings.erase(change.dealings.begin() + cheat - 1);
        EXPECT_TRUE(change.accept(3).has_value());
    }
}

TEST(ReshareTest, SilentOrForgingNewMembersAreNamed) {
    Ceremony run({2, 3});
    run.run();
    for (std::uint32_t cheat = 1; cheat <= 3; ++cheat) {
        Change change(run.group, {2, 3});
        change.deal(run.keys, run.shares).accept_all();
        change.signatures[cheat - 1].back() ^= 1U;
        EXPECT_EQ(
            certify_again(change.transcript, change.signatures).error().participants,
            Culprits{cheat}
        );
        change.signatures[cheat - 1].clear();
        const auto missing = certify_again(change.transcript, change.signatures);
        EXPECT_EQ(missing.error().code, ErrorCode::kMissing);
        EXPECT_EQ(missing.error().participants, Culprits{cheat});
    }
}

// kyber: the old threshold must be known, or a dealer group of fewer takes over.
TEST(ReshareTest, FewerThanTheOldThresholdCannotTakeOver) {
    Ceremony run({3, 5});
    run.run();
    Change change(run.group, {2, 3});
    change.deal(run.keys, run.shares);
    change.dealings.resize(2);
    EXPECT_EQ(change.accept(1).error().code, ErrorCode::kTooFew);
    // A coordinator that lies about the old threshold deals for another group.
    Group lie = run.group;
    lie.threshold = 2;
    Change lied(lie, {2, 3});
    lied.setup.session = change.setup.session;
    EXPECT_NE(digest_of(lie), digest_of(run.group));
    change.dealings = {change.dealings[0], change.dealings[1]};
    lied.dealings = change.dealings;
    EXPECT_TRUE(lied.accept(1).has_error());
}

TEST(ReshareTest, AMemberKeyIsNeverUsedInTwoEpochs) {
    Ceremony run({2, 3});
    run.run();
    Change change(run.group, {2, 3});
    ASSERT_TRUE(check_setup(change.setup).has_value());
    change.setup.members[1] = run.key(3).point();
    EXPECT_EQ(check_setup(change.setup).error().code, ErrorCode::kInvalidArgument);
    EXPECT_TRUE(deal_again(change.setup, run.key(1), run.shares[0]).has_error());
}

TEST(ReshareTest, ACertificateContinuesItsOwnGroupOnly) {
    Ceremony run({2, 3});
    run.run();
    Change change(run.group, {2, 3});
    change.deal(run.keys, run.shares).accept_all();
    ASSERT_TRUE(next_group(run.group, change.certificate).has_value());
    EXPECT_EQ(next_group(change.group, change.certificate).error().code, ErrorCode::kForeign);
    ReshareCertificate forged = change.certificate;
    std::swap(forged.signatures[0], forged.signatures[1]);
    EXPECT_EQ(next_group(run.group, forged).error().participants, (Culprits{1, 2}));
}

}  // namespace
}  // namespace pgveil::quorum
