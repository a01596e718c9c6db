#include "test/keyshare/store/world.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

// Key groups at P: made, granted and revoked by commands that the tenant signed.
namespace pgveil::store::test {
namespace {

using share::DenialKind;
using share::Outcome;
using testing::ElementsAre;
using testing::HasSubstr;

class Groups : public World {
protected:
    std::string create(const std::string& group, std::uint32_t key_id) {
        auto command = share::make_create_group(
            *enrolment_, identity_, {group, key_id}, {kNow, kNow + 600}, core::system_random()
        );
        EXPECT_TRUE(command.has_value());
        return *std::move(command);
    }

    share::Receipt apply(const std::string& command, std::int64_t now_s = kNow) {
        const auto receipt = custody_->apply(command, now_s);
        EXPECT_TRUE(receipt.has_value()) << receipt.error().message;
        share::Receipt read = receipt_of(*receipt);
        EXPECT_TRUE(share::absorb(*enrolment_, read).has_value());
        return read;
    }

    // Which of these groups a request with the user's shares covers; "" if it gets no keys.
    std::string covered(const Holdings& holdings) {
        const core::SecretBytes fresh = token(holdings);
        const core::SecretBytes app = app_text(holdings);
        const auto keys = rebuild({holdings.user_key.user_id, &fresh, &app});
        std::string names;
        for (const char* group : {"default", "lab", "medical"}) {
            if (keys.has_value() && keys->covers(group)) {
                names += names.empty() ? "" : ",";
                names += group;
            }
        }
        return names;
    }

    std::vector<std::string> groups_of_keyring() const {
        std::vector<std::string> names;
        for (const share::KeyringRow& row : custody_->keyring()->rows) {
            names.push_back(row.group);
        }
        return names;
    }
};

TEST_F(Groups, ANewGroupIsInReceiptKeyringAndMirrorAndOthersGoOnMeanwhile) {
    const Holdings nurse = add_user("nurse");
    const share::Receipt receipt = apply(create("lab", 3));
    EXPECT_EQ(receipt.outcome, Outcome::kApplied);
    EXPECT_EQ(receipt.keyring.version, 2U);
    EXPECT_TRUE(share::check_keys(*enrolment_).has_value());
    EXPECT_THAT(groups_of_keyring(), ElementsAre("default", "medical", "lab"));
    EXPECT_TRUE(custody_->knows_key(3));
    EXPECT_TRUE(custody_->report().zero_read);
    EXPECT_TRUE(custody_->report().mirror_behind);
    EXPECT_EQ(covered(nurse), "default,medical");  // the home database does not have the row yet
    read_zero();
    EXPECT_FALSE(custody_->report().mirror_behind);
    restart();
    read_zero();
    EXPECT_THAT(groups_of_keyring(), ElementsAre("default", "medical", "lab"));
}

TEST_F(Groups, AMirrorThatLacksTheNewestRowsOnlyIsNotCalledAltered) {
    const auto before = custody_->mirror_rows();
    apply(create("lab", 3));
    const auto behind = custody_->check_zero_from_database(before);
    ASSERT_TRUE(behind.has_value());
    EXPECT_FALSE(behind->accepted);
    EXPECT_EQ(behind->reason, "");
    EXPECT_EQ(behind->rewrite.size(), 3U);
    const auto taken_away = custody_->check_zero_from_database(std::span(before).first(1));
    EXPECT_THAT(taken_away->reason, HasSubstr("missing"));
    const auto now = custody_->mirror_rows();
    const auto last_alone = custody_->check_zero_from_database(std::span(now).last(1));
    EXPECT_THAT(last_alone->reason, HasSubstr("missing"));
    EXPECT_TRUE(custody_->check_zero_from_database(now)->accepted);
}

TEST_F(Groups, AGroupIsGrantedWithAChangeAndTheCommandsMayComeTogether) {
    const Holdings plain = make_user("clerk", 1, {"default"});
    apply(plain.command);
    EXPECT_EQ(covered(plain), "default");
    const std::string created = create("lab", 3);
    const Holdings granted = make_change("clerk", 2, {"default", "lab"});
    const auto receipts = custody_->apply(share::join_commands({created, granted.command}), kNow);
    ASSERT_TRUE(receipts.has_value());
    read_zero();
    EXPECT_EQ(covered(granted), "default,lab");
    EXPECT_EQ(covered(plain), "");
}

TEST_F(Groups, AUserOfANewGroupWaitsForItsZero) {
    apply(create("lab", 3));
    const Holdings clerk = make_user("clerk", 1, {"default", "lab"});
    apply(clerk.command);
    const core::SecretBytes fresh = token(clerk), app = app_text(clerk);
    EXPECT_EQ(denial_of({"clerk", &fresh, &app}), DenialKind::kZeroNotRead);
    read_zero();
    EXPECT_EQ(covered(clerk), "default,lab");
}

TEST_F(Groups, P16_ARevokedGroupIsGoneWithTheOldTriple) {
    const Holdings both = add_user("nurse");
    EXPECT_EQ(covered(both), "default,medical");
    const Holdings less = make_change("nurse", 2, {"default"});
    EXPECT_EQ(apply(less.command).outcome, Outcome::kApplied);
    EXPECT_EQ(covered(less), "default");
    EXPECT_EQ(covered(both), "");
    // The new token beside the old application share, and the other way round.
    const core::SecretBytes old_token = token(both), new_token = token(less);
    const core::SecretBytes old_app = app_text(both), new_app = app_text(less);
    EXPECT_EQ(denial_of({"nurse", &new_token, &old_app}), DenialKind::kAppShareWrong);
    EXPECT_EQ(denial_of({"nurse", &old_token, &new_app}), DenialKind::kUserShareStale);
    const Holdings again = make_change("nurse", 3);
    apply(again.command);
    EXPECT_EQ(covered(again), "default,medical");
}

TEST_F(Groups, ARevokeDoesNotReachAnOlderCopyOfTheStore) {
    const Holdings both = add_user("nurse");
    custody_.reset();
    std::filesystem::create_directory(folder_ / "stolen");
    for (const char* file : {"store.db", "store.db-wal", "seal.key"}) {
        if (std::filesystem::exists(folder_ / file)) {
            std::filesystem::copy_file(folder_ / file, folder_ / "stolen" / file);
        }
    }
    restart();
    read_zero();
    apply(make_change("nurse", 2, {"default"}).command);
    EXPECT_EQ(covered(both), "");
    custody_.reset();
    auto stolen = ProxyCustody::open(
        {folder_ / "stolen" / "store.db", "acme", {}},
        std::make_unique<seal::FileSeal>(folder_ / "stolen" / "seal.key")
    );
    ASSERT_TRUE(stolen.has_value()) << stolen.error().message;
    custody_ = *std::move(stolen);
    read_zero();
    EXPECT_EQ(covered(both), "default,medical");
}

TEST_F(Groups, ARenewalStillKeepsTheGroups) {
    const Holdings nurse = add_user("nurse");
    Holdings less = make_change("nurse", 2, {"default"});
    // What the tenant kept of an older home: the same TKu, one group fewer.
    share::UserKey cut{
        nurse.user_key.tenant, "nurse", nurse.user_key.epoch, nurse.user_key.proxy_identity, {}};
    cut.groups.push_back({"default", nurse.user_key.groups.front().part.duplicate()});
    apply(less.command);
    const auto shares = share::renew_user(*enrolment_, cut, 3, core::system_random());
    const auto renewal =
        share::make_renew_shares(*enrolment_, identity_, *shares, {kNow, kNow + 600});
    const share::Receipt refused = apply(*renewal);
    EXPECT_EQ(refused.outcome, Outcome::kRefused);
    EXPECT_THAT(refused.reason, HasSubstr("keeps the share that the user holds"));
}

TEST_F(Groups, WhatTheKeyringCannotTakeIsRefusedAndReceipted) {
    EXPECT_THAT(apply(create("lab", 1)).reason, HasSubstr("key id 1 is in the keyring already"));
    enrolment_->groups.pop_back();
    EXPECT_EQ(apply(create("lab", 3)).outcome, Outcome::kApplied);
    enrolment_->groups.pop_back();
    EXPECT_THAT(apply(create("lab", 4)).reason, HasSubstr("key group lab exists already"));
    EXPECT_EQ(custody_->keyring()->version, 2U);
}

TEST_F(Groups, ACreateThatCameTooLateMakesNothing) {
    EXPECT_EQ(apply(create("lab", 3), kNow + 601).outcome, Outcome::kExpired);
    EXPECT_THAT(groups_of_keyring(), ElementsAre("default", "medical"));
    const Holdings clerk = make_user("clerk", 1, {"default", "lab"});
    EXPECT_THAT(apply(clerk.command).reason, HasSubstr("no key group lab"));
}

TEST_F(Groups, AWrapUnderAnotherTKOpensNothing) {
    // P takes over any row that the tenant signed: whether it fits TK shows with the first request.
    apply(create("lab", 3));
    enrolment_->groups.back().key = core::random_secret<share::TenantKey>(core::system_random());
    const Holdings clerk = make_user("clerk", 1, {"default", "lab"});
    apply(clerk.command);
    read_zero();
    const core::SecretBytes fresh = token(clerk), app = app_text(clerk);
    EXPECT_EQ(denial_of({"clerk", &fresh, &app}), DenialKind::kProxyShareBroken);
}

}  // namespace
}  // namespace pgveil::store::test
