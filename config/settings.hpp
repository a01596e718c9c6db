#pragma once

#include "config/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace pgveil::config {

enum class ListenTls { kRequire, kAllow, kDisable };
enum class UpstreamTls { kVerifyFull, kDisable };
enum class MemoryMode { kAuto, kMemfdSecret, kMlock, kUnlocked };
enum class LogLevel { kError, kWarn, kInfo, kDebug };

struct ListenSettings {
    std::string host = "127.0.0.1";
    std::uint16_t port = 6543;
    ListenTls tls = ListenTls::kRequire;
    std::string certificate;  // path; empty only if tls is kDisable
    std::string key;          // path
};

struct UpstreamSettings {
    std::string host;
    std::uint16_t port = 5432;
    UpstreamTls tls = UpstreamTls::kVerifyFull;
    std::string ca;  // path; empty: the system's store
    std::uint32_t connect_timeout_ms = 5000;
};

/// The proxy's own role, in the database that keeps the keyring mirror.
struct HomeSettings {
    std::string database;
    std::string user;
    std::string password_file;  // path; empty: no password
};

struct TokenSettings {
    std::uint32_t max_validity_s = 300;
    std::uint32_t clock_skew_s = 30;
    std::uint32_t key_epoch_s = 86400;
    std::uint32_t grace_s = 60;
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

struct MemorySettings {
    MemoryMode mode = MemoryMode::kAuto;
    std::uint64_t arena_bytes = 0;  // 0: computed from limits.sessions

    /// The arena's size in bytes for this many sessions, if arena_bytes does not say it.
    std::uint64_t arena_size(std::uint32_t sessions) const;
};

/// pgveil.json after load. A plain value; every path in it is absolute.
struct Settings {
    std::string file;  // absolute path it came from
    std::string tenant;
    ListenSettings listen;
    std::uint32_t workers = 0;  // 0: one per core
    UpstreamSettings upstream;
    std::string users_file;
    HomeSettings home;
    std::string store_path;
    std::string seal_path;  // the file seal is the only kind so far
    std::string policy_path;
    TokenSettings tokens;
    LimitSettings limits;
    MemorySettings memory;
    LogLevel log_level = LogLevel::kInfo;
};

/// Reads settings (JSON with comments). `file` is the path they came from: relative paths inside
/// are relative to its folder. Unknown and duplicate keys and values of later versions are errors
/// of one line. Files that it names are not opened here.
Result<Settings> parse_settings(std::string_view file, std::string_view text);

/// parse_settings on the content of a file.
Result<Settings> load_settings(const std::string& path);

}  // namespace pgveil::config
