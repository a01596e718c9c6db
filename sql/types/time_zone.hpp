#pragma once

#include "keyshare/core/bytes.hpp"
#include "sql/types/error.hpp"
#include "sql/types/posix_rule.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgveil::types {

/// A time zone: immutable, safe to share between threads. Types do no I/O: the caller reads the
/// TZif file (RFC 9636) and owns the choice of the folder.
class TimeZone {
public:
    static TimeZone utc();
    /// A zone without history, `seconds_east` of Greenwich. The abbreviation is what
    /// PostgreSQL prints for `SET TIME ZONE 5.5`: "<+05:30>-05:30" has "+05:30".
    static TimeZone fixed(std::int32_t seconds_east, std::string abbreviation);
    /// Reads a whole TZif file, version 2 or later, its footer included. Strict; never throws.
    static Result<TimeZone> parse_tzif(std::string name, core::ByteView file);
    /// Reads a POSIX TZ string such as `<+0530>-05:30` or `CET-1CEST,M3.5.0,M10.5.0/3`.
    static Result<TimeZone> parse_posix(std::string_view rule);

    const std::string& name() const { return name_; }

    /// What clocks showed at `unix_s` (seconds since 1970-01-01 00:00 UTC).
    const LocalTimeType& at_utc(std::int64_t unix_s) const;

    /// The offset PostgreSQL chooses for a local time (`local_s` = the local clock read as if it
    /// were UTC): in a gap the one before the transition, in an overlap the one after it.
    std::int32_t seconds_east_at_local(std::int64_t local_s) const;

    /// The offset that has been in force since 2020 and stays, whatever the date; nullopt if clocks
    /// still change.
    std::optional<std::int32_t> lasting_seconds_east() const;

    /// True if this zone has an abbreviation of these letters (given in lower case) that stood for
    /// another offset at some time.
    bool uses_abbreviation_otherwise(std::string_view letters, std::int32_t seconds_east) const;

private:
    struct Transition {
        std::int64_t unix_s = 0;
        const LocalTimeType* before = nullptr;
        const LocalTimeType* after = nullptr;
    };

    struct RecordedTransition {
        std::int64_t unix_s = 0;
        std::size_t type = 0;  // index into types_
    };

    friend class TzifReader;

    TimeZone() = default;

    std::optional<Transition> next_transition(std::int64_t unix_s) const;
    Transition recorded_transition(std::size_t index) const;
    bool is_past_record(std::int64_t unix_s) const;

    std::string name_;
    std::vector<LocalTimeType> types_;  // the first is in force before all transitions
    std::vector<RecordedTransition> transitions_;
    std::optional<PosixRule> rule_;  // in force after the last transition
};

/// Where zone names that stand in a value ("... Europe/Athens") are looked up. The caller's
/// implementation may cache; a returned pointer must outlive the call of from_text.
class TimeZoneSource {
public:
    TimeZoneSource() = default;
    TimeZoneSource(const TimeZoneSource&) = delete;
    TimeZoneSource& operator=(const TimeZoneSource&) = delete;
    virtual ~TimeZoneSource() = default;

    /// Null if there is no such zone. Zone names are matched case-insensitively by PostgreSQL.
    virtual const TimeZone* find(std::string_view name) const = 0;
};

/// True for names that can be looked up under a zoneinfo folder without leaving it: letters,
/// digits, `_`, `-`, `+`, `/`; no empty part, no dot.
bool is_zone_name(std::string_view name);

}  // namespace pgveil::types
