#pragma once

#include "proxy/wire/output.hpp"
#include "proxy/wire/values.hpp"

#include <cstdint>
#include <string_view>

/// The small messages from server to client; rows are in row.hpp, errors in error_response.hpp,
/// everything of the login in authentication.hpp.
namespace pgveil::wire {

enum class TransactionStatus : std::uint8_t { kIdle = 'I', kInTransaction = 'T', kFailed = 'E' };

struct ReadyForQuery {
    TransactionStatus status = TransactionStatus::kIdle;
};

struct CommandComplete {
    std::string_view tag;  ///< e.g. "INSERT 0 1"
};

struct ParameterStatus {
    std::string_view name;
    std::string_view value;
};

struct NotificationResponse {
    std::uint32_t process_id = 0;
    std::string_view channel;
    std::string_view payload;
};

/// CopyInResponse, CopyOutResponse and CopyBothResponse.
struct CopyResponse {
    std::uint8_t format = 0;  ///< 0 textual, 1 binary
    FormatCodes column_formats;
};

Result<ReadyForQuery> decode_ready_for_query(ByteView body) noexcept;
Result<CommandComplete> decode_command_complete(ByteView body) noexcept;
Result<ParameterStatus> decode_parameter_status(ByteView body) noexcept;
Result<NotificationResponse> decode_notification_response(ByteView body) noexcept;
Result<CopyResponse> decode_copy_response(ByteView body) noexcept;

void append_ready_for_query(Output& out, TransactionStatus status);
void append_command_complete(Output& out, std::string_view tag);
void append_parameter_status(Output& out, std::string_view name, std::string_view value);
void append_notification_response(Output& out, const NotificationResponse& notification);

/// A message without a body: ParseComplete, BindComplete, CloseComplete, NoData, PortalSuspended,
/// EmptyQueryResponse, CopyDone.
void append_empty(Output& out, BackendType type);

}  // namespace pgveil::wire
