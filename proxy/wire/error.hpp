#pragma once

#include <boost/system/result.hpp>

#include <string_view>

namespace pgveil::wire {

/// Why bytes are not the message they claim to be. All of them are protocol violations (SQLSTATE
/// 08P01) except kUnsupportedProtocol and kUnknownSwitch (0A000 and 42601 at the server).
enum class DecodeError {
    kTruncated,            ///< a field reaches beyond the end of the message
    kLeftOverBytes,        ///< bytes remain after the last field
    kMissingTerminator,    ///< a string without its NUL
    kBadLength,            ///< a length or count that the field cannot have
    kBadValue,             ///< a code outside the values that the protocol defines
    kUnsupportedProtocol,  ///< startup packet of a protocol other than 3.x
    kUnknownSwitch,        ///< `options` holds a switch that no server knows
};

template <class T>
using Result = boost::system::result<T, DecodeError>;

/// Lower-case reason for a log line or an ErrorResponse, e.g. "field reaches beyond the message".
std::string_view reason(DecodeError error) noexcept;

}  // namespace pgveil::wire
