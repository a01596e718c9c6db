#include "keyshare/custodian/serve.hpp"

#include "keyshare/core/base64url.hpp"
#include "keyshare/custodian/store_age.hpp"
#include "keyshare/custodian/web.hpp"
#include "keyshare/quorum/curve.hpp"
#include "keyshare/user/terminal.hpp"
#include "net/https_server.hpp"
#include "net/service_manager.hpp"

#include <chrono>
#include <functional>
#include <memory>
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

user::Result<std::shared_ptr<const net::TlsContext>> tls_of(
    const config::CustodianSettings& settings
) {
    auto tls = net::TlsContext::load_https_server(
        settings.certificate, settings.key, settings.client_authority
    );
    if (!tls.has_value()) {
        return user::unusable(tls.error().message);
    }
    return std::shared_ptr<const net::TlsContext>(*std::move(tls));
}

void note_age(const ApiOptions& options, const user::Console& console) {
    for (const std::string& older : {options.older_store, options.older_log}) {
        if (!older.empty()) {
            console.note(older);
        }
    }
}

/// On the loop's thread. What cannot be read or written stays as it was.
void reload(
    const config::CustodianSettings& settings,
    net::HttpsServer& server,
    Api& api,
    const user::Console& console
) {
    auto tls = tls_of(settings);
    if (tls) {
        server.use(*std::move(tls));
    }
    console.note(
        tls ? "the certificate was read anew"
            : tls.error().message + "; the former certificate is served"
    );
    const auto reopened = api.reopen_log();
    if (!reopened.has_value()) {
        console.note(reopened.error().message);
    }
}

/// Until one of the signals comes that end it; SIGHUP is for `hang_up`.
void wait_for_end(const sigset_t& signals, const std::function<void()>& hang_up) {
    int number = SIGHUP;
    while (sigwait(&signals, &number) != 0 || number == SIGHUP) {
        hang_up();
    }
}

}  // namespace

sigset_t block_signals() {
    sigset_t signals;
    sigemptyset(&signals);
    for (const int each : {SIGTERM, SIGINT, SIGQUIT, SIGHUP}) {
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
    const config::CustodianSettings& settings,
    const CustodianStore& store,
    ApiOptions& options,
    std::vector<LogEntry>& recent
) {
    const std::int64_t now_s = unix_time_s();
    StoreAge age(store);
    auto log = AccessLog::open(settings.log_file(), settings.name, [&](const LogEntry& entry) {
        age.see(entry);
        if (entry.at_s > now_s - kMinute_s) {
            recent.push_back(entry);
        }
    });
    if (!log.has_value()) {
        return user::unusable(log.error().message);
    }
    options.older_store = age.older_store();
    options.older_log = age.older_log(log->last());
    return *std::move(log);
}

user::Result<void> serve(const config::CustodianSettings& settings, const sigset_t& signals) {
    auto tls = tls_of(settings);
    if (!tls) {
        return tls.error();
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
    const user::Console console("pgveil-custodian");
    ApiOptions options{
        settings.name, PGVEIL_VERSION, *std::move(peers), settings.administrators, unix_time_s};
    std::vector<LogEntry> recent;
    auto log = open_log(settings, *store, options, recent);
    if (!log) {
        return log.error();
    }
    note_age(options, console);
    Api api(*store, *log, std::move(options), recent);
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
    console.note(
        "custodian " + settings.name + " listens on " + settings.host + ":" +
        std::to_string((*server)->port())
    );
    std::thread thread([&loop] { loop.run(); });
    net::notify_service_manager("READY=1");
    wait_for_end(signals, [&] {
        net::notify_reloading();
        loop.remote().post([&] {
            reload(settings, **server, api, console);
            net::notify_service_manager("READY=1");
        });
    });
    net::notify_service_manager("STOPPING=1");
    loop.stop();
    thread.join();
    console.note("custodian " + settings.name + " ends");
    return {};
}

}  // namespace pgveil::custodian
