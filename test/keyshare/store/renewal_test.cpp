#include "keyshare/core/base64url.hpp"
#include "keyshare/store/sealed_store.hpp"
#include "test/keyshare/store/world.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <sqlite3.h>

namespace pgveil::store::test {
namespace {

namespace fs = std::filesystem;

/// A seal whose steps can be made to fail, over the real one.
class FailingSeal : public seal::FileSeal {
public:
    using FileSeal::FileSeal;

    seal::Result<seal::StoreKey> begin_renewal(core::RandomSource& random) override {
        if (fail_begin) {
            return seal::Error{"the folder is read-only"};
        }
        return FileSeal::begin_renewal(random);
    }

    seal::Result<void> finish_renewal() override {
        if (fail_finish) {
            return seal::Error{"the folder is read-only"};
        }
        return FileSeal::finish_renewal();
    }

    bool fail_begin = false;
    bool fail_finish = false;
};

class Renewal : public World {
protected:
    core::Bytes key_bytes() const {
        std::ifstream file(folder_ / "seal.key", std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }

    // Store and write-ahead log, as a backup would take them.
    void copy_store(const char* name) const {
        fs::create_directory(folder_ / name);
        for (const char* file : {"store.db", "store.db-wal"}) {
            if (fs::exists(folder_ / file)) {
                fs::copy_file(folder_ / file, folder_ / name / file);
            }
        }
    }

    Result<std::shared_ptr<ProxyCustody>> open_copy(const char* name) const {
        return ProxyCustody::open({folder_ / name / "store.db", "acme", {}}, seal());
    }

    // The sealed form of a row, read from the closed file.
    std::string sealed_row(const std::string& table, const std::string& key) const {
        sqlite3* raw = nullptr;
        EXPECT_EQ(sqlite3_open((folder_ / "store.db").c_str(), &raw), SQLITE_OK);
        sqlite3_stmt* row = nullptr;
        const std::string sql =
            "SELECT sealed FROM sealed_row WHERE tab = '" + table + "' AND key = '" + key + "'";
        EXPECT_EQ(sqlite3_prepare_v2(raw, sql.c_str(), -1, &row, nullptr), SQLITE_OK);
        std::string sealed;
        if (sqlite3_step(row) == SQLITE_ROW) {
            sealed.assign(
                static_cast<const char*>(sqlite3_column_blob(row, 0)),
                static_cast<std::size_t>(sqlite3_column_bytes(row, 0))
            );
        }
        sqlite3_finalize(row);
        sqlite3_close(raw);
        return sealed;
    }

    // Whether these bytes lie anywhere in the store's files.
    bool lies_in_files(const std::string& bytes) const {
        std::string all;
        for (const char* file : {"store.db", "store.db-wal"}) {
            std::ifstream stream(folder_ / file, std::ios::binary);
            all.append(std::istreambuf_iterator<char>(stream), {});
        }
        return all.find(bytes) != std::string::npos;
    }

    // A custody over a seal that fails on demand; the seal stays reachable.
    FailingSeal& reopen_failing() {
        custody_.reset();
        auto failing = std::make_unique<FailingSeal>(folder_ / "seal.key");
        FailingSeal& reference = *failing;
        auto opened = ProxyCustody::open(options(), std::move(failing));
        EXPECT_TRUE(opened.has_value()) << opened.error().message;
        custody_ = *std::move(opened);
        read_zero();
        return reference;
    }
};

TEST_F(Renewal, WithdrawAndChangeKeyRenewTheStoreKeyAndAddDoesNot) {
    const core::Bytes first = key_bytes();
    add_user("nurse");
    const Holdings clerk = add_user("clerk");
    EXPECT_EQ(key_bytes(), first);
    const Holdings nurse = change_key("nurse");
    const core::Bytes second = key_bytes();
    EXPECT_NE(second, first);
    EXPECT_TRUE(works(nurse));
    ASSERT_TRUE(custody_->apply(withdraw("nurse"), kNow).has_value());
    EXPECT_NE(key_bytes(), second);
    EXPECT_TRUE(works(clerk));
    EXPECT_FALSE(custody_->report().renewal_due);
    restart();
    read_zero();
    EXPECT_TRUE(works(clerk));
}

TEST_F(Renewal, AnOldCopyOfTheStoreDoesNotOpenWithTheNewKey) {
    const Holdings nurse = add_user("nurse");
    custody_.reset();
    copy_store("before");
    EXPECT_TRUE(open_copy("before").has_value());  // the copy is good while its key lives
    restart();
    ASSERT_TRUE(custody_->apply(withdraw("nurse"), kNow).has_value());
    custody_.reset();
    const auto refused = open_copy("before");
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, ErrorCode::kBroken);
    copy_store("after");
    EXPECT_TRUE(open_copy("after").has_value());
}

TEST_F(Renewal, AWithdrawnShareIsGoneFromTheFilesAndNoOldRowOpensUnderTheNewKey) {
    add_user("nurse");
    custody_.reset();
    const std::string sealed = sealed_row("part", "nurse");
    const auto old_key = seal::FileSeal(folder_ / "seal.key").current();
    ASSERT_FALSE(sealed.empty());
    ASSERT_TRUE(lies_in_files(sealed));
    restart();
    ASSERT_TRUE(custody_->apply(withdraw("nurse"), kNow).has_value());
    EXPECT_FALSE(lies_in_files(sealed));
    const auto opens = [&](seal::StoreKey key) {
        const RowSeal rows(std::move(key));
        for (std::uint64_t version = 1; version <= custody_->report().store_version; ++version) {
            if (rows.open({"part", "nurse"}, {version, core::to_bytes(core::as_bytes(sealed))})
                    .has_value()) {
                return true;
            }
        }
        return false;
    };
    EXPECT_TRUE(opens(old_key->duplicate()));
    EXPECT_FALSE(opens(*seal::FileSeal(folder_ / "seal.key").current()));
}

TEST_F(Renewal, ADestroyedTokenKeyIsGoneFromTheFilesAndFromOldCopies) {
    const std::uint32_t id = token_key().key_id;
    custody_.reset();
    copy_store("before");
    const std::string sealed = sealed_row("token_key", std::to_string(id));
    ASSERT_TRUE(lies_in_files(sealed));
    restart();
    ASSERT_TRUE(custody_->maintain(kNow + 86400 + 331).has_value());
    EXPECT_FALSE(lies_in_files(sealed));
    EXPECT_FALSE(open_copy("before").has_value());
}

TEST_F(Renewal, TheProxysPartOfTheTenantKeyDiesWhenItIsHandedOver) {
    const CustodyOptions fresh{folder_ / "fresh.db", "acme", {}};
    ASSERT_TRUE(ProxyCustody::order(fresh, *seal("fresh.key"), {}, kNow).has_value());
    custody_ = *ProxyCustody::open(fresh, seal("fresh.key"));
    auto run = *share::TenantBootstrap::begin("acme", {"default"}, identity_);
    const auto offer = custody_->bootstrap_call(run.step(), run.request(), kNow);
    ASSERT_TRUE(run.accept(*offer, identity_, core::system_random()).has_value());
    custody_.reset();
    fs::copy_file(folder_ / "fresh.db", folder_ / "half.db");
    const CustodyOptions half{folder_ / "half.db", "acme", {}};
    EXPECT_TRUE(ProxyCustody::open(half, seal("fresh.key")).has_value());
    custody_ = *ProxyCustody::open(fresh, seal("fresh.key"));
    bootstrap(run);
    EXPECT_TRUE(run.done());
    EXPECT_FALSE(ProxyCustody::open(half, seal("fresh.key")).has_value());
}

TEST_F(Renewal, AFailedRenewalIsRememberedAcrossARestartAndTheCommandCountsAtOnce) {
    const Holdings nurse = add_user("nurse");
    const core::Bytes first = key_bytes();
    reopen_failing().fail_begin = true;
    ASSERT_TRUE(custody_->maintain(kNow).has_value());
    ASSERT_TRUE(custody_->apply(withdraw("nurse"), kNow).has_value());
    const core::SecretBytes live = token(nurse), app = app_text(nurse);
    EXPECT_EQ(denial_of({"nurse", &live, &app}), share::DenialKind::kWithdrawnUser);
    EXPECT_TRUE(custody_->report().renewal_due);
    EXPECT_EQ(key_bytes(), first);
    const auto said = custody_->maintain(kNow + 1);  // at once, and then twice a minute
    ASSERT_FALSE(said.has_value());
    EXPECT_NE(said.error().message.find("read-only"), std::string::npos);
    EXPECT_TRUE(custody_->maintain(kNow + 2).has_value());
    EXPECT_FALSE(custody_->maintain(kNow + 31).has_value());
    restart();
    EXPECT_FALSE(custody_->report().renewal_due);
    EXPECT_NE(key_bytes(), first);
}

TEST_F(Renewal, ASuccessorThatCannotBePutInForceIsNeverReplacedByAnother) {
    const Holdings clerk = add_user("clerk");
    add_user("nurse");
    FailingSeal& failing = reopen_failing();
    failing.fail_finish = true;
    ASSERT_TRUE(custody_->apply(withdraw("nurse"), kNow).has_value());
    const Holdings changed = change_key("clerk");
    EXPECT_FALSE(custody_->maintain(kNow + 60).has_value());
    EXPECT_TRUE(works(changed));
    failing.fail_finish = false;
    EXPECT_TRUE(custody_->maintain(kNow + 120).has_value());
    EXPECT_FALSE(custody_->report().renewal_due);
    restart();
    read_zero();
    const auto works_later = [&](const Holdings& held) {
        const core::SecretBytes fresh = token(held, {kNow + 120, 60});
        const core::SecretBytes app = app_text(held);
        return rebuild({"clerk", &fresh, &app, kNow + 120}).has_value();
    };
    EXPECT_TRUE(works_later(changed));
    EXPECT_FALSE(works_later(clerk));
}

TEST_F(Renewal, AStoreSealedUnderTheSuccessorOpensAndPutsItInForce) {
    const Holdings nurse = add_user("nurse");
    add_user("clerk");
    reopen_failing().fail_finish = true;
    ASSERT_TRUE(custody_->apply(withdraw("clerk"), kNow).has_value());
    EXPECT_TRUE(fs::exists(folder_ / "seal.key.next"));
    restart();
    read_zero();
    EXPECT_FALSE(fs::exists(folder_ / "seal.key.next"));
    EXPECT_TRUE(works(nurse));
}

TEST_F(Renewal, ASuccessorThatTheStoreIsNotSealedUnderIsDropped) {
    const Holdings nurse = add_user("nurse");
    custody_.reset();
    seal::FileSeal file(folder_ / "seal.key");
    ASSERT_TRUE(file.begin_renewal(core::system_random()).has_value());
    restart();
    read_zero();
    EXPECT_FALSE(fs::exists(folder_ / "seal.key.next"));
    EXPECT_TRUE(works(nurse));
}

TEST_F(Renewal, WhoFirstUsedATokenIsKnownAfterARestartAndAfterARenewal) {
    const Holdings nurse = add_user("nurse");
    add_user("clerk");
    const core::SecretBytes mine = token(nurse), app = app_text(nurse);
    const Attempt own{"nurse", &mine, &app};
    Attempt other = own;
    other.login = "thief";
    ASSERT_TRUE(rebuild(own).has_value());
    restart();
    read_zero();
    EXPECT_EQ(denial_of(other), share::DenialKind::kTokenTaken);
    EXPECT_TRUE(rebuild(own).has_value());
    ASSERT_TRUE(custody_->apply(withdraw("clerk"), kNow).has_value());
    restart();
    read_zero();
    EXPECT_EQ(denial_of(other), share::DenialKind::kTokenTaken);
    EXPECT_TRUE(rebuild(own).has_value());
}

TEST_F(Renewal, ExpiredFirstUsesAreForgottenInTheFileToo) {
    const Holdings nurse = add_user("nurse");
    ASSERT_TRUE(works(nurse));
    const auto claims = [&] {
        custody_.reset();
        sqlite3* raw = nullptr;
        EXPECT_EQ(sqlite3_open((folder_ / "store.db").c_str(), &raw), SQLITE_OK);
        sqlite3_stmt* row = nullptr;
        EXPECT_EQ(
            sqlite3_prepare_v2(
                raw,
                "SELECT count(*) FROM token_claim WHERE expires < 9000000000",
                -1,
                &row,
                nullptr
            ),
            SQLITE_OK
        );
        EXPECT_EQ(sqlite3_step(row), SQLITE_ROW);
        const int count = sqlite3_column_int(row, 0);
        sqlite3_finalize(row);
        sqlite3_close(raw);
        restart();
        return count;
    };
    EXPECT_EQ(claims(), 1);
    ASSERT_TRUE(custody_->maintain(kNow + 61).has_value());
    EXPECT_EQ(claims(), 0);
}

}  // namespace
}  // namespace pgveil::store::test
