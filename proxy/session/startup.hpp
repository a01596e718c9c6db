#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/secret.hpp"
#include "net/buffer.hpp"
#include "net/stream.hpp"
#include "net/tls_context.hpp"
#include "proxy/session/login_error.hpp"
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
    bool is_tls = false;

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
    bool requires_tls = true;
    std::size_t packet_bytes_max = wire::kStartupLimit;
    net::Duration login_timeout{60000};
    SharesProbe exposes_shares;  // empty: carries_shares
};

/// Reads SSLRequest, GSSENCRequest, CancelRequest and StartupMessage until the last two decide, and
/// makes the TLS handshake, also a direct one (first byte 0x16; needs ALPN "postgresql").
///
/// Sets the stream's deadline to `login_timeout`; it stays set: whoever finishes the login clears
/// it (authenticate_client does). Queues a NegotiateProtocolVersion when a later minor version than
/// 3.0 or an unknown `_pq_.` option was asked for: it leaves with the next flush.
/// A lost network and the passed deadline throw boost::system::system_error: close the stream.
/// Errors, to be handed to end_login: silence() for port scans, health checks and broken packets;
/// 28000 without required TLS, without a user, and for shares in a packet that came in plain (they
/// are exposed from then on, says the text); 0A000 for another protocol and for `replication`.
net::Awaitable<Result<Accepted>> accept_startup(
    net::Stream& client, net::Buffer& input, const StartupRules& rules
);

// ---- the pure parts ----

/// True if a parameter name or the text of `options` names a parameter of pgveil. Errs on the side
/// of true: it looks for the prefix in any spelling the server would fold to it.
bool carries_shares(const wire::StartupMessage& message);

/// What a NegotiateProtocolVersion must list; `needed` is false when none is due.
struct Negotiation {
    bool needed = false;
    std::vector<std::string_view> unrecognized;
};

Negotiation negotiate(const wire::StartupMessage& message);

/// Checks a StartupMessage that came over TLS or not, and takes `packet`, its bytes, over.
Result<ClientStartup> check_startup(
    core::SecretBytes packet, bool is_tls, const StartupRules& rules
);

}  // namespace pgveil::session
