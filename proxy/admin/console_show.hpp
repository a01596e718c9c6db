#pragma once

#include "config/policy.hpp"
#include "config/settings.hpp"
#include "keyshare/share/keyring.hpp"
#include "keyshare/store/proxy_custody.hpp"
#include "proxy/admin/console_command.hpp"
#include "proxy/admin/console_table.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

/// The tables of the SHOW commands, made from plain values. No share, token, key, wrap, password or
/// constant of a statement is among those values, nor anything a password could be guessed with.
namespace pgveil::admin {

/// What sessions have done. Bytes are those of the client's side.
struct Totals {
    std::uint64_t requests = 0;      ///< answered by a ReadyForQuery
    std::uint64_t transactions = 0;  ///< that have ended
    std::uint64_t received_bytes = 0;
    std::uint64_t sent_bytes = 0;
    std::uint64_t request_us = 0;      ///< during which an answer was awaited
    std::uint64_t transaction_us = 0;  ///< during which a transaction was open

    Totals& operator+=(const Totals& other);
};

/// One session of a client.
struct SessionFacts {
    std::string id;
    std::string user;
    std::string database;
    std::string state;  ///< in the words of pg_stat_activity, or "paused"
    std::string address;
    std::string server;  ///< host:port of the upstream that it has got
    std::string tls;     ///< "TLSv1.3"; empty without
    std::int64_t connected_s = 0;
    std::int64_t request_s = 0;  ///< when its state began
    std::uint32_t server_process = 0;
    std::string veil_user;  ///< whose token was opened last; empty: nobody's
    std::uint64_t prepared_statements = 0;
    Totals totals;
};

/// What one worker knows.
struct WorkerFacts {
    std::vector<SessionFacts> sessions;
    std::map<std::string, Totals> gone;  ///< of sessions that have ended, by database
    std::uint64_t refused = 0;           ///< statements, since the start
    std::uint64_t busy = 0;              ///< sessions with an open transaction or request
};

/// The proxy as a whole.
struct StateFacts {
    bool is_paused = false;
    bool is_draining = false;
    std::string version;
    std::string settings_file;
    std::int64_t started_s = 0;
    std::int64_t loaded_s = 0;  ///< when settings, policy, users and certificates were read
    std::size_t workers = 0;
    std::uint64_t sessions = 0;
    std::uint64_t refused = 0;
    std::string seal;  ///< what keeps the store key
    std::string memory_mode;
    std::uint64_t arena_bytes = 0;
    std::uint64_t arena_bytes_in_use = 0;
    std::uint64_t arena_refused = 0;
};

/// The audit log.
struct AuditFacts {
    bool is_on = false;
    std::string file;
    std::uint64_t last = 0;          ///< number of the last record
    std::uint64_t signed_up_to = 0;  ///< 0: no head since the start
    std::int64_t signed_s = 0;
    std::uint64_t queued = 0;
    std::uint64_t lost = 0;
    std::string failure;  ///< empty: it is written
};

/// The columns of the answer to SHOW topic.
std::span<const Column> columns_of(Topic topic);
/// Those of EXPLAIN VEIL.
std::span<const Column> explain_columns();

Table show_stats(const std::vector<WorkerFacts>& workers);
Table show_sessions(const std::vector<WorkerFacts>& workers);
/// @param names those of the users file
Table show_users(
    const std::vector<std::string>& names,
    const config::ConsoleSettings& settings,
    const std::vector<WorkerFacts>& workers
);
Table show_columns(const config::Policy& policy);
/// @param keyring null until the bootstrap is closed
Table show_keys(const share::KeyringPtr& keyring);
Table show_version(std::string_view version);
Table show_state(const StateFacts& state, const store::CustodyReport& custody);
Table show_audit(const AuditFacts& audit);
/// @param locks until when (Unix seconds), by user
Table show_locks(const std::map<std::string, std::int64_t, std::less<>>& locks);
Table show_help();

/// One row for each line of the text.
Table explain_table(std::string_view text);

}  // namespace pgveil::admin
