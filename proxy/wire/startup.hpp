#pragma once

#include "proxy/wire/list.hpp"
#include "proxy/wire/output.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <variant>

/// The packets that open a connection. They carry no type byte: peek_startup (frame.hpp) says when
/// one is whole, decode_startup takes it *with* its 4 bytes of length.
namespace pgveil::wire {

inline constexpr std::uint32_t kSSLRequestCode = 80877103;
inline constexpr std::uint32_t kGSSENCRequestCode = 80877104;
inline constexpr std::uint32_t kCancelRequestCode = 80877102;
inline constexpr std::uint32_t kProtocol30 = 0x00030000;
inline constexpr std::uint32_t kProtocol32 = 0x00030002;
inline constexpr std::size_t kStartupLimit =
    10004;  ///< PostgreSQL's largest packet, length included

struct SSLRequest {};

struct GSSENCRequest {};

struct CancelRequest {
    std::uint32_t process_id = 0;
    ByteView secret;  ///< 4 to 256 bytes
};

struct StartupParameter {
    std::string_view name;
    std::string_view value;

    static StartupParameter read(Cursor& cursor) noexcept;
};

struct StartupMessage {
    std::uint32_t version = kProtocol30;  ///< 3.x; the minor number may be one we do not know
    List<StartupParameter> parameters;    ///< in order, duplicates included

    std::uint16_t minor_version() const noexcept { return static_cast<std::uint16_t>(version); }

    /// The value that counts: as at the server, the last of that name. Names are compared exactly.
    std::optional<std::string_view> find(std::string_view name) const noexcept;
};

using StartupPacket = std::variant<SSLRequest, GSSENCRequest, CancelRequest, StartupMessage>;

/// kUnsupportedProtocol when the major version is not 3 (see startup_code).
Result<StartupPacket> decode_startup(ByteView packet) noexcept;

/// The request code or version of a packet of at least 8 bytes, else 0: for the error message.
std::uint32_t startup_code(ByteView packet) noexcept;

void append_ssl_request(Output& out);
void append_cancel_request(Output& out, const CancelRequest& request);
void append_startup_message(
    Output& out, std::uint32_t version, std::span<const StartupParameter> parameters
);

}  // namespace pgveil::wire
