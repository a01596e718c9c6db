#include "proxy/metrics/counter.hpp"

#include "proxy/metrics/histogram.hpp"
#include "proxy/metrics/sqlstate_counter.hpp"

#include <gtest/gtest.h>

#include <string>
#include <thread>

namespace pgveil::metrics {

namespace {

using std::chrono::microseconds;
using std::chrono::seconds;

Histogram::Reading reading_of(const Histogram& histogram) {
    Histogram::Reading reading;
    histogram.add_to(reading);
    return reading;
}

SqlstateCounter::Reading reading_of(const SqlstateCounter& counter) {
    SqlstateCounter::Reading reading;
    counter.add_to(reading);
    return reading;
}

TEST(Counter, AddsUp) {
    Counter counter;
    counter.add();
    counter.add(41);
    EXPECT_EQ(counter.value(), 42U);
}

TEST(Counter, IsReadByOtherThreadsWhileOneAdds) {
    constexpr std::uint64_t kTimes = 200'000;
    Counter counter;
    std::thread writer([&counter] {
        for (std::uint64_t i = 0; i < kTimes; ++i) {
            counter.add();
        }
    });
    std::uint64_t last = 0;
    while (last < kTimes) {
        const std::uint64_t now = counter.value();
        ASSERT_GE(now, last) << "a counter never goes back";
        last = now;
    }
    writer.join();
    EXPECT_EQ(counter.value(), kTimes);
}

TEST(Histogram, ABoundBelongsToItsBucket) {
    Histogram histogram;
    histogram.observe(Histogram::kBounds[3]);
    histogram.observe(Histogram::kBounds[3] + nanoseconds(1));
    const Histogram::Reading reading = reading_of(histogram);
    EXPECT_EQ(reading.counts[3], 1U);
    EXPECT_EQ(reading.counts[4], 1U);
}

TEST(Histogram, SumsAndCountsWhatWasObserved) {
    Histogram histogram;
    histogram.observe(nanoseconds(0));
    histogram.observe(microseconds(30));
    histogram.observe(seconds(3600));
    const Histogram::Reading reading = reading_of(histogram);
    EXPECT_EQ(reading.count(), 3U);
    EXPECT_EQ(reading.sum, seconds(3600) + microseconds(30));
    EXPECT_EQ(reading.counts.front(), 1U);
    EXPECT_EQ(reading.counts.back(), 1U) << "beyond the last bound";
}

TEST(Histogram, AClockThatWentBackCountsAsNoTime) {
    Histogram histogram;
    histogram.observe(nanoseconds(-5));
    EXPECT_EQ(reading_of(histogram).sum, nanoseconds(0));
    EXPECT_EQ(reading_of(histogram).count(), 1U);
}

TEST(Histogram, SeveralAreReadTogether) {
    Histogram first;
    Histogram second;
    first.observe(microseconds(1));
    second.observe(microseconds(1));
    Histogram::Reading together = reading_of(first);
    second.add_to(together);
    EXPECT_EQ(together.count(), 2U);
    EXPECT_EQ(together.sum, microseconds(2));
}

TEST(Histogram, BoundsAscend) {
    for (std::size_t i = 1; i < Histogram::kBounds.size(); ++i) {
        EXPECT_LT(Histogram::kBounds.at(i - 1), Histogram::kBounds.at(i));
    }
}

TEST(Stopwatch, ObservesOnceWhenItEnds) {
    Histogram histogram;
    {
        const Stopwatch watch(histogram);
        EXPECT_EQ(reading_of(histogram).count(), 0U);
    }
    EXPECT_EQ(reading_of(histogram).count(), 1U);
}

TEST(Stopwatch, IsSilentIfNothingWasDone) {
    Histogram histogram;
    Counter done;
    done.add(7);
    { const Stopwatch watch(histogram, done); }
    EXPECT_EQ(reading_of(histogram).count(), 0U);
    {
        const Stopwatch watch(histogram, done);
        done.add();
    }
    EXPECT_EQ(reading_of(histogram).count(), 1U);
}

TEST(SqlstateCounter, CountsEachApart) {
    SqlstateCounter counter;
    counter.add("0A000");
    counter.add("28000");
    counter.add("0A000");
    const SqlstateCounter::Reading expected = {{"0A000", 2}, {"28000", 1}};
    EXPECT_EQ(reading_of(counter), expected);
}

TEST(SqlstateCounter, WhatIsNoSqlstateIsOther) {
    SqlstateCounter counter;
    for (const char* const text : {"", "0a000", "0A00", "0A0000", "a\"\n1,", "0A 00"}) {
        counter.add(text);
    }
    counter.add(std::string("0A\00000", 6).substr(0, 5));
    const SqlstateCounter::Reading expected = {{"other", 7}};
    EXPECT_EQ(reading_of(counter), expected);
}

TEST(SqlstateCounter, MakesNoMoreLabelsThanItsLimit) {
    SqlstateCounter counter;
    for (std::size_t i = 0; i < 10 * SqlstateCounter::kMax; ++i) {
        counter.add(std::to_string(10'000 + i));
    }
    counter.add("10000");  // positive control: one that has its place still counts there
    const SqlstateCounter::Reading reading = reading_of(counter);
    EXPECT_EQ(reading.size(), SqlstateCounter::kMax + 1);
    EXPECT_EQ(reading.at("other"), 9 * SqlstateCounter::kMax);
    EXPECT_EQ(reading.at("10000"), 2U);
}

}  // namespace

}  // namespace pgveil::metrics
