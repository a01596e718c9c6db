#include "sql/analysis/rules.hpp"
#include "test/sql/analysis/fixture.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

// What lies at the borders: of statements, of encodings, of numbers, of types.
namespace pgveil::analysis::test {
namespace {

std::string last_refusal(const Clinic& clinic, std::string_view sql) {
    const Analysis analysis = clinic.analyze(sql);
    const auto* const rejection =
        analysis.statements.empty() ? nullptr : std::get_if<Rejection>(&analysis.statements.back());
    return rejection == nullptr ? "" : rejection->sqlstate;
}

StatementPlan plan_of(const Clinic& clinic, std::string_view sql) {
    Decision decision = clinic.decide(sql);
    if (const auto* const rejection = std::get_if<Rejection>(&decision)) {
        ADD_FAILURE() << sql << ": " << rejection->message;
        return {};
    }
    return std::get<StatementPlan>(std::move(decision));
}

TEST(Parameters, NumbersThatBindCannotCarryGetPostgresError) {
    const Clinic clinic;
    EXPECT_EQ(clinic.sent("SELECT $0"), "!42P02 there is no parameter $0");
    const Decision decision = clinic.decide("SELECT 'a$0', $0");
    const auto* const rejection = std::get_if<Rejection>(&decision);
    ASSERT_NE(rejection, nullptr);
    EXPECT_EQ(rejection->position, 14);
    for (const std::string_view sql :
         {"SELECT $100000000",
          "SELECT $99999999999",
          "SELECT $65536",
          "SELECT name FROM patients WHERE ssn = $0",
          "SELECT name FROM patients WHERE ssn = $100000000",
          "SELECT pgveil.withdraw_user($100000000, 'x')",
          "SELECT set_config('pgveil.user_id', $100000000, false)"}) {
        EXPECT_EQ(last_refusal(clinic, sql), "42P02") << sql;
    }
    EXPECT_TRUE(clinic.analyze("SELECT $65535").passthrough);
}

TEST(TextOrder, ProtectedStatementsDoNotFollowWhatMayChangeTheSession) {
    const Clinic clinic;
    for (const std::string_view before :
         {"SET pgveil.user_id = 'x'",
          "RESET pgveil.user_id",
          "SET TimeZone = 'UTC'",
          "SET LOCAL standard_conforming_strings = off",
          "RESET ALL",
          "SELECT set_config('DateStyle', 'iso', false)",
          "SELECT set_config('pgveil.user_id', 'x', false)",
          "ROLLBACK",
          "COMMIT",
          "SAVEPOINT a; ROLLBACK TO a",
          "RELEASE a",
          "DISCARD ALL",
          "DISCARD PLANS",
          "DO 'BEGIN END'",
          "CALL p()",
          "EXECUTE p"}) {
        const std::string text(before);
        EXPECT_EQ(last_refusal(clinic, text + "; DELETE FROM patients"), "0A000") << text;
        EXPECT_EQ(last_refusal(clinic, text + "; SELECT ssn FROM patients"), "0A000") << text;
        EXPECT_EQ(last_refusal(clinic, text + "; SELECT 1"), "") << text;
    }
    for (const std::string_view sql :
         {"BEGIN; DELETE FROM patients WHERE ssn = 'a'; COMMIT",
          "BEGIN; SET TRANSACTION READ ONLY; SELECT ssn FROM patients",
          "SAVEPOINT a; DELETE FROM patients WHERE ssn = 'a'; RELEASE a",
          "SET pgveil.user_id = 'a'; SET pgveil.user_token = 'b'; SET pgveil.app_share = 'c'"}) {
        EXPECT_EQ(last_refusal(clinic, sql), "") << sql;
    }
}

TEST(TextOrder, NothingIsMadeFinalBehindValuesThatAreStillToBeOpened) {
    const Clinic clinic;
    for (const std::string_view after :
         {"INSERT INTO notes (id) VALUES (1)",
          "UPDATE notes SET id = 1",
          "DELETE FROM notes",
          "WITH w AS (INSERT INTO notes (id) VALUES (1) RETURNING id) SELECT * FROM w",
          "CREATE TABLE x (a int)",
          "COMMIT",
          "ROLLBACK",
          "EXECUTE p"}) {
        const std::string text(after);
        EXPECT_EQ(last_refusal(clinic, "SELECT ssn FROM patients; " + text), "0A000") << text;
        EXPECT_EQ(last_refusal(clinic, "SELECT id FROM patients; " + text), "") << text;
    }
    EXPECT_EQ(last_refusal(clinic, "SELECT ssn FROM patients; SELECT 1 FROM notes"), "");
}

TEST(Lists, UntypedItemsAreNotReadInAnotherType) {
    const Clinic clinic;
    for (const std::string_view list :
         {"('2020-01-01 10:00', timestamp '2020-01-02')",
          "(timestamp '2020-01-02', $1)",
          "(NULL, '2020-01-01', '2020-01-02'::timestamp)"}) {
        const std::string sql = "SELECT 1 FROM patients WHERE born IN " + std::string(list);
        EXPECT_EQ(last_refusal(clinic, sql), "0A000") << sql;
    }
    for (const std::string_view list :
         {"('2020-01-01', '2020-01-02')",
          "('2020-01-01', date '2020-01-02')",
          "(NULL, timestamp '2020-01-02', date '2020-01-02')"}) {
        const std::string sql = "SELECT 1 FROM patients WHERE born IN " + std::string(list);
        EXPECT_EQ(last_refusal(clinic, sql), "") << sql;
    }
    EXPECT_EQ(last_refusal(clinic, "SELECT 1 FROM patients WHERE age IN (1, '2', $1)"), "");
    EXPECT_EQ(
        last_refusal(clinic, "SELECT 1 FROM patients WHERE age IN (5000000000, '2')"), "0A000"
    );
}

TEST(Encoding, BytesThatMayHideAQuoteAreRefused) {
    const Clinic clinic;
    const types::TextStyle style;
    const catalog::Catalog none;
    const auto is_refused = [&](std::string_view sql, std::string_view encoding) {
        const Context context{*clinic.policy, none, style, true, {}, {}, encoding};
        const Analysis analysis = analysis::analyze(sql, context);
        return analysis.statements.size() == 1 &&
               std::holds_alternative<Rejection>(analysis.statements.front());
    };
    for (const std::string_view encoding :
         {"SJIS", "BIG5", "GBK", "UHC", "GB18030", "JOHAB", "SHIFT_JIS_2004", "shift_jis_2004"}) {
        EXPECT_TRUE(is_refused("SELECT '\x83\x5c'", encoding)) << encoding;
        EXPECT_FALSE(is_refused("SELECT 'a'", encoding)) << encoding;
    }
    EXPECT_FALSE(is_refused("SELECT '\xc3\xa4'", "UTF8"));
    EXPECT_FALSE(is_refused("SELECT '\xe4'", "LATIN1"));
}

TEST(Encoding, ANameOfThePolicyIsNotReadInAnotherOne) {
    const auto policy = config::parse_policy(
        "policy.json", R"({"tables": {"public.t": {"columns": {"\"über\"": {"type": "text"}}}}})"
    );
    ASSERT_TRUE(policy.has_value()) << policy.error().message;
    const types::TextStyle style;
    const catalog::Catalog none;
    const auto refused_for = [&](std::string_view sql, std::string_view encoding) {
        const Context context{**policy, none, style, true, {}, {}, encoding};
        const Analysis analysis = analysis::analyze(sql, context);
        const auto* const rejection = analysis.statements.empty()
                                          ? nullptr
                                          : std::get_if<Rejection>(&analysis.statements.front());
        return rejection == nullptr ? std::string() : rejection->construct;
    };
    const std::string create =
        "CREATE TABLE t (\"\xfc"
        "ber\" text)";
    const std::string refused = "a text or name beyond ASCII in client_encoding ";
    EXPECT_EQ(refused_for(create, "LATIN1"), refused + "LATIN1");
    EXPECT_EQ(refused_for(create, "SQL_ASCII"), refused + "SQL_ASCII");
    EXPECT_EQ(refused_for("SELECT 1 FROM u&\"v\\00FC\"", "LATIN1"), refused + "LATIN1");
    EXPECT_NE(refused_for("SELECT 1 FROM u&\"v\\00FC\"", "UTF8"), refused + "UTF8");
    EXPECT_EQ(refused_for("SELECT 1", "LATIN1"), "");
    EXPECT_EQ(refused_for("SELECT '\xc3\xbc'", "UTF8"), "");
}

TEST(Encoding, NamesThatTheServerReadsOtherwise) {
    const Clinic clinic;
    const types::TextStyle style;
    const catalog::Catalog none;
    const auto is_refused =
        [&](std::string_view name, std::string_view client, std::string_view server) {
            const std::string sql = "SELECT '\xc3\xbc' FROM " + std::string(name);
            const Context context{*clinic.policy, none, style, true, {}, {}, client, server};
            const Analysis analysis = analysis::analyze(sql, context);
            return analysis.statements.size() == 1 &&
                   std::holds_alternative<Rejection>(analysis.statements.front());
        };
    const std::string quoted =
        "\"Gr\xc3\xb6\xc3\x9f"
        "e\"";
    const std::string longer = "\"\xc3\xb6" + std::string(18, 'x') + "\"";
    for (const std::string_view server : {"LATIN1", "EUC_JP", "SQL_ASCII"}) {
        EXPECT_TRUE(is_refused("gr\xc3\x96sse", "UTF8", server)) << server;
        EXPECT_TRUE(is_refused(longer, "UTF8", server)) << server;
        EXPECT_TRUE(is_refused("U&\"\\00D6\"", "UTF8", server)) << server;
        EXPECT_FALSE(is_refused(quoted, "UTF8", server)) << server;
        EXPECT_FALSE(is_refused("ascii", "UTF8", server)) << server;
    }
    EXPECT_TRUE(is_refused(longer, "LATIN1", "UTF8"));
    EXPECT_TRUE(is_refused(std::string(22, '\xa1'), "WIN874", "UTF8"));
    EXPECT_FALSE(is_refused(std::string(21, '\xa1'), "WIN874", "UTF8"));
    EXPECT_FALSE(is_refused("\xd6", "LATIN1", "UTF8"));
    EXPECT_FALSE(is_refused("gr\xc3\x96sse", "UTF8", "UTF8"));
    EXPECT_FALSE(is_refused(longer, "UTF8", "UTF8"));
}

TEST(Names, UnqualifiedCatalogNamesAreLookedUp) {
    const Clinic clinic;
    const types::TextStyle style;
    const catalog::Catalog none;
    const Context context{*clinic.policy, none, style, true, {}, {}};
    EXPECT_EQ(analysis::analyze("SELECT * FROM pg_view_of_mine", context).missing.size(), 1U);
    EXPECT_TRUE(analysis::analyze("SELECT * FROM pg_catalog.pg_index", context).passthrough);
    Clinic hidden;
    catalog::Relation view;
    view.schema = "public";
    view.name = "pg_patients";
    view.relkind = 'v';
    view.over_protected = true;
    hidden.catalog.put({"", "pg_patients"}, catalog::Entry{view, "public"});
    EXPECT_EQ(last_refusal(hidden, "SELECT * FROM pg_patients"), "0A000");
    EXPECT_TRUE(hidden.analyze("SELECT * FROM pg_class").passthrough);
}

TEST(Names, ExecutedNamesComeFromTheGrammar) {
    const Clinic clinic;
    EXPECT_EQ(plan_of(clinic, "CREATE TABLE execute AS EXECUTE s1").used_name, "s1");
    EXPECT_EQ(plan_of(clinic, "EXPLAIN CREATE TABLE t AS EXECUTE s1").used_name, "s1");
    EXPECT_EQ(
        plan_of(clinic, "CREATE TABLE t AS EXECUTE execute WITH NO DATA").used_name, "execute"
    );
    EXPECT_EQ(plan_of(clinic, "MOVE 5 FROM c1").used_name, "c1");
    EXPECT_EQ(plan_of(clinic, "CLOSE c1").used_name, "c1");
    EXPECT_TRUE(plan_of(clinic, "DO 'BEGIN END'").runs_unknown_sql);
    EXPECT_TRUE(plan_of(clinic, "CALL p()").runs_unknown_sql);
    EXPECT_FALSE(plan_of(clinic, "EXECUTE s1").runs_unknown_sql);
}

TEST(SqlRunners, AreRefusedWhateverTheStringSays) {
    const Clinic clinic;
    for (const std::string_view sql :
         {"SELECT query_to_xml('select * from notes', true, true, '')",
          "SELECT query_to_xml('select * from U&\"\\0070atients\"', true, true, '')",
          "SELECT cursor_to_xml('c', 1, true, true, '')",
          "SELECT ts_stat('select 1')",
          "SELECT ts_rewrite('a'::tsquery, 'select 1')",
          "SELECT dblink_exec('x', 'y')",
          "EXPLAIN ANALYZE SELECT query_to_xml('select 1', true, true, '')"}) {
        EXPECT_EQ(last_refusal(clinic, sql), "0A000") << sql;
    }
    EXPECT_EQ(
        last_refusal(clinic, "SELECT ts_rewrite('a'::tsquery, 'a'::tsquery, 'b'::tsquery)"), ""
    );
}

TEST(Literals, ASealedValueDoesNotLeaveAsPlainTextBesideIt) {
    const Clinic clinic;
    EXPECT_EQ(
        last_refusal(clinic, "INSERT INTO patients (ssn, city) VALUES ('123-45', '123-45')"),
        "0A000"
    );
    EXPECT_EQ(
        last_refusal(clinic, "UPDATE patients SET city = $$123-45$$ WHERE ssn = E'123-\\x345'"),
        "0A000"
    );
    for (const std::string_view sql :
         {"INSERT INTO patients (ssn, city) VALUES ('abc', 'abc')",
          "INSERT INTO patients (ssn, note) VALUES ('123-45', '123-45')",
          "INSERT INTO patients (ssn, city) VALUES ('123-45', '123-46')",
          "INSERT INTO patients (id, city) VALUES ('1234', '1234')"}) {
        EXPECT_EQ(last_refusal(clinic, sql), "") << sql;
    }
}

TEST(Text, RunsOfCommentsAndSignsAreNotReadInSquareTime) {
    const Clinic clinic;
    for (const std::string_view part : {"/*", "/**/", "+-"}) {
        std::string text = "SELECT 1 FROM patients ";
        for (int i = 0; i < 1'000'000; ++i) {
            text += part;
        }
        EXPECT_EQ(last_refusal(clinic, text), "54001") << part;
    }
    EXPECT_EQ(last_refusal(clinic, "SELECT 1 FROM patients /*/*/*/**/*/*/*/"), "");
}

TEST(Rules, TheTableIsTheOneInTheDocumentation) {
    std::ifstream file(PGVEIL_SOURCE "/docs/SQL.md", std::ios::binary);
    const std::string text(std::istreambuf_iterator<char>(file), {});
    ASSERT_FALSE(text.empty());
    EXPECT_NE(text.find(rule_table_markdown()), std::string::npos);
}

}  // namespace
}  // namespace pgveil::analysis::test
