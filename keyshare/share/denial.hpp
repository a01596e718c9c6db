#pragma once

#include "keyshare/core/secret.hpp"
#include "keyshare/share/challenge.hpp"
#include "keyshare/share/key_kinds.hpp"

#include <boost/system/result.hpp>

#include <optional>
#include <string>

namespace pgveil::share {

/// Why a request gets no keys. All of them are SQLSTATE 28000 to the client.
enum class DenialKind {
    kNotBootstrapped,  ///< this proxy has no tenant yet
    kMissingUserId,
    kMissingToken,
    kMissingAppShare,
    kUnknownUser,
    kWithdrawnUser,
    kUserLocked,  ///< by an alarm
    kTokenMalformed,
    kTokenKeyUnknown,    ///< sealed to a key this proxy never had, or long ago
    kTokenKeyDestroyed,  ///< sealed to a key that was destroyed after its epoch
    kTokenAltered,       ///< altered, or sealed for another tenant or proxy: its seal does not open
    kTokenForeign,       ///< of another tenant, user or proxy
    kTokenExpired,
    kTokenNotYetValid,
    kTokenValidTooLong,
    kTokenScope,        ///< carries a restriction that this version cannot enforce
    kTokenRole,         ///< its scope names another database role
    kTokenSpent,        ///< its scope allows no more sessions or statements
    kTokenTaken,        ///< another login presented it first
    kTokenChallenge,    ///< answers no challenge of this session, or one that is spent
    kTokenChannel,      ///< its scope names another TLS connection
    kChallengeMissing,  ///< answers none, but has to
    kUserShareStale,
    kUserShareWrong,
    kAppShareMalformed,
    kAppShareForeign,  ///< of another tenant or user
    kAppShareStale,
    kAppShareWrong,
    kProxyShareBroken,  ///< P's own store does not open or does not fit its key check
    kStoreUnavailable,  ///< P's store cannot note the first use of the token
    kLocked,            ///< somebody has locked this proxy: it has no store key
    kZeroNotRead,       ///< the "0" has not been read from D since the keyring changed
    kZeroWrong,         ///< the "0" read from D does not open under the rebuilt key
    kNoCommonGroup,     ///< the shares name no key group in common
};

/// The message names the share or token that is at fault and what to do; it never holds a secret.
struct Denial {
    DenialKind kind;
    std::string message;
};

template <class T>
using Verdict = boost::system::result<T, Denial>;

/// What a session presents for one request. The pointers are borrowed for the call; null means "not
/// given".
struct PresentedShares {
    std::string user_id;                           ///< pgveil.user_id
    std::string login;                             ///< database role of the session
    const core::SecretBytes* token = nullptr;      ///< pgveil.user_token, text form pgvt1....
    const core::SecretBytes* app_share = nullptr;  ///< pgveil.app_share, text form pgva1....
    /// The open transaction had keys from this very token while it was valid, so it may finish.
    bool may_finish = false;
    /// Those of this session; the one that the token answers is spent when it gives keys. Null: it
    /// was given none.
    Challenges* challenges = nullptr;
    /// The TLS exporter of the client's connection (RFC 9266); nothing without TLS.
    std::optional<Digest> channel = {};
};

}  // namespace pgveil::share
