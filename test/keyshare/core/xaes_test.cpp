#include "keyshare/core/xaes.hpp"

#include "test/keyshare/core/vectors.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <algorithm>
#include <set>

namespace pgveil::core {
namespace {

using testing::bytes_at;

XaesNonce nonce_of(ByteView bytes) {
    XaesNonce nonce{};
    std::copy(bytes.begin(), bytes.end(), nonce.begin());
    return nonce;
}

// SHAKE-128 as the endless stream of the specification. OpenSSL 3.0 squeezes only once, so the
// whole is made at once.
Bytes shake128(ByteView input, std::size_t size) {
    Bytes out(size);
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    EXPECT_EQ(EVP_DigestInit_ex(context, EVP_shake128(), nullptr), 1);
    EXPECT_EQ(EVP_DigestUpdate(context, input.data(), input.size()), 1);
    EXPECT_EQ(EVP_DigestFinalXOF(context, out.data(), out.size()), 1);
    EVP_MD_CTX_free(context);
    return out;
}

class Stream {
public:
    explicit Stream(std::size_t size) : bytes_(shake128({}, size)) {}

    ByteView take(std::size_t size) {
        at_ += size;
        return ByteView(bytes_).subspan(at_ - size, size);
    }

    ByteView take_vector() { return take(take(1)[0]); }

private:
    Bytes bytes_;
    std::size_t at_ = 0;
};

std::string name_of_library(const ::testing::TestParamInfo<AesLibrary>& tried) {
    return tried.param == AesLibrary::kNettle ? "nettle" : "libcrypto";
}

class Xaes256GcmOf : public ::testing::TestWithParam<AesLibrary> {};

INSTANTIATE_TEST_SUITE_P(
    Both,
    Xaes256GcmOf,
    ::testing::Values(AesLibrary::kNettle, AesLibrary::kLibcrypto),
    name_of_library
);

TEST_P(Xaes256GcmOf, PassesThePublishedVectors) {
    int passed = 0;
    const auto vectors = testing::load_vectors("xaes-256-gcm.json");
    for (const auto& vector : vectors.at("vectors")) {
        Xaes256Gcm xaes(bytes_at(vector, "key"), GetParam());
        const Bytes nonce = bytes_at(vector, "nonce");
        const Bytes associated = bytes_at(vector, "aad");
        const Bytes plaintext = bytes_at(vector, "plaintext");
        const Bytes sealed = xaes.seal(nonce_of(nonce), associated, plaintext);
        EXPECT_EQ(to_hex(sealed), vector.at("ciphertext"));
        const auto opened = xaes.open(nonce, associated, sealed);
        ASSERT_TRUE(opened.has_value());
        EXPECT_EQ(to_bytes(opened->reveal()), plaintext);
        ++passed;
    }
    EXPECT_EQ(passed, 2);
}

TEST_P(Xaes256GcmOf, PassesTheAccumulatedTest) {
    const nlohmann::json accumulated = testing::load_vectors("xaes-256-gcm.json").at("accumulated");
    const int iterations = accumulated.at("iterations");
    Stream stream(static_cast<std::size_t>(iterations) * (32 + 24 + 2 * 256));
    EXPECT_EQ(to_hex(Stream(16).take(16)), accumulated.at("rng_start"));
    Bytes all;
    for (int i = 0; i < iterations; ++i) {
        const ByteView key = stream.take(32);
        const XaesNonce nonce = nonce_of(stream.take(24));
        const ByteView plaintext = stream.take_vector();
        const ByteView associated = stream.take_vector();
        Xaes256Gcm xaes(key, GetParam());
        const Bytes sealed = xaes.seal(nonce, associated, plaintext);
        const auto opened = xaes.open(nonce, associated, sealed);
        ASSERT_TRUE(opened.has_value() && std::ranges::equal(opened->reveal(), plaintext));
        append(all, sealed);
    }
    EXPECT_EQ(to_hex(shake128(all, 32)), accumulated.at("hash"));
}

TEST(Xaes256Gcm, ReusedDerivedKeyGivesTheSameBytesAsAFreshObject) {
    const Bytes key(32, 7);
    Xaes256Gcm reused(key);
    XaesNonce nonce{};
    for (int i = 0; i < 50; ++i) {
        nonce[0] = static_cast<std::uint8_t>(i / 5);
        nonce[23] = static_cast<std::uint8_t>(i);
        const Bytes plaintext(static_cast<std::size_t>(i), 9);
        EXPECT_EQ(reused.seal(nonce, {}, plaintext), Xaes256Gcm(key).seal(nonce, {}, plaintext));
    }
}

TEST(Xaes256Gcm, AllZeroPrefixOfAFreshObjectIsDerivedToo) {
    const XaesNonce zeros{};
    Xaes256Gcm other_prefix_first(Bytes(32, 7));
    XaesNonce ones{};
    ones.fill(1);
    static_cast<void>(other_prefix_first.seal(ones, {}, {}));
    EXPECT_EQ(Xaes256Gcm(Bytes(32, 7)).seal(zeros, {}, {}), other_prefix_first.seal(zeros, {}, {}));
}

TEST(XaesSealed, OpensOnlyUntouchedAndInItsPlace) {
    const Bytes key(32, 1);
    const Bytes place{1, 2, 3};
    const Bytes sealed = xaes_seal(key, place, as_bytes("secret"), system_random());
    ASSERT_TRUE(xaes_open(key, place, sealed).has_value());
    EXPECT_EQ(as_text(xaes_open(key, place, sealed)->reveal()), "secret");
    for (std::size_t i = 0; i < sealed.size(); ++i) {
        Bytes flipped = sealed;
        flipped[i] ^= 1U;
        EXPECT_EQ(xaes_open(key, place, flipped).error().code, ErrorCode::kAuthentication) << i;
    }
    EXPECT_FALSE(xaes_open(key, Bytes{1, 2, 4}, sealed).has_value());
    EXPECT_FALSE(xaes_open(Bytes(32, 2), place, sealed).has_value());
    EXPECT_EQ(xaes_open(key, place, ByteView(sealed).first(39)).error().code, ErrorCode::kLength);
}

TEST(XaesNonces, KeepThePrefixForTheStatedNumberOfValues) {
    XaesNonces nonces;
    BatchedRandom random;
    std::set<Bytes> prefixes;
    std::set<XaesNonce> all;
    for (std::uint32_t i = 0; i < XaesNonces::kValuesPerPrefix; ++i) {
        const XaesNonce nonce = nonces.next(random);
        prefixes.insert(Bytes(nonce.begin(), nonce.begin() + 12));
        all.insert(nonce);
    }
    EXPECT_EQ(prefixes.size(), 1U);
    EXPECT_EQ(all.size(), XaesNonces::kValuesPerPrefix);
    const XaesNonce next = nonces.next(random);
    EXPECT_FALSE(prefixes.contains(Bytes(next.begin(), next.begin() + 12)));
}

}  // namespace
}  // namespace pgveil::core
