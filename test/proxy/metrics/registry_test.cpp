#include "proxy/metrics/registry.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <regex>
#include <set>
#include <sstream>

namespace pgveil::metrics {

namespace {

using testing::HasSubstr;
using testing::Not;

Standing standing() {
    Standing result;
    result.version = "1.2.3";
    result.sessions = 4;
    return result;
}

/// The family that a sample belongs to.
std::string family_of(const std::string& sample, const std::map<std::string, std::string>& types) {
    static const std::regex kSuffix("_(bucket|sum|count)$");
    const std::string base = std::regex_replace(sample, kSuffix, "");
    const auto found = types.find(base);
    return found != types.end() && found->second == "histogram" ? base : sample;
}

/// What prometheus.io, "Exposition formats", demands of a text: every line is HELP, TYPE or a
/// sample; HELP and TYPE come once and before the samples, which stand together. Adds failures.
class FormatCheck {
public:
    explicit FormatCheck(const std::string& text) {
        EXPECT_TRUE(text.ends_with('\n'));
        std::istringstream lines(text);
        for (std::string line; std::getline(lines, line);) {
            check(line);
        }
    }

    std::map<std::string, std::string> types;    ///< by family
    std::map<std::string, std::string> samples;  ///< value by name and labels

private:
    void check(const std::string& line) {
        static const std::regex kHelp(R"re(# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) \S.*)re");
        static const std::regex kType(
            R"re(# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram))re"
        );
        static const std::regex kSample(
            R"re(([a-zA-Z_:][a-zA-Z0-9_:]*)((?:\{[a-z_]+="[^"\\\n]*"(?:,[a-z_]+="[^"\\\n]*")*\})?) ([-+.0-9e]+))re"
        );
        std::smatch parts;
        if (std::regex_match(line, parts, kHelp)) {
            EXPECT_TRUE(helped_.insert(parts[1]).second) << line;
            open_ = parts[1];
        } else if (std::regex_match(line, parts, kType)) {
            EXPECT_EQ(open_, parts[1]) << line;
            EXPECT_TRUE(types.emplace(parts[1], parts[2]).second) << line;
        } else if (std::regex_match(line, parts, kSample)) {
            EXPECT_EQ(family_of(parts[1], types), open_) << line;
            EXPECT_TRUE(types.contains(open_)) << line;
            EXPECT_TRUE(samples.emplace(parts[1].str() + parts[2].str(), parts[3]).second) << line;
        } else {
            ADD_FAILURE() << "no line of the format: " << line;
        }
    }

    std::set<std::string> helped_;
    std::string open_;
};

TEST(Registry, IsWellFormedBeforeAnythingHappened) {
    const Registry registry;
    const FormatCheck check(registry.text(standing()));
    EXPECT_EQ(check.samples.at("pgveil_version_info{version=\"1.2.3\"}"), "1");
    EXPECT_EQ(check.samples.at("pgveil_pools_client_active_connections"), "4");
    EXPECT_EQ(check.samples.at("pgveil_sessions_total"), "0");
}

TEST(Registry, NamesSayTypeAndUnit) {
    const Registry registry;
    const FormatCheck check(registry.text(standing()));
    for (const auto& [name, type] : check.types) {
        EXPECT_EQ(name.ends_with("_total"), type == "counter") << name;
        if (type == "histogram") {
            EXPECT_TRUE(name.ends_with("_seconds")) << name;
        }
    }
}

TEST(Registry, AddsUpAllWorkers) {
    Registry registry;
    const auto first = registry.add_tally();
    const auto second = registry.add_tally();
    first->values_sealed.add(2);
    second->values_sealed.add(3);
    first->refusals.add("0A000");
    second->refusals.add("0A000");
    second->refusals.add("28000");
    first->protected_statements.add();
    second->plain_statements.add(9);
    const FormatCheck check(registry.text(standing()));
    EXPECT_EQ(check.samples.at("pgveil_values_sealed_total"), "5");
    EXPECT_EQ(check.samples.at("pgveil_refusals_total{sqlstate=\"0A000\"}"), "2");
    EXPECT_EQ(check.samples.at("pgveil_refusals_total{sqlstate=\"28000\"}"), "1");
    EXPECT_EQ(check.samples.at("pgveil_stats_queries_total{protected=\"yes\"}"), "1");
    EXPECT_EQ(check.samples.at("pgveil_stats_queries_total{protected=\"no\"}"), "9");
}

TEST(Registry, HistogramsOfAllWorkersAddUp) {
    Registry registry;
    const auto first = registry.add_tally();
    const auto second = registry.add_tally();
    first->key.observe(std::chrono::milliseconds(20));
    second->key.observe(std::chrono::milliseconds(30));
    const FormatCheck check(registry.text(standing()));
    EXPECT_EQ(check.samples.at("pgveil_key_seconds_sum"), "0.05");
    EXPECT_EQ(check.samples.at("pgveil_key_seconds_count"), "2");
    EXPECT_EQ(check.samples.at("pgveil_key_seconds_bucket{le=\"0.025\"}"), "1");
    EXPECT_EQ(check.samples.at("pgveil_key_seconds_bucket{le=\"0.05\"}"), "2");
    EXPECT_EQ(check.samples.at("pgveil_key_seconds_bucket{le=\"+Inf\"}"), "2");
    EXPECT_EQ(check.samples.at("pgveil_parse_seconds_count"), "0");
}

TEST(Registry, AWorkerThatIsGoneStaysCounted) {
    Registry registry;
    registry.add_tally()->cancels.add(2);
    EXPECT_THAT(registry.text(standing()), HasSubstr("\npgveil_cancels_total 2\n"));
}

TEST(Registry, WhatAServerSendsAsSqlstateMakesNoLabel) {
    Registry registry;
    const auto tally = registry.add_tally();
    tally->failed_logins.add("\"} 1\nown_metric 2");
    tally->failed_logins.add("28P01");
    const std::string text = registry.text(standing());
    EXPECT_THAT(text, Not(HasSubstr("own_metric")));
    const FormatCheck check(text);
    EXPECT_EQ(check.samples.at("pgveil_failed_logins_total{sqlstate=\"other\"}"), "1");
    EXPECT_EQ(check.samples.at("pgveil_failed_logins_total{sqlstate=\"28P01\"}"), "1");
}

}  // namespace

}  // namespace pgveil::metrics
