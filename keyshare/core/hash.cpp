#include "keyshare/core/hash.hpp"

#include "keyshare/core/libcrypto.hpp"

#include <openssl/evp.h>

#include <memory>
#include <span>

namespace pgveil::core {
namespace {

struct FreeDigest {
    void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
};

void digest(std::span<const ByteView> parts, MutableByteView out) {
    const std::unique_ptr<EVP_MD_CTX, FreeDigest> context(EVP_MD_CTX_new());
    invariant(context != nullptr, "there is memory for a digest");
    must(EVP_DigestInit_ex2(context.get(), sha_256(), nullptr), "SHA-256 starts");
    for (const ByteView part : parts) {
        must(EVP_DigestUpdate(context.get(), pointer_of(part), part.size()), "SHA-256 takes bytes");
    }
    must(EVP_DigestFinal_ex(context.get(), out.data(), nullptr), "SHA-256 ends");
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
