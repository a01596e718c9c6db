#pragma once

#include "proxy/relay/session_state.hpp"
#include "proxy/wire/startup.hpp"

#include <boost/system/result.hpp>

#include <span>
#include <string>
#include <utility>
#include <vector>

namespace pgveil::relay {

using StartupPairs = std::vector<std::pair<std::string, std::string>>;

/// The startup parameters that go upstream: those of the client, with the session parameters of
/// pgveil (given as parameters of their own or inside `options`) replaced by handles. Refused:
/// unknown pgveil.* parameters (42704), pgveil_verified.* (42501), shares without TLS (28000), and
/// `options` that the server would refuse.
boost::system::result<StartupPairs, Refusal> take_startup_parameters(
    SessionParameters& parameters,
    std::span<const wire::StartupParameter> startup,
    bool client_is_tls
);

}  // namespace pgveil::relay
