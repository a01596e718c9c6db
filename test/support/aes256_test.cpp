#include "test/support/aes256.hpp"

#include "keyshare/core/gcm.hpp"
#include "keyshare/core/random.hpp"
#include "keyshare/core/xaes.hpp"

#include <gtest/gtest.h>

namespace pgveil::support {
namespace {

core::Bytes unhex(std::string_view hex) {
    auto bytes = core::from_hex(hex);
    EXPECT_TRUE(bytes.has_value());
    return bytes.has_value() ? *bytes : core::Bytes();
}

// FIPS 197 appendix A.3.
TEST(Aes256, ExpandsThePublishedKey) {
    const auto keys =
        expand_key(unhex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4"));
    EXPECT_EQ(core::to_hex(keys[0]), "603deb1015ca71be2b73aef0857d7781");
    EXPECT_EQ(core::to_hex(keys[2]), "9ba354118e6925afa51a8b5f2067fcde");
    EXPECT_EQ(core::to_hex(keys[14]), "fe4890d1e6188d0b046df344706c631e");
}

// FIPS 197 appendix C.3.
TEST(Aes256, EncryptsThePublishedBlock) {
    const auto keys =
        expand_key(unhex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"));
    AesBlock block{};
    for (std::size_t at = 0; at < block.size(); ++at) {
        block.at(at) = static_cast<std::uint8_t>(at * 0x11);
    }
    EXPECT_EQ(core::to_hex(encrypt(keys, block)), "8ea2b7ca516745bfeafc49904b496089");
}

TEST(XaesDerivedKey, IsTheKeyThatXaesHandsToGcm) {
    for (int round = 0; round < 20; ++round) {
        const auto key =
            core::random_secret<core::Secret<struct TestKeyRole>>(core::system_random());
        core::XaesNonce nonce{};
        core::system_random().fill(nonce);
        const core::ByteView all(nonce);
        const core::Bytes sealed =
            core::Xaes256Gcm(key.reveal()).seal(nonce, {}, core::as_bytes("a value"));
        const auto derived = xaes_derived_key(key.reveal(), all);
        const core::Bytes expected = core::Aes256Gcm(derived).seal(
            all.subspan(core::kXaesPrefixSize), {}, core::as_bytes("a value")
        );
        EXPECT_EQ(sealed, expected);
    }
}

}  // namespace
}  // namespace pgveil::support
