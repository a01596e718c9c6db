#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/error.hpp"
#include "keyshare/core/handles.hpp"
#include "keyshare/core/hash.hpp"
#include "keyshare/core/secret.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace pgveil::core {

inline constexpr std::size_t kPointSize = 65;
inline constexpr std::size_t kScalarSize = 32;
inline constexpr std::size_t kSignatureSize = 64;

/// A P-256 private scalar, 32 bytes big endian, from 1 to the order minus 1 where a function says
/// it checked that.
using Scalar = Secret<struct ScalarRole, kScalarSize>;

/// A public key: a point on P-256 that was checked to be on the curve and not at infinity. A value;
/// any thread.
class PublicPoint {
public:
    /// Exactly 65 bytes, 0x04 || X || Y (SEC 1, uncompressed). kKey for every other form and every
    /// invalid point.
    static Result<PublicPoint> parse(ByteView bytes);
    /// The text form: base64url of the 65 bytes, 87 characters.
    static Result<PublicPoint> from_text(std::string_view text);
    /// scalar * G. kKey when the scalar is 0 or not below the order.
    static Result<PublicPoint> of_scalar(const Scalar& scalar);

    ByteView bytes() const noexcept { return bytes_; }

    std::string text() const;

    /// SHA-256 of the 65 bytes: what people compare and pin.
    Sha256Digest fingerprint() const;
    /// Its base64url, 43 characters: the `kid` of a JWS.
    std::string fingerprint_text() const;

    friend bool operator==(const PublicPoint&, const PublicPoint&) = default;

private:
    explicit PublicPoint(std::array<std::uint8_t, kPointSize> bytes) : bytes_(bytes) {}

    std::array<std::uint8_t, kPointSize> bytes_;
};

/// A fresh uniform private scalar. Any thread.
Scalar generate_scalar();

/// ECDH (SP 800-56A 5.7.1.2): the X coordinate of scalar * point, 32 bytes, not yet a key: derive
/// one from it. kKey when the scalar is out of range.
Result<SecretBytes> ecdh_x(const Scalar& scalar, const PublicPoint& point);

using Signature = std::array<std::uint8_t, kSignatureSize>;

/// The public half of an ES256 key. A value (copies share the immutable handle); any thread may
/// verify.
class VerifyingKey {
public:
    explicit VerifyingKey(const PublicPoint& point);
    /// 65 bytes as PublicPoint::parse.
    static Result<VerifyingKey> parse(ByteView point);
    static Result<VerifyingKey> from_text(std::string_view text);

    const PublicPoint& point() const noexcept { return point_; }

    /// ECDSA with SHA-256 over `message`; `signature` is r || s, 32 bytes each (IEEE P1363, as
    /// JOSE). False for every other size and for r or s outside 1..order-1. ECDSA is malleable:
    /// never identify a message by its signature.
    bool verify(ByteView message, ByteView signature) const;

private:
    PublicPoint point_;
    std::shared_ptr<evp_pkey_st> key_;
};

/// A private ES256 key. Move-only; the scalar lies in the arena, in libcrypto's object. Any thread
/// may sign.
class SigningKey {
public:
    static SigningKey generate();
    /// kKey when the scalar is out of range.
    static Result<SigningKey> from_scalar(const Scalar& scalar);

    /// For storage (sealed) and backup: 32 bytes. The public half follows from it.
    Scalar scalar() const;

    const VerifyingKey& verifying_key() const noexcept { return public_; }

    /// r || s (IEEE P1363). Not deterministic.
    Signature sign(ByteView message) const;

private:
    SigningKey(KeyHandle key, VerifyingKey public_half);

    KeyHandle key_;
    VerifyingKey public_;
};

}  // namespace pgveil::core
