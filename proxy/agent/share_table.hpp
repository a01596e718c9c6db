#pragma once

#include "keyshare/core/secret.hpp"
#include "keyshare/user/error.hpp"

#include <map>
#include <string>
#include <string_view>

namespace pgveil::agent {

/// The application's shares of its users: the files UID.app of a private directory, in the form
/// that the tenant hands them out, and in memory. Nothing is encrypted: one share of three opens
/// nothing, and whoever can read the files as the agent's account can read its memory. One thread
/// at a time.
class ShareTable {
public:
    /// Reads every UID.app of the directory, which is made if it is missing. The error names the
    /// file.
    static user::Result<ShareTable> open(std::string directory);

    /// The text form (pgva1....); null: none.
    const core::SecretBytes* find(std::string_view user_id) const;

    /// Writes the share to its file, whole or not at all, then remembers it. `text` must be the app
    /// share of that user and tenant.
    user::Result<void> keep(std::string_view tenant, std::string_view user_id, core::ByteView text);

    /// Removes the share and its file; nothing if there is none.
    user::Result<void> forget(std::string_view user_id);

private:
    explicit ShareTable(std::string directory) : directory_(std::move(directory)) {}

    std::string path_of(std::string_view user_id) const;

    std::string directory_;
    std::map<std::string, core::SecretBytes, std::less<>> shares_;
};

}  // namespace pgveil::agent
