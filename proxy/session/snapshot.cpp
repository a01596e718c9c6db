#include "proxy/session/snapshot.hpp"

#include "proxy/session/tls_files.hpp"

#include <new>
#include <utility>

namespace pgveil::session {

namespace {

using boost::system::result;

UpstreamHosts upstream_hosts(const config::UpstreamSettings& settings) {
    UpstreamHosts upstream;
    upstream.attrs = settings.session_attrs;
    for (const config::UpstreamHost& each : settings.hosts) {
        UpstreamTarget target;
        target.host = each.host;
        target.port = each.port;
        target.connect_timeout = net::Duration(settings.connect_timeout_ms);
        upstream.targets.push_back(std::move(target));
    }
    return upstream;
}

result<SnapshotPtr, LoadError> load_all(config::Settings settings, const Snapshot* running) {
    auto snapshot = std::make_shared<Snapshot>();
    auto policy = config::load_policy(settings.policy_path);
    if (!policy.has_value()) {
        return LoadError{policy.error().message};
    }
    const bool is_known = running != nullptr && running->policy->is_same_as(**policy);
    snapshot->policy = is_known ? running->policy : std::move(*policy);
    auto users =
        settings.users_file.empty() ? parse_users({}, {}) : load_users(settings.users_file);
    if (!users.has_value()) {
        return LoadError{users.error().message};
    }
    snapshot->users = std::move(*users);
    if (!settings.upstream.passwords_file.empty()) {
        auto passwords = load_passwords(settings.upstream.passwords_file);
        if (!passwords.has_value()) {
            return LoadError{passwords.error()};
        }
        snapshot->passwords = std::move(*passwords);
    }
    const auto tls = load_tls(settings);
    if (!tls.has_value()) {
        return tls.error();
    }
    snapshot->rules.policy = snapshot->policy;
    snapshot->rules.requires_tls = settings.listen.tls == config::ListenTls::kRequire;
    snapshot->rules.packet_bytes_max = settings.limits.startup_bytes;
    snapshot->rules.login_timeout = net::Duration(settings.limits.login_timeout_ms);
    snapshot->upstream = upstream_hosts(settings.upstream);
    use_tls(*snapshot, *tls);
    snapshot->settings = std::move(settings);
    return SnapshotPtr(std::move(snapshot));
}

}  // namespace

result<SnapshotPtr, LoadError> load_snapshot(const std::string& settings_file) {
    auto settings = config::load_settings(settings_file);
    if (!settings.has_value()) {
        return LoadError{settings.error().message};
    }
    return load_snapshot(std::move(*settings));
}

result<SnapshotPtr, LoadError> load_snapshot(config::Settings settings, const Snapshot* running) {
    try {
        return load_all(std::move(settings), running);
    } catch (const std::bad_alloc&) {
        return LoadError{
            "the files of users and passwords find no room in the memory for secrets: raise "
            "memory.arena_bytes and start the proxy anew"};
    }
}

}  // namespace pgveil::session
