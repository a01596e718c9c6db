#include "keyshare/quorum/deposit.hpp"

#include "keyshare/quorum/shredding.hpp"
#include "test/keyshare/quorum/ceremony.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

// The three protocols of KMaaS as the product does them: what the user keeps, and who is needed.

namespace pgveil::quorum {
namespace {

using testing::Ceremony;

constexpr std::uint32_t kUserIndex = 5;

class DepositTest : public ::testing::Test {
protected:
    void SetUp() override { run_.run(); }

    const core::PublicPoint& group_key() const { return run_.group.public_key(); }

    Deposit kept(Keeping keeping) const {
        return deposit_secret(group_key(), keeping, core::as_bytes(secret_), core::system_random());
    }

    Withdrawal begun(const Deposit& deposit) const {
        return *Withdrawal::begin(run_.group, deposit, "nurse", "read the secret");
    }

    void ask_members(Withdrawal& withdrawal, const std::vector<std::uint32_t>& members) {
        for (const std::uint32_t index : members) {
            const auto sealed =
                answer(run_.group, run_.shares[index - 1], run_.key(index), withdrawal.request());
            ASSERT_TRUE(withdrawal.take(index, *sealed));
        }
    }

    static std::string text_of(const Result<core::SecretBytes>& secret) {
        return secret ? std::string(core::as_text(secret->reveal())) : secret.error().message;
    }

    Ceremony run_{{3, 5}};
    const std::string secret_ = "what the user has in custody";
};

TEST_F(DepositTest, K5_ThresholdAndTheUsersPrivateKeyAreBothNeeded) {
    const auto user = core::HpkeKeyPair::generate();
    const Deposit deposit =
        deposit_secret_for(group_key(), user.point, core::as_bytes(secret_), core::system_random());
    Withdrawal withdrawal = begun(deposit);
    ask_members(withdrawal, {1, 2});
    EXPECT_EQ(withdrawal.open_with(user).error().code, ErrorCode::kTooFew);
    ask_members(withdrawal, {4});
    EXPECT_EQ(text_of(withdrawal.open_with(user)), secret_);
    // All members and another key, too, are not enough.
    ask_members(withdrawal, {3, 5});
    const auto thief = core::HpkeKeyPair::generate();
    EXPECT_EQ(withdrawal.open_with(thief).error().code, ErrorCode::kForeign);
    // Nor is the deposit passed off as one that needs no key.
    Deposit weaker = deposit;
    weaker.keeping = Keeping::kShare;
    Withdrawal without_key = begun(weaker);
    ask_members(without_key, {1, 2, 3});
    EXPECT_EQ(without_key.open().error().code, ErrorCode::kForeign);
}

TEST_F(DepositTest, K6_TheUsersShareIsOneOfTheThresholdAndTravelsNowhere) {
    const Deposit deposit = kept(Keeping::kShare);
    Withdrawal withdrawal = begun(deposit);
    ASSERT_TRUE(withdrawal.take_own(run_.shares[kUserIndex - 1], run_.key(kUserIndex)));
    ask_members(withdrawal, {2});
    EXPECT_EQ(withdrawal.open().error().code, ErrorCode::kTooFew);
    ask_members(withdrawal, {3});
    EXPECT_EQ(text_of(withdrawal.open()), secret_);
    EXPECT_EQ(
        withdrawal.take_own(run_.shares[kUserIndex - 1], run_.key(kUserIndex)).error().code,
        ErrorCode::kInvalidArgument
    );
}

TEST_F(DepositTest, K7_WhoKeepsNothingBlindsAndNoMemberSeesTheDepositsPoint) {
    const Deposit deposit = kept(Keeping::kNothing);
    Withdrawal first = begun(deposit);
    Withdrawal second = begun(deposit);
    EXPECT_NE(first.request().point, deposit.point);
    EXPECT_NE(first.request().point, second.request().point);
    ask_members(first, {5, 1, 2});
    EXPECT_EQ(text_of(first.open()), secret_);
    // Of protocol 2 the members see which deposit it is: the control.
    const Deposit open_to_see = kept(Keeping::kShare);
    EXPECT_EQ(begun(open_to_see).request().point, open_to_see.point);
}

TEST_F(DepositTest, K4_EveryMemberThatTookPartIsProvableAfterwards) {
    for (const Keeping keeping : {Keeping::kShare, Keeping::kNothing}) {
        Withdrawal withdrawal = begun(kept(keeping));
        ask_members(withdrawal, {1, 3, 4});
        const auto all = withdrawal.participations();
        ASSERT_EQ(all.size(), 3U);
        for (const Participation& one : all) {
            EXPECT_TRUE(took_part(run_.group, withdrawal.request(), one));
            EXPECT_FALSE(took_part(run_.group, begun(kept(keeping)).request(), one));
        }
    }
}

TEST_F(DepositTest, K10_AWrongAnswerNamesItsMemberAndDoesNotCount) {
    Withdrawal withdrawal = begun(kept(Keeping::kNothing));
    ask_members(withdrawal, {1, 2});
    auto wrong = *answer(run_.group, run_.shares[2], run_.key(3), withdrawal.request());
    wrong.back() ^= 1U;
    const auto refused = withdrawal.take(3, wrong);
    EXPECT_EQ(refused.error().code, ErrorCode::kCheating);
    EXPECT_EQ(refused.error().participants, std::vector<std::uint32_t>{3});
    EXPECT_EQ(withdrawal.open().error().code, ErrorCode::kTooFew);
    ask_members(withdrawal, {4});
    EXPECT_EQ(text_of(withdrawal.open()), secret_);
}

TEST_F(DepositTest, K8_BeyondTheThresholdOfShreddedSharesNothingOpens) {
    const Deposit deposit = kept(Keeping::kNothing);
    for (const std::uint32_t index : {1U, 2U}) {
        ASSERT_TRUE(shred(run_.group, run_.shares[index - 1], run_.keys[index - 1]));
    }
    Withdrawal enough = begun(deposit);
    ask_members(enough, {3, 4, 5});
    EXPECT_EQ(text_of(enough.open()), secret_);
    ASSERT_TRUE(shred(run_.group, run_.shares[2], run_.keys[2]));
    Withdrawal few = begun(deposit);
    ask_members(few, {4, 5});
    EXPECT_EQ(few.open().error().code, ErrorCode::kTooFew);
}

TEST_F(DepositTest, K3_TwoDepositsOfOneSecretHaveNothingInCommonAndFormsAreStrict) {
    const Deposit one = kept(Keeping::kNothing);
    const Deposit two = kept(Keeping::kNothing);
    EXPECT_NE(one.point, two.point);
    EXPECT_NE(one.sealed, two.sealed);
    const core::Bytes bytes = serialize(one);
    const auto read = parse_deposit(bytes);
    ASSERT_TRUE(read);
    EXPECT_EQ(serialize(*read), bytes);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        EXPECT_FALSE(parse_deposit(core::ByteView(bytes).first(size))) << size;
    }
    Deposit of_others = one;
    of_others.group[0] ^= 1U;
    EXPECT_EQ(
        Withdrawal::begin(run_.group, of_others, "nurse", "read").error().code, ErrorCode::kForeign
    );
}

}  // namespace
}  // namespace pgveil::quorum
