#include "test/net/harness.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>

#include <algorithm>
#include <optional>
#include <thread>

namespace pgveil::net {

namespace {

namespace error = boost::asio::error;

using namespace boost::asio::experimental::awaitable_operators;

TEST(Loop, RunsWorkPostedFromAnotherThreadInOrder) {
    Loop loop;
    std::vector<int> seen;
    std::thread other([remote = loop.remote(), &seen, &loop] {
        for (int i = 0; i < 1000; ++i) {
            remote.post([&seen, i] { seen.push_back(i); });
        }
        loop.stop();
    });
    loop.run();
    other.join();
    ASSERT_EQ(seen.size(), 1000U);
    EXPECT_TRUE(std::ranges::is_sorted(seen));
}

TEST(Loop, DropsWorkPostedAfterItsEnd) {
    std::optional<Remote> remote;
    {
        const Loop loop;
        remote = loop.remote();
    }
    remote->post([] { FAIL(); });
}

TEST(Loop, StopsBeforeItHasBegunToRun) {
    Loop loop;
    loop.stop();
    loop.run();
    EXPECT_TRUE(loop.is_stopping());
}

TEST(Loop, FiresTimersInOrderAndNotEarly) {
    Loop loop;
    std::vector<int> fired;
    const auto begun = Clock::now();
    Timer late(loop, [&] {
        fired.push_back(2);
        loop.stop();
    });
    Timer early(loop, [&] { fired.push_back(1); });
    Timer cleared(loop, [&] { fired.push_back(3); });
    late.set(Duration(30));
    early.set(Duration(10));
    cleared.set(Duration(20));
    cleared.clear();
    loop.run();
    EXPECT_EQ(fired, (std::vector<int>{1, 2}));
    EXPECT_GE(Clock::now() - begun, Duration(30));
}

TEST(Loop, ReplacesASettingOfATimer) {
    Loop loop;
    int fired = 0;
    Timer timer(loop, [&] {
        ++fired;
        loop.stop();
    });
    timer.set(Duration(1));
    timer.set(Duration(20));
    const auto begun = Clock::now();
    loop.run();
    EXPECT_EQ(fired, 1);
    EXPECT_GE(Clock::now() - begun, Duration(20));
}

Awaitable<void> wait_and_note(Loop& loop, std::vector<error_code>& ends) {
    Waiter waiter(loop);
    ends.push_back(co_await error_of(waiter.wait()));
}

TEST(Loop, EndsEveryWaitWhenItStops) {
    Loop loop;
    std::vector<error_code> ends;
    for (int i = 0; i < 10; ++i) {
        loop.spawn(wait_and_note(loop, ends));
    }
    loop.stop();
    loop.run();
    EXPECT_EQ(ends, std::vector<error_code>(10, error::operation_aborted));
}

TEST(Loop, EndsItsCoroutinesAlsoWhenItNeverRan) {
    std::vector<error_code> ends;
    {
        Loop loop;
        loop.spawn(wait_and_note(loop, ends));
    }
    EXPECT_EQ(ends.size(), 1U);
}

Awaitable<void> fail_after(Loop& loop, Duration time) {
    co_await loop.sleep(time);
    throw boost::system::system_error(error::connection_reset);
}

Awaitable<void> wait_forever(Loop& loop, bool& was_cancelled) {
    Waiter waiter(loop);
    was_cancelled = co_await error_of(waiter.wait()) == error::operation_aborted;
}

TEST(Loop, CancelsTheOtherSideWhenOneOfTwoFails) {
    Harness harness;
    bool was_cancelled = false;
    harness.run([&]() -> Awaitable<void> {
        const error_code code = co_await error_of(
            fail_after(harness.loop, Duration(1)) && wait_forever(harness.loop, was_cancelled)
        );
        EXPECT_EQ(code, error::connection_reset);
    });
    EXPECT_TRUE(was_cancelled);
}

Awaitable<void> count_turns(Loop& loop, int& turns, const bool& done) {
    while (!done) {
        ++turns;
        co_await loop.yield();
    }
}

TEST(Loop, LetsOthersRunWhenACoroutineYields) {
    Harness harness;
    int turns = 0;
    bool done = false;
    harness.loop.spawn(count_turns(harness.loop, turns, done));
    harness.run([&]() -> Awaitable<void> {
        for (int i = 0; i < 100; ++i) {
            co_await harness.loop.yield();
        }
        co_await harness.loop.sleep(Duration(2));
        done = true;
    });
    EXPECT_GE(turns, 100);
}

Awaitable<void> end_with_reset() {
    throw boost::system::system_error(error::connection_reset);
    co_return;
}

TEST(Loop, OutlivesACoroutineThatLostItsNetwork) {
    Harness harness;
    harness.loop.spawn(end_with_reset());
    harness.run([&]() -> Awaitable<void> { co_await harness.loop.sleep(Duration(1)); });
}

}  // namespace

}  // namespace pgveil::net
