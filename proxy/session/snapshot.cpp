#include "proxy/session/snapshot.hpp"

namespace pgveil::session {

namespace {

using boost::system::result;

result<std::shared_ptr<const net::TlsContext>, LoadError> listener_tls(
    const config::ListenSettings& listen
) {
    if (listen.tls == config::ListenTls::kDisable) {
        return std::shared_ptr<const net::TlsContext>();
    }
    auto context = net::TlsContext::load_server(listen.certificate, listen.key);
    if (!context.has_value()) {
        return LoadError{context.error().message};
    }
    return std::move(*context);
}

result<std::shared_ptr<const net::TlsContext>, LoadError> upstream_tls(
    const config::UpstreamSettings& upstream
) {
    if (upstream.tls == config::UpstreamTls::kDisable) {
        return std::shared_ptr<const net::TlsContext>();
    }
    auto context = net::TlsContext::load_client(upstream.ca);
    if (!context.has_value()) {
        return LoadError{context.error().message};
    }
    return std::move(*context);
}

}  // namespace

result<SnapshotPtr, LoadError> load_snapshot(const std::string& settings_file) {
    auto settings = config::load_settings(settings_file);
    if (!settings.has_value()) {
        return LoadError{settings.error().message};
    }
    return load_snapshot(std::move(*settings));
}

result<SnapshotPtr, LoadError> load_snapshot(config::Settings settings) {
    auto snapshot = std::make_shared<Snapshot>();
    auto policy = config::load_policy(settings.policy_path);
    if (!policy.has_value()) {
        return LoadError{policy.error().message};
    }
    snapshot->policy = std::move(*policy);
    auto users = load_users(settings.users_file);
    if (!users.has_value()) {
        return LoadError{users.error().message};
    }
    snapshot->users = std::move(*users);
    auto server = listener_tls(settings.listen);
    if (!server.has_value()) {
        return server.error();
    }
    snapshot->rules.tls = std::move(*server);
    snapshot->rules.requires_tls = settings.listen.tls == config::ListenTls::kRequire;
    snapshot->rules.packet_bytes_max = settings.limits.startup_bytes;
    snapshot->rules.login_timeout = net::Duration(settings.limits.login_timeout_ms);
    auto client = upstream_tls(settings.upstream);
    if (!client.has_value()) {
        return client.error();
    }
    snapshot->target.host = settings.upstream.host;
    snapshot->target.port = settings.upstream.port;
    snapshot->target.tls = std::move(*client);
    snapshot->target.connect_timeout = net::Duration(settings.upstream.connect_timeout_ms);
    snapshot->settings = std::move(settings);
    return SnapshotPtr(std::move(snapshot));
}

}  // namespace pgveil::session
