#include "keyshare/core/hmac.hpp"

#include "keyshare/core/libcrypto.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <memory>

namespace pgveil::core {
namespace {

constexpr std::size_t kSha256Block = 64;

// RFC 2104 section 2.
constexpr std::uint8_t kInnerPad = 0x36;
constexpr std::uint8_t kOuterPad = 0x5c;

struct FreeDigest {
    void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
};

/// What HMAC works with, kept for each thread: libcrypto makes and frees a dozen objects for one
/// EVP_MAC, which takes several times as long as to hash a key's worth of bytes. Between two HMACs
/// nothing of a key is left in it.
class Workspace {
public:
    Workspace() : hash_(EVP_MD_CTX_new()), block_(kSha256Block) {
        invariant(hash_ != nullptr, "there is memory for an HMAC");
        must(EVP_DigestInit_ex2(hash_.get(), sha_256(), nullptr), "SHA-256 starts");
    }

    void compute(ByteView key, std::span<const ByteView> message, MutableByteView out) {
        invariant(out.size() == kSha256Size, "HMAC-SHA256 gives 32 bytes");
        const MutableByteView block = block_.reveal_mutable();
        std::ranges::fill(block, std::uint8_t{0});
        if (key.size() > kSha256Block) {
            add(key);
            end(block.first(kSha256Size));
        } else {
            copy_secret(block.first(key.size()), key);
        }
        add_padded(kInnerPad);
        for (const ByteView part : message) {
            add(part);
        }
        end(out);
        add_padded(kInnerPad ^ kOuterPad);
        add(out);
        end(out);
        OPENSSL_cleanse(block.data(), block.size());
    }

private:
    /// The block turns from one pad into the other.
    void add_padded(std::uint8_t change) {
        const MutableByteView block = block_.reveal_mutable();
        for (std::uint8_t& byte : block) {
            byte = static_cast<std::uint8_t>(byte ^ change);
        }
        add(block);
    }

    void add(ByteView bytes) {
        must(EVP_DigestUpdate(hash_.get(), pointer_of(bytes), bytes.size()), "SHA-256 takes bytes");
    }

    /// Begins anew at once: what the hash holds is the result still.
    void end(MutableByteView out) {
        must(EVP_DigestFinal_ex(hash_.get(), out.data(), nullptr), "SHA-256 ends");
        must(EVP_DigestInit_ex2(hash_.get(), nullptr, nullptr), "SHA-256 starts");
    }

    std::unique_ptr<EVP_MD_CTX, FreeDigest> hash_;
    SecretBytes block_;
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
