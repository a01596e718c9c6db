#include "proxy/admin/console_show.hpp"

#include "proxy/admin/console_config.hpp"
#include "proxy/admin/console_rights.hpp"

#include <algorithm>
#include <array>

namespace pgveil::admin {

namespace {

using enum CellType;

constexpr std::array kStats{
    Column{"database"},
    Column{"sessions", kNumber},
    Column{"total_xact_count", kNumber},
    Column{"total_query_count", kNumber},
    Column{"total_received", kNumber},
    Column{"total_sent", kNumber},
    Column{"total_xact_time", kNumber},
    Column{"total_query_time", kNumber},
    Column{"avg_xact_time", kNumber},
    Column{"avg_query_time", kNumber}};

constexpr std::array kSessions{
    Column{"id"},
    Column{"user"},
    Column{"database"},
    Column{"state"},
    Column{"address"},
    Column{"server"},
    Column{"connect_time"},
    Column{"request_time"},
    Column{"tls"},
    Column{"remote_pid", kNumber},
    Column{"veil_user"},
    Column{"prepared_statements", kNumber},
    Column{"xact_count", kNumber},
    Column{"query_count", kNumber},
    Column{"received", kNumber},
    Column{"sent", kNumber}};

constexpr std::array kUsers{Column{"name"}, Column{"rights"}, Column{"sessions", kNumber}};

constexpr std::array kColumns{
    Column{"table"},
    Column{"column"},
    Column{"type"},
    Column{"scheme"},
    Column{"group"},
    Column{"context"},
    Column{"pad_to", kNumber},
    Column{"order_bytes", kNumber},
    Column{"bind_to"},
    Column{"on_missing_key"}};

constexpr std::array kKeys{
    Column{"group"},
    Column{"key_id", kNumber},
    Column{"state"},
    Column{"tk_epoch", kNumber},
    Column{"dek_epoch", kNumber},
    Column{"version", kNumber}};

constexpr std::array kVersion{Column{"version"}};
constexpr std::array kState{Column{"key"}, Column{"value"}};
constexpr std::array kLocks{Column{"user"}, Column{"until"}};
constexpr std::array kHelp{Column{"command"}, Column{"what_it_does"}};
constexpr std::array kExplain{Column{"QUERY PLAN"}};

std::string yes_or_no(bool is_so) {
    return is_so ? "yes" : "no";
}

Cell text_or_null(const std::string& text) {
    return text.empty() ? Cell() : Cell(text);
}

Cell number_or_null(std::uint64_t value) {
    return value == 0 ? Cell() : number(value);
}

std::uint64_t average(std::uint64_t sum, std::uint64_t count) {
    return count == 0 ? 0 : sum / count;
}

struct DatabaseTotals {
    Totals totals;
    std::uint64_t sessions = 0;
};

Row stats_row(const std::string& database, const DatabaseTotals& all) {
    const Totals& totals = all.totals;
    return {
        database,
        number(all.sessions),
        number(totals.transactions),
        number(totals.requests),
        number(totals.received_bytes),
        number(totals.sent_bytes),
        number(totals.transaction_us),
        number(totals.request_us),
        number(average(totals.transaction_us, totals.transactions)),
        number(average(totals.request_us, totals.requests))};
}

Row session_row(const SessionFacts& session) {
    return {
        session.id,
        session.user,
        session.database,
        session.state,
        session.address,
        session.server,
        time_cell(session.connected_s),
        time_cell(session.request_s),
        text_or_null(session.tls),
        number_or_null(session.server_process),
        text_or_null(session.veil_user),
        number(session.prepared_statements),
        number(session.totals.transactions),
        number(session.totals.requests),
        number(session.totals.received_bytes),
        number(session.totals.sent_bytes)};
}

/// "s7" after "s12" helps nobody: by length, then by letters.
bool is_older(const SessionFacts& left, const SessionFacts& right) {
    return left.id.size() != right.id.size() ? left.id.size() < right.id.size()
                                             : left.id < right.id;
}

Row column_row(const config::TablePolicy& table, const config::ColumnPolicy& column) {
    std::string bound;
    for (const std::string& key : column.bind_to) {
        bound += (bound.empty() ? "" : ", ") + key;
    }
    const std::string context = column.context.empty()
                                    ? config::default_context(table.schema, table.name, column.name)
                                    : column.context;
    return {
        table.schema + "." + table.name,
        column.name,
        types::name_of(column.type),
        std::string(config::name_of(column.scheme)),
        column.group,
        context,
        number_or_null(column.pad_to),
        number_or_null(column.order_bytes),
        text_or_null(bound),
        std::string(column.is_null_without_key ? "null" : "error")};
}

std::string state_of_bootstrap(const store::CustodyReport& custody) {
    if (custody.closed) {
        return "closed";
    }
    return custody.pinned ? "under way" : "waits for the tenant";
}

}  // namespace

Totals& Totals::operator+=(const Totals& other) {
    requests += other.requests;
    transactions += other.transactions;
    received_bytes += other.received_bytes;
    sent_bytes += other.sent_bytes;
    request_us += other.request_us;
    transaction_us += other.transaction_us;
    return *this;
}

std::span<const Column> columns_of(Topic topic) {
    switch (topic) {
        case Topic::kStats: return kStats;
        case Topic::kSessions: return kSessions;
        case Topic::kUsers: return kUsers;
        case Topic::kColumns: return kColumns;
        case Topic::kKeys: return kKeys;
        case Topic::kConfig: return config_columns();
        case Topic::kVersion: return kVersion;
        case Topic::kState: return kState;
        case Topic::kAudit: return kState;
        case Topic::kLocks: return kLocks;
        case Topic::kHelp: break;
    }
    return kHelp;
}

std::span<const Column> explain_columns() {
    return kExplain;
}

Table show_stats(const std::vector<WorkerFacts>& workers) {
    std::map<std::string, DatabaseTotals> databases;
    for (const WorkerFacts& worker : workers) {
        for (const auto& [database, totals] : worker.gone) {
            databases[database].totals += totals;
        }
        for (const SessionFacts& session : worker.sessions) {
            databases[session.database].totals += session.totals;
            ++databases[session.database].sessions;
        }
    }
    Table table{kStats, {}};
    for (const auto& [database, all] : databases) {
        table.rows.push_back(stats_row(database, all));
    }
    return table;
}

Table show_sessions(const std::vector<WorkerFacts>& workers) {
    std::vector<SessionFacts> sessions;
    for (const WorkerFacts& worker : workers) {
        sessions.insert(sessions.end(), worker.sessions.begin(), worker.sessions.end());
    }
    std::sort(sessions.begin(), sessions.end(), is_older);
    Table table{kSessions, {}};
    for (const SessionFacts& session : sessions) {
        table.rows.push_back(session_row(session));
    }
    return table;
}

Table show_users(
    const std::vector<std::string>& names,
    const config::ConsoleSettings& settings,
    const std::vector<WorkerFacts>& workers
) {
    std::map<std::string, std::uint64_t> sessions;
    for (const std::string& name : names) {
        sessions[name] = 0;
    }
    for (const WorkerFacts& worker : workers) {
        for (const SessionFacts& session : worker.sessions) {
            ++sessions[session.user];  // somebody whom a reload removed may still be here
        }
    }
    Table table{kUsers, {}};
    for (const auto& [name, count] : sessions) {
        table.rows.push_back({name, std::string(name_of(rights_of(name, settings))), number(count)}
        );
    }
    return table;
}

Table show_columns(const config::Policy& policy) {
    Table table{kColumns, {}};
    for (const config::TablePolicy& protected_table : policy.tables()) {
        for (const config::ColumnPolicy& column : protected_table.columns) {
            table.rows.push_back(column_row(protected_table, column));
        }
    }
    return table;
}

Table show_keys(const share::KeyringPtr& keyring) {
    Table table{kKeys, {}};
    if (!keyring) {
        return table;
    }
    for (const share::KeyringRow& row : keyring->rows) {
        table.rows.push_back(
            {row.group,
             number(row.key_id),
             std::string(share::name_of(row.state)),
             number(row.tk_epoch),
             number(row.dek_epoch),
             number(row.version)}
        );
    }
    return table;
}

Table show_version(std::string_view version) {
    return {kVersion, {{"pgveil " + std::string(version)}}};
}

Table show_state(const StateFacts& state, const store::CustodyReport& custody) {
    return {
        kState,
        {{std::string("active"), yes_or_no(!state.is_paused && !state.is_draining)},
         {std::string("paused"), yes_or_no(state.is_paused)},
         {std::string("draining"), yes_or_no(state.is_draining)},
         {std::string("version"), state.version},
         {std::string("settings_file"), state.settings_file},
         {std::string("started"), time_cell(state.started_s)},
         {std::string("loaded"), time_cell(state.loaded_s)},
         {std::string("workers"), std::to_string(state.workers)},
         {std::string("sessions"), std::to_string(state.sessions)},
         {std::string("statements_refused"), std::to_string(state.refused)},
         {std::string("locked"), yes_or_no(custody.locked)},
         {std::string("bootstrap"), state_of_bootstrap(custody)},
         {std::string("tenant_fingerprint"), text_or_null(custody.tenant_fingerprint)},
         {std::string("identity_fingerprint"), text_or_null(custody.identity_fingerprint)},
         {std::string("keyring_mirror_read"), yes_or_no(custody.zero_read)},
         {std::string("active_users"), std::to_string(custody.active_users)},
         {std::string("renewing_users"), std::to_string(custody.renewing_users)},
         {std::string("withdrawn_users"), std::to_string(custody.withdrawn_users)},
         {std::string("last_command"), std::to_string(custody.last_sequence)},
         {std::string("store_version"), std::to_string(custody.store_version)},
         {std::string("store_key_renewal_due"), yes_or_no(custody.renewal_due)},
         {std::string("seal"), state.seal},
         {std::string("memory_mode"), state.memory_mode},
         {std::string("arena_bytes"), std::to_string(state.arena_bytes)},
         {std::string("arena_bytes_in_use"), std::to_string(state.arena_bytes_in_use)},
         {std::string("arena_refused"), std::to_string(state.arena_refused)}}};
}

Table show_audit(const AuditFacts& audit) {
    return {
        kState,
        {{std::string("on"), yes_or_no(audit.is_on)},
         {std::string("file"), text_or_null(audit.file)},
         {std::string("last_record"), std::to_string(audit.last)},
         {std::string("signed_up_to"), std::to_string(audit.signed_up_to)},
         {std::string("signed"), time_cell(audit.signed_s)},
         {std::string("queued"), std::to_string(audit.queued)},
         {std::string("lost"), std::to_string(audit.lost)},
         {std::string("failure"), text_or_null(audit.failure)}}};
}

Table show_locks(const std::map<std::string, std::int64_t, std::less<>>& locks) {
    Table table{kLocks, {}};
    for (const auto& [user, until_s] : locks) {
        table.rows.push_back({user, time_cell(until_s)});
    }
    return table;
}

Table show_help() {
    constexpr std::array<std::array<std::string_view, 2>, 22> kLines{{
        {"SHOW STATS", "requests, transactions, bytes and times by database"},
        {"SHOW SESSIONS", "sessions of clients"},
        {"SHOW USERS", "who may log in, and rights here"},
        {"SHOW COLUMNS", "protected columns of the policy"},
        {"SHOW KEYS", "data keys of the tenant, without the keys"},
        {"SHOW CONFIG", "settings, and whether a reload changes them"},
        {"SHOW VERSION", "the version of pgveil"},
        {"SHOW STATE", "the state of the proxy and its share store"},
        {"SHOW AUDIT", "how far the audit log is written and signed"},
        {"SHOW LOCKS", "users whom an alarm has locked"},
        {"SHOW HELP", "this list"},
        {"RELOAD", "read settings, policy, users and certificates again"},
        {"PAUSE", "hold new transactions; returns when none is open"},
        {"RESUME", "let them go on"},
        {"LOCK", "wipe the store key and all that was opened with it"},
        {"UNLOCK", "ask the seal for the store key again"},
        {"UNLOCK USER name", "let a user go on whom an alarm has locked"},
        {"KILL_CLIENT id", "end one session of SHOW SESSIONS, and cancel what it runs"},
        {"SHUTDOWN", "end all sessions and stop"},
        {"SHUTDOWN WAIT_FOR_CLIENTS", "let open transactions end, then stop"},
        {"EXPLAIN VEIL sql", "what would be sent, or why it is refused"},
        {"EXPLAIN VEIL (DATABASE name) sql", "the same in this database"},
    }};
    Table table{kHelp, {}};
    for (const auto& [command, what] : kLines) {
        table.rows.push_back({std::string(command), std::string(what)});
    }
    return table;
}

Table explain_table(std::string_view text) {
    Table table{kExplain, {}};
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        table.rows.push_back({std::string(text.substr(0, end))});
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return table;
}

}  // namespace pgveil::admin
