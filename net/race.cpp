#include "net/race.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/this_coro.hpp>

#include <exception>
#include <utility>

namespace pgveil::net {

namespace asio = boost::asio;

Awaitable<void> race(Awaitable<void> first, Awaitable<void> second) {
    const auto executor = co_await asio::this_coro::executor;
    auto left = asio::co_spawn(executor, std::move(first), asio::deferred);
    auto right = asio::co_spawn(executor, std::move(second), asio::deferred);
    auto both = asio::experimental::make_parallel_group(std::move(left), std::move(right));
    const auto [order, left_failure, right_failure] =
        co_await both.async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
    const std::exception_ptr failure = order[0] == 0 ? left_failure : right_failure;
    if (failure) {
        std::rethrow_exception(failure);
    }
}

}  // namespace pgveil::net
