#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/secret.hpp"

#include <initializer_list>
#include <optional>

namespace pgveil::core {

/// MD5 (RFC 1321) of the parts one after the other, as 32 lower-case hexadecimal digits. For one
/// purpose only: PostgreSQL's login method md5, where a database still asks for it. The result
/// stands for the password there, so it is secret. Nothing where libcrypto forbids MD5 (FIPS).
std::optional<SecretBytes> md5_hex(std::initializer_list<ByteView> parts);

}  // namespace pgveil::core
