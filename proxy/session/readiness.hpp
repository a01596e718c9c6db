#pragma once

#include "net/http_server.hpp"
#include "net/loop.hpp"
#include "proxy/session/service.hpp"
#include "proxy/session/snapshot.hpp"
#include "proxy/wire/frame.hpp"

#include <string>

namespace pgveil::session {

/// Whether a session that began now would be served: a database server answers, the share store
/// is in order, the proxy does not drain. Belongs to one loop and its thread.
class Readiness {
public:
    Readiness(net::Loop& loop, const Service& service, SnapshotPtr snapshot);

    /// What a reload brought.
    void adopt(SnapshotPtr snapshot) { snapshot_ = std::move(snapshot); }

    /// For GET /readyz: 200 or 503, one line of text for each of the three. However many ask, the
    /// servers are asked at most once a second, and each for a few seconds at most. A connection is
    /// opened as a session's would be (TLS included); nobody logs in.
    net::Awaitable<net::HttpResponse> answer();

private:
    net::Awaitable<void> ask_upstream();

    net::Loop* loop_;
    const Service* service_;
    SnapshotPtr snapshot_;
    bool is_asking_ = false;
    bool has_asked_ = false;
    net::Clock::time_point asked_;
    std::string upstream_trouble_;  ///< empty: it answered
};

/// What the first answer to a startup packet says of a server: empty if it takes logins, even if
/// not this one; else why not (57P01 to 57P03: it starts, stops or recovers).
std::string trouble_in(const wire::Frame& answer);

}  // namespace pgveil::session
