#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/error.hpp"
#include "keyshare/core/secret.hpp"

#include <string>
#include <string_view>

namespace pgveil::core {

/// base64url without padding (RFC 4648 section 5). Time depends on length, not on the bytes'
/// values, for the secret forms as for the public ones.
std::string base64url_encode(ByteView bytes);

/// Strict and canonical: only the alphabet, no padding, no white space, no impossible length,
/// unused bits zero. Everything else is kEncoding, so every byte string has exactly one text.
Result<Bytes> base64url_decode(std::string_view text);

/// The same for secrets: the text form (ASCII) lies in secret memory too.
SecretBytes base64url_encode_secret(ByteView bytes);
Result<SecretBytes> base64url_decode_secret(std::string_view text);

/// base64 with padding (RFC 4648 section 4), for SCRAM; decoding is as strict: padding is required.
std::string base64_encode(ByteView bytes);
Result<Bytes> base64_decode(std::string_view text);

}  // namespace pgveil::core
