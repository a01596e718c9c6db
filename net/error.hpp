#pragma once

#include <boost/system/error_code.hpp>
#include <boost/system/result.hpp>

#include <string>
#include <utility>

namespace pgveil::net {

/// What went wrong before a connection or context was usable. Once a Stream runs, a lost network is
/// a thrown boost::system::system_error instead, which unwinds to whoever runs the session.
enum class ErrorCode {
    kResolve,            ///< the host name has no address
    kConnect,            ///< refused, unreachable, ...
    kTimeout,            ///< not done within the time given
    kListen,             ///< address in use, not ours, ...
    kFile,               ///< a certificate, key or CA file cannot be read or understood
    kKeyMismatch,        ///< the private key does not belong to the certificate
    kExpired,            ///< a certificate is past (or before) its validity
    kUnknownAuthority,   ///< the peer's certificate is signed by nobody we trust
    kWrongHost,          ///< the peer's certificate is for another host
    kBufferedPlaintext,  ///< bytes arrived behind the request for TLS (CVE-2021-23214)
    kHandshake,          ///< any other failure of a TLS handshake
    kClosed,             ///< the peer closed, or the stream was closed, before it was done
};

/// `message` is one line for a person: what happened to which file, host or address, and the
/// reason.
struct Error {
    Error() = default;

    Error(ErrorCode what, std::string text) : code(what), message(std::move(text)) {}

    ErrorCode code = ErrorCode::kConnect;
    std::string message;
};

template <class T>
using Result = boost::system::result<T, Error>;

using boost::system::error_code;

}  // namespace pgveil::net
