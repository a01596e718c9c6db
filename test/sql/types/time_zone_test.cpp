#include "sql/types/time_zone.hpp"

#include "test/sql/types/test_zones.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

namespace pgveil::types {
namespace {

std::string berlin_file() {
    std::ifstream file(PGVEIL_SOURCE "/test/sql/types/zones/Europe.Berlin", std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

TEST(TimeZone, KnowsOffsetsBeforeInsideAndAfterTheRecord) {
    const TestZones zones;
    const TimeZone& berlin = *zones.find("europe/berlin");
    EXPECT_EQ(berlin.at_utc(-5000000000).seconds_east, 3208);  // local mean time
    EXPECT_EQ(berlin.at_utc(1719792000).seconds_east, 7200);   // July 2024
    EXPECT_EQ(berlin.at_utc(1719792000).abbreviation, "CEST");
    EXPECT_EQ(berlin.at_utc(4102444800).seconds_east, 3600);  // January 2100
    EXPECT_EQ(berlin.at_utc(4118083200).seconds_east, 7200);  // July 2100
}

TEST(TimeZone, TakesTheEarlierOffsetInAGapAndTheLaterInAnOverlap) {
    const TestZones zones;
    const TimeZone& berlin = *zones.find("Europe/Berlin");
    EXPECT_EQ(berlin.seconds_east_at_local(1711852200), 3600);  // 2024-03-31 02:30, skipped
    EXPECT_EQ(berlin.seconds_east_at_local(1729996200), 3600);  // 2024-10-27 02:30, twice
}

TEST(TimeZone, RefusesEveryTruncatedFile) {
    const std::string file = berlin_file();
    ASSERT_TRUE(TimeZone::parse_tzif("x", core::as_bytes(file)).has_value());
    for (std::size_t size = 0; size < file.size(); ++size) {
        const std::string_view part = std::string_view(file).substr(0, size);
        EXPECT_FALSE(TimeZone::parse_tzif("x", core::as_bytes(part)).has_value()) << size;
    }
}

TEST(TimeZone, SurvivesEveryFlippedByte) {
    const std::string file = berlin_file();
    for (std::size_t at = 0; at < file.size(); ++at) {
        std::string broken = file;
        broken[at] = static_cast<char>(broken[at] ^ '\x5a');
        const auto zone = TimeZone::parse_tzif("x", core::as_bytes(broken));
        if (zone.has_value()) {
            static_cast<void>(zone->seconds_east_at_local(0));
            static_cast<void>(zone->at_utc(4102444800));
        }
    }
}

TEST(PosixRule, ReadsAllFormsOfDays) {
    const auto julian = TimeZone::parse_posix("AAA3BBB,J60/0,J300/0");
    ASSERT_TRUE(julian.has_value());
    EXPECT_EQ(julian->at_utc(1709262000).seconds_east, -7200);  // 2024-03-01 03:00 UTC: day 60
    EXPECT_EQ(julian->at_utc(1709261999).seconds_east, -10800);
    const auto zero_based = TimeZone::parse_posix("AAA3BBB,59/0,300/0");
    ASSERT_TRUE(zero_based.has_value());
    EXPECT_EQ(zero_based->at_utc(1709175600).seconds_east, -7200);  // 2024-02-29
}

TEST(PosixRule, ReadsTheNamesPostgreSqlMakes) {
    const auto zone = TimeZone::parse_posix("<+05:30>-05:30");
    ASSERT_TRUE(zone.has_value());
    EXPECT_EQ(zone->at_utc(0).seconds_east, 19800);
    EXPECT_EQ(zone->at_utc(0).abbreviation, "+05:30");
}

TEST(PosixRule, TakesShortAndEmptyAbbreviationsAsPostgreSqlDoes) {
    const auto unnamed = TimeZone::parse_posix("-03:30");
    ASSERT_TRUE(unnamed.has_value());
    EXPECT_EQ(unnamed->at_utc(0).seconds_east, 12600);
    EXPECT_EQ(unnamed->at_utc(0).abbreviation, "");
    EXPECT_TRUE(TimeZone::parse_posix("X5").has_value());
}

TEST(PosixRule, RefusesWhatIsNotARule) {
    for (const auto* rule :
         {"",
          "CET",
          "CET-1CE,M3.5.0,M10.5.0",
          "CET-1CEST",
          "CET-1CEST,M3.5.0",
          "CET-1CEST,M13.5.0,M10.5.0",
          "CET-1CEST,M3.5.0,M10.5.0x",
          "CET-25",
          "<+01-1",
          "CET-1:60",
          "CET--1"}) {
        EXPECT_FALSE(TimeZone::parse_posix(rule).has_value()) << rule;
    }
}

TEST(ZoneName, NeverLeavesTheFolder) {
    for (const auto* name : {"", "/etc/passwd", "../x", "Europe//Berlin", "a/", "a.b", "a b"}) {
        EXPECT_FALSE(is_zone_name(name)) << name;
    }
    EXPECT_TRUE(is_zone_name("America/Port-au-Prince"));
    EXPECT_TRUE(is_zone_name("Etc/GMT+3"));
}

}  // namespace
}  // namespace pgveil::types
