#include "proxy/wire/authentication.hpp"

namespace pgveil::wire {

namespace {

constexpr std::size_t kSaltSize = 4;
constexpr std::size_t kSecretSizeMin = 4;
constexpr std::size_t kSecretSizeMax = 256;

/// Strings up to an empty one, which ends the list and is taken, too.
Strings take_mechanisms(Cursor& cursor) noexcept {
    Cursor ahead = cursor;
    std::size_t count = 0;
    while (!ahead.cstring().empty()) {
        ++count;
    }
    const Strings mechanisms = Strings::take(cursor, count);
    cursor.cstring();
    return mechanisms;
}

void take_content(Cursor& cursor, Authentication& authentication) noexcept {
    switch (authentication.type) {
        case AuthenticationType::kOk:
        case AuthenticationType::kKerberosV5:
        case AuthenticationType::kCleartextPassword:
        case AuthenticationType::kGSS:
        case AuthenticationType::kSSPI: return;
        case AuthenticationType::kMD5Password:
            authentication.content = cursor.bytes(kSaltSize);
            return;
        case AuthenticationType::kSASL: authentication.mechanisms = take_mechanisms(cursor); return;
        case AuthenticationType::kGSSContinue:
        case AuthenticationType::kSASLContinue:
        case AuthenticationType::kSASLFinal: authentication.content = cursor.rest(); return;
    }
    cursor.fail(DecodeError::kBadValue);
}

}  // namespace

Result<Authentication> decode_authentication(ByteView body) noexcept {
    Cursor cursor(body);
    Authentication authentication;
    authentication.type = static_cast<AuthenticationType>(cursor.int32());
    take_content(cursor, authentication);
    return cursor.finish(authentication);
}

void append_authentication(Output& out, AuthenticationType type, ByteView content) {
    const std::size_t start = out.open_message(BackendType::kAuthentication);
    out.append_int32(static_cast<std::uint32_t>(type));
    out.append(content);
    out.close_message(start);
}

void append_authentication_sasl(Output& out, std::span<const std::string_view> mechanisms) {
    const std::size_t start = out.open_message(BackendType::kAuthentication);
    out.append_int32(static_cast<std::uint32_t>(AuthenticationType::kSASL));
    for (const std::string_view mechanism : mechanisms) {
        out.append_cstring(mechanism);
    }
    out.append_int8(0);
    out.close_message(start);
}

Result<BackendKeyData> decode_backend_key_data(ByteView body) noexcept {
    Cursor cursor(body);
    BackendKeyData key;
    key.process_id = cursor.int32();
    if (cursor.left() < kSecretSizeMin || cursor.left() > kSecretSizeMax) {
        cursor.fail(DecodeError::kBadLength);
    }
    key.secret = cursor.rest();
    return cursor.finish(key);
}

void append_backend_key_data(Output& out, const BackendKeyData& key) {
    const std::size_t start = out.open_message(BackendType::kBackendKeyData);
    out.append_int32(key.process_id);
    out.append(key.secret);
    out.close_message(start);
}

Result<NegotiateProtocolVersion> decode_negotiate_protocol_version(ByteView body) noexcept {
    Cursor cursor(body);
    NegotiateProtocolVersion answer;
    answer.version = cursor.int32();
    const std::uint32_t count = cursor.int32();
    answer.unrecognized = Strings::take(cursor, count);
    return cursor.finish(answer);
}

void append_negotiate_protocol_version(
    Output& out, std::uint32_t version, std::span<const std::string_view> unrecognized
) {
    const std::size_t start = out.open_message(BackendType::kNegotiateProtocolVersion);
    out.append_int32(version);
    out.append_int32(static_cast<std::uint32_t>(unrecognized.size()));
    for (const std::string_view name : unrecognized) {
        out.append_cstring(name);
    }
    out.close_message(start);
}

}  // namespace pgveil::wire
