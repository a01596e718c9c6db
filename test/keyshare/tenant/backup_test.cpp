// A home backed up, restored, and compared with the proxy before it makes commands again.
#include "keyshare/tenant/calls.hpp"
#include "keyshare/tenant/orders.hpp"
#include "test/keyshare/tenant/tenant_program.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

namespace pgveil::tenant {

namespace {

using testing::HasSubstr;
using user::Ended;
using user::exists;
using user::Scratch;

constexpr share::CommandTimes kBackupTimes{kTestNow, kTestNow + 86400};

class Restored : public testing::Test {
protected:
    void add(const std::string& user_id) {
        ASSERT_TRUE(add_user(state(), {user_id, {"default"}}, kBackupTimes, core::system_random()));
    }

    void send() {
        const auto commands = *calls_for(state()).front().arguments.back();
        ASSERT_TRUE(file_receipts(state(), proxy_.receipts(commands)));
    }

    HomeState backup() { return std::move(*parse_home_state(serialize(state()).reveal())); }

    static HomeState restored(HomeState copy) {
        copy.restored_at_s = kTestNow;
        return copy;
    }

    HomeState& state() { return home_.state(); }

    Scratch scratch_;
    FakeProxy proxy_;
    Home home_ = enrolled_home(scratch_ / "home", proxy_);
};

TEST_F(Restored, MakesNoCommandsUntilItIsReconciled) {
    add("nurse");
    send();
    HomeState copy = restored(backup());
    core::RandomSource& random = core::system_random();
    const std::vector<std::string> refusals = {
        add_user(copy, {"clerk", {"default"}}, kBackupTimes, random).error().message,
        change_user_key(copy, "nurse", kBackupTimes, random).error().message,
        grant_group(copy, {"nurse", "medical"}, kBackupTimes, random).error().message,
        renew_shares(copy, kBackupTimes, random).error().message,
        renew_tk(copy, "default", kBackupTimes, random).error().message,
        create_group(copy, "lab", kBackupTimes, random).error().message,
        withdraw_user(copy, "nurse", kTestNow).error().message};
    EXPECT_THAT(refusals, testing::Each(HasSubstr("pgveil-tenant reconcile")));
    EXPECT_TRUE(pending(copy).empty());
    EXPECT_TRUE(kept_user(copy, "nurse"));  // makes no command
    ASSERT_TRUE(reconcile(copy, proxy_.newest_receipt()));
    EXPECT_TRUE(add_user(copy, {"clerk", {"default"}}, kBackupTimes, random));
}

TEST_F(Restored, OfBeforeTheFirstCommandIsReconciledByTheEndOfTheBootstrap) {
    HomeState copy = restored(backup());
    EXPECT_TRUE(reconcile(copy, proxy_.newest_receipt()));
    EXPECT_EQ(copy.restored_at_s, 0);
}

TEST_F(Restored, ThatLacksCommandsStaysAsItIs) {
    add("nurse");
    send();
    HomeState copy = restored(backup());
    add("clerk");
    add("aide");
    send();
    const auto refused = reconcile(copy, proxy_.newest_receipt());
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr("commands 2 to 3"));
    EXPECT_NE(copy.restored_at_s, 0);
    EXPECT_EQ(parse_home_state(serialize(copy).reveal())->restored_at_s, kTestNow);
}

TEST_F(Restored, WithACommandThatTheProxyTookInAnotherFormIsRefused) {
    HomeState copy = restored(backup());
    add("nurse");
    send();
    // The number was given out twice: once here, once in the copy.
    copy.restored_at_s = 0;
    ASSERT_TRUE(add_user(copy, {"clerk", {"default"}}, kBackupTimes, core::system_random()));
    copy.restored_at_s = kTestNow;
    const auto refused = reconcile(copy, proxy_.newest_receipt());
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr("another command 1"));
    FakeProxy other;
    EXPECT_FALSE(reconcile(copy, other.newest_receipt()));
}

}  // namespace

TEST_F(TenantProgram, ABackupIsOneFileUnderItsOwnPassphraseAndARestoredHomeMakesNoCommands) {
    ASSERT_EQ(add_nurse().code, 0);
    put("backup-passphrase", "another one\n");
    const std::string file = scratch_ / "home.backup";
    const std::vector<std::string> backup = {
        "backup",
        file,
        "--backup-passphrase-file",
        scratch_ / "backup-passphrase",
        "--test-scrypt-log2-n",
        "4"};
    const Ended made = run(backup);
    ASSERT_EQ(made.code, 0) << made.notes;
    EXPECT_EQ(
        std::filesystem::status(file).permissions(),
        std::filesystem::perms::owner_read | std::filesystem::perms::owner_write
    );
    EXPECT_THAT(run(backup).notes, HasSubstr("exists already"));
    const std::string before = run({"user", "list"}).output;
    const std::vector<std::string> restore = {
        "restore",
        file,
        "--backup-passphrase-file",
        scratch_ / "backup-passphrase",
        "--test-scrypt-log2-n",
        "4"};
    EXPECT_THAT(run(restore).notes, HasSubstr("there is a tenant's home"));
    std::filesystem::rename(scratch_ / "home", scratch_ / "lost");
    EXPECT_THAT(run({"restore", file}).notes, HasSubstr("passphrase is wrong"));
    EXPECT_FALSE(exists(scratch_ / "home/home"));
    const Ended restored = run(restore);
    ASSERT_EQ(restored.code, 0) << restored.notes;
    EXPECT_THAT(restored.notes, HasSubstr("pgveil-tenant reconcile"));
    EXPECT_EQ(run({"user", "list"}).output, before);
    EXPECT_THAT(
        run({"group", "create", "lab", "--out", scratch_ / "out"}).notes,
        HasSubstr("restored from a backup")
    );
    EXPECT_EQ(run({"reconcile"}).code, 2);
}

}  // namespace pgveil::tenant
