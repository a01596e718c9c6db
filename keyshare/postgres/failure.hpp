#pragma once

#include <boost/system/result.hpp>

#include <string>

namespace pgveil::postgres {

/// Why libpq or the server did not do it, as they said it. What to do next is for the caller to
/// say, who knows what the connection is for.
struct Failure {
    std::string text;  ///< all of it, without the last line end; never empty
    // What the server said apart; empty when the connection failed.
    std::string primary = {};
    std::string sqlstate = {};
    std::string detail = {};
    std::string hint = {};

    /// `text` in one line, for a log.
    std::string line() const;
};

template <class T>
using Result = boost::system::result<T, Failure>;

}  // namespace pgveil::postgres
