// Lists of users, key groups, and what is done for everybody.
#include "keyshare/share/command.hpp"
#include "test/keyshare/tenant/tenant_program.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <unistd.h>
#include <vector>

namespace pgveil::tenant {

namespace {

using testing::HasSubstr;
using testing::StartsWith;
using user::Ended;
using user::exists;

}  // namespace

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

TEST_F(TenantProgram, RenewTkWritesTheApplicationsFilesAndAskedAgainTheSameOnes) {
    ASSERT_EQ(add_nurse().code, 0);
    ASSERT_EQ(run({"receipt", answer_of_proxy("answer")}).code, 0);
    const std::vector<std::string> renew = {"renew-tk", "--out", scratch_ / "renewed"};
    const Ended first = run(renew);
    ASSERT_EQ(first.code, 0) << first.notes;
    EXPECT_TRUE(exists(scratch_ / "renewed/0002-renew_tk.sql"));
    EXPECT_FALSE(exists(scratch_ / "renewed/nurse.user"));
    EXPECT_THAT(run({"pending"}).output, HasSubstr("2\trenew_tk\tdefault\t"));
    EXPECT_THAT(run({"user", "list"}).output, HasSubstr("active, renew-tk pending"));
    EXPECT_THAT(run({"group", "list"}).output, HasSubstr("default\tactive, renew-tk pending"));
    EXPECT_THAT(
        run({"renew-tk", "--group", "medical", "--out", scratch_ / "more"}).notes,
        HasSubstr("key group default has no receipt yet")
    );
    const auto app = user::read_private_file(scratch_ / "renewed/nurse.app", 10000);
    ASSERT_TRUE(app);
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
    EXPECT_THAT(
        run({"renew-tk", "--group", "lab", "--out", scratch_ / "lab"}).notes,
        HasSubstr("no key group lab")
    );
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

}  // namespace pgveil::tenant
