#pragma once

#include "proxy/session/login.hpp"
#include "proxy/session/upstream_connection.hpp"
#include "proxy/session/upstream_handshake.hpp"
#include "proxy/wire/startup.hpp"

#include <span>

namespace pgveil::session {

/// A server session at its first ReadyForQuery. Move-only.
struct UpstreamReady {
    UpstreamConnection connection;  // its input may hold bytes behind the ReadyForQuery
    UpstreamGreeting greeting;
    UpstreamTarget target;  // where it leads
};

/// What the server is told first, and may be told if it asks.
struct UpstreamStartup {
    std::uint32_t version = wire::kProtocol30;  // what the client speaks; the server may know less
    std::span<const wire::StartupParameter> parameters;
    const UpstreamPassword* password = nullptr;  // null: none is known
    bool allows_cleartext = false;               // upstream.allow_cleartext_password
};

/// Connects to the database server and logs in as the client: StartupMessage with what `startup`
/// holds, SCRAM-SHA-256 by the client's own key (-PLUS, bound to the server's certificate, wherever
/// it is offered), then everything up to the first ReadyForQuery.
///
/// `startup.parameters` must hold `user`, and no `pgveil.` parameter may be left in them; their
/// views must live until this returns. `connect_timeout` applies to connecting and once more to the
/// login. Errors, for end_login: the server's own ErrorResponse byte for byte (3D000, 53300, 28000,
/// ...); 08006 unreachable, lost or not the right server; 28000 where the server wants a login that
/// cannot be made from the client's SCRAM proof, naming what to change. Throws nothing.
net::Awaitable<Result<UpstreamReady>> connect_upstream(
    net::Loop& loop,
    UpstreamTarget target,
    const UpstreamStartup& startup,
    const ClientIdentity& identity
);

}  // namespace pgveil::session
