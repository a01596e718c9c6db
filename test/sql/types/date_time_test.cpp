#include "sql/types/codec.hpp"
#include "sql/types/time_zone.hpp"
#include "test/sql/types/test_zones.hpp"
#include "test/sql/types/value_text.hpp"

#include <gtest/gtest.h>

#include <string>

namespace pgveil::types {
namespace {

const Type kDate = {Kind::kDate};
const Type kTimestamp = {Kind::kTimestamp};
const Type kTimestamptz = {Kind::kTimestamptz};

TEST(DateTimeInput, RefusesWordsThatDependOnTheClock) {
    for (const auto* word : {"now", "today", "Tomorrow", "YESTERDAY", "today 10:00"}) {
        EXPECT_TRUE(is_refused(from_text(kTimestamp, word, {}))) << word;
    }
}

TEST(DateTimeInput, NeedsTheSessionZoneOnlyWhereItMatters) {
    EXPECT_TRUE(is_refused(from_text(kTimestamptz, "2024-01-01 10:00", {})));
    EXPECT_EQ(sent(kTimestamptz, "2000-01-01 00:00+00"), "0000000000000000");
    EXPECT_EQ(sent(kTimestamptz, "infinity"), "7fffffffffffffff");
    EXPECT_EQ(sent(kTimestamp, "2000-01-01 00:00"), "0000000000000000");
}

TEST(DateTimeInput, RefusesZonesItCannotTell) {
    const TestZones zones;
    TextStyle style;
    style.zones = &zones;
    style.zone = zones.find("Europe/Dublin");
    EXPECT_TRUE(is_refused(from_text(kTimestamptz, "2024-01-01 10:00 EST", style)));
    EXPECT_TRUE(is_refused(from_text(kTimestamptz, "2024-01-01 10:00 foo3", style)));
    // Dublin's own IST is +1; PostgreSQL's default abbreviation set says Israel.
    EXPECT_TRUE(is_refused(from_text(kTimestamptz, "2024-01-01 10:00 IST", style)));
    style.zones = nullptr;
    EXPECT_TRUE(is_refused(from_text(kTimestamptz, "2024-01-01 10:00 Europe/Berlin", style)));
}

/// A folder of files tells upper from lower case.
class ExactZones final : public TimeZoneSource {
public:
    const TimeZone* find(std::string_view name) const override {
        return name == "Europe/Berlin" ? all_.find(name) : nullptr;
    }

private:
    TestZones all_;
};

TEST(DateTimeInput, LooksZoneNamesUpAsWritten) {
    const ExactZones zones;
    TextStyle style;
    style.zones = &zones;
    EXPECT_EQ(
        sent(kTimestamptz, "2020-07-01 10:00 Europe/Berlin", style),
        sent(kTimestamptz, "2020-07-01 10:00+02")
    );
}

TEST(DateTimeInput, RefusesAbbreviationsThatTheSessionZoneUsesOtherwise) {
    TextStyle style;
    const TimeZone manila = *TimeZone::parse_posix("PST-8");
    style.zone = &manila;
    EXPECT_TRUE(is_refused(from_text(kTimestamptz, "2024-01-01 10:00 PST", style)));
    const TimeZone utc = TimeZone::utc();
    style.zone = &utc;
    EXPECT_EQ(
        sent(kTimestamptz, "2024-01-01 10:00 PST", style),
        sent(kTimestamptz, "2024-01-01 10:00-08", style)
    );
}

TEST(DateTimeInput, RefusesFormsThatVersionsReadDifferently) {
    for (const auto* text :
         {"J2451187",
          "1999.008",
          "infinity 2024-01-01",
          "2024-01-01 T +02 10:00",
          "12-jan2020",
          "PDT 2024-01-01",
          "2024-01-01 allballs",
          "2024-01-01 10:00 MET DST"}) {
        EXPECT_TRUE(is_refused(from_text(kTimestamp, text, {}))) << text;
    }
}

TEST(DateTimeInput, BoundsTheInputAsPostgreSqlDoes) {
    EXPECT_EQ(sent(kDate, "2000-01-01" + std::string(1000, ' ')), "00000000");
    const std::string digits(200, '1');
    EXPECT_EQ(sent(kDate, digits), "22007 invalid input syntax for type date: \"" + digits + "\"");
}

TEST(DateTimeInput, DayOrderFollowsDateStyle) {
    TextStyle style;
    style.date_order = DateOrder::kMdy;
    EXPECT_EQ(sent(kDate, "01/02/2000", style), "00000001");
    style.date_order = DateOrder::kDmy;
    EXPECT_EQ(sent(kDate, "01/02/2000", style), "0000001f");
    EXPECT_EQ(sent(kDate, "2000-01-02", style), "00000001");
}

TEST(DateTimeInput, NamesTheHintForAnotherDateStyle) {
    const auto value = from_text(kDate, "13/13/2000", {});
    ASSERT_FALSE(value.has_value());
    EXPECT_EQ(value.error().sqlstate, "22008");
    EXPECT_EQ(value.error().hint, "Perhaps you need a different \"datestyle\" setting.");
}

TEST(DateTimeOutput, NeedsTheSessionZoneForTimestamptz) {
    const core::Bytes epoch(8, 0);
    EXPECT_TRUE(is_refused(to_text(kTimestamptz, epoch, {})));
    const TimeZone utc = TimeZone::utc();
    TextStyle style;
    style.zone = &utc;
    const auto text = to_text(kTimestamptz, epoch, style);
    ASSERT_TRUE(text.has_value());
    EXPECT_EQ(core::as_text(text->reveal()), "2000-01-01 00:00:00+00");
}

}  // namespace
}  // namespace pgveil::types
