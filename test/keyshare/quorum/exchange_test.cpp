#include "keyshare/quorum/exchange.hpp"

#include "test/keyshare/core/vectors.hpp"
#include "test/keyshare/quorum/ceremony.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace pgveil::quorum {
namespace {

using core::Bytes;
using testing::Ceremony;
using testing::seal_to;

class ExchangeTest : public ::testing::Test {
protected:
    void SetUp() override { run_.run(); }

    Bytes answer_of(std::uint32_t index, const PartialRequest& request) {
        return *answer(run_.group, run_.shares[index - 1], run_.key(index), request);
    }

    std::vector<Answer> answers_of(
        const std::vector<std::uint32_t>& indices, const OpenRequest& asked
    ) {
        std::vector<Answer> out;
        for (const std::uint32_t index : indices) {
            out.push_back(*open_answer(run_.group, asked, index, answer_of(index, asked.request)));
        }
        return out;
    }

    Ceremony run_{{3, 5}};
    testing::Sealed sealed_{core::HpkeKeyPair::generate().point, {}};
    OpenRequest asked_{
        {{}, 0, sealed_.point, {}, {}, {}, sealed_.point}, core::HpkeKeyPair::generate()};

    void ask_about_a_sealed_point() {
        sealed_ = seal_to(run_.group);
        asked_ = *ask(run_.group, sealed_.point, "proxy-1", "unseal the share store");
    }
};

// A star: each member answers the asker only, and n - t that stay silent are not missed.
TEST_F(ExchangeTest, K9_AnyThresholdOfAnswersIsEnough) {
    ask_about_a_sealed_point();
    for (int round = 0; round < 3; ++round) {
        const auto answers = answers_of(testing::some_members(3, 5), asked_);
        const auto combined = combine(run_.group, asked_.request, answers);
        ASSERT_TRUE(combined.has_value()) << combined.error().message;
        EXPECT_TRUE(testing::same_bytes(x_of(*combined).reveal(), sealed_.expected.reveal()));
    }
    const auto few = combine(run_.group, asked_.request, answers_of({1, 5}, asked_));
    EXPECT_EQ(few.error().code, ErrorCode::kTooFew);
}

TEST_F(ExchangeTest, AnAnswerChangedInAnyByteNamesItsMember) {
    ask_about_a_sealed_point();
    for (std::uint32_t cheat = 1; cheat <= 5; ++cheat) {
        Bytes bytes = answer_of(cheat, asked_.request);
        ASSERT_TRUE(open_answer(run_.group, asked_, cheat, bytes).has_value());
        for (const std::size_t at : {std::size_t{1}, std::size_t{70}, bytes.size() - 1}) {
            bytes[at] ^= 1U;
            const auto refused = open_answer(run_.group, asked_, cheat, bytes);
            EXPECT_EQ(refused.error().code, ErrorCode::kCheating);
            EXPECT_EQ(refused.error().participants, std::vector{cheat});
            bytes[at] ^= 1U;
        }
        // Another's answer in its place.
        EXPECT_EQ(
            open_answer(run_.group, asked_, cheat, answer_of(cheat % 5 + 1, asked_.request))
                .error()
                .participants,
            std::vector{cheat}
        );
    }
}

TEST_F(ExchangeTest, K10_AWrongShareInASignedAnswerNamesItsMember) {
    ask_about_a_sealed_point();
    for (std::uint32_t cheat = 1; cheat <= 5; ++cheat) {
        const KeyShare wrong{run_.group.id, 0, cheat, run_.shares[cheat % 5].scalar.duplicate()};
        const auto bytes = answer(run_.group, wrong, run_.key(cheat), asked_.request);
        const auto refused = open_answer(run_.group, asked_, cheat, *bytes);
        EXPECT_EQ(refused.error().code, ErrorCode::kCheating);
        EXPECT_EQ(refused.error().participants, std::vector{cheat});
        EXPECT_NE(refused.error().message.find("proof"), std::string::npos);
    }
}

// The paper signs a token with h(m) in it and nothing else; here the request, the member and what
// it answered are signed, and the answer itself stays unknown to the auditor.
TEST_F(ExchangeTest, K4_ParticipationIsProvableAfterwards) {
    ask_about_a_sealed_point();
    const auto answers = answers_of({1, 3, 4}, asked_);
    for (const Answer& one : answers) {
        EXPECT_TRUE(took_part(run_.group, asked_.request, one.participation));
        Participation other = one.participation;
        other.index = 2;
        EXPECT_FALSE(took_part(run_.group, asked_.request, other));
        other = one.participation;
        other.partial[0] ^= 1U;
        EXPECT_FALSE(took_part(run_.group, asked_.request, other));
        PartialRequest request = asked_.request;
        request.purpose = "something else";
        EXPECT_FALSE(took_part(run_.group, request, one.participation));
    }
}

// Protocol 1: the user keeps one private key, and only it opens what the members give.
TEST_F(ExchangeTest, K5_TheUserKeepsOnePrivateKey) {
    ask_about_a_sealed_point();
    const Bytes bytes = answer_of(1, asked_.request);
    EXPECT_TRUE(open_answer(run_.group, asked_, 1, bytes).has_value());
    // It alone opens nothing: the members hold the shares, each for itself.
    EXPECT_EQ(
        combine(run_.group, asked_.request, answers_of({1, 2}, asked_)).error().code,
        ErrorCode::kTooFew
    );
    const OpenRequest thief{asked_.request, core::HpkeKeyPair::generate()};
    EXPECT_TRUE(open_answer(run_.group, thief, 1, bytes).has_error());
}

// Protocol 2: the user is a member; its own partial travels nowhere.
TEST_F(ExchangeTest, K6_TheUserIsAMemberWithAShare) {
    ask_about_a_sealed_point();
    constexpr std::uint32_t kUser = 5;
    auto answers = answers_of({2, 4}, asked_);
    answers.push_back(*open_answer(run_.group, asked_, kUser, answer_of(kUser, asked_.request)));
    const auto combined = combine(run_.group, asked_.request, answers);
    ASSERT_TRUE(combined.has_value());
    EXPECT_TRUE(testing::same_bytes(x_of(*combined).reveal(), sealed_.expected.reveal()));
}

// Protocol 3: the user keeps nothing; neither the members nor whoever holds the ciphertext's point
// see more than a random point.
TEST_F(ExchangeTest, K7_TheUserKeepsNothingAndBlinds) {
    ask_about_a_sealed_point();
    const Blinding blinding = blind(sealed_.point);
    const OpenRequest asked = *ask(run_.group, blinding.blinded, "user", "open a file");
    EXPECT_NE(asked.request.point, sealed_.point);
    const auto combined = combine(run_.group, asked.request, answers_of({5, 1, 2}, asked));
    const auto unblinded = unblind(run_.group, blinding, *combined);
    ASSERT_TRUE(unblinded.has_value());
    EXPECT_TRUE(testing::same_bytes(x_of(*unblinded).reveal(), sealed_.expected.reveal()));
}

// The paper's token u_m holds h(m): a dictionary finds m. A request says nothing about what it
// opens but its point.
TEST_F(ExchangeTest, K4_TwoRequestsForOneSecretHaveNothingInCommon) {
    ask_about_a_sealed_point();
    const Blinding blinding = blind(sealed_.point);
    const OpenRequest again =
        *ask(run_.group, blinding.blinded, "proxy-1", "unseal the share store");
    EXPECT_NE(again.request.id, asked_.request.id);
    EXPECT_NE(again.request.point, asked_.request.point);
    EXPECT_NE(again.request.reply_key, asked_.request.reply_key);
}

TEST_F(ExchangeTest, RequestsOfAnotherGroupEpochOrKeyAreForeign) {
    ask_about_a_sealed_point();
    PartialRequest request = asked_.request;
    request.epoch = 1;
    EXPECT_EQ(
        answer(run_.group, run_.shares[0], run_.key(1), request).error().code, ErrorCode::kForeign
    );
    request = asked_.request;
    request.group[0] ^= 1U;
    EXPECT_EQ(
        answer(run_.group, run_.shares[0], run_.key(1), request).error().code, ErrorCode::kForeign
    );
    EXPECT_EQ(
        answer(run_.group, run_.shares[0], run_.key(2), asked_.request).error().code,
        ErrorCode::kForeign
    );
    EXPECT_EQ(ask(run_.group, sealed_.point, "", "x").error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(
        ask(run_.group, sealed_.point, "a\nb", "x").error().code, ErrorCode::kInvalidArgument
    );
}

// What other implementations are tested with (clients/envelope-page) stays what this one reads.
TEST(ExchangeVector, AnyTwoAnswersGiveTheSharedX) {
    const auto vector = core::testing::load_vectors("partial-answers.json");
    const auto bytes = [&vector](const char* name) {
        return core::testing::bytes_at(vector, name);
    };
    const auto group = parse_group(bytes("group"));
    auto request = parse_request(bytes("request"));
    ASSERT_TRUE(group.has_value() && request.has_value());
    auto reply = core::HpkeKeyPair::from_scalar(*core::Scalar::from(bytes("reply_private_key")));
    const OpenRequest asked{*std::move(request), *std::move(reply)};
    std::vector<Answer> answers;
    for (const std::uint32_t index : {3U, 1U}) {
        const Bytes sealed = core::testing::bytes_at(vector.at("answers").at(index - 1), "sealed");
        auto answer = open_answer(*group, asked, index, sealed);
        ASSERT_TRUE(answer.has_value()) << answer.error().message;
        answers.push_back(*std::move(answer));
    }
    const auto combined = combine(*group, asked.request, answers);
    ASSERT_TRUE(combined.has_value());
    EXPECT_TRUE(testing::same_bytes(x_of(*combined).reveal(), bytes("shared_x")));
}

}  // namespace
}  // namespace pgveil::quorum
