#include "config/settings.hpp"

#include "test/config/settings_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace pgveil::config {
namespace {

using testing::error_of;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using testing::with;

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
    EXPECT_EQ(example->admission.sessions_per_user, AdmissionSettings{}.sessions_per_user);
    EXPECT_EQ(example->admission.sessions_per_address, AdmissionSettings{}.sessions_per_address);
    EXPECT_EQ(example->admission.pending_logins, AdmissionSettings{}.pending_logins);
    EXPECT_EQ(example->limits.plan_cache_bytes, limits.plan_cache_bytes);
    EXPECT_EQ(example->limits.catalog_ttl_ms, limits.catalog_ttl_ms);
    EXPECT_EQ(example->limits.statement_bytes, limits.statement_bytes);
    EXPECT_EQ(example->limits.statement_tokens, limits.statement_tokens);
    EXPECT_EQ(example->limits.plan_bytes_per_session, limits.plan_bytes_per_session);
    EXPECT_EQ(example->limits.login_timeout_ms, limits.login_timeout_ms);
    EXPECT_EQ(example->timeouts.idle_ms, TimeoutSettings{}.idle_ms);
    EXPECT_EQ(example->timeouts.idle_in_transaction_ms, TimeoutSettings{}.idle_in_transaction_ms);
    EXPECT_EQ(example->timeouts.statement_ms, TimeoutSettings{}.statement_ms);
    EXPECT_EQ(example->timeouts.drain_ms, TimeoutSettings{}.drain_ms);
    EXPECT_EQ(example->timeouts.drain_notice_ms, TimeoutSettings{}.drain_notice_ms);
    EXPECT_EQ(example->timeouts.keepalive_ms, TimeoutSettings{}.keepalive_ms);
    EXPECT_EQ(example->tokens.max_validity_s, TokenSettings{}.max_validity_s);
    EXPECT_EQ(example->tokens.grace_s, TokenSettings{}.grace_s);
    EXPECT_EQ(example->tokens.open, TokenOpening::kPerRequest);
    EXPECT_EQ(TokenSettings{}.open, TokenOpening::kPerRequest);
    EXPECT_EQ(example->upstream.connect_timeout_ms, UpstreamSettings{}.connect_timeout_ms);
    EXPECT_EQ(example->listen.port, ListenSettings{}.port);
    ASSERT_TRUE(example->http.has_value());
    EXPECT_EQ(example->http->host, HttpSettings{}.host);
    EXPECT_EQ(example->http->port, HttpSettings{}.port);
}

TEST(Settings, PathsAreRelativeToTheFile) {
    const auto settings = parse_settings("/etc/pgveil/pgveil.json", with(""));
    ASSERT_TRUE(settings.has_value()) << settings.error().message;
    EXPECT_EQ(settings->policy_path, "/etc/pgveil/policy.json");
    EXPECT_EQ(settings->users_file, "/etc/pgveil/users.txt");
    EXPECT_EQ(settings->file, "/etc/pgveil/pgveil.json");
    EXPECT_EQ(settings->home.password_file, "");
}

TEST(Settings, ReadsTimeoutsAndWhoMayUseTheConsole) {
    const auto settings =
        parse_settings("f", with(R"(,"admin_users":["root","ops"],"stats_users":["watcher"],
                "timeouts":{"idle_ms":1,"idle_in_transaction_ms":2,"statement_ms":3,"drain_ms":4,
                            "drain_notice_ms":6,"keepalive_ms":5000})"));
    ASSERT_TRUE(settings.has_value()) << settings.error().message;
    EXPECT_EQ(settings->console.admin_users, (std::vector<std::string>{"root", "ops"}));
    EXPECT_EQ(settings->console.stats_users, std::vector<std::string>{"watcher"});
    EXPECT_EQ(settings->timeouts.idle_ms, 1U);
    EXPECT_EQ(settings->timeouts.idle_in_transaction_ms, 2U);
    EXPECT_EQ(settings->timeouts.statement_ms, 3U);
    EXPECT_EQ(settings->timeouts.drain_ms, 4U);
    EXPECT_EQ(settings->timeouts.drain_notice_ms, 6U);
    EXPECT_EQ(settings->timeouts.keepalive_ms, 5000U);
}

TEST(Settings, RefusesWrongTimeoutsAndNames) {
    EXPECT_THAT(error_of(with(R"(,"timeouts":{"idle_s":1})")), HasSubstr("idle_s"));
    EXPECT_THAT(error_of(with(R"(,"timeouts":{"keepalive_ms":5})")), HasSubstr("keepalive_ms"));
    EXPECT_THAT(error_of(with(R"(,"admin_users":["bootstrap"])")), HasSubstr("/admin_users"));
    EXPECT_THAT(error_of(with(R"(,"stats_users":["a","bootstrap"])")), HasSubstr("/stats_users"));
    EXPECT_THAT(error_of(with(R"(,"admin_users":"root")")), HasSubstr("/admin_users"));
}

TEST(Settings, ReadsAlarms) {
    const auto plain = parse_settings("f", with(""));
    ASSERT_TRUE(plain.has_value()) << plain.error().message;
    EXPECT_EQ(plain->alarms.webhook, "");
    EXPECT_EQ(plain->alarms.lock_user_s, 0U);
    const auto settings = parse_settings(
        "f",
        with(
            R"(,"alarms":{"webhook":"https://a.example/x","failed_opens":7,"window_s":30,"lock_user_s":900})"
        )
    );
    ASSERT_TRUE(settings.has_value()) << settings.error().message;
    EXPECT_EQ(settings->alarms.webhook, "https://a.example/x");
    EXPECT_EQ(settings->alarms.failed_opens, 7U);
    EXPECT_EQ(settings->alarms.window_s, 30U);
    EXPECT_EQ(settings->alarms.lock_user_s, 900U);
}

TEST(Settings, ReadsModesAndNumbers) {
    const auto settings = parse_settings(
        "f",
        with(
            R"(,"workers":3,"memory":{"mode":"mlock"},"log":{"level":"debug","format":"json","slow_statement_ms":250,"connections":false},
                     "limits":{"sessions":7,"sessions_per_user":2,"sessions_per_address":3,"pending_logins":4,"statement_bytes":70000,"statement_tokens":12000,
                               "plan_bytes_per_session":1048576},"tokens":{"max_validity_s":28800,"grace_s":0,"open":"per_token"})"
        )
    );
    ASSERT_TRUE(settings.has_value()) << settings.error().message;
    EXPECT_EQ(settings->workers, 3U);
    EXPECT_EQ(settings->memory.mode, MemoryMode::kMlock);
    EXPECT_EQ(settings->log.level, LogLevel::kDebug);
    EXPECT_EQ(settings->log.format, LogFormat::kJson);
    EXPECT_EQ(settings->log.slow_statement_ms, 250U);
    EXPECT_FALSE(settings->log.connections);
    EXPECT_TRUE(settings->log.disconnections);
    EXPECT_EQ(settings->limits.sessions, 7U);
    EXPECT_EQ(settings->admission.sessions_per_user, 2U);
    EXPECT_EQ(settings->admission.sessions_per_address, 3U);
    EXPECT_EQ(settings->admission.pending_logins, 4U);
    EXPECT_EQ(settings->limits.statement_bytes, 70'000U);
    EXPECT_EQ(settings->limits.statement_tokens, 12'000U);
    EXPECT_EQ(settings->limits.plan_bytes_per_session, 1'048'576U);
    EXPECT_EQ(settings->tokens.max_validity_s, 28800U);
    EXPECT_EQ(settings->tokens.grace_s, 0U);
    EXPECT_EQ(settings->tokens.open, TokenOpening::kPerToken);
    EXPECT_EQ(settings->upstream.tls, UpstreamTls::kVerifyFull);
}

TEST(Settings, AChallengeIsDemandedOfNobodyOfAllOrOfSome) {
    const auto demand = [](const std::string& value) {
        return parse_settings("f", with(R"(,"tokens":{"require_challenge":)" + value + "}"));
    };
    EXPECT_FALSE(parse_settings("f", with(""))->tokens.require_challenge.of_all);
    EXPECT_FALSE(demand("false")->tokens.require_challenge.of_all);
    EXPECT_TRUE(demand("true")->tokens.require_challenge.of_all);
    const auto some = demand(R"(["nurse","clerk"])");
    ASSERT_TRUE(some.has_value()) << some.error().message;
    EXPECT_FALSE(some->tokens.require_challenge.of_all);
    EXPECT_EQ(some->tokens.require_challenge.users, (std::vector<std::string>{"nurse", "clerk"}));
    for (const char* const wrong : {"1", "\"nurse\"", "[]", "[1]", "[\"\"]"}) {
        EXPECT_FALSE(demand(wrong).has_value()) << wrong;
    }
}

TEST(Settings, HttpIsOffUnlessItIsThere) {
    const auto without = parse_settings("f", with(""));
    ASSERT_TRUE(without.has_value());
    EXPECT_FALSE(without->http.has_value());
    const auto empty = parse_settings("f", with(R"(,"http":{})"));
    ASSERT_TRUE(empty.has_value()) << empty.error().message;
    ASSERT_TRUE(empty->http.has_value());
    EXPECT_EQ(empty->http->host, "127.0.0.1");
    EXPECT_EQ(empty->http->port, 9643);
    const auto other = parse_settings("f", with(R"(,"http":{"host":"*","port":8000})"));
    ASSERT_TRUE(other.has_value()) << other.error().message;
    EXPECT_EQ(other->http->host, "*");
    EXPECT_EQ(other->http->port, 8000);
}

TEST(Settings, TheDefaultArenaFitsTheUsualMemlockLimit) {
    const Settings settings;
    EXPECT_LE(settings.memory.arena_size(settings.limits.sessions), 8388608U);
    EXPECT_GT(settings.memory.arena_size(settings.limits.sessions), 100U * 31 * 1024);
    EXPECT_EQ((MemorySettings{MemoryMode::kAuto, 4096000}).arena_size(5), 4096000U);
}

TEST(Settings, ReadsTheUnixSocket) {
    std::string text = with("");
    text.replace(
        text.find(R"("listen":{)"),
        10,
        R"("listen":{"unix_socket":{"directory":"run","permissions":"0750"},)"
    );
    const auto settings = parse_settings("/etc/pgveil/pgveil.json", text);
    ASSERT_TRUE(settings.has_value()) << settings.error().message;
    EXPECT_EQ(settings->listen.unix_directory, "/etc/pgveil/run");
    EXPECT_EQ(settings->listen.unix_permissions, 0750U);
    text.replace(text.find("0750"), 4, "rwxr");
    EXPECT_THAT(error_of(text), HasSubstr("/listen/unix_socket/permissions: must be four octal"));
    EXPECT_EQ(ListenSettings().unix_directory, "");
}

/// Settings whose key "upstream" is this.
std::string with_upstream(const std::string& upstream) {
    std::string text = with("");
    const std::string usual = R"({"host":"db"})";
    return text.replace(text.find(usual), usual.size(), upstream);
}

TEST(Settings, ReadsOneServerOrSeveral) {
    const auto one = parse_settings("f", with_upstream(R"({"host":"db","port":5433})"));
    ASSERT_TRUE(one.has_value()) << one.error().message;
    ASSERT_EQ(one->upstream.hosts.size(), 1U);
    EXPECT_EQ(one->upstream.hosts[0].host, "db");
    EXPECT_EQ(one->upstream.hosts[0].port, 5433);
    EXPECT_EQ(one->upstream.session_attrs, SessionAttrs::kAny);
    const auto several =
        parse_settings("f", with_upstream(R"({"hosts":[{"host":"a"},{"host":"/run/b","port":5433}],
                          "target_session_attrs":"prefer-standby"})"));
    ASSERT_TRUE(several.has_value()) << several.error().message;
    ASSERT_EQ(several->upstream.hosts.size(), 2U);
    EXPECT_EQ(several->upstream.hosts[0].port, 5432);
    EXPECT_EQ(several->upstream.hosts[1].host, "/run/b");
    EXPECT_EQ(several->upstream.hosts[1].port, 5433);
    EXPECT_EQ(several->upstream.host, "a");
    EXPECT_EQ(several->upstream.session_attrs, SessionAttrs::kPreferStandby);
}

TEST(Settings, WantsServersOnceAndAtLeastOne) {
    EXPECT_THAT(error_of(with_upstream("{}")), HasSubstr("/upstream: names no server"));
    EXPECT_THAT(
        error_of(with_upstream(R"({"hosts":[{"host":"a"}],"port":5432})")),
        HasSubstr("/upstream/hosts: stands beside")
    );
    EXPECT_THAT(error_of(with_upstream(R"({"hosts":[]})")), HasSubstr("/upstream/hosts"));
    EXPECT_THAT(
        error_of(with_upstream(R"({"host":"a","target_session_attrs":"master"})")),
        HasSubstr("\"standby\"")
    );
}

TEST(Settings, ReadsWhatClientsCertificatesAreFor) {
    const std::string more = R"(,"client_ca":"ca","client_certificates":"accept",
        "certificate_users":[{"name":"app.example.org","user":"app"}])";
    const std::string tls = R"({"mode":"require","certificate":"c","key":"k")";
    const auto settings = parse_settings("/etc/f", with("", tls + more + "}"));
    ASSERT_TRUE(settings.has_value()) << settings.error().message;
    EXPECT_EQ(settings->listen.client_ca, "/etc/ca");
    EXPECT_EQ(settings->listen.client_certificates, ClientCertificates::kAccept);
    ASSERT_EQ(settings->listen.certificate_users.size(), 1U);
    EXPECT_EQ(settings->listen.certificate_users[0].name, "app.example.org");
    EXPECT_EQ(settings->listen.certificate_users[0].user, "app");
    EXPECT_THAT(
        error_of(with("", tls + R"(,"certificate_users":[{"name":"a","user":"b"}]})")),
        HasSubstr("/listen/tls/certificate_users: needs \"client_ca\"")
    );
    EXPECT_THAT(
        error_of(with("", R"({"mode":"disable","client_ca":"ca"})")),
        HasSubstr("/listen/tls/client_ca: needs TLS")
    );
}

TEST(Settings, ReadsAuthQueryAndTakesTheRestFromHome) {
    const auto plain = parse_settings("/etc/f", with(R"(,"auth_query":{"query":"SELECT 1"})"));
    ASSERT_TRUE(plain.has_value()) << plain.error().message;
    EXPECT_TRUE(plain->auth_query.is_on());
    EXPECT_EQ(plain->auth_query.database, "d");
    EXPECT_EQ(plain->auth_query.user, "u");
    EXPECT_EQ(plain->auth_query.cache_ms, AuthQuerySettings().cache_ms);
    const auto full = parse_settings(
        "/etc/f",
        with(
            R"(,"auth_query":{"query":"q","database":"x","user":"y","password_file":"p","cache_ms":7})"
        )
    );
    ASSERT_TRUE(full.has_value()) << full.error().message;
    EXPECT_EQ(full->auth_query.database, "x");
    EXPECT_EQ(full->auth_query.user, "y");
    EXPECT_EQ(full->auth_query.password_file, "/etc/p");
    EXPECT_EQ(full->auth_query.cache_ms, 7U);
    EXPECT_FALSE(parse_settings("f", with(""))->auth_query.is_on());
}

TEST(Settings, NeedsSomethingThatSaysWhoMayLogIn) {
    std::string text = with("");
    const std::string users = R"("users_file":"users.txt",)";
    text.replace(text.find(users), users.size(), "");
    EXPECT_THAT(error_of(text), HasSubstr("says nobody who may log in"));
    text.insert(text.find(R"("home")"), R"("auth_query":{"query":"SELECT 1"},)");
    EXPECT_EQ(error_of(text), "");
}

TEST(Settings, ReadsPasswordsForOldMethods) {
    const auto settings = parse_settings(
        "/etc/f",
        with_upstream(R"({"host":"db","passwords_file":"p","allow_cleartext_password":true})")
    );
    ASSERT_TRUE(settings.has_value()) << settings.error().message;
    EXPECT_EQ(settings->upstream.passwords_file, "/etc/p");
    EXPECT_TRUE(settings->upstream.allow_cleartext_password);
    EXPECT_FALSE(UpstreamSettings().allow_cleartext_password);
}

struct Wrong {
    std::string text;
    std::string pointer;
    std::string reason;
};

class WrongSettings : public ::testing::TestWithParam<Wrong> {};

TEST_P(WrongSettings, IsOneLineThatNamesFilePointerAndReason) {
    const std::string error = error_of(GetParam().text);
    EXPECT_THAT(error, StartsWith("/etc/pgveil/pgveil.json: " + GetParam().pointer + ": "));
    EXPECT_THAT(error, HasSubstr(GetParam().reason));
    EXPECT_THAT(error, ::testing::Not(HasSubstr("\n")));
}

const std::vector<Wrong> kWrong = {
    {"{}", "the document", "the key \"tenant\" is missing"},
    {"{ // open", "line 1", "is not JSON"},
    {with(R"(,"wokers":2)"), "/wokers", "is not a known key"},
    {with(R"(,"workers":"two")"), "/workers", "must be the number of worker threads"},
    {with(R"(,"workers":1.5)"), "/workers", "must be the number"},
    {with(R"(,"workers":-1)"), "/workers", "must be the number"},
    {with(R"(,"limits":{"sesions":1})"), "/limits/sesions", "is not a known key"},
    {with(R"(,"limits":{"sessions":0})"), "/limits/sessions", "1 to 100000"},
    {with(R"(,"http":{"prot":1})"), "/http/prot", "is not a known key"},
    {with(R"(,"http":{"port":65536})"), "/http/port", "1 to 65535"},
    {with(R"(,"http":9643)"), "/http", "where monitoring asks"},
    {with(R"(,"log":{"format":"xml"})"), "/log/format", "text"},
    {with(R"(,"alarms":{"webhook":"file:///etc/passwd"})"), "/alarms/webhook", "http"},
    {with(R"(,"alarms":{"failed_opens":0})"), "/alarms/failed_opens", "1 to 1000000"},
    {with(R"(,"memory":{"mode":"swap"})"), "/memory/mode", "\"mlock\""},
    {with(R"(,"memory":{"arena_bytes":4096})"), "/memory/arena_bytes", "too small"},
    {with(R"(,"tokens":{"max_validity_s":600,"key_epoch_s":60})"),
     "/tokens/key_epoch_s",
     "not longer than max_validity_s"},
    {with(R"(,"seal":{"kind":"tpm","path":"k"})"), "/seal", "stands twice"},
    {with(R"(,"listen":{})"), "/listen", "stands twice"},
    {with("", R"({"mode":"require"})"), "/listen/tls", "needs \"certificate\" and \"key\""},
    {with("", R"({"mode":"prefer"})"), "/listen/tls/mode", "\"allow\""},
    {with("", R"({"mode":"disable","port":1})"), "/listen/tls/port", "is not a known key"},
};

INSTANTIATE_TEST_SUITE_P(All, WrongSettings, ::testing::ValuesIn(kWrong));

}  // namespace
}  // namespace pgveil::config
