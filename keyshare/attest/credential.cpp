#include "keyshare/attest/credential.hpp"

#include "keyshare/attest/bytes_out.hpp"
#include "keyshare/attest/endorsement_certificate.hpp"
#include "keyshare/attest/public_area.hpp"
#include "keyshare/core/handles.hpp"
#include "keyshare/core/hash.hpp"
#include "keyshare/core/hmac.hpp"
#include "keyshare/core/invariant.hpp"
#include "keyshare/core/libcrypto.hpp"
#include "keyshare/core/random.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include <array>
#include <memory>
#include <string_view>

namespace pgveil::attest {
namespace {

constexpr std::size_t kCoordinateBytes = 32;
constexpr std::size_t kAes128KeySize = 16;
constexpr std::uint32_t kAes128Bits = 128;
constexpr std::uint32_t kHashBits = 256;

core::ByteView x_of(const core::PublicPoint& point) {
    return point.bytes().subspan(1, kCoordinateBytes);
}

core::ByteView y_of(const core::PublicPoint& point) {
    return point.bytes().last(kCoordinateBytes);
}

/// KDFa of one block (Part 1, section 11.4.10.2).
core::SecretBytes kdfa(
    const core::SecretBytes& key, core::ByteView label, core::ByteView context, std::uint32_t bits
) {
    BytesOut message;
    message.u32(1).raw(label).raw(context).u32(bits);
    return core::secret_hmac_sha256(key.reveal(), message.bytes());
}

/// KDFe of one block (Part 1, section 11.4.10.3).
core::SecretBytes seed_of(
    const core::SecretBytes& shared, const core::PublicPoint& own, const core::PublicPoint& theirs
) {
    core::SecretBytes message;
    message.append(core::big_endian32(1));
    message.append(shared.reveal());
    message.append(core::as_bytes(std::string_view("IDENTITY\0", 9)));
    message.append(x_of(own));
    message.append(x_of(theirs));
    return core::secret_sha256(message.reveal());
}

/// AES-128-CFB with an initial value of zeros, as the TPM protects credentials.
core::Bytes encrypted(core::ByteView key, core::ByteView plain) {
    const std::array<std::uint8_t, kAes128KeySize> zeros{};
    const core::CipherContext context(EVP_CIPHER_CTX_new());
    core::must(
        EVP_EncryptInit_ex(context.get(), EVP_aes_128_cfb128(), nullptr, key.data(), zeros.data()),
        "AES-128-CFB takes 16 bytes"
    );
    core::Bytes out(plain.size());
    int written = 0;
    core::must(
        EVP_EncryptUpdate(
            context.get(), out.data(), &written, plain.data(), core::int_size(plain.size())
        ),
        "AES-128-CFB encrypts"
    );
    return out;
}

/// Part 1, section 24.4: for whoever has the seed, and the key with this name.
core::Bytes protected_object(
    const core::SecretBytes& seed,
    const core::PublicPoint& attestation_key,
    const core::SecretBytes& secret
) {
    core::invariant(secret.size() == kCredentialSecretSize, "a credential has 32 bytes");
    const Name name = name_of(KeyKind::kAttestation, attestation_key);
    core::SecretBytes plain;
    plain.append(core::big_endian16(kCredentialSecretSize));
    plain.append(secret.reveal());
    const core::SecretBytes cipher_key =
        kdfa(seed, core::as_bytes(std::string_view("STORAGE\0", 8)), name, kAes128Bits);
    const core::Bytes identity =
        encrypted(cipher_key.reveal().first(kAes128KeySize), plain.reveal());
    const core::SecretBytes mac_key =
        kdfa(seed, core::as_bytes(std::string_view("INTEGRITY\0", 10)), {}, kHashBits);
    core::Bytes authenticated = identity;
    core::append(authenticated, name);
    BytesOut object;
    object.sized(core::hmac_sha256(mac_key.reveal(), authenticated)).raw(identity);
    return std::move(object).take();
}

struct FreeBuild {
    void operator()(OSSL_PARAM_BLD* build) const { OSSL_PARAM_BLD_free(build); }

    void operator()(OSSL_PARAM* parameters) const { OSSL_PARAM_free(parameters); }

    void operator()(BIGNUM* number) const { BN_free(number); }

    void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
};

core::KeyHandle rsa_key(const EndorsementModulus& modulus) {
    constexpr unsigned kRsaExponent = 65537;
    const std::unique_ptr<BIGNUM, FreeBuild> number(
        BN_bin2bn(modulus.data(), core::int_size(modulus.size()), nullptr)
    );
    const std::unique_ptr<OSSL_PARAM_BLD, FreeBuild> build(OSSL_PARAM_BLD_new());
    core::must(OSSL_PARAM_BLD_push_BN(build.get(), "n", number.get()), "a modulus is a number");
    core::must(OSSL_PARAM_BLD_push_uint(build.get(), "e", kRsaExponent), "and so is the exponent");
    const std::unique_ptr<OSSL_PARAM, FreeBuild> parameters(OSSL_PARAM_BLD_to_param(build.get()));
    const std::unique_ptr<EVP_PKEY_CTX, FreeBuild> context(
        EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr)
    );
    EVP_PKEY* key = nullptr;
    core::must(EVP_PKEY_fromdata_init(context.get()), "RSA keys are made of numbers");
    core::must(
        EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()),
        "a modulus and an exponent are a key"
    );
    return core::KeyHandle(key);
}

/// RSAES_OAEP with SHA-256 (Part 1, annex B.10.4): the seed for the owner of the key.
core::Bytes encrypted_to(const EndorsementModulus& modulus, const core::SecretBytes& seed) {
    const core::KeyHandle key = rsa_key(modulus);
    const std::unique_ptr<EVP_PKEY_CTX, FreeBuild> context(
        EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr)
    );
    constexpr std::string_view kLabel("IDENTITY\0", 9);
    core::must(EVP_PKEY_encrypt_init(context.get()), "RSA encrypts");
    core::must(EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_OAEP_PADDING), "RSA has OAEP");
    core::must(EVP_PKEY_CTX_set_rsa_oaep_md(context.get(), EVP_sha256()), "OAEP has SHA-256");
    core::must(
        EVP_PKEY_CTX_set0_rsa_oaep_label(
            context.get(),
            OPENSSL_memdup(kLabel.data(), kLabel.size()),
            core::int_size(kLabel.size())
        ),
        "OAEP has a label"
    );
    core::Bytes out(modulus.size());
    std::size_t size = out.size();
    const core::ByteView plain = seed.reveal();
    core::must(
        EVP_PKEY_encrypt(context.get(), out.data(), &size, plain.data(), plain.size()),
        "a seed fits into an RSA key"
    );
    return out;
}

}  // namespace

Credential make_credential(
    const core::PublicPoint& endorsement_key,
    const core::PublicPoint& attestation_key,
    const core::SecretBytes& secret
) {
    const core::Scalar ephemeral = core::generate_scalar();
    const auto own = core::PublicPoint::of_scalar(ephemeral);
    const auto shared = core::ecdh_x(ephemeral, endorsement_key);
    core::invariant(own.has_value() && shared.has_value(), "a fresh scalar is in range");
    const core::SecretBytes seed = seed_of(*shared, *own, endorsement_key);
    Credential credential;
    credential.object = protected_object(seed, attestation_key, secret);
    BytesOut point;
    point.sized(x_of(*own)).sized(y_of(*own));
    credential.seed = std::move(point).take();
    return credential;
}

Credential make_credential(
    const EndorsementModulus& endorsement_key,
    const core::PublicPoint& attestation_key,
    const core::SecretBytes& secret
) {
    const core::SecretBytes seed =
        core::random_secret(core::system_random(), kCredentialSecretSize);
    return {protected_object(seed, attestation_key, secret), encrypted_to(endorsement_key, seed)};
}

}  // namespace pgveil::attest
