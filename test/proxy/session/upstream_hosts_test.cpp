#include "proxy/session/upstream_hosts.hpp"

#include "proxy/session/cancel.hpp"
#include "proxy/session/cancel_routes.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace pgveil::session {
namespace {

using config::SessionAttrs;

UpstreamGreeting greeting(const std::string& standby, const std::string& read_only) {
    UpstreamGreeting result;
    result.parameters["in_hot_standby"] = standby;
    result.parameters["default_transaction_read_only"] = read_only;
    return result;
}

TEST(SessionAttrs, AreJudgedAsLibpqDoes) {
    const UpstreamGreeting primary = greeting("off", "off");
    const UpstreamGreeting quiet = greeting("off", "on");
    const UpstreamGreeting standby = greeting("on", "off");
    const auto fits = [](const UpstreamGreeting& server, SessionAttrs attrs) {
        return !reason_against(server, attrs).has_value();
    };

    struct Row {
        SessionAttrs attrs;
        bool primary;
        bool quiet;
        bool standby;
    };

    for (const Row& row : std::vector<Row>{
             {SessionAttrs::kAny, true, true, true},
             {SessionAttrs::kReadWrite, true, false, false},
             {SessionAttrs::kReadOnly, false, true, true},
             {SessionAttrs::kPrimary, true, true, false},
             {SessionAttrs::kStandby, false, false, true},
             {SessionAttrs::kPreferStandby, false, false, true}}) {
        EXPECT_EQ(fits(primary, row.attrs), row.primary) << static_cast<int>(row.attrs);
        EXPECT_EQ(fits(quiet, row.attrs), row.quiet) << static_cast<int>(row.attrs);
        EXPECT_EQ(fits(standby, row.attrs), row.standby) << static_cast<int>(row.attrs);
    }
}

TEST(SessionAttrs, NeedAServerThatSaysWhatItIs) {
    const UpstreamGreeting silent;
    EXPECT_FALSE(reason_against(silent, SessionAttrs::kAny).has_value());
    EXPECT_TRUE(reason_against(silent, SessionAttrs::kPrimary).has_value());
    EXPECT_TRUE(reason_against(silent, SessionAttrs::kStandby).has_value());
}

TEST(Hosts, TheNextIsTriedForServersThatAreNotThereOnly) {
    EXPECT_TRUE(is_worth_another_host(refuse("08006", "could not reach")));
    EXPECT_TRUE(is_worth_another_host(refuse("57P03", "the database system is starting up")));
    EXPECT_FALSE(is_worth_another_host(refuse("28P01", "password authentication failed")));
    EXPECT_FALSE(is_worth_another_host(refuse("3D000", "no such database")));
}

UpstreamHosts three_hosts(SessionAttrs attrs = SessionAttrs::kAny) {
    UpstreamHosts hosts;
    hosts.attrs = attrs;
    for (const char* const name : {"a", "b", "c"}) {
        UpstreamTarget target;
        target.host = name;
        hosts.targets.push_back(target);
    }
    return hosts;
}

using Indices = std::vector<std::size_t>;

TEST(Hosts, ThoseThatFailedAreTriedLastForAWhile) {
    const UpstreamHosts hosts = three_hosts();
    HostOrder order;
    const net::Clock::time_point now = net::Clock::now();
    EXPECT_EQ(order.order(hosts, now), (Indices{0, 1, 2}));
    order.note_failure(hosts.targets[0], now);
    EXPECT_EQ(order.order(hosts, now), (Indices{1, 2, 0}));
    EXPECT_TRUE(order.has_failed_lately(hosts.targets[0], now));
    EXPECT_EQ(order.order(hosts, now + HostOrder::kAvoided), (Indices{0, 1, 2}));
    EXPECT_FALSE(order.has_failed_lately(hosts.targets[0], now + HostOrder::kAvoided));
    order.note_failure(hosts.targets[1], now);
    EXPECT_EQ(order.order(hosts, now), (Indices{2, 0, 1}));
    order.note_success(hosts.targets[0]);
    EXPECT_EQ(order.order(hosts, now), (Indices{0, 2, 1}));
}

TEST(Hosts, ThoseOfAnotherKindAreTriedAfterTheOthersAndBeforeThoseThatFailed) {
    const UpstreamHosts writing = three_hosts(SessionAttrs::kReadWrite);
    HostOrder order;
    const net::Clock::time_point now = net::Clock::now();
    order.note_other_kind(writing.targets[0], SessionAttrs::kReadWrite, now);
    EXPECT_EQ(order.order(writing, now), (Indices{1, 2, 0}));
    EXPECT_FALSE(order.has_failed_lately(writing.targets[0], now));
    // Settings that were reloaded ask for what it is.
    EXPECT_EQ(order.order(three_hosts(SessionAttrs::kStandby), now), (Indices{0, 1, 2}));
    order.note_failure(writing.targets[1], now);
    EXPECT_EQ(order.order(writing, now), (Indices{2, 0, 1}));
    EXPECT_EQ(order.order(writing, now + HostOrder::kAvoided), (Indices{0, 1, 2}));
    order.note_success(writing.targets[0]);
    EXPECT_EQ(order.order(writing, now), (Indices{0, 2, 1}));
}

TEST(Hosts, OnlyThoseOfLateAreRemembered) {
    HostOrder order;
    net::Clock::time_point now = net::Clock::now();
    UpstreamTarget target;
    for (int number = 0; number < 100; ++number) {
        target.host = "host" + std::to_string(number);
        order.note_failure(target, now);
        now += HostOrder::kAvoided / 4;
        EXPECT_LE(order.remembered(), 4U);
    }
}

TEST(CancelGate, LetsNoMoreInThanItsLimit) {
    CancelGate gate(2);
    EXPECT_TRUE(gate.enter());
    EXPECT_TRUE(gate.enter());
    EXPECT_FALSE(gate.enter());
    EXPECT_EQ(gate.under_way(), 2U);
    gate.leave();
    EXPECT_TRUE(gate.enter());
}

TEST(CancelRoutes, KnowTheServerOfAKeyWhileItsSessionLives) {
    CancelRoutes routes;
    const CancelKey first{7, core::Bytes(4, 1)};
    const CancelKey second{7, core::Bytes(256, 1)};
    UpstreamTarget target;
    target.host = "a";
    routes.add(first, target);
    target.host = "b";
    routes.add(second, target);
    ASSERT_TRUE(routes.find(first).has_value());
    EXPECT_EQ(routes.find(first)->host, "a");
    EXPECT_EQ(routes.find(second)->host, "b");
    routes.remove(first);
    EXPECT_FALSE(routes.find(first).has_value());
    EXPECT_TRUE(routes.find(second).has_value());
}

}  // namespace
}  // namespace pgveil::session
