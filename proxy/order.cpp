#include "proxy/order.hpp"

#include "keyshare/core/random.hpp"
#include "keyshare/share/tenant.hpp"
#include "proxy/custody_options.hpp"
#include "proxy/seal_choice.hpp"
#include "proxy/session/service.hpp"
#include "proxy/start.hpp"

#include <iostream>
#include <unistd.h>

namespace pgveil::proxy {

namespace {

/// Straight to the descriptor: no copy of the password in a stream's buffer.
bool print_secret(core::ByteView secret) {
    return ::write(STDOUT_FILENO, secret.data(), secret.size()) ==
           static_cast<ssize_t>(secret.size());
}

}  // namespace

int order(const std::string& settings_file, const OrderRequest& request) {
    const auto settings = start(settings_file);
    if (!settings) {
        return kExitConfiguration;
    }
    store::OrderOptions options;
    options.again = request.again;
    if (!request.tenant_fingerprint.empty()) {
        const auto expected = share::parse_fingerprint(request.tenant_fingerprint);
        if (!expected.has_value()) {
            return refuse_to_start("--tenant-fingerprint: " + expected.error().message);
        }
        options.expected_tenant = *expected;
    }
    const auto seal = make_seal(*settings);
    if (!seal.has_value()) {
        return refuse_to_start(seal.error().message);
    }
    const auto created = (*seal)->create_if_missing(core::system_random());
    if (!created.has_value()) {
        return refuse_to_start(created.error().message);
    }
    const auto made = store::ProxyCustody::order(
        custody_options(*settings), **seal, options, session::unix_time_s()
    );
    if (!made.has_value()) {
        return refuse_to_start(made.error().message);
    }
    std::cout << "one-time password: " << std::flush;
    const bool printed = print_secret(made->one_time_password.reveal());
    std::cout << "\nidentity: " << made->identity_fingerprint << '\n';
    return printed ? 0 : kExitFailed;
}

}  // namespace pgveil::proxy
