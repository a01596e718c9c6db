#include "keyshare/custodian/serve.hpp"

#include "keyshare/core/base64url.hpp"
#include "keyshare/custodian/web.hpp"
#include "keyshare/quorum/curve.hpp"
#include "keyshare/user/terminal.hpp"
#include "net/https_server.hpp"
#include "net/service_manager.hpp"

#include <chrono>
#include <thread>
#include <utility>

namespace pgveil::custodian {
namespace {

/// Each takes about 40 KiB of locked memory.
constexpr std::size_t kConnections = 100;
constexpr std::int64_t kMinute_s = 60;

std::int64_t unix_time_s() {
    using std::chrono::duration_cast;
    using std::chrono::seconds;
    using std::chrono::system_clock;
    return duration_cast<seconds>(system_clock::now().time_since_epoch()).count();
}

user::Result<std::vector<Peer>> peers_of(const config::CustodianSettings& settings) {
    std::vector<Peer> out;
    for (const config::PeerSettings& peer : settings.peers) {
        const auto bytes = core::base64url_decode(peer.identity);
        const auto point = bytes.has_value() ? quorum::decompressed(*bytes) : std::nullopt;
        if (!point) {
            return user::unusable(
                "the identity of peer " + peer.name +
                " is no public key: take what its \"pgveil-custodian identity\" prints"
            );
        }
        out.push_back({peer.name, core::VerifyingKey(*point)});
    }
    return out;
}

/// The common name of the certificate, or its first other name.
std::string name_in(const net::HttpsRequest& request) {
    if (!request.peer) {
        return {};
    }
    if (!request.peer->common_name.empty() || request.peer->alternative_names.empty()) {
        return request.peer->common_name;
    }
    return request.peer->alternative_names.front();
}

net::HttpResponse answered(Api& api, const Web& web, const net::HttpsRequest& request) {
    if (auto out = web.answer(request)) {
        return *std::move(out);
    }
    ApiRequest asked{
        request.head.method,
        request.path,
        request.query,
        std::string(request.head.find("Content-Type").value_or(std::string_view())),
        request.body,
        name_in(request),
        request.peer_address};
    ApiResponse answer = api.respond(asked);
    net::HttpResponse out(answer.status, std::move(answer.body));
    out.content_type = std::move(answer.content_type);
    for (auto& [name, value] : answer.fields) {
        out.fields.push_back({std::move(name), std::move(value)});
    }
    web.allow(request, out);
    return out;
}

}  // namespace

sigset_t block_ending_signals() {
    sigset_t signals;
    sigemptyset(&signals);
    for (const int each : {SIGTERM, SIGINT, SIGQUIT}) {
        sigaddset(&signals, each);
    }
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    (void)std::signal(SIGPIPE, SIG_IGN);
    return signals;
}

user::Result<CustodianStore> open_store(const config::CustodianSettings& settings) {
    auto store = CustodianStore::open(settings.store_file(), settings.seal_file);
    if (!store.has_value()) {
        return user::unusable(store.error().message);
    }
    return *std::move(store);
}

user::Result<AccessLog> open_log(
    const config::CustodianSettings& settings, std::int64_t now_s, std::vector<LogEntry>& recent
) {
    auto log = AccessLog::open(settings.log_file(), settings.name, [&](const LogEntry& entry) {
        if (entry.at_s > now_s - kMinute_s) {
            recent.push_back(entry);
        }
    });
    if (!log.has_value()) {
        return user::unusable(log.error().message);
    }
    return *std::move(log);
}

user::Result<void> serve(const config::CustodianSettings& settings, const sigset_t& signals) {
    auto tls = net::TlsContext::load_https_server(
        settings.certificate, settings.key, settings.client_authority
    );
    if (!tls.has_value()) {
        return user::unusable(tls.error().message);
    }
    auto peers = peers_of(settings);
    if (!peers) {
        return peers.error();
    }
    auto store = open_store(settings);
    if (!store) {
        return store.error();
    }
    auto web = Web::load(settings.web_folder, settings.web_origins);
    if (!web) {
        return web.error();
    }
    std::vector<LogEntry> recent;
    auto log = open_log(settings, unix_time_s(), recent);
    if (!log) {
        return log.error();
    }
    Api api(
        *store,
        *log,
        {settings.name, PGVEIL_VERSION, *std::move(peers), settings.administrators, unix_time_s},
        recent
    );
    net::Loop loop;
    net::HttpsLimits limits;
    limits.connections = kConnections;
    auto server = net::HttpsServer::open(
        loop,
        {settings.host, settings.port},
        *std::move(tls),
        [&](const net::HttpsRequest& request) { return answered(api, *web, request); },
        limits
    );
    if (!server.has_value()) {
        return user::unusable(server.error().message);
    }
    const user::Console console("pgveil-custodian");
    console.note(
        "custodian " + settings.name + " listens on " + settings.host + ":" +
        std::to_string((*server)->port())
    );
    std::thread thread([&loop] { loop.run(); });
    net::notify_service_manager("READY=1");
    int number = 0;
    sigwait(&signals, &number);
    net::notify_service_manager("STOPPING=1");
    loop.stop();
    thread.join();
    console.note("custodian " + settings.name + " ends");
    return {};
}

}  // namespace pgveil::custodian
