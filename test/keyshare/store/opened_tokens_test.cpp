#include "keyshare/store/opened_tokens.hpp"

#include "test/keyshare/core/memory_scan.hpp"
#include "test/keyshare/store/world.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <string>
#include <thread>

// Tokens that are opened once and not per request: what is kept of them and for how long. Every
// denial is shown in both modes; every "nothing is left" has a scan beside it that finds TKu.
namespace pgveil::store::test {
namespace {

using core::testing::Hits;
using core::testing::Needle;
using share::DenialKind;

constexpr std::int64_t kExpiry = kNow + 60;

class OpenedTokensTest : public World {
protected:
    void start(TokenOpening opening) {
        opening_ = opening;
        restart();
        read_zero();
        nurse_ = add_user("nurse");
        token_ = token(*nurse_);
        app_ = app_text(*nurse_);
        needles_ = core::testing::needles_of_key(nurse_->user_key.groups.front().part.reveal());
        ASSERT_GT(hits().in_arena, 0U) << "the scan is blind";
    }

    // The tenant and the user stand in this process, too: their copies of TKu must go first.
    void forget_users() {
        nurse_.reset();
        enrolment_.reset();
        ASSERT_EQ(total(hits()), 0U) << "somebody else holds TKu";
    }

    Hits hits() const { return core::testing::scan(needles_); }

    static std::size_t total(const Hits& hits) { return hits.in_arena + hits.elsewhere; }

    Attempt attempt(std::int64_t now_s = kNow) const { return {"nurse", &token_, &app_, now_s}; }

    bool is_kept(const OpenedTokens::Slot& slot) const {
        return OpenedTokens::find(slot, token_.reveal()) != nullptr;
    }

    DenialKind denial(const Attempt& attempt, OpenedTokens::Slot& slot) const {
        const auto verdict = rebuild(attempt, slot);
        EXPECT_FALSE(verdict.has_value()) << "keys were given";
        return verdict.has_value() ? DenialKind::kNotBootstrapped : verdict.error().kind;
    }

    std::optional<Holdings> nurse_;
    core::SecretBytes token_, app_;
    std::vector<Needle> needles_;
};

class InBothModes : public OpenedTokensTest, public testing::WithParamInterface<TokenOpening> {
protected:
    void SetUp() override {
        World::SetUp();
        start(GetParam());
        ASSERT_TRUE(rebuild(attempt(), slot_).has_value());
        ASSERT_EQ(is_kept(slot_), GetParam() == TokenOpening::kPerToken);
    }

    OpenedTokens::Slot slot_;
};

TEST_P(InBothModes, LockedItDeniesEverythingAndHoldsNoKey) {
    const auto before = custody_->report();
    EXPECT_TRUE(custody_->lock());
    EXPECT_FALSE(custody_->lock()) << "a second time";
    EXPECT_EQ(denial(attempt(), slot_), DenialKind::kLocked);
    EXPECT_FALSE(is_kept(slot_));
    forget_users();  // and nothing of TKu is left here
    EXPECT_EQ(custody_->maintain(kNow).error().code, ErrorCode::kUnavailable);
    EXPECT_TRUE(custody_->sign_audit_head(1, {}, kNow).empty());
    // What is public stays.
    EXPECT_TRUE(custody_->report().locked);
    EXPECT_EQ(custody_->report().store_version, before.store_version);
    EXPECT_TRUE(custody_->knows_key(custody_->keyring()->rows.front().key_id));

    const auto unlocked = custody_->unlock(seal());
    ASSERT_TRUE(unlocked.has_value()) << unlocked.error().message;
    EXPECT_TRUE(*unlocked);
    EXPECT_FALSE(*custody_->unlock(seal())) << "a second time";
    EXPECT_EQ(denial(attempt(), slot_), DenialKind::kZeroNotRead);
    read_zero();
    EXPECT_TRUE(rebuild(attempt(), slot_).has_value());
    EXPECT_EQ(is_kept(slot_), GetParam() == TokenOpening::kPerToken);
}

TEST_P(InBothModes, UnlockedWithAnotherKeyItStaysLocked) {
    custody_->lock();
    const auto refused = custody_->unlock(seal("other.key"));
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, ErrorCode::kBroken);
    EXPECT_EQ(denial(attempt(), slot_), DenialKind::kLocked);
}

TEST_P(InBothModes, P8_ATokenServesUntilItExpiresAndIsForgottenThen) {
    EXPECT_TRUE(rebuild(attempt(kExpiry - 1), slot_).has_value());
    EXPECT_EQ(denial(attempt(kExpiry), slot_), DenialKind::kTokenExpired);
    EXPECT_FALSE(is_kept(slot_));
}

TEST_P(InBothModes, AWithdrawnUserIsRefusedAtOnce) {
    ASSERT_TRUE(custody_->withdraw_user("nurse", withdraw("nurse"), kNow).has_value());
    EXPECT_FALSE(is_kept(slot_));
    EXPECT_EQ(denial(attempt(), slot_), DenialKind::kWithdrawnUser);
}

TEST_P(InBothModes, AnOldTripleIsRefusedAtOnce) {
    change_key("nurse");
    EXPECT_FALSE(is_kept(slot_));
    EXPECT_EQ(denial(attempt(), slot_), DenialKind::kUserShareStale);
}

TEST_P(InBothModes, AnotherTextIsAnotherToken) {
    auto altered = core::SecretBytes::copy_of(token_.reveal());
    altered.reveal_mutable()[altered.size() / 2] ^= 1U;
    EXPECT_FALSE(rebuild({"nurse", &altered, &app_}, slot_).has_value());
    EXPECT_TRUE(rebuild(attempt(), slot_).has_value());
    const core::SecretBytes next = token(*nurse_);
    ASSERT_TRUE(rebuild({"nurse", &next, &app_}, slot_).has_value());
    EXPECT_FALSE(is_kept(slot_)) << "the former one";
}

TEST_P(InBothModes, EverythingElseIsCheckedEachTime) {
    Attempt other_login = attempt();
    other_login.login = "other_app";
    EXPECT_EQ(denial(other_login, slot_), DenialKind::kTokenTaken);
    ASSERT_TRUE(rebuild(attempt(), slot_).has_value());
    const Holdings clerk = add_user("clerk");
    const core::SecretBytes clerk_app = app_text(clerk);
    EXPECT_EQ(denial({"clerk", &token_, &clerk_app}, slot_), DenialKind::kTokenForeign);
    ASSERT_TRUE(rebuild(attempt(), slot_).has_value());
    EXPECT_EQ(denial({"nurse", &token_, &clerk_app}, slot_), DenialKind::kAppShareForeign);
    EXPECT_EQ(denial({"nurse", nullptr, &app_}, slot_), DenialKind::kMissingToken);
    EXPECT_FALSE(is_kept(slot_));
}

TEST_P(InBothModes, ADestroyedTokenKeyEndsItsTokens) {
    const std::int64_t later_s =
        kNow + limits_.key_epoch_s + limits_.max_validity_s + limits_.clock_skew_s + 1;
    token_ = token(*nurse_, {later_s, 60});
    ASSERT_TRUE(rebuild(attempt(later_s), slot_).has_value());
    const std::int64_t end_s =
        later_s + limits_.key_epoch_s + limits_.max_validity_s + limits_.clock_skew_s + 1;
    ASSERT_TRUE(custody_->token_key_statement(end_s).has_value());
    EXPECT_EQ(denial(attempt(later_s), slot_), DenialKind::kTokenKeyDestroyed);
}

TEST_P(InBothModes, ATransactionMayFinishFromTheTextAlone) {
    limits_.grace_s = 40;
    restart();
    read_zero();
    OpenedTokens::Slot slot;
    ASSERT_TRUE(rebuild(attempt(), slot).has_value());
    Attempt late = attempt(kExpiry + 1);
    late.may_finish = true;
    EXPECT_TRUE(rebuild(late, slot).has_value());
    EXPECT_FALSE(is_kept(slot));
}

INSTANTIATE_TEST_SUITE_P(
    Tokens,
    InBothModes,
    testing::Values(TokenOpening::kPerRequest, TokenOpening::kPerToken),
    [](const auto& mode) {
        return std::string(mode.param == TokenOpening::kPerToken ? "PerToken" : "PerRequest");
    }
);

class OpenedPerToken : public OpenedTokensTest {
protected:
    void SetUp() override {
        World::SetUp();
        start(TokenOpening::kPerToken);
    }

    // TKu is in memory because of `slot` alone.
    void expect_kept(const OpenedTokens::Slot& slot) const {
        EXPECT_TRUE(is_kept(slot));
        const Hits seen = hits();
        EXPECT_GT(seen.in_arena, 0U);
        EXPECT_EQ(seen.elsewhere, 0U);
    }
};

TEST_F(OpenedPerToken, ATokenIsOpenedOnce) {
    OpenedTokens::Slot slot;
    ASSERT_TRUE(rebuild(attempt(), slot).has_value());
    const OpenedTokenPtr first = OpenedTokens::find(slot, token_.reveal());
    ASSERT_TRUE(rebuild(attempt(kNow + 1), slot).has_value());
    EXPECT_EQ(OpenedTokens::find(slot, token_.reveal()), first);
}

TEST_F(OpenedPerToken, LeavesNothingOfTKuOnceTheTokenHasExpired) {
    forget_users();
    OpenedTokens::Slot slot;
    ASSERT_TRUE(rebuild(attempt(), slot).has_value());
    expect_kept(slot);
    ASSERT_TRUE(custody_->maintain(kExpiry - 1).has_value());
    expect_kept(slot);
    ASSERT_TRUE(custody_->maintain(kExpiry).has_value());
    EXPECT_EQ(total(hits()), 0U);
}

TEST_F(OpenedPerToken, LeavesNothingOfTKuOfAWithdrawnUser) {
    const std::string command = withdraw("nurse");
    forget_users();
    OpenedTokens::Slot slot;
    ASSERT_TRUE(rebuild(attempt(), slot).has_value());
    expect_kept(slot);
    ASSERT_TRUE(custody_->withdraw_user("nurse", command, kNow).has_value());
    EXPECT_EQ(total(hits()), 0U);
}

TEST_F(OpenedPerToken, LeavesNothingOfTKuWhenTheSessionWipesItOrEnds) {
    forget_users();
    {
        OpenedTokens::Slot slot;
        ASSERT_TRUE(rebuild(attempt(), slot).has_value());
        expect_kept(slot);
        slot.wipe();
        EXPECT_EQ(total(hits()), 0U);
        ASSERT_TRUE(rebuild(attempt(), slot).has_value());
        expect_kept(slot);
    }
    EXPECT_EQ(total(hits()), 0U);
}

TEST_F(OpenedPerToken, AWithdrawalThatOvertakesARequestIsHeard) {
    OpenedTokens tokens;
    OpenedTokens::Slot slot;
    share::TokenContents contents;
    contents.user_id = "nurse";
    const auto opened =
        std::make_shared<const OpenedToken>(OpenedToken{std::move(contents), 1, {}});
    const std::uint64_t before = tokens.wipes();
    tokens.wipe_of("nurse");
    std::weak_ptr<const OpenedToken> kept = opened;
    tokens.keep(slot, opened, before);
    EXPECT_EQ(kept.use_count(), 1) << "only this test holds it";
    tokens.keep(slot, opened, tokens.wipes());
    EXPECT_EQ(kept.use_count(), 2);
}

TEST_F(OpenedPerToken, SessionsAndTheTenantMeetInThreads) {
    std::atomic<bool> withdrawn = false;
    std::atomic<int> wrong = 0;
    const auto session = [&] {
        OpenedTokens::Slot slot;
        bool must_fail = false;
        for (int turn = 0; turn < 200 && !must_fail; ++turn) {
            must_fail = withdrawn;
            wrong += rebuild(attempt(), slot).has_value() && must_fail ? 1 : 0;
        }
        wrong += withdrawn && is_kept(slot) ? 1 : 0;
    };
    std::thread one(session);
    std::thread two(session);
    EXPECT_TRUE(custody_->maintain(kNow + 1).has_value());
    EXPECT_TRUE(custody_->withdraw_user("nurse", withdraw("nurse"), kNow).has_value());
    withdrawn = true;
    one.join();
    two.join();
    EXPECT_EQ(wrong, 0);
}

class OpenedPerRequest : public OpenedTokensTest {};

TEST_F(OpenedPerRequest, P2_LeavesNothingOfTKuBetweenRequests) {
    start(TokenOpening::kPerRequest);
    forget_users();
    OpenedTokens::Slot slot;
    ASSERT_TRUE(rebuild(attempt(), slot).has_value());
    EXPECT_EQ(total(hits()), 0U);
}

}  // namespace
}  // namespace pgveil::store::test
