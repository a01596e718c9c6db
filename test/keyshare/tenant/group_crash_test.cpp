#include "keyshare/tenant/calls.hpp"
#include "keyshare/tenant/orders.hpp"
#include "keyshare/user/private_file.hpp"
#include "test/keyshare/tenant/enrolled.hpp"
#include "test/keyshare/user/program.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

// The tenant's program killed at every step of making a group and of renewing TK, then asked again.
// The proxy's side is swept in keyshare_store_test; grant and revoke take the steps of change-key,
// which crash_test.py sweeps.
namespace pgveil::tenant {

namespace {

using user::Ended;
using user::Scratch;

class GroupCrash : public testing::Test {
protected:
    void SetUp() override {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
        GTEST_SKIP() << "a sanitizer does not bear a preloaded library";
#endif
        static_cast<void>(enrolled_home(scratch_ / "home", proxy_));
        std::ofstream(scratch_ / "passphrase") << "correct horse\n";
        std::filesystem::permissions(
            static_cast<std::string>(scratch_ / "passphrase"),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write
        );
    }

    /// Runs the program, which dies at its n-th step; 0: it does not.
    Ended run(std::int64_t step, const std::vector<std::string>& more) const {
        // struct StopAt of test/support/stop_at.hpp; steps are few and fit one byte.
        std::string page(24, '\0');
        page[8] = static_cast<char>(step);
        page[16] = 1;
        std::ofstream(scratch_ / "page", std::ios::binary) << page;
        std::vector<std::string> words = {
            "env",
            "LD_PRELOAD=" PGVEIL_STOP_AT_LIBRARY,
            "PGVEIL_STOP_AT=" + (scratch_ / "page"),
            PGVEIL_TENANT_PROGRAM,
            "--home",
            scratch_ / "home",
            "--passphrase-file",
            scratch_ / "passphrase"};
        words.insert(words.end(), more.begin(), more.end());
        return user::run_program(words);
    }

    /// One command waits; with its receipt there is one group more, and its key fits.
    void expect_one_group_more(const std::string& group) {
        auto home = Home::open(scratch_ / "home", test_passphrase());
        ASSERT_TRUE(home) << home.error().message;
        ASSERT_EQ(pending(home->state()).size(), 1U);
        const auto call = calls_for(home->state()).front();
        ASSERT_TRUE(file_receipts(home->state(), proxy_.receipts(*call.arguments.back())));
        EXPECT_TRUE(share::check_keys(*home->state().enrolment));
        EXPECT_NE(home->state().enrolment->keyring.live(group), nullptr);
        ASSERT_TRUE(home->save());
    }

    /// One command waits; with its receipt the group's TK is of this epoch, and fits.
    void expect_renewed(std::uint32_t tk_epoch, const std::string& app_file) {
        auto home = Home::open(scratch_ / "home", test_passphrase());
        ASSERT_TRUE(home) << home.error().message;
        ASSERT_EQ(pending(home->state()).size(), 1U);
        const auto app = user::read_private_file(app_file, 10000);
        ASSERT_TRUE(app) << app.error().message;
        const std::string kept(core::as_text(home->state().find_user("nurse")->app_share.reveal()));
        EXPECT_EQ(core::as_text(app->reveal()), kept + "\n");
        const auto call = calls_for(home->state()).front();
        ASSERT_TRUE(file_receipts(home->state(), proxy_.receipts(*call.arguments.back())));
        EXPECT_TRUE(share::check_keys(*home->state().enrolment));
        EXPECT_EQ(home->state().enrolment->groups.front().tk_epoch, tk_epoch);
        ASSERT_TRUE(home->save());
    }

    Scratch scratch_;
    FakeProxy proxy_;
};

TEST_F(GroupCrash, CreateAtEveryStepIsOneCommandAndOneKey) {
    std::int64_t step = 1;
    for (; !HasFailure(); ++step) {
        const std::string group = "lab" + std::to_string(step);
        const std::string out = scratch_ / ("out" + group);
        const std::vector<std::string> create = {"group", "create", group, "--out", out};
        const Ended first = run(step, create);
        if (first.code == 0) {
            break;
        }
        ASSERT_EQ(first.code, -1) << first.notes;
        const Ended again = run(0, create);
        EXPECT_EQ(again.code, 0) << again.notes;
        expect_one_group_more(group);
    }
    EXPECT_GT(step, 4);
}

TEST_F(GroupCrash, RenewTkAtEveryStepIsOneCommandAndOneTK) {
    const std::vector<std::string> add = {
        "user", "add", "nurse", "--no-passphrase", "--out", scratch_ / "users"};
    ASSERT_EQ(run(0, add).code, 0);
    {
        auto home = Home::open(scratch_ / "home", test_passphrase());
        const auto call = calls_for(home->state()).front();
        ASSERT_TRUE(file_receipts(home->state(), proxy_.receipts(*call.arguments.back())));
        ASSERT_TRUE(home->save());
    }
    std::int64_t step = 1;
    for (; !HasFailure(); ++step) {
        const std::string out = scratch_ / ("renewed" + std::to_string(step));
        const std::vector<std::string> renew = {"renew-tk", "--out", out};
        const Ended first = run(step, renew);
        if (first.code == 0) {
            break;
        }
        ASSERT_EQ(first.code, -1) << first.notes;
        const Ended again = run(0, renew);
        EXPECT_EQ(again.code, 0) << again.notes;
        expect_renewed(static_cast<std::uint32_t>(step) + 1, out + "/nurse.app");
    }
    EXPECT_GT(step, 4);
}

}  // namespace

}  // namespace pgveil::tenant
