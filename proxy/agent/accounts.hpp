#pragma once

#include "config/agent_settings.hpp"
#include "keyshare/core/hash.hpp"
#include "keyshare/core/secret.hpp"
#include "keyshare/share/token.hpp"
#include "keyshare/user/error.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace pgveil::agent {

/// What the settings give of one user for a session.
struct Account {
    share::UserKey key;
    core::SecretBytes app_share;   ///< its text form, pgva1....; empty: from the table
    share::TokenScope scope = {};  ///< of the tokens
};

/// Whose shares the sessions of which database role get. Immutable after load().
class Accounts {
public:
    /// Opens every key file; a passphrase that no file gives comes from `passphrase_fd`, one line
    /// for each key in the order of the roles, or from the terminal. Errors name file and remedy.
    static user::Result<Accounts> load(
        const config::AgentSettings& settings, std::optional<int> passphrase_fd
    );

    /// The same for a process that runs: a key file that is as it was stays open, and nobody is
    /// asked for a passphrase. The error says which file needs one that the settings do not give.
    user::Result<Accounts> load_again(const config::AgentSettings& settings) const;

    /// Of the role, else of "*"; null: nobody's.
    std::shared_ptr<const Account> find(std::string_view role) const;

private:
    struct OpenKey {
        core::Sha256Digest digest;  ///< of its file
        std::shared_ptr<const Account> owner;
    };

    class Loader;

    std::map<std::string, OpenKey, std::less<>> open_keys_;  ///< by path
    std::map<std::string, std::shared_ptr<const Account>, std::less<>>
        by_role_;  // roles share some
};

}  // namespace pgveil::agent
