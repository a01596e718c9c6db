#include "keyshare/core/hash.hpp"

#include "keyshare/core/hkdf.hpp"
#include "keyshare/core/hmac.hpp"
#include "test/keyshare/core/vectors.hpp"

#include <gtest/gtest.h>

namespace pgveil::core {
namespace {

using testing::bytes_at;

TEST(Sha256, PassesTheExamplesOfFips180) {
    EXPECT_EQ(
        to_hex(sha256(as_bytes("abc"))),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
    EXPECT_EQ(
        to_hex(sha256(ByteView{})),
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    );
    EXPECT_EQ(
        to_hex(sha256(as_bytes("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"))),
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    );
}

TEST(Sha256, PartsAndSecretFormGiveTheSameDigest) {
    EXPECT_EQ(sha256({as_bytes("a"), ByteView{}, as_bytes("bc")}), sha256(as_bytes("abc")));
    EXPECT_EQ(to_hex(secret_sha256(as_bytes("abc")).reveal()), to_hex(sha256(as_bytes("abc"))));
}

TEST(HmacSha256, PassesEveryWycheproofCase) {
    int valid = 0;
    int invalid = 0;
    const auto vectors = testing::load_vectors("wycheproof-hmac_sha256_test.json");
    for (const auto& group : vectors.at("testGroups")) {
        for (const auto& test : group.at("tests")) {
            const auto full = hmac_sha256(bytes_at(test, "key"), bytes_at(test, "msg"));
            const Bytes tag = bytes_at(test, "tag");
            const bool fits = equal_in_constant_time(ByteView(full).first(tag.size()), tag);
            EXPECT_EQ(fits, test.at("result") == "valid") << test.at("tcId");
            EXPECT_EQ(
                to_hex(secret_hmac_sha256(bytes_at(test, "key"), bytes_at(test, "msg")).reveal()),
                to_hex(full)
            );
            ++(test.at("result") == "valid" ? valid : invalid);
        }
    }
    EXPECT_EQ(valid, 66);
    EXPECT_EQ(invalid, 108);
}

TEST(HmacSha256, TakesAnEmptyKey) {
    EXPECT_EQ(
        to_hex(hmac_sha256({}, {})),
        "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"
    );
}

TEST(HkdfSha256, PassesEveryWycheproofCase) {
    int valid = 0;
    int too_large = 0;
    const auto vectors = testing::load_vectors("wycheproof-hkdf_sha256_test.json");
    for (const auto& group : vectors.at("testGroups")) {
        for (const auto& test : group.at("tests")) {
            const std::size_t size = test.at("size");
            if (test.at("result") == "invalid") {
                EXPECT_GT(size, kHkdfMaxSize);
                ++too_large;
                continue;
            }
            const auto derived = hkdf_sha256(
                bytes_at(test, "ikm"), bytes_at(test, "salt"), bytes_at(test, "info"), size
            );
            EXPECT_EQ(to_hex(derived.reveal()), test.at("okm")) << test.at("tcId");
            ++valid;
        }
    }
    EXPECT_EQ(valid, 83);
    EXPECT_EQ(too_large, 3);
}

TEST(HkdfSha256DeathTest, EndsTheProcessWhenAskedForMoreThanTheRfcAllows) {
    EXPECT_DEATH(static_cast<void>(hkdf_sha256({}, {}, kHkdfMaxSize + 1)), "1 to 8160 bytes");
    EXPECT_DEATH(static_cast<void>(hkdf_sha256({}, {}, 0)), "1 to 8160 bytes");
}

TEST(HkdfSha256, OneExtractionServesSeveralKeys) {
    const Bytes key(32, 3);
    const ExtractedKey extracted(key);
    for (const std::size_t size : {32U, 64U, 100U}) {
        for (const std::string_view info : {"one", "other", ""}) {
            EXPECT_EQ(
                to_hex(extracted.expand(as_bytes(info), size).reveal()),
                to_hex(hkdf_sha256(key, as_bytes(info), size).reveal())
            );
        }
    }
}

TEST(HkdfSha256, DerivedRolesAreTheSameBytes) {
    using Key = Secret<struct SomeRole, 64>;
    const Bytes key(32, 3);
    EXPECT_EQ(
        to_hex(derive<Key>(key, as_bytes("info")).reveal()),
        to_hex(hkdf_sha256(key, as_bytes("info"), 64).reveal())
    );
}

}  // namespace
}  // namespace pgveil::core
