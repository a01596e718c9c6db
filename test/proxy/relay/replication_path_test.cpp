#include "proxy/wire/error_response.hpp"
#include "test/proxy/relay/conversation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pgveil::relay {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view kElsewhere = R"json({
    "databases": ["other"],
    "tables": {"public.patients": {"columns": {"name": {"type": "varchar(80)"}}}}})json";
constexpr std::string_view kNothing = R"json({"tables": {}})json";

wire::Output message(char type, std::string_view body) {
    wire::Output out;
    const auto size = static_cast<std::uint8_t>(body.size() + 4);
    const std::vector<std::uint8_t> head{static_cast<std::uint8_t>(type), 0, 0, 0, size};
    out.append(head);
    out.append(wire::as_bytes(body));
    return out;
}

wire::Output copy_both() {
    return message('W', std::string_view("\0\0\0", 3));
}

wire::Output fatal() {
    wire::Output out;
    wire::Report report;
    report.severity = "FATAL";
    report.sqlstate = "57P01";
    report.message = "terminating connection";
    wire::append_error(out, report);
    return out;
}

TEST(ReplicationPath, PassesWhatNoParserKnows) {
    Conversation talk(kElsewhere, true);
    const std::string_view command = "CREATE_REPLICATION_SLOT \"s\" LOGICAL \"pgoutput\"";
    ASSERT_EQ(talk.client_sends(query(command)), "Q");
    EXPECT_THAT(talk.to_server(), HasSubstr(command));
    EXPECT_TRUE(talk.relay().awaits_server());
    EXPECT_EQ(talk.server_sends(both(complete("CREATE_REPLICATION_SLOT"), ready('I'))), "CZ");
    EXPECT_FALSE(talk.relay().awaits_server());
}

TEST(ReplicationPath, StreamsBothWaysUntilReadyForQuery) {
    Conversation talk(kElsewhere, true);
    ASSERT_EQ(talk.client_sends(query("START_REPLICATION SLOT s LOGICAL 0/0")), "Q");
    ASSERT_EQ(talk.server_sends(both(copy_both(), message('d', "w changes"))), "Wd");
    EXPECT_TRUE(talk.relay().streams_replication());
    EXPECT_EQ(talk.client_sends(message('d', "r status")), "d");
    EXPECT_EQ(talk.client_sends(message('c', "")), "c");
    EXPECT_EQ(
        talk.server_sends(both(message('c', ""), both(complete("COPY 0"), ready('I')))), "cCZ"
    );
    EXPECT_FALSE(talk.relay().streams_replication());
    EXPECT_EQ(talk.relay().violation(), "");
}

TEST(ReplicationPath, CopyDataPassesInPieces) {
    Conversation talk(kNothing, true);
    Outgoing client;
    Outgoing upstream;
    const std::vector<std::uint8_t> begun{'d', 0, 1, 0, 0, 'w'};
    EXPECT_EQ(talk.relay().on_upstream(begun, client, upstream), begun.size());
    EXPECT_EQ(client.size(), begun.size());
    EXPECT_TRUE(talk.relay().is_inside_reply());
}

TEST(ReplicationPath, NoParameterOfPgveilLeaves) {
    for (const std::string_view text :
         {"SET pgveil.user_token = 'kept secret'",
          "set \"PGVEIL\".\"app_share\" to 'kept secret'",
          "SELECT set_config('pgveil.app_share', 'kept secret', false)"}) {
        Conversation talk(kNothing, true);
        ASSERT_EQ(talk.client_sends(query(text)), "Q");
        EXPECT_THAT(talk.server_log(), Not(HasSubstr("kept secret")));
        EXPECT_EQ(talk.server_sends(both(error("42703", "no such column"), ready('I'))), "EZ");
        EXPECT_THAT(talk.to_client(), HasSubstr("session parameters of pgveil"));
    }
}

TEST(ReplicationPath, ErrorsAreAnsweredInTurn) {
    Conversation talk(kElsewhere, true);
    ASSERT_EQ(talk.client_sends(both(query("IDENTIFY"), query("BASE_BACKUP"))), "QQ");
    EXPECT_EQ(talk.server_sends(both(error("42601", "syntax error"), ready('I'))), "EZ");
    EXPECT_THAT(talk.to_client(), HasSubstr("syntax error"));
    EXPECT_EQ(talk.server_sends(both(error("42703", "no such column"), ready('I'))), "EZ");
    EXPECT_THAT(talk.to_client(), HasSubstr("base backups and physical replication"));
}

TEST(ReplicationPath, TheWholeClusterIsReadOnlyWhereNothingIsProtected) {
    Conversation talk(kNothing, true);
    ASSERT_EQ(talk.client_sends(query("BASE_BACKUP")), "Q");
    EXPECT_THAT(talk.to_server(), HasSubstr("BASE_BACKUP"));
}

TEST(ReplicationPath, KnowsWhatReadsTheWholeCluster) {
    for (const std::string_view command :
         {"BASE_BACKUP",
          " base_backup( LABEL 'x')",
          "START_REPLICATION 0/0",
          "START_REPLICATION SLOT s PHYSICAL 0/0",
          "START_REPLICATION SLOT \"logical\" 0/0",
          "START_REPLICATION SLOT \"x logical y\" PHYSICAL 0/0"}) {
        EXPECT_TRUE(reads_whole_cluster(command)) << command;
    }
    for (const std::string_view command :
         {"START_REPLICATION SLOT s LOGICAL 0/0",
          "start_replication\nslot \"s\" logical 0/0 (a '1')",
          "IDENTIFY_SYSTEM",
          "SELECT 'BASE_BACKUP'",
          ""}) {
        EXPECT_FALSE(reads_whole_cluster(command)) << command;
    }
}

TEST(ReplicationPath, NothingLeavesOnceThePolicyIsForThisDatabase) {
    Conversation talk(
        R"json({"tables": {"public.patients": {"columns": {"name": {"type": "text"}}}}})json", true
    );
    EXPECT_EQ(talk.client_sends(query("INSERT INTO patients VALUES ('kept secret')")), "");
    EXPECT_EQ(talk.server_log(), "");
}

TEST(ReplicationPath, TheExtendedProtocolEndsIt) {
    for (const auto& bytes : {parse("", "SELECT 1"), sync()}) {
        Conversation talk(kNothing, true);
        EXPECT_EQ(talk.client_sends(bytes), "");
        EXPECT_THAT(talk.relay().violation(), HasSubstr("simple queries only"));
    }
}

TEST(ReplicationPath, TerminateAndFarewellAreSeen) {
    Conversation talk(kNothing, true);
    EXPECT_EQ(talk.server_sends(fatal()), "E");
    EXPECT_TRUE(talk.relay().server_said_farewell());
    EXPECT_EQ(talk.client_sends(message('X', "")), "X");
    EXPECT_TRUE(talk.relay().is_finished());
}

}  // namespace
}  // namespace pgveil::relay
