#include "keyshare/core/gcm.hpp"
#include "keyshare/core/hpke.hpp"
#include "keyshare/core/jws.hpp"
#include "keyshare/core/password.hpp"

#include <gtest/gtest.h>
#include <openssl/err.h>

namespace pgveil::core {
namespace {

TEST(ErrorQueue, IsEmptyAfterEveryKindOfRefusal) {
    ERR_clear_error();
    const HpkeKeyPair pair = HpkeKeyPair::generate();
    const SigningKey key = SigningKey::generate();
    Bytes off_curve = to_bytes(pair.point.bytes());
    off_curve.back() ^= 1U;
    EXPECT_FALSE(PublicPoint::parse(off_curve).has_value());
    EXPECT_EQ(ERR_peek_error(), 0U);
    Bytes beyond_field(kPointSize, 0xFF);
    beyond_field.front() = 4;
    EXPECT_FALSE(PublicPoint::parse(beyond_field).has_value());
    EXPECT_EQ(ERR_peek_error(), 0U);
    EXPECT_FALSE(key.verifying_key().verify(as_bytes("message"), Bytes(kSignatureSize, 0)));
    EXPECT_FALSE(key.verifying_key().verify(as_bytes("message"), Bytes(kSignatureSize, 0xFF)));
    EXPECT_FALSE(key.verifying_key().verify(as_bytes("message"), Bytes(kSignatureSize, 1)));
    EXPECT_EQ(ERR_peek_error(), 0U);
    EXPECT_FALSE(Aes256Gcm(Bytes(32)).open(Bytes(12), {}, Bytes(20)).has_value());
    EXPECT_EQ(ERR_peek_error(), 0U);
    EXPECT_FALSE(scrypt({}, {}, {.n = 3}, 32).has_value());
    EXPECT_EQ(ERR_peek_error(), 0U);
}

}  // namespace
}  // namespace pgveil::core
