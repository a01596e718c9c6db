#pragma once

#include "keyshare/core/hash.hpp"
#include "keyshare/user/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace pgveil::envelope {

using user::Result;

/// One request to a holder, and what came of it. Texts are printable ASCII.
struct Access {
    std::int64_t at_s = 0;
    std::string request;    ///< its id in hexadecimal: the same at every holder that was asked
    std::string requester;  ///< as the request says
    std::string purpose;
    std::string file;    ///< SHA-256 of the file's header in hexadecimal; "-": of no file
    std::string result;  ///< "answered", or why not
};

/// The log of one holder: lines of fields between tabs, each ending in a hash over itself and the
/// hash before it, so that a line that was altered, taken out or put in is found. The lines are
/// not signed: whoever can write the file can shorten it at its end or write it anew. The other
/// holder's log names the same requests.
class AccessLog {
public:
    AccessLog(std::string path, std::string holder)
        : path_(std::move(path)), holder_(std::move(holder)) {}

    /// Adds a line and syncs it. Excludes other processes that add at the same time. A line that a
    /// crash cut short is dropped first: what it stood for was not done.
    Result<void> add(const Access& access);

    /// The whole log, after every line was checked. An error names the first line that does not
    /// follow from the one before it.
    Result<std::string> verified() const;

private:
    std::string path_;
    std::string holder_;
};

}  // namespace pgveil::envelope
