#pragma once

#include <boost/system/result.hpp>

#include <string>

namespace pgveil::config {

enum class ErrorKind {
    kUnreadable,  // the file cannot be read
    kInvalid,     // its content is not what it must be
};

/// `message` is one line for a person: file, JSON pointer or line, what is wrong, what to do.
struct Error {
    ErrorKind kind = ErrorKind::kInvalid;
    std::string message;
};

template <class T>
using Result = boost::system::result<T, Error>;

}  // namespace pgveil::config
