#include "keyshare/core/hash.hpp"
#include "keyshare/core/lp.hpp"
#include "keyshare/share/tenant.hpp"

#include <algorithm>
#include <cctype>

namespace pgveil::share {
namespace {

constexpr std::size_t kGroupOfDigits = 8;

}  // namespace

Digest fingerprint_of(const core::PublicPoint& signing, const core::PublicPoint& sealing) {
    return core::sha256(core::length_prefixed(
        {core::as_bytes("pgveil/1 tenant keys"), signing.bytes(), sealing.bytes()}
    ));
}

Digest fingerprint_of(const TenantIdentity& identity) {
    return fingerprint_of(identity.signing.verifying_key().point(), identity.sealing.point);
}

std::string fingerprint_text(const Digest& fingerprint) {
    const std::string digits = core::to_hex(fingerprint);
    std::string text;
    for (std::size_t at = 0; at < digits.size(); at += kGroupOfDigits) {
        text += (at == 0 ? "" : " ") + digits.substr(at, kGroupOfDigits);
    }
    return text;
}

Result<Digest> parse_fingerprint(std::string_view text) {
    std::string digits;
    for (const char ch : text) {
        if (ch != ' ' && ch != ':') {
            digits += static_cast<char>(std::tolower(static_cast<unsigned char>(ch)));
        }
    }
    const auto bytes = core::from_hex(digits);
    Digest out{};
    if (!bytes.has_value() || bytes->size() != out.size()) {
        return Error{ErrorCode::kMalformed, "a fingerprint is 64 hexadecimal digits"};
    }
    std::ranges::copy(*bytes, out.begin());
    return out;
}

}  // namespace pgveil::share
