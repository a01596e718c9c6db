#include "keyshare/tenant/bootstrap_run.hpp"

#include "keyshare/user/private_file.hpp"
#include "test/keyshare/tenant/enrolled.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

namespace pgveil::tenant {

namespace {

using testing::HasSubstr;
using user::Scratch;

enum class Cut { kBeforeTheProxy, kAfterTheProxy };

/// Runs until step `number` (from 0), where the line is cut; false if the run was not cut.
bool run_cut(Home& home, FakeProxy& proxy, int number, Cut cut) {
    int step_number = 0;
    const auto call = [&](std::string_view step,
                          const std::string& argument) -> Result<std::string> {
        const bool is_cut = step_number++ == number;
        if (is_cut && cut == Cut::kBeforeTheProxy) {
            return user::failed("cut");
        }
        auto answer = proxy.bootstrap_step(step, argument);
        if (is_cut) {
            return user::failed("cut");
        }
        return answer;
    };
    return !run_bootstrap(home, call, kTestNow).has_value();
}

Result<void> run_whole(Home& home, FakeProxy& proxy) {
    const auto call = [&](std::string_view step, const std::string& argument) {
        return proxy.bootstrap_step(step, argument);
    };
    return run_bootstrap(home, call, kTestNow);
}

}  // namespace

TEST(BootstrapRun, PinsTheProxyAndHoldsEveryGroup) {
    const Scratch scratch;
    FakeProxy proxy;
    const Home home = enrolled_home(scratch / "home", proxy);
    ASSERT_TRUE(home.state().enrolment);
    EXPECT_EQ(home.state().enrolment->proxy_identity, proxy.identity());
    EXPECT_EQ(home.state().enrolment->groups.size(), 2U);
    EXPECT_TRUE(share::check_keys(*home.state().enrolment));
    EXPECT_TRUE(home.state().bootstrap.empty());
}

TEST(BootstrapRun, KilledAtEveryStepAndRepeatedEndsWell) {
    for (const Cut cut : {Cut::kBeforeTheProxy, Cut::kAfterTheProxy}) {
        for (int number = 0; number < 3; ++number) {
            const Scratch scratch;
            FakeProxy proxy;
            {
                Home home = begun_home(scratch / "home");
                ASSERT_TRUE(run_cut(home, proxy, number, cut));
            }
            auto home = Home::open(scratch / "home", test_passphrase());
            ASSERT_TRUE(home) << home.error().message;
            ASSERT_FALSE(home->state().enrolment);
            const auto done = run_whole(*home, proxy);
            ASSERT_TRUE(done) << number << ": " << done.error().message;
            EXPECT_TRUE(share::check_keys(*home->state().enrolment));
        }
    }
}

TEST(BootstrapRun, EachStepIsOnDiskBeforeItIsSent) {
    const Scratch scratch;
    FakeProxy proxy;
    Home home = begun_home(scratch / "home");
    core::Bytes last;
    int changes = 0;
    const auto call = [&](std::string_view step, const std::string& argument) {
        const auto file = user::read_private_file(scratch / "home/home", 1 << 20);
        EXPECT_TRUE(file);
        const core::Bytes now = core::to_bytes(file->reveal());
        changes += now == last ? 0 : 1;
        last = now;
        return proxy.bootstrap_step(step, argument);
    };
    ASSERT_TRUE(run_bootstrap(home, call, kTestNow));
    EXPECT_EQ(changes, 3);
}

TEST(BootstrapRun, AnswerThatDoesNotVerifyIsNotTakenOver) {
    const Scratch scratch;
    FakeProxy proxy;
    Home home = begun_home(scratch / "home");
    const auto call = [&](std::string_view step,
                          const std::string& argument) -> Result<std::string> {
        auto answer = proxy.bootstrap_step(step, argument);
        if (step == "contribute") {
            answer->back() = answer->back() == 'A' ? 'Q' : 'A';
        }
        return answer;
    };
    const auto done = run_bootstrap(home, call, kTestNow);
    ASSERT_FALSE(done);
    EXPECT_THAT(done.error().message, HasSubstr("does not verify"));
    EXPECT_FALSE(home.state().enrolment);
    EXPECT_TRUE(run_whole(home, proxy));
}

TEST(BootstrapRun, BadGroupNameIsAUsageError) {
    const auto state = begin_bootstrap({"clinic", {"Not a group"}, ""});
    ASSERT_FALSE(state);
    EXPECT_EQ(state.error().code, user::Exit::kUsage);
}

}  // namespace pgveil::tenant
