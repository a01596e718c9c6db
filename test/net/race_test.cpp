#include "net/race.hpp"

#include "test/net/harness.hpp"

#include <boost/asio/error.hpp>

#include <string>

namespace pgveil::net {

namespace {

namespace error = boost::asio::error;

Awaitable<void> ends(Loop& loop, Duration after) {
    co_await loop.sleep(after);
}

Awaitable<void> fails(Loop& loop, Duration after, error_code with) {
    co_await loop.sleep(after);
    throw boost::system::system_error(with);
}

/// Waits for what never comes, and notes how the wait ended.
Awaitable<void> waits(Loop& loop, error_code& ended) {
    try {
        co_await loop.sleep(Duration(60000));
    } catch (const boost::system::system_error& woken) {
        ended = woken.code();
        throw;
    }
}

constexpr Duration kShort{5};

TEST(Race, EndsWithTheFirstAndCancelsTheOther) {
    Harness harness;
    harness.run([&]() -> Awaitable<void> {
        error_code ended;
        co_await race(ends(harness.loop, kShort), waits(harness.loop, ended));
        EXPECT_EQ(ended, error::operation_aborted);
        ended = error_code();
        co_await race(waits(harness.loop, ended), ends(harness.loop, kShort));
        EXPECT_EQ(ended, error::operation_aborted);
    });
}

TEST(Race, RethrowsTheFirstFailureThoughTheOtherFailsToo) {
    Harness harness;
    harness.run([&]() -> Awaitable<void> {
        error_code ended;
        const error_code reset = error::connection_reset;
        auto left = race(fails(harness.loop, kShort, reset), waits(harness.loop, ended));
        EXPECT_EQ(co_await error_of(std::move(left)), reset);
        EXPECT_EQ(ended, error::operation_aborted);
        auto right = race(waits(harness.loop, ended), fails(harness.loop, kShort, reset));
        EXPECT_EQ(co_await error_of(std::move(right)), reset);
    });
}

TEST(Race, DropsWhatTheCancelledOneThrowsWhenTheFirstEndedWell) {
    Harness harness;
    harness.run([&]() -> Awaitable<void> {
        error_code ended;
        auto both = race(ends(harness.loop, kShort), waits(harness.loop, ended));
        EXPECT_EQ(co_await error_of(std::move(both)), error_code());
    });
}

}  // namespace

}  // namespace pgveil::net
