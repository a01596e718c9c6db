#pragma once

#include "keyshare/core/secret.hpp"
#include "keyshare/share/token.hpp"
#include "keyshare/user/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace pgveil::user {

/// Where the proxy's signed statement about its token key comes from: one of the two.
struct StatementSource {
    std::string url;   ///< postgresql://...: asks the proxy, `SELECT pgveil.token_key()`
    std::string file;  ///< a file that holds the statement
};

/// Fetches the statement's text; verifies nothing.
Result<std::string> fetch_statement(const StatementSource& source);

/// A token (pgvt1....) for the token key of a statement, once the statement is verified against the
/// proxy identity that the tenant pinned in the user's key: a forged or foreign one gets no share.
/// The proxy lets the token be used for no more than `scope`. With a challenge the clock may be
/// wrong by a day: it serves only to refuse a statement that is older than that.
Result<core::SecretBytes> fresh_token(
    const share::UserKey& key,
    std::string_view statement,
    share::TokenTimes times,
    const share::TokenScope& scope = {}
);

/// Seconds since 1970 by the system's clock.
std::int64_t seconds_now();

}  // namespace pgveil::user
