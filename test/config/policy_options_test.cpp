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

}  // namespace
}  // namespace pgveil::config
