#pragma once

#include <memory>

struct evp_cipher_ctx_st;
struct evp_mac_ctx_st;
struct evp_pkey_st;

namespace pgveil::core {

/// Owners of libcrypto objects that hold key material. Freeing wipes: libcrypto clears them and the
/// arena does again.
struct FreeHandle {
    void operator()(evp_cipher_ctx_st* context) const noexcept;
    void operator()(evp_mac_ctx_st* context) const noexcept;
    void operator()(evp_pkey_st* key) const noexcept;
};

using CipherContext = std::unique_ptr<evp_cipher_ctx_st, FreeHandle>;
using MacContext = std::unique_ptr<evp_mac_ctx_st, FreeHandle>;
using KeyHandle = std::unique_ptr<evp_pkey_st, FreeHandle>;

}  // namespace pgveil::core
