#pragma once

#include <cstddef>
#include <functional>
#include <istream>
#include <string>
#include <string_view>

// What clients asked a PostgreSQL server, read back from its log (PostgreSQL documentation,
// chapter 20.8).
namespace pgveil::explain {

/// One statement that the server logged before or after it ran it.
struct LoggedStatement {
    std::string text;
    /// Empty where the log does not say (format stderr).
    std::string database;
    /// Of the log, where the entry begins; from 1.
    std::size_t line = 0;
};

/// Hands every statement of a server log to `sink`, in order: log_destination stderr, csvlog or
/// jsonlog (found by the first line), written under log_statement or log_min_duration_statement,
/// messages in English. Lines of any other kind are skipped, broken ones too. Memory: one entry.
/// Not promised: statements that the server did not log, values of parameters.
void read_query_log(std::istream& log, const std::function<void(LoggedStatement)>& sink);

/// The statement in a log message: `statement: ...`, `execute <name>: ...`, either behind
/// `duration: 0.1 ms  `. Empty: it holds none.
std::string_view statement_of_message(std::string_view message);

}  // namespace pgveil::explain
