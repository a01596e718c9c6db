#include "test/keyshare/user/program.hpp"

#include "keyshare/tenant/calls.hpp"
#include "keyshare/tenant/orders.hpp"
#include "keyshare/user/private_file.hpp"
#include "keyshare/user/user_file.hpp"
#include "test/keyshare/tenant/enrolled.hpp"

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
using user::Scratch;

/// An enrolled home on disk, closed under "correct horse", and an empty directory.
class TenantProgram : public testing::Test {
protected:
    TenantProgram() {
        static_cast<void>(enrolled_home(scratch_ / "home", proxy_));
        put("passphrase", "correct horse\n");
        put("nurse-passphrase", "the nurse's\n");
    }

    void put(const std::string& name, std::string_view content) {
        EXPECT_TRUE(
            user::create_file(scratch_ / name, core::as_bytes(content), user::Audience::kOwner)
        );
    }

    std::vector<std::string> words(std::vector<std::string> more) const {
        std::vector<std::string> all = {
            PGVEIL_TENANT_PROGRAM,
            "--home",
            scratch_ / "home",
            "--passphrase-file",
            scratch_ / "passphrase"};
        all.insert(all.end(), more.begin(), more.end());
        return all;
    }

    Ended run(std::vector<std::string> more) const {
        return user::run_program(words(std::move(more)));
    }

    Ended add_nurse() const {
        return run(
            {"user",
             "add",
             "nurse",
             "--out",
             scratch_ / "out",
             "--user-passphrase-file",
             scratch_ / "nurse-passphrase"}
        );
    }

    /// What the proxy answers to the pending commands, as a file.
    std::string answer_of_proxy(const std::string& name) {
        const auto home = Home::open(scratch_ / "home", test_passphrase());
        EXPECT_TRUE(home);
        put(name, proxy_.receipts(*calls_for(home->state()).front().arguments.back()) + "\n");
        return scratch_ / name;
    }

    std::string out(const std::string& name) const { return scratch_ / "out/" + name; }

    Scratch scratch_;
    FakeProxy proxy_;
};

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

TEST_F(TenantProgram, ImportAddsAllUsersOfAListOrNone) {
    put("staff", "doctor\nporter\n");
    const std::vector<std::string> import = {
        "user", "import", scratch_ / "staff", "--out", scratch_ / "out", "--no-passphrase"};
    ASSERT_EQ(run(import).code, 0);
    const std::string added =
        "doctor\tadd pending\tepoch 1\tdefault\n"
        "porter\tadd pending\tepoch 1\tdefault\n";
    EXPECT_EQ(run({"user", "list"}).output, added);
    EXPECT_TRUE(exists(out("0002-add_user.sql")));
    EXPECT_EQ(::unlink(out("porter.app").c_str()), 0);
    EXPECT_THAT(run(import).notes, HasSubstr("2 users were ordered before"));
    EXPECT_TRUE(exists(out("porter.app")));

    put("more", "clerk\ndoctor\nporter\nguest\n");
    put("out/guest.user", "of somebody else");
    const Ended refused =
        run({"user", "import", scratch_ / "more", "--out", scratch_ / "out", "--no-passphrase"});
    EXPECT_EQ(refused.code, 2);
    EXPECT_THAT(refused.notes, HasSubstr("guest.user exists already"));
    EXPECT_EQ(run({"user", "list"}).output, added);
    EXPECT_FALSE(exists(out("clerk.user")));
}

TEST_F(TenantProgram, TheAnswerToOneOfSeveralCallsIsFiledByItself) {
    std::string staff;
    for (std::size_t number = 0; number <= share::kCommandsMax; ++number) {
        staff += "user" + std::to_string(number) + "\n";
    }
    put("staff", staff);
    ASSERT_EQ(
        run({"user", "import", scratch_ / "staff", "--out", scratch_ / "out", "--no-passphrase"})
            .code,
        0
    );
    const Ended filed = run({"receipt", answer_of_proxy("answer")});
    EXPECT_EQ(filed.code, 0);
    EXPECT_THAT(filed.notes, HasSubstr("1000 commands were applied"));
    EXPECT_THAT(filed.notes, HasSubstr("1 commands have no receipt yet"));
    EXPECT_THAT(run({"pending"}).output, StartsWith("1001\tadd_user\tuser1000\t"));
    EXPECT_EQ(run({"receipt", answer_of_proxy("rest")}).code, 0);
    EXPECT_EQ(run({"pending"}).output, "");
}

TEST_F(TenantProgram, GroupsAreNamedOneByOne) {
    const Ended added = run(
        {"user",
         "add",
         "--no-passphrase",
         "--out",
         scratch_ / "out",
         "--group",
         "default",
         "--group",
         "medical",
         "nurse"}
    );
    ASSERT_EQ(added.code, 0) << added.notes;
    EXPECT_EQ(run({"user", "list"}).output, "nurse\tadd pending\tepoch 1\tdefault,medical\n");
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
    ASSERT_EQ(run({"receipt", answer_of_proxy("answer")}).code, 0);
    EXPECT_THAT(run({"user", "list"}).output, HasSubstr("nurse\twithdrawn"));
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

TEST_F(TenantProgram, RenewSharesWritesTheApplicationsFilesAndAskedAgainTheSameOnes) {
    ASSERT_EQ(add_nurse().code, 0);
    const std::vector<std::string> renew = {"renew-shares", "--out", scratch_ / "renewed"};
    EXPECT_THAT(run(renew).notes, HasSubstr("no user has shares in force"));
    ASSERT_EQ(run({"receipt", answer_of_proxy("answer")}).code, 0);
    const Ended first = run(renew);
    ASSERT_EQ(first.code, 0) << first.notes;
    EXPECT_TRUE(exists(scratch_ / "renewed/0002-renew_shares.sql"));
    EXPECT_FALSE(exists(scratch_ / "renewed/nurse.user"));
    const auto app = user::read_private_file(scratch_ / "renewed/nurse.app", 10000);
    ASSERT_TRUE(app);
    EXPECT_THAT(run({"user", "list"}).output, HasSubstr("active, renew-shares pending"));
    EXPECT_EQ(::unlink((scratch_ / "renewed/nurse.app").c_str()), 0);
    const Ended again = run(renew);
    EXPECT_EQ(again.code, 0) << again.notes;
    EXPECT_THAT(again.notes, HasSubstr("handing out the same shares"));
    const auto same = user::read_private_file(scratch_ / "renewed/nurse.app", 10000);
    ASSERT_TRUE(same);
    EXPECT_TRUE(core::equal_in_constant_time(app->reveal(), same->reveal()));
    ASSERT_EQ(run({"receipt", answer_of_proxy("second")}).code, 0);
    EXPECT_EQ(run({"user", "list"}).output, "nurse\tactive\tepoch 1\tdefault\n");
    EXPECT_THAT(run(renew).notes, HasSubstr("exists already"));
}

TEST_F(TenantProgram, AGroupIsMadeListedGrantedAndRevokedAndAskedAgainTheSame) {
    ASSERT_EQ(add_nurse().code, 0);
    const std::vector<std::string> create = {"group", "create", "lab", "--out", scratch_ / "out"};
    ASSERT_EQ(run(create).code, 0);
    const auto made = user::read_public_file(out("0002-create_group.sql"), 100000);
    ASSERT_TRUE(made);
    EXPECT_THAT(*made, HasSubstr("SELECT pgveil.apply('"));
    EXPECT_THAT(run({"pending"}).output, HasSubstr("2\tcreate_group\tlab\t"));
    EXPECT_THAT(
        run({"group", "list"}).output, HasSubstr("lab\tcreate pending\tno key yet\t0 users")
    );
    const Ended again = run(create);
    EXPECT_EQ(again.code, 0) << again.notes;
    EXPECT_THAT(again.notes, HasSubstr("sending the same command"));
    ASSERT_EQ(run({"receipt", answer_of_proxy("answer")}).code, 0);
    EXPECT_THAT(run(create).notes, HasSubstr("there is a key group lab already"));
    const auto change = [&](const std::string& verb) {
        return run(
            {"group", verb, "nurse", "lab", "--no-passphrase", "--out", scratch_ / (verb + "ed")}
        );
    };
    ASSERT_EQ(change("grant").code, 0);
    EXPECT_THAT(change("grant").notes, HasSubstr("handing out the same shares"));
    EXPECT_TRUE(exists(scratch_ / "granted/nurse.app"));
    ASSERT_EQ(run({"receipt", answer_of_proxy("second")}).code, 0);
    EXPECT_EQ(run({"user", "list"}).output, "nurse\tactive\tepoch 2\tdefault,lab\n");
    EXPECT_THAT(run({"group", "list"}).output, HasSubstr("lab\tactive\tkey id 3\t1 user\n"));
    ASSERT_EQ(change("revoke").code, 0);
    ASSERT_EQ(run({"receipt", answer_of_proxy("third")}).code, 0);
    EXPECT_EQ(run({"user", "list"}).output, "nurse\tactive\tepoch 3\tdefault\n");
}

TEST_F(TenantProgram, WrongArgumentsOfGroupAreUsageErrors) {
    EXPECT_EQ(run({"group"}).code, 2);
    EXPECT_EQ(run({"group", "create", "lab"}).code, 2);
    EXPECT_EQ(run({"group", "create", "Lab", "--out", scratch_ / "out"}).code, 2);
    EXPECT_EQ(run({"group", "grant", "nurse", "--out", scratch_ / "out"}).code, 2);
    EXPECT_EQ(run({"pending"}).output, "");
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
