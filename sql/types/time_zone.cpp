#include "sql/types/time_zone.hpp"

#include "sql/types/calendar.hpp"
#include "sql/types/text.hpp"

#include <algorithm>
#include <utility>

namespace pgveil::types {

TimeZone TimeZone::utc() {
    return fixed(0, "UTC");
}

TimeZone TimeZone::fixed(std::int32_t seconds_east, std::string abbreviation) {
    TimeZone zone;
    zone.name_ = abbreviation;
    zone.types_.push_back({seconds_east, false, std::move(abbreviation)});
    return zone;
}

Result<TimeZone> TimeZone::parse_posix(std::string_view rule) {
    std::optional<PosixRule> parsed = PosixRule::parse(rule);
    if (!parsed) {
        return unsupported_form("\"" + std::string(rule) + "\" is not a time zone rule");
    }
    TimeZone zone;
    zone.name_ = rule;
    zone.types_.push_back(parsed->standard());
    zone.rule_ = std::move(parsed);
    return zone;
}

bool TimeZone::is_past_record(std::int64_t unix_s) const {
    return transitions_.empty() || unix_s >= transitions_.back().unix_s;
}

const LocalTimeType& TimeZone::at_utc(std::int64_t unix_s) const {
    if (is_past_record(unix_s) && rule_) {
        return rule_->at_utc(unix_s);
    }
    const auto after = std::upper_bound(
        transitions_.begin(),
        transitions_.end(),
        unix_s,
        [](std::int64_t instant, const RecordedTransition& transition) {
            return instant < transition.unix_s;
        }
    );
    return after == transitions_.begin() ? types_.front() : types_[std::prev(after)->type];
}

TimeZone::Transition TimeZone::recorded_transition(std::size_t index) const {
    const RecordedTransition& transition = transitions_[index];
    const LocalTimeType& before =
        index == 0 ? types_.front() : types_[transitions_[index - 1].type];
    return {transition.unix_s, &before, &types_[transition.type]};
}

std::optional<TimeZone::Transition> TimeZone::next_transition(std::int64_t unix_s) const {
    for (std::size_t index = 0; !is_past_record(unix_s) && index < transitions_.size(); ++index) {
        if (transitions_[index].unix_s > unix_s) {
            return recorded_transition(index);
        }
    }
    const auto change = rule_ ? rule_->next_change(unix_s) : std::nullopt;
    if (!change) {
        return std::nullopt;
    }
    return Transition{change->unix_s, change->before, change->after};
}

std::int32_t TimeZone::seconds_east_at_local(std::int64_t local_s) const {
    // Offsets stay under a day and changes lie further apart than two, so the first change after
    // the day before is the only one that matters.
    const std::int64_t day_before = local_s - kSecondsPerDay;
    const std::optional<Transition> change = next_transition(day_before);
    if (!change) {
        return at_utc(day_before).seconds_east;
    }
    const std::int32_t before_east = change->before->seconds_east;
    const std::int32_t after_east = change->after->seconds_east;
    const std::int64_t by_before = local_s - before_east;
    const std::int64_t by_after = local_s - after_east;
    if (by_before < change->unix_s && by_after < change->unix_s) {
        return before_east;
    }
    if (by_before > change->unix_s && by_after >= change->unix_s) {
        return after_east;
    }
    return by_before > by_after ? before_east : after_east;
}

std::optional<std::int32_t> TimeZone::lasting_seconds_east() const {
    constexpr std::int64_t kYear2020 = 1577836800;
    return next_transition(kYear2020) ? std::nullopt
                                      : std::optional(at_utc(kYear2020).seconds_east);
}

bool TimeZone::uses_abbreviation_otherwise(std::string_view letters, std::int32_t seconds_east)
    const {
    return std::any_of(types_.begin(), types_.end(), [&](const LocalTimeType& type) {
        return equals_ignoring_case(type.abbreviation, letters) &&
               type.seconds_east != seconds_east;
    });
}

bool is_zone_name(std::string_view name) {
    if (name.empty() || name.front() == '/' || name.back() == '/' ||
        name.find("//") != std::string_view::npos) {
        return false;
    }
    return std::all_of(name.begin(), name.end(), [](char letter) {
        return is_alnum(letter) || letter == '_' || letter == '-' || letter == '+' || letter == '/';
    });
}

}  // namespace pgveil::types
