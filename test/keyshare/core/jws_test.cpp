#include "keyshare/core/jws.hpp"

#include "keyshare/core/base64url.hpp"

#include <gtest/gtest.h>

namespace pgveil::core {
namespace {

constexpr std::string_view kType = "pgveil-command+jws";

std::string header_of(const SigningKey& key, std::string_view typ = kType) {
    return R"({"alg":"ES256","typ":")" + std::string(typ) + R"(","kid":")" +
           key.verifying_key().point().fingerprint_text() + R"("})";
}

// A compact JWS with a right signature over whatever header is given.
std::string signed_with(const SigningKey& key, std::string_view header) {
    std::string compact =
        base64url_encode(as_bytes(header)) + "." + base64url_encode(as_bytes("payload"));
    return compact + "." + base64url_encode(key.sign(as_bytes(compact)));
}

TEST(Jws, VerifiesWhatItSigned) {
    const SigningKey key = SigningKey::generate();
    const std::string compact = sign_jws(key, kType, as_bytes("payload"));
    const auto payload = verify_jws(key.verifying_key(), kType, compact);
    ASSERT_TRUE(payload.has_value());
    EXPECT_EQ(as_text(*payload), "payload");
    EXPECT_TRUE(verify_jws(key.verifying_key(), kType, sign_jws(key, kType, {})).has_value());
}

TEST(Jws, HasExactlyTheDocumentedHeader) {
    const SigningKey key = SigningKey::generate();
    const std::string compact = sign_jws(key, kType, as_bytes("payload"));
    const auto header = base64url_decode(compact.substr(0, compact.find('.')));
    ASSERT_TRUE(header.has_value());
    EXPECT_EQ(as_text(*header), header_of(key));
    EXPECT_TRUE(verify_jws(key.verifying_key(), kType, signed_with(key, header_of(key))).has_value()
    );
}

TEST(Jws, OfAnotherPurposeOrKeyIsRefusedAndSaysSo) {
    const SigningKey key = SigningKey::generate();
    const SigningKey other = SigningKey::generate();
    const std::string compact = sign_jws(key, kType, as_bytes("payload"));
    const auto wrong_type = verify_jws(key.verifying_key(), "pgveil-receipt+jws", compact);
    ASSERT_FALSE(wrong_type.has_value());
    EXPECT_EQ(wrong_type.error().code, ErrorCode::kAuthentication);
    EXPECT_NE(wrong_type.error().message.find("purpose"), std::string::npos);
    const auto wrong_key = verify_jws(other.verifying_key(), kType, compact);
    ASSERT_FALSE(wrong_key.has_value());
    EXPECT_NE(wrong_key.error().message.find("kid"), std::string::npos);
}

TEST(Jws, ForgedKidDoesNotMakeAForeignSignatureFit) {
    const SigningKey key = SigningKey::generate();
    const SigningKey thief = SigningKey::generate();
    const auto verdict = verify_jws(key.verifying_key(), kType, signed_with(thief, header_of(key)));
    ASSERT_FALSE(verdict.has_value());
    EXPECT_EQ(verdict.error().code, ErrorCode::kAuthentication);
}

TEST(Jws, OtherSpellingsOfTheHeaderAreRefusedEvenWhenSigned) {
    const SigningKey key = SigningKey::generate();
    const std::string kid = key.verifying_key().point().fingerprint_text();
    const std::string typ(kType);
    const std::vector<std::string> headers = {
        R"({"typ":")" + typ + R"(","alg":"ES256","kid":")" + kid + R"("})",
        R"({"alg":"ES256","typ":")" + typ + R"(", "kid":")" + kid + R"("})",
        R"({"alg":"ES256","typ":")" + typ + R"(","kid":")" + kid + R"("} )",
        R"({"alg":"ES256","typ":")" + typ + R"(","kid":")" + kid + R"(","crit":["x"]})",
        R"({"alg":"none","typ":")" + typ + R"(","kid":")" + kid + R"("})",
        R"({"alg":"HS256","typ":")" + typ + R"(","kid":")" + kid + R"("})",
        R"({"alg":"es256","typ":")" + typ + R"(","kid":")" + kid + R"("})",
        R"({"alg":"ES256","typ":"PGVEIL-COMMAND+JWS","kid":")" + kid + R"("})",
        R"({"alg":"ES256","typ":"pgveil\u002dcommand+jws","kid":")" + kid + R"("})",
        R"({"alg":"ES256","typ":"","kid":")" + kid + R"("})",
        R"({"alg":"ES256","typ":")" + typ + R"(","kid":"short"})",
        R"({"alg":"ES256","typ":")" + typ + R"("})",
        R"({"alg":"ES256"})",
        "{}",
        ""};
    for (const std::string& header : headers) {
        const auto verdict = verify_jws(key.verifying_key(), kType, signed_with(key, header));
        ASSERT_FALSE(verdict.has_value()) << header;
        EXPECT_EQ(verdict.error().code, ErrorCode::kEncoding) << header;
    }
}

TEST(Jws, EveryChangedCharacterIsRefused) {
    const SigningKey key = SigningKey::generate();
    const std::string compact = sign_jws(key, kType, as_bytes("payload"));
    for (std::size_t i = 0; i < compact.size(); ++i) {
        for (const char replacement : {'A', 'B', '.', '=', '\n', '\0'}) {
            std::string changed = compact;
            changed[i] = replacement;
            if (changed != compact) {
                EXPECT_FALSE(verify_jws(key.verifying_key(), kType, changed).has_value()) << i;
            }
        }
        EXPECT_FALSE(verify_jws(key.verifying_key(), kType, compact.substr(0, i)).has_value()) << i;
    }
    EXPECT_FALSE(verify_jws(key.verifying_key(), kType, compact + ".").has_value());
    EXPECT_FALSE(verify_jws(key.verifying_key(), kType, compact + "A").has_value());
    EXPECT_FALSE(verify_jws(key.verifying_key(), kType, " " + compact).has_value());
}

TEST(Jws, HashIgnoresTheSignatureWhichIsMalleable) {
    const SigningKey key = SigningKey::generate();
    const std::string first = sign_jws(key, kType, as_bytes("payload"));
    const std::string second = sign_jws(key, kType, as_bytes("payload"));
    ASSERT_NE(first, second);
    EXPECT_EQ(*jws_hash(first), *jws_hash(second));
    EXPECT_EQ(*jws_hash(first), sha256(as_bytes(first.substr(0, first.rfind('.')))));
    EXPECT_NE(*jws_hash(first), *jws_hash(sign_jws(key, kType, as_bytes("other"))));
    EXPECT_FALSE(jws_hash("a.b.c").has_value());
}

TEST(Jws, PartsCanBeReadWithoutBelievingThem) {
    const SigningKey key = SigningKey::generate();
    const std::string compact = sign_jws(key, kType, as_bytes("payload"));
    const auto parts = parse_jws(compact);
    ASSERT_TRUE(parts.has_value());
    EXPECT_EQ(parts->typ, kType);
    EXPECT_EQ(parts->kid, key.verifying_key().point().fingerprint_text());
    EXPECT_EQ(as_text(parts->payload), "payload");
}

TEST(Jws, TypesAreShortAndPlain) {
    EXPECT_TRUE(is_jws_type("a"));
    EXPECT_TRUE(is_jws_type(std::string(64, 'a')));
    EXPECT_FALSE(is_jws_type(std::string(65, 'a')));
    for (const char* wrong : {"", "A", "a b", "a\"", "a/b", "\xc3\xa4"}) {
        EXPECT_FALSE(is_jws_type(wrong)) << wrong;
    }
}

}  // namespace
}  // namespace pgveil::core
