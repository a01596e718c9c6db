#pragma once

#include <boost/system/result.hpp>

#include <string>

namespace pgveil::share {

/// What kind of refusal it was; the caller acts on this, a person reads the message.
enum class ErrorCode {
    kMalformed,    ///< not the format it claims to be (or a version this program does not know)
    kForged,       ///< a signature, tag or MAC does not fit, or the key that made it is not ours
    kForeign,      ///< of another tenant, user, proxy or group
    kOutOfOrder,   ///< a command or bootstrap step that does not follow what was done before
    kExpired,      ///< its time is over
    kUnsupported,  ///< well-formed, but asks for something this version does not enforce
    kInvalidArgument,  ///< a value that this function does not take (bad group name, empty user id)
    kUnknownGroup,     ///< the user holds no shares of this key group
    kUnknownKey,       ///< the keyring has no such key id
    kFailed,           ///< the machine failed us (no randomness, disk full); the message says what
};

struct Error {
    ErrorCode code;
    std::string message;
};

template <class T>
using Result = boost::system::result<T, Error>;

}  // namespace pgveil::share
