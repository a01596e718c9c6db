#include "keyshare/core/p256.hpp"

#include "keyshare/core/base64url.hpp"
#include "test/keyshare/core/vectors.hpp"

#include <gtest/gtest.h>

namespace pgveil::core {
namespace {

using testing::bytes_at;
using testing::padded_to;

constexpr std::string_view kOrder =
    "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";

Scalar scalar_of(const Bytes& bytes) {
    auto scalar = Scalar::from(padded_to(kScalarSize, bytes));
    EXPECT_TRUE(scalar.has_value());
    return *std::move(scalar);
}

TEST(Ecdh, PassesEveryWycheproofCaseAndRefusesInvalidPoints) {
    int valid = 0;
    int refused = 0;
    const auto vectors = testing::load_vectors("wycheproof-ecdh_secp256r1_ecpoint_test.json");
    for (const auto& group : vectors.at("testGroups")) {
        for (const auto& test : group.at("tests")) {
            SCOPED_TRACE(test.at("tcId").dump());
            const auto point = PublicPoint::parse(bytes_at(test, "public"));
            if (test.at("result") != "valid") {
                ASSERT_FALSE(point.has_value());
                EXPECT_EQ(point.error().code, ErrorCode::kKey);
                ++refused;
                continue;
            }
            ASSERT_TRUE(point.has_value());
            const auto shared = ecdh_x(scalar_of(bytes_at(test, "private")), *point);
            ASSERT_TRUE(shared.has_value());
            EXPECT_EQ(to_hex(shared->reveal()), test.at("shared"));
            ++valid;
        }
    }
    EXPECT_EQ(valid, 330);
    // 24 invalid ones and the one "acceptable" compressed point: keys have one form here.
    EXPECT_EQ(refused, 25);
}

TEST(Es256, PassesEveryWycheproofCase) {
    int valid = 0;
    int invalid = 0;
    const auto vectors = testing::load_vectors("wycheproof-ecdsa_secp256r1_sha256_p1363_test.json");
    for (const auto& group : vectors.at("testGroups")) {
        const auto key = VerifyingKey::parse(bytes_at(group.at("publicKey"), "uncompressed"));
        ASSERT_TRUE(key.has_value());
        for (const auto& test : group.at("tests")) {
            const bool fits = key->verify(bytes_at(test, "msg"), bytes_at(test, "sig"));
            EXPECT_EQ(fits, test.at("result") == "valid") << test.at("tcId");
            ++(test.at("result") == "valid" ? valid : invalid);
        }
    }
    EXPECT_EQ(valid, 173);
    EXPECT_EQ(invalid, 89);
}

TEST(Es256, VerifiesTheExampleOfRfc7515) {
    Bytes point{4};
    append(point, *base64url_decode("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"));
    append(point, *base64url_decode("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"));
    const auto key = VerifyingKey::parse(point);
    ASSERT_TRUE(key.has_value());
    const std::string_view input =
        "eyJhbGciOiJFUzI1NiJ9."
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0"
        "cnVlfQ";
    const auto signature = base64url_decode(
        "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
    );
    ASSERT_TRUE(signature.has_value());
    EXPECT_TRUE(key->verify(as_bytes(input), *signature));
    EXPECT_FALSE(key->verify(as_bytes(input.substr(1)), *signature));
}

TEST(Es256, SignsWhatItVerifiesAndNothingElse) {
    const SigningKey key = SigningKey::generate();
    const SigningKey other = SigningKey::generate();
    const auto signature = key.sign(as_bytes("message"));
    EXPECT_TRUE(key.verifying_key().verify(as_bytes("message"), signature));
    EXPECT_FALSE(key.verifying_key().verify(as_bytes("massage"), signature));
    EXPECT_FALSE(other.verifying_key().verify(as_bytes("message"), signature));
    for (std::size_t i = 0; i < signature.size(); ++i) {
        auto flipped = signature;
        flipped.at(i) ^= 1U;
        EXPECT_FALSE(key.verifying_key().verify(as_bytes("message"), flipped)) << i;
    }
    EXPECT_FALSE(key.verifying_key().verify(as_bytes("message"), ByteView(signature).first(63)));
    EXPECT_FALSE(key.verifying_key().verify(as_bytes("message"), {}));
    EXPECT_TRUE(key.verifying_key().verify({}, key.sign({})));
}

TEST(Es256, StoredScalarGivesTheSameKeyAgain) {
    const SigningKey key = SigningKey::generate();
    const auto again = SigningKey::from_scalar(key.scalar());
    ASSERT_TRUE(again.has_value());
    EXPECT_EQ(again->verifying_key().point(), key.verifying_key().point());
    EXPECT_TRUE(key.verifying_key().verify(as_bytes("m"), again->sign(as_bytes("m"))));
}

TEST(Scalars, OutOfRangeAreRefusedEverywhere) {
    const PublicPoint some_point = SigningKey::generate().verifying_key().point();
    Bytes above = *from_hex(kOrder);
    above.back() += 1;
    for (const Bytes& wrong : {Bytes(32, 0), *from_hex(kOrder), above, Bytes(32, 0xff)}) {
        const Scalar scalar = scalar_of(wrong);
        EXPECT_EQ(PublicPoint::of_scalar(scalar).error().code, ErrorCode::kKey);
        EXPECT_EQ(SigningKey::from_scalar(scalar).error().code, ErrorCode::kKey);
        EXPECT_EQ(ecdh_x(scalar, some_point).error().code, ErrorCode::kKey);
    }
    Bytes highest = *from_hex(kOrder);
    highest.back() -= 1;
    EXPECT_TRUE(PublicPoint::of_scalar(scalar_of(highest)).has_value());
    EXPECT_TRUE(PublicPoint::of_scalar(scalar_of(Bytes{1})).has_value());
}

TEST(PublicPoints, HaveOneTextAndOneFingerprint) {
    const SigningKey key = SigningKey::generate();
    const PublicPoint& point = key.verifying_key().point();
    EXPECT_EQ(point.text().size(), 87U);
    EXPECT_EQ(point.fingerprint_text().size(), 43U);
    EXPECT_EQ(*PublicPoint::from_text(point.text()), point);
    EXPECT_EQ(point.fingerprint(), sha256(point.bytes()));
    EXPECT_FALSE(PublicPoint::from_text(point.text() + "=").has_value());
    EXPECT_FALSE(PublicPoint::from_text("").has_value());
}

TEST(PublicPoints, OfTheBasePointIsThePublishedOne) {
    EXPECT_EQ(
        to_hex(PublicPoint::of_scalar(scalar_of(Bytes{1}))->bytes()),
        "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
        "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
    );
}

TEST(PublicPoints, OtherEncodingsOfAValidPointAreRefused) {
    const PublicPoint point = SigningKey::generate().verifying_key().point();
    Bytes bytes = to_bytes(point.bytes());
    EXPECT_TRUE(PublicPoint::parse(bytes).has_value());
    for (const std::uint8_t form : Bytes{0x00, 0x02, 0x03, 0x05, 0x06, 0x07}) {
        bytes[0] = form;
        EXPECT_FALSE(PublicPoint::parse(bytes).has_value()) << int{form};
    }
    bytes[0] = 4;
    bytes.push_back(0);
    EXPECT_FALSE(PublicPoint::parse(bytes).has_value());
    EXPECT_FALSE(PublicPoint::parse(Bytes{0}).has_value());
    EXPECT_FALSE(PublicPoint::parse({}).has_value());
}

}  // namespace
}  // namespace pgveil::core
