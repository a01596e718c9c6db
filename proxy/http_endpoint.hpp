#pragma once

#include "net/http_server.hpp"
#include "net/loop.hpp"
#include "proxy/session/readiness.hpp"
#include "proxy/session/service.hpp"
#include "proxy/session/snapshot.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <thread>

namespace pgveil::proxy {

/// What monitoring asks a proxy by HTTP, on a thread of its own, so that a busy worker does not
/// delay the answer:
///   /metrics   Prometheus' text format                  (proxy/metrics)
///   /healthz   200 as long as the process lives
///   /readyz    200 if new sessions would be served, else 503 and why (proxy/session/readiness.hpp)
///
/// How to drive it: open(), start(); reload() from the thread that made it; the destructor stops
/// it. `service` outlives it.
class HttpEndpoint {
public:
    /// Null if the settings have no "http". The error is a line for a person.
    static net::Result<std::unique_ptr<HttpEndpoint>> open(
        session::Service& service, session::SnapshotPtr snapshot
    );

    HttpEndpoint(const HttpEndpoint&) = delete;
    HttpEndpoint& operator=(const HttpEndpoint&) = delete;
    HttpEndpoint(HttpEndpoint&&) = delete;
    HttpEndpoint& operator=(HttpEndpoint&&) = delete;
    ~HttpEndpoint();

    void start();

    /// The new database server and limits; the address it listens on stays.
    void reload(session::SnapshotPtr snapshot);

    /// "127.0.0.1:9643", for the log.
    const std::string& place() const { return place_; }

private:
    HttpEndpoint(session::Service& service, session::SnapshotPtr snapshot);
    std::string metrics_text() const;

    session::Service* service_;
    session::SnapshotPtr snapshot_;  ///< of the thread that answers
    std::int64_t start_time_s_;
    std::string place_;
    net::Loop loop_;
    session::Readiness readiness_;
    std::unique_ptr<net::HttpServer> server_;
    std::thread thread_;
};

}  // namespace pgveil::proxy
