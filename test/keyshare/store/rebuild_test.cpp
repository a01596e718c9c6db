#include "test/keyshare/store/world.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>

namespace pgveil::store::test {
namespace {

using share::DenialKind;

class Rebuild : public World {
protected:
    void SetUp() override {
        World::SetUp();
        nurse_ = std::make_unique<Holdings>(add_user("nurse"));
        clerk_ = std::make_unique<Holdings>(add_user("clerk"));
        nurse_token_ = token(*nurse_);
        nurse_app_ = app_text(*nurse_);
        clerk_app_ = app_text(*clerk_);
    }

    Attempt good() const { return {"nurse", &nurse_token_, &nurse_app_}; }

    // Seals contents of the nurse after `change`, to P's real token key.
    core::SecretBytes token_with(const std::function<void(share::TokenContents&)>& change) {
        share::TokenContents contents;
        contents.tenant = "acme";
        contents.user_id = "nurse";
        contents.issued_at_s = kNow;
        contents.expires_at_s = kNow + 60;
        core::system_random().fill(contents.nonce);
        contents.audience = enrolment_->proxy_identity.fingerprint();
        contents.epoch = 1;
        for (const auto& [group, part] : nurse_->user_key.groups) {
            contents.groups.push_back({group, part.duplicate()});
        }
        change(contents);
        return *share::seal_token(contents, token_key());
    }

    DenialKind denial_of_token(const std::function<void(share::TokenContents&)>& change) {
        const core::SecretBytes changed = token_with(change);
        return denial_of({"nurse", &changed, &nurse_app_});
    }

    DenialKind denial_of_app_share(const std::function<void(share::AppShare&)>& change) const {
        auto changed = *share::parse_app_share(nurse_app_.reveal());
        change(changed);
        const core::SecretBytes text = serialize(changed);
        return denial_of({"nurse", &nurse_token_, &text});
    }

    std::unique_ptr<Holdings> nurse_, clerk_;
    core::SecretBytes nurse_token_, nurse_app_, clerk_app_;
};

TEST_F(Rebuild, ThreeSharesGiveTheKeysOfTheirGroups) {
    auto keys = rebuild(good());
    ASSERT_TRUE(keys.has_value()) << keys.error().message;
    EXPECT_EQ(keys->token_expires_s(), kNow + 60);
    const auto one = keys->column_key({"default", "public.p.ssn", "equality", "siv", 64});
    const auto two = keys->column_key({"medical", "public.p.note", "randomized", "xaes", 32});
    ASSERT_TRUE(one.has_value());
    ASSERT_TRUE(two.has_value());
    EXPECT_EQ(one->key_id, *keys->sealing_key_id("default", true));
}

TEST_F(Rebuild, TwoUsersGetTheSameColumnKey) {
    const core::SecretBytes clerk_token = token(*clerk_);
    auto first = rebuild(good());
    auto second = rebuild({"clerk", &clerk_token, &clerk_app_});
    ASSERT_TRUE(first.has_value());
    ASSERT_TRUE(second.has_value());
    const auto one = first->column_key({"default", "c", "equality", "siv", 64});
    const auto two = second->column_key({"default", "c", "equality", "siv", 64});
    EXPECT_TRUE(std::ranges::equal(one->key->reveal(), two->key->reveal()));
}

TEST_F(Rebuild, OneTokenServesManyRequestsUntilItExpires) {
    for (std::int64_t second = 0; second < 60; second += 10) {
        Attempt attempt = good();
        attempt.now_s = kNow + second;
        EXPECT_TRUE(rebuild(attempt).has_value());
    }
}

TEST_F(Rebuild, NoTwoOfThreeSharesOpenAnything) {
    EXPECT_EQ(denial_of({"nurse", &nurse_token_, nullptr}), DenialKind::kMissingAppShare);
    EXPECT_EQ(denial_of({"nurse", nullptr, &nurse_app_}), DenialKind::kMissingToken);
    EXPECT_EQ(denial_of({"", &nurse_token_, &nurse_app_}), DenialKind::kMissingUserId);
    const core::SecretBytes empty;
    EXPECT_EQ(denial_of({"nurse", &empty, &nurse_app_}), DenialKind::kMissingToken);
    ASSERT_TRUE(custody_->withdraw_user("nurse", withdraw("nurse"), kNow).has_value());
    EXPECT_EQ(denial_of(good()), DenialKind::kWithdrawnUser);  // the proxy's share is gone
}

TEST_F(Rebuild, MixedSharesAreNamed) {
    EXPECT_EQ(denial_of({"nurse", &nurse_token_, &clerk_app_}), DenialKind::kAppShareForeign);
    EXPECT_EQ(denial_of({"clerk", &nurse_token_, &clerk_app_}), DenialKind::kTokenForeign);
    EXPECT_EQ(denial_of({"porter", &nurse_token_, &nurse_app_}), DenialKind::kUnknownUser);
    EXPECT_EQ(denial_of({"nurse", &nurse_app_, &nurse_app_}), DenialKind::kTokenMalformed);
    EXPECT_EQ(denial_of({"nurse", &nurse_token_, &nurse_token_}), DenialKind::kAppShareMalformed);
}

TEST_F(Rebuild, EveryFlippedBitOfTokenAndAppShareIsRefused) {
    ASSERT_TRUE(rebuild(good()).has_value());
    for (std::size_t at = 0; at < nurse_token_.size(); at += 5) {
        auto damaged = core::SecretBytes::copy_of(nurse_token_.reveal());
        damaged.reveal_mutable()[at] ^= static_cast<std::uint8_t>(1U << (at % 8));
        ASSERT_FALSE(rebuild({"nurse", &damaged, &nurse_app_}).has_value()) << at;
    }
    for (std::size_t bit = 0; bit < nurse_app_.size() * 8; ++bit) {
        auto damaged = core::SecretBytes::copy_of(nurse_app_.reveal());
        damaged.reveal_mutable()[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
        ASSERT_FALSE(rebuild({"nurse", &nurse_token_, &damaged}).has_value()) << bit;
    }
}

TEST_F(Rebuild, AnExpiredTokenSaysSinceWhen) {
    Attempt attempt = good();
    attempt.now_s = kNow + 59;
    EXPECT_TRUE(rebuild(attempt).has_value());
    attempt.now_s = kNow + 60 + 42;
    EXPECT_EQ(denial_of(attempt), DenialKind::kTokenExpired);
    EXPECT_NE(rebuild(attempt).error().message.find("42 s ago"), std::string::npos);
    attempt.now_s = kNow + 60;
    EXPECT_EQ(denial_of(attempt), DenialKind::kTokenExpired);
}

TEST_F(Rebuild, ClocksMayDifferByTheSkewOnly) {
    const auto issued = [](std::int64_t offset_s) {
        return [offset_s](share::TokenContents& contents) {
            contents.issued_at_s = kNow + offset_s;
            contents.expires_at_s = kNow + offset_s + 60;
        };
    };
    const core::SecretBytes ahead = token_with(issued(30));
    EXPECT_TRUE(rebuild({"nurse", &ahead, &nurse_app_}).has_value());
    const core::SecretBytes behind = token_with(issued(-30));
    EXPECT_TRUE(rebuild({"nurse", &behind, &nurse_app_}).has_value());
    EXPECT_EQ(denial_of_token(issued(31)), DenialKind::kTokenNotYetValid);
    EXPECT_EQ(denial_of_token(issued(600)), DenialKind::kTokenNotYetValid);
    EXPECT_EQ(denial_of_token(issued(-600)), DenialKind::kTokenExpired);
}

TEST_F(Rebuild, AValidityLongerThanAllowedIsRefused) {
    const core::SecretBytes longest =
        token_with([](share::TokenContents& contents) { contents.expires_at_s = kNow + 300; });
    EXPECT_TRUE(rebuild({"nurse", &longest, &nurse_app_}).has_value());
    EXPECT_EQ(
        denial_of_token([](share::TokenContents& contents) { contents.expires_at_s = kNow + 301; }),
        DenialKind::kTokenValidTooLong
    );
}

TEST_F(Rebuild, AScopeIsNeverIgnored) {
    EXPECT_EQ(
        denial_of_token([](share::TokenContents& contents) { contents.scope = "read-only"; }),
        DenialKind::kTokenScope
    );
}

TEST_F(Rebuild, TokensForOtherProxiesAndTenantsAreNamed) {
    EXPECT_EQ(
        denial_of_token([](share::TokenContents& contents) { contents.audience[0] ^= 1U; }),
        DenialKind::kTokenForeign
    );
    // Sealed for another tenant: the seal's info differs, so it does not even open.
    EXPECT_EQ(
        denial_of_token([](share::TokenContents& contents) { contents.tenant = "other"; }),
        DenialKind::kTokenAltered
    );
    const core::HpkeKeyPair elsewhere = core::HpkeKeyPair::generate();
    const auto foreign = share::make_token(
        nurse_->user_key, {12345, elsewhere.point}, {kNow, 60}, core::system_random()
    );
    EXPECT_EQ(denial_of({"nurse", &*foreign, &nurse_app_}), DenialKind::kTokenKeyUnknown);
    const auto wrong_key = share::make_token(
        nurse_->user_key, {token_key().key_id, elsewhere.point}, {kNow, 60}, core::system_random()
    );
    EXPECT_EQ(denial_of({"nurse", &*wrong_key, &nurse_app_}), DenialKind::kTokenAltered);
}

TEST_F(Rebuild, StaleAndWrongUserSharesAreNamed) {
    EXPECT_EQ(
        denial_of_token([](share::TokenContents& contents) { contents.epoch = 2; }),
        DenialKind::kUserShareStale
    );
    EXPECT_EQ(
        denial_of_token([](share::TokenContents& contents) {
            contents.groups[0].part.reveal_mutable()[5] ^= 1U;
        }),
        DenialKind::kUserShareWrong
    );
}

TEST_F(Rebuild, StaleForeignAndWrongAppSharesAreNamed) {
    EXPECT_EQ(
        denial_of_app_share([](share::AppShare& app) { app.epoch = 3; }), DenialKind::kAppShareStale
    );
    EXPECT_EQ(
        denial_of_app_share([](share::AppShare& app) { app.tenant = "other"; }),
        DenialKind::kAppShareForeign
    );
    EXPECT_EQ(
        denial_of_app_share([](share::AppShare& app) {
            app.groups[0].part.reveal_mutable()[5] ^= 1U;
        }),
        DenialKind::kAppShareWrong
    );
    const auto stale = serialize(share::AppShare{"acme", "nurse", 3, [] {
                                                     share::GroupParts<share::AppPart> parts;
                                                     parts.push_back({"default", share::AppPart()});
                                                     return parts;
                                                 }()});
    const auto verdict = rebuild({"nurse", &nurse_token_, &stale});
    ASSERT_FALSE(verdict.has_value());
    EXPECT_NE(verdict.error().message.find("share epoch 3, in force 1"), std::string::npos)
        << verdict.error().message;
}

TEST_F(Rebuild, P16_ATokenOfOneGroupOpensThatGroupOnly) {
    const core::SecretBytes narrow =
        token_with([](share::TokenContents& contents) { contents.groups.pop_back(); });
    auto keys = rebuild({"nurse", &narrow, &nurse_app_});
    ASSERT_TRUE(keys.has_value());
    EXPECT_TRUE(keys->column_key({"default", "c", "equality", "siv", 64}).has_value());
    const auto refused = keys->column_key({"medical", "c", "equality", "siv", 64});
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, share::ErrorCode::kUnknownGroup);
}

TEST_F(Rebuild, SharesWithoutACommonGroupAreRefused) {
    const core::SecretBytes medical = token_with([](share::TokenContents& contents) {
        contents.groups.erase(contents.groups.begin());
    });
    auto app = *share::parse_app_share(nurse_app_.reveal());
    app.groups.pop_back();
    const core::SecretBytes text = serialize(app);
    EXPECT_EQ(denial_of({"nurse", &medical, &text}), DenialKind::kNoCommonGroup);
}

TEST_F(Rebuild, ATokenBelongsToTheLoginThatFirstUsedIt) {
    Attempt thief = good();
    thief.login = "other_app";
    ASSERT_TRUE(rebuild(good()).has_value());
    EXPECT_EQ(denial_of(thief), DenialKind::kTokenTaken);
    EXPECT_TRUE(rebuild(good()).has_value());
}

TEST_F(Rebuild, AFailedAttemptDoesNotTakeTheToken) {
    Attempt thief{"nurse", &nurse_token_, &clerk_app_};
    thief.login = "other_app";
    EXPECT_FALSE(rebuild(thief).has_value());
    EXPECT_TRUE(rebuild(good()).has_value());
}

TEST_F(Rebuild, P4_WithoutTheZeroReadFromTheDatabaseThereAreNoKeys) {
    restart();
    EXPECT_EQ(denial_of(good()), DenialKind::kZeroNotRead);
    read_zero();
    EXPECT_TRUE(rebuild(good()).has_value());
}

}  // namespace
}  // namespace pgveil::store::test
