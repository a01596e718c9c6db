#include "keyshare/attest/credential.hpp"

#include "keyshare/attest/bytes_out.hpp"
#include "keyshare/attest/public_area.hpp"
#include "keyshare/core/handles.hpp"
#include "keyshare/core/hash.hpp"
#include "keyshare/core/hmac.hpp"
#include "keyshare/core/invariant.hpp"
#include "keyshare/core/libcrypto.hpp"

#include <openssl/evp.h>

#include <array>
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

}  // namespace

Credential make_credential(
    const core::PublicPoint& endorsement_key,
    const core::PublicPoint& attestation_key,
    const core::SecretBytes& secret
) {
    core::invariant(secret.size() == kCredentialSecretSize, "a credential has 32 bytes");
    const core::Scalar ephemeral = core::generate_scalar();
    const auto own = core::PublicPoint::of_scalar(ephemeral);
    const auto shared = core::ecdh_x(ephemeral, endorsement_key);
    core::invariant(own.has_value() && shared.has_value(), "a fresh scalar is in range");
    const core::SecretBytes seed = seed_of(*shared, *own, endorsement_key);
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

    Credential credential;
    BytesOut object;
    object.sized(core::hmac_sha256(mac_key.reveal(), authenticated)).raw(identity);
    credential.object = std::move(object).take();
    BytesOut point;
    point.sized(x_of(*own)).sized(y_of(*own));
    credential.seed = std::move(point).take();
    return credential;
}

}  // namespace pgveil::attest
