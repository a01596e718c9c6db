#include "proxy/relay/copied_rows.hpp"

#include <gtest/gtest.h>

namespace pgveil::relay {
namespace {

TEST(CopiedRows, KnowTheirLines) {
    CopiedRows rows;
    for (const std::uint64_t line : {2U, 3U, 4U, 7U, 8U, 10U, 12U, 14U, 15U}) {
        rows.add(line);
    }
    EXPECT_FALSE(rows.line_of(0));
    EXPECT_EQ(rows.line_of(1), 2U);
    EXPECT_EQ(rows.line_of(3), 4U);
    EXPECT_EQ(rows.line_of(4), 7U);
    EXPECT_EQ(rows.line_of(5), 8U);
    EXPECT_EQ(rows.line_of(7), 12U);
    EXPECT_EQ(rows.line_of(8), 14U);
    EXPECT_EQ(rows.line_of(9), 15U);
    EXPECT_EQ(rows.line_of(10), 16U) << "which is awaited";
    EXPECT_FALSE(rows.line_of(11));
}

TEST(CopiedRows, CountTheHeader) {
    CopiedRows rows;
    EXPECT_EQ(rows.line_of(1), 1U);
    rows.skip(1);
    EXPECT_EQ(rows.line_of(1), 2U);
}

TEST(CopiedRows, ForgetLinesThatNeverFitAPattern) {
    CopiedRows rows;
    std::uint64_t line = 0;
    for (std::uint64_t row = 1; row <= 100'000; ++row) {
        rows.add(line += row * row % 7 + 1);
    }
    EXPECT_EQ(rows.line_of(1), 2U);
    EXPECT_TRUE(rows.line_of(4096));
    EXPECT_FALSE(rows.line_of(100'000));
}

TEST(CopiedRows, AreShownAsLines) {
    CopiedRows rows;
    rows.add(2);
    rows.add(4);
    EXPECT_EQ(rows.in_lines("COPY people, line 2", "people"), "COPY people, line 4");
    EXPECT_EQ(
        rows.in_lines("JSON data, line 1: {\nCOPY people, line 2, column note", "people"),
        "JSON data, line 1: {\nCOPY people, line 4, column note"
    );
    EXPECT_EQ(rows.in_lines("COPY people, line 3", "people"), "COPY people, line 5");
    EXPECT_EQ(rows.in_lines("COPY people, line 4", "people"), "COPY people");
    EXPECT_EQ(rows.in_lines("COPY others, line 2", "people"), "COPY others, line 2");
    EXPECT_EQ(rows.in_lines("", "people"), "");
}

}  // namespace
}  // namespace pgveil::relay
