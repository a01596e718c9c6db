#include "keyshare/core/hpke.hpp"

#include "test/keyshare/core/vectors.hpp"

#include <gtest/gtest.h>

namespace pgveil::core {
namespace {

using testing::bytes_at;

HpkeKeyPair pair_of(const nlohmann::json& vector, const char* name) {
    auto scalar = Scalar::from(bytes_at(vector, name));
    EXPECT_TRUE(scalar.has_value());
    auto pair = HpkeKeyPair::from_scalar(*std::move(scalar));
    EXPECT_TRUE(pair.has_value());
    return *std::move(pair);
}

int check_encryptions(const nlohmann::json& vector) {
    const HpkeKeyPair recipient = pair_of(vector, "skRm");
    const HpkeKeyPair ephemeral = pair_of(vector, "skEm");
    EXPECT_EQ(to_hex(recipient.point.bytes()), vector.at("pkRm"));
    const Bytes info = bytes_at(vector, "info");
    auto sender = hpke_setup_sender(recipient.point, info, ephemeral);
    auto receiver = hpke_setup_receiver(recipient, info, bytes_at(vector, "enc"));
    EXPECT_TRUE(sender.has_value() && receiver.has_value());
    EXPECT_EQ(to_hex(sender->enc.bytes()), vector.at("enc"));
    int passed = 0;
    for (const auto& encryption : vector.at("encryptions")) {
        const Bytes associated = bytes_at(encryption, "aad");
        const Bytes plaintext = bytes_at(encryption, "pt");
        const Bytes sealed = sender->context.seal(associated, plaintext);
        EXPECT_EQ(to_hex(sealed), encryption.at("ct"));
        EXPECT_FALSE(receiver->open(as_bytes("other"), sealed).has_value());
        const auto opened = receiver->open(associated, sealed);
        EXPECT_TRUE(opened.has_value() && to_bytes(opened->reveal()) == plaintext);
        ++passed;
    }
    return passed;
}

TEST(Hpke, PassesTheVectorsOfRfc9180ForItsSuite) {
    int suites = 0;
    for (const auto& vector : testing::load_vectors("hpke-rfc9180-p256-sha256.json")) {
        const bool is_ours = vector.at("mode") == 0 && vector.at("kem_id") == 16 &&
                             vector.at("kdf_id") == 1 && vector.at("aead_id") == 2;
        if (is_ours) {
            EXPECT_EQ(check_encryptions(vector), 12);
            ++suites;
        }
    }
    EXPECT_EQ(suites, 1);
}

TEST(Hpke, OneShotMessageOpensOnlyForItsRecipientInfoAndAssociatedBytes) {
    const HpkeKeyPair recipient = HpkeKeyPair::generate();
    const Bytes message =
        hpke_seal(recipient.point, as_bytes("token"), as_bytes("aad"), as_bytes("share"));
    EXPECT_EQ(message.size(), kHpkeOverhead + 5);
    const auto opened = hpke_open(recipient, as_bytes("token"), as_bytes("aad"), message);
    ASSERT_TRUE(opened.has_value());
    EXPECT_EQ(as_text(opened->reveal()), "share");
    EXPECT_FALSE(hpke_open(recipient, as_bytes("command"), as_bytes("aad"), message).has_value());
    EXPECT_FALSE(hpke_open(recipient, as_bytes("token"), as_bytes("aae"), message).has_value());
    EXPECT_FALSE(
        hpke_open(HpkeKeyPair::generate(), as_bytes("token"), as_bytes("aad"), message).has_value()
    );
    EXPECT_NE(
        message, hpke_seal(recipient.point, as_bytes("token"), as_bytes("aad"), as_bytes("share"))
    );
}

TEST(Hpke, EveryFlippedByteIsRefusedWithoutAnAbort) {
    const HpkeKeyPair recipient = HpkeKeyPair::generate();
    const Bytes message = hpke_seal(recipient.point, {}, {}, as_bytes("share"));
    for (std::size_t i = 0; i < message.size(); ++i) {
        Bytes flipped = message;
        flipped[i] ^= 0x04U;
        const auto opened = hpke_open(recipient, {}, {}, flipped);
        ASSERT_FALSE(opened.has_value()) << i;
        EXPECT_TRUE(
            opened.error().code == (i < kPointSize ? ErrorCode::kKey : ErrorCode::kAuthentication)
        ) << i;
    }
    for (std::size_t size = 0; size < kHpkeOverhead; ++size) {
        EXPECT_EQ(
            hpke_open(recipient, {}, {}, ByteView(message).first(size)).error().code,
            ErrorCode::kLength
        );
    }
}

}  // namespace
}  // namespace pgveil::core
