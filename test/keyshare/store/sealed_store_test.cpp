#include "keyshare/store/sealed_store.hpp"

#include "keyshare/store/sqlite.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <new>
#include <sqlite3.h>
#include <sys/stat.h>

namespace pgveil::store {
namespace {

namespace fs = std::filesystem;

core::SecretBytes body(std::string_view text) {
    return core::SecretBytes::copy_of(core::as_bytes(text));
}

class SealedStoreTest : public testing::Test {
protected:
    void SetUp() override {
        std::string pattern = (fs::temp_directory_path() / "pgveil-rows-XXXXXX").string();
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        folder_ = pattern;
        path_ = folder_ / "store.db";
        seal_ = std::make_shared<const RowSeal>(
            core::random_secret<seal::StoreKey>(core::system_random())
        );
    }

    void TearDown() override { fs::remove_all(folder_); }

    Result<SealedStore> open(bool create = true) const {
        return SealedStore::open(path_, seal_, create);
    }

    static void put(SealedStore& store, const RowName& name, std::string_view text) {
        std::vector<Change> changes;
        changes.push_back({name, body(text)});
        ASSERT_TRUE(store.commit(std::move(changes), core::system_random()).has_value());
    }

    static std::string get(const SealedStore& store, const RowName& name) {
        const auto read = store.read(name);
        return read.has_value() ? std::string(core::as_text(read->reveal())) : "<none>";
    }

    // Runs SQL on the closed file, as somebody with the disk could.
    void tamper(const char* sql) const {
        sqlite3* raw = nullptr;
        ASSERT_EQ(sqlite3_open(path_.c_str(), &raw), SQLITE_OK);
        ASSERT_EQ(sqlite3_exec(raw, sql, nullptr, nullptr, nullptr), SQLITE_OK);
        ASSERT_GT(sqlite3_changes(raw), 0);
        sqlite3_close(raw);
    }

    void fill() const {
        auto store = open();
        ASSERT_TRUE(store.has_value());
        put(*store, {"user", "a"}, "first");
        put(*store, {"user", "b"}, "second");
        put(*store, {"part", "a"}, "third");
    }

    fs::path folder_, path_;
    std::shared_ptr<const RowSeal> seal_;
};

TEST_F(SealedStoreTest, KeepsRowsAcrossOpening) {
    fill();
    const auto store = open(false);
    ASSERT_TRUE(store.has_value()) << store.error().message;
    EXPECT_EQ(store->version(), 3U);
    EXPECT_EQ(get(*store, {"user", "b"}), "second");
    EXPECT_EQ(store->keys("user"), (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(get(*store, {"user", "c"}), "<none>");
}

TEST_F(SealedStoreTest, ChangesAndDeletes) {
    fill();
    auto store = open(false);
    std::vector<Change> changes;
    changes.push_back({{"user", "a"}, body("new")});
    changes.push_back({{"user", "b"}, std::nullopt});
    ASSERT_TRUE(store->commit(std::move(changes), core::system_random()).has_value());
    EXPECT_EQ(get(*store, {"user", "a"}), "new");
    EXPECT_FALSE(store->contains({"user", "b"}));
    EXPECT_EQ(store->version(), 4U);
}

TEST_F(SealedStoreTest, TheFileIsPrivateAndHoldsNoBodies) {
    fill();

    struct stat status {};

    ASSERT_EQ(::stat(path_.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
    std::string all;
    for (const auto& entry : fs::directory_iterator(folder_)) {
        std::ifstream file(entry.path(), std::ios::binary);
        all.append(std::istreambuf_iterator<char>(file), {});
    }
    EXPECT_NE(all.find("user"), std::string::npos);  // the search can find something
    EXPECT_EQ(all.find("second"), std::string::npos);
}

TEST_F(SealedStoreTest, AMissingStoreIsMadeOnlyOnRequest) {
    EXPECT_FALSE(open(false).has_value());
    EXPECT_TRUE(open(true).has_value());
}

TEST_F(SealedStoreTest, ATransactionThatThrowsIsRolledBackAndTheNextOneBegins) {
    const auto database = Database::open(folder_ / "thrown.sqlite", true);
    ASSERT_TRUE(database.has_value());
    ASSERT_TRUE(database->run("CREATE TABLE t (n int)").has_value());
    const auto add = [&] {
        return database->run("INSERT INTO t VALUES (1)");
    };
    const auto add_and_throw = [&]() -> Result<void> {
        static_cast<void>(add());
        throw std::bad_alloc();
    };
    EXPECT_THROW(static_cast<void>(database->in_transaction(add_and_throw)), std::bad_alloc);
    const auto next = database->in_transaction(add);
    ASSERT_TRUE(next.has_value()) << next.error().message;
    auto count = database->prepare("SELECT count(*) FROM t");
    ASSERT_TRUE(count.has_value());
    ASSERT_TRUE(*count->step());
    EXPECT_EQ(count->number(0), 1);
}

TEST_F(SealedStoreTest, ADeletedRowIsNoticed) {
    fill();
    tamper("DELETE FROM sealed_row WHERE key = 'b'");
    EXPECT_EQ(open(false).error().code, ErrorCode::kBroken);
}

TEST_F(SealedStoreTest, AMovedRowIsNoticed) {
    fill();
    tamper("UPDATE sealed_row SET key = 'z' WHERE key = 'b'");
    EXPECT_EQ(open(false).error().code, ErrorCode::kBroken);
}

TEST_F(SealedStoreTest, SwappedBodiesAreNoticed) {
    fill();
    tamper(
        "UPDATE sealed_row SET sealed = (SELECT sealed FROM sealed_row WHERE tab = 'user' AND key "
        "= 'b') "
        "WHERE tab = 'user' AND key = 'a'"
    );
    const auto store = open(false);
    ASSERT_TRUE(store.has_value());  // bodies are opened when read
    EXPECT_EQ(store->read({"user", "a"}).error().code, ErrorCode::kBroken);
    EXPECT_EQ(get(*store, {"user", "b"}), "second");
}

TEST_F(SealedStoreTest, OneRowPutBackFromAnOlderCopyIsNoticed) {
    fill();
    tamper("CREATE TABLE kept AS SELECT * FROM sealed_row; UPDATE kept SET tab = tab");
    {
        auto store = open(false);
        ASSERT_TRUE(store.has_value());
        put(*store, {"user", "a"}, "withdrawn");
    }
    tamper("REPLACE INTO sealed_row SELECT * FROM kept WHERE tab = 'user' AND key = 'a'");
    EXPECT_EQ(open(false).error().code, ErrorCode::kBroken);
}

TEST_F(SealedStoreTest, ALostRootRowIsNoticed) {
    fill();
    tamper("DELETE FROM sealed_row WHERE tab = 'root'");
    EXPECT_EQ(open(false).error().code, ErrorCode::kBroken);
}

TEST_F(SealedStoreTest, AnotherStoreKeyDoesNotOpenIt) {
    fill();
    const auto other =
        std::make_shared<const RowSeal>(core::random_secret<seal::StoreKey>(core::system_random()));
    EXPECT_EQ(SealedStore::open(path_, other, false).error().code, ErrorCode::kBroken);
    EXPECT_TRUE(open(false).has_value());
}

TEST_F(SealedStoreTest, EveryFlippedBitOfARowIsNoticed) {
    const RowName name{"part", "a"};
    const core::Bytes sealed = seal_->seal(name, 7, core::as_bytes("body"), core::system_random());
    ASSERT_TRUE(seal_->open(name, {7, sealed}).has_value());
    for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
        core::Bytes damaged = sealed;
        damaged[bit / 8] = static_cast<std::uint8_t>(damaged[bit / 8] ^ (1U << (bit % 8)));
        ASSERT_FALSE(seal_->open(name, {7, damaged}).has_value());
    }
    EXPECT_FALSE(seal_->open(name, {8, sealed}).has_value());
    EXPECT_FALSE(seal_->open({"part", "b"}, {7, sealed}).has_value());
    EXPECT_FALSE(seal_->open({"user", "a"}, {7, sealed}).has_value());
}

}  // namespace
}  // namespace pgveil::store
