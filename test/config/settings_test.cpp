#include "config/settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace pgveil::config {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

/// Settings with everything required, and `more` behind it.
std::string with(std::string_view more, std::string_view listen_tls = R"({"mode":"disable"})") {
    return R"({"tenant":"clinic","listen":{"tls":)" + std::string(listen_tls) +
           R"(},"upstream":{"host":"db"},"users_file":"users.txt",
              "home":{"database":"d","user":"u"},"store":{"path":"s.db"},
              "seal":{"kind":"file","path":"k"},"policy":"sub/../policy.json")" +
           std::string(more) + "}";
}

std::string error_of(std::string_view text) {
    const auto settings = parse_settings("/etc/pgveil/pgveil.json", text);
    return settings.has_value() ? "" : settings.error().message;
}

TEST(Settings, TheExampleLoads) {
    const auto settings = load_settings(PGVEIL_SOURCE "/config/examples/pgveil.json");
    ASSERT_TRUE(settings.has_value()) << settings.error().message;
    EXPECT_EQ(settings->tenant, "clinic");
    EXPECT_EQ(settings->listen.tls, ListenTls::kRequire);
    EXPECT_EQ(settings->policy_path, PGVEIL_SOURCE "/config/examples/policy.json");
    EXPECT_EQ(settings->store_path, "/var/lib/pgveil/store.db");
}

TEST(Settings, TheExampleShowsTheDefaults) {
    const auto example = load_settings(PGVEIL_SOURCE "/config/examples/pgveil.json");
    ASSERT_TRUE(example.has_value());
    const LimitSettings limits;
    EXPECT_EQ(example->limits.sessions, limits.sessions);
    EXPECT_EQ(example->limits.message_bytes, limits.message_bytes);
    EXPECT_EQ(example->limits.plan_cache_bytes, limits.plan_cache_bytes);
    EXPECT_EQ(example->limits.catalog_ttl_ms, limits.catalog_ttl_ms);
    EXPECT_EQ(example->limits.statement_bytes, limits.statement_bytes);
    EXPECT_EQ(example->limits.statement_tokens, limits.statement_tokens);
    EXPECT_EQ(example->limits.plan_bytes_per_session, limits.plan_bytes_per_session);
    EXPECT_EQ(example->limits.login_timeout_ms, limits.login_timeout_ms);
    EXPECT_EQ(example->tokens.max_validity_s, TokenSettings{}.max_validity_s);
    EXPECT_EQ(example->tokens.grace_s, TokenSettings{}.grace_s);
    EXPECT_EQ(example->upstream.connect_timeout_ms, UpstreamSettings{}.connect_timeout_ms);
    EXPECT_EQ(example->listen.port, ListenSettings{}.port);
}

TEST(Settings, PathsAreRelativeToTheFile) {
    const auto settings = parse_settings("/etc/pgveil/pgveil.json", with(""));
    ASSERT_TRUE(settings.has_value()) << settings.error().message;
    EXPECT_EQ(settings->policy_path, "/etc/pgveil/policy.json");
    EXPECT_EQ(settings->users_file, "/etc/pgveil/users.txt");
    EXPECT_EQ(settings->file, "/etc/pgveil/pgveil.json");
    EXPECT_EQ(settings->home.password_file, "");
}

TEST(Settings, ReadsModesAndNumbers) {
    const auto settings = parse_settings(
        "f",
        with(R"(,"workers":3,"memory":{"mode":"mlock"},"log":{"level":"debug"},
                     "limits":{"sessions":7,"statement_bytes":70000,"statement_tokens":12000,
                               "plan_bytes_per_session":1048576},"tokens":{"max_validity_s":28800,"grace_s":0})"
        )
    );
    ASSERT_TRUE(settings.has_value()) << settings.error().message;
    EXPECT_EQ(settings->workers, 3U);
    EXPECT_EQ(settings->memory.mode, MemoryMode::kMlock);
    EXPECT_EQ(settings->log_level, LogLevel::kDebug);
    EXPECT_EQ(settings->limits.sessions, 7U);
    EXPECT_EQ(settings->limits.statement_bytes, 70'000U);
    EXPECT_EQ(settings->limits.statement_tokens, 12'000U);
    EXPECT_EQ(settings->limits.plan_bytes_per_session, 1'048'576U);
    EXPECT_EQ(settings->tokens.max_validity_s, 28800U);
    EXPECT_EQ(settings->tokens.grace_s, 0U);
    EXPECT_EQ(settings->upstream.tls, UpstreamTls::kVerifyFull);
}

TEST(Settings, TheDefaultArenaFitsTheUsualMemlockLimit) {
    const Settings settings;
    EXPECT_LE(settings.memory.arena_size(settings.limits.sessions), 8388608U);
    EXPECT_GT(settings.memory.arena_size(settings.limits.sessions), 100U * 31 * 1024);
    EXPECT_EQ((MemorySettings{MemoryMode::kAuto, 4096000}).arena_size(5), 4096000U);
}

struct Wrong {
    std::string text;
    std::string pointer;
    std::string reason;
};

class WrongSettings : public testing::TestWithParam<Wrong> {};

TEST_P(WrongSettings, IsOneLineThatNamesFilePointerAndReason) {
    const std::string error = error_of(GetParam().text);
    EXPECT_THAT(error, StartsWith("/etc/pgveil/pgveil.json: " + GetParam().pointer + ": "));
    EXPECT_THAT(error, HasSubstr(GetParam().reason));
    EXPECT_THAT(error, testing::Not(HasSubstr("\n")));
}

const Wrong kWrong[] = {
    {"{}", "the document", "the key \"tenant\" is missing"},
    {"{ // open", "line 1", "is not JSON"},
    {with(R"(,"wokers":2)"), "/wokers", "is not a known key"},
    {with(R"(,"workers":"two")"), "/workers", "must be the number of worker threads"},
    {with(R"(,"workers":1.5)"), "/workers", "must be the number"},
    {with(R"(,"workers":-1)"), "/workers", "must be the number"},
    {with(R"(,"limits":{"sesions":1})"), "/limits/sesions", "is not a known key"},
    {with(R"(,"limits":{"sessions":0})"), "/limits/sessions", "1 to 100000"},
    {with(R"(,"log":{"format":"json"})"), "/log/format", "not available yet"},
    {with(R"(,"memory":{"mode":"swap"})"), "/memory/mode", "\"mlock\""},
    {with(R"(,"memory":{"arena_bytes":4096})"), "/memory/arena_bytes", "too small"},
    {with(R"(,"tokens":{"max_validity_s":600,"key_epoch_s":60})"),
     "/tokens/key_epoch_s",
     "not longer than max_validity_s"},
    {with(R"(,"seal":{"kind":"tpm","path":"k"})"), "/seal", "stands twice"},
    {with("", R"({"mode":"require"})"), "/listen/tls", "needs \"certificate\" and \"key\""},
    {with("", R"({"mode":"prefer"})"), "/listen/tls/mode", "\"allow\""},
    {with("", R"({"mode":"disable","port":1})"), "/listen/tls/port", "is not a known key"},
};

INSTANTIATE_TEST_SUITE_P(All, WrongSettings, testing::ValuesIn(kWrong));

TEST(Settings, RefusesSealsOfLaterVersions) {
    std::string text = with("");
    text.replace(text.find("\"file\""), 6, "\"tpm\"");
    EXPECT_THAT(error_of(text), HasSubstr("/seal/kind: \"tpm\" is not available yet"));
}

}  // namespace
}  // namespace pgveil::config
