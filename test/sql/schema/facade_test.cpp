#include "sql/schema/facade.hpp"

#include "sql/schema/sql_template.hpp"
#include "sql/schema/veiled_columns.hpp"

#include <gtest/gtest.h>

#include <string>

// The integration tests run these texts; here is what no server would show.
namespace pgveil::schema {
namespace {

TEST(SqlTemplate, ExpandsShortFormsAndLeavesTheRest) {
    EXPECT_EQ(expand("a {=} b"), "a OPERATOR(pg_catalog.=) b");
    EXPECT_EQ(expand("'{}' {none} {"), "'{}' {none} {");
    EXPECT_NE(expand("x {=} {marker}").find("'ciphertext'"), std::string::npos);
}

TEST(SqlTemplate, LiteralsMeanTheSameInEverySession) {
    EXPECT_EQ(quote_literal("plain"), "E'plain'");
    EXPECT_EQ(quote_literal(R"(it's a \ here)"), R"(E'it''s a \\ here')");
    EXPECT_EQ(quote_literal("\xc3\xa9\xf0\x9f\x98\x80"), R"(E'\U000000e9\U0001f600')");
}

std::shared_ptr<const config::Policy> policy_of(const std::string& text) {
    const auto policy = config::parse_policy("policy.json", text);
    EXPECT_TRUE(policy.has_value()) << (policy ? "" : policy.error().message);
    return *policy;
}

TEST(VeiledColumns, AnEntryForEverySchemaSparesThoseWithTheirOwnOrPlainOnes) {
    const auto policy = policy_of(R"json({"tables": {
        "*.notes": {"columns": {"body": {"type": "text"}}},
        "b.notes": {"columns": {"body": {"type": "varchar(9)"}}}},
        "plain": ["a.notes", "a.other"]})json");
    const std::string text = veiled_columns(*policy);
    EXPECT_NE(text.find("ARRAY[E'a', E'b']"), std::string::npos) << text;
    EXPECT_NE(text.find("ARRAY[]"), std::string::npos) << text;
    EXPECT_NE(text.find("E'13'::pg_catalog.int4"), std::string::npos) << text;
}

TEST(FacadeText, NamesOfThePolicyAreNotExpandedOrLeftOpen) {
    const auto policy =
        policy_of(R"({"tables": {"public.\"{=}'\\\"": {"columns": {"c": {"type": "text"}}}}})");
    EXPECT_NE(veiled_columns(*policy).find(R"(E'{=}''\\')"), std::string::npos);
}

TEST(FacadeText, KeepsOrderAndNamesOfTheColumns) {
    const auto policy =
        policy_of(R"({"tables": {"public.t": {"columns": {"c": {"type": "text"}}}}})");
    catalog::Relation relation;
    relation.schema = "pg_catalog";
    relation.name = "pg_namespace";
    relation.columns.resize(2);
    relation.columns[0].name = "oid";
    relation.columns[1].name = "nspname";
    EXPECT_EQ(
        facade_of(relation, *policy, {"ctid"}),
        "(SELECT r.\"oid\", r.\"nspname\", r.ctid FROM pg_catalog.pg_namespace r "
        "WHERE r.nspname OPERATOR(pg_catalog.<>) 'pgveil')"
    );
    relation.relkind = 'v';
    EXPECT_EQ(facade_of(relation, *policy, {"ctid"}).find("ctid"), std::string::npos);
    relation.name = "pg_proc";
    EXPECT_FALSE(has_facade("pg_catalog", "pg_proc"));
    EXPECT_EQ(facade_of(relation, *policy, {}), "");
}

}  // namespace
}  // namespace pgveil::schema
