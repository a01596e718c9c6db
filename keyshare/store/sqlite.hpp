#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/store/error.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace pgveil::store {

/// One prepared statement; bind in order, step, read. Views into a row live until the next step.
/// Wraps one sqlite3_stmt (https://www.sqlite.org/c3ref/stmt.html).
class Statement {
public:
    Statement& bind(std::string_view text);
    Statement& bind(core::ByteView blob);
    Statement& bind(std::int64_t number);
    /// True: a row is there. False: done. Nothing is bound or read after an error.
    Result<bool> step();
    std::string text(int column) const;
    core::ByteView blob(int column) const;
    std::int64_t number(int column) const;

private:
    friend class Database;

    struct Finalizer {
        void operator()(sqlite3_stmt* statement) const;
    };

    explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}

    std::unique_ptr<sqlite3_stmt, Finalizer> statement_;
    int bound_ = 0;
};

/// One SQLite file, opened for this process alone.
class Database {
public:
    /// `create` false: a missing file is an error. The file is made with mode 0600.
    static Result<Database> open(const std::filesystem::path& path, bool create);

    Result<Statement> prepare(std::string_view sql) const;
    Result<void> run(const char* sql) const;
    /// `work` in a transaction that ends with COMMIT, or with ROLLBACK if it gives an error or
    /// throws.
    Result<void> in_transaction(const std::function<Result<void>()>& work) const;
    /// A copy of everything into a new file (mode 0600, synced) that needs no write-ahead log
    /// beside it. An error if there is a file of that name.
    Result<void> copy_to(const std::filesystem::path& path) const;
    Error failure(std::string_view doing) const;

private:
    struct Closer {
        void operator()(sqlite3* database) const;
    };

    Database(sqlite3* database, std::filesystem::path path)
        : database_(database), path_(std::move(path)) {}

    std::unique_ptr<sqlite3, Closer> database_;
    std::filesystem::path path_;
};

/// Another process (or this one) has the file open and locked. False if there is none, or if it
/// cannot be read.
bool is_in_use(const std::filesystem::path& path);

}  // namespace pgveil::store
