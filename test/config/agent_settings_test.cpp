#include "config/agent_settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pgveil::config {

namespace {

using testing::HasSubstr;

constexpr std::string_view kSmallest = R"({
    "upstream": { "host": "pgveil.example.org", "ca": "ca.pem" },
    "users": { "app": { "key": "nurse.user", "app_share": "nurse.app" } } })";

std::string problem_of(std::string_view text) {
    const auto settings = parse_agent_settings("/etc/agent.json", text);
    return settings.has_value() ? "none" : settings.error().message;
}

}  // namespace

TEST(AgentSettings, TheSmallestDocumentHasDefaults) {
    const auto settings = parse_agent_settings("/etc/agent.json", kSmallest);
    ASSERT_TRUE(settings.has_value()) << settings.error().message;
    EXPECT_EQ(settings->host, "127.0.0.1");
    EXPECT_EQ(settings->port, 6544);
    EXPECT_EQ(settings->upstream_port, 6543);
    EXPECT_EQ(settings->upstream_ca, "/etc/ca.pem");
    EXPECT_EQ(settings->token_valid_s, 60U);
    EXPECT_EQ(settings->users.at("app").key, "/etc/nurse.user");
}

TEST(AgentSettings, TheExampleShowsTheDefaults) {
    const auto example = load_agent_settings(PGVEIL_SOURCE "/config/examples/agent.json");
    ASSERT_TRUE(example.has_value()) << example.error().message;
    const AgentSettings defaults;
    EXPECT_EQ(example->host, defaults.host);
    EXPECT_EQ(example->port, defaults.port);
    EXPECT_EQ(example->upstream_port, defaults.upstream_port);
    EXPECT_EQ(example->connect_timeout_ms, defaults.connect_timeout_ms);
    EXPECT_EQ(example->token_valid_s, defaults.token_valid_s);
    EXPECT_EQ(example->token_challenges, defaults.token_challenges);
    EXPECT_EQ(example->sessions, defaults.sessions);
}

TEST(AgentSettings, AUnixSocketAloneIsEnough) {
    const auto settings = parse_agent_settings("/etc/agent.json", R"({
        "listen": { "unix_socket": { "directory": "/run/a", "permissions": "0770" } },
        "upstream": { "host": "/run/pgveil" },
        "users": { "*": { "key": "nurse.user", "app_share": "nurse.app" } } })");
    ASSERT_TRUE(settings.has_value()) << settings.error().message;
    EXPECT_EQ(settings->host, "");
    EXPECT_EQ(settings->unix_permissions, 0770U);
}

TEST(AgentSettings, TheTokensOfARoleCanBeRestricted) {
    const auto settings = parse_agent_settings("/etc/agent.json", R"({
        "upstream": { "host": "/run/pgveil" },
        "tokens": { "challenge": true },
        "users": {
            "reports": { "key": "nurse.user", "app_share": "nurse.app", "read_only": true,
                         "tables": ["patients", "billing.invoices"] },
            "app": { "key": "nurse.user", "app_share": "nurse.app" } } })");
    ASSERT_TRUE(settings.has_value()) << settings.error().message;
    const AgentUserSettings& reports = settings->users.at("reports");
    EXPECT_TRUE(reports.read_only);
    EXPECT_EQ(reports.tables, (std::vector<std::string>{"patients", "billing.invoices"}));
    EXPECT_FALSE(settings->users.at("app").read_only);
    EXPECT_TRUE(settings->token_challenges);
    EXPECT_TRUE(settings->users.at("app").tables.empty());
}

TEST(AgentSettings, ATlsConnectionBindsTokensOnlyWhereThereIsOne) {
    const auto with = [](const std::string& upstream) {
        return parse_agent_settings(
            "/etc/agent.json", R"({"upstream": {)" + upstream + R"(}, "tokens": {"channel": true},
                "users": {"app": {"key": "nurse.user", "app_share": "nurse.app"}}})"
        );
    };
    const auto over_tls = with(R"("host": "proxy", "ca": "ca.crt")");
    ASSERT_TRUE(over_tls.has_value()) << over_tls.error().message;
    EXPECT_TRUE(over_tls->token_channel);
    const auto local = with(R"("host": "/run/pgveil")");
    ASSERT_FALSE(local.has_value());
    EXPECT_THAT(local.error().message, HasSubstr("/tokens/channel"));
}

TEST(AgentSettings, SharesNeverCrossTheNetworkInTheClear) {
    EXPECT_THAT(
        problem_of(R"({ "upstream": { "host": "pgveil.example.org" }, "users": { "app": {
            "key": "nurse.user", "app_share": "nurse.app" } } })"),
        HasSubstr("/upstream: has no \"ca\"")
    );
}

TEST(AgentSettings, NobodyOnTheNetworkMayConnect) {
    EXPECT_THAT(
        problem_of(R"({ "listen": { "host": "0.0.0.0" },
            "upstream": { "host": "pgveil.example.org", "ca": "ca.pem" },
            "users": { "app": { "key": "nurse.user", "app_share": "nurse.app" } } })"),
        HasSubstr("127.0.0.1, ::1 or localhost")
    );
}

}  // namespace pgveil::config
