#include "keyshare/tenant/home_file.hpp"

#include "test/keyshare/tenant/enrolled.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pgveil::tenant {

namespace {

using testing::HasSubstr;

HomeKey cheap_key() {
    auto key = HomeKey::fresh(test_passphrase(), kCheapScrypt, core::system_random());
    EXPECT_TRUE(key);
    return std::move(*key);
}

core::Bytes sealed_file() {
    return cheap_key().seal(core::as_bytes("the state"), core::system_random());
}

/// Derives the key from the file itself and opens it.
Result<core::SecretBytes> opened(
    core::ByteView file, std::string_view passphrase = "correct horse"
) {
    const auto key = HomeKey::of_file(test_passphrase(passphrase), file);
    if (!key) {
        return key.error();
    }
    return key->open(file);
}

}  // namespace

TEST(HomeFile, RoundTrips) {
    const auto state = opened(sealed_file());
    ASSERT_TRUE(state) << state.error().message;
    EXPECT_EQ(core::as_text(state->reveal()), "the state");
}

TEST(HomeFile, WrongPassphraseOpensNothing) {
    const auto state = opened(sealed_file(), "correct horsE");
    ASSERT_FALSE(state);
    EXPECT_EQ(state.error().code, user::Exit::kFailed);
    EXPECT_THAT(state.error().message, HasSubstr("passphrase is wrong"));
}

TEST(HomeFile, EveryFlippedByteIsNoticed) {
    const core::Bytes file = sealed_file();
    ASSERT_TRUE(opened(file));
    for (std::size_t at = 0; at < file.size(); ++at) {
        core::Bytes altered = file;
        altered[at] ^= 1U;
        EXPECT_FALSE(opened(altered)) << at;
    }
}

TEST(HomeFile, EveryTruncationIsNoticed) {
    const core::Bytes file = sealed_file();
    for (std::size_t size = 0; size < file.size(); ++size) {
        EXPECT_FALSE(opened(core::ByteView(file).first(size))) << size;
    }
}

TEST(HomeFile, CostOutOfBoundsIsRefused) {
    core::Bytes file = sealed_file();
    constexpr std::size_t kCostAt = 20;
    ASSERT_EQ(file[kCostAt], kCheapScrypt);
    file[kCostAt] = kScryptLogNMax + 1;
    const auto state = opened(file);
    ASSERT_FALSE(state);
    EXPECT_EQ(state.error().code, user::Exit::kUsage);
    EXPECT_FALSE(HomeKey::fresh(test_passphrase(), kScryptLogNMax + 1, core::system_random()));
}

TEST(HomeFile, DefaultCostIsAtLeastTwoToThe17) {
    EXPECT_GE(kScryptLogN, 17U);
}

TEST(HomeFile, OneKeySealsTheSameStateDifferently) {
    const HomeKey key = cheap_key();
    const auto once = key.seal(core::as_bytes("state"), core::system_random());
    EXPECT_NE(once, key.seal(core::as_bytes("state"), core::system_random()));
}

}  // namespace pgveil::tenant
