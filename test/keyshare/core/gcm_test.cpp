#include "keyshare/core/gcm.hpp"

#include "test/keyshare/core/vectors.hpp"

#include <gtest/gtest.h>

#include <array>

namespace pgveil::core {
namespace {

using testing::bytes_at;

struct Count {
    int valid = 0;
    int invalid = 0;
};

class Aes256GcmOf : public ::testing::TestWithParam<AesLibrary> {};

std::string library_name(const ::testing::TestParamInfo<AesLibrary>& info) {
    return info.param == AesLibrary::kNettle ? "nettle" : "libcrypto";
}

INSTANTIATE_TEST_SUITE_P(
    Both, Aes256GcmOf, ::testing::Values(AesLibrary::kNettle, AesLibrary::kLibcrypto), library_name
);

void check_case(AesLibrary library, const nlohmann::json& test, Count& count) {
    SCOPED_TRACE(test.at("tcId").dump());
    Aes256Gcm gcm(bytes_at(test, "key"), library);
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

TEST_P(Aes256GcmOf, PassesEveryWycheproofCaseOfItsSizes) {
    Count count;
    const auto vectors = testing::load_vectors("wycheproof-aes_gcm_test.json");
    for (const auto& group : vectors.at("testGroups")) {
        if (group.at("keySize") == 256 && group.at("ivSize") == 96 && group.at("tagSize") == 128) {
            for (const auto& test : group.at("tests")) {
                check_case(GetParam(), test, count);
            }
        }
    }
    EXPECT_EQ(count.valid, 39);
    EXPECT_EQ(count.invalid, 27);
}

TEST_P(Aes256GcmOf, RefusesNoncesOfOtherSizes) {
    int refused = 0;
    const auto vectors = testing::load_vectors("wycheproof-aes_gcm_test.json");
    for (const auto& group : vectors.at("testGroups")) {
        if (group.at("keySize") != 256 || group.at("ivSize") == 96) {
            continue;
        }
        for (const auto& test : group.at("tests")) {
            Bytes sealed = bytes_at(test, "ct");
            append(sealed, bytes_at(test, "tag"));
            Aes256Gcm gcm(bytes_at(test, "key"), GetParam());
            EXPECT_FALSE(gcm.open(bytes_at(test, "iv"), bytes_at(test, "aad"), sealed).has_value());
            ++refused;
        }
    }
    EXPECT_EQ(refused, 39);
}

TEST_P(Aes256GcmOf, RekeyedContextIsThatOfTheOtherKey) {
    const Bytes first(32, 1);
    const Bytes second(32, 2);
    const Bytes nonce(12, 3);
    const Bytes text(100, 4);
    Aes256Gcm gcm(first, GetParam());
    const Bytes under_first = gcm.seal(nonce, {}, text);
    gcm.rekey(second);
    EXPECT_NE(gcm.seal(nonce, {}, text), under_first);
    EXPECT_EQ(gcm.seal(nonce, {}, text), Aes256Gcm(second, GetParam()).seal(nonce, {}, text));
    EXPECT_FALSE(gcm.open(nonce, {}, under_first).has_value());
    gcm.rekey(first);
    EXPECT_TRUE(gcm.open(nonce, {}, under_first).has_value());
}

TEST_P(Aes256GcmOf, RefusesWhatIsShorterThanATag) {
    Aes256Gcm gcm(Bytes(32, 1), GetParam());
    EXPECT_FALSE(gcm.open(Bytes(12), {}, {}).has_value());
    EXPECT_FALSE(gcm.open(Bytes(12), {}, Bytes(15)).has_value());
}

TEST_P(Aes256GcmOf, ShowsNothingOfWhatItRefuses) {
    Aes256Gcm gcm(Bytes(32, 1), GetParam());
    const Bytes nonce(12, 2);
    Bytes sealed = gcm.seal(nonce, {}, Bytes(60, 3));
    Bytes out(60, 4);
    ASSERT_TRUE(gcm.open_into(nonce, {}, sealed, out));
    EXPECT_EQ(out, Bytes(60, 3));
    sealed.back() ^= 1U;
    ASSERT_FALSE(gcm.open_into(nonce, {}, sealed, out));
    EXPECT_EQ(out, Bytes(60, 0));
}

TEST(Aes256Gcm, OfBothLibrariesIsTheSameForEverySize) {
    Aes256Gcm nettle(Bytes(32, 1), AesLibrary::kNettle);
    Aes256Gcm libcrypto(Bytes(32, 1), AesLibrary::kLibcrypto);
    for (std::size_t size = 0; size < 300; ++size) {
        const Bytes nonce(12, static_cast<std::uint8_t>(size));
        const Bytes associated(size / 3, 2);
        const Bytes text(size, 3);
        const Bytes sealed = nettle.seal(nonce, associated, text);
        ASSERT_EQ(sealed, libcrypto.seal(nonce, associated, text)) << size;
        const auto opened = nettle.open(nonce, associated, sealed);
        ASSERT_TRUE(opened.has_value()) << size;
        ASSERT_EQ(to_bytes(opened->reveal()), text) << size;
    }
}

TEST(Aes256Gcm, OfBothLibrariesIsTheSameWhateverAssociatedDataCameBefore) {
    Aes256Gcm nettle(Bytes(32, 1), AesLibrary::kNettle);
    Aes256Gcm libcrypto(Bytes(32, 1), AesLibrary::kLibcrypto);
    const std::array<Bytes, 7> associated = {
        Bytes(77, 1),
        Bytes(77, 2),
        Bytes(),
        Bytes(1, 1),
        Bytes(256, 1),
        Bytes(257, 1),
        Bytes(76, 1)};
    std::uint8_t number = 0;
    for (const Bytes& first : associated) {
        for (const Bytes& second : associated) {
            const Bytes nonce(12, ++number);
            for (const Bytes& data : {first, second, second, first}) {
                const Bytes sealed = nettle.seal(nonce, data, Bytes(20, 3));
                ASSERT_EQ(sealed, libcrypto.seal(nonce, data, Bytes(20, 3)));
                ASSERT_TRUE(nettle.open(nonce, data, sealed).has_value());
            }
            const Bytes sealed = libcrypto.seal(nonce, first, Bytes(20, 3));
            ASSERT_EQ(nettle.open(nonce, second, sealed).has_value(), first == second);
            nettle.rekey(Bytes(32, number));
            libcrypto.rekey(Bytes(32, number));
            ASSERT_EQ(
                nettle.seal(nonce, second, Bytes(20, 3)),
                libcrypto.seal(nonce, second, Bytes(20, 3))
            );
        }
    }
}

}  // namespace
}  // namespace pgveil::core
