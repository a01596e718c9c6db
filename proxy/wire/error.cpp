#include "proxy/wire/error.hpp"

namespace pgveil::wire {

std::string_view reason(DecodeError error) noexcept {
    switch (error) {
        case DecodeError::kTruncated: return "a field reaches beyond the end of the message";
        case DecodeError::kLeftOverBytes: return "bytes are left over after the last field";
        case DecodeError::kMissingTerminator: return "a string has no terminator";
        case DecodeError::kBadLength: return "a length or count is out of range";
        case DecodeError::kBadValue: return "a code is not one the protocol defines";
        case DecodeError::kUnsupportedProtocol: return "the protocol version is not supported";
        case DecodeError::kUnknownSwitch: return "the command-line options hold an unknown switch";
    }
    return "malformed message";
}

}  // namespace pgveil::wire
