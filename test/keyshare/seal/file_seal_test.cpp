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

class FileSeal : public testing::Test {
protected:
    void SetUp() override {
        std::string pattern = (fs::temp_directory_path() / "pgveil-seal-XXXXXX").string();
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        folder_ = pattern;
        path_ = folder_ / "store.key";
    }

    void TearDown() override { fs::remove_all(folder_); }

    Result<StoreKey> create() const {
        return read_or_create_store_key(path_, core::system_random());
    }

    fs::path folder_;
    fs::path path_;
};

TEST_F(FileSeal, MakesAPrivateFileOnceAndReadsItAgain) {
    const auto made = create();
    ASSERT_TRUE(made.has_value()) << made.error().message;

    struct stat status {};

    ASSERT_EQ(::stat(path_.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, 0600U);
    EXPECT_EQ(status.st_size, 32);
    const auto read = read_store_key(path_);
    const auto again = create();
    ASSERT_TRUE(read.has_value());
    ASSERT_TRUE(again.has_value());
    EXPECT_TRUE(std::ranges::equal(made->reveal(), read->reveal()));
    EXPECT_TRUE(std::ranges::equal(made->reveal(), again->reveal()));
    EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 1);
}

TEST_F(FileSeal, AMissingFileIsNotMadeByReading) {
    const auto refused = read_store_key(path_);
    ASSERT_FALSE(refused.has_value());
    EXPECT_NE(refused.error().message.find(path_.string()), std::string::npos);
    EXPECT_FALSE(fs::exists(path_));
}

TEST_F(FileSeal, RefusesFilesThatOthersMayRead) {
    ASSERT_TRUE(create().has_value());
    for (const mode_t mode : {0640U, 0604U, 0660U, 0700U, 0644U}) {
        ASSERT_EQ(::chmod(path_.c_str(), mode), 0);
        const auto refused = read_store_key(path_);
        ASSERT_FALSE(refused.has_value()) << mode;
        EXPECT_NE(refused.error().message.find("0600"), std::string::npos);
    }
    ASSERT_EQ(::chmod(path_.c_str(), 0400), 0);
    EXPECT_TRUE(read_store_key(path_).has_value());
}

TEST_F(FileSeal, RefusesAnotherSize) {
    ASSERT_TRUE(create().has_value());
    fs::resize_file(path_, 31);
    EXPECT_FALSE(read_store_key(path_).has_value());
    EXPECT_FALSE(create().has_value());
    fs::resize_file(path_, 33);
    EXPECT_FALSE(read_store_key(path_).has_value());
}

TEST_F(FileSeal, RefusesLinksAndFolders) {
    ASSERT_TRUE(create().has_value());
    const fs::path link = folder_ / "link";
    fs::create_symlink(path_, link);
    EXPECT_FALSE(read_store_key(link).has_value());
    EXPECT_FALSE(read_store_key(folder_).has_value());
}

TEST_F(FileSeal, SaysWhenTheFolderIsMissing) {
    const auto refused =
        read_or_create_store_key(folder_ / "none" / "store.key", core::system_random());
    ASSERT_FALSE(refused.has_value());
    EXPECT_NE(refused.error().message.find("none/store.key"), std::string::npos);
}

}  // namespace
}  // namespace pgveil::seal
