#include "keyshare/core/hash.hpp"
#include "keyshare/core/hpke.hpp"
#include "test/keyshare/quorum/kmaas_chain.hpp"

#include <gtest/gtest.h>

#include <algorithm>

// What the KMaaS paper says, done as it says, and the three attacks that break it. docs/SECURITY.md
// tells what the product does instead; exchange_test.cpp and partial_test.cpp show that.

namespace pgveil::quorum::testing {
namespace {

constexpr Element kMessage = 123456789;

TEST(KmaasTest, K2_LayersOfAllAddTheConstantAndAnyThresholdRemovesIt) {
    const PaperPad pad(5, 7);
    const Element stored = pad.encrypt(kMessage).back();
    EXPECT_NE(stored, kMessage);
    for (const Positions& way : {Positions{1, 2, 3, 4, 5}, {7, 3, 8, 1, 5}, {5, 1, 8, 3, 7}}) {
        EXPECT_EQ(pad.decrypt(stored, way).back(), kMessage);
    }
    EXPECT_NE(pad.decrypt(stored, {1, 2, 3, 4}).back(), kMessage);
    // Any one that is left out of the full set is missed, so the factors are of the set in use.
    EXPECT_NE(paper_factor({1, 2, 4}, 1), paper_factor(pad.everybody(), 1));
}

TEST(KmaasTest, K4_NestedSignaturesShowAttendanceAndNotTheWork) {
    std::vector<core::SigningKey> providers;
    for (int i = 0; i < 3; ++i) {
        providers.push_back(core::SigningKey::generate());
    }
    const core::Bytes token = paper_token(kMessage, "nurse", 20240131);
    auto signatures = nested_signatures(token, providers);
    EXPECT_TRUE(all_took_part(token, providers, signatures));
    // They cover the token only: whoever added a wrong layer signs as well as the others.
    const PaperPad pad(3, 3);
    const Element wrong = plus(pad.encrypt(kMessage).back(), 1);
    EXPECT_NE(pad.decrypt(wrong, {1, 2, 3}).back(), kMessage);
    EXPECT_TRUE(all_took_part(token, providers, signatures));
    std::swap(signatures[0], signatures[2]);
    EXPECT_FALSE(all_took_part(token, providers, signatures));
}

// What CC(i-1) sent and what CC(i+1) received differ by f(i)g(i), and g is public: k colluders at
// every second place know 2k - 1 shares.
TEST(KmaasTest, K10_NeighbourDifferenceBreaksFiveOfSevenWithThreeColluders) {
    const PaperPad pad(5, 7);
    const std::vector<Element> sent = pad.encrypt(kMessage);
    const auto share_between = [&](std::uint32_t index) {
        const Element before = sent[index - 1];  // CC(i-1) sent it
        const Element after = sent[index];       // CC(i+1) received it
        return over(minus(after, before), paper_factor(pad.everybody(), index));
    };
    const Positions known{1, 2, 3, 4, 5};  // CC1, CC3 and CC5 collude
    const std::vector<Element> shares{
        pad.share(1), share_between(2), pad.share(3), share_between(4), pad.share(5)};
    EXPECT_EQ(shares[1], pad.share(2));
    EXPECT_EQ(minus(sent.back(), value_at_zero(known, shares)), kMessage);
    // Their own three shares would not have done.
    EXPECT_NE(
        minus(sent.back(), value_at_zero({1, 3, 5}, {shares[0], shares[2], shares[4]})), kMessage
    );
}

// CC1 holds c and is sent c + K: it knows the user's fresh K, and the last hop computes m + K.
TEST(KmaasTest, K7_FirstAndLastHopBreakBlindingForAnyThreshold) {
    for (const std::uint32_t threshold : {2U, 5U, 7U}) {
        const PaperPad pad(threshold, 7);
        const Element stored = pad.encrypt(kMessage).back();
        const Element blinding = 987654321;
        const Element blinded = plus(stored, blinding);
        Positions way;
        for (std::uint32_t index = 1; index <= threshold; ++index) {
            way.push_back(index);
        }
        const Element last_hop = pad.decrypt(blinded, way).back();
        EXPECT_EQ(minus(last_hop, blinding), kMessage) << "the protocol itself";
        const Element seen_by_first = minus(blinded, stored);
        EXPECT_EQ(minus(last_hop, seen_by_first), kMessage) << "and the two colluders";
    }
}

// u_m goes to everybody and holds h(m): one provider tries what m could be.
TEST(KmaasTest, K4_DictionaryOnTheTokenFindsMessagesOfLittleEntropy) {
    const Element pin = 4711;
    const core::Bytes token = paper_token(pin, "nurse", 20240131);
    Element found = 0;
    for (Element guess = 0; guess < 10000 && found == 0; ++guess) {
        const core::Sha256Digest digest = core::sha256(core::big_endian64(guess));
        if (std::equal(digest.begin(), digest.end(), token.begin())) {
            found = guess;
        }
    }
    EXPECT_EQ(found, pin);
}

// Protocol 1: CC1 stores the ciphertext and every share, wrapped for the user. So the threshold
// says nothing: who has the user's key and CC1's store needs no other provider.
TEST(KmaasTest, K5_TheUsersKeyAndOneProviderAreEnoughInProtocolOne) {
    const PaperPad pad(3, 5);
    const core::HpkeKeyPair user = core::HpkeKeyPair::generate();
    const core::Bytes info;
    std::vector<core::Bytes> stored_shares;
    for (std::uint32_t index = 1; index <= 3; ++index) {
        stored_shares.push_back(
            core::hpke_seal(user.point, info, {}, core::big_endian64(pad.share(index)))
        );
    }
    const Element stored = pad.encrypt(kMessage).back();
    std::vector<Element> shares;
    for (const core::Bytes& wrapped : stored_shares) {
        shares.push_back(core::read_big_endian64(core::hpke_open(user, info, {}, wrapped)->reveal())
        );
    }
    EXPECT_EQ(minus(stored, value_at_zero({1, 2, 3}, shares)), kMessage);
}

// Two messages under one pad: their difference shows, so each needs n + 1 new shares of its size.
TEST(KmaasTest, K3_OnePadForTwoMessagesShowsTheirDifference) {
    const PaperPad pad(3, 5);
    const Element one = pad.encrypt(kMessage).back();
    const Element two = pad.encrypt(kMessage + 42).back();
    EXPECT_EQ(minus(two, one), 42U);
    EXPECT_NE(minus(PaperPad(3, 5).encrypt(kMessage + 42).back(), one), 42U);
}

}  // namespace
}  // namespace pgveil::quorum::testing
