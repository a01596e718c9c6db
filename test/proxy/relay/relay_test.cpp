#include "proxy/wire/row.hpp"
#include "test/proxy/relay/conversation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>

namespace pgveil::relay {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view kPolicy = R"json({
    "tables": {"public.patients": {"columns": {
        "name": {"type": "varchar(80)"}, "ssn": {"type": "text", "search": "equality"}}}}})json";

/// A conversation that knows `visits` as a plain table already.
class Known : public ::testing::Test {
protected:
    void SetUp() override {
        ASSERT_EQ(talk.client_sends(query("SELECT id FROM visits")), "CPBECS");
        ASSERT_EQ(talk.server_sends(looked_up({"visits"}, true)), "");
        ASSERT_THAT(talk.to_server(), HasSubstr("SELECT id FROM visits"));
        ASSERT_EQ(talk.server_sends(both(complete("SELECT 0"), ready('I'))), "CZ");
    }

    Conversation talk{kPolicy};
};

TEST(Relay, PassesWhatNamesNoRelationAtOnceAndUntouched) {
    Conversation talk(kPolicy);
    EXPECT_EQ(talk.client_sends(query("SELECT 1 /* as it is */")), "Q");
    EXPECT_THAT(talk.to_server(), HasSubstr("SELECT 1 /* as it is */"));
    EXPECT_EQ(talk.server_sends(both(complete("SELECT 1"), ready('I'))), "CZ");
}

TEST(Relay, LooksAnUnknownRelationUpBeforeAnythingOfTheStatementLeaves) {
    Conversation talk(kPolicy);
    EXPECT_EQ(talk.client_sends(query("SELECT id FROM visits WHERE note = 'x1'")), "CPBECS");
    EXPECT_THAT(talk.server_log(), Not(HasSubstr("x1")));
    EXPECT_EQ(talk.server_sends(looked_up({"visits"}, true)), "") << "the client sees none of it";
    EXPECT_THAT(talk.to_server(), HasSubstr("note = 'x1'"));
}

TEST_F(Known, AsksAgainOnlyAfterAWhile) {
    EXPECT_EQ(talk.client_sends(query("SELECT id FROM visits")), "Q");
}

TEST_F(Known, CountsADefinitionWhenItIsCommitted) {
    ASSERT_EQ(talk.client_sends(both(query("SELECT 1"), query("DROP TABLE visits"))), "QQ");
    ASSERT_EQ(talk.server_sends(both(complete("SELECT 1"), ready('I'))), "CZ");
    const std::uint64_t before = talk.definitions().count();
    ASSERT_EQ(talk.server_sends(both(complete("DROP TABLE"), ready('I'))), "CZ");
    const std::uint64_t after = talk.definitions().count();
    EXPECT_GT(after, before) << "not only with the ReadyForQuery of what was sent before it";
    ASSERT_EQ(talk.client_sends(query("SELECT 1")), "Q");
    ASSERT_EQ(talk.server_sends(both(complete("SELECT 1"), ready('I'))), "CZ");
    EXPECT_EQ(talk.definitions().count(), after);
}

TEST_F(Known, RefusesByAMarkerAndShowsItsOwnError) {
    ASSERT_EQ(talk.client_sends(query("COPY patients TO '/tmp/x'")), "CPBECS");
    ASSERT_EQ(talk.server_sends(looked_up({"patients"}, true)), "");
    EXPECT_THAT(talk.to_server(), HasSubstr("SELECT \"pgveil:refused:s1-1\""));
    EXPECT_THAT(talk.to_server(), Not(HasSubstr("COPY")));
    EXPECT_EQ(talk.server_sends(both(error("42703", "no such column"), ready('I'))), "EZ");
    EXPECT_THAT(talk.to_client(), HasSubstr("0A000"));
    EXPECT_THAT(talk.to_client(), Not(HasSubstr("42703")));
}

TEST_F(Known, ShowsTheServersErrorOfAStatementBeforeTheRefusedOne) {
    const auto text = query("DELETE FROM visits; COPY patients TO '/tmp/x'");
    ASSERT_EQ(talk.client_sends(text), "CPBECS");
    ASSERT_EQ(talk.server_sends(looked_up({"patients"}, true)), "");
    EXPECT_EQ(talk.server_sends(both(error("23503", "still referenced"), ready('I'))), "EZ");
    EXPECT_THAT(talk.to_client(), HasSubstr("23503"));
    ASSERT_EQ(talk.client_sends(text), "Q");
    const auto refused = both(error("42703", "no such column"), ready('I'));
    EXPECT_EQ(talk.server_sends(both(complete("DELETE 1"), refused)), "CEZ");
    EXPECT_THAT(talk.to_client(), HasSubstr("0A000"));
    EXPECT_THAT(talk.to_client(), Not(HasSubstr("42703")));
}

TEST_F(Known, KeepsTheServersOwnWordInAFailedTransaction) {
    ASSERT_EQ(talk.client_sends(query("DO $$ BEGIN DELETE FROM patients; END $$")), "Q");
    EXPECT_EQ(talk.server_sends(both(error("25P02", "aborted"), ready('E'))), "EZ");
    EXPECT_THAT(talk.to_client(), HasSubstr("25P02"));
}

TEST_F(Known, SendsNothingOfABatchBehindARefusedParse) {
    ASSERT_EQ(talk.client_sends(parse("", "DO $$ BEGIN DELETE FROM patients; END $$")), "P");
    EXPECT_THAT(talk.to_server(), HasSubstr("pgveil_refused"));
    EXPECT_EQ(talk.client_sends(both(bind("", "", "topsecret"), execute(""))), "");
    EXPECT_EQ(talk.client_sends(sync()), "S");
    EXPECT_EQ(talk.server_sends(both(error("42703", "x"), ready('I'))), "EZ");
    EXPECT_THAT(talk.to_client(), HasSubstr("0A000"));
    EXPECT_THAT(talk.server_log(), Not(HasSubstr("topsecret")));
}

TEST_F(Known, KeepsTheValuesOfABindToAStatementNobodyPrepared) {
    EXPECT_EQ(talk.client_sends(both(bind("", "nobody", "topsecret"), sync())), "PS");
    EXPECT_EQ(talk.server_sends(both(error("42703", "x"), ready('I'))), "EZ");
    EXPECT_THAT(talk.to_client(), HasSubstr("26000"));
    EXPECT_THAT(talk.server_log(), Not(HasSubstr("topsecret")));
}

TEST_F(Known, PassesValuesOfAPlainStatement) {  // the positive control of the two tests above
    ASSERT_EQ(talk.client_sends(parse("p", "SELECT id FROM visits WHERE id = $1")), "P");
    EXPECT_EQ(
        talk.client_sends(both(both(bind("", "p", "topsecret"), execute("")), sync())), "BES"
    );
    EXPECT_THAT(talk.server_log(), HasSubstr("topsecret"));
    wire::Output replies = acknowledge("12");
    EXPECT_EQ(
        talk.server_sends(both(both(std::move(replies), complete("SELECT 0")), ready('I'))), "12CZ"
    );
}

constexpr std::size_t kLong = 300'000;
constexpr std::size_t kPiece = 4096;

wire::Output long_bind(std::string_view statement) {
    const std::string value(kLong, 'x');
    return relay::bind("", statement, value);
}

TEST_F(Known, PassesALongBindOfAPlainStatementAsItComes) {
    ASSERT_EQ(talk.client_sends(parse("p", "SELECT id FROM visits WHERE id = $1")), "P");
    const wire::Output sent = long_bind("p");
    std::size_t passed = 0;
    for (std::size_t at = 0; at < sent.bytes().size(); at += kPiece) {
        const std::size_t size = std::min(kPiece, sent.bytes().size() - at);
        EXPECT_EQ(talk.client_sends_piece(sent.bytes().subspan(at, size)), size);
        passed += size;
    }
    EXPECT_EQ(passed, sent.bytes().size());
    EXPECT_EQ(talk.client_sends(both(execute(""), sync())), "ES");
    EXPECT_THAT(talk.server_log(), HasSubstr(std::string(kLong, 'x')));
    EXPECT_EQ(
        talk.server_sends(both(both(acknowledge("12"), complete("SELECT 0")), ready('I'))), "12CZ"
    );
}

TEST_F(Known, KeepsALongBindUntilItsNamesAreThere) {
    ASSERT_EQ(talk.client_sends(parse("a_long_name", "SELECT id FROM visits WHERE id = $1")), "P");
    const wire::Output sent = long_bind("a_long_name");
    constexpr std::size_t kInTheName = 10;
    EXPECT_EQ(talk.client_sends_piece(sent.bytes().first(kInTheName)), 0U);
    EXPECT_EQ(
        talk.client_sends_piece(sent.bytes().subspan(kInTheName, kPiece)), kInTheName + kPiece
    );
}

TEST_F(Known, GathersALongBindOfAnythingElse) {
    const wire::Output sent = long_bind("nobody");
    EXPECT_EQ(talk.client_sends_piece(sent.bytes().first(kLong)), 0U);
    EXPECT_EQ(talk.relay().client_wants(), sent.bytes().size());
    EXPECT_GT(talk.client_sends_piece(sent.bytes().subspan(kLong)), 0U) << "a Parse that must fail";
    EXPECT_THAT(talk.server_log(), Not(HasSubstr("xxxx")));
}

TEST_F(Known, DropsALongBindBehindAnError) {
    ASSERT_EQ(talk.client_sends(parse("p", "SELECT id FROM visits WHERE id = $1")), "P");
    ASSERT_EQ(talk.client_sends(parse("", "SELECT * FROM pgveil.nothing")), "P");
    const wire::Output sent = long_bind("p");
    EXPECT_EQ(talk.client_sends_piece(sent.bytes().first(kPiece)), 0U);
    EXPECT_EQ(talk.client_sends_piece(sent.bytes().subspan(kPiece)), 0U);
    EXPECT_EQ(talk.client_sends(sync()), "S");
    EXPECT_THAT(talk.server_log(), Not(HasSubstr("xxxx")));
}

TEST_F(Known, KeepsTheArgumentsOfANameThatNothingStandsFor) {
    EXPECT_EQ(talk.client_sends(query("EXECUTE gone('topsecret')")), "Q");
    EXPECT_EQ(talk.server_sends(both(error("42703", "x"), ready('I'))), "EZ");
    EXPECT_THAT(talk.to_client(), HasSubstr("26000"));
    EXPECT_THAT(talk.server_log(), Not(HasSubstr("topsecret")));
}

TEST_F(Known, PassesTheArgumentsOfWhatSqlHasPrepared) {
    wire::Output prepare = query("PREPARE p AS SELECT id FROM visits WHERE id = $1");
    EXPECT_EQ(talk.client_sends(both(std::move(prepare), query("EXECUTE p('a value')"))), "Q")
        << "whether p is there only the server can tell";
    EXPECT_EQ(talk.server_sends(both(complete("PREPARE"), ready('I'))), "CZ");
    EXPECT_THAT(talk.to_server(), HasSubstr("EXECUTE p('a value')"));
    EXPECT_TRUE(talk.relay().state().statements.contains("p"));
}

TEST_F(Known, ForgetsWhatSqlHasDropped) {
    for (const std::string_view drop : {"DEALLOCATE p", "DEALLOCATE ALL", "DISCARD ALL"}) {
        talk.client_sends(query("PREPARE p AS SELECT 1"));
        talk.server_sends(both(complete("PREPARE"), ready('I')));
        ASSERT_TRUE(talk.relay().state().statements.contains("p")) << drop;
        talk.client_sends(query(drop));
        talk.server_sends(both(error("40001", "not now"), ready('I')));
        EXPECT_TRUE(talk.relay().state().statements.contains("p")) << drop << " has failed";
        talk.client_sends(query(drop));
        const std::string_view tag = drop == "DEALLOCATE p" ? "DEALLOCATE" : drop;
        talk.server_sends(both(complete(tag), ready('I')));
        EXPECT_FALSE(talk.relay().state().statements.contains("p")) << drop;
    }
}

TEST_F(Known, AFailedPrepareMakesNoName) {
    talk.client_sends(query("SELECT 1; PREPARE p AS SELECT 1"));
    talk.server_sends(both(complete("SELECT 1"), both(error("42P05", "exists"), ready('I'))));
    EXPECT_FALSE(talk.relay().state().statements.contains("p"));
}

TEST_F(Known, TakesACloseBackThatTheServerSkipped) {
    ASSERT_EQ(talk.client_sends(both(parse("p", "SELECT id FROM visits"), sync())), "PS");
    ASSERT_EQ(talk.server_sends(both(acknowledge("1"), ready('I'))), "1Z");
    wire::Output batch = both(parse("bad", "SELECT nosuch FROM visits"), close_statement("p"));
    ASSERT_EQ(talk.client_sends(both(std::move(batch), sync())), "PCS");
    ASSERT_EQ(talk.server_sends(both(error("42601", "syntax"), ready('I'))), "EZ");
    EXPECT_TRUE(talk.relay().state().statements.contains("p"));
    EXPECT_FALSE(talk.relay().state().statements.contains("bad"));
}

TEST_F(Known, WaitsForTheServersWordWhenANameIsPreparedTwice) {
    ASSERT_EQ(talk.client_sends(both(parse("p", "SELECT id FROM visits"), sync())), "PS");
    EXPECT_EQ(talk.client_sends(parse("p", "SELECT 2")), "") << "the first is not answered yet";
    ASSERT_EQ(talk.server_sends(both(acknowledge("1"), ready('I'))), "1Z");
    EXPECT_THAT(talk.to_server(), HasSubstr("SELECT 2"));
    EXPECT_EQ(talk.client_sends(both(bind("", "p", "v"), sync())), "H")
        << "which of the two is p is not known before the server has spoken";
    EXPECT_EQ(talk.server_sends(error("42P05", "exists")), "E");
}

TEST_F(Known, KeepsAQueryInABatchUntilItIsKnownWhetherTheServerSkipsIt) {
    ASSERT_EQ(talk.client_sends(parse("a", "SELECT nosuch FROM visits")), "P");
    EXPECT_EQ(talk.client_sends(query("SELECT 1")), "H");
    EXPECT_EQ(talk.server_sends(error("42703", "no such column")), "E");
    EXPECT_EQ(talk.client_sends(query("SELECT id FROM not_known_yet")), "") << "no look-up either";
    EXPECT_EQ(talk.client_sends(sync()), "S");
    EXPECT_EQ(talk.server_sends(ready('I')), "Z");
    EXPECT_EQ(talk.client_sends(query("SELECT 2")), "Q");
}

TEST_F(Known, DoesNotWaitForALookUpThatTheServerSkips) {
    ASSERT_EQ(talk.client_sends(parse("a", "SELECT nosuch FROM visits")), "P");
    ASSERT_EQ(talk.client_sends(parse("b", "SELECT id FROM not_known_yet")), "CPBECH");
    ASSERT_EQ(talk.server_sends(error("42703", "no such column")), "E");
    EXPECT_EQ(talk.client_sends(sync()), "S");
    EXPECT_EQ(talk.server_sends(ready('I')), "Z");
    EXPECT_EQ(talk.client_sends(query("SELECT id FROM not_known_yet")), "CPBECS")
        << "nothing was learnt";
}

/// ParseComplete, BindComplete and a CopyInResponse without columns.
wire::Output copy_begun() {
    wire::Output begun = acknowledge("12");
    begun.append_int8('G');
    begun.append_int32(7);
    begun.append_int8(0);
    begun.append_int16(0);
    return begun;
}

TEST_F(Known, TakesTheAnswerToASyncBehindACopyThatFailedBeforeItReadAnything) {
    for (const bool is_read_later : {false, true}) {
        wire::Output copy = both(parse("", "COPY visits FROM STDIN"), bind("", "", "v"));
        ASSERT_EQ(talk.client_sends(both(std::move(copy), both(execute(""), sync()))), "PBES");
        ASSERT_EQ(talk.server_sends(copy_begun()), "12G");
        if (is_read_later) {
            EXPECT_EQ(talk.client_sends(sync()), "S");
        }
        EXPECT_EQ(talk.server_sends(both(error("55000", "FREEZE"), ready('I'))), "EZ");
        EXPECT_EQ(
            talk.server_sends(is_read_later ? ready('I') : wire::Output()), is_read_later ? "Z" : ""
        );
        EXPECT_EQ(talk.relay().violation(), "");
        ASSERT_EQ(talk.client_sends(query("SELECT 1")), "Q");
        ASSERT_EQ(talk.server_sends(both(complete("SELECT 1"), ready('I'))), "CZ");
    }
    talk.server_sends(ready('I'));
    EXPECT_THAT(talk.relay().violation(), HasSubstr("ReadyForQuery")) << "once answered, it is";
}

TEST_F(Known, EndsOnAStatementInTheMiddleOfCopy) {
    ASSERT_EQ(talk.client_sends(parse("c", "COPY visits FROM STDIN")), "P");
    ASSERT_THAT(talk.to_server(), HasSubstr("FROM STDIN"));
    wire::Output copy = both(bind("", "c", "v"), execute(""));
    ASSERT_EQ(talk.client_sends(copy), "BE");
    ASSERT_EQ(talk.server_sends(copy_begun()), "12G");
    EXPECT_EQ(talk.client_sends(sync()), "S") << "PostgreSQL ignores it here";
    EXPECT_EQ(talk.client_sends(query("SELECT 1")), "");
    EXPECT_THAT(talk.relay().violation(), HasSubstr("during COPY"));
}

TEST_F(Known, LooksUpAgainAfterDdl) {
    ASSERT_EQ(talk.client_sends(query("CREATE TABLE other (id int)")), "Q");
    ASSERT_EQ(talk.server_sends(both(complete("CREATE TABLE"), ready('I'))), "CZ");
    EXPECT_EQ(talk.client_sends(query("SELECT id FROM visits")), "CPBECS");
}

/// Within the batch it would be a second statement of it, which PostgreSQL 18 takes for a block.
TEST_F(Known, ReadsParametersBackBeforeABatchBegins) {
    ASSERT_EQ(talk.client_sends(query("DO 'BEGIN END'")), "Q");
    ASSERT_EQ(talk.server_sends(both(complete("DO"), ready('I'))), "CZ");
    EXPECT_EQ(talk.client_sends(parse("", "SELECT pgveil.token_key()")), "CPBECS");
    EXPECT_THAT(talk.to_server(), HasSubstr("pgveil.user_token"));
    EXPECT_THAT(talk.to_server(), Not(HasSubstr("token_key")));
}

TEST_F(Known, ReadsSettingsBackOnlyBeforeWhatDependsOnThem) {
    const auto change = query("SELECT pg_catalog.set_config('bytea_output', 'escape', false)");
    ASSERT_EQ(talk.client_sends(change), "Q");
    EXPECT_EQ(talk.server_sends(both(complete("SELECT 1"), ready('I'))), "CZ");
    EXPECT_EQ(talk.client_sends(query("SELECT id FROM visits")), "Q") << "a plain statement";
    EXPECT_EQ(talk.server_sends(both(complete("SELECT 1"), ready('I'))), "CZ");
    ASSERT_EQ(talk.client_sends(query("COPY patients TO '/tmp/x'")), "CPBECS");
    ASSERT_EQ(talk.server_sends(looked_up({"patients"}, true)), "");
    EXPECT_THAT(talk.to_server(), HasSubstr("current_setting('bytea_output')"));
}

TEST_F(Known, EndsOnAMessageThatIsNone) {
    wire::Output strange;
    strange.append_int8('?');
    strange.append_int32(4);
    EXPECT_EQ(talk.client_sends(strange), "");
    EXPECT_THAT(talk.relay().violation(), HasSubstr("invalid frontend message type"));
}

TEST_F(Known, EndsOnAnAnswerThatNobodyAskedFor) {
    EXPECT_EQ(talk.server_sends(acknowledge("n")), "");
    EXPECT_THAT(talk.relay().violation(), HasSubstr("NoData"));
}

TEST_F(Known, EndsOnAnAnswerToSomethingElse) {
    ASSERT_EQ(talk.client_sends(both(parse("", "SELECT 1"), sync())), "PS");
    EXPECT_EQ(talk.server_sends(complete("SELECT 1")), "");
    EXPECT_THAT(talk.relay().violation(), HasSubstr("CommandComplete"));
}

TEST_F(Known, EndsOnARowBehindTheEndOfItsStatement) {
    wire::Output batch = both(both(parse("", "SELECT $1"), bind("", "", "x")), execute(""));
    ASSERT_EQ(talk.client_sends(both(std::move(batch), sync())), "PBES");
    ASSERT_EQ(talk.server_sends(acknowledge("12s")), "12s");
    wire::Output late;
    wire::RowWriter row(late, 1);
    row.add(wire::Cell(wire::as_bytes("y")));
    row.finish();
    EXPECT_EQ(talk.server_sends(late), "");
    EXPECT_THAT(talk.relay().violation(), HasSubstr("DataRow"));
}

TEST_F(Known, RefusesAFunctionCallOfSetConfig) {
    wire::Output call;
    const std::size_t start = call.open_message(wire::FrontendType::kFunctionCall);
    call.append_int32(2078);
    call.append_int16(0);
    call.append_int16(0);
    call.append_int16(0);
    call.close_message(start);
    EXPECT_EQ(talk.client_sends(call), "F");
    EXPECT_EQ(talk.server_sends(both(error("42883", "no function"), ready('I'))), "EZ");
    EXPECT_THAT(talk.to_client(), HasSubstr("0A000"));
}

TEST_F(Known, SurvivesEverySplitOfTheReplies) {
    ASSERT_EQ(talk.client_sends(query("SELECT id FROM visits")), "Q");
    const wire::Output replies = both(complete("SELECT 0"), ready('I'));
    std::string seen;
    for (const std::uint8_t byte : replies.bytes()) {
        wire::Output one;
        one.append_int8(byte);
        seen += talk.server_sends(one);
    }
    EXPECT_EQ(seen, "CZ");
}

}  // namespace
}  // namespace pgveil::relay
