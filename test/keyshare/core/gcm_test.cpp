#include "keyshare/core/gcm.hpp"

#include "test/keyshare/core/vectors.hpp"

#include <gtest/gtest.h>

namespace pgveil::core {
namespace {

using testing::bytes_at;

struct Count {
    int valid = 0;
    int invalid = 0;
};

void check_case(const nlohmann::json& test, Count& count) {
    SCOPED_TRACE(test.at("tcId").dump());
    Aes256Gcm gcm(bytes_at(test, "key"));
    const Bytes nonce = bytes_at(test, "iv");
    const Bytes associated = bytes_at(test, "aad");
    const Bytes message = bytes_at(test, "msg");
    Bytes sealed = bytes_at(test, "ct");
    append(sealed, bytes_at(test, "tag"));
    const auto opened = gcm.open(nonce, associated, sealed);
    if (test.at("result") == "valid") {
        ++count.valid;
        EXPECT_EQ(gcm.seal(nonce, associated, message), sealed);
        ASSERT_TRUE(opened.has_value());
        EXPECT_EQ(to_bytes(opened->reveal()), message);
    } else {
        ++count.invalid;
        ASSERT_FALSE(opened.has_value());
        EXPECT_EQ(opened.error().code, ErrorCode::kAuthentication);
    }
}

TEST(Aes256Gcm, PassesEveryWycheproofCaseOfItsSizes) {
    Count count;
    const auto vectors = testing::load_vectors("wycheproof-aes_gcm_test.json");
    for (const auto& group : vectors.at("testGroups")) {
        if (group.at("keySize") == 256 && group.at("ivSize") == 96 && group.at("tagSize") == 128) {
            for (const auto& test : group.at("tests")) {
                check_case(test, count);
            }
        }
    }
    EXPECT_EQ(count.valid, 39);
    EXPECT_EQ(count.invalid, 27);
}

TEST(Aes256Gcm, RefusesNoncesOfOtherSizes) {
    int refused = 0;
    const auto vectors = testing::load_vectors("wycheproof-aes_gcm_test.json");
    for (const auto& group : vectors.at("testGroups")) {
        if (group.at("keySize") != 256 || group.at("ivSize") == 96) {
            continue;
        }
        for (const auto& test : group.at("tests")) {
            Bytes sealed = bytes_at(test, "ct");
            append(sealed, bytes_at(test, "tag"));
            Aes256Gcm gcm(bytes_at(test, "key"));
            EXPECT_FALSE(gcm.open(bytes_at(test, "iv"), bytes_at(test, "aad"), sealed).has_value());
            ++refused;
        }
    }
    EXPECT_EQ(refused, 39);
}

TEST(Aes256Gcm, RekeyedContextIsThatOfTheOtherKey) {
    const Bytes first(32, 1);
    const Bytes second(32, 2);
    const Bytes nonce(12, 3);
    const Bytes text(100, 4);
    Aes256Gcm gcm(first);
    const Bytes under_first = gcm.seal(nonce, {}, text);
    gcm.rekey(second);
    EXPECT_NE(gcm.seal(nonce, {}, text), under_first);
    EXPECT_EQ(gcm.seal(nonce, {}, text), Aes256Gcm(second).seal(nonce, {}, text));
    EXPECT_FALSE(gcm.open(nonce, {}, under_first).has_value());
    gcm.rekey(first);
    EXPECT_TRUE(gcm.open(nonce, {}, under_first).has_value());
}

TEST(Aes256Gcm, RefusesWhatIsShorterThanATag) {
    Aes256Gcm gcm(Bytes(32, 1));
    EXPECT_FALSE(gcm.open(Bytes(12), {}, {}).has_value());
    EXPECT_FALSE(gcm.open(Bytes(12), {}, Bytes(15)).has_value());
}

}  // namespace
}  // namespace pgveil::core
