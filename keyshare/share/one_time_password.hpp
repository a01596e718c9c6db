#pragma once

#include "keyshare/core/random.hpp"
#include "keyshare/core/secret.hpp"
#include "keyshare/share/error.hpp"

#include <string>

namespace pgveil::share {

/// A one-time password and the only thing that is kept of it.
struct OneTimePassword {
    core::SecretBytes text;  ///< 128 random bits as 26 characters of Crockford base32, in groups:
                             ///< XXXXX-XXXXX-XXXXX-XXXXX-XXXXXX
    std::string verifier;    ///< PostgreSQL's form: SCRAM-SHA-256$4096:salt$StoredKey:ServerKey
};

OneTimePassword make_one_time_password(core::RandomSource& random);

/// The SCRAM-SHA-256 verifier (RFC 5802, RFC 7677) of an ASCII password, in PostgreSQL's form.
std::string scram_verifier(core::ByteView password, core::ByteView salt, std::uint32_t iterations);

}  // namespace pgveil::share
