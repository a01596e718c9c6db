#pragma once

#include <boost/system/result.hpp>

#include <string>
#include <string_view>
#include <variant>

namespace pgveil::admin {

enum class Topic {
    kStats,
    kSessions,
    kUsers,
    kColumns,
    kKeys,
    kConfig,
    kVersion,
    kState,
    kAudit,
    kLocks,
    kHelp,
};

/// SHOW topic.
struct Show {
    Topic topic = Topic::kHelp;
};

enum class Action {
    kReload,
    kPause,
    kResume,
    kLock,
    kUnlock,
    kDrain,     ///< SHUTDOWN WAIT_FOR_CLIENTS or WAIT_FOR_SERVERS: as signal TERM
    kShutdown,  ///< SHUTDOWN: as signal INT
};

/// EXPLAIN VEIL [(DATABASE name)] sql.
struct Explain {
    Explain() = default;

    Explain(std::string text, std::string where)
        : sql(std::move(text)), database(std::move(where)) {}

    std::string sql;
    std::string database;  ///< empty: not said
};

/// UNLOCK USER name: whom an alarm has locked.
struct UnlockUser {
    std::string user;
};

/// KILL_CLIENT id, as SHOW SESSIONS shows it.
struct KillClient {
    std::string session;
};

/// Nothing but blanks and comments.
struct NoCommand {};

using Command = std::variant<NoCommand, Show, Action, Explain, UnlockUser, KillClient>;

/// For the client: nothing of its text is quoted.
struct CommandError {
    CommandError() = default;

    CommandError(std::string state, std::string text, std::string advice = {})
        : sqlstate(std::move(state)), message(std::move(text)), hint(std::move(advice)) {}

    std::string sqlstate;
    std::string message;
    std::string hint;
};

template <class T>
using Result = boost::system::result<T, CommandError>;

/// Reads one command of the console: words in any case, SQL comments, semicolons at the end. Names
/// of databases are read as SQL reads identifiers, or stand in single quotes. 42601 for anything
/// else, 0A000 for what pgveil does not have yet.
Result<Command> parse_command(std::string_view text);

/// "STATS", ...
std::string_view name_of(Topic topic);

/// The tag of its CommandComplete, which is also how the command begins: "SHOW", "RELOAD", ...
std::string_view tag_of(const Command& command);

}  // namespace pgveil::admin
