#include "test/keyshare/store/world.hpp"

#include <gtest/gtest.h>

namespace pgveil::store::test {
namespace {

using share::Outcome;

class Commands : public World {
protected:
    Outcome outcome_of(const Result<std::string>& receipt) const {
        EXPECT_TRUE(receipt.has_value()) << receipt.error().message;
        return receipt_of(*receipt).outcome;
    }

    std::string add_until(std::string_view user_id, std::int64_t expires_s) {
        const auto shares =
            *share::make_user(*enrolment_, user_id, {"default"}, 1, core::system_random());
        return *share::make_add_user(*enrolment_, identity_, shares, {kNow, expires_s});
    }
};

TEST_F(Commands, P10_AddedUsersWorkAndWithdrawnOnesAreRefusedAtOnceWhileOthersGoOn) {
    const Holdings nurse = add_user("nurse");
    const Holdings clerk = add_user("clerk");
    ASSERT_TRUE(works(nurse));
    ASSERT_TRUE(works(clerk));
    const core::SecretBytes live_token = token(clerk);
    const core::SecretBytes app = app_text(clerk);
    EXPECT_EQ(
        outcome_of(custody_->withdraw_user("clerk", withdraw("clerk"), kNow)), Outcome::kApplied
    );
    EXPECT_EQ(denial_of({"clerk", &live_token, &app}), share::DenialKind::kWithdrawnUser);
    EXPECT_TRUE(works(nurse));
    restart();
    read_zero();
    EXPECT_EQ(denial_of({"clerk", &live_token, &app}), share::DenialKind::kWithdrawnUser);
    EXPECT_TRUE(works(nurse));
}

TEST_F(Commands, ARepetitionGetsTheSameReceipt) {
    const Holdings nurse = make_user("nurse");
    const auto first = custody_->apply(nurse.command, kNow);
    const auto again = custody_->apply(nurse.command, kNow + 100000);
    ASSERT_TRUE(first.has_value());
    ASSERT_TRUE(again.has_value());
    EXPECT_EQ(*first, *again);
    restart();
    EXPECT_EQ(*custody_->apply(nurse.command, kNow), *first);
    EXPECT_EQ(custody_->report().last_sequence, 1U);
}

TEST_F(Commands, WhoBringsNoCommandGetsTheNewestReceipt) {
    EXPECT_EQ(receipt_of(*custody_->apply("", kNow)).sequence, 0U);  // of the bootstrap
    add_user("nurse");
    const Holdings clerk = make_user("clerk");
    const auto newest = custody_->apply(clerk.command, kNow);
    EXPECT_EQ(*custody_->apply("", kNow + 1), *newest);
    EXPECT_FALSE(custody_->add_user("clerk", nullptr, "", kNow).has_value());
    restart();
    EXPECT_EQ(*custody_->apply("", kNow + 1), *newest);
    EXPECT_EQ(custody_->report().last_sequence, 2U);
}

TEST_F(Commands, ReceiptsAnswerTheirCommand) {
    const Holdings nurse = make_user("nurse");
    const auto receipt = custody_->apply(nurse.command, kNow);
    ASSERT_TRUE(receipt.has_value());
    const core::VerifyingKey key(enrolment_->proxy_identity);
    EXPECT_TRUE(share::verify_receipt_of(*receipt, nurse.command, key, "acme").has_value());
    EXPECT_EQ(receipt_of(*receipt).store_version, custody_->report().store_version);
    EXPECT_EQ(receipt_of(*receipt).keyring, enrolment_->keyring);
}

TEST_F(Commands, P11_AGapIsRefusedAndNamesWhatIsMissing) {
    const Holdings one = make_user("one");
    const Holdings two = make_user("two");
    const Holdings three = make_user("three");
    const auto refused = custody_->apply(three.command, kNow);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, ErrorCode::kOutOfOrder);
    EXPECT_NE(refused.error().message.find("commands 1 to 2"), std::string::npos);
    const auto all =
        custody_->apply(share::join_commands({one.command, two.command, three.command}), kNow);
    ASSERT_TRUE(all.has_value());
    EXPECT_EQ(share::split_commands(*all)->size(), 3U);
    EXPECT_TRUE(works(three));
}

TEST_F(Commands, AppliedOnesInTheArgumentAreSkipped) {
    const Holdings one = make_user("one");
    ASSERT_TRUE(custody_->apply(one.command, kNow).has_value());
    const Holdings two = make_user("two");
    const auto both =
        custody_->add_user("two", nullptr, share::join_commands({one.command, two.command}), kNow);
    ASSERT_TRUE(both.has_value()) << both.error().message;
    EXPECT_TRUE(works(one));
    EXPECT_TRUE(works(two));
}

TEST_F(Commands, UsersAddedByOneCallAreCommittedTogether) {
    std::vector<Holdings> staff;
    std::vector<std::string> texts;
    for (int number = 0; number < 7; ++number) {
        staff.push_back(make_user("clerk" + std::to_string(number)));
        texts.push_back(staff.back().command);
    }
    const std::uint64_t before = custody_->report().store_version;
    const auto receipts = custody_->apply(share::join_commands(texts), kNow);
    ASSERT_TRUE(receipts.has_value()) << receipts.error().message;
    EXPECT_EQ(custody_->report().store_version, before + 1);
    for (const std::string_view receipt : *share::split_commands(*receipts)) {
        EXPECT_EQ(receipt_of(receipt).outcome, Outcome::kApplied);
        EXPECT_EQ(receipt_of(receipt).store_version, before + 1);
    }
    restart();
    read_zero();
    for (const Holdings& clerk : staff) {
        EXPECT_TRUE(works(clerk));
    }
    EXPECT_EQ(*custody_->apply(texts[3], kNow), share::split_commands(*receipts)->at(3));
}

TEST_F(Commands, EachOfOneCallSeesWhatThoseBeforeItDidToTheUser) {
    const Holdings nurse = make_user("nurse");
    const Holdings changed = make_change("nurse", 2);
    const std::string withdrawn = withdraw("nurse");
    const Holdings again = make_user("nurse", 3);
    const Holdings twice = make_user("nurse", 4);
    const auto receipts = custody_->apply(
        share::join_commands(
            {nurse.command, changed.command, withdrawn, again.command, twice.command, nurse.command}
        ),
        kNow
    );
    ASSERT_TRUE(receipts.has_value()) << receipts.error().message;
    std::vector<Outcome> outcomes;
    for (const std::string_view receipt : *share::split_commands(*receipts)) {
        outcomes.push_back(receipt_of(receipt).outcome);
    }
    constexpr auto kDone = Outcome::kApplied;
    EXPECT_EQ(
        outcomes, (std::vector<Outcome>{kDone, kDone, kDone, kDone, Outcome::kRefused, kDone})
    );
    EXPECT_TRUE(works(again));
    EXPECT_FALSE(works(changed));
}

TEST_F(Commands, WhatStandsInFrontOfACommandThatCannotComeNextStaysApplied) {
    const Holdings one = make_user("one");
    const Holdings two = make_user("two");
    const Holdings three = make_user("three");
    EXPECT_FALSE(
        custody_->apply(share::join_commands({one.command, three.command}), kNow).has_value()
    );
    EXPECT_TRUE(works(one));
    ASSERT_TRUE(
        custody_->apply(share::join_commands({two.command, three.command}), kNow).has_value()
    );
    EXPECT_TRUE(works(three));
}

TEST_F(Commands, AReorderedPairOrAnotherBranchIsRefused) {
    const auto fork = share::parse_enrolment(share::serialize(*enrolment_).reveal());
    const Holdings one = make_user("one");
    const Holdings two = make_user("two");
    EXPECT_FALSE(custody_->apply(share::join_commands({two.command, one.command}), kNow).has_value()
    );
    ASSERT_TRUE(custody_->apply(one.command, kNow).has_value());
    enrolment_ = *share::parse_enrolment(share::serialize(*fork).reveal());
    const Holdings other_one = make_user("other");
    const Holdings other_two = make_user("other2");
    const auto differs = custody_->apply(other_one.command, kNow);
    ASSERT_FALSE(differs.has_value());
    EXPECT_EQ(differs.error().code, ErrorCode::kOutOfOrder);
    EXPECT_FALSE(custody_->apply(other_two.command, kNow).has_value()
    );  // right number, wrong chain
    EXPECT_TRUE(custody_->apply(two.command, kNow).has_value());
}

TEST_F(Commands, AnExpiredCommandIsConsumedWithoutEffect) {
    const std::string late = add_until("late", kNow + 10);
    const Holdings next = make_user("next");
    const auto receipts = custody_->apply(share::join_commands({late, next.command}), kNow + 11);
    ASSERT_TRUE(receipts.has_value());
    EXPECT_EQ(receipt_of(share::split_commands(*receipts)->at(0)).outcome, Outcome::kExpired);
    EXPECT_EQ(receipt_of(share::split_commands(*receipts)->at(1)).outcome, Outcome::kApplied);
    EXPECT_EQ(custody_->report().active_users, 1U);
    EXPECT_EQ(
        receipt_of(*custody_->apply(late, kNow)).outcome, Outcome::kExpired
    );  // a clock set back does not revive it
}

TEST_F(Commands, WithdrawNeverExpires) {
    const Holdings nurse = add_user("nurse");
    EXPECT_TRUE(works(nurse));
    const std::string command = withdraw("nurse");
    EXPECT_EQ(
        outcome_of(custody_->withdraw_user("nurse", command, kNow + 10LL * 365 * 86400)),
        Outcome::kApplied
    );
    EXPECT_EQ(custody_->report().active_users, 0U);
}

TEST_F(Commands, WhatCannotBeDoneIsReceiptedAsRefusedAndDoesNotBlock) {
    const Holdings nurse = add_user("nurse");
    EXPECT_EQ(outcome_of(custody_->apply(make_user("nurse").command, kNow)), Outcome::kRefused);
    EXPECT_TRUE(works(nurse));
    EXPECT_EQ(outcome_of(custody_->apply(withdraw("nobody"), kNow)), Outcome::kRefused);
    EXPECT_EQ(outcome_of(custody_->apply(withdraw("nurse"), kNow)), Outcome::kApplied);
    EXPECT_EQ(outcome_of(custody_->apply(withdraw("nurse"), kNow)), Outcome::kApplied);
    EXPECT_EQ(outcome_of(custody_->apply(make_user("nurse", 1).command, kNow)), Outcome::kRefused);
    const Holdings again = make_user("nurse", 2);
    EXPECT_EQ(outcome_of(custody_->apply(again.command, kNow)), Outcome::kApplied);
    EXPECT_TRUE(works(again));
    EXPECT_FALSE(works(nurse));
}

TEST_F(Commands, P6_TheCallsArgumentsMustEqualTheSignedOnes) {
    const Holdings nurse = make_user("nurse");
    EXPECT_FALSE(custody_->add_user("clerk", nullptr, nurse.command, kNow).has_value());
    EXPECT_FALSE(custody_->withdraw_user("nurse", nurse.command, kNow).has_value());
    auto wrong = *share::parse_app_share(app_text(nurse).reveal());
    wrong.groups[0].part.reveal_mutable()[0] ^= 1U;
    const core::SecretBytes wrong_text = serialize(wrong);
    EXPECT_FALSE(custody_->add_user("nurse", &wrong_text, nurse.command, kNow).has_value());
    wrong.user_id = "clerk";
    const core::SecretBytes foreign_text = serialize(wrong);
    EXPECT_FALSE(custody_->add_user("nurse", &foreign_text, nurse.command, kNow).has_value());
    EXPECT_EQ(custody_->report().last_sequence, 0U);  // none of them was consumed
    const core::SecretBytes right = app_text(nurse);
    EXPECT_TRUE(custody_->add_user("nurse", &right, nurse.command, kNow).has_value());
}

TEST_F(Commands, AlteredAndForeignCommandsAreRefused) {
    const Holdings nurse = make_user("nurse");
    for (std::size_t at = 0; at < nurse.command.size(); at += 7) {
        std::string damaged = nurse.command;
        damaged[at] = static_cast<char>(static_cast<unsigned char>(damaged[at]) ^ 1U);
        ASSERT_FALSE(custody_->apply(damaged, kNow).has_value()) << at;
    }
    const auto thief = share::TenantIdentity::generate();
    auto copy = *share::parse_enrolment(share::serialize(*enrolment_).reveal());
    copy.head = {};
    const auto forged = share::make_withdraw_user(copy, thief, "nurse", kNow);
    const auto refused = custody_->apply(*forged, kNow);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, ErrorCode::kForged);
    EXPECT_TRUE(custody_->apply(nurse.command, kNow).has_value());
}

TEST_F(Commands, P15_ACommandFromTheFutureWaitsForTheClock) {
    const Holdings nurse = make_user("nurse");
    EXPECT_FALSE(custody_->apply(nurse.command, kNow - 31).has_value());
    EXPECT_TRUE(custody_->apply(nurse.command, kNow - 30).has_value());
}

TEST_F(Commands, TheCommandKeyRollsWhenItsSuccessorIsUsed) {
    const std::uint32_t first = enrolment_->command_key.key_id;
    const Holdings one = make_user("one");
    const Holdings two = make_user("two");  // offline: no receipt came in between
    const auto r1 = receipt_of(*custody_->apply(one.command, kNow));
    EXPECT_NE(r1.next_command_key.key_id, first);
    const auto r2 = receipt_of(*custody_->apply(two.command, kNow));
    EXPECT_EQ(r2.outcome, Outcome::kApplied);
    EXPECT_EQ(r2.next_command_key, r1.next_command_key);
    auto old_home = *share::parse_enrolment(share::serialize(*enrolment_).reveal());
    ASSERT_TRUE(share::absorb(*enrolment_, r2).has_value());
    const auto r3 = receipt_of(*custody_->apply(make_user("three").command, kNow));
    EXPECT_NE(r3.next_command_key, r2.next_command_key);
    // Sealed to the first key, which the third command put out of service.
    old_home.head = enrolment_->head;
    enrolment_ = std::move(old_home);
    EXPECT_EQ(outcome_of(custody_->apply(make_user("four").command, kNow)), Outcome::kRefused);
}

TEST_F(Commands, ChangeKeyPutsANewTripleInForceAndForgetsTheOldOneAtOnce) {
    const Holdings old = add_user("nurse");
    const Holdings clerk = add_user("clerk");
    const core::SecretBytes old_token = token(old), old_app = app_text(old);
    ASSERT_TRUE(rebuild({"nurse", &old_token, &old_app}).has_value());
    const Holdings fresh = change_key("nurse");
    const core::SecretBytes new_token = token(fresh), new_app = app_text(fresh);
    EXPECT_TRUE(rebuild({"nurse", &new_token, &new_app}).has_value());
    EXPECT_EQ(denial_of({"nurse", &old_token, &old_app}), share::DenialKind::kUserShareStale);
    EXPECT_EQ(denial_of({"nurse", &old_token, &new_app}), share::DenialKind::kUserShareStale);
    EXPECT_EQ(denial_of({"nurse", &new_token, &old_app}), share::DenialKind::kAppShareStale);
    EXPECT_TRUE(works(clerk));
    restart();
    read_zero();
    EXPECT_EQ(denial_of({"nurse", &old_token, &old_app}), share::DenialKind::kUserShareStale);
    EXPECT_TRUE(works(fresh));
}

TEST_F(Commands, AStaleShareIsNamedWithItsEpochs) {
    const Holdings old = add_user("nurse");
    const Holdings fresh = change_key("nurse");
    const core::SecretBytes old_token = token(old), new_token = token(fresh);
    const core::SecretBytes old_app = app_text(old), new_app = app_text(fresh);
    const auto user = rebuild({"nurse", &old_token, &new_app});
    ASSERT_FALSE(user.has_value());
    EXPECT_EQ(
        user.error().message,
        "the user's share is stale: a newer one superseded it (share epoch 1, in force 2); give "
        "user \"nurse\" the current key file"
    );
    const auto app = rebuild({"nurse", &new_token, &old_app});
    ASSERT_FALSE(app.has_value());
    EXPECT_EQ(
        app.error().message,
        "the application share is stale: a newer one superseded it (share epoch 1, in force 2); "
        "store the current .app file of user \"nurse\""
    );
}

TEST_F(Commands, AShareHandedOutBeforeItsCommandArrivedIsNamedAsNewer) {
    add_user("nurse");
    const Holdings fresh = make_change("nurse", 2);
    const core::SecretBytes new_token = token(fresh), new_app = app_text(fresh);
    const auto early = rebuild({"nurse", &new_token, &new_app});
    ASSERT_FALSE(early.has_value());
    EXPECT_NE(early.error().message.find("newer than this proxy knows"), std::string::npos);
}

TEST_F(Commands, ChangeKeyIsRefusedWhereThereIsNothingToChange) {
    const auto reason_of = [&](const Holdings& holdings) {
        const auto receipt = receipt_of(*custody_->apply(holdings.command, kNow));
        EXPECT_EQ(receipt.outcome, Outcome::kRefused);
        return receipt.reason;
    };
    EXPECT_EQ(reason_of(make_change("nobody", 1)), "this proxy knows no user nobody");
    const Holdings nurse = add_user("nurse");
    EXPECT_NE(reason_of(make_change("nurse", 1)).find("needs a higher one"), std::string::npos);
    EXPECT_TRUE(works(nurse));
    ASSERT_EQ(outcome_of(custody_->apply(withdraw("nurse"), kNow)), Outcome::kApplied);
    EXPECT_NE(reason_of(make_change("nurse", 2)).find("was withdrawn"), std::string::npos);
}

}  // namespace
}  // namespace pgveil::store::test
