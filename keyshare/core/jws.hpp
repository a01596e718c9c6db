#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/error.hpp"
#include "keyshare/core/hash.hpp"
#include "keyshare/core/p256.hpp"

#include <string>
#include <string_view>

namespace pgveil::core {

/// Compact JWS (RFC 7515) with ES256, in exactly one form:
/// base64url({"alg":"ES256","typ":"<typ>","kid":"<fingerprint>"}) . base64url(payload) .
/// base64url(r || s) No other header member, order, white space or escape is accepted; `kid` is the
/// key's fingerprint_text().

/// 1 to 64 characters of a-z 0-9 + . - : the purpose of the message, for example
/// "pgveil-command+jws".
bool is_jws_type(std::string_view typ) noexcept;

/// `typ` must satisfy is_jws_type() (invariant). The payload is public (anyone who holds the text
/// reads it).
std::string sign_jws(const SigningKey& key, std::string_view typ, ByteView payload);

/// The payload, once alg, typ, kid and signature all fit. kEncoding when it is no JWS of the form
/// above; kAuthentication when typ, kid or signature is another's. Never throws on any text.
Result<Bytes> verify_jws(const VerifyingKey& key, std::string_view typ, std::string_view compact);

/// The parts of a well-formed JWS, NOT verified: to choose the key, or to show a refused message.
struct JwsParts {
    std::string typ;
    std::string kid;
    std::string_view signing_input;  ///< points into the text: header . payload
    Bytes payload;
    Bytes signature;  ///< 64 bytes
};

Result<JwsParts> parse_jws(std::string_view compact);

/// SHA-256 of the signing input (everything before the second dot): how messages are chained,
/// because the signature part is malleable. kEncoding as parse_jws().
Result<Sha256Digest> jws_hash(std::string_view compact);

}  // namespace pgveil::core
