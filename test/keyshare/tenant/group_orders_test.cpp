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

constexpr share::CommandTimes kGroupTimes{kTestNow, kTestNow + 86400};

class GroupOrders : public testing::Test {
protected:
    Result<void> create(const std::string& name) {
        return create_group(state(), name, kGroupTimes, core::system_random());
    }

    Result<void> grant(const std::string& user_id, const std::string& group) {
        return grant_group(state(), {user_id, group}, kGroupTimes, core::system_random());
    }

    Result<void> revoke(const std::string& user_id, const std::string& group) {
        return revoke_group(state(), {user_id, group}, kGroupTimes, core::system_random());
    }

    void add_nurse(std::vector<std::string> groups = {"default"}) {
        ASSERT_TRUE(
            add_user(state(), {"nurse", std::move(groups)}, kGroupTimes, core::system_random())
        );
        ASSERT_TRUE(send());
    }

    Result<std::size_t> send(share::Outcome outcome = share::Outcome::kApplied) {
        const auto commands = *calls_for(state()).front().arguments.back();
        return file_receipts(state(), proxy_.receipts(commands, outcome));
    }

    HomeState& state() { return home_.state(); }

    const UserRecord& nurse() { return *state().find_user("nurse"); }

    std::vector<std::string> groups() {
        std::vector<std::string> names;
        for (const share::GroupKey& one : state().enrolment->groups) {
            names.push_back(one.group);
        }
        return names;
    }

    Scratch scratch_;
    FakeProxy proxy_;
    Home home_ = enrolled_home(scratch_ / "home", proxy_);
};

TEST_F(GroupOrders, CreateIsOneCommandThatAnybodyMayApply) {
    ASSERT_TRUE(create("lab"));
    EXPECT_TRUE(is_being_created(state(), "lab"));
    const auto calls = calls_for(state());
    ASSERT_EQ(calls.size(), 1U);
    EXPECT_EQ(calls.front().function, "apply");
    EXPECT_EQ(sql_file_name(calls.front()), "0001-create_group.sql");
    EXPECT_THAT(sql_file(state(), calls.front()), HasSubstr("--   1 create_group lab\n"));
    EXPECT_EQ(subject_of(state(), state().commands.front()), "lab");
    ASSERT_TRUE(send());
    EXPECT_FALSE(is_being_created(state(), "lab"));
    EXPECT_THAT(groups(), ElementsAre("default", "medical", "lab"));
    EXPECT_EQ(state().enrolment->keyring.live("lab")->key_id, 3U);
    EXPECT_TRUE(share::check_keys(*state().enrolment));
}

TEST_F(GroupOrders, GroupsOnTheirWayHaveKeyIdsOfTheirOwn) {
    ASSERT_TRUE(create("lab"));
    ASSERT_TRUE(create("x_ray"));
    ASSERT_TRUE(send());
    EXPECT_EQ(state().enrolment->keyring.live("lab")->key_id, 3U);
    EXPECT_EQ(state().enrolment->keyring.live("x_ray")->key_id, 4U);
}

TEST_F(GroupOrders, CreateRefusesABadNameAndOneThatIsTaken) {
    EXPECT_THAT(create("Lab").error().message, HasSubstr("a-z"));
    EXPECT_THAT(create("medical").error().message, HasSubstr("already"));
    ASSERT_TRUE(create("lab"));
    EXPECT_THAT(create("lab").error().message, HasSubstr("already"));
    EXPECT_EQ(pending(state()).size(), 1U);
}

TEST_F(GroupOrders, AGroupThatWasNotMadeIsForgottenAndCanBeOrderedAnew) {
    for (const auto outcome : {share::Outcome::kExpired, share::Outcome::kRefused}) {
        ASSERT_TRUE(create("lab"));
        ASSERT_TRUE(send(outcome));
        EXPECT_THAT(groups(), ElementsAre("default", "medical"));
    }
    ASSERT_TRUE(create("lab"));
    ASSERT_TRUE(send());
    EXPECT_THAT(groups(), ElementsAre("default", "medical", "lab"));
}

TEST_F(GroupOrders, AProxyThatTookAnotherRowThanWasOrderedIsFound) {
    ASSERT_TRUE(create("lab"));
    share::KeyringRow other = *new_row_of(state(), state().commands.front());
    other.key_check[0] ^= 1U;
    proxy_.replace_wraps({other});
    const auto filed = send();
    ASSERT_FALSE(filed);
    EXPECT_THAT(filed.error().message, HasSubstr("does not hold key group lab"));
}

TEST_F(GroupOrders, AGrantIsAChangeOfKeyWithOneGroupMore) {
    add_nurse();
    ASSERT_TRUE(grant("nurse", "medical"));
    EXPECT_THAT(nurse().groups, ElementsAre("default", "medical"));
    EXPECT_EQ(status_of(state(), "nurse"), "active, change-key pending");
    ASSERT_TRUE(send());
    EXPECT_THAT(groups_of(nurse().user_key.reveal()), ElementsAre("default", "medical"));
    EXPECT_EQ(share_epoch(nurse()), 2U);
    EXPECT_THAT(grant("nurse", "medical").error().message, HasSubstr("already"));
}

TEST_F(GroupOrders, AGroupMayBeGrantedBeforeItsReceiptCame) {
    add_nurse();
    ASSERT_TRUE(create("lab"));
    ASSERT_TRUE(grant("nurse", "lab"));
    ASSERT_EQ(pending(state()).size(), 2U);
    ASSERT_TRUE(send());
    EXPECT_THAT(groups_of(nurse().user_key.reveal()), ElementsAre("default", "lab"));
}

TEST_F(GroupOrders, ARevokeIsAChangeOfKeyWithOneGroupLess) {
    add_nurse({"default", "medical"});
    ASSERT_TRUE(revoke("nurse", "medical"));
    ASSERT_TRUE(send());
    EXPECT_THAT(nurse().groups, ElementsAre("default"));
    EXPECT_THAT(groups_of(nurse().user_key.reveal()), ElementsAre("default"));
    EXPECT_THAT(revoke("nurse", "medical").error().message, HasSubstr("does not have"));
    EXPECT_THAT(revoke("nurse", "default").error().message, HasSubstr("user withdraw"));
}

TEST_F(GroupOrders, AGrantThatWasNotAppliedLeavesTheGroupsAsTheyWere) {
    add_nurse();
    for (const auto outcome : {share::Outcome::kExpired, share::Outcome::kRefused}) {
        ASSERT_TRUE(grant("nurse", "medical"));
        ASSERT_TRUE(send(outcome));
        EXPECT_THAT(nurse().groups, ElementsAre("default"));
        EXPECT_THAT(groups_of(nurse().user_key.reveal()), ElementsAre("default"));
    }
}

TEST_F(GroupOrders, GrantsNeedAUserInForceAndAGroupOfTheTenant) {
    EXPECT_THAT(grant("nurse", "medical").error().message, HasSubstr("no user nurse"));
    add_nurse();
    EXPECT_THAT(grant("nurse", "lab").error().message, HasSubstr("no key group lab"));
    ASSERT_TRUE(grant("nurse", "medical"));
    EXPECT_THAT(revoke("nurse", "medical").error().message, HasSubstr("no receipt yet"));
}

TEST_F(GroupOrders, AHomeWithAGroupOnItsWaySurvivesItsFile) {
    ASSERT_TRUE(create("lab"));
    const auto read = parse_home_state(serialize(state()).reveal());
    ASSERT_TRUE(read);
    EXPECT_TRUE(is_being_created(*read, "lab"));
    EXPECT_EQ(read->enrolment->groups.size(), 3U);
}

}  // namespace

}  // namespace pgveil::tenant
