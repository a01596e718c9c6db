#pragma once

#include <boost/system/result.hpp>

#include <string>

namespace pgveil::types {

enum class ErrorKind {
    /// PostgreSQL refuses the value, too: sqlstate, message and hint are PostgreSQL's own, to the
    /// letter.
    kInvalidValue,
    /// PostgreSQL may accept the form; we do not read or cannot keep it. sqlstate is 0A000 (22001
    /// where it is longer than the column orders), and message or hint say what to write.
    kUnsupportedForm,
};

/// Why a value was not converted.
/// Secrecy: `message` may quote the client's value, as PostgreSQL's does. It goes to that client
/// and to nobody else: never into a log, never upstream.
struct Error {
    ErrorKind kind = ErrorKind::kInvalidValue;
    std::string sqlstate;
    std::string message;
    std::string hint;
    std::string detail = {};
};

template <class T>
using Result = boost::system::result<T, Error>;

/// `message` with PostgreSQL's `sqlstate` (five characters).
Error invalid_value(std::string sqlstate, std::string message, std::string hint = {});

/// 0A000 for a form that PostgreSQL may accept and we do not read.
Error unsupported_form(std::string message, std::string hint = {});

}  // namespace pgveil::types
