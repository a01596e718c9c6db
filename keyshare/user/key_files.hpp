#pragma once

#include "keyshare/core/hash.hpp"
#include "keyshare/core/secret.hpp"
#include "keyshare/share/token.hpp"
#include "keyshare/user/error.hpp"
#include "keyshare/user/passphrase.hpp"

#include <string>
#include <string_view>

namespace pgveil::user {

/// Opens a private `.user` file. The passphrase is asked for only if the file has one.
Result<share::UserKey> open_user_key(const std::string& path, const SecretSource& passphrase);

/// What can be told of a private `.user` file without opening it.
struct UserKeyLook {
    core::Sha256Digest digest;  ///< of its text
    bool needs_passphrase = false;
};

Result<UserKeyLook> look_at_user_key(const std::string& path);

/// The text (pgva1....) in a private `.app` file, checked to be the app share of this user.
Result<core::SecretBytes> read_app_share(
    const std::string& path, std::string_view tenant, std::string_view user_id
);

}  // namespace pgveil::user
