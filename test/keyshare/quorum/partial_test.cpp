#include "keyshare/quorum/partial.hpp"

#include "keyshare/quorum/shredding.hpp"
#include "test/keyshare/quorum/ceremony.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace pgveil::quorum {
namespace {

using core::Bytes;
using testing::Ceremony;
using testing::kSizes;
using testing::opens;
using testing::partials_of;
using testing::seal_to;
using testing::some_members;

const Bytes kContext{'w', 'h', 'y'};

TEST(PartialTest, K2_AnyThresholdOfMembersOpensAndFewerNever) {
    for (const auto& [threshold, members] : kSizes) {
        Ceremony run({threshold, members});
        run.run();
        for (int round = 0; round < 5; ++round) {
            EXPECT_TRUE(opens(run.group, run.shares, some_members(threshold, members)));
            EXPECT_FALSE(opens(run.group, run.shares, some_members(threshold - 1, members)));
        }
        EXPECT_TRUE(opens(run.group, run.shares, some_members(threshold + 1, members)));
        EXPECT_TRUE(opens(run.group, run.shares, some_members(members, members)));
    }
}

TEST(PartialTest, TooFewAreCounted) {
    Ceremony run({3, 5});
    run.run();
    const auto sealed = seal_to(run.group);
    const auto partials = partials_of(run.group, run.shares, {4, 2}, sealed.point, kContext);
    const auto refused = combine(run.group, sealed.point, kContext, partials);
    EXPECT_EQ(refused.error().code, ErrorCode::kTooFew);
    EXPECT_EQ(refused.error().message, "partials of 2 members, and 3 are needed");
}

TEST(PartialTest, K10_ABadPartialNamesItsMember) {
    Ceremony run({3, 5});
    run.run();
    const auto sealed = seal_to(run.group);
    for (std::uint32_t cheat = 1; cheat <= 5; ++cheat) {
        const auto indices = testing::first_members(5);
        auto partials = partials_of(run.group, run.shares, indices, sealed.point, kContext);
        ASSERT_TRUE(combine(run.group, sealed.point, kContext, partials).has_value());
        // A wrong share, proved as well as it can be.
        KeyShare wrong{run.group.id, 0, cheat, run.shares[cheat % 5].scalar.duplicate()};
        partials[cheat - 1] = *make_partial(run.group, wrong, sealed.point, kContext);
        const auto refused = combine(run.group, sealed.point, kContext, partials);
        EXPECT_EQ(refused.error().code, ErrorCode::kCheating);
        EXPECT_EQ(refused.error().participants, std::vector{cheat});
    }
}

TEST(PartialTest, APartialHoldsForItsPointContextMemberAndEpochOnly) {
    Ceremony run({2, 3});
    run.run();
    const auto sealed = seal_to(run.group);
    auto partial = *make_partial(run.group, run.shares[0], sealed.point, kContext);
    EXPECT_TRUE(partial_holds(run.group, sealed.point, kContext, partial));
    EXPECT_FALSE(partial_holds(run.group, run.group.public_key(), kContext, partial));
    EXPECT_FALSE(partial_holds(run.group, sealed.point, {}, partial));
    Group next = run.group;
    next.epoch = 1;
    EXPECT_FALSE(partial_holds(next, sealed.point, kContext, partial));
    for (const std::uint32_t index : {0U, 2U, 4U, 0xFFFFFFFFU}) {
        partial.index = index;
        EXPECT_FALSE(partial_holds(run.group, sealed.point, kContext, partial));
    }
}

TEST(PartialTest, ARepeatedMemberCountsForNothing) {
    Ceremony run({2, 3});
    run.run();
    const auto sealed = seal_to(run.group);
    const auto twice = partials_of(run.group, run.shares, {2, 2}, sealed.point, kContext);
    EXPECT_EQ(
        combine(run.group, sealed.point, kContext, twice).error().code, ErrorCode::kMalformed
    );
}

TEST(PartialTest, K7_BlindedPointsSayNothingAndGiveTheSame) {
    Ceremony run({3, 5});
    run.run();
    const auto sealed = seal_to(run.group);
    const Blinding one = blind(sealed.point);
    const Blinding two = blind(sealed.point);
    EXPECT_NE(one.blinded, two.blinded);
    EXPECT_NE(one.blinded, sealed.point);
    const auto partials =
        partials_of(run.group, run.shares, some_members(3, 5), one.blinded, kContext);
    const auto combined = combine(run.group, one.blinded, kContext, partials);
    ASSERT_TRUE(combined.has_value());
    EXPECT_FALSE(testing::same_bytes(x_of(*combined).reveal(), sealed.expected.reveal()));
    const auto unblinded = unblind(run.group, one, *combined);
    ASSERT_TRUE(unblinded.has_value());
    EXPECT_TRUE(testing::same_bytes(x_of(*unblinded).reveal(), sealed.expected.reveal()));
    // Another blinding's factor does not fit.
    EXPECT_FALSE(testing::same_bytes(
        x_of(*unblind(run.group, two, *combined)).reveal(), sealed.expected.reveal()
    ));
}

// The paper: n - t + 1 providers that delete their shares make the message unrecoverable.
TEST(PartialTest, K8_SharesDestroyedBeyondTheThresholdAreTheEndOfIt) {
    for (const auto& [threshold, members] : kSizes) {
        Ceremony run({threshold, members});
        run.run();
        const std::uint32_t left = members - (members - threshold + 1);
        EXPECT_TRUE(opens(run.group, run.shares, testing::first_members(left + 1)));
        EXPECT_FALSE(opens(run.group, run.shares, testing::first_members(left)));
    }
}

TEST(PartialTest, K8_MembersSayThatTheyShreddedAndTheCountTellsTheEnd) {
    Ceremony run({3, 5});
    run.run();
    std::vector<Bytes> statements;
    for (std::uint32_t index = 1; index <= 3; ++index) {
        EXPECT_FALSE(is_beyond_recovery(run.group, *shredded_count(run.group, statements)));
        EXPECT_TRUE(opens(run.group, run.shares, {5, 4, 3}));
        auto said = shred(run.group, run.shares[index - 1], run.keys[index - 1]);
        ASSERT_TRUE(said.has_value()) << said.error().message;
        statements.push_back(*std::move(said));
    }
    EXPECT_TRUE(is_beyond_recovery(run.group, *shredded_count(run.group, statements)));
    EXPECT_FALSE(opens(run.group, run.shares, {5, 4}));

    // Nobody says it for another, or twice.
    statements.push_back(statements.front());
    EXPECT_EQ(shredded_count(run.group, statements).error().participants, std::vector{1U});
    statements.back()[3] = 4;
    EXPECT_EQ(shredded_count(run.group, statements).error().participants, std::vector{4U});
    EXPECT_EQ(shred(run.group, run.shares[3], run.keys[4]).error().code, ErrorCode::kForeign);
    EXPECT_TRUE(belongs_to(run.shares[3], run.group)) << "a refusal destroys nothing";
}

// The trap behind K8: a destroyed share comes back from the member's key and the dealings, so the
// key must die with it.
TEST(PartialTest, K8_AShareThatWasDestroyedAloneComesBack) {
    Ceremony run({2, 3});
    run.run();
    const Bytes kept = *sealed_shares_of(run.setup, run.dealings, 1);
    EXPECT_TRUE(recover(run.key(1), run.certificate, kept).has_value());
    // With the key destroyed nothing else opens them.
    EXPECT_TRUE(recover(run.key(2), run.certificate, kept).has_error());
    EXPECT_TRUE(recover(MemberKey::generate(), run.certificate, kept).has_error());
}

}  // namespace
}  // namespace pgveil::quorum
