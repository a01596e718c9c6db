#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace pgveil::store {

struct StoreServer {
    std::string host;
    std::uint16_t port = 5432;
};

/// A share store in PostgreSQL, for several proxies. The server is trusted for nothing.
struct PostgresqlPlace {
    std::vector<StoreServer> servers;  ///< of several the one that can be written to is taken
    std::string database;
    std::string user;
    std::string password_file;        ///< path; empty: no password
    std::string ca;                   ///< path; empty: no TLS
    std::uint32_t timeout_ms = 2000;  ///< for a connection, and for each answer
    std::uint32_t max_age_ms = 1000;  ///< what is served is never older than this
    std::filesystem::path mark;       ///< the file of the high-water mark, on this machine
};

/// Where the share store lies.
struct StorePlace {
    std::filesystem::path path;                 ///< the SQLite file, if it is one
    std::optional<PostgresqlPlace> postgresql;  ///< nothing: SQLite

    /// For messages.
    std::string text() const {
        return postgresql ? "in database " + postgresql->database : path.string();
    }
};

}  // namespace pgveil::store
