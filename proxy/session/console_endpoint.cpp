#include "proxy/session/console_endpoint.hpp"

#include "keyshare/core/arena.hpp"
#include "proxy/admin/console_config.hpp"
#include "proxy/admin/console_conversation.hpp"
#include "proxy/admin/console_rights.hpp"
#include "proxy/admin/console_show.hpp"
#include "proxy/audit/record.hpp"
#include "proxy/log/log.hpp"
#include "proxy/session/collection.hpp"
#include "proxy/session/login_certificate.hpp"
#include "proxy/session/login_deadline.hpp"
#include "proxy/session/message_reader.hpp"
#include "proxy/session/own_greeting.hpp"
#include "proxy/session/pause.hpp"
#include "proxy/session/worker.hpp"

#include <algorithm>
#include <utility>

namespace pgveil::session {

namespace {

/// Bounds what one console can make the proxy hold: EXPLAIN VEIL takes a statement.
constexpr std::size_t kMessageMax = std::size_t{1} << 20U;
constexpr std::uint32_t kConsolesMax = 50;
constexpr net::Duration kPauseLook{50};

/// Counts as long as it lives.
class Counted {
public:
    explicit Counted(std::atomic<std::uint32_t>& count) : count_(&count), before_(count++) {}

    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;
    Counted(Counted&&) = delete;
    Counted& operator=(Counted&&) = delete;

    ~Counted() { --*count_; }

    std::uint32_t before() const { return before_; }

private:
    std::atomic<std::uint32_t>* count_;
    std::uint32_t before_;
};

net::Awaitable<Result<void>> log_in(
    Worker& worker, net::Stream& client, net::Buffer& input, std::string user
) {
    const SnapshotPtr snapshot = worker.snapshot();
    const auto use = judge_certificate(
        client.peer_certificate(), user, snapshot->settings.listen, client.is_local()
    );
    if (!use.has_value()) {
        co_return use.error();
    }
    KnownSecret secret;  // asked for even where a certificate is enough for a session
    secret.users = snapshot->users;
    secret.source = snapshot->settings.users_file;
    const auto identity = co_await authenticate_in_time(client, input, user, std::move(secret));
    if (!identity.has_value()) {
        co_return identity.error();
    }
    if (admin::rights_of(user, snapshot->settings.console) == admin::Rights::kNone) {
        LoginError error =
            refuse("28000", "user \"" + user + "\" may not use the admin console of the proxy");
        error.hint = "List the name in \"admin_users\" or \"stats_users\" of the settings.";
        co_return error;
    }
    co_return Result<void>();
}

net::Awaitable<std::vector<admin::WorkerFacts>> facts_of_all(Worker& worker) {
    const std::vector<WorkerHandle>& workers = worker.service().workers;
    Collection<admin::WorkerFacts> facts(worker.loop(), workers.size());
    for (const WorkerHandle& each : workers) {
        each.remote.post([asked = each.worker, receive = facts.receiver()] {
            receive(asked->facts());
        });
    }
    auto all = co_await facts.all();
    co_return all;
}

admin::StateFacts state_facts(
    const Service& service,
    const SnapshotPtr& snapshot,
    const std::vector<admin::WorkerFacts>& workers
) {
    admin::StateFacts state;
    state.is_paused = service.paused;
    state.is_draining = service.draining;
    state.version = service.version;
    state.settings_file = snapshot->settings.file;
    state.started_s = service.started_s;
    state.loaded_s = service.loaded_s;
    state.workers = workers.size();
    for (const admin::WorkerFacts& worker : workers) {
        state.sessions += worker.sessions.size();
        state.refused += worker.refused;
    }
    const auto& tpm = snapshot->settings.tpm;
    state.seal = tpm ? "tpm at " + tpm->tcti : "file, no TPM";
    const core::ArenaReport arena = core::arena_report();
    state.memory_mode = core::name_of(arena.mode);
    state.arena_bytes = arena.size;
    state.arena_bytes_in_use = arena.in_use;
    state.arena_refused = arena.refused;
    return state;
}

admin::AuditFacts audit_facts(const Service& service) {
    admin::AuditFacts facts;
    if (service.audit == nullptr) {
        return facts;
    }
    const audit::WriterStatus status = service.audit->status();
    facts.is_on = true;
    facts.file = status.file;
    facts.last = status.last;
    facts.signed_up_to = status.signed_up_to;
    facts.signed_s = status.signed_at_s;
    facts.queued = status.queued;
    facts.lost = status.lost;
    facts.failure = status.failure;
    return facts;
}

admin::Table table_of(
    admin::Topic topic, Worker& worker, const std::vector<admin::WorkerFacts>& workers
) {
    const SnapshotPtr snapshot = worker.snapshot();
    const Service& service = worker.service();
    switch (topic) {
        case admin::Topic::kStats: return admin::show_stats(workers);
        case admin::Topic::kSessions: return admin::show_sessions(workers);
        case admin::Topic::kUsers:
            return admin::show_users(snapshot->users->names(), snapshot->settings.console, workers);
        case admin::Topic::kColumns: return admin::show_columns(*snapshot->policy);
        case admin::Topic::kKeys: return admin::show_keys(service.custody->keyring());
        case admin::Topic::kConfig: return admin::show_config(snapshot->settings);
        case admin::Topic::kVersion: return admin::show_version(service.version);
        case admin::Topic::kState:
            return admin::show_state(
                state_facts(service, snapshot, workers), service.custody->report()
            );
        case admin::Topic::kAudit: return admin::show_audit(audit_facts(service));
        case admin::Topic::kLocks:
            return admin::show_locks(service.custody->locked_users(unix_time_s()));
        case admin::Topic::kHelp: break;
    }
    return admin::show_help();
}

admin::Answer not_now(std::string message) {
    return admin::failed(admin::CommandError("55000", std::move(message)));
}

/// New transactions wait from now on; the answer comes when no old one is open.
net::Awaitable<admin::Answer> pause(Worker& worker) {
    Service& service = worker.service();
    if (!begin_pause(service)) {
        co_return not_now("the proxy is paused already");
    }
    for (;;) {
        const auto workers = co_await facts_of_all(worker);
        std::uint64_t busy = 0;
        for (const admin::WorkerFacts& each : workers) {
            busy += each.busy;
        }
        if (busy == 0) {
            co_return admin::Answer();
        }
        co_await worker.loop().sleep(kPauseLook);
        if (!service.paused) {
            co_return not_now("RESUME came before all transactions had ended");
        }
    }
}

admin::Answer resume(Service& service) {
    return end_pause(service) ? admin::Answer() : not_now("the proxy is not paused");
}

/// A session is one worker's; all are asked at once.
net::Awaitable<admin::Answer> kill(Worker& worker, std::string session) {
    const std::vector<WorkerHandle>& workers = worker.service().workers;
    Collection<bool> found(worker.loop(), workers.size());
    for (const WorkerHandle& each : workers) {
        each.remote.post([asked = each.worker, receive = found.receiver(), session] {
            receive(asked->kill(session));
        });
    }
    const auto answers = co_await found.all();
    if (std::find(answers.begin(), answers.end(), true) != answers.end()) {
        co_return admin::Answer();
    }
    co_return admin::failed(admin::CommandError(
        "42704", "there is no session \"" + session + "\"", "SHOW SESSIONS lists them."
    ));
}

net::Awaitable<admin::Answer> ask_main_thread(Worker& worker, admin::Command command) {
    Collection<admin::Answer> answers(worker.loop(), 1);
    ControlRequest request(std::move(command), answers.receiver());
    worker.service().control.post(std::move(request));
    auto all = co_await answers.all();
    co_return std::move(all.front());
}

bool changes_something(const admin::Command& command) {
    return std::holds_alternative<admin::Action>(command) ||
           std::holds_alternative<admin::UnlockUser>(command) ||
           std::holds_alternative<admin::KillClient>(command);
}

void log_refused(std::string_view user, const admin::Command& command) {
    log::warn(
        "console {user}: {command} refused", {{"user", user}, {"command", admin::tag_of(command)}}
    );
}

void log_command(std::string_view user, const admin::Command& command) {
    log::info("console {user}: {command}", {{"user", user}, {"command", admin::tag_of(command)}});
}

/// Who looks is not recorded; who changes something, or would, is.
void record_command(
    const Service& service,
    const std::string& user,
    const admin::Command& command,
    const admin::Answer& answer
) {
    if (!changes_something(command)) {
        return;
    }
    audit::Record event;
    event.event = "console";
    event.role = user;
    event.what = admin::tag_of(command);
    if (const auto* const unlock = std::get_if<admin::UnlockUser>(&command)) {
        event.what += " " + audit::harmless(unlock->user);
    } else if (const auto* const victim = std::get_if<admin::KillClient>(&command)) {
        event.what += " " + audit::harmless(victim->session);
    }
    event.result = answer.error ? answer.error->sqlstate : "ok";
    record(service, std::move(event));
}

void log_failed_login(std::string_view user, const net::Stream& client, const LoginError& error) {
    log::warn(
        "console {user} {client}: {reason}",
        {{"user", user}, {"client", client.peer_address()}, {"reason", error.summary()}}
    );
}

void log_connected(std::string_view user, const net::Stream& client) {
    log::info(
        "console {user} {client}: connected", {{"user", user}, {"client", client.peer_address()}}
    );
}

net::Awaitable<admin::Answer> run(Worker& worker, admin::Command command, std::string user) {
    const auto objection = admin::objection_to(command, user, worker.snapshot()->settings.console);
    if (objection) {
        log_refused(user, command);
        co_return admin::failed(*objection);
    }
    if (const auto* const show = std::get_if<admin::Show>(&command)) {
        const auto workers = co_await facts_of_all(worker);
        admin::Answer answer;
        answer.table = table_of(show->topic, worker, workers);
        co_return answer;
    }
    const auto* const action = std::get_if<admin::Action>(&command);
    if (changes_something(command)) {
        log_command(user, command);
    }
    if (const auto* const victim = std::get_if<admin::KillClient>(&command)) {
        auto killed = co_await kill(worker, victim->session);
        co_return killed;
    }
    if (action != nullptr && *action == admin::Action::kResume) {
        co_return resume(worker.service());
    }
    if (action != nullptr && *action == admin::Action::kPause) {
        auto paused = co_await pause(worker);
        co_return paused;
    }
    auto answer = co_await ask_main_thread(worker, std::move(command));
    co_return answer;
}

net::Awaitable<void> answer_one(
    Worker& worker, net::Stream& client, admin::Conversation& conversation, const std::string& user
) {
    const bool is_pause = std::holds_alternative<admin::Action>(conversation.command()) &&
                          std::get<admin::Action>(conversation.command()) == admin::Action::kPause;
    std::atomic<std::uint32_t> nowhere{0};
    // A drain waits for answers, but not for one that waits for transactions.
    const Counted running(is_pause ? nowhere : worker.service().console_commands);
    const admin::Answer answer = co_await run(worker, conversation.command(), user);
    record_command(worker.service(), user, conversation.command(), answer);
    wire::Output reply;
    conversation.on_answer(answer, reply);
    client.send(reply.bytes());
    co_await client.drained();
}

net::Awaitable<void> converse(
    Worker& worker, net::Stream& client, net::Buffer& input, const std::string& user
) {
    admin::Conversation conversation;
    auto next = admin::Conversation::Next::kGoOn;
    while (next != admin::Conversation::Next::kEnd) {
        const auto frame = co_await next_message(client, input, kMessageMax);
        if (!frame.has_value()) {
            LoginError error = frame.error();
            co_await end_login(client, std::move(error));
            co_return;
        }
        wire::Output reply;
        next = conversation.on_message(*frame, reply);
        client.send(reply.bytes());
        if (next == admin::Conversation::Next::kRun) {
            co_await answer_one(worker, client, conversation, user);
        }
        co_await client.drained();
    }
}

}  // namespace

net::Awaitable<void> serve_console(
    Worker& worker, net::Stream& client, net::Buffer& input, std::string user
) {
    const auto logged_in = co_await log_in(worker, client, input, user);
    if (!logged_in.has_value()) {
        LoginError error = logged_in.error();
        if (!error.is_silent) {
            log_failed_login(user, client, error);
        }
        worker.count_failed_login(error);
        co_await end_login(client, std::move(error));
        co_return;
    }
    const Counted console(worker.service().consoles);
    if (console.before() >= kConsolesMax) {
        LoginError error = refuse("53300", "too many sessions of the admin console");
        worker.count_failed_login(error);
        co_await end_login(client, std::move(error));
        co_return;
    }
    log_connected(user, client);
    wire::Output greeting;
    append_own_greeting(greeting);
    client.send(greeting.bytes());
    co_await converse(worker, client, input, user);
    co_await client.finish_output();
}

}  // namespace pgveil::session
