#pragma once

#include "config/error.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgveil::config {

enum class ListenTls { kRequire, kAllow, kDisable };
enum class UpstreamTls { kVerifyFull, kDisable };
enum class MemoryMode { kAuto, kMemfdSecret, kMlock, kUnlocked };
enum class TokenOpening { kPerRequest, kPerToken };
enum class LogLevel { kError, kWarn, kInfo, kDebug };
enum class LogFormat { kText, kJson };

/// What clients' certificates are for, where listen.tls.client_ca asks for them: beside the
/// password (kRequire), or in its place (kAccept).
enum class ClientCertificates { kRequire, kAccept };

struct CertificateUser {
    std::string name;  // common name or subject alternative name
    std::string user;
};

struct ListenSettings {
    std::string host = "127.0.0.1";
    std::uint16_t port = 6543;
    ListenTls tls = ListenTls::kRequire;
    std::string certificate;  // path; empty only if tls is kDisable
    std::string key;          // path
    std::string client_ca;    // path; empty: clients are asked for no certificate
    ClientCertificates client_certificates = ClientCertificates::kRequire;
    std::vector<CertificateUser> certificate_users;  // empty: a name stands for the user so called
    std::string unix_directory;                      // of the socket .s.PGSQL.PORT; empty: none
    std::uint32_t unix_permissions = 0777;
};

/// Which servers a session may use, as libpq's target_session_attrs has it.
enum class SessionAttrs { kAny, kReadWrite, kReadOnly, kPrimary, kStandby, kPreferStandby };

struct UpstreamHost {
    std::string host;  // name, address, or the directory of a Unix socket
    std::uint16_t port = 5432;
};

/// Where the proxy answers /metrics, /healthz and /readyz.
struct HttpSettings {
    std::string host = "127.0.0.1";
    std::uint16_t port = 9643;
};

struct UpstreamSettings {
    std::string host;                 // of the first server
    std::uint16_t port = 5432;        // of the first server
    std::vector<UpstreamHost> hosts;  // all, in the order they are tried
    SessionAttrs session_attrs = SessionAttrs::kAny;
    UpstreamTls tls = UpstreamTls::kVerifyFull;
    std::string ca;                         // path; empty: the system's store
    std::string passwords_file;             // path; empty: none
    bool allow_cleartext_password = false;  // also where neither TLS nor a Unix socket protects it
    std::uint32_t connect_timeout_ms = 5000;
};

/// The proxy's own role, in the database that keeps the keyring mirror.
struct HomeSettings {
    std::string database;
    std::string user;
    std::string password_file;  // path; empty: no password
};

/// Asks the database for the secrets of users who stand in no file.
struct AuthQuerySettings {
    std::string query;  // empty: nobody is asked
    std::string database;
    std::string user;
    std::string password_file;  // path; empty: no password
    std::uint32_t cache_ms = 5000;

    bool is_on() const { return !query.empty(); }
};

/// Whose tokens have to answer a challenge of the session.
struct ChallengeSettings {
    bool of_all = false;
    std::vector<std::string> users;  // else of these user ids
};

struct TokenSettings {
    std::uint32_t max_validity_s = 300;
    std::uint32_t clock_skew_s = 30;
    std::uint32_t key_epoch_s = 86400;
    std::uint32_t grace_s = 60;
    TokenOpening open = TokenOpening::kPerRequest;
    ChallengeSettings require_challenge;
};

struct LimitSettings {
    std::uint32_t sessions = 100;
    std::uint64_t message_bytes = 1073741824;
    std::uint32_t startup_bytes = 10000;
    std::uint32_t login_timeout_ms = 60000;
    std::uint64_t plan_cache_bytes = 67108864;
    std::uint32_t pending_replies = 10000;
    std::uint32_t statements_per_session = 10000;
    std::uint32_t catalog_ttl_ms = 1000;
    std::uint64_t statement_bytes = 16777216;         // of one text of SQL
    std::uint32_t statement_tokens = 1048576;         // words, constants and signs of one text
    std::uint64_t plan_bytes_per_session = 67108864;  // of its prepared statements and cursors
};

/// Limits on connections, from "limits"; 0: none.
struct AdmissionSettings {
    std::uint32_t sessions_per_user = 0;
    std::uint32_t sessions_per_address = 0;
    std::uint32_t pending_logins = 0;
};

/// How long something may last, in milliseconds; 0: as long as it likes.
struct TimeoutSettings {
    std::uint32_t idle_ms = 0;                 // of a session outside a transaction
    std::uint32_t idle_in_transaction_ms = 0;  // of a session inside one
    std::uint32_t statement_ms = 0;
    std::uint32_t drain_ms = 60000;
    std::uint32_t drain_notice_ms = 0;   // for load balancers to notice, before a drain begins
    std::uint32_t keepalive_ms = 60000;  // of silence, before TCP asks whether the peer lives
};

/// One server of the share store's PostgreSQL.
struct StoreHost {
    std::string host;
    std::uint16_t port = 5432;
};

/// A share store in PostgreSQL, which several proxies use.
struct StoreDatabaseSettings {
    std::vector<StoreHost> hosts;
    std::string database = "pgveil_store";
    std::string user = "pgveil_store";
    std::string password_file;  // path; empty: no password
    std::string ca;             // path; empty: no TLS
    std::uint32_t timeout_ms = 2000;
    std::uint32_t max_age_ms = 1000;
};

/// Who may use the admin console; names of the users file.
struct ConsoleSettings {
    std::vector<std::string> admin_users;  // every command
    std::vector<std::string> stats_users;  // SHOW only
};

struct MemorySettings {
    MemoryMode mode = MemoryMode::kAuto;
    std::uint64_t arena_bytes = 0;  // 0: computed from limits.sessions

    /// The arena's size in bytes for this many sessions, if arena_bytes does not say it.
    std::uint64_t arena_size(std::uint32_t sessions) const;
};

struct LogSettings {
    LogLevel level = LogLevel::kInfo;
    LogFormat format = LogFormat::kText;
    std::uint32_t slow_statement_ms = 0;  // 0: none is logged
    bool connections = true;              // a line when a session has got its server
    bool disconnections = true;           // a line when it has ended
};

/// Who did what with protected columns, in files of their own.
struct AuditSettings {
    std::string path;                       // of a folder; empty: off
    std::uint64_t rotate_bytes = 67108864;  // a file of this size is the last but one
    bool refuses = true;                    // protected statements, while lines cannot be written
};

/// When somebody is told that values are opened, or tried to be, by whom they are not for.
struct AlarmSettings {
    std::string webhook;              // http or https URL; empty: log and metrics only
    std::uint32_t failed_opens = 20;  // of one user within the window
    std::uint32_t window_s = 60;
    std::uint32_t lock_user_s = 0;  // 0: nobody is locked
};

/// What a TPM needs to seal the store key, and the tenant to release it. Absent: the key lies in a
/// file.
struct TpmSettings {
    std::string tcti = "device:/dev/tpmrm0";
    std::string approver;  // point of the tenant's approver key, base64url
    std::vector<std::uint32_t> pcrs = {0, 2, 4, 7};  // what the machine started; beside 23
    std::string approvals;                           // path; empty: beside the seal
};

/// pgveil.json after load. A plain value; every path in it is absolute.
struct Settings {
    std::string file;  // absolute path it came from
    std::string tenant;
    ListenSettings listen;
    std::optional<HttpSettings> http;  // absent: off
    std::uint32_t workers = 0;         // 0: one per core
    UpstreamSettings upstream;
    std::string users_file;  // path; may be empty where auth_query or passwords_file is set
    AuthQuerySettings auth_query;
    HomeSettings home;
    std::string store_path;                               // of the SQLite file, if it is one
    std::optional<StoreDatabaseSettings> store_database;  // absent: SQLite
    std::string seal_path;
    std::optional<TpmSettings> tpm;  // of the seal
    std::string policy_path;
    TokenSettings tokens;
    LimitSettings limits;
    AdmissionSettings admission;
    MemorySettings memory;
    LogSettings log;
    AuditSettings audit;
    AlarmSettings alarms;
    TimeoutSettings timeouts;
    ConsoleSettings console;
};

/// Reads settings (JSON with comments). `file` is the path they came from: relative paths inside
/// are relative to its folder. Unknown and duplicate keys and values of later versions are errors
/// of one line. Files that it names are not opened here.
Result<Settings> parse_settings(std::string_view file, std::string_view text);

/// parse_settings on the content of a file.
Result<Settings> load_settings(const std::string& path);

}  // namespace pgveil::config
