#include "keyshare/store/custody_impl.hpp"
#include "test/keyshare/store/world.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sqlite3.h>

// Rows that were right once and are put back: in the home database, in the share store, and the
// whole store at once. The last is not detected (CRYPTO.md section 5), and a test shows it.
namespace pgveil::store::test {
namespace {

namespace fs = std::filesystem;

using testing::HasSubstr;

class OldRows : public World {
protected:
    void SetUp() override {
        World::SetUp();
        nurse_ = add_user("nurse");
    }

    /// A new data key in group default, as its renewal will make one: the keyring's next version.
    void advance_keyring() {
        custody_.reset();
        {
            auto file = seal();
            auto store = open_under(*file, options().path, false);
            ASSERT_TRUE(store.has_value()) << store.error().message;
            auto state = parse_custody_state(store->read(state_row())->reveal());
            ASSERT_TRUE(state.has_value());
            state->keyring = next_version(state->keyring);
            std::vector<Change> changes;
            changes.push_back({state_row(), serialize(*state)});
            ASSERT_TRUE(store->commit(std::move(changes), core::system_random()).has_value());
        }
        restart();
    }

    static share::Keyring next_version(const share::Keyring& before) {
        share::KeyringRow fresh = *before.live("default");
        const std::uint32_t retired = fresh.key_id;
        fresh.key_id = 77;
        fresh.dek_epoch += 1;
        share::Keyring next = share::with_rows(before, {fresh});
        const auto old = std::ranges::find(next.rows, retired, &share::KeyringRow::key_id);
        old->state = share::KeyState::kRetired;
        old->version = next.version;
        old->previous = next.rows.back().previous;
        return next;
    }

    /// The custody's word on rows read from the home database; "" if it takes them.
    std::string objection(const std::vector<share::MirrorRow>& rows) const {
        const auto verdict = custody_->check_zero_from_database(rows);
        EXPECT_TRUE(verdict.has_value());
        EXPECT_EQ(verdict->accepted, verdict->reason.empty());
        EXPECT_EQ(verdict->rewrite.size(), verdict->accepted ? 0U : custody_->mirror_rows().size());
        return verdict->reason;
    }

    bool nurse_works() { return works(*nurse_); }

    /// Runs SQL on the closed file, beside a file called old.db.
    void on_file(const std::string& sql) const {
        sqlite3* raw = nullptr;
        ASSERT_EQ(sqlite3_open((folder_ / "store.db").c_str(), &raw), SQLITE_OK);
        const std::string attach = "ATTACH '" + (folder_ / "old.db").string() + "' AS old";
        ASSERT_EQ(sqlite3_exec(raw, attach.c_str(), nullptr, nullptr, nullptr), SQLITE_OK);
        ASSERT_EQ(sqlite3_exec(raw, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK) << sql;
        sqlite3_close(raw);
    }

    std::string trouble_on_opening() {
        custody_.reset();
        auto opened = ProxyCustody::open(options(), seal());
        if (!opened.has_value()) {
            return opened.error().message;
        }
        custody_ = *std::move(opened);
        return {};
    }

    std::optional<Holdings> nurse_;
};

TEST_F(OldRows, OfTheKeyringInTheDatabaseAreNamedAndOpenNothing) {
    const auto old = custody_->mirror_rows();
    ASSERT_EQ(objection(old), "");
    ASSERT_TRUE(nurse_works());
    advance_keyring();
    const auto present = custody_->mirror_rows();
    ASSERT_EQ(present.size(), old.size() + 1);

    EXPECT_THAT(
        objection(old), HasSubstr("a keyring row is older than the share store (group default")
    );
    EXPECT_FALSE(nurse_works()) << "no request gets keys before the present rows were read";
    for (std::size_t at = 0; at < present.size(); ++at) {
        auto mixed = present;
        const auto same = std::ranges::find(old, present[at].key_id, &share::MirrorRow::key_id);
        if (same == old.end() || same->version == present[at].version) {
            continue;  // the new row; a row of the other group, which is still the same
        }
        mixed[at] = *same;
        EXPECT_THAT(objection(mixed), HasSubstr("older than the share store"));
    }
    auto both = present;
    both.push_back(old.front());
    EXPECT_THAT(objection(both), HasSubstr("holds rows that are not the share store's"));
    EXPECT_FALSE(nurse_works());
    EXPECT_EQ(objection(present), "");
    EXPECT_TRUE(nurse_works());
}

TEST_F(OldRows, OfTheKeyringInTheStoreAreNamed) {
    custody_.reset();
    fs::copy_file(folder_ / "store.db", folder_ / "old.db");
    advance_keyring();
    ASSERT_EQ(trouble_on_opening(), "");
    custody_.reset();
    on_file(
        "REPLACE INTO sealed_row SELECT * FROM old.sealed_row WHERE tab = 'custody' AND key = "
        "'state'"
    );
    EXPECT_THAT(trouble_on_opening(), HasSubstr("the share store"));
}

TEST_F(OldRows, AWholeOlderStoreWithItsKeyIsNotDetected) {
    const core::SecretBytes good = token(*nurse_), app = app_text(*nurse_);
    custody_.reset();
    fs::copy_file(folder_ / "store.db", folder_ / "old.db");
    fs::copy_file(folder_ / "seal.key", folder_ / "old.key");
    restart();
    read_zero();
    ASSERT_TRUE(custody_->apply(withdraw("nurse"), kNow).has_value());
    ASSERT_EQ(denial_of({"nurse", &good, &app}), share::DenialKind::kWithdrawnUser);
    custody_.reset();
    for (const char* rest : {"store.db-wal", "store.db-shm"}) {
        fs::remove(folder_ / rest);
    }
    const auto over = fs::copy_options::overwrite_existing;
    fs::copy_file(folder_ / "old.db", folder_ / "store.db", over);
    EXPECT_THAT(trouble_on_opening(), HasSubstr("the share store")) << "detected without its key";
    fs::copy_file(folder_ / "old.key", folder_ / "seal.key", over);
    ASSERT_EQ(trouble_on_opening(), "");
    read_zero();
    EXPECT_TRUE(rebuild({"nurse", &good, &app}).has_value());
}

}  // namespace
}  // namespace pgveil::store::test
