#include "sql/types/interval_units.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace pgveil::types {

namespace {

using Unit = IntervalSum::Unit;

struct UnitWords {
    Unit unit;
    std::string_view words;  // each between blanks
};

// clang-format off
constexpr std::array kUnits = {
    UnitWords{Unit::kMicrosecond, " us usec usecs usecond useconds microsecond microseconds "},
    UnitWords{Unit::kMillisecond, " ms msec msecs msecond mseconds millisecond milliseconds "},
    UnitWords{Unit::kSecond, " s sec secs second seconds "},
    UnitWords{Unit::kMinute, " m min mins minute minutes "},
    UnitWords{Unit::kHour, " h hr hrs hour hours "},
    UnitWords{Unit::kDay, " d day days "},
    UnitWords{Unit::kWeek, " w week weeks "},
    UnitWords{Unit::kMonth, " mon mons month months "},
    UnitWords{Unit::kYear, " y yr yrs year years "},
    UnitWords{Unit::kDecade, " dec decs decade decades "},
    UnitWords{Unit::kCentury, " c cent century centuries "},
    UnitWords{Unit::kMillennium, " mil mils millennium millennia "},
};
// clang-format on

}  // namespace

std::optional<Unit> find_interval_unit(std::string_view word) {
    const std::string bounded = " " + std::string(word) + " ";
    const auto* const found = std::ranges::find_if(kUnits, [&bounded](const UnitWords& unit) {
        return unit.words.find(bounded) != std::string_view::npos;
    });
    return found == kUnits.end() ? std::nullopt : std::optional(found->unit);
}

bool is_cut_interval_unit(std::string_view word) {
    return word.starts_with("microsecon") || word.starts_with("millisecon") ||
           word.starts_with("millennium");
}

}  // namespace pgveil::types
