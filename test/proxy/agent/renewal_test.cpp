#include "proxy/agent/renewal.hpp"

#include <gtest/gtest.h>

namespace pgveil::agent {

using wire::TransactionStatus;

namespace {

constexpr auto kIdle = TransactionStatus::kIdle;
constexpr auto kOpen = TransactionStatus::kInTransaction;
constexpr auto kFailed = TransactionStatus::kFailed;

/// Given everything at time 1000, for 60 s.
struct Given : Renewal {
    Given() { given(Due::kEverything, 1000, 60, kIdle); }
};

}  // namespace

TEST(Renewal, ASessionBeginsWithNothing) {
    EXPECT_EQ(Renewal().due(0, kIdle), Due::kEverything);
}

TEST(Renewal, ATokenIsRenewedWhenItIsHalfOver) {
    const Given renewal;
    EXPECT_EQ(renewal.due(1029, kIdle), Due::kNothing);
    EXPECT_EQ(renewal.due(1030, kIdle), Due::kToken);
    EXPECT_EQ(renewal.due(1049, kOpen), Due::kNothing) << "it may want to choose its isolation";
    EXPECT_EQ(renewal.due(1050, kOpen), Due::kToken);
    EXPECT_EQ(renewal.due(1050, kFailed), Due::kNothing) << "a failed transaction takes no SET";
}

TEST(Renewal, WhatPoolsSayTakesEverythingAway) {
    for (const char* const tag : {"RESET", "DISCARD ALL"}) {
        Given renewal;
        renewal.on_command(tag);
        EXPECT_EQ(renewal.due(1001, kIdle), Due::kEverything) << tag;
    }
    Given renewal;
    for (const char* const tag : {"SET", "DISCARD TEMP", "SELECT 1", "ROLLBACK"}) {
        renewal.on_command(tag);
        EXPECT_EQ(renewal.due(1001, kIdle), Due::kNothing) << tag;
    }
}

TEST(Renewal, ARollbackTakesWhatItsTransactionWasGiven) {
    Given renewal;
    renewal.given(Due::kToken, 1030, 60, kOpen);
    EXPECT_EQ(renewal.due(1031, kOpen), Due::kNothing);
    renewal.on_command("ROLLBACK");  // to a savepoint: still open
    EXPECT_EQ(renewal.due(1031, kOpen), Due::kEverything);
}

TEST(Renewal, ATransactionThatEndsSomehowMayHaveUndoneIt) {
    Given renewal;
    renewal.given(Due::kToken, 1030, 60, kOpen);
    renewal.on_command("COMMIT");
    renewal.on_status(kIdle);
    EXPECT_EQ(renewal.due(1031, kIdle), Due::kEverything);
    renewal.given(Due::kEverything, 1031, 60, kIdle);
    renewal.on_status(kIdle);
    EXPECT_EQ(renewal.due(1032, kIdle), Due::kNothing);
}

TEST(Renewal, OneTransactionIsGivenNoMoreThanTheProxyRemembers) {
    Given renewal;
    for (int i = 0; i < Renewal::kInTransactionMax; ++i) {
        ASSERT_EQ(renewal.due(2000 + i * 60, kOpen), Due::kToken);
        renewal.given(Due::kToken, 2000 + i * 60, 60, kOpen);
    }
    EXPECT_EQ(renewal.due(9000, kOpen), Due::kNothing);
    renewal.on_status(kIdle);
    EXPECT_EQ(renewal.due(9000, kIdle), Due::kEverything);
}

TEST(Renewal, ARefusalIsAReasonToGiveEverythingAgain) {
    Given renewal;
    renewal.on_refused();
    EXPECT_EQ(renewal.due(1001, kIdle), Due::kEverything);
}

}  // namespace pgveil::agent
