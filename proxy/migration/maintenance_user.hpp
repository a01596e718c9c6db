#pragma once

#include "keyshare/share/token.hpp"
#include "keyshare/user/passphrase.hpp"
#include "proxy/migration/connection.hpp"

#include <cstdint>
#include <string>

namespace pgveil::migration {

/// The files of the user whose shares the work is done with.
struct UserFiles {
    std::string key;        ///< UID.user
    std::string app_share;  ///< UID.app; empty: renew() is not called
    user::SecretSource passphrase;
};

/// A user's shares, opened once; keeps a session of the proxy supplied with fresh tokens. One
/// thread.
class MaintenanceUser {
public:
    /// Asks for the passphrase if the key file has one and `files` names no source.
    static Result<MaintenanceUser> open(const UserFiles& files);

    /// Makes sure that the session's token lives for as long as a batch takes. Call it outside of a
    /// transaction: a rollback would undo it.
    Result<void> renew(Connection& proxy);

    /// The user has shares of this key group.
    bool has_group(const std::string& group) const;

    const std::string& id() const { return key_.user_id; }

    const std::string& tenant() const { return key_.tenant; }

    /// The identity key of the proxy, as the tenant pinned it.
    const core::PublicPoint& proxy_identity() const { return key_.proxy_identity; }

private:
    MaintenanceUser(share::UserKey key, core::SecretBytes app_share)
        : key_(std::move(key)), app_share_(std::move(app_share)) {}

    share::UserKey key_;
    core::SecretBytes app_share_;
    std::int64_t renewed_s_ = 0;
};

}  // namespace pgveil::migration
