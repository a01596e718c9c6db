#include "sql/analysis/share_literals.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace pgveil::analysis {
namespace {

std::string parsed_text(std::string_view sql) {
    return without_shares(sql, parse::Tokens(sql, true)).value_or("as it is");
}

TEST(ShareLiterals, ValuesOfSessionParametersAreOverwritten) {
    EXPECT_EQ(
        parsed_text("SET pgveil.app_share = 'pgva1.ab'"), "SET pgveil.app_share = 'xxxxxxxx'"
    );
    EXPECT_EQ(
        parsed_text("begin; set local PGVEIL . /* x */ User_Token to e'pgvt1.'; select 'kept'"),
        "begin; set local PGVEIL . /* x */ User_Token to e'xxxxxx'; select 'kept'"
    );
    EXPECT_EQ(
        parsed_text("SET SESSION \"pgveil\".\"app_share\" = $a$it's$a$"),
        "SET SESSION \"pgveil\".\"app_share\" = $a$xxxx$a$"
    );
    EXPECT_EQ(parsed_text("SET \"Pgveil.app-share\" = 'ab'"), "SET \"Pgveil.app-share\" = 'xx'");
}

TEST(ShareLiterals, ArgumentsOfSetConfigAreOverwritten) {
    EXPECT_EQ(
        parsed_text("SELECT pg_catalog.set_config('pgveil.app_share', 'ab', false), 'kept'"),
        "SELECT pg_catalog.set_config('pgveil.app_share', 'xx', false), 'kept'"
    );
    EXPECT_EQ(
        parsed_text("SELECT set_config('pgveil.app_share'::text, 'ab'::text, false)"),
        "SELECT set_config('pgveil.app_share'::text, 'xx'::text, false)"
    );
    EXPECT_EQ(parsed_text("SELECT set_config('x.y', 'pgveil', false)"), "as it is");
}

TEST(ShareLiterals, ArgumentsOfOurCallsAreOverwritten) {
    EXPECT_EQ(
        parsed_text("SELECT pgveil.add_user('nurse', 'ab', '00'); SELECT 'kept'"),
        "SELECT pgveil.add_user('xxxxx', 'xx', 'xx'); SELECT 'kept'"
    );
}

/// What stands there is a value of a column or nothing of ours: it is read as it is.
TEST(ShareLiterals, NothingElseIsOverwritten) {
    for (const std::string_view sql : {
             "SELECT id FROM patients pgveil WHERE pgveil.ssn = 'ab'",
             "UPDATE patients SET pgveil.app_share = 'ab'",
             "SELECT id FROM patients WHERE name = 'pgveil' AND set_config = ('pgveil.x', 'ab')",
             "SELECT 'SET pgveil.app_share = ''ab'''",
             "SET pgveil.app_share = 'a''b'",
             "SET pgveil.app_share = E'a\\x62'",
             "SET pgveil.app_share = 'ab",
             "SET pgveil.app_share = ab",
             "SET pgveil",
             "SELECT pgveil.",
             "set_config('pgveil.x'",
         }) {
        EXPECT_EQ(parsed_text(sql), "as it is") << sql;
    }
}

TEST(ShareLiterals, ContentIsTakenLetterByLetterOnly) {
    EXPECT_EQ(plain_content("'ab'"), "ab");
    EXPECT_EQ(plain_content("''"), "");
    EXPECT_EQ(plain_content("E'ab'"), "ab");
    EXPECT_EQ(plain_content("$$a'b$$"), "a'b");
    EXPECT_EQ(plain_content("$t$ab$t$"), "ab");
    for (const std::string_view other :
         {"'a''b'", "E'a\\nb'", "U&'ab'", "N'ab'", "'a'\n'b'", "$", "$t$", "'", "", "E", "E'"}) {
        EXPECT_FALSE(plain_content(other)) << other;
    }
}

}  // namespace
}  // namespace pgveil::analysis
