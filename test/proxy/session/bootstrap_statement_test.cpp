#include "proxy/session/bootstrap_statement.hpp"

#include <gtest/gtest.h>

#include <string>

namespace pgveil::session {
namespace {

TEST(BootstrapStatement, ReadsLiterals) {
    const auto call = parse_bootstrap_call("SELECT pgveil.bootstrap('hello', 'it''s; $1')");
    ASSERT_TRUE(call.has_value());
    EXPECT_EQ(std::get<std::string>(call->step), "hello");
    EXPECT_EQ(std::get<std::string>(call->argument), "it's; $1");
    EXPECT_EQ(call->parameter_count(), 0U);
}

TEST(BootstrapStatement, ReadsParametersCastsAndBlanks) {
    const auto call =
        parse_bootstrap_call("\n select\tPGVEIL . Bootstrap ( $1 :: text , $2::TEXT ) ; ");
    ASSERT_TRUE(call.has_value());
    EXPECT_EQ(std::get<std::uint32_t>(call->step), 1U);
    EXPECT_EQ(std::get<std::uint32_t>(call->argument), 2U);
    EXPECT_EQ(call->parameter_count(), 2U);
    EXPECT_EQ(parse_bootstrap_call("select pgveil.bootstrap('hello',$1)")->parameter_count(), 1U);
}

TEST(BootstrapStatement, RefusesEverythingElse) {
    for (const char* const sql :
         {"",
          "SELECT 1",
          "SELECT pgveil.bootstrap('hello')",
          "SELECT pgveil.bootstrap('a','b','c')",
          "SELECT pgveil.bootstrap('a','b'), 1",
          "SELECT pgveil.bootstrap('a','b') FROM t",
          "SELECT pgveil.bootstrap('a','b'); DROP TABLE t",
          "SELECT pgveil.bootstrap('a','b');;",
          "SELECT pgveil.bootstrap('a','b",
          "SELECT pgveil.bootstrap(E'a','b')",
          "SELECT pgveil.bootstrap('a', 1)",
          "SELECT pgveil.bootstrap($0, $3)",
          "SELECT pgveil.bootstrap($12, 'b')",
          "SELECT pgveil.bootstrap('a'::int,'b')",
          "SELECTpgveil.bootstrap('a','b')",
          "SELECT pgveil.bootstraps('a','b')",
          "SELECT /* */ pgveil.bootstrap('a','b')",
          "select \"pgveil\".bootstrap('a','b')"}) {
        EXPECT_FALSE(parse_bootstrap_call(sql).has_value()) << sql;
    }
}

TEST(BootstrapStatement, KnowsTheEmptyStatement) {
    EXPECT_TRUE(is_empty_statement(""));
    EXPECT_TRUE(is_empty_statement(" ;\n"));
    EXPECT_FALSE(is_empty_statement("; select"));
}

}  // namespace
}  // namespace pgveil::session
