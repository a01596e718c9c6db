#pragma once

#include "keyshare/core/secret.hpp"

#include <string_view>

namespace pgveil::user {

/// The three session parameters of one user, as text. Views: the caller keeps the bytes alive.
struct SessionShares {
    std::string_view user_id;
    core::ByteView token;      ///< pgvt1....
    core::ByteView app_share;  ///< pgva1....
};

/// The value for PGOPTIONS (libpq's `options`): `existing` as it stands, then the parameters as
/// `-c name=value` words. Whitespace and backslashes in values get a backslash, as PostgreSQL's
/// pg_split_opts (utils/init/postinit.c) undoes it. An `existing` that ends in an unpaired
/// backslash, which would swallow our first word, loses that backslash, as the server would drop
/// it.
core::SecretBytes extended_options(std::string_view existing, const SessionShares& shares);

}  // namespace pgveil::user
