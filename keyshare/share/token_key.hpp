#pragma once

#include "keyshare/core/jws.hpp"
#include "keyshare/share/error.hpp"
#include "keyshare/share/token.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace pgveil::share {

/// How far the clock of who makes a token may be off, in seconds.
inline constexpr std::int64_t kStatementSkewS = 30;
/// The same where the token answers a challenge, so that its times count by P's clock.
inline constexpr std::int64_t kUncertainClockSkewS = 86400;

/// P's statement about its current token key; what `SELECT pgveil.token_key()` returns.
struct TokenKeyStatement {
    std::string tenant;
    TokenPublicKey key;
    std::int64_t not_before_s = 0;
    std::int64_t not_after_s = 0;  ///< tokens issued later must use a newer key
};

/// JWS by P's identity key, typ "pgveil-token-key".
std::string sign_statement(const TokenKeyStatement& statement, const core::SigningKey& identity);
/// Refuses another signer (kForged), another tenant (kForeign) and a statement that is not in force
/// at `now_s` give or take `skew_s` (kExpired).
Result<TokenKeyStatement> verify_statement(
    std::string_view jws,
    const core::VerifyingKey& pinned_identity,
    std::string_view tenant,
    std::int64_t now_s,
    std::int64_t skew_s = kStatementSkewS
);

}  // namespace pgveil::share
