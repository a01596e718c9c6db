#include "sql/parse/pattern.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace pgveil::parse {
namespace {

/// With # for the NUL; "none" if the text has no pattern.
std::string shown(std::string_view text, bool standard_conforming_strings = true) {
    auto pattern = pattern_of(text, standard_conforming_strings);
    if (!pattern) {
        return "none";
    }
    std::replace(pattern->begin(), pattern->end(), '\0', '#');
    return *pattern;
}

TEST(Pattern, HasOneMarkForEachInteger) {
    EXPECT_EQ(shown("SELECT a FROM t WHERE id = 12345"), "SELECT a FROM t WHERE id = #");
    EXPECT_EQ(shown("INSERT INTO t VALUES (1,-22,007)"), "INSERT INTO t VALUES (#,-#,#)");
    EXPECT_EQ(shown("SELECT 1+2"), "SELECT #+#");
    EXPECT_EQ(shown("SELECT 999999999"), "SELECT #");
    EXPECT_EQ(shown("SELECT a[1:2]::varchar(8)"), "SELECT a[#:#]::varchar(#)");
}

TEST(Pattern, LeavesWhatIsNoIntegerForCertain) {
    for (const std::string_view text :
         {"SELECT a",
          "SELECT 1000000000",  // may be beyond int4
          "SELECT 1.5",
          "SELECT .5",
          "SELECT 5.",
          "SELECT 1e5",
          "SELECT 0x1F",
          "SELECT 1_000",
          "SELECT 12ab",
          "SELECT $1",
          "SELECT a1 FROM t2",
          "SELECT '1', E'2', $$3$$, U&'4', B'1', X'5', \"6\"",
          "SELECT a -- 1\n/* 2 */"}) {
        EXPECT_EQ(shown(text), "none") << text;
    }
}

TEST(Pattern, FindsTheEndOfStringsAsTheServerDoes) {
    constexpr std::string_view kText = R"(SELECT '\' || 1 || ' , 2)";
    EXPECT_EQ(shown(kText), R"(SELECT '\' || # || ' , 2)");
    EXPECT_EQ(shown(kText, false), R"(SELECT '\' || 1 || ' , #)");
}

TEST(Pattern, TextsThatDifferElsewhereDiffer) {
    EXPECT_NE(shown("SELECT 1 FROM a"), shown("SELECT 1 FROM b"));
    EXPECT_NE(shown("SELECT 1"), shown("SELECT  1"));
    EXPECT_NE(shown("SELECT 1, 1"), shown("SELECT 1"));
    EXPECT_NE(shown("SELECT - 1"), shown("SELECT 1"));
}

}  // namespace
}  // namespace pgveil::parse
