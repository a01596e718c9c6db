#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

// The words PostgreSQL knows in dates and timestamps. All arguments are lower case.
namespace pgveil::types {

enum class WordKind {
    kIgnored,     // at, on
    kMonth,       // value 1 to 12
    kWeekday,     // value 0 (Sunday) to 6
    kMeridiem,    // value 0 for am, 1 for pm
    kEra,         // value 0 for ad, 1 for bc
    kTimePrefix,  // t
    kEpoch,
    kInfinity,
    kMinusInfinity,
    kClock,    // now, today, tomorrow, yesterday: another value each day
    kNotRead,  // words of forms we do not read: julian days, units, dst, allballs
};

struct Word {
    WordKind kind = WordKind::kIgnored;
    std::int32_t value = 0;
};

/// A word of PostgreSQL's keyword table, zone abbreviations aside.
std::optional<Word> find_word(std::string_view word);

bool is_keyword(std::string_view word);

/// What an abbreviation means, where PostgreSQL's abbreviation sets (Default, Australia, India)
/// agree on one fixed offset.
struct Abbreviation {
    /// Nullopt: PostgreSQL knows the abbreviation, but its meaning depends on settings or history.
    std::optional<std::int32_t> seconds_east;
};

/// Nullopt: not an abbreviation of PostgreSQL's.
std::optional<Abbreviation> find_abbreviation(std::string_view word);

}  // namespace pgveil::types
