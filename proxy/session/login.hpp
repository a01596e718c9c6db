#pragma once

#include "net/buffer.hpp"
#include "net/stream.hpp"
#include "proxy/session/login_error.hpp"
#include "proxy/session/scram_client.hpp"
#include "proxy/session/scram_server.hpp"
#include "proxy/session/users_file.hpp"

#include <memory>
#include <string>

namespace pgveil::session {

/// Who the client has proved to be, and what lets the proxy prove the same upstream. Move-only.
struct ClientIdentity {
    std::string user;
    std::string users_file;  // where the verifier came from, for error texts
    ScramCredentials credentials;
};

/// Authenticates the client by SCRAM-SHA-256, and -PLUS over TLS, bound to our own certificate.
/// Ends with AuthenticationSASLFinal and AuthenticationOk sent and the stream's deadline cleared.
/// An unknown user gets the same messages and then the same 28P01 as a wrong password.
/// Errors are for end_login; a lost network and the passed deadline throw
/// boost::system::system_error. Keeps `users` alive during the exchange.
net::Awaitable<Result<ClientIdentity>> authenticate_client(
    net::Stream& client, net::Buffer& input, std::string user, std::shared_ptr<const Users> users
);

/// 18 random bytes in base64, as PostgreSQL draws them.
std::string fresh_scram_nonce();

/// The SCRAM exchange itself: offers, reads, answers, up to AuthenticationSASLFinal (queued, not
/// flushed). `setup.end_point` and `setup.nonce` are filled in here.
net::Awaitable<Result<ScramServer::Done>> exchange_scram(
    net::Stream& client, net::Buffer& input, ScramServerSetup setup
);

}  // namespace pgveil::session
