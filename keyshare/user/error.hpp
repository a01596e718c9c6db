#pragma once

#include <boost/system/result.hpp>

#include <string>
#include <utility>

namespace pgveil::user {

/// What a role program tells the shell.
enum class Exit : int {
    kOk = 0,
    kFailed = 1,  ///< asked for rightly, but it could not be done
    kUsage = 2,   ///< wrong arguments, unusable files, missing settings
};

/// One sentence for a person: what happened, to which file or user, and what to do next. It never
/// holds a secret.
struct Error {
    Exit code = Exit::kFailed;
    std::string message;
};

template <class T>
using Result = boost::system::result<T, Error>;

inline Error failed(std::string message) {
    return {Exit::kFailed, std::move(message)};
}

inline Error unusable(std::string message) {
    return {Exit::kUsage, std::move(message)};
}

}  // namespace pgveil::user
