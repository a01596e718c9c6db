// A statement that the proxy has cancelled because of its own limit ends in PostgreSQL's words for
// one.
#include "test/proxy/relay/conversation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pgveil::relay {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view kPolicy = R"json({
    "tables": {"public.patients": {"columns": {"name": {"type": "varchar(80)"}}}}})json";

class TimeLimit : public testing::Test {
protected:
    /// The server cancels the statement that runs, and is ready.
    void cancelled() {
        EXPECT_EQ(
            talk_.server_sends(both(error("57014", "canceling due to user request"), ready('I'))),
            "EZ"
        );
    }

    Conversation talk_{kPolicy};
};

TEST_F(TimeLimit, TheErrorSaysStatementTimeout) {
    talk_.client_sends(query("SELECT 1"));
    talk_.relay().state().statement_timed_out = true;
    cancelled();
    EXPECT_THAT(talk_.to_client(), HasSubstr("canceling statement due to statement timeout"));
    EXPECT_THAT(talk_.to_client(), HasSubstr("57014"));
    EXPECT_FALSE(talk_.relay().state().statement_timed_out);
}

TEST_F(TimeLimit, ACancelOfTheClientKeepsItsWords) {
    talk_.client_sends(query("SELECT 1"));
    cancelled();
    EXPECT_THAT(talk_.to_client(), HasSubstr("user request"));
}

TEST_F(TimeLimit, AnotherErrorKeepsItsWords) {
    talk_.client_sends(query("SELECT 1"));
    talk_.relay().state().statement_timed_out = true;
    talk_.server_sends(both(error("22012", "division by zero"), ready('I')));
    EXPECT_THAT(talk_.to_client(), HasSubstr("division by zero"));
    EXPECT_THAT(talk_.to_client(), Not(HasSubstr("timeout")));
}

TEST_F(TimeLimit, TheNextStatementIsNotMeant) {
    talk_.client_sends(query("SELECT 1"));
    talk_.relay().state().statement_timed_out = true;
    talk_.server_sends(both(complete("SELECT 1"), ready('I')));
    talk_.client_sends(query("SELECT 2"));
    cancelled();
    EXPECT_THAT(talk_.to_client(), HasSubstr("user request"));
}

TEST_F(TimeLimit, RequestsAndTransactionsAreCounted) {
    const SessionState& state = talk_.relay().state();
    for (const char status : {'T', 'T', 'I', 'I'}) {
        talk_.client_sends(query("SELECT 1"));
        talk_.server_sends(both(complete("SELECT 1"), ready(status)));
    }
    EXPECT_EQ(state.answered_requests, 4U);
    EXPECT_EQ(state.ended_transactions, 2U);
}

TEST_F(TimeLimit, LookUpsOfTheProxyAreNotCounted) {
    ASSERT_EQ(talk_.client_sends(query("SELECT id FROM visits")), "CPBECS");
    talk_.server_sends(looked_up({"visits"}, true));
    EXPECT_EQ(talk_.relay().state().answered_requests, 0U);
    talk_.server_sends(both(complete("SELECT 0"), ready('I')));
    EXPECT_EQ(talk_.relay().state().answered_requests, 1U);
}

}  // namespace
}  // namespace pgveil::relay
