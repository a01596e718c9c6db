#include "net/connect.hpp"
#include "net/timer.hpp"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include <optional>
#include <system_error>
#include <thread>
#include <utility>

namespace pgveil::net {

namespace {

using Endpoints = Result<std::vector<Endpoint>>;

/// What the asking coroutine and the thread share. The thread touches it only through work that it
/// posts to the loop, so there is no lock; `waiter` is null once the coroutine has given up.
struct LookUp {
    Waiter* waiter = nullptr;
    std::optional<Endpoints> answer;
};

/// False when the machine has no thread left.
bool start_thread(std::shared_ptr<LookUp> shared, Address address, const Remote& remote) {
    try {
        std::thread([shared = std::move(shared), address = std::move(address), remote] {
            Endpoints answer = look_up(address, false);
            remote.post([shared, answer = std::move(answer)] {
                shared->answer = answer;
                if (shared->waiter != nullptr) {
                    shared->waiter->wake();
                }
            });
        }).detach();
    } catch (const std::system_error&) {
        return false;
    }
    return true;
}

Error not_in_time(const Address& address) {
    return {
        ErrorCode::kTimeout, "cannot resolve host \"" + address.host + "\": not answered in time"};
}

Error no_thread(const Address& address) {
    return {
        ErrorCode::kResolve,
        "cannot resolve host \"" + address.host + "\": the proxy's limit of threads is reached"};
}

/// Waits for the thread or the timeout, whichever comes first.
Awaitable<Endpoints> look_up_in_thread(Loop& loop, Address address, Duration timeout) {
    Waiter waiter(loop);
    Timer timer(loop, [&waiter] { waiter.wake(); });
    timer.set(timeout);
    const auto shared = std::make_shared<LookUp>();
    shared->waiter = &waiter;
    if (!start_thread(shared, address, loop.remote())) {
        co_return no_thread(address);
    }
    std::optional<error_code> failure;
    try {
        co_await waiter.wait();
    } catch (const boost::system::system_error& ended) {
        failure = ended.code();
    }
    shared->waiter = nullptr;
    if (failure) {
        throw boost::system::system_error(*failure);
    }
    if (!shared->answer) {
        co_return not_in_time(address);
    }
    co_return *std::move(shared->answer);
}

}  // namespace

Awaitable<Result<std::vector<Endpoint>>> resolve(
    Loop& loop, std::string host, std::uint16_t port, Duration timeout
) {
    Address address;
    address.host = std::move(host);
    address.port = port;
    if (address.host.starts_with('/')) {
        co_return unix_endpoint(address);
    }
    if (auto numeric = look_up(address, true); numeric.has_value()) {
        co_return numeric;
    }
    co_return co_await look_up_in_thread(loop, std::move(address), timeout);
}

}  // namespace pgveil::net
