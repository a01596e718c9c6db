#pragma once

#include "config/settings.hpp"
#include "keyshare/store/proxy_custody.hpp"

namespace pgveil::proxy {

inline store::CustodyOptions custody_options(const config::Settings& settings) {
    store::CustodyOptions options;
    options.path = settings.store_path;
    options.tenant = settings.tenant;
    options.limits.max_validity_s = settings.tokens.max_validity_s;
    options.limits.clock_skew_s = settings.tokens.clock_skew_s;
    options.limits.key_epoch_s = settings.tokens.key_epoch_s;
    options.limits.grace_s = settings.tokens.grace_s;
    options.opening = settings.tokens.open == config::TokenOpening::kPerToken
                          ? store::TokenOpening::kPerToken
                          : store::TokenOpening::kPerRequest;
    return options;
}

}  // namespace pgveil::proxy
