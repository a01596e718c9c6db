#include "proxy/wire/password.hpp"

#include "proxy/wire/cursor.hpp"
#include "proxy/wire/values.hpp"

namespace pgveil::wire {

Result<PasswordMessage> decode_password(ByteView body) noexcept {
    Cursor cursor(body);
    PasswordMessage message;
    message.password = cursor.cstring();
    return cursor.finish(message);
}

Result<SASLInitialResponse> decode_sasl_initial_response(ByteView body) noexcept {
    Cursor cursor(body);
    SASLInitialResponse message;
    message.mechanism = cursor.cstring();
    message.response = cursor.sized_bytes();
    return cursor.finish(message);
}

Result<SASLResponse> decode_sasl_response(ByteView body) noexcept {
    return SASLResponse{.response = body};
}

void append_password(Output& out, std::string_view password) {
    const std::size_t start = out.open_message(FrontendType::kPasswordMessage);
    out.append_cstring(password);
    out.close_message(start);
}

void append_sasl_initial_response(
    Output& out, std::string_view mechanism, std::optional<ByteView> response
) {
    const std::size_t start = out.open_message(FrontendType::kPasswordMessage);
    out.append_cstring(mechanism);
    append_cell(out, response);
    out.close_message(start);
}

void append_sasl_response(Output& out, ByteView response) {
    const std::size_t start = out.open_message(FrontendType::kPasswordMessage);
    out.append(response);
    out.close_message(start);
}

}  // namespace pgveil::wire
