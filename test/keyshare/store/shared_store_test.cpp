#include "keyshare/core/jws.hpp"
#include "keyshare/store/custody_impl.hpp"
#include "keyshare/store/high_water_mark.hpp"
#include "keyshare/store/key_step.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>

// A store of several proxies: what each of them must notice of what the others, or the store's own
// operator, have done. The store is in memory here; PostgreSQL is test/integration/cluster_test.py.
namespace pgveil::store {
namespace {

struct Place {
    std::map<RowName, SealedRow> rows;
    std::map<std::string, core::Bytes> steps;
    std::map<std::string, SealedClaim> claims;
};

/// As PostgreSQL would keep them. Copy a Place to put it back later.
class MemoryRows final : public RowStore {
public:
    explicit MemoryRows(std::shared_ptr<Place> place) : place_(std::move(place)) {}

    bool is_shared() const override { return true; }

    Result<Listing> list() override {
        seen_ = place_->rows;
        Listing listing;
        for (const auto& [name, row] : seen_) {
            listing.versions.emplace(name, row.version);
        }
        if (listing.versions.erase(root_row()) > 0) {
            listing.root = seen_.at(root_row());
        }
        return listing;
    }

    Result<std::optional<SealedRow>> read(const RowName& name) const override {
        const auto found = seen_.find(name);
        return found == seen_.end() ? std::optional<SealedRow>() : std::optional(found->second);
    }

    Result<void> commit(const RowCommit& commit) override {
        const auto root = place_->rows.find(root_row());
        if ((root == place_->rows.end() ? 0 : root->second.version) + 1 != commit.version) {
            return Error{ErrorCode::kSuperseded, "another was faster"};
        }
        for (const RowWrite& row : commit.rows) {
            place_->rows.erase(row.name);
            if (row.sealed) {
                place_->rows.emplace(row.name, SealedRow{commit.version, *row.sealed});
            }
        }
        if (commit.step) {
            place_->steps.emplace(commit.step->former, commit.step->random);
        }
        seen_ = place_->rows;
        return {};
    }

    Result<std::optional<KeyStep>> find_step(const std::string& former) const override {
        const auto found = place_->steps.find(former);
        return found == place_->steps.end() ? std::optional<KeyStep>()
                                            : std::optional(KeyStep{former, found->second});
    }

    Result<std::optional<core::Bytes>> claim(const SealedClaim& claim) override {
        const auto [standing, is_first] = place_->claims.emplace(claim.key, claim);
        return is_first ? std::optional<core::Bytes>() : std::optional(standing->second.sealed);
    }

    Result<std::optional<core::Bytes>> find_claim(const std::string& key) override {
        const auto found = place_->claims.find(key);
        return found == place_->claims.end() ? std::optional<core::Bytes>()
                                             : std::optional(found->second.sealed);
    }

    Result<bool> replace_claim(const SealedClaim& fresh, core::ByteView former) override {
        const auto found = place_->claims.find(fresh.key);
        if (found == place_->claims.end() || !std::ranges::equal(found->second.sealed, former)) {
            return false;
        }
        found->second = fresh;
        return true;
    }

    Result<std::vector<SealedClaim>> claims() override {
        std::vector<SealedClaim> all;
        for (const auto& [key, claim] : place_->claims) {
            all.push_back(claim);
        }
        return all;
    }

    Result<void> forget_claims(std::int64_t now_s) override {
        std::erase_if(place_->claims, [&](const auto& one) {
            return one.second.expires_s <= now_s;
        });
        return {};
    }

    void forget_old_copies() override {}

    Result<void> copy_to(const std::filesystem::path& /*path*/) const override { return {}; }

private:
    std::shared_ptr<Place> place_;
    std::map<RowName, SealedRow> seen_;
};

class SharedStoreTest : public testing::Test {
protected:
    void SetUp() override {
        std::string pattern =
            (std::filesystem::temp_directory_path() / "pgveil-shared-XXXXXX").string();
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        folder_ = pattern;
    }

    void TearDown() override { std::filesystem::remove_all(folder_); }

    Result<SealedStore> open(std::uint64_t least = 0) const {
        return SealedStore::open(
            std::make_unique<MemoryRows>(place_),
            std::make_shared<const RowSeal>(key_.duplicate()),
            least
        );
    }

    static Result<void> put(SealedStore& store, const RowName& name, std::string_view text) {
        std::vector<Change> changes;
        changes.push_back({name, core::SecretBytes::copy_of(core::as_bytes(text))});
        return store.commit(std::move(changes), core::system_random());
    }

    static std::string get(const SealedStore& store, const RowName& name) {
        const auto read = store.read(name);
        return read.has_value() ? std::string(core::as_text(read->reveal())) : "<none>";
    }

    // The tenant's command of this number, carried out.
    void carry_out(SealedStore& store, std::uint64_t sequence, std::string_view text) const {
        const std::string jws = core::sign_jws(tenant_, "pgveil-test+jws", core::as_bytes(text));
        const auto hash = *core::jws_hash(jws);
        std::vector<Change> changes;
        changes.push_back({receipt_row(sequence), serialize(ReceiptRecord{hash, std::string(text)})}
        );
        changes.push_back(
            {last_command_row(),
             serialize(LastCommand{sequence, hash, core::parse_jws(jws)->signature})}
        );
        ASSERT_TRUE(store.commit(std::move(changes), core::system_random()).has_value());
    }

    // Whether `store` is taken by who remembers `mark`; why not.
    std::string objection(const HighWaterMark& mark, const SealedStore& store) const {
        const auto point = tenant_.verifying_key().point();
        const auto checked = check_against(mark, store, *mark_of(store, mark.identity), &point);
        return checked.has_value() ? std::string() : checked.error().message;
    }

    std::filesystem::path folder_;
    std::shared_ptr<Place> place_ = std::make_shared<Place>();
    seal::StoreKey key_ = core::random_secret<seal::StoreKey>(core::system_random());
    core::SigningKey tenant_ = core::SigningKey::generate();
};

TEST_F(SharedStoreTest, OneTakesOverWhatAnotherHasWritten) {
    auto left = *open();
    auto right = *open();
    ASSERT_TRUE(put(left, {"user", "dora"}, "one").has_value());
    EXPECT_EQ(get(right, {"user", "dora"}), "<none>");
    EXPECT_TRUE(*right.catch_up());
    EXPECT_EQ(get(right, {"user", "dora"}), "one");
    EXPECT_EQ(right.version(), left.version());
    EXPECT_FALSE(*right.catch_up());
}

TEST_F(SharedStoreTest, WhoIsSlowerWritesNothingBeforeItHasCaughtUp) {
    auto left = *open();
    auto right = *open();
    ASSERT_TRUE(put(left, {"user", "dora"}, "one").has_value());
    EXPECT_EQ(put(right, {"user", "dora"}, "two").error().code, ErrorCode::kSuperseded);
    ASSERT_TRUE(right.catch_up().has_value());
    EXPECT_EQ(get(right, {"user", "dora"}), "one");
    EXPECT_TRUE(put(right, {"user", "dora"}, "two").has_value());
}

TEST_F(SharedStoreTest, AStoreThatWasPutBackIsRefusedAndTheNewerOneIsTakenAgain) {
    auto store = *open();
    ASSERT_TRUE(put(store, {"user", "dora"}, "one").has_value());
    const Place older = *place_;
    ASSERT_TRUE(put(store, {"user", "dora"}, "two").has_value());
    const Place newer = *place_;
    ASSERT_TRUE(store.catch_up().has_value()) << "control";
    *place_ = older;
    const auto refused = store.catch_up();
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, ErrorCode::kBroken);
    EXPECT_NE(refused.error().message.find("older state"), std::string::npos);
    EXPECT_EQ(open(2).error().code, ErrorCode::kBroken) << "who starts remembers version 2";
    EXPECT_TRUE(open(1).has_value()) << "control";
    *place_ = newer;
    EXPECT_TRUE(store.catch_up().has_value());
}

TEST_F(SharedStoreTest, AnotherContentUnderTheSameVersionIsRefused) {
    auto store = *open();
    ASSERT_TRUE(put(store, {"user", "dora"}, "one").has_value());
    const Place first = *place_;
    *place_ = Place();
    auto branch = *open();
    ASSERT_TRUE(put(branch, {"user", "dora"}, "other").has_value());
    EXPECT_EQ(store.catch_up().error().code, ErrorCode::kBroken);
    *place_ = first;
    EXPECT_TRUE(store.catch_up().has_value()) << "control";
}

TEST_F(SharedStoreTest, ARenewedKeyIsFollowedByWhoRunsAndByWhoStartsLater) {
    auto left = *open();
    ASSERT_TRUE(put(left, {"user", "dora"}, "one").has_value());
    auto right = *open();
    for (const char* random : {"first", "second"}) {
        const seal::StoreKey former = left.row_seal()->key().duplicate();
        auto fresh = std::make_shared<const RowSeal>(next_key(former, core::as_bytes(random)));
        ASSERT_TRUE(left.reseal(
                            fresh,
                            {},
                            core::system_random(),
                            KeyStep{key_name(former), core::to_bytes(core::as_bytes(random))}
        )
                        .has_value());
    }
    EXPECT_TRUE(*right.catch_up());
    EXPECT_EQ(get(right, {"user", "dora"}), "one");
    const auto late = open();
    ASSERT_TRUE(late.has_value());
    const std::string present = key_name(left.row_seal()->key());
    EXPECT_EQ(key_name(right.row_seal()->key()), present);
    EXPECT_EQ(key_name(late->row_seal()->key()), present);
    EXPECT_NE(key_name(key_), present);
    for (auto& [former, random] : place_->steps) {
        random[0] ^= 1U;
    }
    EXPECT_EQ(open().error().code, ErrorCode::kBroken) << "the steps were altered";
}

TEST_F(SharedStoreTest, P15_WhatOneHasForgottenOfTokensTheOthersLearnAndNoneLowers) {
    auto left = *open();
    auto right = *open();
    auto& random = core::system_random();
    ASSERT_FALSE(left.claims().add({{7}, "clinic", 100}, random)->has_value()) << "the first";
    ASSERT_TRUE(left.claims().note_forgotten({40, 100}, random).has_value());
    ASSERT_TRUE(left.claims().forget_expired(5000).has_value());
    EXPECT_FALSE(right.claims().find({7}).has_value()) << "control: the claim itself is gone";
    const auto learned = right.claims().note_forgotten({50, 90}, random);
    ASSERT_TRUE(learned.has_value());
    EXPECT_EQ(learned->issued_s, 50);
    EXPECT_EQ(learned->expires_s, 100);
    NonceBook book;
    book.restore_forgotten(*learned);
    EXPECT_EQ(book.claim({7}, "thief", {40, 100}, 45), Claim::kForgotten);
    EXPECT_EQ(book.claim({8}, "clinic", {51, 111}, 55), Claim::kFirst) << "control: a new one";
}

TEST_F(SharedStoreTest, AMarkRefusesAStoreWithoutTheCommandItNames) {
    auto store = *open();
    carry_out(store, 1, "add dora");
    const Place older = *place_;
    carry_out(store, 2, "withdraw dora");
    const HighWaterMark mark = *mark_of(store, {});
    EXPECT_EQ(objection(mark, store), "") << "control";
    carry_out(store, 3, "add cleo");
    EXPECT_EQ(objection(mark, store), "") << "control: it went on from there";
    *place_ = older;
    auto branch = *open();
    EXPECT_NE(objection(mark, branch).find("commands 2 to 2"), std::string::npos);
    carry_out(branch, 2, "something else");
    carry_out(branch, 3, "and more");
    EXPECT_NE(objection(mark, branch).find("another in it"), std::string::npos);
}

TEST_F(SharedStoreTest, AMarkThatTheTenantHasNotSignedIsRefused) {
    auto store = *open();
    carry_out(store, 1, "add dora");
    HighWaterMark mark = *mark_of(store, {});
    EXPECT_EQ(objection(mark, store), "") << "control";
    mark.last->signature[0] ^= 1U;
    EXPECT_NE(objection(mark, store).find("not signed"), std::string::npos);
    mark = *mark_of(store, {});
    mark.identity[0] ^= 1U;
    const auto point = tenant_.verifying_key().point();
    EXPECT_FALSE(check_against(mark, store, *mark_of(store, {}), &point).has_value());
}

TEST_F(SharedStoreTest, AMarkComesBackFromItsFileAndADamagedOneIsNamed) {
    auto store = *open();
    carry_out(store, 1, "add dora");
    const auto path = folder_ / "mark";
    EXPECT_FALSE(read_high_water_mark(path)->has_value());
    const HighWaterMark mark = *mark_of(store, {});
    ASSERT_TRUE(write_high_water_mark(path, mark).has_value());
    const auto read = read_high_water_mark(path);
    ASSERT_TRUE(read.has_value() && read->has_value());
    EXPECT_EQ(serialize(**read), serialize(mark));
    std::filesystem::resize_file(path, 20);
    EXPECT_EQ(read_high_water_mark(path).error().code, ErrorCode::kBroken);
}

}  // namespace
}  // namespace pgveil::store
