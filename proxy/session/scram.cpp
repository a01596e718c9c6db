#include "proxy/session/scram.hpp"

#include "keyshare/core/base64url.hpp"
#include "keyshare/core/hmac.hpp"
#include "keyshare/core/password.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace pgveil::session {

namespace {

constexpr char kFirstPrintable = 0x21;
constexpr char kLastPrintable = 0x7e;

/// Takes the text up to `separator` (or all of it) and removes both from the front.
std::string_view take_until(std::string_view& text, char separator) {
    const auto end = std::min(text.find(separator), text.size());
    const std::string_view head = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return head;
}

/// base64 of 32 bytes, decoded inside secret memory: 43 characters and one '='.
std::optional<ScramServerKey> decode_server_key(std::string_view text) {
    constexpr std::size_t kTextSize = 44;
    if (text.size() != kTextSize || text.back() != '=' ||
        text.find_first_of("-_") != std::string_view::npos) {
        return std::nullopt;
    }
    text.remove_suffix(1);
    core::SecretBytes url_text = core::SecretBytes::copy_of(core::as_bytes(text));
    for (std::uint8_t& letter : url_text.reveal_mutable()) {
        if (letter == '+') {
            letter = '-';
        } else if (letter == '/') {
            letter = '_';
        }
    }
    auto decoded = core::base64url_decode_secret(core::as_text(url_text.reveal()));
    if (!decoded.has_value()) {
        return std::nullopt;
    }
    auto key = ScramServerKey::from(std::move(*decoded));
    return key.has_value() ? std::optional<ScramServerKey>(std::move(*key)) : std::nullopt;
}

}  // namespace

std::optional<std::uint32_t> parse_iterations(std::string_view text) {
    std::uint32_t iterations = 0;
    const char* const end = std::next(text.data(), static_cast<std::ptrdiff_t>(text.size()));
    const auto [stop, error] = std::from_chars(text.data(), end, iterations);
    if (error != std::errc() || stop != end || iterations == 0) {
        return std::nullopt;
    }
    return iterations;
}

std::optional<core::Sha256Digest> decode_key(std::string_view text) {
    const auto bytes = core::base64_decode(text);
    if (!bytes.has_value() || bytes->size() != kScramKeySize) {
        return std::nullopt;
    }
    core::Sha256Digest key{};
    std::copy(bytes->begin(), bytes->end(), key.begin());
    return key;
}

ScramVerifier ScramVerifier::copy() const {
    return ScramVerifier{iterations, salt, stored_key, server_key.duplicate()};
}

std::optional<ScramVerifier> parse_scram_verifier(std::string_view text) {
    if (take_until(text, '$') != kScramSha256) {
        return std::nullopt;
    }
    const auto iterations = parse_iterations(take_until(text, ':'));
    auto salt = core::base64_decode(take_until(text, '$'));
    const auto stored_key = decode_key(take_until(text, ':'));
    auto server_key = decode_server_key(text);
    if (!iterations || !salt.has_value() || salt->empty() || !stored_key || !server_key) {
        return std::nullopt;
    }
    return ScramVerifier{*iterations, std::move(*salt), *stored_key, *std::move(server_key)};
}

std::string to_text(const ScramVerifier& verifier) {
    return std::string(kScramSha256) + "$" + std::to_string(verifier.iterations) + ":" +
           core::base64_encode(verifier.salt) + "$" + core::base64_encode(verifier.stored_key) +
           ":" + core::base64_encode(verifier.server_key.reveal());
}

core::Result<ScramPasswordKeys> keys_of_password(
    core::ByteView password, core::ByteView salt, std::uint32_t iterations
) {
    const auto salted = core::pbkdf2_sha256(password, salt, iterations, kScramKeySize);
    if (!salted.has_value()) {
        return salted.error();
    }
    auto client_key = ScramClientKey::from(
        core::secret_hmac_sha256(salted->reveal(), core::as_bytes("Client Key"))
    );
    auto server_key = ScramServerKey::from(
        core::secret_hmac_sha256(salted->reveal(), core::as_bytes("Server Key"))
    );
    core::invariant(
        client_key.has_value() && server_key.has_value(), "an HMAC-SHA-256 has 32 bytes"
    );
    return ScramPasswordKeys{std::move(*client_key), std::move(*server_key)};
}

core::Result<ScramVerifier> verifier_of_password(
    core::ByteView password, core::ByteView salt, std::uint32_t iterations
) {
    auto keys = keys_of_password(password, salt, iterations);
    if (!keys.has_value()) {
        return keys.error();
    }
    return ScramVerifier{
        iterations,
        core::to_bytes(salt),
        stored_key_of(keys->client_key),
        std::move(keys->server_key)};
}

core::Sha256Digest stored_key_of(const ScramClientKey& client_key) {
    return core::sha256(client_key.reveal());
}

core::Sha256Digest scram_signature(core::ByteView key, std::string_view message) {
    return core::hmac_sha256(key, core::as_bytes(message));
}

core::Sha256Digest client_proof(
    const ScramClientKey& client_key, const core::Sha256Digest& signature
) {
    core::Sha256Digest proof{};
    std::transform(
        signature.begin(),
        signature.end(),
        client_key.reveal().begin(),
        proof.begin(),
        [](std::uint8_t left, std::uint8_t right) {
            return static_cast<std::uint8_t>(left ^ right);
        }
    );
    return proof;
}

ScramClientKey recover_client_key(
    const core::Sha256Digest& proof, const core::Sha256Digest& signature
) {
    ScramClientKey client_key;
    std::transform(
        proof.begin(),
        proof.end(),
        signature.begin(),
        client_key.reveal_mutable().begin(),
        [](std::uint8_t left, std::uint8_t right) {
            return static_cast<std::uint8_t>(left ^ right);
        }
    );
    return client_key;
}

std::string channel_binding_attribute(std::string_view gs2_header, core::ByteView binding) {
    core::Bytes bytes = core::to_bytes(core::as_bytes(gs2_header));
    core::append(bytes, binding);
    return core::base64_encode(bytes);
}

std::optional<ScramAttributes::Attribute> ScramAttributes::next() {
    constexpr std::size_t kPrefixSize = 2;
    if (rest_.size() < kPrefixSize || rest_[1] != '=') {
        return std::nullopt;
    }
    const char name = rest_.front();
    const bool is_letter = (name >= 'a' && name <= 'z') || (name >= 'A' && name <= 'Z');
    const auto end = std::min(rest_.find(','), rest_.size());
    const bool ends_in_comma = end + 1 == rest_.size();
    if (!is_letter || ends_in_comma) {
        return std::nullopt;
    }
    const std::string_view value = rest_.substr(kPrefixSize, end - kPrefixSize);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    return Attribute{name, value};
}

std::optional<std::string_view> ScramAttributes::expect(char name) {
    if (!rest_.starts_with(name)) {
        return std::nullopt;
    }
    const auto attribute = next();
    return attribute ? std::optional(attribute->value) : std::nullopt;
}

bool is_printable_nonce(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char letter) {
        return letter >= kFirstPrintable && letter <= kLastPrintable && letter != ',';
    });
}

}  // namespace pgveil::session
