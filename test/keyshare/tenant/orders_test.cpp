#include "keyshare/tenant/orders.hpp"

#include "keyshare/tenant/calls.hpp"
#include "test/keyshare/tenant/enrolled.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pgveil::tenant {

namespace {

using testing::HasSubstr;
using testing::StartsWith;
using user::Scratch;

class Orders : public testing::Test {
protected:
    Result<void> add(const std::string& user_id, std::vector<std::string> groups = {"default"}) {
        return add_user(
            home_.state(),
            {user_id, std::move(groups)},
            {kTestNow, kTestNow + 86400},
            core::system_random()
        );
    }

    Result<std::size_t> send(share::Outcome outcome = share::Outcome::kApplied) {
        return file_receipts(
            home_.state(),
            proxy_.receipts(*calls_for(home_.state()).front().arguments.back(), outcome)
        );
    }

    HomeState& state() { return home_.state(); }

    Result<void> change(const std::string& user_id) {
        return change_user_key(
            home_.state(), user_id, {kTestNow, kTestNow + 86400}, core::system_random()
        );
    }

    Result<std::size_t> renew() {
        return renew_shares(home_.state(), {kTestNow, kTestNow + 86400}, core::system_random());
    }

    std::string kept_key(const std::string& user_id) {
        return std::string(core::as_text(state().find_user(user_id)->user_key.reveal()));
    }

    std::string status(std::string_view user_id) const { return status_of(home_.state(), user_id); }

    Scratch scratch_;
    FakeProxy proxy_;
    Home home_ = enrolled_home(scratch_ / "home", proxy_);
};

}  // namespace

TEST(UserId, IsWhatCanNameAFile) {
    for (const char* good : {"nurse", "a", "A.b_c@d-9", ".hidden"}) {
        EXPECT_TRUE(is_user_id(good)) << good;
    }
    EXPECT_TRUE(is_user_id(std::string(64, 'x')));
    for (const char* bad : {"", "a b", "a/b", "a'b", "a\nb", "m\xc3\xbcller", "a\\b", "a:b"}) {
        EXPECT_FALSE(is_user_id(bad)) << bad;
    }
    EXPECT_FALSE(is_user_id(std::string(65, 'x')));
}

TEST_F(Orders, AddIsPendingUntilItsReceiptIsFiled) {
    ASSERT_TRUE(add("nurse"));
    EXPECT_EQ(status("nurse"), "add pending");
    EXPECT_FALSE(state().find_user("nurse")->app_share.empty());
    const auto filed = send();
    ASSERT_TRUE(filed) << filed.error().message;
    EXPECT_EQ(*filed, 1U);
    EXPECT_EQ(status("nurse"), "active");
    EXPECT_TRUE(pending(state()).empty());
}

TEST_F(Orders, AppShareIsForgottenOnceReceiptedAndTKuIsKept) {
    ASSERT_TRUE(add("nurse"));
    ASSERT_TRUE(send());
    EXPECT_TRUE(state().find_user("nurse")->app_share.empty());
    EXPECT_FALSE(state().find_user("nurse")->user_key.empty());
}

TEST_F(Orders, CallCarriesEveryPendingCommandOldestFirst) {
    ASSERT_TRUE(add("nurse"));
    ASSERT_TRUE(add("clerk"));
    const Call call = calls_for(state()).front();
    EXPECT_EQ(call.function, "add_user");
    ASSERT_EQ(call.arguments.size(), 3U);
    EXPECT_EQ(*call.arguments[0], "clerk");
    EXPECT_FALSE(call.arguments[1]);
    EXPECT_EQ(*call.arguments[2], state().commands[0].jws + "," + state().commands[1].jws);
}

TEST_F(Orders, WithdrawCallHasNoAppShare) {
    ASSERT_TRUE(add("nurse"));
    ASSERT_TRUE(send());
    ASSERT_TRUE(withdraw_user(state(), "nurse", kTestNow));
    const Call call = calls_for(state()).front();
    EXPECT_EQ(call.function, "withdraw_user");
    ASSERT_EQ(call.arguments.size(), 2U);
    ASSERT_TRUE(send());
    EXPECT_EQ(status("nurse"), "withdrawn");
}

TEST_F(Orders, SqlFileHoldsTheCallAndNoAppShare) {
    ASSERT_TRUE(add("nurse"));
    const Call call = calls_for(state()).front();
    EXPECT_EQ(sql_file_name(call), "0001-add_user.sql");
    const std::string text = sql_file(state(), call);
    EXPECT_THAT(
        text,
        HasSubstr("\nSELECT pgveil.add_user('nurse', NULL, '" + state().commands[0].jws + "');\n")
    );
    EXPECT_THAT(text, testing::Not(HasSubstr("pgva1.")));
    EXPECT_THAT(text, StartsWith("-- "));
}

TEST_F(Orders, RefusesSecondAddOfPendingOrActiveUser) {
    ASSERT_TRUE(add("nurse"));
    EXPECT_THAT(add("nurse").error().message, HasSubstr("has no receipt yet"));
    ASSERT_TRUE(send());
    EXPECT_THAT(add("nurse").error().message, HasSubstr("is a user already"));
    EXPECT_EQ(state().commands.size(), 1U);
}

TEST_F(Orders, UserAddedAgainGetsTheNextEpoch) {
    ASSERT_TRUE(add("nurse"));
    ASSERT_TRUE(send());
    ASSERT_TRUE(withdraw_user(state(), "nurse", kTestNow));
    ASSERT_TRUE(send());
    ASSERT_TRUE(add("nurse"));
    EXPECT_EQ(state().find_user("nurse")->epoch, 2U);
    EXPECT_EQ(state().users.size(), 1U);
}

TEST_F(Orders, ExpiredAddCanBeOrderedAnew) {
    ASSERT_TRUE(add("nurse"));
    ASSERT_TRUE(send(share::Outcome::kExpired));
    EXPECT_EQ(status("nurse"), "add expired");
    EXPECT_TRUE(add("nurse"));
}

TEST_F(Orders, RefusedCommandKeepsItsReason) {
    ASSERT_TRUE(add("nurse"));
    ASSERT_TRUE(send(share::Outcome::kRefused));
    EXPECT_EQ(status("nurse"), "add refused");
    EXPECT_EQ(state().commands[0].reason, "no such user");
}

TEST_F(Orders, RefusesUnknownGroupAndUnknownUser) {
    EXPECT_FALSE(add("nurse", {"secret"}));
    EXPECT_FALSE(withdraw_user(state(), "nobody", kTestNow));
    EXPECT_FALSE(add("no/path"));
    EXPECT_TRUE(state().commands.empty());
    EXPECT_TRUE(add("nurse", {"default", "medical"}));
}

TEST_F(Orders, WithdrawnUserCannotBeWithdrawnAgain) {
    ASSERT_TRUE(add("nurse"));
    ASSERT_TRUE(send());
    ASSERT_TRUE(withdraw_user(state(), "nurse", kTestNow));
    EXPECT_TRUE(withdraw_user(state(), "nurse", kTestNow)) << "the same command again";
    EXPECT_EQ(pending(state()).size(), 1U);
    ASSERT_TRUE(send());
    EXPECT_THAT(
        withdraw_user(state(), "nurse", kTestNow).error().message, HasSubstr("withdrawn already")
    );
}

TEST_F(Orders, ReceiptOfAnotherProxyIsRefused) {
    Scratch other_scratch;
    FakeProxy other;
    Home other_home = enrolled_home(other_scratch / "home", other);
    ASSERT_TRUE(add("nurse"));
    ASSERT_TRUE(add_user(
        other_home.state(), {"nurse", {"default"}}, {kTestNow, kTestNow + 60}, core::system_random()
    ));
    const std::string foreign = other.receipts(other_home.state().commands[0].jws);
    EXPECT_FALSE(file_receipts(state(), foreign));
    EXPECT_EQ(status("nurse"), "add pending");
}

TEST_F(Orders, ReceiptOfAnotherCommandUnderTheSameNumberIsRefused) {
    ASSERT_TRUE(add("nurse"));
    const std::string receipt = proxy_.receipts(state().commands[0].jws);
    state().commands[0].jws.assign("not.the.command");
    EXPECT_FALSE(file_receipts(state(), receipt));
}

TEST_F(Orders, RepeatedReceiptChangesNothing) {
    ASSERT_TRUE(add("nurse"));
    const std::string receipt = proxy_.receipts(state().commands[0].jws);
    ASSERT_EQ(*file_receipts(state(), receipt), 1U);
    const auto again = file_receipts(state(), receipt);
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(*again, 0U);
}

TEST_F(Orders, ReceiptsMayComeForAPart) {
    ASSERT_TRUE(add("nurse"));
    ASSERT_TRUE(add("clerk"));
    ASSERT_TRUE(file_receipts(state(), proxy_.receipts(state().commands[0].jws)));
    EXPECT_EQ(status("nurse"), "active");
    EXPECT_EQ(status("clerk"), "add pending");
    EXPECT_EQ(*calls_for(state()).front().arguments[2], state().commands[1].jws);
}

TEST_F(Orders, ChangeKeyGivesTheNextEpochAndForgetsTheFormerKeyWithItsReceipt) {
    ASSERT_TRUE(add("nurse", {"default", "medical"}));
    ASSERT_TRUE(send());
    const std::string former = kept_key("nurse");
    ASSERT_TRUE(change("nurse"));
    EXPECT_EQ(status("nurse"), "active, change-key pending");
    EXPECT_EQ(calls_for(state()).front().function, "change_key");
    EXPECT_FALSE(calls_for(state()).front().arguments[1]);
    EXPECT_EQ(core::as_text(state().find_user("nurse")->former_key.reveal()), former);
    ASSERT_TRUE(send());
    EXPECT_EQ(status("nurse"), "active");
    EXPECT_EQ(share_epoch(*state().find_user("nurse")), 2U);
    EXPECT_NE(kept_key("nurse"), former);
    EXPECT_TRUE(state().find_user("nurse")->former_key.empty());
    EXPECT_TRUE(state().find_user("nurse")->app_share.empty());
    EXPECT_THAT(state().find_user("nurse")->groups, testing::ElementsAre("default", "medical"));
}

TEST_F(Orders, AChangeThatCameTooLateLeavesTheFormerKeyInForceAndItsEpochIsNotUsedAgain) {
    ASSERT_TRUE(add("nurse"));
    ASSERT_TRUE(send());
    const std::string former = kept_key("nurse");
    ASSERT_TRUE(change("nurse"));
    ASSERT_TRUE(send(share::Outcome::kExpired));
    EXPECT_EQ(status("nurse"), "active, change-key expired");
    EXPECT_EQ(kept_key("nurse"), former);
    EXPECT_EQ(share_epoch(*state().find_user("nurse")), 1U);
    ASSERT_TRUE(change("nurse"));
    EXPECT_EQ(share_epoch(*state().find_user("nurse")), 3U);
}

TEST_F(Orders, ChangeKeyAndCopyNeedAUserWithSharesInForce) {
    EXPECT_THAT(change("nurse").error().message, HasSubstr("no user nurse"));
    ASSERT_TRUE(add("nurse"));
    EXPECT_THAT(change("nurse").error().message, HasSubstr("no receipt yet"));
    EXPECT_THAT(kept_user(state(), "nurse").error().message, HasSubstr("no receipt yet"));
    ASSERT_TRUE(send());
    EXPECT_TRUE(kept_user(state(), "nurse"));
    ASSERT_TRUE(withdraw_user(state(), "nurse", kTestNow));
    ASSERT_TRUE(send());
    EXPECT_THAT(change("nurse").error().message, HasSubstr("no shares in force"));
    EXPECT_THAT(kept_user(state(), "nurse").error().message, HasSubstr("no shares in force"));
}

TEST_F(Orders, RenewSharesMakesOneCommandForEachActiveUserAndKeepsTKu) {
    for (const char* name : {"nurse", "clerk", "gone"}) {
        ASSERT_TRUE(add(name));
    }
    ASSERT_TRUE(withdraw_user(state(), "gone", kTestNow));
    ASSERT_TRUE(send());
    const std::string kept = kept_key("nurse");
    ASSERT_EQ(*renew(), 2U);
    EXPECT_EQ(pending(state()).size(), 2U);
    EXPECT_EQ(renewed_users(state()).size(), 2U);
    EXPECT_EQ(status("nurse"), "active, renew-shares pending");
    EXPECT_EQ(calls_for(state()).front().function, "apply");
    EXPECT_EQ(sql_file_name(calls_for(state()).front()), "0006-renew_shares.sql");
    EXPECT_EQ(state().find_user("nurse")->epoch, 2U);
    const auto app = share::parse_app_share(state().find_user("nurse")->app_share.reveal());
    ASSERT_TRUE(app);
    EXPECT_EQ(app->epoch, 2U);
    EXPECT_THAT(renew().error().message, HasSubstr("has no receipt yet"));
    ASSERT_TRUE(send());
    EXPECT_EQ(status("nurse"), "active");
    EXPECT_EQ(status("gone"), "withdrawn");
    EXPECT_EQ(kept_key("nurse"), kept);
    EXPECT_TRUE(state().find_user("nurse")->app_share.empty());
    ASSERT_TRUE(change("nurse"));
    EXPECT_EQ(share_epoch(*state().find_user("nurse")), 3U);
}

TEST_F(Orders, ARenewalThatCameTooLateLeavesTheUserAsHeWas) {
    ASSERT_TRUE(add("nurse"));
    ASSERT_TRUE(send());
    const std::string kept = kept_key("nurse");
    ASSERT_EQ(*renew(), 1U);
    ASSERT_TRUE(send(share::Outcome::kExpired));
    EXPECT_EQ(status("nurse"), "active, renew-shares expired");
    EXPECT_EQ(kept_key("nurse"), kept);
    ASSERT_EQ(*renew(), 1U);
    EXPECT_EQ(state().find_user("nurse")->epoch, 3U);
}

TEST_F(Orders, MoreCommandsThanACallCarriesMakeSeveralCallsInTheirOrder) {
    for (std::size_t at = 0; at <= share::kCommandsMax; ++at) {
        ASSERT_TRUE(add("user" + std::to_string(at)));
    }
    const auto calls = calls_for(state());
    ASSERT_EQ(calls.size(), 2U);
    EXPECT_EQ(calls[0].sequence, share::kCommandsMax);
    EXPECT_EQ(calls[0].commands.size(), share::kCommandsMax);
    EXPECT_EQ(calls[1].sequence, share::kCommandsMax + 1);
    EXPECT_EQ(*calls[1].arguments[2], state().commands.back().jws);
    EXPECT_EQ(sql_file_name(calls[1]), "1001-add_user.sql");
}

TEST_F(Orders, AnActiveUserIsNotAddedAgainAfterARefusedCommand) {
    ASSERT_TRUE(add("nurse"));
    ASSERT_TRUE(send());
    ASSERT_TRUE(withdraw_user(state(), "nurse", kTestNow));
    ASSERT_TRUE(send(share::Outcome::kRefused));
    const std::string kept = kept_key("nurse");
    EXPECT_THAT(add("nurse").error().message, HasSubstr("is a user already"));
    EXPECT_EQ(kept_key("nurse"), kept);
}

TEST_F(Orders, AHomeWithAPendingChangeSurvivesItsFile) {
    ASSERT_TRUE(add("nurse"));
    ASSERT_TRUE(send());
    ASSERT_TRUE(change("nurse"));
    const core::SecretBytes bytes = serialize(state());
    const auto again = parse_home_state(bytes.reveal());
    ASSERT_TRUE(again);
    EXPECT_EQ(serialize(*again).reveal().size(), bytes.reveal().size());
    EXPECT_TRUE(core::equal_in_constant_time(
        again->find_user("nurse")->former_key.reveal(),
        state().find_user("nurse")->former_key.reveal()
    ));
}

}  // namespace pgveil::tenant
