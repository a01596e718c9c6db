#include "keyshare/tenant/handouts.hpp"

#include "keyshare/share/app_share.hpp"
#include "keyshare/tenant/orders.hpp"
#include "keyshare/user/private_file.hpp"
#include "test/keyshare/tenant/enrolled.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>
#include <unistd.h>

namespace pgveil::tenant {

namespace {

using testing::HasSubstr;
using user::Scratch;

class Handouts : public testing::Test {
protected:
    Handouts() {
        const auto added = add_user(
            home_.state(), {"nurse", {"default"}}, {kTestNow, kTestNow + 60}, core::system_random()
        );
        EXPECT_TRUE(added);
    }

    const UserRecord& nurse() { return *home_.state().find_user("nurse"); }

    Result<void> write() { return write_handouts({&nurse()}, scratch_.path(), {&passphrase_, 10}); }

    Scratch scratch_;
    FakeProxy proxy_;
    Home home_ = enrolled_home(scratch_ / "home", proxy_);
    HandoutNames names_ = handout_names(scratch_.path(), "nurse");
    core::SecretBytes passphrase_ = test_passphrase("the nurse's");
};

}  // namespace

TEST_F(Handouts, UserFileOpensToTheUsersShare) {
    ASSERT_TRUE(write());
    const auto text = user::read_private_file(scratch_ / "nurse.user", 100000);
    ASSERT_TRUE(text);
    const auto file = user::UserFile::parse(text->reveal(), "nurse.user");
    ASSERT_TRUE(file);
    const auto key = file->open(&passphrase_);
    ASSERT_TRUE(key);
    EXPECT_EQ(key->proxy_identity, proxy_.identity());
    const auto bytes = share::serialize(*key);
    EXPECT_TRUE(core::equal_in_constant_time(bytes.reveal(), nurse().user_key.reveal()));
}

TEST_F(Handouts, AppFileIsOneLineForTheApplication) {
    ASSERT_TRUE(write());
    const auto text = user::read_private_file(scratch_ / "nurse.app", 100000);
    ASSERT_TRUE(text);
    ASSERT_EQ(text->reveal().back(), '\n');
    const auto share = share::parse_app_share(text->reveal().first(text->size() - 1));
    ASSERT_TRUE(share);
    EXPECT_EQ(share->user_id, "nurse");
}

TEST_F(Handouts, FilesAreClosedToOthers) {
    ASSERT_TRUE(write());
    for (const std::string& path : {names_.user, names_.app}) {
        struct stat status {};

        ASSERT_EQ(::stat(path.c_str(), &status), 0);
        EXPECT_EQ(status.st_mode & 0777U, 0600U) << path;
    }
}

TEST_F(Handouts, RunCutShortIsFinishedWithTheSameShares) {
    ASSERT_TRUE(write());
    ::unlink(names_.app.c_str());
    EXPECT_TRUE(write());
    EXPECT_TRUE(user::exists(names_.app));
    EXPECT_TRUE(write());
}

TEST_F(Handouts, ForeignFilesAreNeverOverwritten) {
    ASSERT_TRUE(user::create_file(names_.app, core::as_bytes("mine"), user::Audience::kOwner));
    EXPECT_FALSE(require_free({names_.user, names_.app}));
    EXPECT_THAT(write().error().message, HasSubstr("exists already"));
    const auto kept = user::read_private_file(names_.app, 100);
    ASSERT_TRUE(kept);
    EXPECT_EQ(core::as_text(kept->reveal()), "mine");
}

TEST_F(Handouts, UserFileUnderAnotherPassphraseIsNotTakenForOurs) {
    ASSERT_TRUE(write());
    const auto other = test_passphrase("another");
    EXPECT_FALSE(write_handouts({&nurse()}, scratch_.path(), {&other, 10}));
    EXPECT_FALSE(write_handouts({&nurse()}, scratch_.path(), {}));
}

TEST_F(Handouts, SqlFileIsWrittenOncePerContent) {
    const auto paths = write_sql(home_.state(), scratch_.path());
    ASSERT_TRUE(paths);
    EXPECT_EQ(*paths, std::vector<std::string>{scratch_ / "0001-add_user.sql"});
    EXPECT_TRUE(write_sql(home_.state(), scratch_.path()));
    home_.state().commands[0].jws += "x";
    EXPECT_FALSE(write_sql(home_.state(), scratch_.path()));
}

}  // namespace pgveil::tenant
