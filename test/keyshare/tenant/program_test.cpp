#include "keyshare/tenant/orders.hpp"
#include "keyshare/user/user_file.hpp"
#include "test/keyshare/tenant/tenant_program.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <unistd.h>
#include <vector>

namespace pgveil::tenant {

namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using user::Ended;
using user::exists;

}  // namespace

TEST_F(TenantProgram, HelpAndVersionSucceed) {
    EXPECT_EQ(user::run_program({PGVEIL_TENANT_PROGRAM, "--help"}).code, 0);
    EXPECT_EQ(user::run_program({PGVEIL_TENANT_PROGRAM, "user", "add", "--help"}).code, 0);
    EXPECT_THAT(
        user::run_program({PGVEIL_TENANT_PROGRAM, "--version"}).output, StartsWith("pgveil-tenant ")
    );
}

TEST_F(TenantProgram, WrongArgumentsAreUsageErrors) {
    EXPECT_EQ(run({}).code, 2);
    EXPECT_EQ(run({"user"}).code, 2);
    EXPECT_EQ(run({"user", "add", "nurse"}).code, 2);
    EXPECT_EQ(run({"user", "add", "../x", "--out", scratch_ / "out", "--no-passphrase"}).code, 2);
    EXPECT_EQ(run({"user", "withdraw", "nurse"}).code, 2);
    EXPECT_EQ(run({"user", "show", "nobody"}).code, 2);
    EXPECT_FALSE(exists(scratch_ / "out"));
}

TEST_F(TenantProgram, AddWritesThreeFilesAndListsTheUserAsPending) {
    const Ended added = add_nurse();
    ASSERT_EQ(added.code, 0) << added.notes;
    EXPECT_EQ(added.output, "");
    EXPECT_TRUE(exists(out("nurse.user")));
    EXPECT_TRUE(exists(out("nurse.app")));
    EXPECT_TRUE(exists(out("0001-add_user.sql")));
    EXPECT_EQ(run({"user", "list"}).output, "nurse\tadd pending\tepoch 1\tdefault\n");
    EXPECT_THAT(run({"pending"}).output, StartsWith("1\tadd_user\tnurse\t"));
}

TEST_F(TenantProgram, GlobalOptionsMayFollowTheSubcommand) {
    const Ended ended = user::run_program(
        {PGVEIL_TENANT_PROGRAM,
         "user",
         "list",
         "--home",
         scratch_ / "home",
         "--passphrase-file",
         scratch_ / "passphrase"}
    );
    EXPECT_EQ(ended.code, 0) << ended.notes;
}

TEST_F(TenantProgram, ReceiptMakesTheUserActive) {
    ASSERT_EQ(add_nurse().code, 0);
    const Ended filed = run({"receipt", answer_of_proxy("answer")});
    ASSERT_EQ(filed.code, 0) << filed.notes;
    EXPECT_THAT(filed.notes, HasSubstr("command 1 (add_user nurse) was applied"));
    EXPECT_THAT(run({"user", "show", "nurse"}).output, HasSubstr("status: active\n"));
    EXPECT_EQ(run({"pending"}).output, "");
}

TEST_F(TenantProgram, ForeignReceiptIsRefused) {
    ASSERT_EQ(add_nurse().code, 0);
    put("answer", "not.a.receipt\n");
    EXPECT_EQ(run({"receipt", scratch_ / "answer"}).code, 1);
    EXPECT_THAT(run({"user", "list"}).output, HasSubstr("add pending"));
}

TEST_F(TenantProgram, RepeatedAddHandsOutTheSameShares) {
    ASSERT_EQ(add_nurse().code, 0);
    const auto first = user::read_private_file(out("nurse.app"), 10000);
    ::unlink(out("nurse.app").c_str());
    const Ended again = add_nurse();
    ASSERT_EQ(again.code, 0) << again.notes;
    EXPECT_THAT(again.notes, HasSubstr("handing out the same shares"));
    const auto second = user::read_private_file(out("nurse.app"), 10000);
    ASSERT_TRUE(first && second);
    EXPECT_TRUE(core::equal_in_constant_time(first->reveal(), second->reveal()));
    EXPECT_THAT(run({"pending"}).output, Not(HasSubstr("2\t")));
}

TEST_F(TenantProgram, ExistingFilesAreNotOverwrittenAndNothingIsOrdered) {
    ASSERT_TRUE(user::make_private_directory(scratch_ / "out"));
    put("out/nurse.user", "something of mine");
    EXPECT_EQ(add_nurse().code, 2);
    EXPECT_EQ(run({"user", "list"}).output, "");
    EXPECT_EQ(
        core::as_text(user::read_private_file(out("nurse.user"), 100)->reveal()),
        "something of mine"
    );
}

TEST_F(TenantProgram, ServiceAccountWithoutPassphraseIsSaidClearly) {
    const Ended added =
        run({"user", "add", "report", "--out", scratch_ / "out", "--no-passphrase"});
    ASSERT_EQ(added.code, 0) << added.notes;
    EXPECT_THAT(added.notes, HasSubstr("WARNING"));
    EXPECT_THAT(added.notes, HasSubstr("has no passphrase"));
}

TEST_F(TenantProgram, WithdrawIsDeliveredAfterEverythingPending) {
    ASSERT_EQ(add_nurse().code, 0);
    const Ended withdrawn = run({"user", "withdraw", "nurse", "--out", scratch_ / "out"});
    ASSERT_EQ(withdrawn.code, 0) << withdrawn.notes;
    ASSERT_TRUE(exists(out("0002-withdraw_user.sql")));
    const auto text = user::read_public_file(out("0002-withdraw_user.sql"), 100000);
    EXPECT_THAT(*text, HasSubstr("--   1 add_user nurse\n--   2 withdraw_user nurse\n"));
    const Ended again = run({"user", "withdraw", "nurse", "--out", scratch_ / "out"});
    EXPECT_EQ(again.code, 0) << again.notes;
    EXPECT_EQ(*user::read_public_file(out("0002-withdraw_user.sql"), 100000), *text);
    ASSERT_EQ(run({"receipt", answer_of_proxy("answer")}).code, 0);
    EXPECT_THAT(run({"user", "list"}).output, HasSubstr("nurse\twithdrawn"));
    EXPECT_THAT(
        run({"user", "withdraw", "nurse", "--out", scratch_ / "out"}).notes,
        HasSubstr("withdrawn already")
    );
}

TEST_F(TenantProgram, ChangeKeyWritesNewFilesAndAskedAgainTheSameOnes) {
    ASSERT_EQ(add_nurse().code, 0);
    ASSERT_EQ(run({"receipt", answer_of_proxy("answer")}).code, 0);
    const std::vector<std::string> change = {
        "user",
        "change-key",
        "nurse",
        "--out",
        scratch_ / "changed",
        "--user-passphrase-file",
        scratch_ / "nurse-passphrase"};
    const Ended first = run(change);
    ASSERT_EQ(first.code, 0) << first.notes;
    EXPECT_TRUE(exists(scratch_ / "changed/0002-change_key.sql"));
    EXPECT_THAT(run({"user", "list"}).output, HasSubstr("active, change-key pending\tepoch 2"));
    const Ended again = run(change);
    EXPECT_EQ(again.code, 0);
    EXPECT_THAT(again.notes, HasSubstr("handing out the same shares"));
    ASSERT_EQ(run({"receipt", answer_of_proxy("second")}).code, 0);
    EXPECT_EQ(run({"user", "list"}).output, "nurse\tactive\tepoch 2\tdefault\n");
}

TEST_F(TenantProgram, CopyWritesTheKeptKeyUnderANewPassphraseWithoutACommand) {
    ASSERT_EQ(add_nurse().code, 0);
    ASSERT_EQ(run({"receipt", answer_of_proxy("answer")}).code, 0);
    put("other", "another one\n");
    const std::vector<std::string> copy = {
        "user",
        "copy",
        "nurse",
        "--out",
        scratch_ / "copied",
        "--user-passphrase-file",
        scratch_ / "other"};
    const Ended copied = run(copy);
    ASSERT_EQ(copied.code, 0) << copied.notes;
    EXPECT_EQ(run({"pending"}).output, "");
    EXPECT_FALSE(exists(scratch_ / "copied/nurse.app"));
    const auto key_in = [](const std::string& path, std::string_view passphrase) {
        const auto text = user::read_private_file(path, user::kUserFileSizeMax);
        const auto file = user::UserFile::parse(text->reveal(), path);
        const core::SecretBytes word = test_passphrase(passphrase);
        const auto key = file->open(&word);
        return key ? share::serialize(*key) : core::SecretBytes();
    };
    const core::SecretBytes first = key_in(out("nurse.user"), "the nurse's");
    const core::SecretBytes second = key_in(scratch_ / "copied/nurse.user", "another one");
    ASSERT_FALSE(first.empty());
    EXPECT_TRUE(core::equal_in_constant_time(first.reveal(), second.reveal()));
    EXPECT_TRUE(key_in(scratch_ / "copied/nurse.user", "the nurse's").empty());
    EXPECT_EQ(run(copy).code, 2);  // never over a file that is there
}

TEST_F(TenantProgram, UnreachableProxyKeepsTheCommandPending) {
    const Ended added = run(
        {"user",
         "add",
         "nurse",
         "--out",
         scratch_ / "out",
         "--no-passphrase",
         "--apply",
         "postgresql://u@127.0.0.1:1/d"}
    );
    EXPECT_EQ(added.code, 1);
    EXPECT_THAT(added.notes, HasSubstr("no connection to the proxy"));
    EXPECT_THAT(run({"pending"}).output, HasSubstr("add_user\tnurse"));
}

TEST_F(TenantProgram, BootstrapWithoutProxyKeepsNothing) {
    put("otp", "ABCDE\n");
    const Ended ended = user::run_program(
        {PGVEIL_TENANT_PROGRAM,
         "bootstrap",
         "--home",
         scratch_ / "fresh",
         "--passphrase-file",
         scratch_ / "passphrase",
         "--url",
         "postgresql://bootstrap@127.0.0.1:1/pgveil",
         "--otp-file",
         scratch_ / "otp",
         "--test-scrypt-log2-n",
         "4"}
    );
    EXPECT_EQ(ended.code, 1);
    EXPECT_THAT(ended.notes, HasSubstr("no connection to the proxy"));
    EXPECT_FALSE(exists(scratch_ / "fresh"));
}

TEST_F(TenantProgram, SecondBootstrapIntoAHomeIsRefused) {
    const Ended ended = run({"bootstrap", "--url", "postgresql://bootstrap@127.0.0.1:1/pgveil"});
    EXPECT_EQ(ended.code, 2);
    EXPECT_THAT(ended.notes, HasSubstr("bootstrapped already"));
}

TEST_F(TenantProgram, WrongPassphraseFails) {
    put("wrong", "battery staple\n");
    const Ended ended = user::run_program(
        {PGVEIL_TENANT_PROGRAM,
         "user",
         "list",
         "--home",
         scratch_ / "home",
         "--passphrase-file",
         scratch_ / "wrong"}
    );
    EXPECT_EQ(ended.code, 1);
    EXPECT_THAT(ended.notes, HasSubstr("passphrase is wrong"));
}

TEST_F(TenantProgram, NewPassphraseIsAskedTwice) {
    const std::vector<std::string> bootstrap = {
        PGVEIL_TENANT_PROGRAM,
        "bootstrap",
        "--home",
        scratch_ / "fresh",
        "--url",
        "postgresql://bootstrap@127.0.0.1:1/pgveil",
        "--test-scrypt-log2-n",
        "4"};
    const Ended differing = user::run_on_terminal(bootstrap, {"one\r", "two\r"});
    EXPECT_EQ(differing.code, 1);
    EXPECT_THAT(differing.output, HasSubstr("the two entries differ"));
    const Ended same = user::run_on_terminal(bootstrap, {"one\r", "one\r", "OTP\r"});
    EXPECT_THAT(same.output, HasSubstr("no connection to the proxy"));
}

}  // namespace pgveil::tenant
