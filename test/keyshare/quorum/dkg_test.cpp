#include "keyshare/quorum/curve.hpp"
#include "keyshare/quorum/dealing.hpp"
#include "keyshare/quorum/pledge.hpp"
#include "keyshare/quorum/sharing.hpp"
#include "test/keyshare/quorum/ceremony.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

namespace pgveil::quorum {
namespace {

using core::Bytes;
using testing::Ceremony;
using testing::kSizes;

using Culprits = std::vector<std::uint32_t>;

// A dealing remade by a member that cheats, and pledged, so that only what is wrong in it shows.
void replace_dealing(
    Ceremony& run, std::uint32_t cheat, const std::function<void(Dealing&)>& change
) {
    const auto members = static_cast<std::uint32_t>(run.keys.size());
    auto dealing = parse_dealing(run.dealings[cheat - 1], run.setup.threshold, members);
    change(*dealing);
    run.dealings[cheat - 1] = serialize(*dealing);
    const Bytes context = context_of(run.setup.session, run.setup.members);
    run.pledges[cheat - 1] = make_pledge(context, cheat, run.key(cheat), run.dealings[cheat - 1]);
}

TEST(QuorumTest, EveryMemberEndsWithTheSameGroupAndAShareOfItsOwn) {
    for (const auto& size : kSizes) {
        Ceremony run(size);
        run.open();
        Culprits indices;
        for (std::uint32_t index = 1; index <= size.second; ++index) {
            const auto accepted = run.accept(index);
            ASSERT_TRUE(accepted.has_value()) << accepted.error().message;
            EXPECT_TRUE(belongs_to(accepted->share, accepted->group));
            EXPECT_EQ(accepted->share.index, index);
            if (index > 1) {
                EXPECT_EQ(accepted->transcript, run.transcript);
                EXPECT_EQ(accepted->group, run.group);
            }
            run.transcript = accepted->transcript;
            run.group = accepted->group;
        }
    }
}

TEST(QuorumTest, K1_SharesLieOnOnePolynomialOfDegreeThresholdMinusOne) {
    const Curve curve;
    for (const auto& [threshold, members] : kSizes) {
        Ceremony run({threshold, members});
        run.run();
        // Any t give the same value at 0, which is the key; t - 1 of them do not.
        for (const std::uint32_t count : {threshold, threshold + 1, threshold - 1}) {
            const auto some = testing::some_members(count, members);
            core::Bignum secret = curve.small(0);
            for (const std::uint32_t index : some) {
                secret = curve.add(
                    secret,
                    curve.multiply(
                        lagrange_factor(curve, some, index),
                        core::scalar_number(run.shares[index - 1].scalar)
                    )
                );
            }
            const bool is_key = *curve.publish(curve.of_base(secret)) == run.group.public_key();
            EXPECT_EQ(is_key, count >= threshold) << count << " of " << members;
        }
        // The first and last coefficients are not 0: they would have no point.
        EXPECT_EQ(run.group.commitment.size(), threshold);
    }
}

TEST(QuorumTest, ASilentMemberIsNamedInEachRound) {
    for (std::uint32_t silent = 1; silent <= 5; ++silent) {
        Ceremony run({3, 5});
        run.open();
        Bytes kept;
        std::swap(kept, run.pledges[silent - 1]);
        const auto no_pledge = check_pledges(run.setup, run.pledges);
        EXPECT_EQ(no_pledge.error().code, ErrorCode::kMissing);
        EXPECT_EQ(no_pledge.error().participants, Culprits{silent});
        std::swap(kept, run.pledges[silent - 1]);

        std::swap(kept, run.dealings[silent - 1]);
        EXPECT_EQ(run.accept(1).error().code, ErrorCode::kMissing);
        EXPECT_EQ(run.accept(1).error().participants, Culprits{silent});
        std::swap(kept, run.dealings[silent - 1]);

        run.accept_all();
        run.signatures[silent - 1].clear();
        const auto no_signature = certify(run.transcript, run.signatures);
        EXPECT_EQ(no_signature.error().code, ErrorCode::kMissing);
        EXPECT_EQ(no_signature.error().participants, Culprits{silent});
    }
}

TEST(QuorumTest, AForgedPledgeNamesItsMember) {
    for (std::uint32_t cheat = 1; cheat <= 5; ++cheat) {
        Ceremony run({3, 5});
        run.open();
        ASSERT_TRUE(check_pledges(run.setup, run.pledges).has_value());
        for (const std::size_t byte : {0U, 40U, 96U}) {
            run.pledges[cheat - 1][byte] ^= 1U;
            const auto refused = check_pledges(run.setup, run.pledges);
            EXPECT_EQ(refused.error().code, ErrorCode::kCheating);
            EXPECT_EQ(refused.error().participants, Culprits{cheat});
            run.pledges[cheat - 1][byte] ^= 1U;
        }
        run.pledges[cheat - 1] = Bytes{1, 2, 3};
        EXPECT_EQ(check_pledges(run.setup, run.pledges).error().participants, Culprits{cheat});
    }
}

TEST(QuorumTest, K10_ACheatingDealerIsNamedWhateverItCheatsWith) {
    const Curve curve;
    using Change = std::function<void(Dealing&)>;
    const core::PublicPoint other = MemberKey::generate().point();
    const std::vector<std::pair<std::string, Change>> cheats{
        {"proof",
         [](Dealing& d) {
             d.head.proof.back() ^= 1U;
         }},
        {"ephemeral",
         [&](Dealing& d) {
             d.head.ephemeral = other;
         }},
        {"commitment",
         [&](Dealing& d) {
             d.head.commitment.back() = other;
         }},
        {"constant",
         [&](Dealing& d) {
             d.head.commitment.front() = other;
         }},
        {"higher threshold",
         [&](Dealing& d) {
             d.head.commitment.push_back(other);
         }},
        {"lower threshold",
         [](Dealing& d) {
             d.head.commitment.pop_back();
         }},
        {"shares",
         [](Dealing& d) {
             for (Bytes& sealed : d.sealed_shares) {
                 sealed.front() ^= 1U;
             }
         }},
        {"a payload",
         [](Dealing& d) {
             d.sealed_shares.back().resize(60);
         }},
        {"a share too few",
         [](Dealing& d) {
             d.sealed_shares.pop_back();
         }},
    };
    for (std::uint32_t cheat = 1; cheat <= 5; ++cheat) {
        for (const auto& [what, change] : cheats) {
            Ceremony run({3, 5});
            run.open();
            replace_dealing(run, cheat, change);
            const auto refused = run.accept(cheat % 5 + 1);
            ASSERT_FALSE(refused.has_value()) << what;
            EXPECT_EQ(refused.error().code, ErrorCode::kCheating) << what;
            EXPECT_EQ(refused.error().participants, Culprits{cheat}) << what;
        }
    }
}

TEST(QuorumTest, AllThatCheatAreNamedAtOnce) {
    Ceremony run({3, 5});
    run.open();
    for (const std::uint32_t cheat : {2U, 4U}) {
        replace_dealing(run, cheat, [](Dealing& d) { d.head.proof.back() ^= 1U; });
    }
    EXPECT_EQ(run.accept(1).error().participants, (Culprits{2, 4}));
}

TEST(QuorumTest, AForgedSignatureNamesItsMember) {
    for (std::uint32_t cheat = 1; cheat <= 5; ++cheat) {
        Ceremony run({3, 5});
        run.open();
        run.accept_all();
        ASSERT_TRUE(certify(run.transcript, run.signatures).has_value());
        run.signatures[cheat - 1] = run.signatures[cheat % 5];
        const auto refused = certify(run.transcript, run.signatures);
        EXPECT_EQ(refused.error().code, ErrorCode::kCheating);
        EXPECT_EQ(refused.error().participants, Culprits{cheat});
    }
}

// The one who carries the messages shows member 1 another dealing of member 5.
TEST(QuorumTest, ASplitViewNeverBecomesACertificate) {
    Ceremony run({3, 5});
    run.open();
    Ceremony split = [&run] {
        Ceremony out({3, 5});
        out.setup = run.setup;
        out.pledges = run.pledges;
        out.dealings = run.dealings;
        return out;
    }();
    const auto again = open_run(run.setup, run.key(5));
    split.pledges[4] = again->pledge;
    split.dealings[4] = again->dealing;
    const auto seen_by_one = accept_dealings(run.setup, run.key(1), split.pledges, split.dealings);
    ASSERT_TRUE(seen_by_one.has_value());
    run.accept_all();
    ASSERT_TRUE(certify(run.transcript, run.signatures).has_value());
    run.signatures[0] = core::to_bytes(seen_by_one->signature);
    EXPECT_EQ(certify(run.transcript, run.signatures).error().participants, Culprits{1});
}

// The key's last bit, as seen by one that waits for the others' commitments first.
bool is_even(const core::PublicPoint& point) {
    return (point.bytes().back() & 1U) == 0;
}

TEST(QuorumTest, K3_LastMoverCannotChooseTheKey) {
    Ceremony run({2, 3});
    run.open();
    const Curve curve;
    const Bytes context = context_of(run.setup.session, run.setup.members);
    std::vector<std::vector<core::PublicPoint>> others;
    for (const std::uint32_t index : {1U, 2U}) {
        others.push_back(parse_dealing(run.dealings[index - 1], 2, 3)->head.commitment);
    }
    // The attack on COCKTAIL alone: try dealings until the key is as wanted; all of them are sound.
    Bytes chosen;
    for (bool wanted = false; !wanted;) {
        const Dealing tried =
            deal({context, run.setup.members}, run.key(3), random_polynomial(curve, 2));
        EXPECT_TRUE(possession_is_proven(context, tried.head));
        auto all = others;
        all.push_back(tried.head.commitment);
        wanted = is_even(sum_of_commitments(curve, all, {})->front());
        chosen = serialize(tried);
    }
    // It pledged before it saw them: only the dealing of then is taken.
    ASSERT_TRUE(run.accept(1).has_value());
    run.dealings[2] = chosen;
    EXPECT_EQ(run.accept(1).error().participants, Culprits{3});
    // A pledge that follows the choice comes after the others signed for the first one.
    const auto before = check_pledges(run.setup, run.pledges);
    run.pledges[2] = make_pledge(context, 3, run.key(3), chosen);
    EXPECT_NE(*before, *check_pledges(run.setup, run.pledges));
}

// CoProtect's generation has no proof: one takes the others' points away and adds its own.
TEST(QuorumTest, K6_RogueKeyHasNoProofOfPossession) {
    Ceremony run({2, 3});
    run.open();
    const Curve curve;
    const MemberKey rogue = MemberKey::generate();
    core::CurvePoint constant = curve.point(rogue.point());
    const core::Bignum minus_one = curve.negative_of_public(curve.small(1));
    for (const std::uint32_t index : {1U, 2U}) {
        const auto dealing = parse_dealing(run.dealings[index - 1], 2, 3);
        constant = curve.sum(
            constant, curve.times(curve.point(dealing->head.commitment.front()), minus_one)
        );
    }
    std::vector<std::vector<core::PublicPoint>> all;
    replace_dealing(run, 3, [&](Dealing& d) {
        d.head.commitment.front() = *curve.publish(constant);
    });
    for (const Bytes& bytes : run.dealings) {
        all.push_back(parse_dealing(bytes, 2, 3)->head.commitment);
    }
    // The attack works on the sum alone.
    EXPECT_EQ(sum_of_commitments(curve, all, {})->front(), rogue.point());
    const auto refused = run.accept(1);
    EXPECT_EQ(refused.error().participants, Culprits{3});
    EXPECT_NE(refused.error().message.find("possession"), std::string::npos);
}

TEST(QuorumTest, ALostMemberRecoversItsShareFromItsKeyAndPublicWords) {
    Ceremony run({3, 5});
    run.run();
    for (std::uint32_t index = 1; index <= 5; ++index) {
        Bytes sealed = *sealed_shares_of(run.setup, run.dealings, index);
        const auto share = recover(run.key(index), run.certificate, sealed);
        ASSERT_TRUE(share.has_value()) << share.error().message;
        EXPECT_TRUE(
            testing::same_bytes(share->scalar.reveal(), run.shares[index - 1].scalar.reveal())
        );
        sealed.back() ^= 1U;
        EXPECT_EQ(
            recover(run.key(index), run.certificate, sealed).error().participants, Culprits{5}
        );
    }
    EXPECT_EQ(
        recover(MemberKey::generate(), run.certificate, {}).error().code, ErrorCode::kForeign
    );
}

TEST(QuorumTest, SetupsThatNobodyMayRunAreRefused) {
    const auto refused = [](const std::function<void(DkgSetup&)>& change) {
        Ceremony run({3, 5});
        EXPECT_TRUE(check_setup(run.setup).has_value());
        change(run.setup);
        return open_run(run.setup, run.key(1)).has_error();
    };
    EXPECT_TRUE(refused([](DkgSetup& s) { s.threshold = 0; }));
    EXPECT_TRUE(refused([](DkgSetup& s) { s.threshold = 1; }));
    EXPECT_TRUE(refused([](DkgSetup& s) { s.threshold = 6; }));
    EXPECT_TRUE(refused([](DkgSetup& s) { s.members[1] = s.members[0]; }));
    EXPECT_TRUE(refused([](DkgSetup& s) { s.members.clear(); }));
    EXPECT_TRUE(refused([](DkgSetup& s) { s.session.resize(15); }));
    EXPECT_TRUE(refused([](DkgSetup& s) { s.members[0] = MemberKey::generate().point(); }));
}

TEST(QuorumTest, MessagesOfOneRunAreNothingToAnother) {
    Ceremony one({2, 3});
    one.open();
    DkgSetup other = one.setup;
    other.session = testing::fresh_session();
    EXPECT_EQ(check_pledges(other, one.pledges).error().participants, (Culprits{1, 2, 3}));
}

}  // namespace
}  // namespace pgveil::quorum
