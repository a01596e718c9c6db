#include "proxy/admin/console_command.hpp"

#include "proxy/admin/console_rights.hpp"

#include <gtest/gtest.h>

#include <string>

namespace pgveil::admin {
namespace {

/// The command in one line, or its SQLSTATE.
std::string read(std::string_view text) {
    const auto command = parse_command(text);
    if (!command.has_value()) {
        return command.error().sqlstate;
    }
    if (const auto* const show = std::get_if<Show>(&*command)) {
        return "SHOW " + std::string(name_of(show->topic));
    }
    if (const auto* const explain = std::get_if<Explain>(&*command)) {
        return "EXPLAIN[" + explain->database + "]" + explain->sql;
    }
    if (const auto* const action = std::get_if<Action>(&*command)) {
        return std::string(tag_of(*command)) + (*action == Action::kDrain ? " slowly" : "");
    }
    if (const auto* const unlock = std::get_if<UnlockUser>(&*command)) {
        return std::string(tag_of(*command)) + "[" + unlock->user + "]";
    }
    if (const auto* const victim = std::get_if<KillClient>(&*command)) {
        return std::string(tag_of(*command)) + "[" + victim->session + "]";
    }
    return "nothing";
}

TEST(ConsoleCommand, ReadsEveryTopic) {
    for (const char* const topic :
         {"STATS",
          "SESSIONS",
          "USERS",
          "COLUMNS",
          "KEYS",
          "CONFIG",
          "VERSION",
          "STATE",
          "AUDIT",
          "LOCKS",
          "HELP"}) {
        EXPECT_EQ(read("SHOW " + std::string(topic)), "SHOW " + std::string(topic));
    }
}

TEST(ConsoleCommand, ReadsWordsInAnyCaseWithBlanksCommentsAndSemicolons) {
    EXPECT_EQ(read("show stats;"), "SHOW STATS");
    EXPECT_EQ(read("\n\tShow -- what\n /* it */ Sessions ; ; "), "SHOW SESSIONS");
    EXPECT_EQ(read("reload;"), "RELOAD");
    EXPECT_EQ(read("PAUSE"), "PAUSE");
    EXPECT_EQ(read("Resume"), "RESUME");
    EXPECT_EQ(read("lock"), "LOCK");
    EXPECT_EQ(read("Unlock;"), "UNLOCK");
}

TEST(ConsoleCommand, ReadsWhichSessionIsToEnd) {
    EXPECT_EQ(read("kill_client S12;"), "KILL_CLIENT[s12]");
    EXPECT_EQ(read("KILL_CLIENT 's12'"), "KILL_CLIENT[s12]");
    EXPECT_EQ(read("KILL_CLIENT"), "42601");
    EXPECT_EQ(read("KILL_CLIENT s1 s2"), "42601");
    EXPECT_EQ(read("KILL s1"), "42601");
}

TEST(ConsoleCommand, ReadsWhoIsToBeUnlocked) {
    EXPECT_EQ(read("unlock user Nurse;"), "UNLOCK USER[nurse]");
    EXPECT_EQ(read("UNLOCK USER 'Nurse 1'"), "UNLOCK USER[Nurse 1]");
    EXPECT_EQ(read("UNLOCK USER \"a\"\"b\""), "UNLOCK USER[a\"b]");
    for (const char* const wrong :
         {"UNLOCK USER", "UNLOCK nurse", "UNLOCK USER a b", "UNLOCK USER ''"}) {
        EXPECT_EQ(read(wrong), "42601") << wrong;
    }
}

TEST(ConsoleCommand, TellsKindsOfShutdownApart) {
    EXPECT_EQ(read("SHUTDOWN"), "SHUTDOWN");
    EXPECT_EQ(read("shutdown wait_for_clients"), "SHUTDOWN slowly");
    EXPECT_EQ(read("SHUTDOWN WAIT_FOR_SERVERS;"), "SHUTDOWN slowly");
    EXPECT_EQ(read("SHUTDOWN soon"), "42601");
}

TEST(ConsoleCommand, FindsNothingInBlanks) {
    EXPECT_EQ(read(""), "nothing");
    EXPECT_EQ(read(" ; -- nothing"), "nothing");
    EXPECT_EQ(read("/* unfinished"), "nothing");
}

TEST(ConsoleCommand, RefusesWhatItDoesNotKnow) {
    for (const char* const text :
         {"SHOW",
          "SHOW tables",
          "SHOW STATS STATS",
          "SHOWSTATS",
          "SELECT 1",
          "SHOW 'STATS'",
          "RELOAD now",
          "PAUSE clinic",
          "DROP TABLE patients",
          "EXPLAIN SELECT 1",
          "$",
          "\"SHOW\""}) {
        EXPECT_EQ(read(text), "42601") << text;
    }
}

TEST(ConsoleCommand, AnErrorQuotesNothing) {
    const auto command = parse_command("SELECT pgveil.add_user('nurse', 'pgva1.secret', 'x')");
    ASSERT_TRUE(command.has_error());
    EXPECT_EQ((command.error().message + command.error().hint).find("secret"), std::string::npos);
}

TEST(ConsoleCommand, TakesTheStatementOfExplainAsItStands) {
    EXPECT_EQ(
        read("EXPLAIN VEIL SELECT 1; SELECT 'a;b' -- c"), "EXPLAIN[]SELECT 1; SELECT 'a;b' -- c"
    );
    EXPECT_EQ(read("explain veil (SELECT 1)"), "EXPLAIN[](SELECT 1)");
    EXPECT_EQ(read("EXPLAIN VEIL ;"), "42601");
    EXPECT_EQ(read("EXPLAIN VEIL"), "42601");
}

TEST(ConsoleCommand, ReadsTheDatabaseOfExplain) {
    EXPECT_EQ(read("EXPLAIN VEIL (DATABASE Clinic) SELECT 1"), "EXPLAIN[clinic]SELECT 1");
    EXPECT_EQ(read("EXPLAIN VEIL (database \"My \"\"DB\") SELECT 1"), "EXPLAIN[My \"DB]SELECT 1");
    EXPECT_EQ(read("EXPLAIN VEIL ( DATABASE 'it''s' )(SELECT 1)"), "EXPLAIN[it's](SELECT 1)");
    EXPECT_EQ(read("EXPLAIN VEIL (DATABASE) SELECT 1"), "42601");
    EXPECT_EQ(read("EXPLAIN VEIL (DATABASE \"open) SELECT 1"), "42601");
    EXPECT_EQ(read("EXPLAIN VEIL (DATABASE clinic)"), "42601");
}

class ConsoleRights : public testing::Test {
protected:
    std::string may(std::string_view user, std::string_view text) const {
        const auto objection = objection_to(*parse_command(text), user, settings_);
        return objection ? objection->sqlstate : "yes";
    }

    config::ConsoleSettings settings_{{"root", "both"}, {"watcher", "both"}};
};

TEST_F(ConsoleRights, AdminsMayDoEverything) {
    for (const char* const text :
         {"SHOW STATS",
          "RELOAD",
          "PAUSE",
          "RESUME",
          "LOCK",
          "UNLOCK",
          "SHUTDOWN",
          "SHUTDOWN WAIT_FOR_CLIENTS",
          "EXPLAIN VEIL SELECT 1",
          ""}) {
        EXPECT_EQ(may("root", text), "yes") << text;
        EXPECT_EQ(may("both", text), "yes") << text;
    }
}

TEST_F(ConsoleRights, StatsUsersMayOnlyShow) {
    for (const char* const text :
         {"RELOAD",
          "PAUSE",
          "RESUME",
          "LOCK",
          "UNLOCK",
          "SHUTDOWN",
          "SHUTDOWN WAIT_FOR_CLIENTS",
          "EXPLAIN VEIL SELECT 1"}) {
        EXPECT_EQ(may("watcher", text), "42501") << text;
    }
    EXPECT_EQ(may("watcher", "SHOW SESSIONS"), "yes");
}

TEST_F(ConsoleRights, OthersMayDoNothing) {
    EXPECT_EQ(may("nurse", "SHOW STATS"), "42501");
    EXPECT_EQ(may("nurse", "SHOW HELP"), "42501");
    EXPECT_EQ(may("nurse", "RELOAD"), "42501");
    EXPECT_EQ(may("ROOT", "SHOW STATS"), "42501");  // names are byte for byte
    EXPECT_EQ(may("", "SHOW STATS"), "42501");
}

TEST_F(ConsoleRights, AReloadTakesThemAway) {
    settings_.admin_users.clear();
    EXPECT_EQ(may("root", "RELOAD"), "42501");
    EXPECT_EQ(may("both", "SHOW STATS"), "yes");
}

}  // namespace
}  // namespace pgveil::admin
