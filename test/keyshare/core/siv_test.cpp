#include "keyshare/core/siv.hpp"

#include "test/keyshare/core/vectors.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <string>
#include <vector>

namespace pgveil::core {
namespace {

using testing::bytes_at;

struct Count {
    int valid = 0;
    int invalid = 0;
    int empty = 0;
};

std::string name_of_cmac(const ::testing::TestParamInfo<AesLibrary>& tried) {
    return tried.param == AesLibrary::kNettle ? "nettle" : "libcrypto";
}

class AesSivOf : public ::testing::TestWithParam<AesLibrary> {};

INSTANTIATE_TEST_SUITE_P(
    Both, AesSivOf, ::testing::Values(AesLibrary::kNettle, AesLibrary::kLibcrypto), name_of_cmac
);

void check_case(AesLibrary library, const nlohmann::json& test, Count& count) {
    SCOPED_TRACE(test.at("tcId").dump());
    AesSiv siv(bytes_at(test, "key"), library);
    const Bytes associated = bytes_at(test, "aad");
    const Bytes message = bytes_at(test, "msg");
    const Bytes sealed = bytes_at(test, "ct");
    const auto opened = siv.open({associated}, sealed);
    if (test.at("result") == "valid") {
        ++count.valid;
        count.empty += message.empty() ? 1 : 0;
        EXPECT_EQ(siv.seal({associated}, message), sealed);
        ASSERT_TRUE(opened.has_value());
        EXPECT_EQ(to_bytes(opened->reveal()), message);
    } else {
        ++count.invalid;
        ASSERT_FALSE(opened.has_value());
        EXPECT_EQ(opened.error().code, ErrorCode::kAuthentication);
    }
}

TEST_P(AesSivOf, PassesEveryWycheproofCaseOfItsKeySize) {
    Count count;
    const auto vectors = testing::load_vectors("wycheproof-aes_siv_cmac_test.json");
    for (const auto& group : vectors.at("testGroups")) {
        if (group.at("keySize") == 512) {
            for (const auto& test : group.at("tests")) {
                check_case(GetParam(), test, count);
            }
        }
    }
    EXPECT_EQ(count.valid, 39);
    EXPECT_EQ(count.invalid, 108);
    EXPECT_EQ(count.empty, 6);
}

// libcrypto's own AES-SIV, which is right for everything but the empty plaintext.
Bytes libcrypto_siv(ByteView key, const std::vector<ByteView>& components, ByteView plaintext) {
    EVP_CIPHER* cipher = EVP_CIPHER_fetch(nullptr, "AES-256-SIV", nullptr);
    EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
    EXPECT_EQ(EVP_EncryptInit_ex(context, cipher, nullptr, key.data(), nullptr), 1);
    int written = 0;
    for (const ByteView component : components) {
        const auto size = static_cast<int>(component.size());
        EXPECT_EQ(EVP_EncryptUpdate(context, nullptr, &written, component.data(), size), 1);
    }
    Bytes out(kSivSize + plaintext.size());
    const auto size = static_cast<int>(plaintext.size());
    EXPECT_EQ(
        EVP_EncryptUpdate(context, out.data() + kSivSize, &written, plaintext.data(), size), 1
    );
    EXPECT_EQ(EVP_EncryptFinal_ex(context, out.data() + kSivSize, &written), 1);
    EXPECT_EQ(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, kSivSize, out.data()), 1);
    EVP_CIPHER_CTX_free(context);
    EVP_CIPHER_free(cipher);
    return out;
}

TEST_P(AesSivOf, AgreesWithLibcryptoForSeveralComponentsAndLengths) {
    Bytes key(kSivKeySize);
    for (std::size_t i = 0; i < key.size(); ++i) {
        key[i] = static_cast<std::uint8_t>(i * 7 + 1);
    }
    const std::vector<Bytes> parts = {Bytes(3, 1), Bytes(16, 2), Bytes(33, 3), Bytes(1, 4)};
    AesSiv siv(key, GetParam());
    for (std::size_t count = 0; count <= parts.size(); ++count) {
        const std::vector<ByteView> components(
            parts.begin(), parts.begin() + static_cast<std::ptrdiff_t>(count)
        );
        for (std::size_t size = 1; size < 70; ++size) {
            const Bytes plaintext(size, static_cast<std::uint8_t>(size));
            const Bytes sealed = siv.seal(AesSiv::Components(components), plaintext);
            EXPECT_EQ(sealed, libcrypto_siv(key, components, plaintext)) << count << ' ' << size;
            EXPECT_TRUE(siv.open(AesSiv::Components(components), sealed).has_value());
        }
    }
}

TEST(AesSiv, NumberAndOrderOfComponentsCount) {
    AesSiv siv(Bytes(64, 9));
    const Bytes one{1};
    const Bytes two{2};
    const Bytes both{1, 2};
    const Bytes sealed = siv.seal({one, two}, as_bytes("value"));
    EXPECT_TRUE(siv.open({one, two}, sealed).has_value());
    EXPECT_FALSE(siv.open({two, one}, sealed).has_value());
    EXPECT_FALSE(siv.open({both}, sealed).has_value());
    EXPECT_FALSE(siv.open({one, two, ByteView{}}, sealed).has_value());
    EXPECT_FALSE(siv.open({one}, sealed).has_value());
}

TEST(AesSiv, IsDeterministicAndRefusesEveryFlippedBit) {
    AesSiv siv(Bytes(64, 9));
    for (const std::size_t size : {0U, 1U, 15U, 16U, 17U, 40U}) {
        const Bytes plaintext(size, 5);
        const Bytes sealed = siv.seal({as_bytes("place")}, plaintext);
        EXPECT_EQ(sealed, AesSiv(Bytes(64, 9)).seal({as_bytes("place")}, plaintext));
        for (std::size_t i = 0; i < sealed.size(); ++i) {
            Bytes flipped = sealed;
            flipped[i] ^= 0x80U;
            EXPECT_FALSE(siv.open({as_bytes("place")}, flipped).has_value()) << size << ' ' << i;
        }
    }
    EXPECT_FALSE(siv.open({}, Bytes(15)).has_value());
    EXPECT_FALSE(siv.open({}, {}).has_value());
}

}  // namespace
}  // namespace pgveil::core
