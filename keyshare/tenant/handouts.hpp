#pragma once

#include "keyshare/tenant/commands.hpp"
#include "keyshare/tenant/home_state.hpp"
#include "keyshare/user/user_file.hpp"

#include <string>
#include <vector>

namespace pgveil::tenant {

/// The names under which a user's shares leave the house.
struct HandoutNames {
    std::string user;  ///< DIR/UID.user, for the user
    std::string app;   ///< DIR/UID.app, for the application
};

HandoutNames handout_names(const std::string& directory, const std::string& user_id);

/// Makes DIR (mode 0700) when it is missing.
Result<void> make_out_directory(const std::string& directory);

/// Refuses names that are taken, before anything is made.
Result<void> require_free(const std::vector<std::string>& paths);

/// The one passphrase of many files UID.user; empty for --no-passphrase.
Result<core::SecretBytes> passphrase_of_all(const HandoutArguments& arguments);

/// Writes UID.user and UID.app (mode 0600) of each user into DIR. A file that is there already is
/// left alone when it holds exactly this user's shares (an earlier run was cut short), and is an
/// error otherwise.
Result<void> write_handouts(
    const std::vector<const UserRecord*>& users,
    const std::string& directory,
    const user::UserFileLock& lock
);

/// Writes UID.user alone, as write_handouts does.
Result<void> write_user_file(
    const UserRecord& user, const HandoutNames& names, const user::UserFileLock& lock
);

/// Writes UID.app alone, as write_handouts does.
Result<void> write_app_files(
    const std::vector<const UserRecord*>& users, const std::string& directory
);

/// Writes DIR/NNNN-operation.sql for each call that pending commands need; returns their paths. An
/// existing file of the same content is left alone, another one is an error.
Result<std::vector<std::string>> write_sql(const HomeState& state, const std::string& directory);

}  // namespace pgveil::tenant
