#include "keyshare/share/hierarchy.hpp"
#include "test/keyshare/store/world.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <optional>

// new_data_key and retire_data_key at P: another DEK for a key group, and the end of the former
// one.
namespace pgveil::store::test {
namespace {

namespace fs = std::filesystem;
using share::Outcome;
using testing::HasSubstr;

class DataKeyOfGroup : public World {
protected:
    void SetUp() override {
        World::SetUp();
        nurse_.emplace(add_user("nurse"));
    }

    share::Receipt apply(const std::string& command) {
        const auto receipt = custody_->apply(command, kNow);
        EXPECT_TRUE(receipt.has_value()) << receipt.error().message;
        share::Receipt read = receipt_of(*receipt);
        EXPECT_TRUE(share::absorb(*enrolment_, read).has_value());
        return read;
    }

    std::string make_new(std::uint32_t key_id = 7) {
        auto command = share::make_new_data_key(
            *enrolment_, identity_, {"default", key_id}, {kNow, kNow + 600}, core::system_random()
        );
        EXPECT_TRUE(command.has_value());
        return *std::move(command);
    }

    std::string make_retirement() {
        auto command =
            share::make_retire_data_key(*enrolment_, identity_, "default", {kNow, kNow + 600});
        EXPECT_TRUE(command.has_value());
        return *std::move(command);
    }

    // The key of a column under this data key, as a request with the nurse's shares gets it; empty
    // without it.
    std::string column_key(std::uint32_t key_id) {
        const core::SecretBytes fresh = token(*nurse_), app = app_text(*nurse_);
        auto keys = rebuild({"nurse", &fresh, &app});
        if (!keys.has_value()) {
            return {};
        }
        const auto key =
            keys->column_key({"default", "public.t.c", "randomized", "xaes", 32, key_id});
        return key.has_value() ? std::string(core::as_text(key->key->reveal())) : std::string();
    }

    std::optional<Holdings> nurse_;
};

TEST_F(DataKeyOfGroup, IsThereAtOnceBesideTheLiveOneAndInReceiptMirrorAndStore) {
    const std::string before = column_key(1);
    ASSERT_FALSE(before.empty());
    const share::Receipt receipt = apply(make_new());
    ASSERT_EQ(receipt.outcome, Outcome::kApplied) << receipt.reason;
    EXPECT_EQ(receipt.keyring, *custody_->keyring());
    EXPECT_EQ(receipt.keyring.next("default")->key_id, 7U);
    EXPECT_EQ(column_key(1), before);  // nobody waits for the home database
    EXPECT_FALSE(column_key(7).empty());
    EXPECT_EQ(custody_->mirror_rows().size(), 3U);
    const std::string next = column_key(7);
    restart();
    read_zero();
    EXPECT_EQ(column_key(1), before);
    EXPECT_EQ(column_key(7), next);
}

// docs/SECURITY.md, rotate-data: what it gives, and what not.
TEST_F(
    DataKeyOfGroup, P9_AfterRetirementTheFormerOneOpensNothingAndWhoKeptTheOldKeyringStillHasIt
) {
    const share::Keyring older = *custody_->keyring();
    const share::TenantKey known = enrolment_->groups.front().key.duplicate();
    const std::string former = column_key(1);
    apply(make_new());
    read_zero();
    const std::string next = column_key(7);
    ASSERT_FALSE(former.empty());
    const share::Receipt receipt = apply(make_retirement());
    ASSERT_EQ(receipt.outcome, Outcome::kApplied) << receipt.reason;
    EXPECT_EQ(column_key(7), "");  // not before the home database has the row that is live now
    EXPECT_TRUE(custody_->report().mirror_behind);
    read_zero();
    EXPECT_EQ(column_key(7), next);
    EXPECT_EQ(column_key(1), "");
    EXPECT_FALSE(custody_->knows_key(1));
    EXPECT_EQ(receipt.keyring.live("default")->key_id, 7U);
    EXPECT_EQ(receipt.keyring.find("default", 1), nullptr);
    restart();
    read_zero();
    EXPECT_EQ(column_key(1), "");
    EXPECT_EQ(column_key(7), next);
    // The other half: TK and an old keyring give the former key, and with it an old dump.
    const share::KeyringRow& row = *older.live("default");
    const share::TenantKeyPlace place{"acme", "default", row.tk_epoch};
    const auto kept = share::unwrap_data_key(
        share::wrapping_key_of(known, place), {place, row.dek_epoch, row.key_id}, row.wrap
    );
    ASSERT_TRUE(kept.has_value());
    const auto theirs =
        share::column_key_of(*kept, {"acme", "default", 1, "public.t.c", "randomized", "xaes"}, 32);
    EXPECT_EQ(std::string(core::as_text(theirs.reveal())), former);
}

TEST_F(DataKeyOfGroup, RetirementRenewsTheStoreKeySoThatOlderCopiesDie) {
    apply(make_new());
    custody_.reset();
    fs::copy_file(folder_ / "store.db", folder_ / "older.db");
    restart();
    read_zero();
    fs::copy_file(folder_ / "seal.key", folder_ / "control.key");
    apply(make_retirement());
    EXPECT_FALSE(custody_->report().renewal_due);
    fs::copy_file(folder_ / "seal.key", folder_ / "older.key");
    const auto opens = [&](const char* key) {
        return ProxyCustody::open(
                   {folder_ / "older.db", "acme", {}},
                   std::make_unique<seal::FileSeal>(folder_ / key)
        )
            .has_value();
    };
    EXPECT_FALSE(opens("older.key"));
    EXPECT_TRUE(opens("control.key"));
}

TEST_F(DataKeyOfGroup, AnOldKeyringPutBackIntoTheMirrorIsNamedAndNotBelieved) {
    apply(make_new());
    read_zero();
    const auto old_mirror = custody_->mirror_rows();
    apply(make_retirement());
    const auto behind = custody_->check_zero_from_database(old_mirror);
    EXPECT_FALSE(behind->accepted);
    EXPECT_EQ(behind->reason, "");  // nobody changed it: it is not written yet
    EXPECT_EQ(behind->rewrite.size(), 2U);
    read_zero();
    const auto put_back = custody_->check_zero_from_database(old_mirror);
    EXPECT_FALSE(put_back->accepted);
    EXPECT_THAT(put_back->reason, HasSubstr("older than the share store"));
    auto beside = custody_->mirror_rows();  // the present rows, and the retired one again
    beside.push_back(old_mirror.front());
    ASSERT_EQ(beside.back().key_id, 1U);
    const auto added = custody_->check_zero_from_database(beside);
    EXPECT_FALSE(added->accepted);
    EXPECT_THAT(added->reason, HasSubstr("not the share store's"));
    EXPECT_EQ(column_key(1), "");
    EXPECT_FALSE(column_key(7).empty());
}

TEST_F(DataKeyOfGroup, CommandsOfAnOlderHomeAreRefusedAndChangeNothing) {
    const share::Keyring older = enrolment_->keyring;
    apply(make_new());
    const share::Keyring present = enrolment_->keyring;
    enrolment_->keyring = older;  // does not know of the next one
    const share::Receipt again = apply(make_new(8));
    EXPECT_EQ(again.outcome, Outcome::kRefused);
    EXPECT_THAT(again.reason, HasSubstr("has a next data key already"));
    apply(make_retirement());
    enrolment_->keyring = present;
    const share::Receipt twice = apply(make_retirement());
    EXPECT_EQ(twice.outcome, Outcome::kRefused);
    EXPECT_THAT(twice.reason, HasSubstr("older home"));
    read_zero();
    EXPECT_FALSE(column_key(7).empty());
}

}  // namespace
}  // namespace pgveil::store::test
