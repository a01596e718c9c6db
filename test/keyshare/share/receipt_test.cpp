#include "keyshare/share/receipt.hpp"

#include "keyshare/share/tenant.hpp"
#include "test/keyshare/share/samples.hpp"

#include <gtest/gtest.h>

namespace pgveil::share {
namespace {

using samples::kNow;

class ReceiptTest : public testing::Test {
protected:
    Receipt sample() const {
        return Receipt{
            .tenant = "acme",
            .sequence = 3,
            .hash = Digest{1, 2, 3},
            .outcome = Outcome::kRefused,
            .reason = "user nurse exists already",
            .at_s = kNow,
            .store_version = 12,
            .keyring = samples::enrol(proxy_).keyring,
            .next_command_key = {2, proxy_.command_key.point}};
    }

    Result<Receipt> verify(std::string_view jws) const {
        return verify_receipt(jws, proxy_.identity.verifying_key(), "acme");
    }

    samples::Proxy proxy_;
};

TEST_F(ReceiptTest, SaysWhatWasPutIn) {
    const Receipt receipt = sample();
    const auto back = verify(sign_receipt(receipt, proxy_.identity));
    ASSERT_TRUE(back.has_value());
    EXPECT_EQ(back->sequence, 3U);
    EXPECT_EQ(back->outcome, Outcome::kRefused);
    EXPECT_EQ(back->reason, receipt.reason);
    EXPECT_EQ(back->store_version, 12U);
    EXPECT_EQ(back->keyring, receipt.keyring);
    EXPECT_EQ(back->next_command_key, receipt.next_command_key);
}

TEST_F(ReceiptTest, EveryFlippedBitIsRefused) {
    const std::string jws = sign_receipt(sample(), proxy_.identity);
    ASSERT_TRUE(verify(jws).has_value());
    for (std::size_t at = 0; at < jws.size(); ++at) {
        ASSERT_FALSE(verify(samples::flip(jws, at, at % 8)).has_value()) << at;
    }
}

TEST_F(ReceiptTest, OfAnotherProxyOrTenantIsRefused) {
    const std::string jws = sign_receipt(sample(), proxy_.identity);
    const samples::Proxy other;
    EXPECT_FALSE(verify_receipt(jws, other.identity.verifying_key(), "acme").has_value());
    EXPECT_FALSE(verify_receipt(jws, proxy_.identity.verifying_key(), "other").has_value());
}

TEST_F(ReceiptTest, OfAnotherCommandIsRefused) {
    const TenantIdentity identity = TenantIdentity::generate();
    Enrolment enrolment = samples::enrol(proxy_);
    const std::string one = *make_withdraw_user(enrolment, identity, "nurse", kNow);
    const std::string two = *make_withdraw_user(enrolment, identity, "nurse", kNow);
    Receipt receipt = sample();
    receipt.hash = *core::jws_hash(one);
    const std::string jws = sign_receipt(receipt, proxy_.identity);
    const auto& key = proxy_.identity.verifying_key();
    EXPECT_TRUE(verify_receipt_of(jws, one, key, "acme").has_value());
    EXPECT_FALSE(verify_receipt_of(jws, two, key, "acme").has_value());
}

}  // namespace
}  // namespace pgveil::share
