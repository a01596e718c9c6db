#include "keyshare/share/hierarchy.hpp"
#include "test/keyshare/store/world.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <optional>

// renew_tk at P: another TK for a key group, and new shares of everybody who has it, in one step.
// P9 and P10 are rows of the list of what the PaaSword paper demands: what is compromised can be
// replaced, and withdrawing one user does not touch the others.
namespace pgveil::store::test {
namespace {

namespace fs = std::filesystem;
using share::DenialKind;
using share::Outcome;
using testing::HasSubstr;

class RenewTk : public World {
protected:
    void SetUp() override {
        World::SetUp();
        nurse_.emplace(add_user("nurse"));
        clerk_.emplace(make_user("clerk", 1, {"medical"}));
        apply(clerk_->command);
    }

    share::Receipt apply(const std::string& command, std::int64_t now_s = kNow) {
        const auto receipt = custody_->apply(command, now_s);
        EXPECT_TRUE(receipt.has_value()) << receipt.error().message;
        share::Receipt read = receipt_of(*receipt);
        EXPECT_TRUE(share::absorb(*enrolment_, read).has_value());
        return read;
    }

    DenialKind denial_with(const Holdings& holdings) {
        const core::SecretBytes fresh = token(holdings), app = app_text(holdings);
        return denial_of({holdings.user_key.user_id, &fresh, &app});
    }

    std::string message_with(const Holdings& holdings) {
        const core::SecretBytes fresh = token(holdings), app = app_text(holdings);
        const auto verdict = rebuild({holdings.user_key.user_id, &fresh, &app});
        return verdict.has_value() ? "keys were given" : verdict.error().message;
    }

    // The key of a column of the group, as a request with these shares gets it; empty without keys.
    core::SecretBytes column_key(const Holdings& holdings, std::string_view group = "default") {
        const core::SecretBytes fresh = token(holdings), app = app_text(holdings);
        auto keys = rebuild({holdings.user_key.user_id, &fresh, &app});
        if (!keys.has_value()) {
            return {};
        }
        const auto key = keys->column_key({group, "public.t.c", "randomized", "xaes", 32, 0});
        return key.has_value() ? core::SecretBytes::copy_of(key->key->reveal())
                               : core::SecretBytes();
    }

    static std::string seen(const core::SecretBytes& secret) {
        return std::string(core::as_text(secret.reveal()));
    }

    void expect_refused(const TkRenewal& renewal, const std::string& words) {
        const share::Receipt receipt = apply(renewal.command);
        EXPECT_EQ(receipt.outcome, Outcome::kRefused);
        EXPECT_THAT(receipt.reason, HasSubstr(words));
        EXPECT_TRUE(works(nurse()));
    }

    Holdings& nurse() { return *nurse_; }

    Holdings& clerk() { return *clerk_; }

    std::optional<Holdings> nurse_, clerk_;
};

TEST_F(RenewTk, P9_OldSharesOpenNothingAtOnceAndDataSealedBeforeIsReadWithTheNewOnes) {
    const std::string before = seen(column_key(nurse())),
                      other = seen(column_key(nurse(), "medical"));
    ASSERT_FALSE(before.empty());
    TkRenewal renewal = make_tk_renewal("default", {&nurse()}, 2);
    const share::Receipt receipt = apply(renewal.command);
    ASSERT_EQ(receipt.outcome, Outcome::kApplied) << receipt.reason;
    // Not yet: the home database has the "0" of the former TK. Other groups' users go on.
    EXPECT_EQ(denial_with(renewal.users[0]), DenialKind::kZeroNotRead);
    EXPECT_TRUE(works(clerk()));
    read_zero();
    EXPECT_EQ(seen(column_key(renewal.users[0])), before);
    EXPECT_EQ(seen(column_key(renewal.users[0], "medical")), other);
    EXPECT_EQ(denial_with(nurse()), DenialKind::kAppShareStale);
    EXPECT_THAT(message_with(nurse()), HasSubstr("application share is stale"));
    EXPECT_THAT(message_with(nurse()), HasSubstr("share epoch 1, in force 2"));
    EXPECT_EQ(custody_->report().renewing_users, 0U);  // no grace
    restart();
    read_zero();
    EXPECT_EQ(seen(column_key(renewal.users[0])), before);
    EXPECT_EQ(denial_with(nurse()), DenialKind::kAppShareStale);
}

TEST_F(RenewTk, P10_OfAGroupTouchesEverybodyWhoHasItAndNobodyElse) {
    const Holdings aide = make_user("aide", 1, {"default"});
    apply(aide.command);
    const TkRenewal renewal = make_tk_renewal("medical", {&nurse(), &clerk()}, 2);
    ASSERT_EQ(apply(renewal.command).outcome, Outcome::kApplied);
    read_zero();
    EXPECT_TRUE(works(renewal.users[0]));
    EXPECT_TRUE(works(renewal.users[1]));
    EXPECT_FALSE(works(nurse()));
    EXPECT_FALSE(works(clerk()));
    EXPECT_TRUE(works(aide));
    apply(withdraw("clerk"));
    EXPECT_FALSE(works(renewal.users[1]));
    EXPECT_TRUE(works(renewal.users[0]));
    EXPECT_TRUE(works(aide));
}

TEST_F(RenewTk, KeyringReceiptAndMirrorNameTheNextEpochOfTKAndTheSameKeys) {
    const auto before = *custody_->keyring();
    TkRenewal renewal = make_tk_renewal("default", {&nurse()}, 2);
    const share::Receipt receipt = apply(renewal.command);
    EXPECT_EQ(receipt.keyring, *custody_->keyring());
    EXPECT_EQ(receipt.keyring.version, before.version + 1);
    const share::KeyringRow& row = *receipt.keyring.live("default");
    EXPECT_EQ(row.tk_epoch, 2U);
    EXPECT_EQ(row.key_id, before.live("default")->key_id);
    EXPECT_EQ(row.dek_epoch, 1U);
    EXPECT_EQ(*receipt.keyring.live("medical"), *before.live("medical"));
    EXPECT_FALSE(share::check_keys(*enrolment_).has_value());  // the tenant has not changed over
    share::take_over(*enrolment_, std::move(renewal.key));
    EXPECT_TRUE(share::check_keys(*enrolment_).has_value());
}

TEST_F(RenewTk, TKuStaysSoATokenMadeBeforeIsGoodBesideTheNewApplicationShareOnly) {
    const core::SecretBytes made_before = token(nurse());
    const TkRenewal renewal = make_tk_renewal("default", {&nurse()}, 2);
    apply(renewal.command);
    read_zero();
    const core::SecretBytes app = app_text(renewal.users[0]), old_app = app_text(nurse());
    EXPECT_TRUE(rebuild({"nurse", &made_before, &app}).has_value());
    EXPECT_EQ(denial_of({"nurse", &made_before, &old_app}), DenialKind::kAppShareStale);
}

TEST_F(RenewTk, AnOpenRenewalOfSharesEndsWithIt) {
    const Holdings renewed = renew_shares(nurse(), 2);
    EXPECT_EQ(custody_->report().renewing_users, 1U);
    const TkRenewal renewal = make_tk_renewal("default", {&renewed}, 3);
    apply(renewal.command);
    read_zero();
    EXPECT_EQ(custody_->report().renewing_users, 0U);
    EXPECT_FALSE(works(nurse()));
    EXPECT_FALSE(works(renewed));
    EXPECT_TRUE(works(renewal.users[0]));
}

TEST_F(RenewTk, ATokenThatWasKeptOpenIsWiped) {
    opening_ = TokenOpening::kPerToken;
    restart();
    read_zero();
    const core::SecretBytes fresh = token(nurse()), app = app_text(nurse());
    OpenedTokens::Slot slot;
    ASSERT_TRUE(rebuild({"nurse", &fresh, &app}, slot).has_value());
    ASSERT_NE(OpenedTokens::find(slot, fresh.reveal()), nullptr);
    apply(make_tk_renewal("default", {&nurse()}, 2).command);
    EXPECT_EQ(OpenedTokens::find(slot, fresh.reveal()), nullptr);
}

TEST_F(RenewTk, NobodyMayBeLeftOutAndNobodyElseBroughtIn) {
    expect_refused(make_tk_renewal("medical", {&nurse()}, 2), "leaves out user clerk");
    const Holdings ghost = make_user("ghost");
    apply(ghost.command);
    apply(withdraw("ghost"));
    expect_refused(make_tk_renewal("default", {&nurse(), &ghost}, 3), "ghost, who has none");
    EXPECT_EQ(apply(make_tk_renewal("default", {&nurse()}, 4).command).outcome, Outcome::kApplied);
}

TEST_F(RenewTk, ACommandOfAnOlderHomeIsRefusedAndChangesNothing) {
    // The keyring went on without this home: another renewal came first.
    const share::Keyring older = enrolment_->keyring;
    TkRenewal first = make_tk_renewal("default", {&nurse()}, 2);
    ASSERT_EQ(apply(first.command).outcome, Outcome::kApplied);
    read_zero();
    nurse() = std::move(first.users[0]);
    enrolment_->keyring = older;
    expect_refused(make_tk_renewal("default", {&nurse()}, 3), "made from an older home");
}

TEST_F(RenewTk, SharesOfAnotherTKuOrOfAnOldEpochAreRefused) {
    const auto foreign =
        share::make_user(*enrolment_, "nurse", {"default", "medical"}, 1, core::system_random());
    const Holdings other{
        share::user_key_of(*foreign, *enrolment_), share::app_share_of(*foreign, *enrolment_), {}};
    expect_refused(
        make_tk_renewal("default", {&other}, 2), "keeps the share that user nurse holds"
    );
    const Holdings changed = make_change("nurse", 5);
    apply(changed.command);
    nurse() = make_change("nurse", 6);
    apply(nurse().command);
    EXPECT_THAT(
        apply(make_tk_renewal("default", {&changed}, 6).command).reason, HasSubstr("share epoch 6")
    );
}

TEST_F(RenewTk, WhatCameTooLateLeavesTheOldTripleInForce) {
    const TkRenewal renewal = make_tk_renewal("default", {&nurse()}, 2);
    EXPECT_EQ(apply(renewal.command, kNow + 601).outcome, Outcome::kExpired);
    EXPECT_TRUE(works(nurse()));
    EXPECT_FALSE(works(renewal.users[0]));
}

TEST_F(RenewTk, AnOldKeyringPutBackIntoTheMirrorIsNamedAndNotBelieved) {
    const auto old_mirror = custody_->mirror_rows();
    const TkRenewal renewal = make_tk_renewal("default", {&nurse()}, 2);
    apply(renewal.command);
    const auto behind = custody_->check_zero_from_database(old_mirror);
    EXPECT_FALSE(behind->accepted);
    EXPECT_EQ(behind->reason, "");  // nobody changed it: it is not written yet
    EXPECT_EQ(behind->rewrite.size(), 2U);
    read_zero();
    const auto put_back = custody_->check_zero_from_database(old_mirror);
    EXPECT_FALSE(put_back->accepted);
    EXPECT_THAT(put_back->reason, HasSubstr("older than the share store"));
    EXPECT_TRUE(works(renewal.users[0]));
    EXPECT_FALSE(works(nurse()));
    restart();  // the "0" is read anew: the old one is not taken
    EXPECT_FALSE(custody_->check_zero_from_database(old_mirror)->accepted);
    EXPECT_EQ(denial_with(renewal.users[0]), DenialKind::kZeroNotRead);
    read_zero();
    EXPECT_TRUE(works(renewal.users[0]));
}

TEST_F(RenewTk, TheStoreKeyIsRenewedSoThatOlderCopiesDie) {
    custody_.reset();
    fs::copy_file(folder_ / "store.db", folder_ / "older.db");
    restart();
    read_zero();
    apply(make_tk_renewal("default", {&nurse()}, 2).command);
    EXPECT_FALSE(custody_->report().renewal_due);
    fs::copy_file(folder_ / "seal.key", folder_ / "older.key");
    const auto older = ProxyCustody::open(
        {folder_ / "older.db", "acme", {}}, std::make_unique<seal::FileSeal>(folder_ / "older.key")
    );
    EXPECT_FALSE(older.has_value());
}

// docs/SECURITY.md, renew-tk: what it gives, and what not.
TEST_F(RenewTk, WhoKnewTKHasNothingInThePresentKeyringAndStillTheKeysOfAnOlderOne) {
    const share::Keyring older = *custody_->keyring();
    const share::TenantKey known = enrolment_->groups.front().key.duplicate();
    ASSERT_EQ(enrolment_->groups.front().group, "default");
    const TkRenewal renewal = make_tk_renewal("default", {&nurse()}, 2);
    apply(renewal.command);
    const auto unwrap = [&](const share::KeyringRow& row) {
        const share::TenantKeyPlace place{"acme", "default", row.tk_epoch};
        return share::unwrap_data_key(
            share::wrapping_key_of(known, place), {place, row.dek_epoch, row.key_id}, row.wrap
        );
    };
    EXPECT_FALSE(unwrap(*custody_->keyring()->live("default")).has_value());
    const auto kept = unwrap(*older.live("default"));
    ASSERT_TRUE(kept.has_value());
    // And it is the key that the data is sealed under to this day.
    read_zero();
    const core::SecretBytes theirs =
        share::column_key_of(*kept, {"acme", "default", 1, "public.t.c", "randomized", "xaes"}, 32);
    EXPECT_EQ(seen(theirs), seen(column_key(renewal.users[0])));
}

}  // namespace
}  // namespace pgveil::store::test
