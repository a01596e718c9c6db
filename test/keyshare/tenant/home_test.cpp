#include "keyshare/tenant/home.hpp"

#include "keyshare/tenant/orders.hpp"
#include "keyshare/user/private_file.hpp"
#include "test/keyshare/tenant/enrolled.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>

namespace pgveil::tenant {

namespace {

using testing::HasSubstr;
using user::Scratch;

void add_nurse(HomeState& state) {
    const auto added = add_user(
        state, {"nurse", {"default"}}, {kTestNow, kTestNow + 86400}, core::system_random()
    );
    ASSERT_TRUE(added) << added.error().message;
}

std::string error_of(const std::string& directory, std::string_view passphrase = "correct horse") {
    const auto home = Home::open(directory, test_passphrase(passphrase));
    return home ? "" : home.error().message;
}

}  // namespace

TEST(Home, RoundTripsEverything) {
    const Scratch scratch;
    const std::string directory = scratch / "home";
    FakeProxy proxy;
    core::SecretBytes before;
    {
        Home home = enrolled_home(directory, proxy);
        add_nurse(home.state());
        ASSERT_TRUE(home.save());
        before = serialize(home.state());
    }
    const auto home = Home::open(directory, test_passphrase());
    ASSERT_TRUE(home) << home.error().message;
    const auto after = serialize(home->state());
    EXPECT_TRUE(core::equal_in_constant_time(before.reveal(), after.reveal()));
    EXPECT_EQ(home->state().tenant, "clinic");
    EXPECT_EQ(status_of(home->state(), "nurse"), "add pending");
}

TEST(Home, WrongPassphraseIsRefused) {
    const Scratch scratch;
    FakeProxy proxy;
    static_cast<void>(enrolled_home(scratch / "home", proxy));
    EXPECT_THAT(error_of(scratch / "home", "wrong"), HasSubstr("passphrase is wrong"));
    EXPECT_EQ(error_of(scratch / "home"), "");
}

TEST(Home, OpenToOthersIsRefused) {
    const Scratch scratch;
    const std::string directory = scratch / "home";
    FakeProxy proxy;
    static_cast<void>(enrolled_home(directory, proxy));
    ::chmod((directory + "/home").c_str(), 0644);
    EXPECT_THAT(error_of(directory), HasSubstr("chmod go="));
    ::chmod((directory + "/home").c_str(), 0600);
    ::chmod(directory.c_str(), 0755);
    EXPECT_THAT(error_of(directory), HasSubstr("chmod go="));
    ::chmod(directory.c_str(), 0700);
    EXPECT_EQ(error_of(directory), "");
}

TEST(Home, SecondProcessIsLockedOut) {
    const Scratch scratch;
    FakeProxy proxy;
    {
        const Home home = enrolled_home(scratch / "home", proxy);
        EXPECT_THAT(error_of(scratch / "home"), HasSubstr("in use by another process"));
    }
    EXPECT_EQ(error_of(scratch / "home"), "");
}

TEST(Home, KilledBetweenTemporaryAndRenameOpensAsBefore) {
    const Scratch scratch;
    const std::string directory = scratch / "home";
    FakeProxy proxy;
    static_cast<void>(enrolled_home(directory, proxy));
    ASSERT_TRUE(user::create_file(
        directory + "/.home.new", core::as_bytes("half a file"), user::Audience::kOwner
    ));
    auto home = Home::open(directory, test_passphrase());
    ASSERT_TRUE(home) << home.error().message;
    EXPECT_TRUE(home->save());
    EXPECT_FALSE(user::exists(directory + "/.home.new"));
}

TEST(Home, MissingSaysHowToMakeOne) {
    const Scratch scratch;
    EXPECT_THAT(error_of(scratch / "nothing"), HasSubstr("pgveil-tenant bootstrap"));
    EXPECT_FALSE(user::exists(scratch / "nothing"));
}

TEST(Home, PreparedOneLeavesNothingOnDisk) {
    const Scratch scratch;
    static_cast<void>(begun_home(scratch / "home"));
    EXPECT_FALSE(user::exists(scratch / "home"));
}

TEST(HomeState, TruncatedIsRefused) {
    const Scratch scratch;
    FakeProxy proxy;
    Home home = enrolled_home(scratch / "home", proxy);
    add_nurse(home.state());
    const auto bytes = serialize(home.state());
    ASSERT_TRUE(parse_home_state(bytes.reveal()));
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        ASSERT_FALSE(parse_home_state(bytes.reveal().first(size))) << size;
    }
}

}  // namespace pgveil::tenant
