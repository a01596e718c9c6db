#include "sql/parse/placeholders.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pgveil::parse {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Placeholders, StandForEveryKindOfConstant) {
    EXPECT_EQ(
        with_placeholders("SELECT a, 'x''y', E'\\n', $$z$$, 1.5e3, B'01', X'ff', U&'\\0041' FROM t"
        ),
        "SELECT a, $1, $2, $3, $4, $5, $6, $7 FROM t"
    );
    EXPECT_EQ(with_placeholders("SELECT -12, DATE '2020-01-01'"), "SELECT -$1, DATE $2");
    EXPECT_EQ(with_placeholders("SELECT 1_000, 0x1F, 12ab"), "SELECT $1, $2, $3");
}

TEST(Placeholders, AreNumberedBehindTheParameters) {
    EXPECT_EQ(
        with_placeholders("UPDATE t SET a = 'x' WHERE b = $2 AND c = $1 AND d = 7"),
        "UPDATE t SET a = $3 WHERE b = $2 AND c = $1 AND d = $4"
    );
}

TEST(Placeholders, KeepNamesAndDropComments) {
    EXPECT_EQ(
        with_placeholders("SELECT \"Näme\"  -- 120-44-7781\n FROM /* secret */ public.t;"),
        "SELECT \"Näme\" FROM public.t;"
    );
}

TEST(Placeholders, StandForBooleansButNotInTests) {
    EXPECT_EQ(
        with_placeholders("SELECT TRUE WHERE a = false AND b IS TRUE AND c IS NOT FALSE"),
        "SELECT $1 WHERE a = $2 AND b IS TRUE AND c IS NOT FALSE"
    );
}

TEST(Placeholders, StandForWhatIsSet) {
    EXPECT_EQ(with_placeholders("SET x TO on; SELECT a"), "SET x TO $1; SELECT a");
    EXPECT_EQ(
        with_placeholders("SET LOCAL pgveil.app_share = \"pgva1.abc\""),
        "SET LOCAL pgveil.app_share = $1"
    );
    EXPECT_EQ(with_placeholders("ALTER ROLE r SET s.t TO \"v\""), "ALTER ROLE r SET s.t TO $1");
    EXPECT_EQ(with_placeholders("UPDATE t SET a = b"), "UPDATE t SET a = b");
}

TEST(Placeholders, StandForSharesInTheWrongQuotes) {
    EXPECT_EQ(with_placeholders("SELECT \"pgvt1.abc\", pgva1"), "SELECT $1, $2");
}

TEST(Placeholders, ShowNothingWhereStringsMayEndElsewhere) {
    const std::string shown = with_placeholders("SELECT 'a\\', 'secret'");
    EXPECT_THAT(shown, HasSubstr("not shown"));
    EXPECT_THAT(shown, Not(HasSubstr("secret")));
    EXPECT_EQ(with_placeholders("SELECT 'C:\\x'"), "SELECT $1") << "the same in both ways";
}

TEST(Placeholders, ShowNothingOfAnOpenQuote) {
    EXPECT_EQ(with_placeholders("SELECT 'secret"), "SELECT $1");
    EXPECT_EQ(with_placeholders("SELECT \"secret"), "SELECT \"...\"");
    EXPECT_EQ(with_placeholders("SELECT $q$secret"), "SELECT $1");
}

TEST(Placeholders, CutLongTexts) {
    std::string list = "SELECT 1";
    for (int i = 0; i < 100'000; ++i) {
        list += ", 4711";
    }
    const std::string shown = with_placeholders(list);
    EXPECT_LT(shown.size(), 1100U);
    EXPECT_TRUE(shown.ends_with(" ..."));
    EXPECT_THAT(shown, Not(HasSubstr("4711")));
}

TEST(Placeholders, HideQuotedNamesOfAFailedStatement) {
    EXPECT_EQ(
        without_quoted_names(with_placeholders("SELECT a FROM t WHERE b = \"120-44\" AND c = 'x'")),
        "SELECT a FROM t WHERE b = \"...\" AND c = $1"
    );
}

}  // namespace
}  // namespace pgveil::parse
