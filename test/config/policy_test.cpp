#include "config/policy.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace pgveil::config {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// The error of a policy, or "" if it is good.
std::string error_of(std::string_view text) {
    const auto policy = parse_policy("p.json", text);
    return policy.has_value() ? "" : policy.error().message;
}

/// A policy with one column entry.
std::string with_column(std::string_view entry) {
    return R"({"tables":{"public.t":{"columns":{"c":)" + std::string(entry) + "}}}}";
}

std::shared_ptr<const Policy> good(std::string_view text) {
    auto policy = parse_policy("p.json", text);
    EXPECT_TRUE(policy.has_value()) << (policy.has_value() ? "" : policy.error().message);
    return policy.has_value() ? *policy : std::make_shared<const Policy>(PolicyContent{});
}

TEST(Policy, TheExampleLoads) {
    const auto policy = load_policy(PGVEIL_SOURCE "/config/examples/policy.json");
    ASSERT_TRUE(policy.has_value()) << policy.error().message;
    const TablePolicy* patients = (*policy)->find("public", "patients");
    ASSERT_NE(patients, nullptr);
    EXPECT_EQ(patients->column("ssn")->scheme, Scheme::kEquality);
    EXPECT_EQ(patients->column("name")->scheme, Scheme::kRandomized);
    EXPECT_EQ(types::name_of(patients->column("name")->type), "varchar(80)");
    EXPECT_EQ(patients->column("note")->group, "medical");
    EXPECT_EQ(patients->column("id"), nullptr);
    EXPECT_THAT((*policy)->groups(), testing::ElementsAre("default", "medical"));
    EXPECT_TRUE((*policy)->is_listed_plain("archive", "visits"));
}

TEST(Policy, ReadsPadTo) {
    const auto policy = good(with_column(R"({"type":"text","pad_to":64})"));
    const ColumnPolicy* const column = policy->find("public", "t")->column("c");
    EXPECT_EQ(column->scheme, Scheme::kPadded);
    EXPECT_EQ(column->pad_to, 64U);
}

TEST(Policy, RefusesRepeatedValuesUnlessTheyAreCounted) {
    EXPECT_EQ(good(R"({"tables":{}})")->repeated_values(), RepeatedValues::kRefuse);
    EXPECT_EQ(
        good(R"({"tables":{},"repeated_values":"count"})")->repeated_values(),
        RepeatedValues::kCount
    );
    EXPECT_THAT(
        error_of(R"({"tables":{},"repeated_values":"pass"})"), HasSubstr("/repeated_values")
    );
}

TEST(Policy, ReadsBindTo) {
    const auto policy = good(with_column(R"j({"type":"text","bind_to":["id","\"The Day\""]})j"));
    EXPECT_THAT(
        policy->find("public", "t")->column("c")->bind_to, testing::ElementsAre("id", "The Day")
    );
}

TEST(Policy, FindsTheExactTableBeforeTheOneForEverySchema) {
    const auto policy = good(R"({"tables":{
        "*.t": {"columns": {"a": {"type": "text"}}},
        "one.t": {"columns": {"b": {"type": "text"}}}},
        "plain": ["two.t"]})");
    EXPECT_NE(policy->find("one", "t")->column("b"), nullptr);
    EXPECT_NE(policy->find("other", "t")->column("a"), nullptr);
    EXPECT_EQ(policy->find("two", "t"), nullptr);
    EXPECT_EQ(policy->find("one", "u"), nullptr);
    EXPECT_TRUE(policy->is_protected_name("t"));
    EXPECT_FALSE(policy->is_protected_name("T"));
}

TEST(Policy, KnowsTheNameOfAProtectedTableInEverySchema) {
    const auto policy = good(with_column(R"({"type":"text"})"));
    EXPECT_EQ(policy->find("other", "t"), nullptr);
    EXPECT_TRUE(policy->is_protected_name("t"));
    EXPECT_FALSE(policy->is_listed_plain("other", "t"));
}

TEST(Policy, EveryLoadHasItsOwnEpoch) {
    const std::string text = with_column(R"({"type":"text"})");
    EXPECT_NE(good(text)->epoch(), good(text)->epoch());
}

TEST(Policy, IsTheSameIfEverythingItSaysIs) {
    const auto policy = good(with_column(R"({"type": "text"})"));
    EXPECT_TRUE(policy->is_same_as(*good("// again\n" + with_column(R"({ "type": "text" })"))));
    EXPECT_FALSE(policy->is_same_as(*good(with_column(R"({"type": "text", "pad_to": 8})"))));
    EXPECT_FALSE(policy->is_same_as(*good(with_column(R"({"type": "bytea"})"))));
}

TEST(Policy, CoversAllDatabasesUnlessItNamesThem) {
    EXPECT_TRUE(good(R"({"tables":{}})")->covers_database("any"));
    const auto policy = good(R"({"tables":{},"databases":["clinic"]})");
    EXPECT_TRUE(policy->covers_database("clinic"));
    EXPECT_FALSE(policy->covers_database("other"));
}

TEST(Policy, ReadsQuotedNames) {
    const auto policy = good(
        R"({"tables":{"public.\"Odd.\"\"Name\"":{"columns":{"\"firstName\"":{"type":"text"}}}}})"
    );
    const TablePolicy* table = policy->find("public", "Odd.\"Name");
    ASSERT_NE(table, nullptr);
    EXPECT_NE(table->column("firstName"), nullptr);
}

TEST(Policy, RefusesNamesThatSqlWouldFold) {
    EXPECT_THAT(
        error_of(R"({"tables":{"public.Patients":{"columns":{"a":{"type":"text"}}}}})"),
        AllOf(HasSubstr("/tables/public.Patients"), HasSubstr("double quotes"))
    );
    EXPECT_THAT(
        error_of(R"({"tables":{"public.t":{"columns":{"firstName":{"type":"text"}}}}})"),
        HasSubstr("/tables/public.t/columns/firstName")
    );
}

TEST(Policy, RefusesTableNamesThatAreNotSchemaAndTable) {
    for (const auto* name :
         {"t",
          "a.b.c",
          "public.",
          ".t",
          "public.*",
          "*",
          "",
          "public.\\\"t",
          "pgveil.t",
          "pg_catalog.t",
          "information_schema.t"}) {
        EXPECT_THAT(
            error_of(
                R"({"tables":{")" + std::string(name) + R"(":{"columns":{"a":{"type":"text"}}}}})"
            ),
            HasSubstr("/tables/")
        ) << name;
    }
}

TEST(Policy, DefaultContextsNeverCollide) {
    EXPECT_EQ(default_context("public", "t", "c"), "public.t.c");
    EXPECT_NE(default_context("a.b", "c", "d"), default_context("a", "b.c", "d"));
    EXPECT_EQ(default_context("public", "Odd\"", "c"), "public.\"Odd\"\"\".c");
}

struct Wrong {
    std::string text;
    std::string pointer;
    std::string reason;
};

class WrongPolicy : public testing::TestWithParam<Wrong> {};

TEST_P(WrongPolicy, IsOneLineThatNamesFilePointerAndReason) {
    const std::string error = error_of(GetParam().text);
    EXPECT_THAT(error, testing::StartsWith("p.json: " + GetParam().pointer + ": "));
    EXPECT_THAT(error, HasSubstr(GetParam().reason));
    EXPECT_THAT(error, Not(HasSubstr("\n")));
}

const std::vector<Wrong> kWrong = {
    {"", "line 1", "is not JSON"},
    {"{\n\"tables\": {,}\n}", "line 2", "is not JSON"},
    {"[]", "the document", "must be an object"},
    {R"({"tables":{},"extra":1})",
     "/extra",
     "is not a known key; known here: databases, enums, functions, migrating, plain"},
    {R"({})", "the document", "the key \"tables\" is missing"},
    {R"({"tables":{},"tables":{}})", "/tables", "stands twice"},
    {R"({"tables":{"public.t":{"columns":{"c":{"type":"text"},"c":{"type":"int4"}}}}})",
     "/tables/public.t/columns/c",
     "stands twice"},
    {R"({"tables":{"public.t":{}}})", "/tables/public.t", "\"columns\" is missing"},
    {R"({"tables":{"public.t":{"columns":{}}}})", "/tables/public.t/columns", "at least one"},
    {with_column(R"({})"), "/tables/public.t/columns/c", "\"type\" is missing"},
    {with_column(R"({"type":7})"), "/tables/public.t/columns/c/type", "must be a PostgreSQL type"},
    {with_column(R"({"typ":"text"})"), "/tables/public.t/columns/c/typ", "not a known key"},
    {with_column(R"({"type":"colour"})"), "/tables/public.t/columns/c/type", "not a known type"},
    {with_column(R"({"type":"xml"})"), "/tables/public.t/columns/c/type", "not available yet"},
    {with_column(R"({"type":"jsonb","search":"equality"})"),
     "/tables/public.t/columns/c/search",
     "equal values of type jsonb can have different forms, so it cannot be searched; remove"},
    {with_column(R"({"type":"interval","search":"order"})"),
     "/tables/public.t/columns/c/search",
     "remove"},
    {with_column(R"({"type":"int4[]","search":"equality"})"),
     "/tables/public.t/columns/c/search",
     "type int4[]"},
    {with_column(R"({"type":"inet","search":"order"})"),
     "/tables/public.t/columns/c/search",
     "type inet cannot be ordered; use \"equality\""},
    {with_column(R"({"type":"numeric","search":"equality"})"),
     "/tables/public.t/columns/c/search",
     "give it a scale, as in numeric(12,2), or remove"},
    {with_column(R"({"type":"bpchar","search":"equality"})"),
     "/tables/public.t/columns/c/search",
     "give it a length, as in char(20), or remove"},
    {with_column(R"j({"type":"numeric(1001,2)"})j"),
     "/tables/public.t/columns/c/type",
     "NUMERIC precision 1001 must be between 1 and 1000"},
    {R"j({"tables":{"a.t":{"columns":{
        "c":{"type":"numeric(9,2)","search":"equality","context":"m"},
        "d":{"type":"numeric(9,3)","search":"equality","context":"m"}}}}})j",
     "/tables/a.t/columns/d",
     "differs in type (numeric(9,2) and numeric(9,3))"},
    {with_column(R"j({"type":"varchar(0)"})j"), "/tables/public.t/columns/c/type", "at least 1"},
    {with_column(R"({"type":"text","search":"like"})"),
     "/tables/public.t/columns/c/search",
     "\"equality\""},
    {with_column(R"({"type":"text","search":["equality","x"]})"),
     "/tables/public.t/columns/c/search",
     "\"equality\""},
    {with_column(R"({"type":"bool","search":"order"})"),
     "/tables/public.t/columns/c/search",
     "type bool cannot be ordered; use \"equality\""},
    {with_column(R"({"type":"uuid","search":["equality","order"]})"),
     "/tables/public.t/columns/c/search",
     "type uuid cannot be ordered"},
    {with_column(R"({"type":"numeric","search":"order"})"),
     "/tables/public.t/columns/c/search",
     "give it a scale"},
    {with_column(R"j({"type":"numeric(39,2)","search":"order"})j"),
     "/tables/public.t/columns/c/search",
     "a precision of at most 38"},
    {with_column(R"({"type":"date","search":"order","bind_to":["id"]})"),
     "/tables/public.t/columns/c/bind_to",
     "without \"search\""},
    {with_column(R"({"type":"date","search":"order","pad_to":8})"),
     "/tables/public.t/columns/c/pad_to",
     "without \"search\""},
    {with_column(R"({"type":"date","search":"order","order_bytes":8})"),
     "/tables/public.t/columns/c/order_bytes",
     "is for columns of type text"},
    {with_column(R"({"type":"bytea","search":"order","order_bytes":129})"),
     "/tables/public.t/columns/c/order_bytes",
     "1 to 128"},
    {R"j({"tables":{"a.t":{"columns":{
        "c":{"type":"bytea","search":"order","context":"m"},
        "d":{"type":"bytea","search":"order","context":"m","order_bytes":33}}}}})j",
     "/tables/a.t/columns/d",
     "differs in order_bytes (32 and 33)"},
    {R"j({"tables":{"a.t":{"columns":{
        "c":{"type":"date","search":"order","context":"m"},
        "d":{"type":"date","search":"equality","context":"m"}}}}})j",
     "/tables/a.t/columns/d",
     "differs in search (order and equality)"},
    {with_column(R"({"type":"text","pad_to":1})"),
     "/tables/public.t/columns/c/pad_to",
     "2 to 65536"},
    {with_column(R"({"type":"text","pad_to":65537})"),
     "/tables/public.t/columns/c/pad_to",
     "2 to 65536"},
    {with_column(R"({"type":"text","pad_to":64,"search":"equality"})"),
     "/tables/public.t/columns/c/pad_to",
     "without \"search\""},
    {R"({"tables":{"a.t":{"columns":{"c":{"type":"text","context":"x","pad_to":8},"d":{"type":"text","context":"x","pad_to":9}}}}})",
     "/tables/a.t/columns/d",
     "pad_to (8 and 9)"},
    {R"({"tables":{"a.t":{"columns":{"c":{"type":"text","context":"x","pad_to":8},"d":{"type":"text","context":"x"}}}}})",
     "/tables/a.t/columns/d",
     "search (padded and randomized)"},
    {with_column(R"({"type":"text","bind_to":["id"],"search":"equality"})"),
     "/tables/public.t/columns/c/bind_to",
     "without \"search\""},
    {with_column(R"({"type":"text","bind_to":[]})"),
     "/tables/public.t/columns/c/bind_to",
     "a list of up to 32"},
    {with_column(R"({"type":"text","bind_to":["id","id"]})"),
     "/tables/public.t/columns/c/bind_to",
     "a list of up to 32"},
    {with_column(R"({"type":"text","bind_to":["Id"]})"),
     "/tables/public.t/columns/c/bind_to/0",
     "quotes"},
    {with_column(R"({"type":"text","bind_to":["c"]})"),
     "/tables/public.t/columns/c/bind_to",
     "protected itself"},
    {R"({"tables":{"a.t":{"columns":{"c":{"type":"text","context":"x","bind_to":["id"]},"d":{"type":"text","context":"x"}}}}})",
     "/tables/a.t/columns/d",
     "belongs to one row"},
    {with_column(R"({"type":"text","order_bytes":8})"),
     "/tables/public.t/columns/c/order_bytes",
     "with \"search\": \"order\""},
    {with_column(R"({"type":"text","on_missing_key":"zero"})"),
     "/tables/public.t/columns/c/on_missing_key",
     "\"error\" or \"null\""},
    {R"({"tables":{"a.t":{"columns":{"c":{"type":"text","context":"x","on_missing_key":"null"},"d":{"type":"text","context":"x"}}}}})",
     "/tables/a.t/columns/d",
     "on_missing_key"},
    {R"({"tables":{"a.t":{"columns":{"c":{"type":"text","context":"x","poison":["Xaver Quendel"]},"d":{"type":"text","context":"x"}}}}})",
     "/tables/a.t/columns/d",
     "poison"},
    {with_column(R"({"type":"date","poison":["2001-02-03"]})"),
     "/tables/public.t/columns/c/poison",
     "text or varchar"},
    {with_column(R"({"type":"text","poison":["abc"]})"),
     "/tables/public.t/columns/c/poison/0",
     "4 to 1024 bytes"},
    {with_column(R"({"type":"text","group":"Medical"})"),
     "/tables/public.t/columns/c/group",
     "a key group"},
    {with_column(R"({"type":"text","context":""})"),
     "/tables/public.t/columns/c/context",
     "visible ASCII"},
    {R"({"tables":{"a.t":{"columns":{"c":{"type":"text"}}},"a.\"t\"":{"columns":{"c":{"type":"text"}}}}})",
     "/tables/a.t",
     "another entry"},
    {R"({"tables":{"a.t":{"columns":{"c":{"type":"text"}}}},"plain":["a.t"]})",
     "/plain",
     "protected"},
    {R"({"tables":{},"plain":["t"]})", "/plain/0", "schema.table"},
    {R"({"tables":{},"migrating":["a.t"]})", "/migrating/0", "no entry"},
    {R"({"tables":{"*.t":{"columns":{"c":{"type":"text"}}}},"migrating":["a.t"]})",
     "/migrating/0",
     "no entry of its own"},
    {R"({"tables":{"a.t__veiled":{"columns":{"c":{"type":"text"}}}}})",
     "/tables/a.t__veiled",
     "another name"},
    {R"({"tables":{},"plain":["*.t"]})", "/plain/0", "schema's name"},
    {R"({"tables":{},"search_path":[]})", "/search_path", "a list of schema names"},
    {R"({"tables":{},"search_path":["a.b"]})", "/search_path/0", "one schema's name"},
};

INSTANTIATE_TEST_SUITE_P(All, WrongPolicy, testing::ValuesIn(kWrong));

std::string two_columns(std::string_view left, std::string_view right) {
    return R"j({"tables":{"a.t":{"columns":{"x":{"type":"text","context":"k")j" +
           std::string(left) + R"j(},"y":{"type":"varchar(9)","context":"k")j" +
           std::string(right) + "}}}}}";
}

TEST(PolicyOrder, HasItsOwnSchemeAndBytes) {
    const auto column_of = [](std::string_view column) {
        const auto policy = parse_policy("policy.json", with_column(column));
        EXPECT_TRUE(policy.has_value()) << column;
        return *(*policy)->find("public", "t")->column("c");
    };
    EXPECT_EQ(column_of(R"({"type":"date","search":"order"})").scheme, Scheme::kOrder);
    EXPECT_EQ(column_of(R"({"type":"date","search":["equality","order"]})").scheme, Scheme::kOrder);
    EXPECT_EQ(column_of(R"({"type":"timetz","search":"order"})").scheme, Scheme::kOrder);
    EXPECT_EQ(column_of(R"({"type":"cidr","search":"equality"})").scheme, Scheme::kEquality);
    EXPECT_EQ(column_of(R"({"type":"date","search":"order"})").order_bytes, 0U);
    EXPECT_EQ(column_of(R"({"type":"bytea","search":"order"})").order_bytes, 32U);
    EXPECT_EQ(
        column_of(R"({"type":"bytea","search":"order","order_bytes":128})").order_bytes, 128U
    );
}

TEST(PolicyContext, SharedByColumnsThatAgree) {
    EXPECT_EQ(error_of(two_columns("", "")), "");
}

TEST(PolicyContext, RefusesColumnsThatDiffer) {
    EXPECT_THAT(
        error_of(two_columns(R"(,"search":"equality")", "")),
        AllOf(HasSubstr("differs in search"), HasSubstr("/tables/a.t/columns/x"))
    );
    EXPECT_THAT(error_of(two_columns(R"(,"group":"medical")", "")), HasSubstr("differs in group"));
    EXPECT_THAT(
        error_of(R"({"tables":{"a.t":{"columns":{"x":{"type":"text","context":"a.t.y"},
                 "y":{"type":"int4"}}}}})"),
        HasSubstr("differs in type")
    );
}

TEST(Policy, NamesAFileThatCannotBeRead) {
    const auto policy = load_policy("/nonexistent/policy.json");
    ASSERT_FALSE(policy.has_value());
    EXPECT_EQ(policy.error().kind, ErrorKind::kUnreadable);
    EXPECT_THAT(policy.error().message, HasSubstr("/nonexistent/policy.json: cannot be read"));
    EXPECT_FALSE(load_policy("/tmp").has_value());
}

}  // namespace
}  // namespace pgveil::config
