#pragma once

#include <boost/system/result.hpp>

#include <string>

namespace pgveil::audit {

/// One line for a person: which file or option, what happened, what to do.
struct Error {
    Error() = default;  // no aggregate: a Result could not tell it from a text

    Error(const std::string& where, const std::string& what) : message(where + ": " + what) {}

    std::string message;
};

template <class T>
using Result = boost::system::result<T, Error>;

}  // namespace pgveil::audit
