#include "proxy/relay/startup_parameters.hpp"
#include "proxy/session/login_certificate.hpp"
#include "proxy/session/login_deadline.hpp"
#include "proxy/session/message_reader.hpp"
#include "proxy/session/session.hpp"

#include <utility>
#include <vector>

/// The part of a session before its first ReadyForQuery.
namespace pgveil::session {

namespace {

/// How often a login looks whether a PAUSE is over.
constexpr net::Duration kPauseLook{50};

LoginError login_error(const relay::Refusal& refusal) {
    LoginError error = refuse(refusal.sqlstate, refusal.message, refusal.detail);
    error.hint = refusal.hint;
    return error;
}

}  // namespace

net::Awaitable<bool> Session::log_in(ClientStartup startup) {
    const SnapshotPtr snapshot = worker_->snapshot();
    relay::SessionFacts facts;
    facts.id = id_;
    facts.login = startup.user;
    facts.database = startup.database;
    facts.client_is_tls = startup.is_private;
    facts.channel = client_->tls_exporter();
    facts.replicates = startup.replication != Replication::kNone;
    replication_ = startup.replication;
    relay_ = std::make_unique<relay::Relay>(worker_->environment(), std::move(facts));
    auto pairs = relay::take_startup_parameters(
        relay_->state().parameters, startup.parameters, startup.is_private
    );
    if (!pairs.has_value()) {
        LoginError error = login_error(pairs.error());
        worker_->count_failed_login(error);
        co_await end_login(*client_, std::move(error));
        co_return false;
    }
    Counter::Place place = worker_->service().admission.logins.enter({});
    const std::uint32_t logins_max = snapshot->settings.admission.pending_logins;
    if (place.exceeds(logins_max)) {
        place = Counter::Place();
        co_return co_await refuse_login(too_many_logins(logins_max));
    }
    UpstreamStartup asked;
    asked.version = startup.version;
    startup = ClientStartup();  // the shares in the packet are wiped before anything waits
    auto identity = co_await identify(snapshot);
    if (!identity.has_value()) {
        co_return co_await refuse_login(std::move(identity.error()));
    }
    if (auto reason = reason_to_stay_out(*snapshot)) {
        co_return co_await refuse_login(*std::move(reason));
    }
    std::vector<wire::StartupParameter> parameters;
    for (const auto& [name, value] : *pairs) {
        parameters.push_back({name, value});
    }
    asked.parameters = parameters;
    asked.password = snapshot->passwords ? snapshot->passwords->find(identity->user) : nullptr;
    asked.allows_cleartext = snapshot->settings.upstream.allow_cleartext_password;
    while (worker_->is_paused() && !worker_->is_draining()) {
        co_await worker_->loop().sleep(kPauseLook);
    }
    UpstreamHosts hosts = snapshot->upstream;
    auto ready = co_await connect_to_any(
        worker_->loop(), std::move(hosts), worker_->host_order(), asked, *identity
    );
    if (!ready.has_value()) {
        co_return co_await refuse_login(std::move(ready.error()));
    }
    greet(*ready);
    co_return true;
}

/// By certificate, by password, or by both, as the settings demand.
net::Awaitable<Result<ClientIdentity>> Session::identify(SnapshotPtr snapshot) {
    std::string user = relay_->state().facts.login;
    const auto use = judge_certificate(
        client_->peer_certificate(), user, snapshot->settings.listen, client_->is_local()
    );
    if (!use.has_value()) {
        co_return use.error();
    }
    if (*use == CertificateUse::kInstead) {
        welcome(*client_);
        ClientIdentity identity;
        identity.user = std::move(user);
        identity.users_file = snapshot->settings.upstream.passwords_file;
        co_return Result<ClientIdentity>(std::move(identity));
    }
    auto secret = co_await known_secret(snapshot);
    if (!secret.has_value()) {
        co_return secret.error();
    }
    const Strangers::Place place = worker_->strangers().enter(*client_);
    auto identity = co_await authenticate_in_time(*client_, *input_, user, std::move(*secret));
    if (!identity.has_value() && identity.error().sqlstate == kWrongPasswordState) {
        worker_->service().found_secrets.forget(user);
    }
    co_return identity;
}

/// From the users file, else the passwords file, else the database.
net::Awaitable<Result<KnownSecret>> Session::known_secret(SnapshotPtr snapshot) {
    const std::string user = relay_->state().facts.login;
    const config::Settings& settings = snapshot->settings;
    KnownSecret secret;
    secret.users = snapshot->users;
    secret.source = settings.users_file;
    if (snapshot->users->find(user) != nullptr) {
        co_return Result<KnownSecret>(std::move(secret));
    }
    const UpstreamPassword* const password =
        snapshot->passwords ? snapshot->passwords->find(user) : nullptr;
    if (password != nullptr && password->verifier) {
        secret.source = settings.upstream.passwords_file;
        secret.found = std::shared_ptr<const ScramVerifier>(snapshot, &*password->verifier);
    } else if (settings.auth_query.is_on()) {
        secret.source = "auth_query";
        Service& service = worker_->service();
        std::shared_ptr<const config::Settings> asked(snapshot, &settings);
        auto found = co_await find_secret(
            worker_->loop(), *service.secrets, service.found_secrets, std::move(asked), user
        );
        if (!found.has_value()) {
            co_return found.error();
        }
        secret.found = std::move(*found);
    }
    co_return Result<KnownSecret>(std::move(secret));
}

net::Awaitable<bool> Session::refuse_login(LoginError error) {
    if (std::exchange(counted_, false)) {
        // Who is told to go, and may take a while to, does not stand in the way of the next.
        --worker_->service().sessions;
    }
    worker_->count_failed_login(error);
    log(error.summary());
    co_await end_login(*client_, std::move(error));
    co_return false;
}

/// Once the client has proved who it is: strangers neither fill the limits nor learn of them.
std::optional<LoginError> Session::reason_to_stay_out(const Snapshot& snapshot) {
    Service& service = worker_->service();
    const std::string& user = relay_->state().facts.login;
    const std::uint32_t limit = snapshot.settings.admission.sessions_per_user;
    Counter::Place place = service.admission.users.enter(user);
    // Who is told to go does not stand in the way of the next.
    if (place.exceeds(limit)) {
        return too_many_of(user, limit);
    }
    if (service.sessions.fetch_add(1) >= snapshot.settings.limits.sessions) {
        --service.sessions;
        return refuse("53300", "sorry, too many clients already");
    }
    counted_ = true;
    user_place_ = std::move(place);
    return std::nullopt;
}

void Session::greet(UpstreamReady& ready) {
    for (const auto& [name, value] : ready.greeting.parameters) {
        relay_->state().take_setting(name, value);
    }
    relay_->state().transaction = ready.greeting.status;
    upstream_ = std::move(ready.connection);
    upstream_target_ = std::move(ready.target);
    cancel_key_ = CancelKey{ready.greeting.process_id, std::move(ready.greeting.cancel_secret)};
    // Also of the only server: a reload may name others while the session goes on.
    worker_->service().routes.add(cancel_key_, upstream_target_);
    worker_->tally().sessions.add();
    to_client_.made().append(ready.greeting.frames.bytes());
    wire::append_ready_for_query(to_client_.made(), ready.greeting.status);
    send_to_client();
}

}  // namespace pgveil::session
