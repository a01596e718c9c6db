#pragma once

#include "proxy/wire/list.hpp"
#include "proxy/wire/output.hpp"

#include <cstdint>
#include <span>
#include <string_view>

/// Authentication requests ('R') and what else a server sends before the first ReadyForQuery.
namespace pgveil::wire {

enum class AuthenticationType : std::uint32_t {
    kOk = 0,
    kKerberosV5 = 2,
    kCleartextPassword = 3,
    kMD5Password = 5,
    kGSS = 7,
    kGSSContinue = 8,
    kSSPI = 9,
    kSASL = 10,
    kSASLContinue = 11,
    kSASLFinal = 12,
};

template <>
struct ElementOf<std::string_view> {
    static std::string_view read(Cursor& cursor) noexcept { return cursor.cstring(); }
};

using Strings = List<std::string_view>;

struct Authentication {
    AuthenticationType type = AuthenticationType::kOk;
    ByteView content;    ///< MD5: 4 bytes of salt; SASLContinue, SASLFinal, GSSContinue: the data
    Strings mechanisms;  ///< kSASL: the whole list, in the server's order of preference
};

/// A type code outside the enum is kBadValue.
Result<Authentication> decode_authentication(ByteView body) noexcept;

void append_authentication(Output& out, AuthenticationType type, ByteView content = {});
void append_authentication_sasl(Output& out, std::span<const std::string_view> mechanisms);

/// The secret is 4 bytes up to protocol 3.1 and 4 to 256 from 3.2 on.
struct BackendKeyData {
    std::uint32_t process_id = 0;
    ByteView secret;
};

Result<BackendKeyData> decode_backend_key_data(ByteView body) noexcept;
void append_backend_key_data(Output& out, const BackendKeyData& key);

/// `version` is the newest the server speaks, full code (0x00030002 = 3.2; old servers send the
/// minor number alone); `unrecognized` are the `_pq_.` options it does not know.
struct NegotiateProtocolVersion {
    std::uint32_t version = 0;
    Strings unrecognized;
};

Result<NegotiateProtocolVersion> decode_negotiate_protocol_version(ByteView body) noexcept;
void append_negotiate_protocol_version(
    Output& out, std::uint32_t version, std::span<const std::string_view> unrecognized
);

}  // namespace pgveil::wire
