#include "proxy/admin/console_config.hpp"

#include <gtest/gtest.h>

#include <string>

namespace pgveil::admin {
namespace {

/// The value, default and changeability of a key as "value|default|yes".
std::string row_of(const Table& table, std::string_view key) {
    for (const Row& row : table.rows) {
        if (std::get<std::string>(row[0]) == key) {
            std::string text;
            for (std::size_t at = 1; at < row.size(); ++at) {
                const auto* const cell = std::get_if<std::string>(&row[at]);
                text += (at > 1 ? "|" : "") + (cell == nullptr ? std::string("NULL") : *cell);
            }
            return text;
        }
    }
    return "missing";
}

TEST(ConsoleConfig, ShowsValuesAndDefaults) {
    config::Settings settings;
    settings.listen.port = 7000;
    settings.timeouts.statement_ms = 5;
    settings.console.admin_users = {"a", "b"};
    settings.http.emplace();
    settings.upstream.hosts = {{"db", 5432}, {"db2", 5433}};
    settings.listen.certificate_users = {{"app.example.org", "app"}};
    settings.listen.unix_permissions = 0770;
    const Table table = show_config(settings);
    EXPECT_EQ(row_of(table, "listen.port"), "7000|6543|no");
    EXPECT_EQ(row_of(table, "timeouts.statement_ms"), "5|0|yes");
    EXPECT_EQ(row_of(table, "admin_users"), "a, b|NULL|yes");
    EXPECT_EQ(row_of(table, "limits.sessions"), "100|100|yes");
    EXPECT_EQ(row_of(table, "log.level"), "info|info|yes");
    EXPECT_EQ(row_of(table, "log.format"), "text|text|yes");
    EXPECT_EQ(row_of(table, "http.port"), "9643|NULL|no");
    EXPECT_EQ(row_of(table, "tokens.open"), "per_request|per_request|no");
    EXPECT_EQ(row_of(table, "upstream.hosts"), "db:5432, db2:5433|NULL|yes");
    EXPECT_EQ(row_of(table, "upstream.target_session_attrs"), "any|any|yes");
    EXPECT_EQ(row_of(table, "listen.tls.certificate_users"), "app.example.org=app|NULL|yes");
    EXPECT_EQ(row_of(table, "listen.unix_socket.permissions"), "0770|0777|no");
}

TEST(ConsoleConfig, NamesWhatOnlyAStartTakesUp) {
    config::Settings running;
    config::Settings fresh;
    fresh.listen.port = 7000;
    fresh.listen.certificate = "/other.crt";
    fresh.tokens.grace_s = 1;
    fresh.limits.sessions = 7;
    EXPECT_EQ(
        changes_for_restart(running, fresh),
        (std::vector<std::string>{"listen.port", "tokens.grace_s"})
    );
    EXPECT_TRUE(changes_for_restart(running, running).empty());
}

TEST(ConsoleConfig, KeepsWhatIsRunning) {
    config::Settings running;
    config::Settings fresh;
    fresh.tenant = "other";
    fresh.listen.host = "::1";
    fresh.listen.port = 7000;
    fresh.listen.unix_directory = "/run/other";
    fresh.listen.unix_permissions = 0700;
    fresh.http.emplace();
    fresh.workers = 9;
    fresh.store_path = "/s";
    fresh.store_database.emplace().hosts.push_back({"a", 1});
    fresh.seal_path = "/k";
    fresh.tokens.key_epoch_s = 5;
    fresh.tokens.open = config::TokenOpening::kPerToken;
    fresh.tokens.require_challenge.users = {"nurse"};
    fresh.memory.mode = config::MemoryMode::kUnlocked;
    fresh.memory.arena_bytes = 5;
    fresh.limits.sessions = 7;
    ASSERT_EQ(changes_for_restart(running, fresh).size(), 19U);
    keep_until_restart(running, fresh);
    EXPECT_TRUE(changes_for_restart(running, fresh).empty());
    EXPECT_EQ(fresh.limits.sessions, 7U);
}

}  // namespace
}  // namespace pgveil::admin
