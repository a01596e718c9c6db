#include "sql/types/interval_typmod.hpp"

#include <algorithm>
#include <array>

namespace pgveil::types {

namespace {

constexpr std::uint32_t kPrecisionMask = 0xFFFF;
constexpr std::uint32_t kFieldsShift = 16;
constexpr std::int32_t kPrecisionMax = 6;

struct Named {
    std::string_view words;
    IntervalFields fields;
};

constexpr std::array kNamed = {
    Named{"year", kYearBit},
    Named{"month", kMonthBit},
    Named{"day", kDayBit},
    Named{"hour", kHourBit},
    Named{"minute", kMinuteBit},
    Named{"second", kSecondBit},
    Named{"year to month", kYearBit | kMonthBit},
    Named{"day to hour", kDayBit | kHourBit},
    Named{"day to minute", kDayBit | kHourBit | kMinuteBit},
    Named{"day to second", kDayBit | kHourBit | kMinuteBit | kSecondBit},
    Named{"hour to minute", kHourBit | kMinuteBit},
    Named{"hour to second", kHourBit | kMinuteBit | kSecondBit},
    Named{"minute to second", kMinuteBit | kSecondBit},
    Named{"", kAllFields},
};

}  // namespace

IntervalLimits IntervalLimits::of_typmod(std::int32_t typmod) {
    if (typmod < 0) {
        return {};
    }
    const auto bits = static_cast<std::uint32_t>(typmod);
    const std::uint32_t precision = bits & kPrecisionMask;
    return {
        (bits >> kFieldsShift) & kAllFields,
        precision == kPrecisionMask ? -1 : static_cast<std::int32_t>(precision)};
}

std::int32_t IntervalLimits::typmod() const {
    if (fields == kAllFields && precision < 0) {
        return -1;
    }
    const std::uint32_t low =
        precision < 0 ? kPrecisionMask : static_cast<std::uint32_t>(precision);
    return static_cast<std::int32_t>(fields << kFieldsShift | low);
}

Result<std::int32_t> interval_typmod(std::span<const std::int32_t> modifiers) {
    const auto fields =
        static_cast<IntervalFields>(modifiers.empty() ? std::int32_t{0} : modifiers.front());
    const bool is_known = std::ranges::find(kNamed, fields, &Named::fields) != kNamed.end();
    if (!is_known || modifiers.size() > 2) {
        return invalid_value("22023", "invalid INTERVAL type modifier");
    }
    const std::int32_t precision = modifiers.size() == 2 ? modifiers[1] : -1;
    if (modifiers.size() == 2 && (precision < 0 || precision > kPrecisionMax)) {
        return invalid_value("22023", "the precision of an interval must be 0 to 6");
    }
    return IntervalLimits{fields, precision}.typmod();
}

IntervalFields interval_fields_named(std::string_view words) {
    const auto* const found = std::ranges::find(kNamed, words, &Named::words);
    return found == kNamed.end() ? 0 : found->fields;
}

std::string interval_modifiers(std::int32_t typmod) {
    const IntervalLimits limits = IntervalLimits::of_typmod(typmod);
    const auto* const named = std::ranges::find(kNamed, limits.fields, &Named::fields);
    std::string text;
    if (named != kNamed.end() && !named->words.empty()) {
        text = " " + std::string(named->words);
    }
    return limits.precision < 0 ? text : text + "(" + std::to_string(limits.precision) + ")";
}

}  // namespace pgveil::types
