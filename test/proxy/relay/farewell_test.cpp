#include "proxy/wire/error_response.hpp"
#include "test/proxy/relay/conversation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pgveil::relay {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kPolicy = R"json({
    "tables": {"public.patients": {"columns": {"name": {"type": "varchar(80)"}}}}})json";

wire::Output terminated() {
    wire::Output out;
    wire::Report report;
    report.severity = "FATAL";
    report.sqlstate = "57P01";
    report.message = "terminating connection";
    wire::append_error(out, report);
    return out;
}

TEST(Farewell, IsPassedOnBetweenRequests) {
    Conversation talk(kPolicy);
    EXPECT_FALSE(talk.relay().server_said_farewell());
    EXPECT_EQ(talk.server_sends(terminated()), "E");
    EXPECT_TRUE(talk.relay().server_said_farewell());
}

TEST(Farewell, IsPassedOnInPlaceOfTheAnswerToALookUp) {
    Conversation talk(kPolicy);
    ASSERT_EQ(talk.client_sends(query("SELECT id FROM visits")), "CPBECS");
    EXPECT_EQ(talk.server_sends(terminated()), "E");
    EXPECT_THAT(talk.to_client(), HasSubstr("57P01"));
    EXPECT_TRUE(talk.relay().server_said_farewell());
}

TEST(Farewell, IsNotTakenForTheAnswerToARefusedStatement) {
    Conversation talk(kPolicy);
    ASSERT_EQ(talk.client_sends(query("DELETE FROM patients WHERE name = 'x'")), "CPBECS");
    ASSERT_EQ(talk.server_sends(looked_up({"patients"}, true)), "");
    EXPECT_EQ(talk.server_sends(terminated()), "E");
    EXPECT_THAT(talk.to_client(), HasSubstr("57P01"));
}

TEST(Farewell, AnErrorIsNone) {
    Conversation talk(kPolicy);
    ASSERT_EQ(talk.client_sends(query("SELECT 1")), "Q");
    EXPECT_EQ(talk.server_sends(both(error("22012", "division by zero"), ready('I'))), "EZ");
    EXPECT_FALSE(talk.relay().server_said_farewell());
}

TEST(Farewell, ARowThatHasBegunIsKnown) {
    Conversation talk(kPolicy);
    ASSERT_EQ(talk.client_sends(query("SELECT 1")), "Q");
    Outgoing client;
    Outgoing upstream;
    const std::vector<std::uint8_t> begun{'D', 0, 0, 0, 104, 0};  // its head, and a byte
    EXPECT_EQ(talk.relay().on_upstream(begun, client, upstream), begun.size());
    EXPECT_TRUE(talk.relay().is_inside_reply());
    const std::vector<std::uint8_t> rest(99);
    EXPECT_EQ(talk.relay().on_upstream(rest, client, upstream), rest.size());
    EXPECT_FALSE(talk.relay().is_inside_reply());
}

}  // namespace
}  // namespace pgveil::relay
