#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/handles.hpp"

#include <openssl/types.h>

#include <cstddef>
#include <memory>

namespace pgveil::core {

/// True when a libcrypto call returned 1. Otherwise libcrypto's error queue of this thread is
/// emptied: this is the one place that reads return values of calls that bytes from outside can
/// make fail.
[[nodiscard]] bool succeeded(int returned) noexcept;

/// For calls that only our own mistake or exhausted memory can make fail: ends the process.
void must(int returned, const char* what_must_hold) noexcept;

/// The length as libcrypto's int; ends the process above 2^31 - 1.
int int_size(std::size_t size) noexcept;

/// libcrypto refuses null pointers even for no bytes.
const unsigned char* pointer_of(ByteView bytes) noexcept;

/// Algorithms fetched once per process and never freed: a fetch costs more than an AES block.
const EVP_CIPHER* aes_256_gcm();
const EVP_CIPHER* aes_256_ctr();
const EVP_MD* sha_256();
EVP_MAC* mac_algorithm_cmac();

/// AES-256 (FIPS 197) over whole blocks, each for itself; to encrypt, with a key of 32 bytes.
CipherContext aes_256_blocks(ByteView key);

}  // namespace pgveil::core
