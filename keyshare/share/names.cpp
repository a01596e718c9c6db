#include "keyshare/share/names.hpp"

#include <algorithm>
#include <cstdint>

namespace pgveil::share {
namespace {

constexpr std::size_t kGroupNameSizeMax = 63;

bool is_lower(char ch) {
    return ch >= 'a' && ch <= 'z';
}

bool is_group_character(char ch) {
    return is_lower(ch) || (ch >= '0' && ch <= '9') || ch == '_';
}

// How many bytes the UTF-8 sequence that starts with `lead` has, and the least code point that
// needs that many (RFC 3629): longer forms of small code points are refused.
struct SequenceForm {
    std::size_t size;
    std::uint32_t least;
    std::uint32_t first_bits;
};

SequenceForm form_of(std::uint8_t lead) {
    if (lead < 0x80) {
        return {1, 0, lead};
    }
    if ((lead & 0xE0U) == 0xC0) {
        return {2, 0x80, lead & 0x1FU};
    }
    if ((lead & 0xF0U) == 0xE0) {
        return {3, 0x800, lead & 0x0FU};
    }
    if ((lead & 0xF8U) == 0xF0) {
        return {4, 0x10000, lead & 0x07U};
    }
    return {0, 0, 0};
}

bool is_printable(std::uint32_t code_point) {
    const bool is_control = code_point < 0x20 || (code_point >= 0x7F && code_point < 0xA0);
    const bool is_surrogate = code_point >= 0xD800 && code_point <= 0xDFFF;
    return !is_control && !is_surrogate && code_point <= 0x10FFFF;
}

// Size of the printable character that `text` begins with; 0 if there is none.
std::size_t character_size(std::string_view text) {
    const SequenceForm form = form_of(static_cast<std::uint8_t>(text.front()));
    if (form.size == 0 || form.size > text.size()) {
        return 0;
    }
    std::uint32_t code_point = form.first_bits;
    for (std::size_t at = 1; at < form.size; ++at) {
        const auto next = static_cast<std::uint8_t>(text[at]);
        if ((next & 0xC0U) != 0x80) {
            return 0;
        }
        code_point = (code_point << 6U) | (next & 0x3FU);
    }
    return code_point >= form.least && is_printable(code_point) ? form.size : 0;
}

}  // namespace

bool is_group_name(std::string_view name) {
    return !name.empty() && name.size() <= kGroupNameSizeMax && is_lower(name.front()) &&
           std::ranges::all_of(name, is_group_character);
}

bool is_plain_name(std::string_view name) {
    if (name.empty() || name.size() > kNameSizeMax) {
        return false;
    }
    while (!name.empty()) {
        const std::size_t size = character_size(name);
        if (size == 0) {
            return false;
        }
        name.remove_prefix(size);
    }
    return true;
}

}  // namespace pgveil::share
