#pragma once

#include "proxy/mirror/secret_query.hpp"
#include "proxy/session/secret_source.hpp"

namespace pgveil::proxy {

/// auth_query: what the sessions ask for, answered by the proxy's own connection to the database.
class SecretLookup final : public session::SecretSource {
public:
    void ask(std::shared_ptr<const config::Settings> settings, std::string user, Done done)
        override;

private:
    mirror::SecretQuery query_;
};

}  // namespace pgveil::proxy
