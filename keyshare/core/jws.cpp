#include "keyshare/core/jws.hpp"

#include "keyshare/core/base64url.hpp"
#include "keyshare/core/invariant.hpp"

#include <algorithm>
#include <optional>

namespace pgveil::core {
namespace {

constexpr std::string_view kBeforeType = R"({"alg":"ES256","typ":")";
constexpr std::string_view kBeforeKeyId = R"(","kid":")";
constexpr std::string_view kEnd = R"("})";
constexpr std::size_t kMaxType = 64;

Error malformed(const char* what) {
    return {ErrorCode::kEncoding, std::string("not a signed message of this program: ") + what};
}

Error foreign(const char* what) {
    return {ErrorCode::kAuthentication, std::string("the signed message is refused: ") + what};
}

std::string header_of(std::string_view typ, std::string_view kid) {
    std::string header(kBeforeType);
    header.append(typ).append(kBeforeKeyId).append(kid).append(kEnd);
    return header;
}

// Takes `expected` off the front.
bool skip(std::string_view& text, std::string_view expected) {
    if (!text.starts_with(expected)) {
        return false;
    }
    text.remove_prefix(expected.size());
    return true;
}

std::string_view take_until_quote(std::string_view& text) {
    const std::string_view taken = text.substr(0, text.find('"'));
    text.remove_prefix(taken.size());
    return taken;
}

bool is_key_id(std::string_view kid) {
    const auto fingerprint = base64url_decode(kid);
    return fingerprint.has_value() && fingerprint->size() == kSha256Size;
}

struct Header {
    std::string typ;
    std::string kid;
};

std::optional<Header> parse_header(std::string_view text) {
    if (!skip(text, kBeforeType)) {
        return std::nullopt;
    }
    const std::string_view typ = take_until_quote(text);
    if (!is_jws_type(typ) || !skip(text, kBeforeKeyId)) {
        return std::nullopt;
    }
    const std::string_view kid = take_until_quote(text);
    if (!is_key_id(kid) || text != kEnd) {
        return std::nullopt;
    }
    return Header{std::string(typ), std::string(kid)};
}

struct Texts {
    std::string_view header;
    std::string_view payload;
    std::string_view signature;
    std::string_view signing_input;
};

std::optional<Texts> split(std::string_view compact) {
    const auto first = compact.find('.');
    const auto second = first == std::string_view::npos ? first : compact.find('.', first + 1);
    if (second == std::string_view::npos) {
        return std::nullopt;
    }
    return Texts{
        compact.substr(0, first),
        compact.substr(first + 1, second - first - 1),
        compact.substr(second + 1),
        compact.substr(0, second)};
}

}  // namespace

bool is_jws_type(std::string_view typ) noexcept {
    constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyz0123456789+.-";
    return !typ.empty() && typ.size() <= kMaxType &&
           typ.find_first_not_of(kAllowed) == std::string_view::npos;
}

std::string sign_jws(const SigningKey& key, std::string_view typ, ByteView payload) {
    invariant(is_jws_type(typ), "the type of a signed message has only a-z 0-9 + . -");
    const std::string header = header_of(typ, key.verifying_key().point().fingerprint_text());
    std::string compact = base64url_encode(as_bytes(header));
    compact.append(".").append(base64url_encode(payload));
    const Signature signature = key.sign(as_bytes(compact));
    compact.append(".").append(base64url_encode(signature));
    return compact;
}

Result<JwsParts> parse_jws(std::string_view compact) {
    const auto texts = split(compact);
    if (!texts) {
        return malformed("it has not the three parts of a compact JWS");
    }
    const auto header_bytes = base64url_decode(texts->header);
    const auto header =
        header_bytes.has_value() ? parse_header(as_text(*header_bytes)) : std::nullopt;
    if (!header) {
        return malformed("its header is not exactly alg ES256, typ, kid");
    }
    auto payload = base64url_decode(texts->payload);
    auto signature = base64url_decode(texts->signature);
    if (!payload.has_value() || !signature.has_value() || signature->size() != kSignatureSize) {
        return malformed("its payload or signature is not canonical base64url");
    }
    return JwsParts{
        header->typ, header->kid, texts->signing_input, *std::move(payload), *std::move(signature)};
}

Result<Bytes> verify_jws(const VerifyingKey& key, std::string_view typ, std::string_view compact) {
    auto parts = parse_jws(compact);
    if (!parts.has_value()) {
        return parts.error();
    }
    if (parts->typ != typ) {
        return foreign("it was made for another purpose (typ)");
    }
    if (parts->kid != key.point().fingerprint_text()) {
        return foreign("it was signed by another key (kid)");
    }
    if (!key.verify(as_bytes(parts->signing_input), parts->signature)) {
        return foreign("its signature does not fit");
    }
    return std::move(parts->payload);
}

Result<Sha256Digest> jws_hash(std::string_view compact) {
    const auto parts = parse_jws(compact);
    if (!parts.has_value()) {
        return parts.error();
    }
    return sha256(as_bytes(parts->signing_input));
}

}  // namespace pgveil::core
