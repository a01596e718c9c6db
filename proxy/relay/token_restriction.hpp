#pragma once

#include "keyshare/share/token_scope.hpp"
#include "proxy/relay/session_parameters.hpp"

#include <string>

namespace pgveil::relay {

/// What the token behind these handles may be used for, as the session last saw it.
struct TokenRestriction {
    ShareHandles handles;
    std::string user_id;
    share::TokenScopePtr scope;  ///< null: everything
};

}  // namespace pgveil::relay
