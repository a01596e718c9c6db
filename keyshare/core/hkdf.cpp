#include "keyshare/core/hkdf.hpp"

#include "keyshare/core/hmac.hpp"

#include <array>
#include <cstdint>

namespace pgveil::core {
namespace {

void check_size(std::size_t size) {
    invariant(size >= 1 && size <= kHkdfMaxSize, "HKDF-SHA256 gives 1 to 8160 bytes");
}

}  // namespace

SecretBytes hkdf_extract_sha256(ByteView salt, ByteView input) {
    // RFC 5869 section 2.2: no salt is a string of zeros, and HMAC pads a short key with zeros all
    // the same.
    return secret_hmac_sha256(salt, input);
}

SecretBytes hkdf_expand_sha256(ByteView pseudorandom_key, ByteView info, std::size_t size) {
    check_size(size);
    SecretBytes out((size + kSha256Size - 1) / kSha256Size * kSha256Size);
    const MutableByteView blocks = out.reveal_mutable();
    ByteView last;
    std::uint8_t counter = 1;
    for (std::size_t at = 0; at < blocks.size(); at += kSha256Size) {
        const std::array<ByteView, 3> message = {last, info, ByteView(&counter, 1)};
        const MutableByteView next = blocks.subspan(at, kSha256Size);
        secret_hmac_sha256(pseudorandom_key, message, next);
        last = next;
        ++counter;
    }
    out.resize_down(size);
    return out;
}

SecretBytes hkdf_sha256(ByteView key, ByteView salt, ByteView info, std::size_t size) {
    check_size(size);
    return hkdf_expand_sha256(hkdf_extract_sha256(salt, key).reveal(), info, size);
}

SecretBytes hkdf_sha256(ByteView key, ByteView info, std::size_t size) {
    return hkdf_sha256(key, {}, info, size);
}

ExtractedKey::ExtractedKey(ByteView key) : pseudorandom_key_(hkdf_extract_sha256({}, key)) {}

SecretBytes ExtractedKey::expand(ByteView info, std::size_t size) const {
    return hkdf_expand_sha256(pseudorandom_key_.reveal(), info, size);
}

}  // namespace pgveil::core
