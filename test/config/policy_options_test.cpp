#include "config/migrating.hpp"
#include "config/policy.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pgveil::config {
namespace {

TEST(PolicyOptions, SaysWhatWhoLacksTheKeyGets) {
    const auto policy = parse_policy(
        "p.json",
        R"({"tables":{"a.t":{"columns":{
            "c":{"type":"text","group":"medical","on_missing_key":"null"},
            "d":{"type":"text","on_missing_key":"error"},
            "e":{"type":"text"}}}}})"
    );
    ASSERT_TRUE(policy.has_value()) << policy.error().message;
    const TablePolicy& table = *(*policy)->find("a", "t");
    EXPECT_TRUE(table.column("c")->is_null_without_key);
    EXPECT_EQ(table.column("c")->group, "medical");
    EXPECT_FALSE(table.column("d")->is_null_without_key);
    EXPECT_FALSE(table.column("e")->is_null_without_key);
}

TEST(PolicyOptions, SaysWhatIsPlanted) {
    const auto policy = parse_policy(
        "p.json",
        R"({"tables":{"a.t":{"columns":{
            "c":{"type":"varchar","search":"equality","poison":["Xaver Quendel","Ada Nobody"]},
            "d":{"type":"text"}}}}})"
    );
    ASSERT_TRUE(policy.has_value()) << policy.error().message;
    const TablePolicy& table = *(*policy)->find("a", "t");
    EXPECT_THAT(table.column("c")->poison, testing::ElementsAre("Xaver Quendel", "Ada Nobody"));
    EXPECT_TRUE(table.column("d")->poison.empty());
}

TEST(PolicyOptions, AMigratingTableHasOneBesideItWithItsContexts) {
    const auto parsed = parse_policy("p.json", R"({"tables":{"public.t":{"columns":{
        "a":{"type":"text"},"b":{"type":"text","context":"k"},"c":{"type":"text","bind_to":["id"]}}}},
        "migrating":["public.t"]})");
    ASSERT_TRUE(parsed.has_value()) << parsed.error().message;
    const auto& policy = *parsed;
    EXPECT_TRUE(is_migrating(*policy, "public", "t"));
    EXPECT_FALSE(is_migrating(*policy, "public", "u"));
    const TablePolicy* const veiled = policy->find("public", "t__veiled");
    ASSERT_NE(veiled, nullptr);
    EXPECT_EQ(veiled->column("a")->context, "public.t.a");
    EXPECT_EQ(veiled->column("b")->context, "k");
    EXPECT_EQ(veiled->column("c")->context, "public.t.c");
}

}  // namespace
}  // namespace pgveil::config
