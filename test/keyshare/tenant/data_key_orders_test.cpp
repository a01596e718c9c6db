#include "keyshare/tenant/calls.hpp"
#include "keyshare/tenant/orders.hpp"
#include "test/keyshare/tenant/enrolled.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pgveil::tenant {

namespace {

using testing::HasSubstr;
using user::Scratch;

constexpr share::CommandTimes kKeyTimes{kTestNow, kTestNow + 86400};

class DataKeyOrders : public testing::Test {
protected:
    Result<void> make_new(const std::string& group = "default") {
        return new_data_key(state(), group, kKeyTimes, core::system_random());
    }

    share::RotationReport report() {
        return {"clinic", "default", keyring().next("default")->key_id, {"clinic"}, kTestNow};
    }

    std::string refusal_of(const share::RotationReport& given) {
        const auto ordered = retire_data_key(state(), given, kKeyTimes);
        return ordered ? "it was ordered" : ordered.error().message;
    }

    Result<std::size_t> send(share::Outcome outcome = share::Outcome::kApplied) {
        const auto commands = *calls_for(state()).front().arguments.back();
        return file_receipts(state(), proxy_.receipts(commands, outcome));
    }

    HomeState& state() { return home_.state(); }

    const share::Keyring& keyring() { return state().enrolment->keyring; }

    Scratch scratch_;
    FakeProxy proxy_;
    Home home_ = enrolled_home(scratch_ / "home", proxy_);
};

TEST_F(DataKeyOrders, ANewOneThenItsRetirementAreOneCommandEach) {
    ASSERT_TRUE(make_new());
    const auto call = calls_for(state()).front();
    EXPECT_EQ(call.function, "apply");
    EXPECT_EQ(sql_file_name(call), "0001-new_data_key.sql");
    EXPECT_THAT(sql_file(state(), call), HasSubstr("--   1 new_data_key default\n"));
    EXPECT_TRUE(is_key_ordered(state(), "default"));
    EXPECT_FALSE(is_key_ordered(state(), "medical"));
    ASSERT_TRUE(send());
    EXPECT_FALSE(is_key_ordered(state(), "default"));
    ASSERT_NE(keyring().next("default"), nullptr);
    EXPECT_EQ(keyring().next("default")->key_id, 3U);
    EXPECT_TRUE(share::check_keys(*state().enrolment));
    ASSERT_TRUE(retire_data_key(state(), report(), kKeyTimes));
    EXPECT_EQ(sql_file_name(calls_for(state()).front()), "0002-retire_data_key.sql");
    ASSERT_TRUE(send());
    EXPECT_EQ(keyring().live("default")->key_id, 3U);
    EXPECT_EQ(keyring().find("default", 1), nullptr);
    EXPECT_TRUE(share::check_keys(*state().enrolment));
    ASSERT_TRUE(make_new("medical"));  // ids are never given out twice
    ASSERT_TRUE(send());
    EXPECT_EQ(keyring().next("medical")->key_id, 4U);
}

TEST_F(DataKeyOrders, AKeyIsRetiredByAReportAboutItAndOfTodayOnly) {
    EXPECT_THAT(refusal_of({"clinic", "default", 3, {}, kTestNow}), HasSubstr("no such next"));
    ASSERT_TRUE(make_new());
    ASSERT_TRUE(send());
    share::RotationReport other = report();
    other.next_key_id = 1;
    EXPECT_THAT(refusal_of(other), HasSubstr("no such next data key"));
    other = report();
    other.tenant = "acme";
    EXPECT_THAT(refusal_of(other), HasSubstr("no such next data key"));
    other = report();
    other.group = "medical";
    EXPECT_THAT(refusal_of(other), HasSubstr("no such next data key"));
    other = report();
    other.at_s -= 86401;
    EXPECT_THAT(refusal_of(other), HasSubstr("older than a day"));
    EXPECT_TRUE(pending(state()).empty());
    EXPECT_EQ(refusal_of(report()), "it was ordered");
}

TEST_F(DataKeyOrders, WhileOneIsOnItsWayNoOtherCommandAboutTheGroupsKeysIsMade) {
    ASSERT_TRUE(make_new());
    const auto words = HasSubstr("about the data key of key group default has no receipt");
    EXPECT_THAT(make_new().error().message, words);
    EXPECT_THAT(
        renew_tk(state(), "default", kKeyTimes, core::system_random()).error().message, words
    );
    EXPECT_TRUE(renew_tk(state(), "medical", kKeyTimes, core::system_random()));
    EXPECT_THAT(
        make_new("medical").error().message, HasSubstr("renewal of TK of key group medical")
    );
    ASSERT_TRUE(send());
    ASSERT_TRUE(renew_tk(state(), "default", kKeyTimes, core::system_random()));
    ASSERT_TRUE(send());
    EXPECT_EQ(keyring().next("default")->tk_epoch, 2U);
    EXPECT_TRUE(share::check_keys(*state().enrolment));
}

TEST_F(DataKeyOrders, WhatWasNotAppliedLeavesEverythingAsItWas) {
    for (const auto outcome : {share::Outcome::kExpired, share::Outcome::kRefused}) {
        ASSERT_TRUE(make_new());
        ASSERT_TRUE(send(outcome));
        EXPECT_EQ(keyring().next("default"), nullptr);
    }
    EXPECT_THAT(make_new("lab").error().message, HasSubstr("there is no key group lab"));
}

TEST_F(DataKeyOrders, AProxyThatTakesAnotherKeyThanTheOrderedOneIsNotBelieved) {
    ASSERT_TRUE(make_new());
    auto rows = std::vector<share::KeyringRow>{*new_row_of(state(), state().commands.front())};
    rows.front().wrap[30] ^= 1U;
    proxy_.replace_wraps(std::move(rows));
    EXPECT_THAT(send().error().message, HasSubstr("does not hold the next data key"));
}

}  // namespace

}  // namespace pgveil::tenant
