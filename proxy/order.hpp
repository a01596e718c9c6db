#pragma once

#include <string>

namespace pgveil::proxy {

struct OrderRequest {
    std::string tenant_fingerprint;  ///< empty: whoever holds the one-time password
    bool again = false;
};

/// `pgveil order`: makes what the provider orders (CRYPTO.md section 4) and prints two lines on
/// stdout, `one-time password: ...` and `identity: ...`. The password is shown this once.
/// Returns the exit code.
int order(const std::string& settings_file, const OrderRequest& request);

}  // namespace pgveil::proxy
