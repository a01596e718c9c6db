#include "proxy/wire/backend.hpp"

namespace pgveil::wire {

Result<ReadyForQuery> decode_ready_for_query(ByteView body) noexcept {
    Cursor cursor(body);
    ReadyForQuery ready;
    ready.status = static_cast<TransactionStatus>(cursor.int8());
    switch (ready.status) {
        case TransactionStatus::kIdle:
        case TransactionStatus::kInTransaction:
        case TransactionStatus::kFailed: return cursor.finish(ready);
    }
    cursor.fail(DecodeError::kBadValue);
    return cursor.finish(ready);
}

Result<CommandComplete> decode_command_complete(ByteView body) noexcept {
    Cursor cursor(body);
    CommandComplete complete;
    complete.tag = cursor.cstring();
    return cursor.finish(complete);
}

Result<ParameterStatus> decode_parameter_status(ByteView body) noexcept {
    Cursor cursor(body);
    ParameterStatus status;
    status.name = cursor.cstring();
    status.value = cursor.cstring();
    return cursor.finish(status);
}

Result<NotificationResponse> decode_notification_response(ByteView body) noexcept {
    Cursor cursor(body);
    NotificationResponse notification;
    notification.process_id = cursor.int32();
    notification.channel = cursor.cstring();
    notification.payload = cursor.cstring();
    return cursor.finish(notification);
}

Result<CopyResponse> decode_copy_response(ByteView body) noexcept {
    Cursor cursor(body);
    CopyResponse response;
    response.format = cursor.int8();
    if (response.format > 1) {
        cursor.fail(DecodeError::kBadValue);
    }
    response.column_formats = FormatCodes::take(cursor);
    return cursor.finish(response);
}

void append_ready_for_query(Output& out, TransactionStatus status) {
    const std::size_t start = out.open_message(BackendType::kReadyForQuery);
    out.append_int8(static_cast<std::uint8_t>(status));
    out.close_message(start);
}

void append_command_complete(Output& out, std::string_view tag) {
    const std::size_t start = out.open_message(BackendType::kCommandComplete);
    out.append_cstring(tag);
    out.close_message(start);
}

void append_parameter_status(Output& out, std::string_view name, std::string_view value) {
    const std::size_t start = out.open_message(BackendType::kParameterStatus);
    out.append_cstring(name);
    out.append_cstring(value);
    out.close_message(start);
}

void append_notification_response(Output& out, const NotificationResponse& notification) {
    const std::size_t start = out.open_message(BackendType::kNotificationResponse);
    out.append_int32(notification.process_id);
    out.append_cstring(notification.channel);
    out.append_cstring(notification.payload);
    out.close_message(start);
}

void append_empty(Output& out, BackendType type) {
    out.close_message(out.open_message(type));
}

}  // namespace pgveil::wire
