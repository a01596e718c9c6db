#pragma once

#include <boost/system/result.hpp>

#include <string>

namespace pgveil::store {

enum class ErrorCode {
    kUnavailable,      ///< the store cannot be read or written
    kBroken,           ///< rows do not open, are missing, or are older than the store says
    kNotBootstrapped,  ///< no tenant yet (or the bootstrap is not finished)
    kRefused,          ///< the caller's message is wrong; the text says how. SQLSTATE 22023
    kForged,           ///< signature or seal does not fit. SQLSTATE 28000
    kOutOfOrder,       ///< a command or step that does not follow what was done. SQLSTATE 55000
    kFailed,
    kSuperseded,  ///< another proxy has written to the store meanwhile. SQLSTATE 40001
};

/// The message says what happened and what to do next; it never holds a secret.
struct Error {
    ErrorCode code;
    std::string message;
};

template <class T>
using Result = boost::system::result<T, Error>;

}  // namespace pgveil::store
