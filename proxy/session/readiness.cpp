#include "proxy/session/readiness.hpp"

#include "proxy/session/message_reader.hpp"
#include "proxy/session/upstream_connection.hpp"
#include "proxy/wire/error_response.hpp"
#include "proxy/wire/startup.hpp"

#include <boost/system/system_error.hpp>

#include <algorithm>
#include <array>
#include <new>
#include <utility>

namespace pgveil::session {

namespace {

constexpr net::Duration kFresh{1000};
/// Of each step: connecting, TLS, the answer. Who asks gives up after a few seconds.
constexpr net::Duration kStepTime{2000};
constexpr net::Duration kLookAgain{20};
constexpr std::size_t kAnswerMax = 65536;
/// operator_intervention: the server starts, stops or recovers.
constexpr std::string_view kNotNow = "57P0";

constexpr unsigned kOk = 200;
constexpr unsigned kServiceUnavailable = 503;

/// Sends a StartupMessage and looks at the first answer. Throws system_error.
net::Awaitable<std::string> greet(net::Stream& stream, net::Buffer& input, SnapshotPtr snapshot) {
    const config::HomeSettings& home = snapshot->settings.home;
    const std::array<wire::StartupParameter, 2> parameters = {
        wire::StartupParameter{"user", home.user},
        wire::StartupParameter{"database", home.database}};
    wire::Output startup;
    wire::append_startup_message(startup, wire::kProtocol30, parameters);
    stream.set_deadline(kStepTime);
    stream.send(startup.bytes());
    const auto answer = co_await next_message(stream, input, kAnswerMax);
    std::string trouble =
        answer.has_value() ? trouble_in(*answer) : "the server closed the connection";
    stream.close();
    co_return trouble;
}

net::Awaitable<std::string> try_server(
    net::Loop& loop, UpstreamTarget target, SnapshotPtr snapshot
) {
    target.connect_timeout = std::min(target.connect_timeout, kStepTime);
    auto opened = co_await open_upstream(loop, std::move(target));
    if (!opened.has_value()) {
        co_return opened.error().summary();
    }
    UpstreamConnection connection = std::move(*opened);
    std::string lost;
    try {
        std::string trouble =
            co_await greet(*connection.stream, *connection.input, std::move(snapshot));
        co_return trouble;
    } catch (const boost::system::system_error& error) {
        lost = error.code().message();
    }
    co_return lost;
}

/// One that answers is enough; else the trouble of the last.
net::Awaitable<std::string> try_upstream(net::Loop& loop, SnapshotPtr snapshot) {
    std::string trouble;
    for (const UpstreamTarget& each : snapshot->upstream.targets) {
        UpstreamTarget target = each;
        trouble = co_await try_server(loop, std::move(target), snapshot);
        if (trouble.empty()) {
            break;
        }
    }
    co_return trouble;
}

std::string store_trouble(const Service& service) {
    const store::CustodyReport report = service.custody->report();
    if (report.locked) {
        return "locked; `pgveil unlock` opens it again";
    }
    if (report.closed && !report.zero_read) {
        return "the keyring mirror in the home database was not read yet";
    }
    return service.store_in_order ? "" : "it cannot be looked after; pgveil's log says why";
}

std::string line(std::string_view what, const std::string& trouble) {
    return std::string(what) + ": " + (trouble.empty() ? "ok" : trouble) + "\n";
}

}  // namespace

std::string trouble_in(const wire::Frame& answer) {
    const wire::BackendType type = wire::backend_type(answer.type);
    if (type == wire::BackendType::kAuthentication) {
        return {};
    }
    if (type != wire::BackendType::kErrorResponse) {
        return "the server gave an unexpected answer";
    }
    const auto error = wire::decode_error_response(answer.body);
    if (!error.has_value()) {
        return "the server gave an error that cannot be read";
    }
    const std::string_view sqlstate = error->find('C').value_or("");
    return sqlstate.starts_with(kNotNow) ? "the server does not take connections now" : "";
}

Readiness::Readiness(net::Loop& loop, const Service& service, SnapshotPtr snapshot)
    : loop_(&loop), service_(&service), snapshot_(std::move(snapshot)) {}

/// Those who come while somebody asks wait for that answer.
net::Awaitable<void> Readiness::ask_upstream() {
    while (is_asking_) {
        co_await loop_->sleep(kLookAgain);
    }
    if (has_asked_ && loop_->now() - asked_ < kFresh) {
        co_return;
    }
    is_asking_ = true;
    SnapshotPtr snapshot = snapshot_;
    try {
        upstream_trouble_ = co_await try_upstream(*loop_, std::move(snapshot));
    } catch (const std::bad_alloc&) {
        upstream_trouble_ = "out of memory for secrets";
    }
    asked_ = loop_->now();
    has_asked_ = true;
    is_asking_ = false;
}

net::Awaitable<net::HttpResponse> Readiness::answer() {
    co_await ask_upstream();
    const std::string store = store_trouble(*service_);
    const std::string proxy = service_->draining ? "it drains and takes no new sessions" : "";
    const bool is_ready = upstream_trouble_.empty() && store.empty() && proxy.empty();
    net::HttpResponse response(
        is_ready ? kOk : kServiceUnavailable,
        line("upstream", upstream_trouble_) + line("store", store) + line("proxy", proxy)
    );
    co_return response;
}

}  // namespace pgveil::session
