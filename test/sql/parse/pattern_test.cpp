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

/// Of the slots, with # for an integer and ? for a string.
std::string without(std::string_view text) {
    std::string rest = without_slots(text, slots_of(text, true));
    std::string result;
    for (std::size_t i = 0; i < rest.size(); ++i) {
        const bool is_string = rest[i] == '\0' && i + 1 < rest.size() && rest[i + 1] == '\'';
        result.push_back(rest[i] != '\0' ? rest[i] : is_string ? '?' : '#');
        i += is_string ? 1 : 0;
    }
    return result;
}

TEST(Slots, AreIntegersAndSimpleStrings) {
    EXPECT_EQ(without("SELECT 1, 'one', '', -2"), "SELECT #, ?, ?, -#");
    EXPECT_EQ(without("a='x'and b='y'"), "a='x'and b=?") << "words that touch";
    EXPECT_EQ(without("f('a b',1)"), "f(?,#)");
    EXPECT_EQ(without("date '2020-01-01'"), "date ?");
}

TEST(Slots, AreNoOtherConstants) {
    for (const std::string_view text :
         {"SELECT 'it''s'",
          "SELECT 'back\\slash'",
          "SELECT E'a', U&'b', N'c', B'1', X'1F', $$d$$, $q$e$q$",
          "SELECT 'a'\n'b'",
          "SELECT 'gr\xc3\xbc\xc3\x9f'",
          "SELECT 'tab\t'",
          "SELECT 'open",
          "SELECT \"a\" -- '1'"}) {
        EXPECT_EQ(without(text), text);
    }
}

TEST(Pattern, TextsThatDifferElsewhereDiffer) {
    EXPECT_NE(shown("SELECT 1 FROM a"), shown("SELECT 1 FROM b"));
    EXPECT_NE(shown("SELECT 1"), shown("SELECT  1"));
    EXPECT_NE(shown("SELECT 1, 1"), shown("SELECT 1"));
    EXPECT_NE(shown("SELECT - 1"), shown("SELECT 1"));
}

}  // namespace
}  // namespace pgveil::parse
