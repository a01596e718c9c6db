#include "proxy/admin/console_show.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace pgveil::admin {
namespace {

using testing::ElementsAre;

std::string text_of(const Cell& cell) {
    if (const auto* const text = std::get_if<std::string>(&cell)) {
        return *text;
    }
    const auto* const value = std::get_if<std::int64_t>(&cell);
    return value == nullptr ? "NULL" : std::to_string(*value);
}

/// Rows as "cell|cell".
std::vector<std::string> rows_of(const Table& table) {
    std::vector<std::string> rows;
    for (const Row& row : table.rows) {
        EXPECT_EQ(row.size(), table.columns.size());
        std::string line;
        for (const Cell& cell : row) {
            line += (line.empty() ? "" : "|") + text_of(cell);
        }
        rows.push_back(line);
    }
    return rows;
}

std::vector<WorkerFacts> two_workers() {
    WorkerFacts first;
    first.gone["clinic"] = {3, 2, 100, 1000, 30, 40};
    first.gone["old"] = {1, 1, 1, 1, 1, 1};
    SessionFacts session;
    session.id = "s12";
    session.user = "app";
    session.database = "clinic";
    session.state = "idle";
    session.address = "127.0.0.1:5";
    session.server = "db:5432";
    session.tls = "TLSv1.3";
    session.connected_s = 1;
    session.request_s = 61;
    session.server_process = 77;
    session.veil_user = "nurse";
    session.prepared_statements = 4;
    session.totals = {1, 1, 20, 30, 10, 20};
    first.sessions.push_back(session);
    WorkerFacts second;
    session.id = "s7";
    session.user = "gone";
    session.tls = "";
    session.veil_user = "";
    session.server_process = 0;
    second.sessions.push_back(session);
    return {first, second};
}

TEST(ConsoleShow, AddsUpByDatabase) {
    EXPECT_THAT(
        rows_of(show_stats(two_workers())),
        ElementsAre("clinic|2|4|5|140|1060|80|50|20|10", "old|0|1|1|1|1|1|1|1|1")
    );
    EXPECT_TRUE(show_stats({}).rows.empty());
}

TEST(ConsoleShow, ListsSessionsOldestFirst) {
    EXPECT_THAT(
        rows_of(show_sessions(two_workers())),
        ElementsAre(
            "s7|gone|clinic|idle|127.0.0.1:5|db:5432|1970-01-01 00:00:01 UTC|1970-01-01 00:01:01 "
            "UTC|NULL|"
            "NULL|NULL|4|1|1|20|30",
            "s12|app|clinic|idle|127.0.0.1:5|db:5432|1970-01-01 00:00:01 UTC|1970-01-01 00:01:01 "
            "UTC|"
            "TLSv1.3|77|nurse|4|1|1|20|30"
        )
    );
}

TEST(ConsoleShow, ListsUsersWithTheirRights) {
    config::ConsoleSettings settings;
    settings.admin_users = {"root"};
    settings.stats_users = {"watcher"};
    EXPECT_THAT(
        rows_of(show_users({"app", "root", "watcher"}, settings, two_workers())),
        ElementsAre("app|client|1", "gone|client|1", "root|admin|0", "watcher|stats|0")
    );
}

TEST(ConsoleShow, ListsProtectedColumns) {
    const auto policy = config::parse_policy(
        "policy.json",
        R"json({"tables": {"public.patients": {"columns": {
            "name": {"type": "varchar(80)"},
            "ssn": {"type": "text", "search": "equality", "group": "medical", "context": "ssn",
                    "on_missing_key": "null"},
            "note": {"type": "text", "pad_to": 64}}}}})json"
    );
    ASSERT_TRUE(policy.has_value()) << policy.error().message;
    EXPECT_THAT(
        rows_of(show_columns(**policy)),
        ElementsAre(
            "public.patients|name|varchar(80)|randomized|default|public.patients.name|NULL|NULL|"
            "NULL|error",
            "public.patients|note|text|padded|default|public.patients.note|64|NULL|NULL|error",
            "public.patients|ssn|text|equality|medical|ssn|NULL|NULL|NULL|null"
        )
    );
}

TEST(ConsoleShow, ListsKeysWithoutWhatTheyWrap) {
    auto keyring = std::make_shared<share::Keyring>();
    share::KeyringRow row;
    row.group = "default";
    row.tk_epoch = 1;
    row.dek_epoch = 2;
    row.key_id = 4026531840U;
    row.version = 3;
    row.wrap = {'w', 'r', 'a', 'p'};
    row.zero = {'z', 'e', 'r', 'o'};
    keyring->rows.push_back(row);
    row.state = share::KeyState::kRetired;
    keyring->rows.push_back(row);
    EXPECT_THAT(
        rows_of(show_keys(keyring)),
        ElementsAre("default|4026531840|live|1|2|3", "default|4026531840|retired|1|2|3")
    );
    EXPECT_TRUE(show_keys(nullptr).rows.empty());
}

TEST(ConsoleShow, ShowsTheState) {
    StateFacts state;
    state.is_paused = true;
    state.version = "1.2";
    state.loaded_s = 1;
    store::CustodyReport custody;
    custody.closed = true;
    custody.locked = true;
    custody.active_users = 2;
    custody.renewing_users = 1;
    const std::vector<std::string> rows = rows_of(show_state(state, custody));
    EXPECT_THAT(
        rows,
        testing::IsSupersetOf(
            {"active|no",
             "paused|yes",
             "draining|no",
             "locked|yes",
             "version|1.2",
             "started|NULL",
             "loaded|1970-01-01 00:00:01 UTC",
             "bootstrap|closed",
             "active_users|2",
             "renewing_users|1",
             "tenant_fingerprint|NULL"}
        )
    );
    state.is_paused = false;
    EXPECT_THAT(
        rows_of(show_state(state, {})),
        testing::IsSupersetOf({"active|yes", "locked|no", "bootstrap|waits for the tenant"})
    );
}

TEST(ConsoleShow, HelpNamesEveryTopic) {
    std::string help;
    for (const std::string& row : rows_of(show_help())) {
        help += row + "\n";
    }
    for (const Topic topic :
         {Topic::kStats,
          Topic::kSessions,
          Topic::kUsers,
          Topic::kColumns,
          Topic::kKeys,
          Topic::kConfig,
          Topic::kVersion,
          Topic::kState,
          Topic::kHelp}) {
        EXPECT_NE(help.find("SHOW " + std::string(name_of(topic)) + "|"), std::string::npos);
        EXPECT_FALSE(columns_of(topic).empty());
    }
    EXPECT_EQ(rows_of(show_version("9.9")), std::vector<std::string>{"pgveil 9.9"});
}

TEST(ConsoleShow, SplitsAnExplanationIntoLines) {
    EXPECT_THAT(rows_of(explain_table("a\n\nb\n")), ElementsAre("a", "", "b"));
    EXPECT_THAT(rows_of(explain_table("a")), ElementsAre("a"));
    EXPECT_TRUE(explain_table("").rows.empty());
}

TEST(ConsoleShow, CountsBeyondInt8AreTheGreatest) {
    EXPECT_EQ(text_of(number(~std::uint64_t{0})), "9223372036854775807");
}

}  // namespace
}  // namespace pgveil::admin
