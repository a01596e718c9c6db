#include "proxy/session/replication.hpp"

#include <gtest/gtest.h>

#include <string>

namespace pgveil::session {
namespace {

std::shared_ptr<const config::Policy> policy_of(std::string_view text) {
    auto policy = config::parse_policy("policy.json", text);
    EXPECT_TRUE(policy.has_value()) << policy.error().message;
    return *policy;
}

std::string judged(const char* value, const char* database, const config::Policy* policy) {
    const auto reason = reason_against(replication_of(value), database, policy);
    return reason ? reason->sqlstate : "passes";
}

constexpr std::string_view kEverywhere = R"json({
    "tables": {"public.patients": {"columns": {"name": {"type": "text"}}}}})json";
constexpr std::string_view kInClinic = R"json({
    "databases": ["clinic"],
    "tables": {"public.patients": {"columns": {"name": {"type": "text"}}}}})json";
constexpr std::string_view kNothing = R"json({"tables": {}})json";

TEST(Replication, IsReadAsTheServerReadsIt) {
    EXPECT_EQ(replication_of("database"), Replication::kLogical);
    for (const char* const yes : {"true", "on", "1", "yes", "Database", "DATABASE", "maybe", ""}) {
        EXPECT_EQ(replication_of(yes), Replication::kPhysical) << yes;
    }
    for (const char* const no : {"false", "OFF", "no", "0", "f", "n", "of", "FAL"}) {
        EXPECT_EQ(replication_of(no), Replication::kNone) << no;
    }
}

TEST(Replication, PassesWhereNothingIsProtected) {
    const auto policy = policy_of(kNothing);
    EXPECT_EQ(judged("database", "clinic", policy.get()), "passes");
    EXPECT_EQ(judged("true", "clinic", policy.get()), "passes");
}

TEST(Replication, OfADatabaseIsJudgedByThatDatabase) {
    const auto policy = policy_of(kInClinic);
    EXPECT_EQ(judged("database", "clinic", policy.get()), "0A000");
    EXPECT_EQ(judged("database", "stock", policy.get()), "passes");
    EXPECT_EQ(judged("database", "stock", policy_of(kEverywhere).get()), "0A000");
}

TEST(Replication, OfTheClusterIsRefusedWhereAnythingIsProtected) {
    const auto policy = policy_of(kInClinic);
    EXPECT_EQ(judged("true", "stock", policy.get()), "0A000");
    EXPECT_EQ(judged("off", "clinic", policy.get()), "passes");
}

TEST(Replication, IsRefusedWhereThePolicyIsUnknown) {
    EXPECT_EQ(judged("database", "stock", nullptr), "0A000");
    EXPECT_EQ(judged("true", "stock", nullptr), "0A000");
    EXPECT_EQ(judged("false", "stock", nullptr), "passes");
}

}  // namespace
}  // namespace pgveil::session
