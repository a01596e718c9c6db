#pragma once

#include "config/policy.hpp"
#include "keyshare/core/bytes.hpp"
#include "keyshare/core/secret.hpp"
#include "net/buffer.hpp"
#include "net/stream.hpp"
#include "net/tls_context.hpp"
#include "proxy/session/login_error.hpp"
#include "proxy/session/replication.hpp"
#include "proxy/wire/startup.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace pgveil::session {

/// A client's StartupMessage, accepted. Owns the packet in secret memory, because its parameters
/// may carry shares: `parameters` are views into it and move along with it.
struct ClientStartup {
    core::SecretBytes packet;
    std::string user;
    std::string database;  // the user's name if the client gave none, as at the server
    std::uint32_t version = wire::kProtocol30;  // what was agreed: 3.0 or 3.2
    bool is_private = false;  // over TLS or a Unix socket: the network cannot read it
    Replication replication = Replication::kNone;

    /// Everything to be forwarded, in order: `user`, `database`, `options`, other settings. Options
    /// of the protocol (`_pq_.`) are not among them: they were answered here.
    std::vector<wire::StartupParameter> parameters;
};

/// A CancelRequest. `secret` is 4 to 256 bytes.
struct CancelKey {
    std::uint32_t process_id = 0;
    core::Bytes secret;
};

using Accepted = std::variant<ClientStartup, CancelKey>;

/// Says whether a startup packet carries secrets of pgveil (see carries_shares).
using SharesProbe = std::function<bool(const wire::StartupMessage&)>;

/// The rules of the client leg before login. Copyable; one per listener.
struct StartupRules {
    std::shared_ptr<const net::TlsContext> tls;  // null: SSLRequest is answered with N
    bool requires_tls = true;                    // of clients on the network
    std::size_t packet_bytes_max = wire::kStartupLimit;
    net::Duration login_timeout{60000};
    SharesProbe exposes_shares;                    // empty: carries_shares
    std::shared_ptr<const config::Policy> policy;  // null: no replication connections
};

/// Reads SSLRequest, GSSENCRequest, CancelRequest and StartupMessage until the last two decide, and
/// makes the TLS handshake, also a direct one (first byte 0x16; needs ALPN "postgresql"). On a Unix
/// socket there is no TLS, as at the server.
///
/// Sets the stream's deadline to `login_timeout`; it stays set: whoever finishes the login clears
/// it (authenticate_client does). Queues a NegotiateProtocolVersion when another minor version than
/// 3.0 and 3.2, or an unknown `_pq_.` option was asked for: it leaves with the next flush.
/// A lost network and the passed deadline throw boost::system::system_error: close the stream.
/// Errors, to be handed to end_login: silence() for port scans, health checks and broken packets;
/// 28000 without required TLS, without a user, and for shares in a packet that came in plain (they
/// are exposed from then on, says the text); 0A000 for another protocol and for `replication` where
/// the policy protects something (see reason_against);
/// 08P01 for bytes behind a request for encryption, which were sent before it was answered.
net::Awaitable<Result<Accepted>> accept_startup(
    net::Stream& client, net::Buffer& input, const StartupRules& rules
);

// ---- the pure parts ----

/// True if a parameter name or the text of `options` names a parameter of pgveil. Errs on the side
/// of true: it looks for the prefix in any spelling the server would fold to it.
bool carries_shares(const wire::StartupMessage& message);

/// What was agreed on, and what a NegotiateProtocolVersion must list; `needed` is false when none
/// is due.
struct Negotiation {
    bool needed = false;
    std::uint32_t version = wire::kProtocol30;
    std::vector<std::string_view> unrecognized;
};

/// 3.2 for 3.2 and later, 3.0 for 3.0 and 3.1 (which was never released). The upstream's own answer
/// changes nothing of it: 3.2 differs from 3.0 in the length of cancel keys only, and allows keys
/// of 4 bytes, too.

Negotiation negotiate(const wire::StartupMessage& message);

/// Checks a StartupMessage and takes `packet`, its bytes, over.
/// @param is_private it came over TLS or a Unix socket
Result<ClientStartup> check_startup(
    core::SecretBytes packet, bool is_private, const StartupRules& rules
);

}  // namespace pgveil::session
