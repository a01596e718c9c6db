#include "test/keyshare/store/world.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

// A transaction that had keys from a token may finish for a while after the token's end. The
// custody is told so with `may_finish`; each test shows that nothing else gets keys.
namespace pgveil::store::test {
namespace {

using share::DenialKind;
using testing::HasSubstr;

constexpr std::int64_t kGrace = 40;
constexpr std::int64_t kExpiry = kNow + 60;

class Grace : public World {
protected:
    void SetUp() override {
        World::SetUp();
        reopen(kGrace);
        nurse_ = add_user("nurse");
        token_ = token(*nurse_);
        app_ = app_text(*nurse_);
    }

    void reopen(std::int64_t grace_s) {
        limits_.grace_s = grace_s;
        restart();
        read_zero();
    }

    Attempt attempt(std::int64_t now_s, bool may_finish = true) const {
        Attempt result{"nurse", &token_, &app_, now_s};
        result.may_finish = may_finish;
        return result;
    }

    std::optional<Holdings> nurse_;
    core::SecretBytes token_, app_;
};

TEST_F(Grace, LetsATransactionFinishAndNothingElse) {
    for (const std::int64_t late : {std::int64_t{0}, kGrace - 1}) {
        const auto keys = rebuild(attempt(kExpiry + late));
        ASSERT_TRUE(keys.has_value()) << keys.error().message;
        EXPECT_EQ(keys->token_expires_s(), kExpiry);
        EXPECT_EQ(keys->grace_ends_s(), kExpiry + kGrace);
        EXPECT_EQ(denial_of(attempt(kExpiry + late, false)), DenialKind::kTokenExpired);
    }
}

TEST_F(Grace, EndsAndSaysSo) {
    EXPECT_EQ(denial_of(attempt(kExpiry + kGrace)), DenialKind::kTokenExpired);
    EXPECT_THAT(
        rebuild(attempt(kExpiry + kGrace)).error().message, HasSubstr("40 s more to finish")
    );
}

TEST_F(Grace, IsOffAtZero) {
    reopen(0);
    EXPECT_TRUE(rebuild(attempt(kExpiry - 1)).has_value());
    EXPECT_EQ(denial_of(attempt(kExpiry)), DenialKind::kTokenExpired);
}

TEST_F(Grace, IsNotForWithdrawnUsersNorForOldTriples) {
    ASSERT_TRUE(rebuild(attempt(kExpiry)).has_value());
    change_key("nurse");
    EXPECT_EQ(denial_of(attempt(kExpiry)), DenialKind::kUserShareStale);
    ASSERT_TRUE(custody_->apply(withdraw("nurse"), kNow).has_value());
    EXPECT_EQ(denial_of(attempt(kExpiry)), DenialKind::kWithdrawnUser);
}

TEST_F(Grace, KeepsTheTokenWithItsFirstLogin) {
    ASSERT_TRUE(rebuild(attempt(kNow)).has_value());
    ASSERT_TRUE(custody_->maintain(kExpiry + 1).has_value());
    reopen(kGrace);
    Attempt other = attempt(kExpiry + 1);
    other.login = "thief";
    EXPECT_EQ(denial_of(other), DenialKind::kTokenTaken);
    EXPECT_TRUE(rebuild(attempt(kExpiry + 1)).has_value());
}

TEST_F(Grace, KeepsTheTokenKeyUntilItIsOver) {
    const std::int64_t not_after_s = kNow + limits_.key_epoch_s;
    const std::int64_t last_s = not_after_s - limits_.max_validity_s - 1;
    token_ = token(*nurse_, {last_s, limits_.max_validity_s});
    const std::int64_t end_s = not_after_s + limits_.max_validity_s + limits_.clock_skew_s + kGrace;
    ASSERT_TRUE(custody_->maintain(end_s).has_value());
    EXPECT_TRUE(rebuild(attempt(last_s + limits_.max_validity_s + kGrace - 1)).has_value());
    ASSERT_TRUE(custody_->maintain(end_s + 1).has_value());
    EXPECT_EQ(denial_of(attempt(last_s)), DenialKind::kTokenKeyDestroyed);
}

}  // namespace
}  // namespace pgveil::store::test
