#include "proxy/relay/measures.hpp"

#include "test/proxy/relay/conversation.hpp"

#include <gtest/gtest.h>

namespace pgveil::relay {
namespace {

constexpr std::string_view kPolicy = R"json({
    "tables": {"public.patients": {"columns": {
        "name": {"type": "varchar(80)"}, "ssn": {"type": "text", "search": "equality"}}}}})json";

std::uint64_t count_of(const metrics::Histogram& histogram) {
    metrics::Histogram::Reading reading;
    histogram.add_to(reading);
    return reading.count();
}

metrics::SqlstateCounter::Reading refusals_of(const metrics::Tally& tally) {
    metrics::SqlstateCounter::Reading reading;
    tally.refusals.add_to(reading);
    return reading;
}

class Measures : public ::testing::Test {
protected:
    const metrics::Tally& tally() { return *talk.relay().state().environment->tally; }

    void runs(std::string_view text, std::string_view tag = "SELECT 1", char status = 'I') {
        ASSERT_EQ(talk.client_sends(query(text)), "Q") << text;
        ASSERT_EQ(talk.server_sends(both(complete(tag), ready(status))), "CZ") << text;
    }

    Conversation talk{kPolicy};
};

TEST_F(Measures, CountAPlainStatementOnce) {
    runs("SELECT 1");
    EXPECT_EQ(tally().plain_statements.value(), 1U);
    EXPECT_EQ(tally().protected_statements.value(), 0U);
    EXPECT_EQ(tally().transactions.value(), 1U);
    EXPECT_EQ(count_of(tally().upstream), 1U);
    EXPECT_EQ(count_of(tally().parse), 1U);
    EXPECT_EQ(count_of(tally().key), 0U);
    EXPECT_EQ(count_of(tally().seal), 0U);
    EXPECT_EQ(count_of(tally().open), 0U);
}

TEST_F(Measures, CountEveryStatementOfAText) {
    ASSERT_EQ(talk.client_sends(query("SELECT 1; SELECT 2; SELECT 3")), "Q");
    EXPECT_EQ(tally().plain_statements.value(), 3U);
    EXPECT_EQ(count_of(tally().parse), 1U);
}

TEST_F(Measures, CountATextThatCannotBeReadAsOneStatement) {
    ASSERT_EQ(talk.client_sends(query("1 + 1")), "Q");
    EXPECT_EQ(tally().plain_statements.value(), 1U);
}

TEST_F(Measures, CountAPlanThatIsUsedAgain) {
    runs("SELECT 'one'");
    runs("SELECT 'one'");
    runs("SELECT 'two'");
    EXPECT_EQ(tally().plans_reused.value(), 1U);
    EXPECT_EQ(count_of(tally().parse), 2U);
    EXPECT_EQ(tally().plain_statements.value(), 3U);
}

TEST_F(Measures, CountTransactionsWhenTheyEnd) {
    runs("BEGIN", "BEGIN", 'T');
    runs("SELECT 1", "SELECT 1", 'T');
    EXPECT_EQ(tally().transactions.value(), 0U);
    runs("COMMIT", "COMMIT");
    EXPECT_EQ(tally().transactions.value(), 1U);
    EXPECT_EQ(count_of(tally().upstream), 3U);
}

TEST_F(Measures, CountABatchByItsSync) {
    ASSERT_EQ(talk.client_sends(parse("p", "SELECT 1 WHERE 'a' = $1")), "P");
    ASSERT_EQ(talk.client_sends(both(both(bind("", "p", "a"), execute("")), execute(""))), "BEE");
    ASSERT_EQ(talk.client_sends(sync()), "S");
    wire::Output replies =
        both(acknowledge("12"), both(complete("SELECT 1"), complete("SELECT 0")));
    ASSERT_EQ(talk.server_sends(both(std::move(replies), ready('I'))), "12CCZ");
    EXPECT_EQ(tally().plain_statements.value(), 2U);
    EXPECT_EQ(count_of(tally().upstream), 1U);
    EXPECT_EQ(tally().transactions.value(), 1U);
}

TEST_F(Measures, LeaveOutWhatTheProxyAsksItself) {
    ASSERT_EQ(talk.client_sends(query("SELECT id FROM visits")), "CPBECS");
    ASSERT_EQ(talk.server_sends(looked_up({"visits"}, true)), "");
    EXPECT_EQ(count_of(tally().upstream), 0U) << "the look-up is no request of the client's";
    EXPECT_EQ(tally().transactions.value(), 0U);
    ASSERT_EQ(talk.server_sends(both(complete("SELECT 0"), ready('I'))), "CZ");
    EXPECT_EQ(count_of(tally().upstream), 1U);
    EXPECT_EQ(tally().plain_statements.value(), 1U);
}

TEST_F(Measures, CountARefusalBySqlstateAndNoStatement) {
    ASSERT_EQ(talk.client_sends(query("DO $$ BEGIN DELETE FROM patients; END $$")), "Q");
    const metrics::SqlstateCounter::Reading expected = {{"0A000", 1}};
    EXPECT_EQ(refusals_of(tally()), expected);
    EXPECT_EQ(tally().plain_statements.value() + tally().protected_statements.value(), 0U);
}

TEST_F(Measures, TellProtectedStatementsFromPlainOnes) {
    ASSERT_EQ(talk.client_sends(query("SELECT count(*) FROM patients")), "CPBECS");
    ASSERT_EQ(talk.server_sends(looked_up({"patients"}, true)), "");
    EXPECT_EQ(tally().plain_statements.value(), 0U);
    EXPECT_EQ(tally().protected_statements.value() + refusals_of(tally()).size(), 1U);
}

TEST_F(Measures, ReadTheClockOnceForWhatLeavesTogether) {
    ASSERT_EQ(talk.client_sends(both(query("SELECT 1"), query("SELECT 2"))), "QQ");
    PendingReplies& pending = talk.relay().state().pending;
    const auto first = pending.front()->sent;
    EXPECT_NE(first, metrics::Clock::time_point());
    pending.note_sent();
    EXPECT_EQ(pending.front()->sent, first) << "noted once";
    pending.pop();
    EXPECT_EQ(pending.front()->sent, first);
}

}  // namespace
}  // namespace pgveil::relay
