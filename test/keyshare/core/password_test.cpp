#include "keyshare/core/password.hpp"

#include "test/keyshare/core/vectors.hpp"

#include <gtest/gtest.h>

namespace pgveil::core {
namespace {

std::string text_at(const nlohmann::json& object, const char* key) {
    return object.at(key).get<std::string>();
}

TEST(Pbkdf2, PassesThePublishedVectors) {
    int passed = 0;
    const auto vectors = testing::load_vectors("password-hashing.json");
    for (const auto& vector : vectors.at("pbkdf2")) {
        const std::string password = text_at(vector, "password");
        const std::string salt = text_at(vector, "salt");
        const auto derived = pbkdf2_sha256(
            as_bytes(password), as_bytes(salt), vector.at("iterations"), vector.at("size")
        );
        ASSERT_TRUE(derived.has_value());
        EXPECT_EQ(to_hex(derived->reveal()), vector.at("derived"));
        ++passed;
    }
    EXPECT_EQ(passed, 5);
}

TEST(Pbkdf2, RefusesCostsFromAFileThatAreOutOfRange) {
    EXPECT_EQ(pbkdf2_sha256({}, {}, 0, 32).error().code, ErrorCode::kParameter);
    EXPECT_EQ(pbkdf2_sha256({}, {}, 10'000'001, 32).error().code, ErrorCode::kParameter);
    EXPECT_EQ(pbkdf2_sha256({}, {}, 1, 0).error().code, ErrorCode::kParameter);
    EXPECT_EQ(pbkdf2_sha256({}, {}, 1, 1025).error().code, ErrorCode::kParameter);
    EXPECT_TRUE(pbkdf2_sha256({}, {}, 1, 1024).has_value());
}

TEST(Scrypt, PassesThePublishedVectors) {
    int passed = 0;
    const auto vectors = testing::load_vectors("password-hashing.json");
    for (const auto& vector : vectors.at("scrypt")) {
        const std::string password = text_at(vector, "password");
        const std::string salt = text_at(vector, "salt");
        const ScryptCost cost{vector.at("n"), vector.at("r"), vector.at("p")};
        const auto derived = scrypt(as_bytes(password), as_bytes(salt), cost, vector.at("size"));
        ASSERT_TRUE(derived.has_value());
        EXPECT_EQ(to_hex(derived->reveal()), vector.at("derived"));
        ++passed;
    }
    EXPECT_EQ(passed, 3);
}

TEST(Scrypt, RefusesCostsFromAFileThatAreOutOfRange) {
    const auto refused = [](const ScryptCost& cost) {
        const auto derived = scrypt({}, {}, cost, 32);
        return !derived.has_value() && derived.error().code == ErrorCode::kParameter;
    };
    EXPECT_TRUE(refused({.n = 0}));
    EXPECT_TRUE(refused({.n = 1}));
    EXPECT_TRUE(refused({.n = 1000}));
    EXPECT_TRUE(refused({.n = std::uint64_t{1} << 40U}));
    EXPECT_TRUE(refused({.n = 16, .r = 0}));
    EXPECT_TRUE(refused({.n = 16, .r = 0xFFFFFFFF}));
    EXPECT_TRUE(refused({.n = 16, .r = 8, .p = 0}));
    EXPECT_TRUE(refused({.n = 16, .r = 8, .p = 17}));
    EXPECT_FALSE(refused({.n = 16, .r = 8, .p = 1}));
}

}  // namespace
}  // namespace pgveil::core
