#include "keyshare/share/token_key.hpp"

#include "test/keyshare/share/samples.hpp"

#include <gtest/gtest.h>

namespace pgveil::share {
namespace {

using samples::kNow;

class Statement : public testing::Test {
protected:
    std::string sign() const {
        return sign_statement({"acme", {5, pair_.point}, kNow, kNow + 86400}, proxy_.identity);
    }

    Result<TokenKeyStatement> verify(std::string_view jws, std::int64_t now_s = kNow + 10) const {
        return verify_statement(jws, proxy_.identity.verifying_key(), "acme", now_s);
    }

    samples::Proxy proxy_;
    core::HpkeKeyPair pair_ = core::HpkeKeyPair::generate();
};

TEST_F(Statement, OfThePinnedProxyIsBelieved) {
    const auto statement = verify(sign());
    ASSERT_TRUE(statement.has_value());
    EXPECT_EQ(statement->key.key_id, 5U);
    EXPECT_EQ(statement->key.point, pair_.point);
}

TEST_F(Statement, OfAnotherProxyIsRefused) {
    const samples::Proxy other;
    const auto refused = verify_statement(sign(), other.identity.verifying_key(), "acme", kNow);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, ErrorCode::kForged);
}

TEST_F(Statement, OfAnotherTenantIsRefused) {
    const auto refused = verify_statement(sign(), proxy_.identity.verifying_key(), "other", kNow);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, ErrorCode::kForeign);
}

TEST_F(Statement, OutOfForceIsRefused) {
    EXPECT_TRUE(verify(sign(), kNow - 30).has_value());
    EXPECT_FALSE(verify(sign(), kNow - 31).has_value());
    EXPECT_TRUE(verify(sign(), kNow + 86430).has_value());
    EXPECT_FALSE(verify(sign(), kNow + 86431).has_value());
}

TEST_F(Statement, EveryFlippedBitIsRefused) {
    const std::string jws = sign();
    for (std::size_t at = 0; at < jws.size(); ++at) {
        ASSERT_FALSE(verify(samples::flip(jws, at, at % 8)).has_value()) << at;
    }
}

}  // namespace
}  // namespace pgveil::share
