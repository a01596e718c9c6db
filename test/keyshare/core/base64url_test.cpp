#include "keyshare/core/base64url.hpp"

#include "keyshare/core/random.hpp"

#include <gtest/gtest.h>

#include <array>
#include <utility>

namespace pgveil::core {
namespace {

using Pair = std::pair<std::string_view, std::string_view>;
// RFC 4648 section 10.
constexpr std::array<Pair, 7> kPublished = {{
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
}};

TEST(Base64, PassesThePublishedVectors) {
    for (const auto& [plain, text] : kPublished) {
        EXPECT_EQ(base64_encode(as_bytes(plain)), text);
        EXPECT_EQ(as_text(*base64_decode(text)), plain);
        const auto unpadded = text.substr(0, text.find('='));
        EXPECT_EQ(base64url_encode(as_bytes(plain)), unpadded);
        EXPECT_EQ(as_text(*base64url_decode(unpadded)), plain);
    }
}

TEST(Base64url, UsesItsOwnLastTwoCharacters) {
    const Bytes bytes{0xfb, 0xff, 0xfe};
    EXPECT_EQ(base64url_encode(bytes), "-__-");
    EXPECT_EQ(base64_encode(bytes), "+//+");
    EXPECT_FALSE(base64url_decode("+//+").has_value());
    EXPECT_FALSE(base64_decode("-__-").has_value());
}

TEST(Base64url, RefusesEveryTextButTheCanonicalOne) {
    for (const char* wrong :
         {"Z",
          "Zg==",
          "Zg=",
          "Zm9vYg ",
          " Zg",
          "Zg\n",
          "Zh",
          "Zm9",
          "Zm9vY",
          "Z.",
          "Zm9v\xc3\xa4=="}) {
        const auto decoded = base64url_decode(wrong);
        ASSERT_FALSE(decoded.has_value()) << wrong;
        EXPECT_EQ(decoded.error().code, ErrorCode::kEncoding);
        EXPECT_FALSE(base64url_decode_secret(wrong).has_value()) << wrong;
    }
}

TEST(Base64url, EveryTwoCharacterTextIsRefusedOrRoundTrips) {
    int accepted = 0;
    for (int first = 0; first < 256; ++first) {
        for (int second = 0; second < 256; ++second) {
            const std::string text{static_cast<char>(first), static_cast<char>(second)};
            const auto decoded = base64url_decode(text);
            if (decoded.has_value()) {
                EXPECT_EQ(base64url_encode(*decoded), text);
                ++accepted;
            }
        }
    }
    EXPECT_EQ(accepted, 256);
}

TEST(Base64, RefusesMissingOrWrongPadding) {
    for (const char* wrong :
         {"Zg", "Zg=", "Zg===", "Zm8", "Zm8==", "====", "=", "Z===", "Zh==", "Zm9vYg==Zm9v"}) {
        EXPECT_FALSE(base64_decode(wrong).has_value()) << wrong;
    }
}

TEST(Base64url, SecretFormsAgreeWithThePublicOnes) {
    for (std::size_t size = 0; size < 100; ++size) {
        const SecretBytes secret = random_secret(system_random(), size);
        const SecretBytes text = base64url_encode_secret(secret.reveal());
        EXPECT_EQ(as_text(text.reveal()), base64url_encode(secret.reveal()));
        const auto back = base64url_decode_secret(as_text(text.reveal()));
        ASSERT_TRUE(back.has_value());
        EXPECT_TRUE(equal_in_constant_time(back->reveal(), secret.reveal()));
    }
}

}  // namespace
}  // namespace pgveil::core
