#include "keyshare/custodian/access_log.hpp"
#include "keyshare/custodian/group_policy.hpp"
#include "keyshare/custodian/rate_limit.hpp"
#include "test/keyshare/custodian/crew.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace pgveil::custodian {
namespace {

using share::Json;

std::string code_of(const Result<GroupPolicy>& policy) {
    return policy.has_value() ? "" : policy.error().message;
}

TEST(GroupPolicy, IsReadWholeOrNotAtAll) {
    const Json good = Json::parse(R"({"requesters": {"b": {"purposes": ["y", "x"], "per_minute": 5},
        "a": {"purposes": ["x"]}}, "administrators": ["q", "p"], "evidence": "none"})");
    const auto policy = parse_policy(good);
    ASSERT_TRUE(policy.has_value()) << policy.error().message;
    EXPECT_EQ(policy->requesters.at("a").per_minute, 60U);
    EXPECT_EQ(
        policy_text(*policy),
        R"({"requesters":{"a":{"purposes":["x"],"per_minute":60},"b":{"purposes":["x","y"],"per_minute":5}},)"
        R"("administrators":["p","q"],"header":"none","evidence":"none"})"
    );
    EXPECT_EQ(*parse_policy(policy_json(*policy)), *policy);
    for (const char* bad :
         {R"([])",
          R"({})",
          R"({"requesters": []})",
          R"({"requesters": {}, "more": 1})",
          R"({"requesters": {"a": {}}})",
          R"({"requesters": {"a": {"purposes": []}}})",
          R"({"requesters": {"a": {"purposes": ["x", "x"]}}})",
          R"({"requesters": {"a": {"purposes": ["x"], "per_minute": -1}}})",
          R"({"requesters": {"a": {"purposes": ["x"], "per_minute": 1000001}}})",
          R"({"requesters": {"": {"purposes": ["x"]}}})",
          R"({"requesters": {"a": {"purposes": [1]}}})",
          R"({"requesters": {}, "administrators": "x"})",
          R"({"requesters": {}, "evidence": true})",
          R"({"requesters": {}, "evidence": "required"})",
          R"({"requesters": {}, "evidence": {}})",
          R"({"requesters": {}, "evidence": {"attestation_keys": [], "approver": "", "tenant": "acme"}})",
          R"({"requesters": {}, "header": "maybe"})"}) {
        EXPECT_NE(code_of(parse_policy(Json::parse(bad))), "") << bad;
    }
}

TEST(RateLimit, CountsAnySixtySeconds) {
    RateLimit limit;
    EXPECT_EQ(limit.take("a", 2, 100), 0U);
    EXPECT_EQ(limit.take("a", 2, 130), 0U);
    EXPECT_EQ(limit.take("a", 2, 159), 1U);
    EXPECT_EQ(limit.take("b", 2, 159), 0U);
    EXPECT_EQ(limit.take("a", 2, 160), 0U);
    EXPECT_EQ(limit.take("a", 2, 160), 30U);
    EXPECT_EQ(limit.take("a", 2, 10), 30U);
    EXPECT_EQ(limit.take("a", 0, 1000), 60U);
}

class Logged : public testing::Test {
protected:
    Logged() : crew_(1), path_((crew_.folder(0) / "other.jsonl").string()) {}

    AccessLog open(std::size_t& entries) {
        entries = 0;
        auto log = AccessLog::open(path_, "me", [&](const LogEntry&) { ++entries; });
        if (!log.has_value()) {
            throw std::runtime_error(log.error().message);
        }
        return *std::move(log);
    }

    void fill(int count) {
        std::size_t entries = 0;
        AccessLog log = open(entries);
        for (int at = 0; at < count; ++at) {
            LogEntry entry;
            entry.at_s = at;
            entry.operation = "partial";
            ASSERT_TRUE(log.add(entry).has_value());
        }
    }

    std::string text() const {
        std::ifstream file(path_);
        return {std::istreambuf_iterator<char>(file), {}};
    }

    void write(const std::string& text) const { std::ofstream(path_) << text; }

    Crew crew_;
    std::string path_;
};

TEST_F(Logged, LinesAreFoundAgainByNumber) {
    fill(200);
    std::size_t entries = 0;
    const AccessLog log = open(entries);
    EXPECT_EQ(entries, 200U);
    EXPECT_EQ(log.damage(), "");
    EXPECT_EQ(log.last().sequence, 200U);
    for (const std::uint64_t after : {0U, 63U, 64U, 127U, 199U}) {
        const auto lines = log.lines(after, 3);
        ASSERT_TRUE(lines.has_value());
        EXPECT_EQ(lines->front()["seq"], after + 1);
        EXPECT_EQ(lines->size(), std::min<std::size_t>(3, 200 - after));
    }
    EXPECT_TRUE(log.lines(200, 3)->empty());
}

TEST_F(Logged, ALineThatACrashCutShortIsDropped) {
    fill(3);
    write(text() + R"({"seq":4,"prev")");
    std::size_t entries = 0;
    const AccessLog log = open(entries);
    EXPECT_EQ(entries, 3U);
    EXPECT_EQ(log.damage(), "");
    EXPECT_EQ(text().back(), '\n');
}

TEST_F(Logged, AnAlteredRemovedOrForeignLineIsFound) {
    fill(5);
    const std::string whole = text();
    const auto damage_of = [&](const std::string& altered) {
        write(altered);
        std::size_t entries = 0;
        return open(entries).damage();
    };
    EXPECT_EQ(damage_of(whole), "");
    std::string edited = whole;
    edited.replace(edited.find("partial"), 7, "nothing");
    EXPECT_NE(damage_of(edited).find("line 1"), std::string::npos);
    const std::size_t second = whole.find('\n') + 1;
    const std::size_t third = whole.find('\n', second) + 1;
    EXPECT_NE(
        damage_of(whole.substr(0, second) + whole.substr(third)).find("line 2"), std::string::npos
    );
    EXPECT_NE(damage_of("garbage\n" + whole), "");
}

}  // namespace
}  // namespace pgveil::custodian
