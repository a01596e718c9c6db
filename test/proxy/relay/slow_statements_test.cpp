#include "test/proxy/relay/conversation.hpp"

#include <gtest/gtest.h>

namespace pgveil::relay {
namespace {

constexpr std::string_view kPolicy = R"json({
    "tables": {"public.patients": {"columns": {"name": {"type": "varchar(80)"}}}}})json";

class SlowStatements : public ::testing::Test {
protected:
    void SetUp() override { talk.note_slow(100); }

    Conversation talk{kPolicy};
};

TEST_F(SlowStatements, ShowAQueryWithPlaceholders) {
    ASSERT_EQ(talk.client_sends(query("SELECT 'secret', 42 -- note")), "Q");
    talk.pass_ms(150);
    ASSERT_EQ(talk.server_sends(both(complete("SELECT 1"), ready('I'))), "CZ");
    EXPECT_EQ(talk.slow(), "s1-1 took 150: SELECT $1, $2\n");
}

TEST_F(SlowStatements, DoNotShowFastOnes) {
    ASSERT_EQ(talk.client_sends(query("SELECT 1")), "Q");
    talk.pass_ms(99);
    ASSERT_EQ(talk.server_sends(both(complete("SELECT 1"), ready('I'))), "CZ");
    EXPECT_EQ(talk.slow(), "");
}

TEST_F(SlowStatements, CountTheTimeOfLookUps) {
    ASSERT_EQ(talk.client_sends(query("SELECT id FROM visits")), "CPBECS");
    talk.pass_ms(120);
    ASSERT_EQ(talk.server_sends(looked_up({"visits"}, true)), "");
    ASSERT_EQ(talk.server_sends(both(complete("SELECT 0"), ready('I'))), "CZ");
    EXPECT_EQ(talk.slow(), "s1-1 took 120: SELECT id FROM visits\n");
}

TEST_F(SlowStatements, ShowTheStatementOfAnExecute) {
    const auto batch = both(
        both(parse("", "SELECT $1::text || 'secret'"), bind("", "", "value")),
        both(execute(""), sync())
    );
    ASSERT_EQ(talk.client_sends(batch), "PBES");
    ASSERT_EQ(talk.server_sends(acknowledge("12")), "12");
    talk.pass_ms(200);
    ASSERT_EQ(talk.server_sends(both(complete("SELECT 1"), ready('I'))), "CZ");
    EXPECT_EQ(talk.slow(), "s1-1 took 200: SELECT $1::text || $2\n");
}

TEST_F(SlowStatements, OfFailedOnesHideQuotedNames) {
    ASSERT_EQ(talk.client_sends(query("SELECT \"secret\"")), "Q");
    talk.pass_ms(150);
    ASSERT_EQ(talk.server_sends(both(error("42703", "no such column"), ready('I'))), "EZ");
    EXPECT_EQ(talk.slow(), "s1-1 failed 150: SELECT \"...\"\n");
}

TEST_F(SlowStatements, ReportAFailedExecuteOnce) {
    const auto batch =
        both(both(parse("", "SELECT 1/0"), bind("", "", "")), both(execute(""), sync()));
    ASSERT_EQ(talk.client_sends(batch), "PBES");
    ASSERT_EQ(talk.server_sends(acknowledge("12")), "12");
    talk.pass_ms(150);
    ASSERT_EQ(talk.server_sends(both(error("22012", "division by zero"), ready('I'))), "EZ");
    EXPECT_EQ(talk.slow(), "s1-1 failed 150: SELECT $1/$2\n");
}

TEST(SlowStatementsOff, NothingIsKept) {
    Conversation talk(kPolicy);
    ASSERT_EQ(talk.client_sends(query("SELECT 1")), "Q");
    talk.pass_ms(100'000);
    ASSERT_EQ(talk.server_sends(both(complete("SELECT 1"), ready('I'))), "CZ");
    EXPECT_EQ(talk.slow(), "");
}

}  // namespace
}  // namespace pgveil::relay
