#pragma once

#include "net/listener.hpp"
#include "net/loop.hpp"
#include "proxy/session/bootstrap_endpoint.hpp"
#include "proxy/session/cancel.hpp"
#include "proxy/session/startup.hpp"
#include "proxy/session/upstream_login.hpp"
#include "proxy/session/users_file.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>

namespace pgveil::session::testing_support {

/// The login half of a proxy, with a plain byte pump behind it: what the real session does between
/// the entry points of proxy/session, in the same order.
class SmallProxy {
public:
    struct Setup {
        StartupRules rules;
        std::shared_ptr<const Users> users;
        UpstreamTarget target;
        BootstrapSteps* steps = nullptr;
    };

    explicit SmallProxy(Setup setup);
    SmallProxy(const SmallProxy&) = delete;
    SmallProxy& operator=(const SmallProxy&) = delete;
    SmallProxy(SmallProxy&&) = delete;
    SmallProxy& operator=(SmallProxy&&) = delete;
    ~SmallProxy();

    std::uint16_t port() const { return port_; }

    /// Sessions whose coroutine has not ended.
    int sessions() const { return sessions_; }

private:
    net::Awaitable<void> serve(std::unique_ptr<net::Stream> client);
    net::Awaitable<void> run(net::Stream& client);
    net::Awaitable<void> relay(net::Stream& client, net::Buffer& input, ClientStartup startup);

    Setup setup_;
    CancelGate gate_;
    BootstrapThrottle throttle_;
    net::Loop loop_;
    std::unique_ptr<net::Listener> listener_;
    std::uint16_t port_ = 0;
    std::atomic<int> sessions_{0};
    std::thread thread_;
};

}  // namespace pgveil::session::testing_support
