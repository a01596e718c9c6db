#include "proxy/wire/message_type.hpp"

#include <algorithm>
#include <array>

namespace pgveil::wire {

namespace {

template <class Type, std::size_t Count>
Type known_or_unknown(const std::array<Type, Count>& known, std::uint8_t type_byte) noexcept {
    const auto type = static_cast<Type>(type_byte);
    return std::ranges::find(known, type) != known.end() ? type : Type::kUnknown;
}

}  // namespace

FrontendType frontend_type(std::uint8_t type_byte) noexcept {
    using enum FrontendType;
    static constexpr std::array kKnown{
        kBind,
        kClose,
        kCopyData,
        kCopyDone,
        kCopyFail,
        kDescribe,
        kExecute,
        kFlush,
        kFunctionCall,
        kParse,
        kPasswordMessage,
        kQuery,
        kSync,
        kTerminate,
    };
    return known_or_unknown(kKnown, type_byte);
}

bool is_skipped_after_error(FrontendType type) noexcept {
    return type == FrontendType::kQuery || type == FrontendType::kFunctionCall ||
           type == FrontendType::kParse || type == FrontendType::kBind ||
           type == FrontendType::kDescribe || type == FrontendType::kExecute ||
           type == FrontendType::kClose;
}

BackendType backend_type(std::uint8_t type_byte) noexcept {
    using enum BackendType;
    static constexpr std::array kKnown{
        kAuthentication,
        kBackendKeyData,
        kBindComplete,
        kCloseComplete,
        kCommandComplete,
        kCopyBothResponse,
        kCopyData,
        kCopyDone,
        kCopyInResponse,
        kCopyOutResponse,
        kDataRow,
        kEmptyQueryResponse,
        kErrorResponse,
        kNoData,
        kNoticeResponse,
        kFunctionCallResponse,
        kNotificationResponse,
        kParameterStatus,
        kParameterDescription,
        kNegotiateProtocolVersion,
        kParseComplete,
        kPortalSuspended,
        kReadyForQuery,
        kRowDescription,
    };
    return known_or_unknown(kKnown, type_byte);
}

}  // namespace pgveil::wire
