#include "keyshare/tenant/calls.hpp"
#include "keyshare/tenant/orders.hpp"
#include "test/keyshare/tenant/enrolled.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pgveil::tenant {

namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using user::Scratch;

constexpr share::CommandTimes kTkTimes{kTestNow, kTestNow + 86400};

class TkOrders : public testing::Test {
protected:
    TkOrders() {
        add("nurse", {"default", "medical"});
        add("clerk", {"medical"});
        EXPECT_TRUE(send());
    }

    void add(const std::string& user_id, std::vector<std::string> groups) {
        EXPECT_TRUE(add_user(state(), {user_id, std::move(groups)}, kTkTimes, core::system_random())
        );
    }

    Result<std::size_t> renew(const std::string& group) {
        return renew_tk(state(), group, kTkTimes, core::system_random());
    }

    Result<void> change(const std::string& user_id) {
        return change_user_key(state(), user_id, kTkTimes, core::system_random());
    }

    Result<std::size_t> send(share::Outcome outcome = share::Outcome::kApplied) {
        const auto commands = *calls_for(state()).front().arguments.back();
        return file_receipts(state(), proxy_.receipts(commands, outcome));
    }

    HomeState& state() { return home_.state(); }

    const UserRecord& user(const char* user_id) { return *state().find_user(user_id); }

    const share::GroupKey& key(std::size_t at) { return state().enrolment->groups[at]; }

    std::string kept(const char* user_id) {
        return std::string(core::as_text(user(user_id).user_key.reveal()));
    }

    Scratch scratch_;
    FakeProxy proxy_;
    Home home_ = enrolled_home(scratch_ / "home", proxy_);
};

TEST_F(TkOrders, IsOneCommandForEverybodyWhoHasTheGroupAndTheReceiptChangesTKOver) {
    const std::string kept_key = kept("nurse");
    ASSERT_EQ(*renew("default"), 1U);
    ASSERT_EQ(pending(state()).size(), 1U);
    const auto call = calls_for(state()).front();
    EXPECT_EQ(call.function, "apply");
    EXPECT_EQ(sql_file_name(call), "0003-renew_tk.sql");
    EXPECT_THAT(sql_file(state(), call), HasSubstr("--   3 renew_tk default\n"));
    EXPECT_EQ(status_of(state(), "nurse"), "active, renew-tk pending");
    EXPECT_EQ(status_of(state(), "clerk"), "active");
    EXPECT_THAT(users_of_renewed_tk(state()), ElementsAre(&user("nurse")));
    EXPECT_EQ(share::parse_app_share(user("nurse").app_share.reveal())->epoch, 2U);
    EXPECT_EQ(key(0).tk_epoch, 1U);  // nothing is in force yet
    EXPECT_TRUE(share::check_keys(*state().enrolment));
    ASSERT_TRUE(send());
    EXPECT_EQ(key(0).tk_epoch, 2U);
    EXPECT_FALSE(state().next_key);
    EXPECT_TRUE(share::check_keys(*state().enrolment));
    EXPECT_TRUE(user("nurse").app_share.empty());
    EXPECT_EQ(kept("nurse"), kept_key);
    EXPECT_EQ(status_of(state(), "nurse"), "active");
    ASSERT_TRUE(change("nurse"));
    ASSERT_TRUE(send());
    EXPECT_EQ(share_epoch(user("nurse")), 3U);
}

TEST_F(TkOrders, WhatWasNotAppliedLeavesTheFormerTK) {
    for (const auto outcome : {share::Outcome::kExpired, share::Outcome::kRefused}) {
        ASSERT_EQ(*renew("medical"), 2U);
        ASSERT_TRUE(send(outcome));
        EXPECT_FALSE(state().next_key);
        EXPECT_EQ(key(1).tk_epoch, 1U);
        EXPECT_TRUE(share::check_keys(*state().enrolment));
        EXPECT_TRUE(user("clerk").app_share.empty());
    }
    ASSERT_EQ(*renew("medical"), 2U);
    EXPECT_EQ(user("clerk").epoch, 4U);  // no share epoch is made twice
    ASSERT_TRUE(send());
    EXPECT_EQ(key(1).tk_epoch, 2U);
}

TEST_F(TkOrders, MeanwhileNobodysSharesOfTheGroupChangeAndWithdrawingGoesOn) {
    ASSERT_TRUE(renew("default"));
    EXPECT_THAT(change("nurse").error().message, HasSubstr("renewal of TK of key group default"));
    EXPECT_THAT(
        add_user(state(), {"aide", {"default"}}, kTkTimes, core::system_random()).error().message,
        HasSubstr("renewal of TK")
    );
    const auto granted =
        grant_group(state(), {"clerk", "default"}, kTkTimes, core::system_random());
    EXPECT_THAT(granted.error().message, HasSubstr("renewal of TK"));
    const auto revoked =
        revoke_group(state(), {"nurse", "default"}, kTkTimes, core::system_random());
    EXPECT_THAT(revoked.error().message, HasSubstr("renewal of TK"));
    EXPECT_THAT(
        renew_shares(state(), kTkTimes, core::system_random()).error().message,
        HasSubstr("renewal of TK")
    );
    EXPECT_THAT(renew("medical").error().message, HasSubstr("has no receipt yet"));
    EXPECT_TRUE(kept_user(state(), "nurse"));
    ASSERT_TRUE(withdraw_user(state(), "nurse", kTestNow));
    ASSERT_TRUE(send());
    EXPECT_EQ(status_of(state(), "nurse"), "withdrawn");
    EXPECT_TRUE(share::check_keys(*state().enrolment));
}

TEST_F(TkOrders, WhoIsBeingWithdrawnTakesNoPartAndWhoseSharesArePendingStopsIt) {
    EXPECT_THAT(renew("lab").error().message, HasSubstr("no key group lab"));
    ASSERT_TRUE(change("clerk"));
    EXPECT_THAT(renew("medical").error().message, HasSubstr("clerk has no receipt yet"));
    ASSERT_TRUE(send());
    ASSERT_TRUE(withdraw_user(state(), "clerk", kTestNow));
    ASSERT_EQ(*renew("medical"), 1U);
    EXPECT_THAT(users_of_renewed_tk(state()), ElementsAre(&user("nurse")));
}

TEST_F(TkOrders, AProxyThatTookOtherKeysIsFound) {
    ASSERT_TRUE(renew("default"));
    auto rows = read_command(state(), state().commands.back())->wraps;
    rows.front().key_check[0] ^= 1U;
    proxy_.replace_wraps(rows);
    const auto filed = send();
    ASSERT_FALSE(filed);
    EXPECT_THAT(filed.error().message, HasSubstr("key group default"));
}

TEST_F(TkOrders, AHomeWithATKOnItsWaySurvivesItsFile) {
    ASSERT_TRUE(renew("default"));
    const auto read = parse_home_state(serialize(state()).reveal());
    ASSERT_TRUE(read);
    ASSERT_TRUE(read->next_key);
    EXPECT_EQ(read->next_key->group, "default");
    EXPECT_EQ(read->next_key->tk_epoch, 2U);
    EXPECT_TRUE(
        core::equal_in_constant_time(read->next_key->key.reveal(), state().next_key->key.reveal())
    );
}

}  // namespace

}  // namespace pgveil::tenant
