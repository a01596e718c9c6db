#include "keyshare/attest/approval.hpp"
#include "keyshare/attest/exchange.hpp"
#include "keyshare/attest/measurement.hpp"
#include "keyshare/attest/quote.hpp"
#include "keyshare/core/random.hpp"
#include "test/keyshare/attest/written_quote.hpp"

#include <gmock/gmock.h>

#include <algorithm>

namespace pgveil::attest {
namespace {

using testing::HasSubstr;

Sha256Digest of(std::string_view text) {
    return core::sha256(core::as_bytes(text));
}

Statement sample() {
    return {"acme", {of("binary"), of("settings"), of("policy")}, {{0, of("0")}, {7, of("7")}}};
}

TEST(Approval, BelongsToItsKeyStateAndPurpose) {
    const auto key = approver_of(core::SigningKey::generate());
    const auto other = core::SigningKey::generate();
    const Approval approval = approve(key, of("state"), seal_purpose("acme"));
    const core::PublicPoint& approver = key.verifying_key().point();
    EXPECT_TRUE(verify(approval, approver, seal_purpose("acme")));
    EXPECT_FALSE(verify(approval, approver, seal_purpose("other")));
    EXPECT_FALSE(verify(approval, other.verifying_key().point(), seal_purpose("acme")));
    Approval moved = approval;
    moved.policy = of("another state");
    EXPECT_FALSE(verify(moved, approver, seal_purpose("acme")));
}

TEST(Approval, KeyFollowsFromTheTenantsAndIsAnother) {
    const auto tenant = core::SigningKey::generate();
    const auto first = approver_of(tenant).verifying_key().point();
    EXPECT_EQ(first, approver_of(tenant).verifying_key().point());
    EXPECT_NE(first, tenant.verifying_key().point());
}

TEST(Approval, TextReadsBackAndNothingElseDoes) {
    const auto key = core::SigningKey::generate();
    const Approval approval = approve(key, of("state"), of("purpose"));
    const std::string text = to_text(approval);
    const auto read = parse_approvals("# by the tenant\n\n" + text + "\n" + text);
    ASSERT_TRUE(read.has_value()) << read.error().message;
    ASSERT_EQ(read->size(), 2U);
    EXPECT_EQ(read->front().policy, approval.policy);
    EXPECT_EQ(read->back().signature, approval.signature);
    for (std::size_t size = 0; size < text.size(); ++size) {
        EXPECT_FALSE(parse_approval(text.substr(0, size)).has_value()) << size;
    }
    const auto wrong = parse_approvals(text + "\nx\n");
    ASSERT_FALSE(wrong.has_value());
    EXPECT_THAT(wrong.error().message, HasSubstr("line 2"));
}

TEST(Measurement, TextReadsBackAndNothingElseDoes) {
    const std::string text = to_text(sample());
    const auto read = parse_statement(text);
    ASSERT_TRUE(read.has_value()) << read.error().message;
    EXPECT_EQ(read->measurement, sample().measurement);
    EXPECT_EQ(read->registers, sample().registers);
    EXPECT_EQ(read->tenant, "acme");
    EXPECT_FALSE(parse_statement(text + "pcr 7: " + core::to_hex(of("7")) + "\n").has_value());
    EXPECT_FALSE(parse_statement(text + "pcr 23: " + core::to_hex(of("x")) + "\n").has_value());
    EXPECT_FALSE(parse_statement(text + "\n").has_value());
    EXPECT_FALSE(parse_statement(text.substr(1)).has_value());
    EXPECT_FALSE(parse_statement("").has_value());
}

TEST(Measurement, EachFileCountsTowardsTheState) {
    const Sha256Digest state = pcr_policy(sample().values());
    for (auto member : {&Measurement::binary, &Measurement::settings, &Measurement::policy}) {
        Statement other = sample();
        (other.measurement.*member)[0] ^= 1;
        EXPECT_NE(pcr_policy(other.values()), state);
    }
    Statement other = sample();
    other.registers[7][0] ^= 1;
    EXPECT_NE(pcr_policy(other.values()), state);
}

TEST(Exchange, TextsReadBackAndNothingElseDoes) {
    const auto point = core::SigningKey::generate().verifying_key().point();
    const Challenge challenge =
        ask({point, point}, of("identity"), core::system_random()).challenge;
    const std::string text = to_text(challenge);
    const auto read = parse_challenge(text);
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(to_text(*read), text);
    Evidence evidence;
    evidence.statement = sample();
    evidence.quote.statement = {1, 2, 3};
    const std::string said = to_text(evidence);
    ASSERT_TRUE(parse_evidence(said).has_value());
    EXPECT_EQ(to_text(*parse_evidence(said)), said);
    const std::string keys = to_text(TpmKeys{point, point});
    ASSERT_TRUE(parse_keys(keys).has_value());
    for (std::size_t size = 0; size < text.size(); ++size) {
        EXPECT_FALSE(parse_challenge(text.substr(0, size)).has_value()) << size;
        const std::size_t cut = std::min(size, said.find("policy: "));
        EXPECT_FALSE(parse_evidence(said.substr(0, cut)).has_value()) << cut;
        EXPECT_FALSE(parse_keys(keys.substr(0, std::min(size, keys.size() - 1))).has_value());
    }
    EXPECT_FALSE(parse_challenge(text + "\n").has_value());
    EXPECT_FALSE(parse_keys(keys + "x: y\n").has_value());
}

/// A quote as a TPM would write it, under a key that signs whatever it is given.
class ForgedQuoteTest : public testing::Test {
protected:
    Signed written(std::uint32_t magic, std::uint16_t kind, core::ByteView extra) const {
        return write_quote(key_, {core::to_bytes(extra), values_, magic, kind});
    }

    Signed resigned(core::Bytes statement) const {
        const core::Signature signature = key_.sign(statement);
        return {std::move(statement), signature};
    }

    std::string answer(const Signed& quote) const {
        const auto verified =
            verify_quote(quote, {key_.verifying_key().point(), of("extra"), values_, last_});
        return verified.has_value() ? "believed" : verified.error().message;
    }

    core::SigningKey key_ = core::SigningKey::generate();
    PcrValues values_ = sample().values();
    std::optional<Clock> last_;
};

TEST_F(ForgedQuoteTest, T9_MagicNumberKindAndNonceAreChecked) {
    EXPECT_EQ(answer(written(0xff544347, 0x8018, of("extra"))), "believed");
    // CVE-2024-29040: a restricted key signs any bytes that do not begin with the magic number.
    EXPECT_THAT(answer(written(0xff544348, 0x8018, of("extra"))), HasSubstr("magic"));
    EXPECT_THAT(answer(written(0xff544347, 0x8017, of("extra"))), HasSubstr("another kind"));
    EXPECT_THAT(answer(written(0xff544347, 0x8018, of("other"))), HasSubstr("nonce"));
    EXPECT_THAT(answer(written(0xff544347, 0x8018, {})), HasSubstr("nonce"));
}

TEST_F(ForgedQuoteTest, T9_EveryByteMatters) {
    const Signed good = written(0xff544347, 0x8018, of("extra"));
    last_ = Clock{1000, 3, 1, true};
    EXPECT_EQ(answer(good), "believed");
    for (std::size_t size = 0; size < good.statement.size(); ++size) {
        const core::Bytes cut(
            good.statement.begin(), good.statement.begin() + static_cast<std::ptrdiff_t>(size)
        );
        EXPECT_NE(answer(resigned(cut)), "believed") << size;
    }
    core::Bytes longer = good.statement;
    longer.push_back(0);
    EXPECT_THAT(answer(resigned(longer)), HasSubstr("cut"));
}

TEST_F(ForgedQuoteTest, T9_OldCountersAreRefused) {
    const Signed quote = written(0xff544347, 0x8018, of("extra"));
    for (const Clock& later :
         {Clock{1001, 3, 1, true}, Clock{1000, 4, 0, true}, Clock{1000, 3, 2, true}}) {
        last_ = later;
        EXPECT_THAT(answer(quote), HasSubstr("went back"));
    }
    last_ = Clock{999, 2, 9, true};
    EXPECT_EQ(answer(quote), "believed");
}

TEST_F(ForgedQuoteTest, T9_APowerCutMayCostTheClockAsMuchAsTpmsLoseAndNoMore) {
    const auto quoted = [this](const Clock& clock) {
        return answer(
            write_quote(key_, {core::to_bytes(of("extra")), values_, 0xff544347, 0x8018, clock})
        );
    };
    constexpr std::uint64_t kLost = std::uint64_t{1} << 22U;
    last_ = Clock{kLost + 5000, 3, 1, true};
    EXPECT_EQ(quoted({5000, 4, 0, false}), "believed");
    EXPECT_THAT(quoted({4999, 4, 0, false}), HasSubstr("went back"));
    EXPECT_THAT(quoted({kLost + 4999, 4, 0, true}), HasSubstr("went back"));  // an orderly one
    EXPECT_THAT(quoted({kLost + 4999, 3, 2, false}), HasSubstr("went back"));
}

}  // namespace
}  // namespace pgveil::attest
