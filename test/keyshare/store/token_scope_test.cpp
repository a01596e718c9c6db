#include "test/keyshare/store/world.hpp"

#include <gtest/gtest.h>

#include <optional>

// Scopes of tokens as the store enforces them: role, uses, statements.
namespace pgveil::store::test {
namespace {

using share::DenialKind;

class ScopedToken : public World {
protected:
    void SetUp() override {
        World::SetUp();
        nurse_.emplace(add_user("nurse"));
        app_ = app_text(*nurse_);
    }

    core::SecretBytes scoped(const share::TokenScope& scope) {
        return *share::make_token(
            nurse_->user_key, token_key(), {kNow, 60}, core::system_random(), scope
        );
    }

    Attempt with(const core::SecretBytes& token) const { return {"nurse", &token, &app_}; }

    /// How many statements of one session get through until the first that does not; at most 100.
    std::uint32_t statements_given(const core::SecretBytes& token) {
        OpenedTokens::Slot slot;
        for (std::uint32_t given = 0; given < 100; ++given) {
            const auto keys = rebuild(with(token), slot);
            if (!keys.has_value() || !custody_->count_statement(*keys).has_value()) {
                return given;
            }
        }
        return 100;
    }

    void restart_and_read() {
        restart();
        read_zero();
    }

    std::optional<Holdings> nurse_;
    core::SecretBytes app_;
};

TEST_F(ScopedToken, ARoleIsTheOnlyOneThatMayPresentIt) {
    const core::SecretBytes token = scoped({.role = "clinic"});
    EXPECT_TRUE(rebuild(with(token)).has_value());
    Attempt other = with(token);
    other.login = "reports";
    EXPECT_EQ(denial_of(other), DenialKind::kTokenRole);
    EXPECT_NE(rebuild(other).error().message.find("\"clinic\""), std::string::npos);
}

TEST_F(ScopedToken, ATlsConnectionIsTheOnlyOneThatMayPresentIt) {
    const share::Digest own{1};
    const core::SecretBytes token = scoped({.tls = own});
    EXPECT_EQ(denial_of(with(token)), DenialKind::kTokenChannel) << "without TLS";
    Attempt other = with(token);
    other.channel = share::Digest{2};
    EXPECT_EQ(denial_of(other), DenialKind::kTokenChannel);
    Attempt right = with(token);
    right.channel = own;
    EXPECT_TRUE(rebuild(right).has_value()) << "control";
}

TEST_F(ScopedToken, ATokenThatIsKeptOpenStaysWithItsTlsConnection) {
    opening_ = TokenOpening::kPerToken;
    restart_and_read();
    const core::SecretBytes token = scoped({.tls = share::Digest{1}});
    Attempt attempt = with(token);
    attempt.channel = share::Digest{1};
    OpenedTokens::Slot slot;
    EXPECT_TRUE(rebuild(attempt, slot).has_value()) << "control";
    attempt.channel = share::Digest{2};
    EXPECT_FALSE(rebuild(attempt, slot).has_value());
}

/// Tokens made by a clock that is ten minutes behind the proxy's, unless they say otherwise.
class ChallengeToken : public ScopedToken {
protected:
    core::SecretBytes answering(
        const share::Nonce& challenge, share::TokenTimes times = {kNow - 600, 60}
    ) {
        return *share::make_token(
            nurse_->user_key, token_key(), times, core::system_random(), {.challenge = challenge}
        );
    }

    Attempt in(share::Challenges& session, const core::SecretBytes& token, std::int64_t now_s) {
        Attempt attempt = with(token);
        attempt.challenges = &session;
        attempt.now_s = now_s;
        return attempt;
    }

    share::Nonce give(std::int64_t now_s = kNow) {
        return session_.give(core::system_random(), now_s);
    }

    share::Challenges session_;
};

TEST_F(ChallengeToken, P15_CountsByTheProxysClockFromWhenTheChallengeWasGiven) {
    for (const std::int64_t clock_s : {kNow - 600, kNow + 600, std::int64_t{0}}) {
        const core::SecretBytes plain = token(*nurse_, {clock_s, 60});
        EXPECT_FALSE(rebuild(in(session_, plain, kNow)).has_value()) << "control: no challenge";
        const core::SecretBytes token = answering(give(), {clock_s, 60});
        EXPECT_TRUE(rebuild(in(session_, token, kNow)).has_value());
        EXPECT_TRUE(rebuild(in(session_, token, kNow + 59)).has_value());
        EXPECT_EQ(denial_of(in(session_, token, kNow + 60)), DenialKind::kTokenExpired);
    }
}

TEST_F(ChallengeToken, IsRefusedInAnySessionThatWasNotGivenIt) {
    const core::SecretBytes token = answering(give());
    share::Challenges other;
    other.give(core::system_random(), kNow);
    EXPECT_EQ(denial_of(in(other, token, kNow)), DenialKind::kTokenChallenge);
    EXPECT_EQ(denial_of(with(token)), DenialKind::kTokenChallenge) << "no challenge was ever given";
    EXPECT_TRUE(rebuild(in(session_, token, kNow)).has_value()) << "control";
    session_.forget();
    EXPECT_EQ(denial_of(in(session_, token, kNow)), DenialKind::kTokenChallenge);
}

TEST_F(ChallengeToken, ATokenThatIsKeptOpenDiesWithItsChallenge) {
    opening_ = TokenOpening::kPerToken;
    restart_and_read();
    const core::SecretBytes token = answering(give());
    OpenedTokens::Slot slot;
    EXPECT_TRUE(rebuild(in(session_, token, kNow), slot).has_value());
    EXPECT_TRUE(rebuild(in(session_, token, kNow), slot).has_value());
    session_.forget();
    EXPECT_FALSE(rebuild(in(session_, token, kNow), slot).has_value());
}

TEST_F(ChallengeToken, AnswersEachChallengeOnce) {
    const share::Nonce challenge = give();
    const core::SecretBytes first = answering(challenge);
    const core::SecretBytes second = answering(challenge);
    EXPECT_TRUE(rebuild(in(session_, first, kNow)).has_value());
    const auto refused = rebuild(in(session_, second, kNow));
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().kind, DenialKind::kTokenChallenge);
    EXPECT_NE(refused.error().message.find("another token"), std::string::npos);
    EXPECT_TRUE(rebuild(in(session_, first, kNow)).has_value());
    const core::SecretBytes third = answering(give());
    EXPECT_TRUE(rebuild(in(session_, third, kNow)).has_value()) << "control: one of its own";
}

TEST_F(ChallengeToken, IsNotValidForLongerThanOthers) {
    const std::int64_t longest_s = limits_.max_validity_s;
    const core::SecretBytes too_long = answering(give(), {kNow, longest_s + 1});
    EXPECT_EQ(denial_of(in(session_, too_long, kNow)), DenialKind::kTokenValidTooLong);
    const core::SecretBytes for_ever = answering(give(), {0, INT64_MAX});
    EXPECT_EQ(denial_of(in(session_, for_ever, kNow)), DenialKind::kTokenValidTooLong);
    const core::SecretBytes fits = answering(give(), {kNow, longest_s});
    EXPECT_TRUE(rebuild(in(session_, fits, kNow)).has_value());
}

TEST_F(ChallengeToken, MayBeDemandedOfSomeUsersOrAll) {
    const core::SecretBytes plain = token(*nurse_);
    EXPECT_TRUE(rebuild(with(plain)).has_value()) << "control: not demanded";
    for (const ChallengeDemand& demand :
         {ChallengeDemand{true, {}}, ChallengeDemand{false, {"clerk", "nurse"}}}) {
        limits_.challenge = demand;
        restart_and_read();
        const core::SecretBytes none = token(*nurse_);
        EXPECT_EQ(denial_of(with(none)), DenialKind::kChallengeMissing);
        const core::SecretBytes answer = answering(give());
        EXPECT_TRUE(rebuild(in(session_, answer, kNow)).has_value());
    }
    limits_.challenge = {false, {"clerk"}};
    restart_and_read();
    EXPECT_TRUE(rebuild(with(plain)).has_value());
}

TEST_F(ScopedToken, TheKeysSayWhatTheyAreFor) {
    const core::SecretBytes plain = token(*nurse_);
    EXPECT_EQ(rebuild(with(plain))->scope(), nullptr);
    const share::TokenScope scope{.read_only = true, .tables = {"public.patients"}};
    const core::SecretBytes restricted = scoped(scope);
    EXPECT_EQ(*rebuild(with(restricted))->scope(), scope);
}

TEST_F(ScopedToken, LookingAtAScopeClaimsAndCountsNothing) {
    const core::SecretBytes token = scoped({.uses = 1});
    const auto scope = custody_->scope_of({"nurse", "thief", &token, &app_}, kNow);
    ASSERT_NE(scope, nullptr);
    EXPECT_EQ(scope->uses, 1U);
    EXPECT_EQ(custody_->scope_of({"nurse", "clinic", &token, &app_}, kNow + 60), nullptr);
    EXPECT_TRUE(rebuild(with(token)).has_value()) << "the first use is still there, and nobody's";
}

TEST_F(ScopedToken, UsesAreSessions) {
    const core::SecretBytes token = scoped({.uses = 2});
    OpenedTokens::Slot first;
    OpenedTokens::Slot second;
    for (int request = 0; request < 5; ++request) {
        EXPECT_TRUE(rebuild(with(token), first).has_value());
    }
    EXPECT_TRUE(rebuild(with(token), second).has_value());
    EXPECT_EQ(denial_of(with(token)), DenialKind::kTokenSpent);
    first.wipe();
    EXPECT_TRUE(rebuild(with(token), first).has_value()) << "a session that has begun goes on";
}

TEST_F(ScopedToken, ASessionThatComesBackToATokenUsesItAgain) {
    const core::SecretBytes one = scoped({.uses = 1});
    const core::SecretBytes other = scoped({.uses = 1});
    OpenedTokens::Slot slot;
    EXPECT_TRUE(rebuild(with(one), slot).has_value());
    EXPECT_TRUE(rebuild(with(other), slot).has_value());
    EXPECT_FALSE(rebuild(with(one), slot).has_value());
}

TEST_F(ScopedToken, UsesAreNotGivenAgainAfterARestart) {
    const core::SecretBytes token = scoped({.uses = 2});
    ASSERT_TRUE(rebuild(with(token)).has_value());
    restart_and_read();
    ASSERT_TRUE(rebuild(with(token)).has_value()) << "control: the second one is left";
    restart_and_read();
    EXPECT_EQ(denial_of(with(token)), DenialKind::kTokenSpent);
}

TEST_F(ScopedToken, StatementsAreCountedAcrossSessions) {
    const core::SecretBytes token = scoped({.statements = 3});
    OpenedTokens::Slot slot;
    const auto keys = rebuild(with(token), slot);
    ASSERT_TRUE(keys.has_value());
    EXPECT_TRUE(custody_->count_statement(*keys).has_value());
    EXPECT_EQ(statements_given(token), 2U);
    EXPECT_EQ(denial_of(with(token)), DenialKind::kTokenSpent);
    const auto spent = custody_->count_statement(*keys);
    ASSERT_FALSE(spent.has_value()) << "keys from before give no more either";
    EXPECT_EQ(spent.error().kind, DenialKind::kTokenSpent);
    EXPECT_NE(spent.error().message.find("3 statements"), std::string::npos);
}

TEST_F(ScopedToken, StatementsAreNotGivenAgainAfterARestart) {
    const core::SecretBytes token = scoped({.statements = 3});
    {
        OpenedTokens::Slot slot;
        const auto keys = rebuild(with(token), slot);
        ASSERT_TRUE(custody_->count_statement(*keys).has_value());
    }
    restart_and_read();
    EXPECT_EQ(statements_given(token), 2U);
    restart_and_read();
    EXPECT_EQ(statements_given(token), 0U);
}

TEST_F(ScopedToken, WhatWasReservedAndLostCountsAsGiven) {
    const core::SecretBytes token = scoped({.statements = 64});  // reserved four at a time
    {
        OpenedTokens::Slot slot;
        const auto keys = rebuild(with(token), slot);
        ASSERT_TRUE(custody_->count_statement(*keys).has_value());
    }
    restart_and_read();
    EXPECT_EQ(statements_given(token), 60U);
}

TEST_F(ScopedToken, CountsSurviveARenewalOfTheStoreKey) {
    const core::SecretBytes token = scoped({.statements = 2});
    const auto keys = rebuild(with(token));
    ASSERT_TRUE(custody_->count_statement(*keys).has_value());
    add_user("clerk");
    ASSERT_TRUE(custody_->withdraw_user("clerk", withdraw("clerk"), kNow).has_value());
    restart_and_read();
    EXPECT_EQ(statements_given(token), 1U);
}

TEST_F(ScopedToken, P15_AClockSetBackGivesNothingAgain) {
    const core::SecretBytes once = scoped({.uses = 1});
    const core::SecretBytes plain = token(*nurse_);
    ASSERT_TRUE(rebuild(with(once)).has_value());
    ASSERT_TRUE(rebuild(with(plain)).has_value());
    ASSERT_TRUE(custody_->maintain(kNow + 10000).has_value());    // both are over and forgotten
    EXPECT_EQ(denial_of(with(once)), DenialKind::kTokenExpired);  // the clock says kNow again
    Attempt thief = with(plain);
    thief.login = "thief";
    EXPECT_EQ(denial_of(thief), DenialKind::kTokenExpired);
    EXPECT_NE(rebuild(thief).error().message.find("clock"), std::string::npos);
    restart_and_read();
    EXPECT_EQ(denial_of(with(once)), DenialKind::kTokenExpired);
    add_user("clerk");
    ASSERT_TRUE(custody_->withdraw_user("clerk", withdraw("clerk"), kNow).has_value());
    restart_and_read();  // under another store key
    EXPECT_EQ(denial_of(with(once)), DenialKind::kTokenExpired);
    const core::SecretBytes later =
        *share::make_token(nurse_->user_key, token_key(), {kNow + 1, 60}, core::system_random());
    EXPECT_TRUE(rebuild(with(later)).has_value()) << "control: a new one is good at once";
}

TEST_F(ScopedToken, AnUncountedTokenIsNeverSpent) {
    const core::SecretBytes plain = token(*nurse_);
    EXPECT_EQ(statements_given(plain), 100U);
    const core::SecretBytes restricted = scoped({.read_only = true});
    EXPECT_EQ(statements_given(restricted), 100U);
}

}  // namespace
}  // namespace pgveil::store::test
