#pragma once

#include <boost/system/result.hpp>

#include <string>

namespace pgveil::core {

/// What kind of failure; the message says what happened and what to do next.
enum class ErrorCode {
    kLength,          ///< a fixed-size input has another size
    kEncoding,        ///< not the one canonical encoding (hex, base64url, length prefixes, JWS)
    kKey,             ///< not a P-256 private scalar or public point
    kAuthentication,  ///< tag, MAC or signature does not fit; never says why
    kParameter,       ///< cost or size parameters out of range
    kMemoryLimit,     ///< RLIMIT_MEMLOCK does not allow the arena
    kMemory,          ///< the arena cannot be made for another reason
    kProcess,         ///< the kernel refused a process setting
};

/// One failure of this module. Never carries key bytes or plaintext.
struct Error {
    ErrorCode code = ErrorCode::kEncoding;
    std::string message;
};

template <class T>
using Result = boost::system::result<T, Error>;

}  // namespace pgveil::core
