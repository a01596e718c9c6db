#include "sql/types/varchar_length.hpp"

#include "keyshare/core/bytes.hpp"
#include "sql/types/text.hpp"

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

}  // namespace

Result<core::SecretBytes> assign_to_varchar(std::int32_t typmod, std::string_view text) {
    const std::string_view kept = first_characters(typmod, text);
    if (text.find_first_not_of(' ', kept.size()) != std::string_view::npos) {
        return invalid_value(
            "22001",
            "value too long for type character varying(" + std::to_string(typmod - kTypmodOffset) +
                ")"
        );
    }
    return core::SecretBytes::copy_of(core::as_bytes(kept));
}

core::SecretBytes truncate_to_varchar(std::int32_t typmod, std::string_view text) {
    return core::SecretBytes::copy_of(core::as_bytes(first_characters(typmod, text)));
}

}  // namespace pgveil::types
