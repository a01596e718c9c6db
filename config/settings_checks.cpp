#include "config/settings_checks.hpp"

#include <algorithm>

namespace pgveil::config {
namespace {

constexpr std::uint64_t kArenaBytesMin = 1048576;

/// In what an operator decides about the running proxy.
std::optional<Problem> find_wrong_operation(const Settings& settings) {
    constexpr std::uint32_t kKeepaliveMin = 1000;
    if (settings.timeouts.keepalive_ms != 0 && settings.timeouts.keepalive_ms < kKeepaliveMin) {
        return Problem{"/timeouts/keepalive_ms", "is too small; use 0 (never) or at least 1000"};
    }
    for (const auto* const names : {&settings.console.admin_users, &settings.console.stats_users}) {
        if (std::find(names->begin(), names->end(), "bootstrap") != names->end()) {
            return Problem{
                names == &settings.console.admin_users ? "/admin_users" : "/stats_users",
                "may not list \"bootstrap\": that name is the tenant's, who takes the proxy over"};
        }
    }
    return std::nullopt;
}

}  // namespace

std::optional<Problem> find_contradiction(const Settings& settings) {
    const ListenSettings& listen = settings.listen;
    if (listen.tls != ListenTls::kDisable && (listen.certificate.empty() || listen.key.empty())) {
        return Problem{
            "/listen/tls",
            "needs \"certificate\" and \"key\"; add them, or set \"mode\" to \"disable\" where "
            "clients reach the proxy only over the loopback interface"};
    }
    if (listen.client_ca.empty() && !listen.certificate_users.empty()) {
        return Problem{
            "/listen/tls/certificate_users",
            "needs \"client_ca\": without it no client is asked for a certificate"};
    }
    if (!listen.client_ca.empty() && listen.tls == ListenTls::kDisable) {
        return Problem{"/listen/tls/client_ca", "needs TLS; set \"mode\" to \"require\""};
    }
    if (settings.users_file.empty() && !settings.auth_query.is_on() &&
        settings.upstream.passwords_file.empty()) {
        return Problem{
            "the document",
            "says nobody who may log in; add the key \"users_file\" or \"auth_query\""};
    }
    if (settings.memory.arena_bytes != 0 && settings.memory.arena_bytes < kArenaBytesMin) {
        return Problem{
            "/memory/arena_bytes",
            "is too small; use 0 (computed from limits.sessions) or at least 1048576"};
    }
    if (settings.tokens.key_epoch_s <= settings.tokens.max_validity_s) {
        return Problem{
            "/tokens/key_epoch_s",
            "is not longer than max_validity_s, so that tokens would outlive their key; make it "
            "longer"};
    }
    return find_wrong_operation(settings);
}

}  // namespace pgveil::config
