#include "sql/rewrite/rewrite.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace pgveil::rewrite {
namespace {

TEST(Rewrite, NothingToDoKeepsTheText) {
    const auto rewritten = rewrite::apply("SELECT 1", {});
    EXPECT_EQ(rewritten.text, "SELECT 1");
    EXPECT_EQ(rewritten.map.to_user(8), 8U);
    EXPECT_EQ(rewritten.map.to_user(0), 0U);
}

TEST(Rewrite, KeepsEverythingAroundTheReplacements) {
    const std::string user = "SELECT /*+ hint */ a FROM t WHERE a = 'x' -- end";
    const std::array replacements = {
        Replacement{26, 27, "\"s\".\"t\""}, Replacement{38, 41, "E'\\\\x00'::bytea"}};
    const auto rewritten = rewrite::apply(user, replacements);
    EXPECT_EQ(
        rewritten.text, "SELECT /*+ hint */ a FROM \"s\".\"t\" WHERE a = E'\\\\x00'::bytea -- end"
    );
}

TEST(Rewrite, KeepsWordsApart) {
    const std::array replacements = {Replacement{8, 11, "E'z'::bytea"}};
    EXPECT_EQ(rewrite::apply("WHERE a='x'AND b", replacements).text, "WHERE a=E'z'::bytea AND b");
    const std::array in_front = {Replacement{6, 9, "E'z'::bytea"}};
    EXPECT_EQ(rewrite::apply("SELECT'x'", in_front).text, "SELECT E'z'::bytea");
    const std::array neighbours = {Replacement{0, 1, "aa"}, Replacement{1, 2, "bb"}};
    EXPECT_EQ(rewrite::apply("xy", neighbours).text, "aa bb");
}

TEST(Rewrite, InsertsWithoutTakingAnything) {
    const std::array replacements = {Replacement{3, 3, "XX "}};
    EXPECT_EQ(rewrite::apply("ab cd", replacements).text, "ab XX cd");
}

TEST(PositionMap, CountsCharactersNotBytes) {
    // The text begins with two characters of two bytes each.
    const std::string user = "\xc3\xa4\xc3\xb6 'x' bad";
    const std::array replacements = {Replacement{5, 8, "E'\xc3\xa4\xc3\xa4\xc3\xa4'::bytea"}};
    const auto rewritten = rewrite::apply(user, replacements);
    const auto bad_in_text =
        character_position(rewritten.text, static_cast<std::uint32_t>(rewritten.text.find("bad")));
    EXPECT_EQ(rewritten.map.to_user(bad_in_text), character_position(user, 9));
    EXPECT_EQ(rewritten.map.to_user(bad_in_text), 8U);
}

TEST(PositionMap, PlaceInsideAReplacementIsWhereTheReplacedTextBegins) {
    const std::array replacements = {Replacement{2, 4, "(12345678)"}};
    const auto rewritten = rewrite::apply("abXYcd", replacements);
    EXPECT_EQ(rewritten.text, "ab(12345678)cd");
    EXPECT_EQ(rewritten.map.to_user(2), 2U);
    EXPECT_EQ(rewritten.map.to_user(3), 3U);
    EXPECT_EQ(rewritten.map.to_user(9), 3U);
    EXPECT_EQ(rewritten.map.to_user(13), 5U);
}

TEST(PositionMap, BeyondTheEndIsTheEnd) {
    const std::array replacements = {Replacement{1, 2, "(((("}};
    const auto rewritten = rewrite::apply("a+b", replacements);
    EXPECT_EQ(rewritten.map.to_user(1), 1U);
    EXPECT_EQ(rewritten.map.to_user(2), 2U);
    EXPECT_EQ(rewritten.map.to_user(4), 2U);
    EXPECT_EQ(rewritten.map.to_user(6), 3U);
    EXPECT_EQ(rewritten.map.to_user(100), 4U);
}

}  // namespace
}  // namespace pgveil::rewrite
