#pragma once

#include <cstdint>

namespace pgveil::wire {

/// Type byte of a message from client to server (PostgreSQL, "Message Formats").
/// kPasswordMessage is also GSSResponse, SASLInitialResponse and SASLResponse: only the state of
/// the login tells which.
enum class FrontendType : std::uint8_t {
    kUnknown = 0,
    kBind = 'B',
    kClose = 'C',
    kCopyData = 'd',
    kCopyDone = 'c',
    kCopyFail = 'f',
    kDescribe = 'D',
    kExecute = 'E',
    kFlush = 'H',
    kFunctionCall = 'F',
    kParse = 'P',
    kPasswordMessage = 'p',
    kQuery = 'Q',
    kSync = 'S',
    kTerminate = 'X',
};

/// Type byte of a message from server to client.
enum class BackendType : std::uint8_t {
    kUnknown = 0,
    kAuthentication = 'R',
    kBackendKeyData = 'K',
    kBindComplete = '2',
    kCloseComplete = '3',
    kCommandComplete = 'C',
    kCopyBothResponse = 'W',
    kCopyData = 'd',
    kCopyDone = 'c',
    kCopyInResponse = 'G',
    kCopyOutResponse = 'H',
    kDataRow = 'D',
    kEmptyQueryResponse = 'I',
    kErrorResponse = 'E',
    kFunctionCallResponse = 'V',
    kNegotiateProtocolVersion = 'v',
    kNoData = 'n',
    kNoticeResponse = 'N',
    kNotificationResponse = 'A',
    kParameterDescription = 't',
    kParameterStatus = 'S',
    kParseComplete = '1',
    kPortalSuspended = 's',
    kReadyForQuery = 'Z',
    kRowDescription = 'T',
};

/// The enumerator of a type byte, or kUnknown: a later protocol may bring new ones.
FrontendType frontend_type(std::uint8_t type_byte) noexcept;

/// A server that has answered an extended query by an error reads these, and does nothing, up to
/// the next Sync (PostgreSQL, "Extended Query").
bool is_skipped_after_error(FrontendType type) noexcept;
BackendType backend_type(std::uint8_t type_byte) noexcept;

}  // namespace pgveil::wire
