#include "proxy/session/bootstrap_throttle.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace pgveil::session {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;

const BootstrapThrottle::Clock::time_point kStart{};

TEST(BootstrapThrottle, DoublesTheDelayPerSourceUpToALimit) {
    BootstrapThrottle throttle;
    std::vector<milliseconds::rep> delays;
    for (int attempt = 0; attempt < 8; ++attempt) {
        delays.push_back(throttle.on_wrong_password("192.0.2.1", kStart).delay().count());
    }
    EXPECT_EQ(
        delays, (std::vector<milliseconds::rep>{500, 1000, 2000, 4000, 8000, 16000, 16000, 16000})
    );
    EXPECT_EQ(throttle.on_wrong_password("192.0.2.2", kStart).delay(), milliseconds(500));
}

TEST(BootstrapThrottle, ForgetsAfterARightPasswordAndAfterQuiet) {
    BootstrapThrottle throttle;
    throttle.on_wrong_password("192.0.2.1", kStart);
    throttle.on_wrong_password("192.0.2.1", kStart);
    throttle.on_right_password("192.0.2.1");
    EXPECT_EQ(throttle.on_wrong_password("192.0.2.1", kStart).delay(), milliseconds(500));
    const auto later = kStart + minutes(16);
    EXPECT_EQ(throttle.on_wrong_password("192.0.2.1", later).delay(), milliseconds(500));
    EXPECT_EQ(throttle.on_wrong_password("192.0.2.1", later).delay(), milliseconds(1000));
}

TEST(BootstrapThrottle, BoundsTheAnswersThatWait) {
    BootstrapThrottle::Limits limits;
    limits.waiting = 2;
    BootstrapThrottle throttle(limits);
    {
        const auto first = throttle.on_wrong_password("192.0.2.1", kStart);
        const auto second = throttle.on_wrong_password("192.0.2.2", kStart);
        EXPECT_GT(first.delay() + second.delay(), milliseconds(0));
        EXPECT_EQ(throttle.on_wrong_password("192.0.2.3", kStart).delay(), milliseconds(0));
    }
    EXPECT_EQ(throttle.on_wrong_password("192.0.2.3", kStart).delay(), milliseconds(1000));
}

TEST(BootstrapThrottle, BoundsTheSourcesItRemembers) {
    BootstrapThrottle::Limits limits;
    limits.sources = 2;
    BootstrapThrottle throttle(limits);
    throttle.on_wrong_password("a", kStart);
    throttle.on_wrong_password("b", kStart + milliseconds(1));
    throttle.on_wrong_password("c", kStart + milliseconds(2));
    EXPECT_EQ(
        throttle.on_wrong_password("b", kStart + milliseconds(3)).delay(), milliseconds(1000)
    );
    EXPECT_EQ(throttle.on_wrong_password("a", kStart + milliseconds(4)).delay(), milliseconds(500));
}

}  // namespace
}  // namespace pgveil::session
