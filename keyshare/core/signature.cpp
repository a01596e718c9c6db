#include "keyshare/core/curve.hpp"
#include "keyshare/core/digest_signature.hpp"
#include "keyshare/core/libcrypto.hpp"
#include "keyshare/core/p256.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <algorithm>
#include <utility>

namespace pgveil::core {
namespace {

// SEQUENCE of two INTEGERs of at most 33 bytes.
constexpr std::size_t kMaxDer = 72;

struct FreeSignatureParts {
    void operator()(OSSL_PARAM_BLD* builder) const noexcept { OSSL_PARAM_BLD_free(builder); }

    void operator()(OSSL_PARAM* parameters) const noexcept { OSSL_PARAM_free(parameters); }

    void operator()(EVP_PKEY_CTX* context) const noexcept { EVP_PKEY_CTX_free(context); }

    void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }

    void operator()(ECDSA_SIG* signature) const noexcept { ECDSA_SIG_free(signature); }
};

template <class T>
using Owned = std::unique_ptr<T, FreeSignatureParts>;

template <class T>
Owned<T> owned(T* made) {
    invariant(made != nullptr, "there is memory for a signature");
    return Owned<T>(made);
}

// `scalar` is null for a public key.
KeyHandle make_key(const PublicPoint& point, const BIGNUM* scalar) {
    const auto builder = owned(OSSL_PARAM_BLD_new());
    const ByteView bytes = point.bytes();
    must(
        OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0),
        "a key has a group"
    );
    must(
        OSSL_PARAM_BLD_push_octet_string(
            builder.get(), OSSL_PKEY_PARAM_PUB_KEY, bytes.data(), bytes.size()
        ),
        "a key has a point"
    );
    if (scalar != nullptr) {
        must(
            OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_PRIV_KEY, scalar),
            "a key has a scalar"
        );
    }
    const auto parameters = owned(OSSL_PARAM_BLD_to_param(builder.get()));
    const auto context = owned(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
    must(EVP_PKEY_fromdata_init(context.get()), "a key is made from its parts");
    EVP_PKEY* key = nullptr;
    const int selection = scalar == nullptr ? EVP_PKEY_PUBLIC_KEY : EVP_PKEY_KEYPAIR;
    must(
        EVP_PKEY_fromdata(context.get(), &key, selection, parameters.get()),
        "checked parts make a key"
    );
    return KeyHandle(key);
}

// Empty when r or s is no number of 32 bytes at most, which two halves of 32 bytes always are.
Bytes der_of(ByteView signature) {
    const auto parts = owned(ECDSA_SIG_new());
    BIGNUM* first = BN_bin2bn(signature.data(), kScalarSize, nullptr);
    BIGNUM* second = BN_bin2bn(signature.subspan(kScalarSize).data(), kScalarSize, nullptr);
    invariant(first != nullptr && second != nullptr, "there is memory for a signature");
    must(ECDSA_SIG_set0(parts.get(), first, second), "a signature has two parts");
    Bytes der(kMaxDer);
    unsigned char* at = der.data();
    const int size = i2d_ECDSA_SIG(parts.get(), &at);
    invariant(
        size > 0 && static_cast<std::size_t>(size) <= kMaxDer, "a P-256 signature fits its DER form"
    );
    der.resize(static_cast<std::size_t>(size));
    return der;
}

Signature halves_of(ByteView der) {
    const unsigned char* at = der.data();
    const auto parts = owned(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
    Signature out{};
    const int first = BN_bn2binpad(ECDSA_SIG_get0_r(parts.get()), out.data(), kScalarSize);
    const int second =
        BN_bn2binpad(ECDSA_SIG_get0_s(parts.get()), &out.at(kScalarSize), kScalarSize);
    invariant(first == kScalarSize && second == kScalarSize, "r and s of P-256 have 32 bytes");
    return out;
}

}  // namespace

VerifyingKey::VerifyingKey(const PublicPoint& point)
    : point_(point), key_(make_key(point, nullptr).release(), FreeHandle{}) {}

Result<VerifyingKey> VerifyingKey::parse(ByteView point) {
    const auto parsed = PublicPoint::parse(point);
    if (!parsed.has_value()) {
        return parsed.error();
    }
    return VerifyingKey(*parsed);
}

Result<VerifyingKey> VerifyingKey::from_text(std::string_view text) {
    const auto parsed = PublicPoint::from_text(text);
    if (!parsed.has_value()) {
        return parsed.error();
    }
    return VerifyingKey(*parsed);
}

bool VerifyingKey::verify(ByteView message, ByteView signature) const {
    if (signature.size() != kSignatureSize) {
        return false;
    }
    const Bytes der = der_of(signature);
    const auto context = owned(EVP_MD_CTX_new());
    must(
        EVP_DigestVerifyInit_ex(
            context.get(), nullptr, "SHA256", nullptr, nullptr, key_.get(), nullptr
        ),
        "ECDSA verification starts"
    );
    return succeeded(
        EVP_DigestVerify(context.get(), der.data(), der.size(), pointer_of(message), message.size())
    );
}

bool verify_digest(const PublicPoint& key, const Sha256Digest& digest, ByteView signature) {
    if (signature.size() != kSignatureSize) {
        return false;
    }
    const Bytes der = der_of(signature);
    const KeyHandle handle = make_key(key, nullptr);
    const auto context = owned(EVP_PKEY_CTX_new_from_pkey(nullptr, handle.get(), nullptr));
    must(EVP_PKEY_verify_init(context.get()), "ECDSA verification of a digest starts");
    return succeeded(
        EVP_PKEY_verify(context.get(), der.data(), der.size(), digest.data(), digest.size())
    );
}

SigningKey::SigningKey(KeyHandle key, VerifyingKey public_half)
    : key_(std::move(key)), public_(std::move(public_half)) {}

SigningKey SigningKey::generate() {
    auto made = from_scalar(generate_scalar());
    invariant(made.has_value(), "a generated scalar is in range");
    return *std::move(made);
}

Result<SigningKey> SigningKey::from_scalar(const Scalar& scalar) {
    const auto point = PublicPoint::of_scalar(scalar);
    if (!point.has_value()) {
        return point.error();
    }
    const Bignum number = scalar_number(scalar);
    return SigningKey(make_key(*point, number.get()), VerifyingKey(*point));
}

Scalar SigningKey::scalar() const {
    const Bignum number(BN_secure_new());
    BIGNUM* raw = number.get();
    must(
        EVP_PKEY_get_bn_param(key_.get(), OSSL_PKEY_PARAM_PRIV_KEY, &raw),
        "a signing key has its scalar"
    );
    Scalar out;
    invariant(
        BN_bn2binpad(raw, out.reveal_mutable().data(), kScalarSize) == kScalarSize,
        "a scalar has 32 bytes"
    );
    return out;
}

Signature SigningKey::sign(ByteView message) const {
    const auto context = owned(EVP_MD_CTX_new());
    must(
        EVP_DigestSignInit_ex(
            context.get(), nullptr, "SHA256", nullptr, nullptr, key_.get(), nullptr
        ),
        "ECDSA signing starts"
    );
    Bytes der(kMaxDer);
    std::size_t size = der.size();
    must(
        EVP_DigestSign(context.get(), der.data(), &size, pointer_of(message), message.size()),
        "ECDSA signs"
    );
    return halves_of(ByteView(der).first(size));
}

}  // namespace pgveil::core
