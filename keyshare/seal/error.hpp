#pragma once

#include <boost/system/result.hpp>

#include <string>

namespace pgveil::seal {

/// The message names the file and says what to do.
struct Error {
    std::string message;
};

template <class T>
using Result = boost::system::result<T, Error>;

}  // namespace pgveil::seal
