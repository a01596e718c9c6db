#pragma once

#include "proxy/relay/session_state.hpp"

#include <boost/system/result.hpp>

#include <string>

namespace pgveil::relay {

/// Carries out a SQL call of DESIGN section 2 (pgveil.add_user and kin) and returns its receipt, or
/// the token key statement, or a challenge. Takes effect at once and outside the client's
/// transaction.
boost::system::result<std::string, Refusal> answer(
    SessionState& state, const analysis::VeilCall& call, const CallArguments* arguments
);

/// What must hold before the call is sent: no transaction block, and no app share in the clear.
std::optional<Refusal> check_call(
    const SessionState& state, const analysis::VeilCall& call, const CallArguments* arguments
);

}  // namespace pgveil::relay
