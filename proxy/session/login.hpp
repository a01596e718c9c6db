#pragma once

#include "net/buffer.hpp"
#include "net/stream.hpp"
#include "proxy/session/login_error.hpp"
#include "proxy/session/scram_client.hpp"
#include "proxy/session/scram_server.hpp"
#include "proxy/session/users_file.hpp"

#include <memory>
#include <optional>
#include <string>

namespace pgveil::session {

/// Who the client has proved to be, and what lets the proxy prove the same upstream. Move-only.
struct ClientIdentity {
    std::string user;
    std::string users_file;                       // where the verifier came from, for error texts
    std::optional<ScramCredentials> credentials;  // nothing after a login by certificate
};

/// The verifier a client is measured by. Both are kept alive during the exchange.
struct KnownSecret {
    std::shared_ptr<const Users> users;          // never null: the shape of made-up salts
    std::shared_ptr<const ScramVerifier> found;  // null: what `users` says counts
    std::string source;                          // where it is from, for error texts
};

/// Authenticates the client by SCRAM-SHA-256, and -PLUS over TLS, bound to our own certificate.
/// Ends with AuthenticationSASLFinal and AuthenticationOk sent and the stream's deadline cleared.
/// An unknown user gets the same messages and then the same 28P01 as a wrong password.
/// Errors are for end_login; a lost network and the passed deadline throw
/// boost::system::system_error.
net::Awaitable<Result<ClientIdentity>> authenticate_client(
    net::Stream& client, net::Buffer& input, std::string user, KnownSecret secret
);

/// The end of a login: AuthenticationOk is sent, the stream's deadline cleared.
void welcome(net::Stream& client);

/// 18 random bytes in base64, as PostgreSQL draws them.
std::string fresh_scram_nonce();

/// The SCRAM exchange itself: offers, reads, answers, up to AuthenticationSASLFinal (queued, not
/// flushed). `setup.end_point` and `setup.nonce` are filled in here.
net::Awaitable<Result<ScramServer::Done>> exchange_scram(
    net::Stream& client, net::Buffer& input, ScramServerSetup setup
);

}  // namespace pgveil::session
