#pragma once

#include "net/buffer.hpp"
#include "net/stream.hpp"

#include <string>

namespace pgveil::session {

class Worker;

/// Serves one session of the admin console, database `pgveil`, from login to Terminate. `user` logs
/// in with the users file's SCRAM secret as everybody does, and with a certificate where one is
/// demanded beside it, and has to be one of the settings' admin_users or stats_users; every command
/// is checked again, against the settings then in force (admin::objection_to). Such a session does
/// not count against limits.sessions, and a drain does not wait for it. Sends every error itself;
/// the caller closes the stream. Throws boost::system::system_error when the network fails.
net::Awaitable<void> serve_console(
    Worker& worker, net::Stream& client, net::Buffer& input, std::string user
);

}  // namespace pgveil::session
