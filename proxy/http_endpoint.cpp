#include "proxy/http_endpoint.hpp"

#include "keyshare/core/arena.hpp"
#include "proxy/metrics/exposition.hpp"

#include <utility>

namespace pgveil::proxy {

HttpEndpoint::HttpEndpoint(session::Service& service, session::SnapshotPtr snapshot)
    : service_(&service),
      snapshot_(std::move(snapshot)),
      start_time_s_(session::unix_time_s()),
      readiness_(loop_, service, snapshot_) {}

HttpEndpoint::~HttpEndpoint() {
    loop_.stop();
    if (thread_.joinable()) {
        thread_.join();
    }
}

net::Result<std::unique_ptr<HttpEndpoint>> HttpEndpoint::open(
    session::Service& service, session::SnapshotPtr snapshot
) {
    if (!snapshot->settings.http) {
        return std::unique_ptr<HttpEndpoint>();
    }
    const net::Address address{snapshot->settings.http->host, snapshot->settings.http->port};
    std::unique_ptr<HttpEndpoint> endpoint(new HttpEndpoint(service, std::move(snapshot)));
    HttpEndpoint* const self = endpoint.get();
    auto server = net::HttpServer::open(self->loop_, address);
    if (!server.has_value()) {
        return server.error();
    }
    self->server_ = *std::move(server);
    self->place_ = address.host + ":" + std::to_string(self->server_->port());
    self->server_->answer("/healthz", [] { return net::HttpResponse(200, "ok\n"); });
    self->server_->answer("/metrics", [self] {
        net::HttpResponse response(200, self->metrics_text());
        response.content_type = metrics::Exposition::kContentType;
        return response;
    });
    self->server_->answer_later("/readyz", [self] { return self->readiness_.answer(); });
    return endpoint;
}

void HttpEndpoint::start() {
    thread_ = std::thread([this] { loop_.run(); });
}

void HttpEndpoint::reload(session::SnapshotPtr snapshot) {
    loop_.remote().post([this, fresh = std::move(snapshot)]() mutable {
        snapshot_ = fresh;
        readiness_.adopt(std::move(fresh));
    });
}

std::string HttpEndpoint::metrics_text() const {
    const store::CustodyReport custody = service_->custody->report();
    const core::ArenaReport arena = core::arena_report();
    metrics::Standing standing;
    standing.version = PGVEIL_VERSION;
    standing.start_time_s = static_cast<std::uint64_t>(start_time_s_);
    standing.sessions = service_->sessions;
    standing.sessions_max = snapshot_->settings.limits.sessions;
    standing.active_users = custody.active_users;
    standing.withdrawn_users = custody.withdrawn_users;
    standing.arena_bytes = arena.size;
    standing.arena_used_bytes = arena.in_use;
    standing.arena_refusals = arena.refused;
    const alarm::Counts alarms = service_->alarms->counts();
    standing.poison_alarms = alarms.of(alarm::Kind::kPoison);
    standing.failed_opens_alarms = alarms.of(alarm::Kind::kFailedOpens);
    standing.denied_alarms = alarms.of(alarm::Kind::kDenied);
    standing.locked_users = service_->custody->locked_users(session::unix_time_s()).size();
    standing.store_is_in_order = service_->store_in_order && !custody.locked;
    standing.is_draining = service_->draining;
    return service_->tallies.text(standing);
}

}  // namespace pgveil::proxy
