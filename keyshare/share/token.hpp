#pragma once

#include "keyshare/core/hpke.hpp"
#include "keyshare/core/p256.hpp"
#include "keyshare/core/random.hpp"
#include "keyshare/core/secret.hpp"
#include "keyshare/share/error.hpp"
#include "keyshare/share/key_kinds.hpp"
#include "keyshare/share/token_scope.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace pgveil::share {

/// The largest text form of a token or app share that is looked at, in bytes.
inline constexpr std::size_t kShareTextSizeMax = 16384;

/// What a token says. Move-only: holds TKu.
struct TokenContents {
    std::string tenant;
    std::string user_id;
    std::int64_t issued_at_s = 0;   ///< iat, Unix seconds
    std::int64_t expires_at_s = 0;  ///< exp, Unix seconds; exp > iat
    Nonce nonce{};
    Digest audience{};        ///< SHA-256 of P's identity public key (65 bytes, uncompressed point)
    std::uint32_t epoch = 0;  ///< share epoch of TKu
    std::string scope;        ///< serialize(TokenScope), as it came; empty: not restricted
    GroupParts<UserPart> groups;
};

/// P's public token key of one token-key epoch.
struct TokenPublicKey {
    std::uint32_t key_id = 0;
    core::PublicPoint point;
};

/// `pgvt1.` and base64url(key id(4) || HPKE enc(65) || ciphertext), HPKE info = LP("pgveil/1
/// token", tenant, key id).
Result<core::SecretBytes> seal_token(const TokenContents& contents, const TokenPublicKey& key);

/// The outside of a token, before it is opened.
struct SealedToken {
    std::uint32_t key_id = 0;
    core::Bytes sealed;
};

Result<SealedToken> parse_token(core::ByteView text);
/// kForged: altered, or sealed for another key or tenant. kMalformed: opens, but is no token of
/// this version. Checks nothing about time, audience or user: that is P's part.
Result<TokenContents> open_token(
    const SealedToken& token, const core::HpkeKeyPair& key, std::string_view tenant
);

/// A user's key file, before it is locked under a passphrase: everything needed to make tokens.
struct UserKey {
    std::string tenant;
    std::string user_id;
    std::uint32_t epoch = 0;
    core::PublicPoint proxy_identity;  ///< P's identity public key, pinned
    GroupParts<UserPart> groups;
};

core::SecretBytes serialize(const UserKey& key);
Result<UserKey> parse_user_key(core::ByteView bytes);

/// Times of a token to make; `now_s` is the clock, `validity_s` the life in seconds (default of the
/// programs: 60).
struct TokenTimes {
    std::int64_t now_s;
    std::int64_t validity_s;
};

/// A fresh token of this user for the token key of a verified statement, for no more than `scope`.
Result<core::SecretBytes> make_token(
    const UserKey& user,
    const TokenPublicKey& key,
    TokenTimes times,
    core::RandomSource& random,
    const TokenScope& scope = {}
);

}  // namespace pgveil::share
