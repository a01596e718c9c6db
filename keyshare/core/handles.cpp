#include "keyshare/core/handles.hpp"

#include <openssl/evp.h>

namespace pgveil::core {

void FreeHandle::operator()(evp_cipher_ctx_st* context) const noexcept {
    EVP_CIPHER_CTX_free(context);
}

void FreeHandle::operator()(evp_mac_ctx_st* context) const noexcept {
    EVP_MAC_CTX_free(context);
}

void FreeHandle::operator()(evp_pkey_st* key) const noexcept {
    EVP_PKEY_free(key);
}

}  // namespace pgveil::core
