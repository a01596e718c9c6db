#include "proxy/relay/token_grace.hpp"

#include "proxy/relay/verified_user.hpp"

#include <gtest/gtest.h>

namespace pgveil::relay {
namespace {

constexpr std::int64_t kExpiry = 1000;
const ShareHandles kShares = {"user", "token", "app"};

SegmentPtr request_with_keys(const ShareHandles& handles = kShares) {
    auto request = std::make_shared<Segment>();
    request->built_from = handles;
    request->keys.emplace(
        share::RequestKeys::Holder{"acme", "nurse", kExpiry, kExpiry + 60},
        nullptr,
        std::vector<share::RequestKeys::Group>{}
    );
    return request;
}

TEST(TokenGrace, CoversNothingBeforeATransactionHadKeys) {
    const TokenGrace grace;
    EXPECT_FALSE(grace.covers(kShares));
    EXPECT_FALSE(grace.covers({}));
    EXPECT_FALSE(grace.is_needed(kExpiry));
}

TEST(TokenGrace, CoversTheSharesThatTheTransactionHadKeysFrom) {
    TokenGrace grace;
    grace.begin(request_with_keys());
    EXPECT_TRUE(grace.covers(kShares));
    EXPECT_FALSE(grace.covers({"user", "another token", "app"}));
    EXPECT_FALSE(grace.covers({"another user", "token", "app"}));
    EXPECT_FALSE(grace.is_needed(kExpiry - 1));
    EXPECT_TRUE(grace.is_needed(kExpiry));
}

TEST(TokenGrace, EndsWithTheTransaction) {
    TokenGrace grace;
    grace.begin(request_with_keys());  // answered and gone; the transaction block is open
    grace.transaction_ended(std::make_shared<Segment>());
    EXPECT_FALSE(grace.covers(kShares));

    const SegmentPtr request = request_with_keys();
    grace.begin(request);
    grace.transaction_ended(request);
    EXPECT_FALSE(grace.covers(kShares));

    grace.begin(request);
    grace.end();
    EXPECT_FALSE(grace.covers(kShares));
    EXPECT_FALSE(grace.is_needed(kExpiry));
}

TEST(TokenGrace, OutlivesTheEndOfATransactionBeforeIt) {
    TokenGrace grace;
    const SegmentPtr before = request_with_keys();
    const SegmentPtr later = request_with_keys();
    grace.begin(later);  // sent while the answer to the one before was still to come
    grace.transaction_ended(before);
    EXPECT_TRUE(grace.covers(kShares));
    grace.transaction_ended(later);
    EXPECT_FALSE(grace.covers(kShares));
}

TEST(VerifiedUserTest, StandsUntilTheTokenEndsOrItsGrace) {
    VerifiedUser user;
    user.opened("nurse", kShares, {kExpiry, kExpiry + 60});
    EXPECT_FALSE(user.may_stand(kShares, kExpiry - 1, false)) << "the server does not know it yet";
    user.at_server("nurse");
    EXPECT_TRUE(user.may_stand(kShares, kExpiry - 1, false));
    EXPECT_FALSE(user.may_stand(kShares, kExpiry, false));
    EXPECT_TRUE(user.may_stand(kShares, kExpiry + 59, true));
    EXPECT_FALSE(user.may_stand(kShares, kExpiry + 60, true));
    EXPECT_FALSE(user.may_stand({"user", "another token", "app"}, kExpiry - 1, true));
    user.at_server("boss");
    EXPECT_FALSE(user.may_stand(kShares, kExpiry - 1, false));
}

}  // namespace
}  // namespace pgveil::relay
