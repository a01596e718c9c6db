#include "test/keyshare/store/world.hpp"

#include <gtest/gtest.h>

namespace pgveil::store::test {
namespace {

namespace fs = std::filesystem;
using share::DenialKind;
using share::Outcome;

class RenewShares : public World {
protected:
    DenialKind denial_with(const Holdings& holdings, std::int64_t now_s = kNow) {
        const core::SecretBytes fresh = token(holdings, {now_s, 60});
        const core::SecretBytes app = app_text(holdings);
        return denial_of({holdings.user_key.user_id, &fresh, &app, now_s});
    }

    std::string reason_of(const std::string& command) const {
        const auto receipt = receipt_of(*custody_->apply(command, kNow));
        EXPECT_EQ(receipt.outcome, Outcome::kRefused);
        return receipt.reason;
    }

    void reopen() {
        restart();
        read_zero();
    }

    // Store, write-ahead log and seal key: all that a thief of the proxy's disk has.
    void steal_store(const char* name) const {
        fs::create_directory(folder_ / name);
        for (const char* file : {"store.db", "store.db-wal", "seal.key"}) {
            if (fs::exists(folder_ / file)) {
                fs::copy_file(folder_ / file, folder_ / name / file);
            }
        }
    }

    // Goes on with what was stolen.
    void open_stolen(const char* name) {
        custody_.reset();
        auto opened = ProxyCustody::open(
            {folder_ / name / "store.db", "acme", {}},
            std::make_unique<seal::FileSeal>(folder_ / name / "seal.key")
        );
        ASSERT_TRUE(opened.has_value()) << opened.error().message;
        custody_ = *std::move(opened);
        read_zero();
    }
};

TEST_F(RenewShares, BothAreTakenUntilTheNewOnesSucceedAndThenTheOldAreStale) {
    const Holdings old = add_user("nurse");
    const Holdings clerk = add_user("clerk");
    const Holdings fresh = renew_shares(old, 2);
    EXPECT_EQ(custody_->report().renewing_users, 1U);
    EXPECT_TRUE(works(old));
    EXPECT_TRUE(works(old));
    EXPECT_TRUE(works(fresh));
    EXPECT_EQ(custody_->report().renewing_users, 0U);
    EXPECT_EQ(denial_with(old), DenialKind::kAppShareStale);
    EXPECT_TRUE(works(fresh));
    EXPECT_TRUE(works(clerk));
    reopen();
    EXPECT_EQ(denial_with(old), DenialKind::kAppShareStale);
    EXPECT_TRUE(works(fresh));
}

TEST_F(RenewShares, P9_TheUsersShareAndTokensStayGood) {
    const Holdings old = add_user("nurse");
    const core::SecretBytes made_before = token(old);
    const Holdings fresh = renew_shares(old, 2);
    const core::SecretBytes new_app = app_text(fresh), old_app = app_text(old);
    EXPECT_TRUE(rebuild({"nurse", &made_before, &new_app}).has_value());
    const auto stale = rebuild({"nurse", &made_before, &old_app});
    ASSERT_FALSE(stale.has_value());
    EXPECT_EQ(
        stale.error().message,
        "the application share is stale: a newer one superseded it (share epoch 1, in force 2); "
        "store the current .app file of user \"nurse\""
    );
}

TEST_F(RenewShares, ARestartInBetweenForgetsNeither) {
    const Holdings old = add_user("nurse");
    const Holdings fresh = renew_shares(old, 2);
    reopen();
    EXPECT_TRUE(works(old));
    reopen();
    EXPECT_TRUE(works(fresh));
    EXPECT_EQ(denial_with(old), DenialKind::kAppShareStale);
}

TEST_F(RenewShares, AnAlteredShareOfEitherAgeIsWrongAndEndsNothing) {
    const Holdings old = add_user("nurse");
    const Holdings fresh = renew_shares(old, 2);
    for (const Holdings* one : {&old, &fresh}) {
        auto wrong = *share::parse_app_share(app_text(*one).reveal());
        wrong.groups[0].part.reveal_mutable()[0] ^= 1U;
        const core::SecretBytes text = serialize(wrong), made = token(*one);
        EXPECT_EQ(denial_of({"nurse", &made, &text}), DenialKind::kAppShareWrong);
    }
    EXPECT_TRUE(works(old));
}

TEST_F(RenewShares, AfterTheDeadlineTheOldAreForgotten) {
    const Holdings old = add_user("nurse");
    const Holdings fresh = renew_shares(old, 2);
    const std::int64_t until_s = kNow + 600;
    const core::SecretBytes last = token(old, {until_s, 60}), app = app_text(old);
    EXPECT_TRUE(rebuild({"nurse", &last, &app, until_s}).has_value());
    EXPECT_EQ(denial_with(old, until_s + 1), DenialKind::kAppShareStale);
    EXPECT_EQ(custody_->report().renewing_users, 1U);
    ASSERT_TRUE(custody_->maintain(until_s + 1).has_value());
    EXPECT_EQ(custody_->report().renewing_users, 0U);
    EXPECT_FALSE(custody_->report().renewal_due);
    EXPECT_EQ(denial_with(old), DenialKind::kAppShareStale);  // a clock set back revives nothing
    EXPECT_TRUE(works(fresh));
}

TEST_F(RenewShares, ASecondRenewalKeepsTheSharesThatAreInUse) {
    const Holdings old = add_user("nurse");
    const Holdings lost = renew_shares(old, 2);
    const Holdings fresh = renew_shares(old, 3);
    EXPECT_EQ(denial_with(lost), DenialKind::kAppShareStale);
    EXPECT_TRUE(works(old));
    EXPECT_TRUE(works(fresh));
    EXPECT_EQ(denial_with(old), DenialKind::kAppShareStale);
    const Holdings next = renew_shares(fresh, 4);
    EXPECT_TRUE(works(fresh));
    EXPECT_TRUE(works(next));
    EXPECT_EQ(denial_with(fresh), DenialKind::kAppShareStale);
}

TEST_F(RenewShares, ChangeKeyAndWithdrawForgetBoth) {
    const Holdings nurse = add_user("nurse");
    const Holdings renewed = renew_shares(nurse, 2);
    const Holdings changed = make_change("nurse", 3);
    ASSERT_EQ(receipt_of(*custody_->apply(changed.command, kNow)).outcome, Outcome::kApplied);
    EXPECT_EQ(custody_->report().renewing_users, 0U);
    EXPECT_FALSE(works(nurse));
    EXPECT_FALSE(works(renewed));
    EXPECT_TRUE(works(changed));
    const Holdings again = renew_shares(changed, 4);
    ASSERT_TRUE(custody_->apply(withdraw("nurse"), kNow).has_value());
    EXPECT_EQ(custody_->report().renewing_users, 0U);
    EXPECT_EQ(denial_with(changed), DenialKind::kWithdrawnUser);
    EXPECT_EQ(denial_with(again), DenialKind::kWithdrawnUser);
    reopen();
    EXPECT_EQ(denial_with(changed), DenialKind::kWithdrawnUser);
}

TEST_F(RenewShares, AreRefusedWhereThereIsNothingToRenewOrTKuWouldChange) {
    const Holdings nobody = make_user("nobody");
    ASSERT_EQ(receipt_of(*custody_->apply(nobody.command, kNow + 601)).outcome, Outcome::kExpired);
    EXPECT_EQ(reason_of(make_renewal(nobody, 2).command), "this proxy knows no user nobody");
    const Holdings nurse = add_user("nurse");
    const auto other =
        *share::make_user(*enrolment_, "nurse", {"default", "medical"}, 2, core::system_random());
    EXPECT_NE(
        reason_of(*share::make_renew_shares(*enrolment_, identity_, other, {kNow, kNow + 600}))
            .find("keeps the share that the user holds"),
        std::string::npos
    );
    const Holdings renewed = renew_shares(nurse, 5);
    EXPECT_NE(reason_of(make_renewal(nurse, 4).command).find("a higher one"), std::string::npos);
    EXPECT_TRUE(works(renewed));
    ASSERT_TRUE(custody_->apply(withdraw("nurse"), kNow).has_value());
    EXPECT_NE(reason_of(make_renewal(nurse, 6).command).find("was withdrawn"), std::string::npos);
}

TEST_F(RenewShares, TheStoreKeyIsRenewedOnceForAllThatEnded) {
    const Holdings nurse = add_user("nurse"), clerk = add_user("clerk");
    const Holdings new_nurse = renew_shares(nurse, 2), new_clerk = renew_shares(clerk, 2);
    EXPECT_FALSE(custody_->report().renewal_due);
    steal_store("before");
    ASSERT_TRUE(works(new_nurse));
    ASSERT_TRUE(works(new_clerk));
    EXPECT_TRUE(custody_->report().renewal_due);
    ASSERT_TRUE(custody_->maintain(kNow).has_value());
    EXPECT_FALSE(custody_->report().renewal_due);
    fs::copy_file(
        folder_ / "seal.key", folder_ / "before" / "seal.key", fs::copy_options::overwrite_existing
    );
    const auto older = ProxyCustody::open(
        {folder_ / "before" / "store.db", "acme", {}},
        std::make_unique<seal::FileSeal>(folder_ / "before" / "seal.key")
    );
    EXPECT_FALSE(older.has_value());
    EXPECT_TRUE(works(new_nurse));
}

// docs/SECURITY.md, renew-shares: what it gives, and what not.
TEST_F(RenewShares, P14_AStolenTableOrAStolenStoreIsWorthlessAndBothTogetherAreNot) {
    const Holdings old = add_user("nurse");  // its app share is the stolen table
    steal_store("stolen");
    const Holdings fresh = renew_shares(old, 2);
    ASSERT_TRUE(works(fresh));
    EXPECT_EQ(denial_with(old), DenialKind::kAppShareStale);  // old table, present store
    open_stolen("stolen");
    EXPECT_FALSE(works(fresh));  // present table, old store
    EXPECT_TRUE(works(old));     // both taken
}

}  // namespace
}  // namespace pgveil::store::test
