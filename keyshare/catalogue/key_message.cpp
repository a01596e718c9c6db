#include "keyshare/catalogue/key_message.hpp"

#include "keyshare/attest/lines.hpp"

#include <utility>

namespace pgveil::catalogue {
namespace {

constexpr std::string_view kMessageTitle = "pgveil-key-message: 1";

}  // namespace

std::string to_text(const KeyMessage& message) {
    return std::string(kMessageTitle) + "\n" + attest::line("key", core::to_hex(message.key)) +
           attest::line("point", message.point.text()) +
           attest::line("sealed", core::to_hex(message.sealed));
}

attest::Result<KeyMessage> parse_message(std::string_view text) {
    attest::Lines lines(text);
    const bool is_titled = lines.next() == kMessageTitle;
    const core::Sha256Digest key = lines.digest(lines.named("key"));
    const auto point = lines.point(lines.named("point"));
    core::Bytes sealed = lines.bytes(lines.named("sealed"));
    if (!is_titled || !lines.ok() || !point) {
        return attest::Error{
            "this is no message to a key, or it was altered: `pgveil-tenant key encrypt` prints "
            "them"};
    }
    return KeyMessage{key, *point, std::move(sealed)};
}

}  // namespace pgveil::catalogue
