#include "keyshare/quorum/complaint.hpp"

#include "keyshare/quorum/dealing.hpp"
#include "keyshare/quorum/pledge.hpp"
#include "test/keyshare/quorum/ceremony.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace pgveil::quorum {
namespace {

using core::Bytes;
using testing::Ceremony;

constexpr std::uint32_t kDealer = 2;
constexpr std::uint32_t kVictim = 4;

// Member 2 sends member 4 a share that does not open.
class ComplaintTest : public ::testing::Test {
protected:
    void SetUp() override {
        run_.open();
        honest_ = run_.dealings[kDealer - 1];
        auto dealing = parse_dealing(honest_, 3, 5);
        dealing->sealed_shares[kVictim - 1].front() ^= 1U;
        run_.dealings[kDealer - 1] = serialize(*dealing);
        run_.pledges[kDealer - 1] = make_pledge(
            context_of(run_.setup.session, run_.setup.members), kDealer, run_.key(kDealer), bad()
        );
    }

    const Bytes& bad() const { return run_.dealings[kDealer - 1]; }

    Ceremony run_{{3, 5}};
    Bytes honest_;
};

TEST_F(ComplaintTest, ProvesToEverybodyThatTheDealerIsAtFault) {
    ASSERT_TRUE(run_.accept(1).has_value()) << "only its victim sees it";
    EXPECT_EQ(run_.accept(kVictim).error().participants, std::vector{kDealer});
    const auto complaint = complain(run_.setup, run_.key(kVictim), bad(), kDealer);
    ASSERT_TRUE(complaint.has_value()) << complaint.error().message;
    EXPECT_EQ(*judge(run_.setup, run_.pledges, bad(), *complaint), kDealer);
}

TEST_F(ComplaintTest, AboutAGoodShareAccusesWhoMadeIt) {
    EXPECT_EQ(
        complain(run_.setup, run_.key(1), bad(), kDealer).error().code, ErrorCode::kInvalidArgument
    );
    // A complaint that its maker should not have made: the share was good in the pledged dealing.
    Ceremony sound({3, 5});
    sound.open();
    auto dealing = parse_dealing(sound.dealings[kDealer - 1], 3, 5);
    const Bytes pledged = sound.dealings[kDealer - 1];
    dealing->sealed_shares[kVictim - 1].front() ^= 1U;
    const Bytes altered = serialize(*dealing);
    const auto lie = complain(sound.setup, sound.key(kVictim), altered, kDealer);
    ASSERT_TRUE(lie.has_value());
    // Against the altered dealing it does not count, and it does not fit the pledged one.
    EXPECT_EQ(judge(sound.setup, sound.pledges, altered, *lie).error().code, ErrorCode::kMalformed);
    EXPECT_EQ(judge(sound.setup, sound.pledges, pledged, *lie).error().code, ErrorCode::kMalformed);
}

TEST_F(ComplaintTest, InAnothersNameIsNone) {
    Bytes complaint = *complain(run_.setup, run_.key(kVictim), bad(), kDealer);
    ASSERT_TRUE(judge(run_.setup, run_.pledges, bad(), complaint).has_value());
    // The index of who complains stands behind two lengths and the format's name.
    constexpr std::size_t kRecipientAt =
        4 + std::string_view("pgveil/1 dkg complaint").size() + 4 + 3;
    ASSERT_EQ(complaint.at(kRecipientAt), kVictim);
    complaint[kRecipientAt] = 5;
    EXPECT_EQ(
        judge(run_.setup, run_.pledges, bad(), complaint).error().code, ErrorCode::kMalformed
    );
    complaint[kRecipientAt] = kVictim;
    complaint.back() ^= 1U;
    EXPECT_EQ(
        judge(run_.setup, run_.pledges, bad(), complaint).error().code, ErrorCode::kMalformed
    );
}

}  // namespace
}  // namespace pgveil::quorum
