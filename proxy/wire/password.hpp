#pragma once

#include "proxy/wire/error.hpp"
#include "proxy/wire/output.hpp"

#include <optional>
#include <string_view>

/// The four messages that share type byte 'p'. Which one it is follows from the Authentication
/// request that was sent last.
namespace pgveil::wire {

struct PasswordMessage {
    std::string_view password;
};

struct SASLInitialResponse {
    std::string_view mechanism;
    std::optional<ByteView> response;  ///< nullopt: none was sent (length -1)
};

struct SASLResponse {
    ByteView response;
};

Result<PasswordMessage> decode_password(ByteView body) noexcept;
Result<SASLInitialResponse> decode_sasl_initial_response(ByteView body) noexcept;
Result<SASLResponse> decode_sasl_response(ByteView body) noexcept;

void append_password(Output& out, std::string_view password);
void append_sasl_initial_response(
    Output& out, std::string_view mechanism, std::optional<ByteView> response
);
void append_sasl_response(Output& out, ByteView response);

}  // namespace pgveil::wire
