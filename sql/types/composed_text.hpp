#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace pgveil::types {

/// The text of one value while it is composed; wiped at the end. For the types whose texts have a
/// bound: at most 128 letters (invariant).
class ComposedText {
public:
    ComposedText() = default;
    ComposedText(const ComposedText&) = delete;
    ComposedText& operator=(const ComposedText&) = delete;
    ~ComposedText();

    void add(char letter) { letters_.at(size_++) = letter; }

    void add(std::string_view text);
    /// At least `width` digits, with zeros in front; a sign is none of them.
    void add_number(std::int64_t number, std::size_t width);
    void drop_trailing_zeros();

    std::string_view text() const { return {letters_.data(), size_}; }

private:
    std::array<char, 128> letters_{};
    std::size_t size_ = 0;
};

/// ".5", ".000001": microseconds without the zeros at the end; nothing for 0.
void add_fraction(ComposedText& out, std::int64_t microseconds);

/// "04:05:06.789"
void add_time_of_day(ComposedText& out, std::int64_t micros_of_day);

/// "+05:30", "-08", "+00:19:32": seconds east of Greenwich.
void add_offset(ComposedText& out, std::int32_t seconds_east);

}  // namespace pgveil::types
