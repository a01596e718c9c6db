#pragma once

#include "proxy/session/login.hpp"

#include <string>

namespace pgveil::session {

/// authenticate_client, with PostgreSQL's answer when the stream's deadline passes: 57014
/// "canceling authentication due to timeout". Any other loss of the network throws
/// boost::system::system_error.
net::Awaitable<Result<ClientIdentity>> authenticate_in_time(
    net::Stream& client, net::Buffer& input, std::string user, KnownSecret secret
);

}  // namespace pgveil::session
