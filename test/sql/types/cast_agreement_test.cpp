// Compares assignments and comparisons of typed constants with what a real PostgreSQL 15 answered
// (casts15.tsv, made by make_cast_fixture.py). PGVEIL_CASTS_FIXTURE names another fixture.
#include "sql/types/codec.hpp"
#include "sql/types/convert.hpp"
#include "sql/types/searchable_form.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <vector>

namespace pgveil::types {
namespace {

using Cells = std::vector<std::string>;

struct Tally {
    std::size_t same = 0;
    std::size_t refused = 0;
    std::size_t equal = 0;
};

Cells split_cells(const std::string& line) {
    Cells cells;
    std::istringstream stream(line);
    std::string cell;
    while (std::getline(stream, cell, '\t')) {
        cells.push_back(nlohmann::json::parse(cell).get<std::string>());
    }
    return cells;
}

/// 'text'::type
Result<core::SecretBytes> constant_of(Type type, const std::string& text) {
    auto value = from_text(Type{type.kind}, text, {});
    return value.has_value() ? apply_explicit_typmod(type, value->reveal()) : std::move(value);
}

bool is_refusal(const Error& error) {
    return error.kind == ErrorKind::kUnsupportedForm;
}

void expect_same_assignment(const Cells& cells, const std::string& line, Tally& tally) {
    const Type from = *parse_type_name(cells[1]);
    const Type column = *parse_type_name(cells[3]);
    const auto constant = constant_of(from, cells[2]);
    if (!constant.has_value()) {
        ASSERT_TRUE(is_refusal(constant.error())) << line;
        ++tally.refused;
        return;
    }
    const auto assigned = convert_for_assignment(from, column, constant->reveal(), {});
    if (!assigned.has_value() && is_refusal(assigned.error())) {
        // PostgreSQL has no assignment cast either, or the text is one we do not read.
        EXPECT_EQ(cells[4], "error") << line;
        EXPECT_EQ(cells[5], "42804") << line;
        ++tally.refused;
        return;
    }
    ++tally.same;
    ASSERT_EQ(assigned.has_value(), cells[4] == "ok") << line;
    if (assigned.has_value()) {
        EXPECT_EQ(core::to_hex(assigned->reveal()), cells[5]) << line;
    } else {
        EXPECT_EQ(assigned.error().sqlstate, cells[5]) << line;
        EXPECT_EQ(assigned.error().message, cells[6]) << line;
        EXPECT_EQ(assigned.error().detail, cells[7]) << line;
    }
}

/// The form of a searchable column; nullopt if the value is refused somewhere on the way.
std::optional<core::SecretBytes> sealed_form(Type column, Result<core::SecretBytes> value) {
    if (value.has_value()) {
        value = searchable_form(column, value->reveal());
    }
    return value.has_value() ? std::optional(std::move(*value)) : std::nullopt;
}

void expect_same_comparison(const Cells& cells, const std::string& line, Tally& tally) {
    const Type from = *parse_type_name(cells[1]);
    const Type column = *parse_type_name(cells[2]);
    const auto constant = constant_of(from, cells[3]);
    if (!has_searchable_form(column) || !constant.has_value()) {
        return;
    }
    const auto sought =
        sealed_form(column, convert_for_comparison(from, column, constant->reveal()));
    const auto stored = sealed_form(column, from_text(column, cells[4], {}));
    if (!sought || !stored) {
        ++tally.refused;
        return;
    }
    ++tally.same;
    const bool is_equal = core::to_hex(sought->reveal()) == core::to_hex(stored->reveal());
    tally.equal += is_equal ? 1U : 0U;
    EXPECT_EQ(is_equal ? "true" : "false", cells[5]) << line;
}

TEST(CastAgreement, ConstantsBecomeAndCompareAsInPostgres) {
    // Test programs are single-threaded here.
    const char* const other = std::getenv("PGVEIL_CASTS_FIXTURE");  // NOLINT(concurrency-mt-unsafe)
    std::ifstream fixture(other == nullptr ? PGVEIL_SOURCE "/test/sql/types/casts15.tsv" : other);
    ASSERT_TRUE(fixture.is_open());
    Tally assigned;
    Tally compared;
    std::string line;
    while (std::getline(fixture, line)) {
        const Cells cells = split_cells(line);
        if (cells[0] == "assign") {
            expect_same_assignment(cells, line, assigned);
        } else {
            expect_same_comparison(cells, line, compared);
        }
    }
    std::cout << "assigned " << assigned.same << ", refused " << assigned.refused << "; compared "
              << compared.same << " (" << compared.equal << " equal), refused " << compared.refused
              << "\n";
    EXPECT_GT(assigned.same, 1000U);
    EXPECT_GT(compared.same, 500U);
    EXPECT_GT(compared.equal, 300U);
}

}  // namespace
}  // namespace pgveil::types
