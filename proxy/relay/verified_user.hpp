#pragma once

#include "proxy/relay/session_parameters.hpp"

#include <cstdint>
#include <string>
#include <utility>

namespace pgveil::relay {

/// The server's setting pgveil_verified.user_id, which row-level security may read: the user whose
/// token was opened last in this session, and empty as soon as that token is not in force any more
/// (SQL.md section 7). Clients cannot set it. Belongs to one session; asks nobody.
class VerifiedUser {
public:
    /// What the server holds: read back, or just set.
    void at_server(std::string user_id) { at_server_ = std::move(user_id); }

    /// How long a token is good (Unix seconds), and how long for a transaction that may finish.
    struct Validity {
        std::int64_t expires_s = 0;
        std::int64_t grace_ends_s = 0;
    };

    /// A token of `user_id` was opened; it came as the value behind `handles`.
    void opened(std::string user_id, const ShareHandles& handles, Validity validity) {
        user_id_ = std::move(user_id);
        handles_ = handles;
        validity_ = validity;
    }

    /// The server holds the user whose token was opened last.
    bool is_at_server() const { return at_server_ == user_id_; }

    /// The server names a user, rightly or not.
    bool names_somebody() const { return !at_server_.empty(); }

    /// What the server holds may stand, as long as the handles in force are these, at this time.
    bool may_stand(const ShareHandles& handles, std::int64_t now_s, bool is_graced) const {
        return is_at_server() && handles == handles_ &&
               now_s < (is_graced ? validity_.grace_ends_s : validity_.expires_s);
    }

    const std::string& user_id() const { return user_id_; }

private:
    std::string at_server_;
    std::string user_id_;
    ShareHandles handles_;
    Validity validity_;
};

}  // namespace pgveil::relay
