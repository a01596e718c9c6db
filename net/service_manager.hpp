#pragma once

#include "net/error.hpp"
#include "net/socket.hpp"

#include <string_view>
#include <vector>

// What systemd and its relatives say to a service, and hear from it: two environment variables and
// a datagram. Call these from the main thread.
namespace pgveil::net {

/// Tells the service manager about this process: lines as "READY=1" (sd_notify(3)). Nothing happens
/// where NOTIFY_SOCKET is not set, or where nobody listens there.
void notify_service_manager(std::string_view lines) noexcept;

/// "RELOADING=1" with the time that goes with it; "READY=1" ends it.
void notify_reloading() noexcept;

/// The listening sockets that were handed over (LISTEN_FDS and LISTEN_PID, sd_listen_fds(3)), now
/// owned by the caller, not blocking, and closed on exec; none if there are none for this process.
/// An error if one of them is no listening stream socket of IPv4 or IPv6.
Result<std::vector<Socket>> inherited_listeners();

}  // namespace pgveil::net
