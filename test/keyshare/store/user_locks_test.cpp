#include "test/keyshare/store/world.hpp"

#include <filesystem>

namespace pgveil::store::test {
namespace {

using share::DenialKind;

class UserLock : public World {
protected:
    void SetUp() override {
        World::SetUp();
        nurse_.emplace(add_user("nurse"));
        token_.emplace(token(*nurse_));
        app_.emplace(app_text(*nurse_));
    }

    Attempt attempt(std::int64_t now_s = kNow) const { return {"nurse", &*token_, &*app_, now_s}; }

    std::optional<Holdings> nurse_;
    std::optional<core::SecretBytes> token_, app_;
};

TEST_F(UserLock, CountsAtOnceAndForThisUserOnly) {
    const Holdings clerk = add_user("clerk");
    ASSERT_TRUE(rebuild(attempt()).has_value());
    ASSERT_TRUE(custody_->lock_user("nurse", kNow + 40, kNow).has_value());
    EXPECT_EQ(denial_of(attempt()), DenialKind::kUserLocked);
    EXPECT_TRUE(works(clerk));
    EXPECT_EQ(custody_->locked_users(kNow).at("nurse"), kNow + 40);
}

TEST_F(UserLock, EndsByItself) {
    ASSERT_TRUE(custody_->lock_user("nurse", kNow + 40, kNow).has_value());
    EXPECT_EQ(denial_of(attempt(kNow + 39)), DenialKind::kUserLocked);
    EXPECT_TRUE(custody_->locked_users(kNow + 40).empty());
    EXPECT_TRUE(rebuild(attempt(kNow + 40)).has_value());
}

TEST_F(UserLock, StaysAfterARestartUntilItIsEnded) {
    ASSERT_TRUE(custody_->lock_user("nurse", kNow + 40, kNow).has_value());
    restart();
    read_zero();
    EXPECT_EQ(denial_of(attempt()), DenialKind::kUserLocked);
    EXPECT_TRUE(*custody_->unlock_user("nurse", kNow));
    EXPECT_TRUE(rebuild(attempt()).has_value());
    EXPECT_FALSE(*custody_->unlock_user("nurse", kNow)) << "nobody is locked any more";
    restart();
    read_zero();
    EXPECT_TRUE(rebuild(attempt()).has_value());
}

TEST_F(UserLock, IsNotMadeLongerByAnotherAlarmAndCostsNoFurtherWrite) {
    ASSERT_TRUE(custody_->lock_user("nurse", kNow + 40, kNow).has_value());
    const auto version = custody_->report().store_version;
    ASSERT_TRUE(custody_->lock_user("nurse", kNow + 90, kNow + 1).has_value());
    EXPECT_EQ(custody_->report().store_version, version);
    EXPECT_EQ(custody_->locked_users(kNow).at("nurse"), kNow + 40);
    ASSERT_TRUE(custody_->lock_user("nurse", kNow + 90, kNow + 41).has_value());
    EXPECT_EQ(custody_->locked_users(kNow + 41).at("nurse"), kNow + 90);
}

TEST_F(UserLock, ThatIsOverIsForgotten) {
    ASSERT_TRUE(custody_->lock_user("nurse", kNow + 40, kNow).has_value());
    ASSERT_TRUE(custody_->maintain(kNow + 39).has_value());
    EXPECT_EQ(custody_->locked_users(0).size(), 1U);
    ASSERT_TRUE(custody_->maintain(kNow + 400).has_value());
    EXPECT_TRUE(custody_->locked_users(0).empty());
}

TEST_F(UserLock, DoesNotSpendATokenThatMayBeUsedOnce) {
    ASSERT_TRUE(custody_->lock_user("nurse", kNow + 40, kNow).has_value());
    Attempt stranger = attempt();
    stranger.login = "other";
    EXPECT_EQ(denial_of(stranger), DenialKind::kUserLocked);
    EXPECT_TRUE(*custody_->unlock_user("nurse", kNow));
    EXPECT_TRUE(rebuild(attempt()).has_value());
}

TEST_F(UserLock, SurvivesCommandsAndANewStoreKey) {
    ASSERT_TRUE(custody_->lock_user("nurse", kNow + 40, kNow).has_value());
    add_user("clerk");
    ASSERT_TRUE(custody_->withdraw_user("clerk", withdraw("clerk"), kNow).has_value());
    EXPECT_EQ(denial_of(attempt()), DenialKind::kUserLocked);
    restart();
    read_zero();
    EXPECT_EQ(denial_of(attempt()), DenialKind::kUserLocked);
}

TEST_F(UserLock, OfALockedProxyIsNotTaken) {
    custody_->lock();
    EXPECT_FALSE(custody_->lock_user("nurse", kNow + 40, kNow).has_value());
    EXPECT_TRUE(custody_->locked_users(kNow).empty());
}

}  // namespace
}  // namespace pgveil::store::test
