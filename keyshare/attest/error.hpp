#pragma once

#include <boost/system/result.hpp>

#include <string>

namespace pgveil::attest {

/// Why something that a TPM, or somebody in its name, has sent is not believed. The message is for
/// people and names no secret.
struct Error {
    std::string message;
};

template <class T>
using Result = boost::system::result<T, Error>;

}  // namespace pgveil::attest
