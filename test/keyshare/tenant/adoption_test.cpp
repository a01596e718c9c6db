#include "keyshare/tenant/adoption.hpp"

#include "keyshare/tenant/calls.hpp"
#include "keyshare/tenant/orders.hpp"
#include "test/keyshare/tenant/enrolled.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pgveil::tenant {

namespace {

using testing::HasSubstr;
using user::Scratch;

constexpr share::CommandTimes kAdoptionTimes{kTestNow, kTestNow + 86400};

class Adoption : public testing::Test {
protected:
    Adoption() {
        for (const char* user_id : {"nurse", "clerk", "guest"}) {
            EXPECT_TRUE(add_user(
                state(), {user_id, {"default", "medical"}}, kAdoptionTimes, core::system_random()
            ));
        }
        EXPECT_TRUE(send(lost_));
        EXPECT_TRUE(withdraw_user(state(), "guest", kTestNow));
        EXPECT_TRUE(send(lost_));
        EXPECT_TRUE(home_.save());
    }

    /// After an adoption: the new files are written.
    Result<std::size_t> send(FakeProxy& proxy) {
        state().bootstrap.wipe();
        const auto commands = *calls_for(state()).front().arguments.back();
        return file_receipts(state(), proxy.receipts(commands));
    }

    Result<void> adopt(FakeProxy& proxy) {
        return run_adoption(
            home_,
            [&](std::string_view step, const std::string& argument) {
                return proxy.bootstrap_step(step, argument);
            },
            kAdoptionTimes
        );
    }

    /// The answer to this step is lost, whatever the proxy did; then the program ends.
    void adopt_until(FakeProxy& proxy, std::string_view last) {
        const auto cut_short = run_adoption(
            home_,
            [&](std::string_view step, const std::string& argument) -> Result<std::string> {
                const auto answer = proxy.bootstrap_step(step, argument);
                return step == last ? user::failed("the connection was lost") : answer;
            },
            kAdoptionTimes
        );
        EXPECT_FALSE(cut_short);
        reopen();
    }

    void reopen() {
        home_ = enrolled_elsewhere();
        auto opened = Home::open(scratch_ / "home", test_passphrase());
        ASSERT_TRUE(opened) << opened.error().message;
        home_ = std::move(*opened);
    }

    /// Lets go of the home's lock.
    Home enrolled_elsewhere() {
        FakeProxy other;
        return enrolled_home(scratch_ / ("elsewhere" + std::to_string(++elsewhere_)), other);
    }

    HomeState& state() { return home_.state(); }

    share::UserKey key_of(const char* user_id) {
        return *share::parse_user_key(state().find_user(user_id)->user_key.reveal());
    }

    std::vector<std::uint8_t> part(const char* user_id) {
        const auto key = key_of(user_id);
        const core::ByteView bytes = key.groups.front().part.reveal();
        return {bytes.begin(), bytes.end()};
    }

    Scratch scratch_;
    FakeProxy lost_;
    FakeProxy fresh_;
    int elsewhere_ = 0;
    Home home_ = enrolled_home(scratch_ / "home", lost_);
};

TEST_F(Adoption, P9_AFreshProxyGetsNewSharesWhileTKAndTKuStay) {
    const auto kept = part("nurse");
    const auto keyring = state().enrolment->keyring;
    const auto adopted = adopt(fresh_);
    ASSERT_TRUE(adopted) << adopted.error().message;
    EXPECT_EQ(part("nurse"), kept);
    EXPECT_EQ(key_of("nurse").proxy_identity, fresh_.identity());
    EXPECT_EQ(state().enrolment->proxy_identity, fresh_.identity());
    EXPECT_EQ(state().enrolment->keyring, keyring);
    EXPECT_EQ(fresh_.keyring(), keyring);
    EXPECT_TRUE(share::check_keys(*state().enrolment));
    ASSERT_EQ(renewed_users(state()).size(), 2U);  // not the one who was withdrawn
    EXPECT_EQ(pending(state()).front()->sequence, 1U);
    ASSERT_TRUE(send(fresh_));
    EXPECT_EQ(status_of(state(), "nurse"), "active");
    EXPECT_EQ(status_of(state(), "guest"), "withdrawn");
    EXPECT_EQ(state().find_user("nurse")->epoch, 2U);
}

TEST_F(Adoption, ALostAnswerAtAnyStepIsMadeUpFor) {
    for (const char* step : {"hello", "adopt"}) {
        adopt_until(fresh_, step);
        EXPECT_TRUE(is_adopting(state())) << step;
        EXPECT_FALSE(is_settled(state())) << step;
    }
    const auto adopted = adopt(fresh_);
    ASSERT_TRUE(adopted) << adopted.error().message;
    EXPECT_TRUE(is_settled(state()));
    reopen();  // everything is on disk
    EXPECT_TRUE(is_settled(state()));
    EXPECT_EQ(renewed_users(state()).size(), 2U);
}

TEST_F(Adoption, AFreshProxyThatIsLostHalfWayIsReplacedByAnother) {
    FakeProxy gone;
    adopt_until(gone, "adopt");
    const auto adopted = adopt(fresh_);
    ASSERT_TRUE(adopted) << adopted.error().message;
    EXPECT_EQ(state().enrolment->proxy_identity, fresh_.identity());
}

TEST_F(Adoption, WhileItIsNotFinishedNothingElseIsOrderedOrFiled) {
    ASSERT_TRUE(change_user_key(state(), "nurse", kAdoptionTimes, core::system_random()));
    const auto late = lost_.receipts(pending(state()).front()->jws);
    ASSERT_TRUE(home_.save());
    adopt_until(fresh_, "hello");
    const auto ordered = withdraw_user(state(), "clerk", kTestNow);
    ASSERT_FALSE(ordered);
    EXPECT_THAT(ordered.error().message, HasSubstr("adopt"));
    EXPECT_FALSE(file_receipts(state(), late));
    ASSERT_TRUE(adopt(fresh_));
    state().bootstrap.wipe();                    // the files are written
    EXPECT_FALSE(file_receipts(state(), late));  // of another proxy now
    EXPECT_TRUE(withdraw_user(state(), "clerk", kTestNow));
}

TEST_F(Adoption, CommandsThatWaitedCountAsApplied) {
    ASSERT_TRUE(create_group(state(), "lab", kAdoptionTimes, core::system_random()));
    ASSERT_TRUE(renew_tk(state(), "default", kAdoptionTimes, core::system_random()));
    ASSERT_TRUE(withdraw_user(state(), "clerk", kTestNow));
    const auto adopted = adopt(fresh_);
    ASSERT_TRUE(adopted) << adopted.error().message;
    EXPECT_NE(fresh_.keyring().live("lab"), nullptr);
    EXPECT_EQ(fresh_.keyring().live("default")->tk_epoch, 2U);
    EXPECT_TRUE(share::check_keys(*state().enrolment));
    EXPECT_FALSE(state().next_key);
    ASSERT_EQ(renewed_users(state()).size(), 1U);
    ASSERT_TRUE(send(fresh_));
    EXPECT_EQ(status_of(state(), "clerk"), "withdrawn");
}

TEST_F(Adoption, ARenewalThatCameTooLateIsOrderedAgain) {
    ASSERT_TRUE(adopt(fresh_));
    state().bootstrap.wipe();
    const auto commands = *calls_for(state()).front().arguments.back();
    ASSERT_TRUE(file_receipts(state(), fresh_.receipts(commands, share::Outcome::kExpired)));
    EXPECT_TRUE(state().is_active("nurse"));
    const auto again = renew_shares(state(), kAdoptionTimes, core::system_random());
    ASSERT_TRUE(again);
    EXPECT_EQ(*again, 2U);
    EXPECT_TRUE(send(fresh_));
}

TEST_F(Adoption, ARestoredHomeMayTakeAProxyOver) {
    state().restored_at_s = kTestNow;
    ASSERT_TRUE(adopt(fresh_));
    EXPECT_EQ(state().restored_at_s, 0);
}

}  // namespace

}  // namespace pgveil::tenant
