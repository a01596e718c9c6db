#include "proxy/session/activity.hpp"

#include <gtest/gtest.h>

namespace pgveil::session {
namespace {

/// A session that is looked at at milliseconds of a clock of its own.
class ActivityTest : public testing::Test {
protected:
    static Activity::Time at(int milliseconds) {
        return Activity::Time() + net::Duration(milliseconds);
    }

    void see(int milliseconds, bool awaits_answer, bool in_transaction, std::uint64_t answered) {
        activity_.observe({awaits_answer, in_transaction, answered}, at(milliseconds));
    }

    /// The moment in milliseconds, or -1.
    std::int64_t limit() const {
        const auto moment = time_limit(activity_, settings_);
        return moment ? std::chrono::duration_cast<net::Duration>(*moment - at(0)).count() : -1;
    }

    Activity activity_{at(0)};
    config::TimeoutSettings settings_{
        .idle_ms = 1000, .idle_in_transaction_ms = 200, .statement_ms = 50};
};

TEST_F(ActivityTest, BeginsIdle) {
    EXPECT_EQ(activity_.phase(), Phase::kIdle);
    EXPECT_EQ(limit(), 1000);
    see(700, false, false, 0);  // nothing has happened
    EXPECT_EQ(limit(), 1000);
}

TEST_F(ActivityTest, EachPhaseHasItsLimit) {
    see(10, true, false, 0);
    EXPECT_EQ(activity_.phase(), Phase::kActive);
    EXPECT_EQ(limit(), 60);
    see(30, false, true, 1);
    EXPECT_EQ(activity_.phase(), Phase::kIdleInTransaction);
    EXPECT_EQ(limit(), 230);
    see(40, false, false, 2);
    EXPECT_EQ(limit(), 1040);
}

TEST_F(ActivityTest, ZeroIsNoLimit) {
    settings_ = config::TimeoutSettings();
    for (const bool active : {true, false}) {
        see(10, active, true, 1);
        EXPECT_EQ(limit(), -1);
    }
}

TEST_F(ActivityTest, ALongAnswerDoesNotBeginAnew) {
    see(10, true, false, 0);
    see(40, true, false, 0);  // rows came
    EXPECT_EQ(limit(), 60);
}

TEST_F(ActivityTest, TheNextRequestOfAPipelineDoes) {
    see(10, true, false, 0);
    see(40, true, false, 1);
    EXPECT_EQ(limit(), 90);
}

TEST_F(ActivityTest, AddsUpTimes) {
    see(10, true, false, 0);
    see(30, false, true, 1);  // BEGIN took 20 ms
    see(100, true, true, 1);
    see(105, false, false, 2);  // COMMIT 5 ms, the transaction 95 ms
    see(200, true, false, 2);
    see(201, false, false, 3);  // one more of 1 ms
    EXPECT_EQ(activity_.request_us(), 26'000U);
    EXPECT_EQ(activity_.transaction_us(), 96'000U);
}

TEST_F(ActivityTest, NamesArePostgresOwn) {
    EXPECT_EQ(name_of(Phase::kIdle), "idle");
    EXPECT_EQ(name_of(Phase::kActive), "active");
    EXPECT_EQ(name_of(Phase::kIdleInTransaction), "idle in transaction");
}

}  // namespace
}  // namespace pgveil::session
