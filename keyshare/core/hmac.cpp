#include "keyshare/core/hmac.hpp"

#include "keyshare/core/traces.hpp"

#include <bit>
#include <cstring>
#include <nettle/sha2.h>

namespace pgveil::core {
namespace {

constexpr std::size_t kSha256Block = 64;

// RFC 2104 section 2.
constexpr std::uint8_t kInnerPad = 0x36;
constexpr std::uint8_t kOuterPad = 0x5c;

// The arena aligns blocks to 16 bytes.
static_assert(alignof(sha256_ctx) <= 16);

/// What HMAC works with, kept for each thread. By nettle: libcrypto's EVP calls take longer than it
/// takes to hash a key's worth of bytes. Between two HMACs nothing of a key is left in it, nor in
/// registers or on the stack.
class Workspace {
public:
    Workspace() : hash_(sizeof(sha256_ctx)), block_(kSha256Block) { sha256_init(hash()); }

    void compute(ByteView key, std::span<const ByteView> message, MutableByteView out) {
        invariant(out.size() == kSha256Size, "HMAC-SHA256 gives 32 bytes");
        const KeyBlock block = block_.reveal_mutable().first<kSha256Block>();
        if (key.size() > kSha256Block) {
            add(key);
            end(block.first(kSha256Size));
        } else {
            copy_secret(block.first(key.size()), key);
        }
        add_padded(block, kInnerPad);
        for (const ByteView part : message) {
            add(part);
        }
        end(out);
        add_padded(block, kInnerPad ^ kOuterPad);
        add(out);
        end(out);
        explicit_bzero(block.data(), block.size());
        explicit_bzero(hash_.reveal_mutable().data(), hash_.size());
        sha256_init(hash());
        clear_traces();
    }

private:
    using KeyBlock = std::span<std::uint8_t, kSha256Block>;

    sha256_ctx* hash() { return std::bit_cast<sha256_ctx*>(hash_.reveal_mutable().data()); }

    /// The block turns from one pad into the other.
    void add_padded(KeyBlock block, std::uint8_t change) {
        for (std::uint8_t& byte : block) {
            byte = static_cast<std::uint8_t>(byte ^ change);
        }
        add(block);
    }

    void add(ByteView bytes) {
        if (!bytes.empty()) {
            sha256_update(hash(), bytes.size(), bytes.data());
        }
    }

    /// Begins anew at once.
    void end(MutableByteView out) { sha256_digest(hash(), kSha256Size, out.data()); }

    SecretBytes hash_;
    SecretBytes block_;  ///< zeros but while it computes
};

void compute(ByteView key, std::span<const ByteView> message, MutableByteView out) {
    thread_local Workspace workspace;
    workspace.compute(key, message, out);
}

}  // namespace

Sha256Digest hmac_sha256(ByteView key, ByteView message) {
    Sha256Digest out{};
    compute(key, {&message, 1}, out);
    return out;
}

SecretBytes secret_hmac_sha256(ByteView key, ByteView message) {
    SecretBytes out(kSha256Size);
    compute(key, {&message, 1}, out.reveal_mutable());
    return out;
}

void secret_hmac_sha256(ByteView key, std::span<const ByteView> message, MutableByteView out) {
    compute(key, message, out);
}

}  // namespace pgveil::core
