#include "keyshare/core/hkdf.hpp"

#include "keyshare/core/hmac.hpp"

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
    SecretBytes out;
    out.reserve(size + kSha256Size);
    SecretBytes message;
    message.reserve(kSha256Size + info.size() + 1);
    SecretBytes block;
    for (std::uint8_t counter = 1; out.size() < size; ++counter) {
        message.resize_down(0);
        message.append(block.reveal());
        message.append(info);
        message.append(ByteView(&counter, 1));
        block = secret_hmac_sha256(pseudorandom_key, message.reveal());
        out.append(block.reveal());
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

}  // namespace pgveil::core
