#include "proxy/relay/scope_check.hpp"

#include <gtest/gtest.h>

namespace pgveil::relay {
namespace {

using analysis::StatementPlan;

StatementPlan reading(std::vector<std::string> tables) {
    StatementPlan plan;
    plan.kind = analysis::StatementKind::kSelect;
    plan.may_write = false;
    plan.touches_protected = !tables.empty();
    plan.tables = std::move(tables);
    return plan;
}

std::string sqlstate(const share::TokenScope& scope, const StatementPlan& plan) {
    const auto refused = beyond_scope(scope, "nurse", plan);
    return refused ? refused->sqlstate : "";
}

std::string message(const share::TokenScope& scope, const StatementPlan& plan) {
    const auto refused = beyond_scope(scope, "nurse", plan);
    return refused ? refused->message : "";
}

TEST(ScopeCheck, ReadOnlyRefusesWhatMayWrite) {
    const share::TokenScope scope{.read_only = true};
    StatementPlan writing = reading({"public.patients"});
    writing.may_write = true;
    EXPECT_EQ(sqlstate(scope, writing), "42501");
    EXPECT_EQ(
        message(scope, writing),
        "the token of user nurse is for reading only (scope read_only), and this statement writes, "
        "or runs code that may"
    );
    EXPECT_EQ(sqlstate(scope, reading({"public.patients"})), "");
    EXPECT_EQ(sqlstate({}, writing), "");
}

TEST(ScopeCheck, TablesRefuseAllOthersByName) {
    const share::TokenScope scope{.tables = {"public.patients"}};
    EXPECT_EQ(sqlstate(scope, reading({"public.patients"})), "");
    EXPECT_EQ(sqlstate(scope, reading({})), "") << "nothing protected is concerned";
    EXPECT_EQ(sqlstate(scope, reading({"public.patients", "public.visits"})), "42501");
    EXPECT_EQ(
        message(scope, reading({"public.visits"})),
        "the token of user nurse is not for table public.visits (scope tables)"
    );
}

TEST(ScopeCheck, ATableThatNobodyCanNameIsOutsideAList) {
    StatementPlan unknown = reading({});
    unknown.touches_protected = true;
    EXPECT_EQ(sqlstate({.tables = {"public.patients"}}, unknown), "42501");
    EXPECT_EQ(sqlstate({.read_only = true}, unknown), "");
}

TEST(ScopeCheck, TablesOfAMigrationAreForMaintenanceOnly) {
    const StatementPlan migrating = reading({"public.patients", "public.patients__veiled"});
    EXPECT_EQ(sqlstate({}, migrating), "42501");
    EXPECT_EQ(
        message({}, migrating),
        "the token of user nurse is not for table public.patients__veiled, which pgveil migrate is "
        "at work on (scope maintain)"
    );
    EXPECT_EQ(sqlstate({.read_only = true}, migrating), "42501");
    EXPECT_EQ(sqlstate({.maintain = true}, migrating), "");
    EXPECT_EQ(sqlstate({.maintain = true}, reading({"public.patients"})), "");
    EXPECT_EQ(sqlstate({}, reading({"public.patients"})), "") << "control";
}

TEST(ScopeCheck, APlanThatNobodyMadeCountsAsWriting) {
    EXPECT_EQ(sqlstate({.read_only = true}, StatementPlan()), "42501");
}

}  // namespace
}  // namespace pgveil::relay
