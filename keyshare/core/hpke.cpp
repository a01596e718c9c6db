#include "keyshare/core/hpke.hpp"

#include "keyshare/core/hkdf.hpp"
#include "keyshare/core/invariant.hpp"

#include <algorithm>
#include <limits>
#include <string_view>
#include <utility>

namespace pgveil::core {
namespace {

constexpr std::string_view kVersion = "HPKE-v1";
constexpr std::string_view kKemSuite("KEM\x00\x10", 5);
constexpr std::string_view kHpkeSuite("HPKE\x00\x10\x00\x01\x00\x02", 10);
constexpr std::uint8_t kModeBase = 0;

// RFC 9180 section 4: LabeledExtract.
SecretBytes labeled_extract(
    std::string_view suite, ByteView salt, std::string_view label, ByteView key
) {
    SecretBytes labeled;
    labeled.reserve(kVersion.size() + suite.size() + label.size() + key.size());
    labeled.append(as_bytes(kVersion));
    labeled.append(as_bytes(suite));
    labeled.append(as_bytes(label));
    labeled.append(key);
    return hkdf_extract_sha256(salt, labeled.reveal());
}

// RFC 9180 section 4: LabeledExpand.
SecretBytes labeled_expand(
    std::string_view suite,
    const SecretBytes& key,
    std::string_view label,
    ByteView info,
    std::size_t size
) {
    const auto length = big_endian16(static_cast<std::uint16_t>(size));
    Bytes labeled(length.begin(), length.end());
    append(labeled, as_bytes(kVersion));
    append(labeled, as_bytes(suite));
    append(labeled, as_bytes(label));
    append(labeled, info);
    return hkdf_expand_sha256(key.reveal(), labeled, size);
}

// Section 4.1: ExtractAndExpand over the two public keys.
SecretBytes kem_shared_secret(
    const SecretBytes& dh, const PublicPoint& enc, const PublicPoint& recipient
) {
    Bytes context = to_bytes(enc.bytes());
    append(context, recipient.bytes());
    const SecretBytes extracted = labeled_extract(kKemSuite, {}, "eae_prk", dh.reveal());
    return labeled_expand(kKemSuite, extracted, "shared_secret", context, kSha256Size);
}

Bytes key_schedule_context(ByteView info) {
    const SecretBytes no_psk_id = labeled_extract(kHpkeSuite, {}, "psk_id_hash", {});
    const SecretBytes info_hash = labeled_extract(kHpkeSuite, {}, "info_hash", info);
    Bytes context{kModeBase};
    append(context, no_psk_id.reveal());
    append(context, info_hash.reveal());
    return context;
}

}  // namespace

HpkeKeyPair HpkeKeyPair::generate() {
    auto made = from_scalar(generate_scalar());
    invariant(made.has_value(), "a generated scalar is in range");
    return *std::move(made);
}

Result<HpkeKeyPair> HpkeKeyPair::from_scalar(Scalar scalar) {
    const auto point = PublicPoint::of_scalar(scalar);
    if (!point.has_value()) {
        return point.error();
    }
    return HpkeKeyPair{std::move(scalar), *point};
}

HpkeContext hpke_key_schedule(ByteView shared_secret, ByteView info) {
    const Bytes context = key_schedule_context(info);
    const SecretBytes secret = labeled_extract(kHpkeSuite, shared_secret, "secret", {});
    const SecretBytes key = labeled_expand(kHpkeSuite, secret, "key", context, kAes256KeySize);
    auto nonce = Secret<struct HpkeNonce, kGcmNonceSize>::from(
        labeled_expand(kHpkeSuite, secret, "base_nonce", context, kGcmNonceSize)
    );
    invariant(nonce.has_value(), "HKDF gives the size asked for");
    return {Aes256Gcm(key.reveal()), *std::move(nonce)};
}

HpkeContext::HpkeContext(Aes256Gcm cipher, Secret<struct HpkeNonce, kGcmNonceSize> base_nonce)
    : cipher_(std::move(cipher)), base_nonce_(std::move(base_nonce)) {}

// Section 5.2: ComputeNonce.
std::array<std::uint8_t, kGcmNonceSize> HpkeContext::nonce() const {
    invariant(
        sequence_ < std::numeric_limits<std::uint64_t>::max(),
        "an HPKE context has not run out of nonces"
    );
    std::array<std::uint8_t, kGcmNonceSize> out{};
    const auto base = base_nonce_.reveal();
    std::copy(base.begin(), base.end(), out.begin());
    const auto counter = big_endian64(sequence_);
    for (std::size_t i = 0; i < counter.size(); ++i) {
        out.at(kGcmNonceSize - counter.size() + i) ^= counter.at(i);
    }
    return out;
}

Bytes HpkeContext::seal(ByteView associated, ByteView plaintext) {
    Bytes sealed = cipher_.seal(nonce(), associated, plaintext);
    ++sequence_;
    return sealed;
}

Result<SecretBytes> HpkeContext::open(ByteView associated, ByteView sealed) {
    auto opened = cipher_.open(nonce(), associated, sealed);
    if (opened.has_value()) {
        ++sequence_;
    }
    return opened;
}

Result<HpkeSender> hpke_setup_sender(
    const PublicPoint& recipient, ByteView info, const HpkeKeyPair& ephemeral
) {
    const auto dh = ecdh_x(ephemeral.scalar, recipient);
    if (!dh.has_value()) {
        return dh.error();
    }
    const SecretBytes shared = kem_shared_secret(*dh, ephemeral.point, recipient);
    return HpkeSender{ephemeral.point, hpke_key_schedule(shared.reveal(), info)};
}

Result<HpkeContext> hpke_setup_receiver(const HpkeKeyPair& recipient, ByteView info, ByteView enc) {
    const auto point = PublicPoint::parse(enc);
    if (!point.has_value()) {
        return point.error();
    }
    const auto dh = ecdh_x(recipient.scalar, *point);
    if (!dh.has_value()) {
        return dh.error();
    }
    return hpke_key_schedule(kem_shared_secret(*dh, *point, recipient.point).reveal(), info);
}

Bytes hpke_seal(
    const PublicPoint& recipient, ByteView info, ByteView associated, ByteView plaintext
) {
    auto sender = hpke_setup_sender(recipient, info, HpkeKeyPair::generate());
    invariant(sender.has_value(), "a generated scalar is in range");
    Bytes message = to_bytes(sender->enc.bytes());
    append(message, sender->context.seal(associated, plaintext));
    return message;
}

Result<SecretBytes> hpke_open(
    const HpkeKeyPair& recipient, ByteView info, ByteView associated, ByteView message
) {
    if (message.size() < kHpkeOverhead) {
        return Error{ErrorCode::kLength, "an HPKE message has at least 81 bytes"};
    }
    auto context = hpke_setup_receiver(recipient, info, message.first(kPointSize));
    if (!context.has_value()) {
        return context.error();
    }
    return context->open(associated, message.subspan(kPointSize));
}

}  // namespace pgveil::core
