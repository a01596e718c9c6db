#include "keyshare/store/backup.hpp"

#include "test/keyshare/store/world.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <sqlite3.h>

namespace pgveil::store::test {
namespace {

namespace fs = std::filesystem;

using ::testing::HasSubstr;

class Backup : public World {
protected:
    fs::path store() const { return folder_ / "store.db"; }

    seal::FileSeal key_file() const { return seal::FileSeal(folder_ / "seal.key"); }

    BackupFiles files() const { return {folder_ / "backup.db", folder_ / "backup.key"}; }

    Result<StoreFacts> take() {
        seal::FileSeal seal = key_file();
        return back_up(store(), seal, files());
    }

    Result<void> put_back() {
        auto restoration = Restoration::begin(store(), files());
        if (!restoration.has_value()) {
            return restoration.error();
        }
        seal::FileSeal seal = key_file();
        return restoration->finish(seal);
    }

    static std::string content(const fs::path& path) {
        std::ifstream file(path, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }

    static void run_sql(const fs::path& path, const char* sql) {
        sqlite3* raw = nullptr;
        ASSERT_EQ(sqlite3_open(path.c_str(), &raw), SQLITE_OK);
        EXPECT_EQ(sqlite3_exec(raw, sql, nullptr, nullptr, nullptr), SQLITE_OK);
        sqlite3_close(raw);
    }
};

TEST_F(Backup, BringsBackWhatWasThere) {
    const Holdings nurse = add_user("nurse");
    custody_.reset();
    const auto taken = take();
    ASSERT_TRUE(taken.has_value()) << taken.error().message;
    EXPECT_EQ(taken->tenant, "acme");
    EXPECT_EQ(taken->last_sequence, 1U);
    restart();
    read_zero();
    ASSERT_TRUE(custody_->apply(withdraw("nurse"), kNow).has_value());
    EXPECT_FALSE(works(nurse)) << "positive control";
    custody_.reset();
    const auto restored = put_back();
    ASSERT_TRUE(restored.has_value()) << restored.error().message;
    restart();
    read_zero();
    EXPECT_TRUE(works(nurse)) << "it is the older store again: that has to be noticed elsewhere";
}

TEST_F(Backup, IsTwoPrivateFilesWithoutALog) {
    custody_.reset();
    ASSERT_TRUE(take().has_value());
    for (const fs::path& path : {files().store, files().key}) {
        EXPECT_EQ(fs::status(path).permissions(), fs::perms(0600)) << path;
    }
    EXPECT_FALSE(fs::exists(files().store.string() + "-wal"));
    EXPECT_EQ(content(files().key), content(folder_ / "seal.key"));
}

TEST_F(Backup, ReplacesNoFile) {
    custody_.reset();
    ASSERT_TRUE(take().has_value());
    const std::string before = content(files().store);
    EXPECT_FALSE(take().has_value());
    fs::remove(files().store);
    EXPECT_FALSE(take().has_value()) << "the key is there";
    EXPECT_FALSE(before.empty());
}

TEST_F(Backup, IsNotTakenOfAStoreInUseNorPutOverOne) {
    custody_.reset();
    ASSERT_TRUE(take().has_value());
    restart();
    fs::remove(files().key);
    EXPECT_THAT(take().error().message, HasSubstr("in use"));
    EXPECT_THAT(put_back().error().message, HasSubstr("in use"));
}

TEST_F(Backup, KeyOfTheRestoredStoreIsRenewed) {
    custody_.reset();
    ASSERT_TRUE(take().has_value());
    ASSERT_TRUE(put_back().has_value());
    restart();
    EXPECT_FALSE(custody_->report().renewal_due);
    EXPECT_NE(content(folder_ / "seal.key"), content(files().key));
}

TEST_F(Backup, OpensOnlyWithItsKeyAndChangesNothingOtherwise) {
    custody_.reset();
    ASSERT_TRUE(take().has_value());
    const std::string before = content(store());
    std::fstream key(files().key, std::ios::binary | std::ios::in | std::ios::out);
    const char first = static_cast<char>(key.get());
    key.seekp(0);
    key.put(static_cast<char>(first ^ 1));
    key.close();
    EXPECT_EQ(put_back().error().code, ErrorCode::kBroken);
    EXPECT_EQ(content(store()), before);
    EXPECT_FALSE(fs::exists(store().string() + ".restored"));
    restart();
}

TEST_F(Backup, ComesBackWhereStoreAndKeyAreLost) {
    const Holdings nurse = add_user("nurse");
    custody_.reset();
    ASSERT_TRUE(take().has_value());
    fs::remove(store());
    fs::remove(folder_ / "seal.key");
    const auto restored = put_back();
    ASSERT_TRUE(restored.has_value()) << restored.error().message;
    restart();
    read_zero();
    EXPECT_TRUE(works(nurse));
}

TEST_F(Backup, ARestoreCutShortBeforeTheStoreWasReplacedLeavesTheStore) {
    const Holdings nurse = add_user("nurse");
    custody_.reset();
    ASSERT_TRUE(take().has_value());
    restart();
    ASSERT_TRUE(custody_->apply(withdraw("nurse"), kNow).has_value());
    custody_.reset();
    const auto key = seal::FileSeal(files().key).current();
    ASSERT_TRUE(key.has_value());
    ASSERT_TRUE(key_file().begin_return(*key).has_value());
    restart();
    read_zero();
    EXPECT_FALSE(works(nurse)) << "the store of after the withdraw";
}

TEST_F(Backup, AStoreOfBeforeFormatsWereNumberedIsTakenOver) {
    const Holdings nurse = add_user("nurse");
    custody_.reset();
    run_sql(store(), "PRAGMA user_version = 0");
    restart();
    read_zero();
    EXPECT_TRUE(works(nurse));
}

TEST_F(Backup, AStoreOfALaterFormatIsLeftAlone) {
    custody_.reset();
    run_sql(store(), "PRAGMA user_version = 2");
    const auto opened = ProxyCustody::open(options(), seal());
    ASSERT_FALSE(opened.has_value());
    EXPECT_THAT(opened.error().message, HasSubstr("format 2"));
    run_sql(store(), "PRAGMA user_version = 1");
    restart();
}

}  // namespace
}  // namespace pgveil::store::test
