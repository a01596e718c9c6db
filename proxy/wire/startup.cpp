#include "proxy/wire/startup.hpp"

namespace pgveil::wire {

namespace {

constexpr std::uint16_t kMajorVersion = 3;
constexpr std::size_t kSecretSizeMin = 4;
constexpr std::size_t kSecretSizeMax = 256;

/// An SSLRequest or GSSENCRequest is its code and nothing else.
template <class Request>
Result<StartupPacket> decode_bare(const Cursor& cursor) noexcept {
    return cursor.finish(StartupPacket(Request{}));
}

Result<StartupPacket> decode_cancel(Cursor cursor) noexcept {
    CancelRequest request;
    request.process_id = cursor.int32();
    if (cursor.left() < kSecretSizeMin || cursor.left() > kSecretSizeMax) {
        cursor.fail(DecodeError::kBadLength);
    }
    request.secret = cursor.rest();
    return cursor.finish(StartupPacket(request));
}

/// Pairs until an empty name, which must be the last byte of the packet.
Result<StartupPacket> decode_message(Cursor cursor, std::uint32_t version) noexcept {
    Cursor ahead = cursor;
    std::size_t count = 0;
    while (!ahead.cstring().empty()) {
        ahead.cstring();
        ++count;
    }
    StartupMessage message;
    message.version = version;
    message.parameters = List<StartupParameter>::take(cursor, count);
    cursor.cstring();
    return cursor.finish(StartupPacket(message));
}

void append_code(Output& out, std::uint32_t code) {
    out.append_int32(2 * sizeof(std::uint32_t));
    out.append_int32(code);
}

}  // namespace

StartupParameter StartupParameter::read(Cursor& cursor) noexcept {
    StartupParameter parameter;
    parameter.name = cursor.cstring();
    parameter.value = cursor.cstring();
    return parameter;
}

std::optional<std::string_view> StartupMessage::find(std::string_view name) const noexcept {
    std::optional<std::string_view> found;
    for (const StartupParameter& parameter : parameters) {
        if (parameter.name == name) {
            found = parameter.value;
        }
    }
    return found;
}

Result<StartupPacket> decode_startup(ByteView packet) noexcept {
    Cursor cursor(packet);
    const std::uint32_t length = cursor.int32();
    const std::uint32_t code = cursor.int32();
    if (!cursor.error() && length != packet.size()) {
        cursor.fail(length > packet.size() ? DecodeError::kTruncated : DecodeError::kLeftOverBytes);
    }
    if (cursor.error()) {
        return *cursor.error();
    }
    switch (code) {
        case kSSLRequestCode: return decode_bare<SSLRequest>(cursor);
        case kGSSENCRequestCode: return decode_bare<GSSENCRequest>(cursor);
        case kCancelRequestCode: return decode_cancel(cursor);
        default: break;
    }
    if (code >> 16 != kMajorVersion) {
        return DecodeError::kUnsupportedProtocol;
    }
    return decode_message(cursor, code);
}

std::uint32_t startup_code(ByteView packet) noexcept {
    Cursor cursor(packet);
    cursor.int32();
    return cursor.int32();
}

void append_ssl_request(Output& out) {
    append_code(out, kSSLRequestCode);
}

void append_cancel_request(Output& out, const CancelRequest& request) {
    const std::size_t size = 3 * sizeof(std::uint32_t) + request.secret.size();
    out.append_int32(static_cast<std::uint32_t>(size));
    out.append_int32(kCancelRequestCode);
    out.append_int32(request.process_id);
    out.append(request.secret);
}

void append_startup_message(
    Output& out, std::uint32_t version, std::span<const StartupParameter> parameters
) {
    const std::size_t start = out.size();
    out.append_int32(0);
    out.append_int32(version);
    for (const StartupParameter& parameter : parameters) {
        out.append_cstring(parameter.name);
        out.append_cstring(parameter.value);
    }
    out.append_int8(0);
    out.patch_int32(start, static_cast<std::uint32_t>(out.size() - start));
}

}  // namespace pgveil::wire
