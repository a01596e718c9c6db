#include "keyshare/core/hash.hpp"

#include "keyshare/core/traces.hpp"

#include <cstring>
#include <nettle/sha2.h>
#include <span>

namespace pgveil::core {
namespace {

/// By nettle, as HMAC: it costs a short message a fifth of libcrypto's EVP calls.
void digest(std::span<const ByteView> parts, MutableByteView out) {
    sha256_ctx hash;
    sha256_init(&hash);
    for (const ByteView part : parts) {
        if (!part.empty()) {
            sha256_update(&hash, part.size(), part.data());
        }
    }
    sha256_digest(&hash, kSha256Size, out.data());
    explicit_bzero(&hash, sizeof hash);
    clear_traces();
}

}  // namespace

Sha256Digest sha256(ByteView message) {
    return sha256({message});
}

Sha256Digest sha256(std::initializer_list<ByteView> parts) {
    Sha256Digest out{};
    digest({parts.begin(), parts.size()}, out);
    return out;
}

SecretBytes secret_sha256(ByteView message) {
    SecretBytes out(kSha256Size);
    digest({&message, 1}, out.reveal_mutable());
    return out;
}

}  // namespace pgveil::core
