#include "keyshare/core/md5.hpp"

#include "keyshare/core/libcrypto.hpp"

#include <openssl/evp.h>

#include <array>
#include <memory>
#include <string_view>

namespace pgveil::core {
namespace {

constexpr std::size_t kMd5Size = 16;

struct FreeDigest {
    void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }

    void operator()(EVP_MD* digest) const noexcept { EVP_MD_free(digest); }
};

SecretBytes hex_of(ByteView bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    constexpr unsigned kHighShift = 4;
    constexpr unsigned kLowMask = 0x0F;
    SecretBytes hex(2 * bytes.size());
    const MutableByteView out = hex.reveal_mutable();
    for (std::size_t at = 0; at < bytes.size(); ++at) {
        const unsigned byte = bytes[at];
        out[2 * at] = static_cast<std::uint8_t>(kDigits[byte >> kHighShift]);
        out[2 * at + 1] = static_cast<std::uint8_t>(kDigits[byte & kLowMask]);
    }
    return hex;
}

}  // namespace

std::optional<SecretBytes> md5_hex(std::initializer_list<ByteView> parts) {
    const std::unique_ptr<EVP_MD, FreeDigest> digest(EVP_MD_fetch(nullptr, "MD5", nullptr));
    const std::unique_ptr<EVP_MD_CTX, FreeDigest> context(EVP_MD_CTX_new());
    if (!digest || !context ||
        !succeeded(EVP_DigestInit_ex2(context.get(), digest.get(), nullptr))) {
        return std::nullopt;
    }
    for (const ByteView part : parts) {
        must(EVP_DigestUpdate(context.get(), pointer_of(part), part.size()), "MD5 takes bytes");
    }
    SecretBytes sum(kMd5Size);
    must(EVP_DigestFinal_ex(context.get(), sum.reveal_mutable().data(), nullptr), "MD5 ends");
    return hex_of(sum.reveal());
}

}  // namespace pgveil::core
