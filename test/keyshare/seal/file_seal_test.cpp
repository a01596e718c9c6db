#include "keyshare/seal/file_seal.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

namespace pgveil::seal {
namespace {

namespace fs = std::filesystem;

class FileSealTest : public testing::Test {
protected:
    void SetUp() override {
        std::string pattern = (fs::temp_directory_path() / "pgveil-seal-XXXXXX").string();
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        folder_ = pattern;
        path_ = folder_ / "store.key";
    }

    void TearDown() override { fs::remove_all(folder_); }

    Result<StoreKey> create() const {
        const auto made = FileSeal(path_).create_if_missing(core::system_random());
        return made.has_value() ? FileSeal(path_).current() : made.error();
    }

    fs::path folder_;
    fs::path path_;
};

TEST_F(FileSealTest, MakesAPrivateFileOnceAndReadsItAgain) {
    const auto made = create();
    ASSERT_TRUE(made.has_value()) << made.error().message;

    struct stat status {};

    ASSERT_EQ(::stat(path_.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, 0600U);
    EXPECT_EQ(status.st_size, 32);
    const auto read = FileSeal(path_).current();
    const auto again = create();
    ASSERT_TRUE(read.has_value());
    ASSERT_TRUE(again.has_value());
    EXPECT_TRUE(std::ranges::equal(made->reveal(), read->reveal()));
    EXPECT_TRUE(std::ranges::equal(made->reveal(), again->reveal()));
    EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 1);
}

TEST_F(FileSealTest, AMissingFileIsNotMadeByReading) {
    const auto refused = FileSeal(path_).current();
    ASSERT_FALSE(refused.has_value());
    EXPECT_NE(refused.error().message.find(path_.string()), std::string::npos);
    EXPECT_FALSE(fs::exists(path_));
}

TEST_F(FileSealTest, RefusesFilesThatOthersMayRead) {
    ASSERT_TRUE(create().has_value());
    for (const mode_t mode : {0640U, 0604U, 0660U, 0700U, 0644U}) {
        ASSERT_EQ(::chmod(path_.c_str(), mode), 0);
        const auto refused = FileSeal(path_).current();
        ASSERT_FALSE(refused.has_value()) << mode;
        EXPECT_NE(refused.error().message.find("0600"), std::string::npos);
    }
    ASSERT_EQ(::chmod(path_.c_str(), 0400), 0);
    EXPECT_TRUE(FileSeal(path_).current().has_value());
}

TEST_F(FileSealTest, RefusesAnotherSize) {
    ASSERT_TRUE(create().has_value());
    fs::resize_file(path_, 31);
    EXPECT_FALSE(FileSeal(path_).current().has_value());
    EXPECT_FALSE(create().has_value());
    fs::resize_file(path_, 33);
    EXPECT_FALSE(FileSeal(path_).current().has_value());
}

TEST_F(FileSealTest, RefusesLinksAndFolders) {
    ASSERT_TRUE(create().has_value());
    const fs::path link = folder_ / "link";
    fs::create_symlink(path_, link);
    EXPECT_FALSE(FileSeal(link).current().has_value());
    EXPECT_FALSE(FileSeal(folder_).current().has_value());
}

TEST_F(FileSealTest, SaysWhenTheFolderIsMissing) {
    const auto refused =
        FileSeal(folder_ / "none" / "store.key").create_if_missing(core::system_random());
    ASSERT_FALSE(refused.has_value());
    EXPECT_NE(refused.error().message.find("none/store.key"), std::string::npos);
}

TEST_F(FileSealTest, ARenewalPutsTheSuccessorInForceAndDestroysTheFormerKey) {
    const auto former = create();
    ASSERT_TRUE(former.has_value());
    const fs::path kept = folder_ / "kept";  // the same file under a second name
    fs::create_hard_link(path_, kept);
    FileSeal seal(path_);
    const auto fresh = seal.begin_renewal(core::system_random());
    ASSERT_TRUE(fresh.has_value()) << fresh.error().message;
    EXPECT_TRUE(std::ranges::equal(seal.current()->reveal(), former->reveal()));
    EXPECT_TRUE(std::ranges::equal((*seal.successor())->reveal(), fresh->reveal()));
    ASSERT_TRUE(seal.finish_renewal().has_value());
    EXPECT_TRUE(std::ranges::equal(seal.current()->reveal(), fresh->reveal()));
    EXPECT_FALSE(seal.successor()->has_value());
    EXPECT_FALSE(std::ranges::equal(FileSeal(kept).current()->reveal(), former->reveal()));
    EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 2);
}

TEST_F(FileSealTest, AnAbandonedRenewalLeavesTheKeyInForce) {
    const auto former = create();
    FileSeal seal(path_);
    ASSERT_TRUE(seal.begin_renewal(core::system_random()).has_value());
    ASSERT_TRUE(seal.abandon_renewal().has_value());
    EXPECT_FALSE(seal.successor()->has_value());
    EXPECT_TRUE(std::ranges::equal(seal.current()->reveal(), former->reveal()));
    EXPECT_FALSE(seal.finish_renewal().has_value());
    EXPECT_TRUE(std::ranges::equal(seal.current()->reveal(), former->reveal()));
}

}  // namespace
}  // namespace pgveil::seal
