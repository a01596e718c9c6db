#pragma once

#include "config/policy.hpp"
#include "proxy/session/login_error.hpp"

#include <optional>
#include <string_view>

namespace pgveil::session {

/// What the startup parameter `replication` asks for.
enum class Replication {
    kNone,
    kLogical,   ///< `database`: SQL and changes of one database
    kPhysical,  ///< `true`: WAL and base backups of the whole cluster
};

/// What the server takes the value for; what it would refuse counts as physical.
Replication replication_of(std::string_view value);

/// Why a connection may not be one of this kind: what it carries holds protected values as they are
/// stored. Nothing where the policy protects nothing of it: for a logical one the database, for a
/// physical one every database.
/// @param policy null: nobody knows, so none may be
std::optional<LoginError> reason_against(
    Replication replication, std::string_view database, const config::Policy* policy
);

}  // namespace pgveil::session
