#include "proxy/metrics/registry.hpp"

#include "proxy/metrics/exposition.hpp"

namespace pgveil::metrics {

namespace {

using Tallies = std::vector<std::shared_ptr<Tally>>;

/// All workers together.
class Total {
public:
    explicit Total(const Tallies& tallies) : tallies_(tallies) {}

    std::uint64_t of(Counter Tally::*counter) const {
        std::uint64_t sum = 0;
        for (const auto& tally : tallies_) {
            sum += (tally.get()->*counter).value();
        }
        return sum;
    }

    SqlstateCounter::Reading of(SqlstateCounter Tally::*counter) const {
        SqlstateCounter::Reading sum;
        for (const auto& tally : tallies_) {
            (tally.get()->*counter).add_to(sum);
        }
        return sum;
    }

    Histogram::Reading of(Histogram Tally::*histogram) const {
        Histogram::Reading sum;
        for (const auto& tally : tallies_) {
            (tally.get()->*histogram).add_to(sum);
        }
        return sum;
    }

private:
    const Tallies& tallies_;
};

void write_standing(Exposition& out, const Standing& standing) {
    out.family("pgveil_version_info", FamilyType::kGauge, "The version of pgveil; always 1.");
    out.sample(1, {{"version", standing.version}});
    out.gauge(
        "process_start_time_seconds", "When the proxy started, in Unix time.", standing.start_time_s
    );
    out.gauge("pgveil_config_max_client_connections", "limits.sessions.", standing.sessions_max);
    out.gauge(
        "pgveil_pools_client_active_connections", "Sessions that are logged in.", standing.sessions
    );
    out.family("pgveil_users", FamilyType::kGauge, "Users in the share store.");
    out.sample(standing.active_users, {{"state", "active"}});
    out.sample(standing.withdrawn_users, {{"state", "withdrawn"}});
    out.gauge("pgveil_arena_bytes", "Size of the memory for secrets.", standing.arena_bytes);
    out.gauge("pgveil_arena_used_bytes", "How much of it is in use.", standing.arena_used_bytes);
    out.counter(
        "pgveil_arena_refusals_total",
        "Secrets that found no room in it; raise memory.arena_bytes.",
        standing.arena_refusals
    );
    out.gauge(
        "pgveil_store_in_order",
        "1 while the share store can be looked after.",
        standing.store_is_in_order ? 1 : 0
    );
    out.family("pgveil_alarms_total", FamilyType::kCounter, "Alarms raised.");
    out.sample(standing.poison_alarms, {{"kind", "poison"}});
    out.sample(standing.failed_opens_alarms, {{"kind", "failed_opens"}});
    out.sample(standing.denied_alarms, {{"kind", "denied"}});
    out.gauge("pgveil_locked_users", "Users locked after an alarm.", standing.locked_users);
    out.gauge("pgveil_draining", "1 from SIGTERM on.", standing.is_draining ? 1 : 0);
}

void write_by_sqlstate(
    Exposition& out,
    std::string_view name,
    std::string_view help,
    const SqlstateCounter::Reading& reading
) {
    out.family(name, FamilyType::kCounter, help);
    for (const auto& [sqlstate, count] : reading) {
        out.sample(count, {{"sqlstate", sqlstate}});
    }
}

void write_logins(Exposition& out, const Total& total) {
    out.counter("pgveil_connections_total", "Connections accepted.", total.of(&Tally::connections));
    out.counter("pgveil_sessions_total", "Logins that succeeded.", total.of(&Tally::sessions));
    write_by_sqlstate(
        out,
        "pgveil_failed_logins_total",
        "Logins that ended in an error.",
        total.of(&Tally::failed_logins)
    );
    out.counter("pgveil_cancels_total", "Cancel requests.", total.of(&Tally::cancels));
}

void write_statements(Exposition& out, const Total& total) {
    out.family(
        "pgveil_stats_queries_total", FamilyType::kCounter, "Statements sent to the server."
    );
    out.sample(total.of(&Tally::plain_statements), {{"protected", "no"}});
    out.sample(total.of(&Tally::protected_statements), {{"protected", "yes"}});
    out.counter(
        "pgveil_stats_sql_transactions_total",
        "Transactions that ended.",
        total.of(&Tally::transactions)
    );
    write_by_sqlstate(
        out,
        "pgveil_refusals_total",
        "Statements that pgveil refused, or ended itself.",
        total.of(&Tally::refusals)
    );
    out.counter(
        "pgveil_repeated_values_total",
        "Values that also left unencrypted in the same statement.",
        total.of(&Tally::repeated_values)
    );
    out.counter("pgveil_values_sealed_total", "Values encrypted.", total.of(&Tally::values_sealed));
    out.counter("pgveil_values_opened_total", "Values decrypted.", total.of(&Tally::values_opened));
    out.counter(
        "pgveil_plans_reused_total",
        "Texts whose plan was in the cache; all others are in pgveil_parse_seconds.",
        total.of(&Tally::plans_reused)
    );
}

void write_bytes(Exposition& out, const Total& total) {
    out.family(
        "pgveil_stats_received_bytes_total",
        FamilyType::kCounter,
        "Bytes of sessions, without TLS, by whom they came from."
    );
    out.sample(total.of(&Tally::client_received), {{"leg", "client"}});
    out.sample(total.of(&Tally::upstream_received), {{"leg", "upstream"}});
    out.family(
        "pgveil_stats_sent_bytes_total",
        FamilyType::kCounter,
        "Bytes of sessions, without TLS, by whom they went to."
    );
    out.sample(total.of(&Tally::client_sent), {{"leg", "client"}});
    out.sample(total.of(&Tally::upstream_sent), {{"leg", "upstream"}});
}

void write_times(Exposition& out, const Total& total) {
    out.histogram("pgveil_parse_seconds", "To read and plan one text.", total.of(&Tally::parse));
    out.histogram(
        "pgveil_key_seconds",
        "To put the tenant key together for one request.",
        total.of(&Tally::key)
    );
    out.histogram(
        "pgveil_seal_seconds",
        "To encrypt the values of one message, or of one read of COPY data.",
        total.of(&Tally::seal)
    );
    out.histogram(
        "pgveil_upstream_seconds",
        "From when a request left to its ReadyForQuery.",
        total.of(&Tally::upstream)
    );
    out.histogram(
        "pgveil_open_seconds",
        "To decrypt the values that came with one read.",
        total.of(&Tally::open)
    );
}

}  // namespace

std::shared_ptr<Tally> Registry::add_tally() {
    auto tally = std::make_shared<Tally>();
    const std::lock_guard lock(mutex_);
    tallies_.push_back(tally);
    return tally;
}

std::string Registry::text(const Standing& standing) const {
    const std::lock_guard lock(mutex_);
    const Total total(tallies_);
    Exposition out;
    write_standing(out, standing);
    write_logins(out, total);
    write_statements(out, total);
    write_bytes(out, total);
    write_times(out, total);
    return out.text();
}

}  // namespace pgveil::metrics
