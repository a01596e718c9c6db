#include "keyshare/user/private_file.hpp"

#include "test/keyshare/user/scratch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace pgveil::user {

namespace {

using testing::HasSubstr;

mode_t mode_of(const std::string& path) {
    struct stat status {};

    ::stat(path.c_str(), &status);
    return status.st_mode & 07777U;
}

std::string read_back(const std::string& path) {
    auto content = read_private_file(path, 1000);
    return content ? std::string(content->reveal().begin(), content->reveal().end())
                   : "error: " + content.error().message;
}

}  // namespace

TEST(PrivateFile, RoundTripsWithModeOwnerOnly) {
    const Scratch scratch;
    const std::string path = scratch / "key";
    ASSERT_TRUE(create_file(path, core::as_bytes("secret"), Audience::kOwner));
    EXPECT_EQ(mode_of(path), 0600U);
    EXPECT_EQ(read_back(path), "secret");
}

TEST(PrivateFile, RefusesFileOpenToGroupOrOthers) {
    const Scratch scratch;
    const std::string path = scratch / "key";
    ASSERT_TRUE(create_file(path, core::as_bytes("secret"), Audience::kOwner));
    for (const mode_t mode : {0640U, 0604U, 0620U, 0601U}) {
        ::chmod(path.c_str(), mode);
        const auto read = read_private_file(path, 1000);
        ASSERT_FALSE(read);
        EXPECT_EQ(read.error().code, Exit::kUsage);
        EXPECT_THAT(read.error().message, HasSubstr("chmod go="));
    }
    ::chmod(path.c_str(), 0400);
    EXPECT_EQ(read_back(path), "secret");
}

TEST(PrivateFile, RefusesWhatIsNoRegularFile) {
    const Scratch scratch;
    const std::string fifo = scratch / "fifo";
    ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
    EXPECT_FALSE(read_private_file(fifo, 1000));
    EXPECT_FALSE(read_private_file(scratch.path(), 1000));
    EXPECT_FALSE(read_private_file(scratch / "missing", 1000));
}

TEST(PrivateFile, RefusesMoreThanTheLimit) {
    const Scratch scratch;
    const std::string path = scratch / "key";
    ASSERT_TRUE(create_file(path, core::as_bytes("12345"), Audience::kOwner));
    EXPECT_TRUE(read_private_file(path, 5));
    EXPECT_FALSE(read_private_file(path, 4));
}

TEST(PrivateFile, TakesTheRoomOfTheFileAndNotOfTheLimit) {
    const Scratch scratch;
    const std::string path = scratch / "key";
    ASSERT_TRUE(create_file(path, core::as_bytes("secret"), Audience::kOwner));
    constexpr std::size_t kMoreThanThereIs = std::size_t{1} << 50U;
    const auto content = read_private_file(path, kMoreThanThereIs);
    ASSERT_TRUE(content);
    EXPECT_EQ(core::as_text(content->reveal()), "secret");
}

TEST(PrivateFile, NeverOverwritesOnCreate) {
    const Scratch scratch;
    const std::string path = scratch / "key";
    ASSERT_TRUE(create_file(path, core::as_bytes("first"), Audience::kOwner));
    const auto second = create_file(path, core::as_bytes("second"), Audience::kOwner);
    ASSERT_FALSE(second);
    EXPECT_THAT(second.error().message, HasSubstr("exists already"));
    EXPECT_EQ(read_back(path), "first");
    EXPECT_FALSE(exists(scratch / ".key.new"));
}

TEST(NewFiles, GetTheirNamesTogether) {
    const Scratch scratch;
    NewFiles files;
    ASSERT_TRUE(files.add(scratch / "one", core::as_bytes("1"), Audience::kOwner));
    ASSERT_TRUE(files.add(scratch / "two", core::as_bytes("2"), Audience::kAnybody));
    EXPECT_FALSE(exists(scratch / "one"));
    ASSERT_TRUE(files.finish());
    EXPECT_EQ(read_back(scratch / "one"), "1");
    EXPECT_EQ(*read_public_file(scratch / "two", 10), "2");
    EXPECT_EQ(files.size(), 0U);
}

TEST(NewFiles, OverwriteNothingAndLeaveNothingBehind) {
    const Scratch scratch;
    ASSERT_TRUE(create_file(scratch / "one", core::as_bytes("first"), Audience::kOwner));
    {
        NewFiles files;
        ASSERT_TRUE(files.add(scratch / "one", core::as_bytes("second"), Audience::kOwner));
        ASSERT_TRUE(files.add(scratch / "two", core::as_bytes("2"), Audience::kOwner));
        const auto finished = files.finish();
        ASSERT_FALSE(finished);
        EXPECT_THAT(finished.error().message, HasSubstr("exists already"));
        ASSERT_TRUE(files.add(scratch / "three", core::as_bytes("3"), Audience::kOwner));
    }
    EXPECT_EQ(read_back(scratch / "one"), "first");
    EXPECT_EQ(read_back(scratch / "two"), "2");
    EXPECT_FALSE(exists(scratch / "three"));
    EXPECT_FALSE(exists(scratch / ".one.new"));
    EXPECT_FALSE(exists(scratch / ".three.new"));
}

TEST(PrivateFile, DoesNotFollowALinkUnderTheNameOfTheTemporary) {
    const Scratch scratch;
    const std::string victim = scratch / "victim";
    ASSERT_TRUE(create_file(victim, core::as_bytes("untouched"), Audience::kOwner));
    ASSERT_EQ(::symlink(victim.c_str(), (scratch / ".key.new").c_str()), 0);
    ASSERT_TRUE(replace_private_file(scratch / "key", core::as_bytes("new")));
    EXPECT_EQ(read_back(victim), "untouched");
    EXPECT_EQ(read_back(scratch / "key"), "new");
}

TEST(PrivateFile, KilledBetweenTemporaryAndRenameKeepsTheOldContent) {
    const Scratch scratch;
    const std::string path = scratch / "home";
    ASSERT_TRUE(replace_private_file(path, core::as_bytes("old")));
    // What such a kill leaves behind: a temporary, whole or cut short.
    ASSERT_TRUE(create_file(scratch / ".home.new", core::as_bytes("ne"), Audience::kOwner));
    EXPECT_EQ(read_back(path), "old");
    ASSERT_TRUE(replace_private_file(path, core::as_bytes("new")));
    EXPECT_EQ(read_back(path), "new");
    EXPECT_FALSE(exists(scratch / ".home.new"));
}

TEST(PrivateFile, KilledAtAnyMomentLeavesOldOrNew) {
    const Scratch scratch;
    const std::string path = scratch / "home";
    const std::string first(3000, 'a');
    const std::string second(3000, 'b');
    ASSERT_TRUE(replace_private_file(path, core::as_bytes(first)));
    for (int round = 0; round < 20; ++round) {
        const pid_t child = ::fork();
        if (child == 0) {
            for (;;) {
                static_cast<void>(replace_private_file(path, core::as_bytes(second)));
                static_cast<void>(replace_private_file(path, core::as_bytes(first)));
            }
        }
        ::usleep(static_cast<useconds_t>(500 + 700 * round));
        ::kill(child, SIGKILL);
        ::waitpid(child, nullptr, 0);
        const auto content = read_private_file(path, 4000);
        ASSERT_TRUE(content);
        const std::string text(content->reveal().begin(), content->reveal().end());
        ASSERT_TRUE(text == first || text == second);
    }
}

TEST(PrivateDirectory, IsMadeClosedAndRefusedWhenOpen) {
    const Scratch scratch;
    const std::string path = scratch / "home";
    ASSERT_TRUE(make_private_directory(path));
    EXPECT_EQ(mode_of(path), 0700U);
    ASSERT_TRUE(make_private_directory(path));
    ::chmod(path.c_str(), 0750);
    EXPECT_FALSE(make_private_directory(path));
}

TEST(PrivateDirectory, LockExcludesASecondHolderUntilReleased) {
    const Scratch scratch;
    {
        const auto held = lock_directory(scratch.path());
        ASSERT_TRUE(held);
        const auto second = lock_directory(scratch.path());
        ASSERT_FALSE(second);
        EXPECT_THAT(second.error().message, HasSubstr("in use by another process"));
    }
    EXPECT_TRUE(lock_directory(scratch.path()));
}

}  // namespace pgveil::user
