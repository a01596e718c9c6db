// Compares with what a real PostgreSQL 15 answered (postgres15.tsv and numbers15.tsv, made by
// make_fixture.py; later15.tsv, made by make_later_fixture.py). PGVEIL_TYPES_FIXTURE,
// PGVEIL_NUMBERS_FIXTURE and PGVEIL_LATER_FIXTURE name other fixtures, for long runs with fresh
// seeds.
#include "sql/types/codec.hpp"
#include "sql/types/time_zone.hpp"
#include "test/sql/types/test_zones.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <vector>

namespace pgveil::types {
namespace {

struct Case {
    Type type;
    TextStyle style;
    std::string line;
    std::vector<std::string> cells;

    const std::string& input() const { return cells[4]; }

    bool is_accepted() const { return cells[5] == "ok"; }
};

std::vector<std::string> split_cells(const std::string& line) {
    std::vector<std::string> cells;
    std::istringstream stream(line);
    std::string cell;
    while (std::getline(stream, cell, '\t')) {
        cells.push_back(nlohmann::json::parse(cell).get<std::string>());
    }
    return cells;
}

Case make_case(const std::string& line, const TestZones& zones) {
    Case made;
    made.line = line;
    made.cells = split_cells(line);
    made.type = *parse_type_name(made.cells[0]);
    EXPECT_TRUE(set_date_style(made.style, made.cells[1]).has_value());
    // Whichever setting the fixture's types depend on.
    EXPECT_TRUE(
        set_bytea_output(made.style, made.cells[3]).has_value() ||
        set_extra_float_digits(made.style, made.cells[3]).has_value() ||
        set_interval_style(made.style, made.cells[3]).has_value()
    ) << made.cells[3];
    made.style.zone = zones.find(made.cells[2]);
    made.style.zones = &zones;
    EXPECT_NE(made.style.zone, nullptr) << made.cells[2];
    return made;
}

std::string fixture_path(const char* variable, const std::string& name) {
    // Test programs are single-threaded here.
    const char* const other = std::getenv(variable);  // NOLINT(concurrency-mt-unsafe)
    return other == nullptr ? PGVEIL_SOURCE "/test/sql/types/" + name : other;
}

std::string text_of(const core::SecretBytes& bytes) {
    return std::string(core::as_text(bytes.reveal()));
}

void expect_same_value(const Case& wanted, const core::SecretBytes& value) {
    EXPECT_EQ(core::to_hex(value.reveal()), wanted.cells[6]) << wanted.line;
    const auto shown = to_text(wanted.type, value.reveal(), wanted.style);
    ASSERT_TRUE(shown.has_value()) << wanted.line;
    EXPECT_EQ(text_of(*shown), wanted.cells[7]) << wanted.line;
    const auto received = from_binary(wanted.type, value.reveal());
    ASSERT_TRUE(received.has_value()) << wanted.line;
    EXPECT_EQ(core::to_hex(received->reveal()), wanted.cells[6]) << wanted.line;
}

void expect_same_error(const Case& wanted, const Error& error) {
    EXPECT_EQ(error.sqlstate, wanted.cells[6]) << wanted.line;
    EXPECT_EQ(error.message, wanted.cells[7]) << wanted.line;
    // No error has both; the fixture has the one that its types have.
    EXPECT_EQ(error.hint + error.detail, wanted.cells[8]) << wanted.line;
}

struct Tally {
    std::size_t same = 0;
    std::size_t refused = 0;
    std::size_t accepted = 0;
    std::vector<std::string> refused_lines;
};

void compare(const Case& wanted, Tally& tally) {
    tally.accepted += wanted.is_accepted() ? 1U : 0U;
    const auto value = from_text(wanted.type, wanted.input(), wanted.style);
    if (!value.has_value() && value.error().kind == ErrorKind::kUnsupportedForm) {
        if (wanted.is_accepted()) {
            ++tally.refused;
            tally.refused_lines.push_back(wanted.line);
        }
        return;
    }
    ++tally.same;
    ASSERT_EQ(value.has_value(), wanted.is_accepted())
        << wanted.line << (value.has_value() ? "" : value.error().message);
    if (value.has_value()) {
        expect_same_value(wanted, *value);
    } else {
        expect_same_error(wanted, value.error());
    }
}

Tally compare_all(const std::string& path) {
    const TestZones zones;
    std::ifstream fixture(path);
    EXPECT_TRUE(fixture.is_open()) << path;
    Tally tally;
    std::string line;
    while (std::getline(fixture, line)) {
        compare(make_case(line, zones), tally);
    }
    std::cout << "same " << tally.same << ", refused " << tally.refused << " of " << tally.accepted
              << " that PostgreSQL accepts\n";
    return tally;
}

TEST(PostgresAgreement, EveryTextGivesTheSameValueTheSameErrorOrARefusal) {
    const Tally tally = compare_all(fixture_path("PGVEIL_TYPES_FIXTURE", "postgres15.tsv"));
    EXPECT_GT(tally.same, 2000U);
    // Words, units and abbreviations that the generator throws in; the usual forms are all read.
    EXPECT_LT(tally.refused * 100, tally.accepted * 3)
        << testing::PrintToString(tally.refused_lines);
}

TEST(PostgresAgreement, NumbersAndCharacters) {
    const Tally tally = compare_all(fixture_path("PGVEIL_NUMBERS_FIXTURE", "numbers15.tsv"));
    EXPECT_GT(tally.same, 1900U);
    // Hexadecimal floats, nan(1), a blank behind the e.
    EXPECT_LT(tally.refused * 100, tally.accepted) << testing::PrintToString(tally.refused_lines);
}

TEST(PostgresAgreement, TimesIntervalsAddressesJsonAndArrays) {
    const Tally tally = compare_all(fixture_path("PGVEIL_LATER_FIXTURE", "later15.tsv"));
    EXPECT_GT(tally.same, 3000U);
    // Times with dates and zone names, timetz without an offset, intervals that versions of
    // PostgreSQL read differently.
    EXPECT_LT(tally.refused * 100, tally.accepted * 8)
        << testing::PrintToString(tally.refused_lines);
}

}  // namespace
}  // namespace pgveil::types
