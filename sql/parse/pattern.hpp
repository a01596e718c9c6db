#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// What texts that differ in constants alone have in common. For texts whose bytes below 128 are
// ASCII: UTF-8, not GB18030.
namespace pgveil::parse {

/// A constant in the bytes [begin, end) of a text that another one of its kind may replace without
/// a change to the grammar or to what any name means.
struct Slot {
    enum class Kind {
        /// One to nine digits: an integer to the grammar (Iconst), without its sign. Digits that
        /// belong to anything else are none: 1.5, 1e5, 0x1F, 12ab, $1, names, quotes, comments.
        kInteger,
        /// '...' of printable ASCII without quotes or backslashes, and not beside another string.
        kString,
    };

    std::uint32_t begin = 0;
    std::uint32_t end = 0;
    Kind kind = Kind::kInteger;
};

/// All of a text, in order.
std::vector<Slot> slots_of(std::string_view text, bool standard_conforming_strings);

/// The text with a NUL in place of each of these slots of it, and a quote behind that of a string.
/// No text of the protocol holds a NUL, so this is never a text.
std::string without_slots(std::string_view text, std::span<const Slot> slots);

/// without_slots() of the integers: texts that differ in these alone have one pattern. nullopt if
/// there are none.
std::optional<std::string> pattern_of(std::string_view text, std::span<const Slot> slots);
std::optional<std::string> pattern_of(std::string_view text, bool standard_conforming_strings);

}  // namespace pgveil::parse
