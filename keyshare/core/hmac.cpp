#include "keyshare/core/hmac.hpp"

#include "keyshare/core/handles.hpp"
#include "keyshare/core/libcrypto.hpp"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <array>
#include <string>

namespace pgveil::core {
namespace {

// A context that knows its hash but no key yet: copying it is cheaper than looking the hash up by
// name again.
const EVP_MAC_CTX* keyless_template() {
    static const EVP_MAC_CTX* const template_context = [] {
        EVP_MAC_CTX* made = EVP_MAC_CTX_new(mac_algorithm_hmac());
        invariant(made != nullptr, "there is memory for an HMAC");
        std::string name = "SHA256";
        const std::array<OSSL_PARAM, 2> parameters = {
            OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name.data(), 0),
            OSSL_PARAM_construct_end()};
        must(EVP_MAC_CTX_set_params(made, parameters.data()), "HMAC takes SHA-256");
        return made;
    }();
    return template_context;
}

void compute(ByteView key, ByteView message, MutableByteView out) {
    const MacContext context(EVP_MAC_CTX_dup(keyless_template()));
    invariant(context != nullptr, "there is memory for an HMAC");
    must(EVP_MAC_init(context.get(), pointer_of(key), key.size(), nullptr), "HMAC takes its key");
    must(EVP_MAC_update(context.get(), pointer_of(message), message.size()), "HMAC takes bytes");
    std::size_t written = 0;
    must(EVP_MAC_final(context.get(), out.data(), &written, out.size()), "HMAC ends");
    invariant(written == kSha256Size, "HMAC-SHA256 gives 32 bytes");
}

}  // namespace

Sha256Digest hmac_sha256(ByteView key, ByteView message) {
    Sha256Digest out{};
    compute(key, message, out);
    return out;
}

SecretBytes secret_hmac_sha256(ByteView key, ByteView message) {
    SecretBytes out(kSha256Size);
    compute(key, message, out.reveal_mutable());
    return out;
}

}  // namespace pgveil::core
