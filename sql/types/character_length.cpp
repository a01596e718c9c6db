#include "sql/types/character_length.hpp"

#include "keyshare/core/bytes.hpp"
#include "sql/types/text.hpp"

#include <algorithm>
#include <string>

namespace pgveil::types {

namespace {

constexpr std::int32_t kTypmodOffset = 4;

std::string_view first_characters(std::int32_t typmod, std::string_view text) {
    if (typmod < kTypmodOffset) {
        return text;
    }
    const auto characters = static_cast<std::size_t>(typmod - kTypmodOffset);
    return text.substr(0, size_of_characters(text, characters));
}

/// What assignment keeps of `text`; `type_name` is for the message.
Result<std::string_view> fitting_characters(
    std::int32_t typmod, std::string_view text, std::string_view type_name
) {
    const std::string_view kept = first_characters(typmod, text);
    if (text.find_first_not_of(' ', kept.size()) != std::string_view::npos) {
        return invalid_value(
            "22001",
            "value too long for type " + std::string(type_name) + "(" +
                std::to_string(typmod - kTypmodOffset) + ")"
        );
    }
    return kept;
}

core::SecretBytes padded(std::int32_t typmod, std::string_view text) {
    const std::size_t characters = count_characters(text);
    const auto wanted = static_cast<std::size_t>(std::max(typmod - kTypmodOffset, 0));
    const std::size_t blanks = wanted > characters ? wanted - characters : 0;
    core::SecretBytes out(text.size() + blanks);
    core::copy_secret(out.reveal_mutable().first(text.size()), core::as_bytes(text));
    std::ranges::fill(out.reveal_mutable().subspan(text.size()), static_cast<std::uint8_t>(' '));
    return out;
}

}  // namespace

Result<core::SecretBytes> assign_to_varchar(std::int32_t typmod, std::string_view text) {
    const Result<std::string_view> kept = fitting_characters(typmod, text, "character varying");
    if (!kept.has_value()) {
        return kept.error();
    }
    return core::SecretBytes::copy_of(core::as_bytes(*kept));
}

core::SecretBytes truncate_to_varchar(std::int32_t typmod, std::string_view text) {
    return core::SecretBytes::copy_of(core::as_bytes(first_characters(typmod, text)));
}

Result<core::SecretBytes> assign_to_bpchar(std::int32_t typmod, std::string_view text) {
    const Result<std::string_view> kept = fitting_characters(typmod, text, "character");
    if (!kept.has_value()) {
        return kept.error();
    }
    return padded(typmod, *kept);
}

core::SecretBytes truncate_to_bpchar(std::int32_t typmod, std::string_view text) {
    return padded(typmod, first_characters(typmod, text));
}

std::string_view without_trailing_blanks(std::string_view text) {
    return text.substr(0, text.find_last_not_of(' ') + 1);
}

}  // namespace pgveil::types
