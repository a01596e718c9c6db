#include "sql/types/composed_text.hpp"

#include "sql/types/calendar.hpp"

#include <charconv>
#include <cstdlib>

namespace pgveil::types {

namespace {

constexpr std::size_t kFractionWidth = 6;

}  // namespace

ComposedText::~ComposedText() {
    volatile char* letter = letters_.data();
    for (std::size_t index = 0; index < letters_.size(); ++index) {
        letter[index] = '\0';
    }
}

void ComposedText::add(std::string_view text) {
    for (const char letter : text) {
        add(letter);
    }
}

void ComposedText::add_number(std::int64_t number, std::size_t width) {
    std::array<char, 24> digits{};
    const auto written = std::to_chars(digits.data(), digits.data() + digits.size(), number);
    const auto size = static_cast<std::size_t>(written.ptr - digits.data());
    for (std::size_t zeros = size; zeros < width; ++zeros) {
        add('0');
    }
    add({digits.data(), size});
}

void ComposedText::drop_trailing_zeros() {
    while (letters_.at(size_ - 1) == '0') {
        --size_;
    }
}

void add_fraction(ComposedText& out, std::int64_t microseconds) {
    if (microseconds != 0) {
        out.add('.');
        out.add_number(microseconds, kFractionWidth);
        out.drop_trailing_zeros();
    }
}

void add_time_of_day(ComposedText& out, std::int64_t micros_of_day) {
    const std::int64_t seconds = micros_of_day / kMicrosPerSecond;
    out.add_number(seconds / 3600, 2);
    out.add(':');
    out.add_number(seconds / 60 % 60, 2);
    out.add(':');
    out.add_number(seconds % 60, 2);
    add_fraction(out, micros_of_day % kMicrosPerSecond);
}

void add_offset(ComposedText& out, std::int32_t seconds_east) {
    const std::int32_t seconds = std::abs(seconds_east);
    out.add(seconds_east < 0 ? '-' : '+');
    out.add_number(seconds / 3600, 2);
    if (seconds % 3600 != 0) {
        out.add(':');
        out.add_number(seconds / 60 % 60, 2);
    }
    if (seconds % 60 != 0) {
        out.add(':');
        out.add_number(seconds % 60, 2);
    }
}

}  // namespace pgveil::types
