#include "keyshare/store/sqlite.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace pgveil::store {
namespace {

// SQLITE_TRANSIENT (copy the bytes) is a C cast of -1; views of the caller live through step(), so
// SQLite may use them in place.
constexpr sqlite3_destructor_type kBorrowed = nullptr;

// SQLite would make the file with the umask's mode; the WAL and its index take over the mode of the
// file.
Result<void> make_private_file(const std::filesystem::path& path) {
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (descriptor < 0) {
        return Error{
            ErrorCode::kUnavailable,
            "share store " + path.string() +
                " cannot be made: " + std::generic_category().message(errno)};
    }
    ::close(descriptor);
    return {};
}

Result<void> make_new_file(const std::filesystem::path& path) {
    const int descriptor =
        ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (descriptor < 0) {
        return Error{
            ErrorCode::kUnavailable,
            "the copy " + path.string() +
                " cannot be made: " + std::generic_category().message(errno)};
    }
    ::close(descriptor);
    return {};
}

}  // namespace

void Statement::Finalizer::operator()(sqlite3_stmt* statement) const {
    sqlite3_finalize(statement);
}

void Database::Closer::operator()(sqlite3* database) const {
    sqlite3_close(database);
}

Statement& Statement::bind(std::string_view text) {
    sqlite3_bind_text(
        statement_.get(), ++bound_, text.data(), static_cast<int>(text.size()), kBorrowed
    );
    return *this;
}

Statement& Statement::bind(core::ByteView blob) {
    sqlite3_bind_blob(
        statement_.get(), ++bound_, blob.data(), static_cast<int>(blob.size()), kBorrowed
    );
    return *this;
}

Statement& Statement::bind(std::int64_t number) {
    sqlite3_bind_int64(statement_.get(), ++bound_, number);
    return *this;
}

Result<bool> Statement::step() {
    const int state = sqlite3_step(statement_.get());
    if (state == SQLITE_ROW) {
        return true;
    }
    if (state == SQLITE_DONE) {
        return false;
    }
    return Error{
        ErrorCode::kUnavailable,
        std::string("the share store cannot be used: ") +
            sqlite3_errmsg(sqlite3_db_handle(statement_.get()))};
}

std::string Statement::text(int column) const {
    const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_.get(), column));
    const int size = sqlite3_column_bytes(statement_.get(), column);
    return bytes == nullptr ? std::string() : std::string(bytes, static_cast<std::size_t>(size));
}

core::ByteView Statement::blob(int column) const {
    const auto* bytes =
        static_cast<const std::uint8_t*>(sqlite3_column_blob(statement_.get(), column));
    const int size = sqlite3_column_bytes(statement_.get(), column);
    return {bytes, bytes == nullptr ? 0 : static_cast<std::size_t>(size)};
}

std::int64_t Statement::number(int column) const {
    return sqlite3_column_int64(statement_.get(), column);
}

Result<Database> Database::open(const std::filesystem::path& path, bool create) {
    if (create) {
        const auto made = make_private_file(path);
        if (!made.has_value()) {
            return made.error();
        }
    }
    sqlite3* raw = nullptr;
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_FULLMUTEX | SQLITE_OPEN_NOFOLLOW;
    const int state = sqlite3_open_v2(path.c_str(), &raw, flags, nullptr);
    Database database(raw, path);
    if (state != SQLITE_OK) {
        return database.failure("be opened");
    }
    // Exclusive: a second proxy on one file would serve from a snapshot that does not notice
    // withdrawals.
    for (const char* setting :
         {"PRAGMA locking_mode = EXCLUSIVE",
          "PRAGMA journal_mode = WAL",
          "PRAGMA synchronous = FULL",
          "PRAGMA secure_delete = ON",
          "PRAGMA trusted_schema = OFF"}) {
        const auto set = database.run(setting);
        if (!set.has_value()) {
            return set.error();
        }
    }
    return database;
}

Result<Statement> Database::prepare(std::string_view sql) const {
    sqlite3_stmt* raw = nullptr;
    const int state = sqlite3_prepare_v2(
        database_.get(), sql.data(), static_cast<int>(sql.size()), &raw, nullptr
    );
    Statement statement(raw);
    if (state != SQLITE_OK) {
        return failure("be read");
    }
    return statement;
}

Result<void> Database::run(const char* sql) const {
    if (sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) {
        return failure("be used");
    }
    return {};
}

Result<void> Database::in_transaction(const std::function<Result<void>()>& work) const {
    auto done = run("BEGIN IMMEDIATE");
    if (!done.has_value()) {
        return done;
    }
    try {
        done = work();
        if (done.has_value()) {
            done = run("COMMIT");
        }
    } catch (...) {  // out of memory: the next commit must find no transaction open
        sqlite3_exec(database_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
        throw;
    }
    if (!done.has_value()) {
        sqlite3_exec(database_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
    }
    return done;
}

Result<void> Database::copy_to(const std::filesystem::path& path) const {
    const auto made = make_new_file(path);
    if (!made.has_value()) {
        return made;
    }
    sqlite3* raw = nullptr;
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_FULLMUTEX | SQLITE_OPEN_NOFOLLOW;
    const int opened = sqlite3_open_v2(path.c_str(), &raw, flags, nullptr);
    const Database copy(raw, path);
    if (opened != SQLITE_OK) {
        return copy.failure("be opened");
    }
    sqlite3_backup* const backup = sqlite3_backup_init(raw, "main", database_.get(), "main");
    if (backup == nullptr) {
        return copy.failure("be copied");
    }
    const int stepped = sqlite3_backup_step(backup, -1);
    if (sqlite3_backup_finish(backup) != SQLITE_OK || stepped != SQLITE_DONE) {
        return copy.failure("be copied");
    }
    // The copy says of itself that it has a write-ahead log, as the original does.
    return copy.run("PRAGMA journal_mode = DELETE");
}

Error Database::failure(std::string_view doing) const {
    const std::string reason = database_ ? sqlite3_errmsg(database_.get()) : "out of memory";
    return Error{
        ErrorCode::kUnavailable,
        "share store " + path_.string() + " cannot " + std::string(doing) + ": " + reason};
}

bool is_in_use(const std::filesystem::path& path) {
    sqlite3* raw = nullptr;
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW;
    const bool is_open = sqlite3_open_v2(path.c_str(), &raw, flags, nullptr) == SQLITE_OK;
    const bool is_locked =
        is_open && sqlite3_exec(raw, "BEGIN EXCLUSIVE", nullptr, nullptr, nullptr) == SQLITE_BUSY;
    sqlite3_close(raw);
    return is_locked;
}

}  // namespace pgveil::store
