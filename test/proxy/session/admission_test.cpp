#include "proxy/session/admission.hpp"

#include <gtest/gtest.h>

#include <utility>

namespace pgveil::session {
namespace {

TEST(Counter, CountsByNameWhileThePlacesLive) {
    Counter counter;
    const Counter::Place first = counter.enter("nurse");
    EXPECT_EQ(first.number(), 1U);
    {
        const Counter::Place second = counter.enter("nurse");
        const Counter::Place other = counter.enter("clerk");
        EXPECT_EQ(second.number(), 2U);
        EXPECT_EQ(other.number(), 1U);
        EXPECT_EQ(counter.count("nurse"), 2U);
    }
    EXPECT_EQ(counter.count("nurse"), 1U);
    EXPECT_EQ(counter.count("clerk"), 0U);
    EXPECT_EQ(counter.enter("nurse").number(), 2U);
}

TEST(Counter, APlaceThatMovesIsCountedOnce) {
    Counter counter;
    Counter::Place place;
    EXPECT_EQ(place.number(), 0U);
    place = counter.enter("nurse");
    Counter::Place elsewhere = std::move(place);
    EXPECT_EQ(counter.count("nurse"), 1U);
    elsewhere = counter.enter("clerk");
    EXPECT_EQ(counter.count("nurse"), 0U);
    EXPECT_EQ(counter.count("clerk"), 1U);
}

TEST(Counter, TheFirstBeyondTheLimitExceedsIt) {
    Counter counter;
    const Counter::Place first = counter.enter("nurse");
    const Counter::Place second = counter.enter("nurse");
    EXPECT_FALSE(first.exceeds(1));
    EXPECT_TRUE(second.exceeds(1));
    EXPECT_FALSE(second.exceeds(2));
    EXPECT_FALSE(second.exceeds(0)) << "0 is no limit";
    EXPECT_FALSE(Counter::Place().exceeds(1));
}

TEST(Admission, KnowsTheHostOfAnAddress) {
    EXPECT_EQ(host_of("192.0.2.1:5432"), "192.0.2.1");
    EXPECT_EQ(host_of("[2001:db8::1]:5432"), "[2001:db8::1]");
}

TEST(Admission, ItsErrorsNameWhoAndWhichSetting) {
    const LoginError user = too_many_of("nurse", 5);
    EXPECT_EQ(user.sqlstate, "53300");
    EXPECT_EQ(user.message, "too many connections for role \"nurse\"");
    EXPECT_EQ(user.hint, "The setting limits.sessions_per_user of the proxy allows 5.");
    EXPECT_EQ(
        too_many_from("192.0.2.1", 5).message, "too many connections from address \"192.0.2.1\""
    );
    EXPECT_EQ(too_many_logins(5).sqlstate, "53300");
}

}  // namespace
}  // namespace pgveil::session
