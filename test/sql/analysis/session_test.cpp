#include "test/sql/analysis/fixture.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace pgveil::analysis::test {
namespace {

StatementPlan plan_of(const Clinic& clinic, std::string_view sql) {
    Decision decision = clinic.decide(sql);
    if (const auto* const rejection = std::get_if<Rejection>(&decision)) {
        ADD_FAILURE() << sql << ": " << rejection->message;
        return {};
    }
    return std::get<StatementPlan>(std::move(decision));
}

TEST(Session, SetValuesLeaveAsHandles) {
    const Clinic clinic;
    EXPECT_EQ(
        clinic.sent("SET pgveil.user_id = 'nurse'"), "SET pgveil.user_id = {pgveil.user_id=nurse}"
    );
    EXPECT_EQ(
        clinic.sent("set local PGVEIL . /* x */ User_Token to 'pgvt1.x'"),
        "set local PGVEIL . /* x */ User_Token to {pgveil.user_token=pgvt1.x}"
    );
    EXPECT_EQ(
        clinic.sent("SET \"pgveil\".\"app_share\" = $$a$$"),
        "SET \"pgveil\".\"app_share\" = {pgveil.app_share=a}"
    );
    EXPECT_EQ(
        clinic.sent("SET U&\"pgveil\".U&\"user\\005fid\" = 'n'"),
        "SET U&\"pgveil\".U&\"user\\005fid\" = {pgveil.user_id=n}"
    );
    EXPECT_EQ(
        clinic.sent("SET \"pgveil.user-id\" = nurse"),
        "SET \"pgveil.user-id\" = {pgveil.user_id=nurse}"
    );
    EXPECT_EQ(clinic.sent("SET pgveil.user_id = 42"), "SET pgveil.user_id = {pgveil.user_id=42}");
    EXPECT_TRUE(plan_of(clinic, "SET pgveil.user_id = 'x'").may_change_session_parameters);
}

TEST(Session, ResetAndDefaultPassAndAreFlagged) {
    const Clinic clinic;
    for (const std::string_view sql :
         {"RESET pgveil.user_id", "SET pgveil.user_token TO DEFAULT", "RESET ALL", "DISCARD ALL"}) {
        EXPECT_EQ(clinic.sent(sql), sql);
        EXPECT_TRUE(plan_of(clinic, sql).may_change_session_parameters) << sql;
    }
    EXPECT_FALSE(plan_of(clinic, "SET datestyle = iso").may_change_session_parameters);
}

TEST(Session, UnknownAndVerifiedParametersAreRefused) {
    const Clinic clinic;
    EXPECT_EQ(
        clinic.sent("SET pgveil.users = 'x'"),
        "!42704 unrecognized configuration parameter \"pgveil.users\""
    );
    EXPECT_EQ(
        clinic.sent("SHOW pgveil.nothing"),
        "!42704 unrecognized configuration parameter \"pgveil.nothing\""
    );
    EXPECT_EQ(
        clinic.sent("SET pgveil_verified.user_id = 'x'"),
        "!42501 permission denied to set parameter \"pgveil_verified.user_id\""
    );
    EXPECT_EQ(
        clinic.sent("SELECT set_config('PGVEIL_verified.user_id', 'x', false)"),
        "!42501 permission denied to set parameter \"PGVEIL_verified.user_id\""
    );
    EXPECT_EQ(clinic.sent("SHOW pgveil_verified.user_id"), "SHOW pgveil_verified.user_id");
}

TEST(Session, ShowIsAnsweredByTheProxy) {
    const Clinic clinic;
    EXPECT_EQ(plan_of(clinic, "SHOW pgveil.user_id").shown_parameter, SessionParameter::kUserId);
    EXPECT_EQ(
        plan_of(clinic, "SHOW Pgveil.App_Share").shown_parameter, SessionParameter::kAppShare
    );
    EXPECT_FALSE(clinic.analyze("SHOW pgveil.user_id").passthrough);
    EXPECT_FALSE(plan_of(clinic, "SHOW work_mem").shown_parameter.has_value());
    EXPECT_EQ(
        clinic.sent("SELECT current_setting('pgveil.user_token')"),
        "!0A000 pgveil.user_token: current_setting"
    );
    EXPECT_EQ(
        clinic.sent("SELECT current_setting('pgveil_verified.user_id')"),
        "SELECT current_setting('pgveil_verified.user_id')"
    );
}

TEST(Session, SetConfigIsSeenWhereverItStands) {
    const Clinic clinic;
    EXPECT_EQ(
        clinic.sent("SELECT set_config('pgveil.user_id', 'nurse', false)"),
        "SELECT set_config('pgveil.user_id', {pgveil.user_id=nurse}, false)"
    );
    EXPECT_EQ(
        clinic.sent("SELECT 1 FROM notes WHERE pg_catalog.set_config('Pgveil.App-Share'::text, "
                    "'x'::text, true) = ''"),
        "SELECT 1 FROM notes WHERE pg_catalog.set_config('Pgveil.App-Share'::text, "
        "{pgveil.app_share=x}::text, true) = ''"
    );
    EXPECT_EQ(
        clinic.sent("SELECT set_config('pgveil.' || 'user_id', 'x', false)"),
        "!0A000 set_config: an expression as parameter name"
    );
    EXPECT_EQ(
        clinic.sent("SELECT set_config('pgveil.user_id', lower('X'), false)"),
        "!0A000 pgveil.user_id: an expression as value"
    );
    EXPECT_EQ(
        clinic.sent("PREPARE p AS SELECT set_config($1, $2, false)"),
        "!0A000 set_config: PREPARE with set_config inside"
    );
    EXPECT_EQ(
        clinic.sent("EXECUTE p(set_config('a', 'b', true))"),
        "!0A000 set_config: EXECUTE with such arguments with set_config inside"
    );
    EXPECT_TRUE(
        plan_of(clinic, "SELECT set_config('search_path', '', false)").may_change_search_path
    );
    EXPECT_TRUE(clinic.analyze("SELECT set_config('search_path', '', false)").passthrough);
}

// What pg_dump asks of a server that knows restrict_nonsystem_relation_kind.
TEST(Session, SetConfigMayTakeItsNameFromTheListOfSettings) {
    const Clinic clinic;
    const std::string wanted = " WHERE name = 'restrict_nonsystem_relation_kind'";
    const std::string call = "SELECT set_config(name, 'view, foreign-table', false) FROM ";
    const std::string passed = call + "\"pg_catalog\".\"pg_settings\"";
    EXPECT_EQ(clinic.sent(call + "pg_settings" + wanted), passed + wanted);
    EXPECT_EQ(clinic.sent(call + "pg_catalog.pg_settings s"), call + "pg_catalog.pg_settings s");
    EXPECT_EQ(
        clinic.sent("SELECT set_config(s.name, 'x'::text, true), 1 FROM pg_settings AS s"),
        "SELECT set_config(s.name, 'x'::text, true), 1 FROM \"pg_catalog\".\"pg_settings\" AS s"
    );
    const auto plan = plan_of(clinic, call + "pg_settings" + wanted);
    EXPECT_TRUE(plan.may_change_session_parameters);
    EXPECT_TRUE(plan.may_change_search_path);
    for (const std::string_view sql : {
             "SELECT set_config(name, $1, false) FROM pg_settings",
             "SELECT set_config(name, 'pgvt1.abc', false) FROM pg_settings",
             "SELECT set_config(name, 'x pgva1.abc'::text, false) FROM pg_settings",
             "SELECT set_config(name, setting, false) FROM pg_settings",
             "SELECT set_config('pgveil_verified.' || name, 'x', false) FROM pg_settings",
             "SELECT set_config(setting, 'x', false) FROM pg_settings",
             "SELECT set_config(name, 'x', false) FROM notes",
             "SELECT set_config(name, 'x', false) FROM public.pg_settings",
             "SELECT set_config(name, 'x', false) FROM pg_settings AS s(setting, name)",
             "SELECT set_config(name, 'x', false) FROM pg_settings, notes",
             "SELECT set_config(name, 'x', false) FROM pg_settings JOIN notes ON true",
             "SELECT set_config(name, 'x', false) FROM (SELECT 'pgveil.user_id' AS name) AS s",
             "WITH pg_settings AS (SELECT 'pgveil.user_id' AS name) SELECT set_config(name, 'x', "
             "false) FROM pg_settings",
             "SELECT (SELECT set_config(name, 'x', false)) FROM pg_settings",
             "SELECT 1 FROM pg_settings WHERE set_config(name, 'x', false) = 'x'",
         }) {
        EXPECT_EQ(clinic.sent(sql), "!0A000 set_config: an expression as parameter name") << sql;
    }
}

TEST(Session, SetConfigParametersGetAPlan) {
    const Clinic clinic;
    const auto value = plan_of(clinic, "SELECT set_config('pgveil.user_token', $1, false)");
    ASSERT_EQ(value.parameters.size(), 1U);
    EXPECT_EQ(value.parameters[0].handle, SessionParameter::kUserToken);
    EXPECT_EQ(value.parameters[0].described_oid, 25U);
    const auto name = plan_of(clinic, "SELECT set_config($1, $2, true)");
    ASSERT_EQ(name.parameters.size(), 1U);
    EXPECT_TRUE(name.parameters[0].is_parameter_name);
    EXPECT_EQ(
        clinic.sent("SELECT set_config('pgveil.user_token', $1, false), $1"),
        "!0A000 pgveil.user_token: an expression as value"
    );
}

TEST(Session, OtherWaysToSetAreRefused) {
    const Clinic clinic;
    for (const std::string_view sql : {
             "ALTER ROLE bob SET pgveil.user_id = 'x'",
             "ALTER DATABASE d SET \"PGVEIL.user_id\" = 'x'",
             "ALTER SYSTEM SET pgveil_verified.user_id = 'x'",
             "ALTER ROLE bob SET U&\"pg\\0076eil\".user_id = 'x'",
             "CREATE FUNCTION f() RETURNS int LANGUAGE sql SET pgveil.user_id = 'x' AS 'SELECT 1'",
             "DO $$ BEGIN PERFORM set_config('PgVeil.user_id', 'x', false); END $$",
             "DO 'BEGIN SET pgveil_verified.user_id = 1; END'",
         }) {
        const Decision decision = clinic.decide(sql);
        const auto* const rejection = std::get_if<Rejection>(&decision);
        ASSERT_NE(rejection, nullptr) << sql;
        EXPECT_EQ(rejection->sqlstate, "0A000");
    }
    EXPECT_EQ(
        clinic.sent("ALTER ROLE bob SET work_mem = '1MB'"), "ALTER ROLE bob SET work_mem = '1MB'"
    );
}

TEST(Session, FoldsParameterNamesAsTheServerDoes) {
    EXPECT_EQ(session_parameter_of("PGVEIL.USER-ID"), SessionParameter::kUserId);
    EXPECT_EQ(session_parameter_of("pgveil.user_idx"), std::nullopt);
    EXPECT_TRUE(is_veil_parameter_name("pgveil.anything"));
    EXPECT_TRUE(is_veil_parameter_name("PgVeil-Verified.user_id"));
    EXPECT_FALSE(is_veil_parameter_name("pgveilx.user_id"));
    EXPECT_EQ(name_of(SessionParameter::kAppShare), "pgveil.app_share");
}

TEST(VeilCall, IsReplacedByItsStandIn) {
    const Clinic clinic;
    const auto added = plan_of(clinic, "SELECT pgveil.add_user('nurse', NULL, $1)");
    ASSERT_TRUE(added.call.has_value());
    EXPECT_EQ(added.call->function, VeilCall::Function::kAddUser);
    ASSERT_EQ(added.call->arguments.size(), 3U);
    EXPECT_EQ(
        core::as_text(std::get<core::SecretBytes>(added.call->arguments[0]).reveal()), "nurse"
    );
    EXPECT_TRUE(std::holds_alternative<std::nullptr_t>(added.call->arguments[1]));
    EXPECT_EQ(std::get<std::uint32_t>(added.call->arguments[2]), 1U);
    ASSERT_EQ(added.parameters.size(), 1U);
    EXPECT_EQ(added.parameters[0].declared_oid, 25U);
    EXPECT_EQ(
        clinic.sent("/* c */ SELECT pgveil.token_key() -- d"),
        "/* c */ SELECT NULL::pg_catalog.text AS \"token_key\" -- d"
    );
    const auto challenge = plan_of(clinic, "SELECT pgveil.challenge()");
    ASSERT_TRUE(challenge.call.has_value());
    EXPECT_EQ(challenge.call->function, VeilCall::Function::kChallenge);
    EXPECT_EQ(
        clinic.sent("SELECT pgveil.challenge('x')"),
        "!42883 function pgveil.challenge does not exist with these arguments"
    );
    EXPECT_EQ(
        clinic.sent("select pgveil.apply($$x$$::text) as r;"),
        "SELECT NULL::pg_catalog.text AS \"r\";"
    );
}

TEST(VeilCall, TakesItsArgumentsAsTheyStandInTheText) {
    const Clinic clinic;
    const auto added =
        plan_of(clinic, "SELECT pgveil.add_user('nurse', $t$pgva1.it's$t$::text, E'a\\x62')");
    ASSERT_TRUE(added.call.has_value());
    const auto argument = [&](std::size_t index) {
        const auto& value = added.call->arguments.at(index);
        return std::string(core::as_text(std::get<core::SecretBytes>(value).reveal()));
    };
    EXPECT_EQ(argument(0), "nurse");
    EXPECT_EQ(argument(1), "pgva1.it's");
    EXPECT_EQ(argument(2), "ab");
}

TEST(VeilCall, AnyOtherCallIsRefused) {
    const Clinic clinic;
    EXPECT_EQ(
        clinic.sent("SELECT pgveil.apply()"),
        "!42883 function pgveil.apply does not exist with these arguments"
    );
    EXPECT_EQ(
        clinic.sent("SELECT pgveil.apply('a' || 'b')"),
        "!0A000 pgveil.apply: an expression as argument"
    );
    for (const std::string_view sql : {
             "SELECT pgveil.token_key(), 1",
             "SELECT pgveil.token_key() FROM notes",
             "SELECT upper(pgveil.token_key())",
             "SELECT * FROM pgveil.token_key()",
             "INSERT INTO notes (title) VALUES (pgveil.token_key())",
             "SELECT pgveil.something_else()",
             "CALL pgveil.apply('x')",
         }) {
        EXPECT_EQ(clinic.sent(sql).substr(0, 6), "!0A000") << sql;
    }
}

TEST(Session, FlagsWhatMayChangeNames) {
    const Clinic clinic;
    for (const std::string_view sql :
         {"SET search_path = x",
          "SET \"Search_Path\" = x",
          "SELECT set_config('SEARCH_PATH', 'x', true)",
          "SET SCHEMA 'x'",
          "SET ROLE bob",
          "RESET search_path",
          "SET SESSION AUTHORIZATION bob",
          "DISCARD ALL",
          "DO 'BEGIN END'"}) {
        EXPECT_TRUE(plan_of(clinic, sql).may_change_search_path) << sql;
    }
    for (const std::string_view sql :
         {"CREATE TABLE x (a int)",
          "DROP TABLE notes",
          "ALTER TABLE notes ADD a int",
          "CREATE VIEW v AS SELECT 1",
          "DO 'BEGIN END'",
          "DISCARD TEMP"}) {
        EXPECT_TRUE(plan_of(clinic, sql).changes_catalog) << sql;
    }
    EXPECT_FALSE(plan_of(clinic, "SELECT 1").changes_catalog);
}

TEST(Session, NamesThePreparedStatementOrPortalInUse) {
    const Clinic clinic;
    EXPECT_EQ(plan_of(clinic, "EXECUTE \"S1\"(1, 'x')").used_name, "S1");
    EXPECT_EQ(plan_of(clinic, "EXPLAIN ANALYZE EXECUTE s1('x')").used_name, "s1");
    EXPECT_EQ(plan_of(clinic, "CREATE TABLE t AS EXECUTE s1").used_name, "s1");
    EXPECT_EQ(plan_of(clinic, "FETCH ALL IN c1").used_name, "c1");
    EXPECT_EQ(plan_of(clinic, "MOVE 5 FROM c1").kind, StatementKind::kMove);
    EXPECT_EQ(plan_of(clinic, "DEALLOCATE ALL").kind, StatementKind::kDeallocate);
}

}  // namespace
}  // namespace pgveil::analysis::test
