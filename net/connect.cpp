#include "net/connect.hpp"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <cerrno>
#include <sys/socket.h>
#include <utility>

namespace pgveil::net {

namespace {

using StreamPtr = std::unique_ptr<Stream>;

Error connect_error(const std::string& where, const error_code& reason) {
    const bool late = reason == boost::asio::error::timed_out;
    return {
        late ? ErrorCode::kTimeout : ErrorCode::kConnect,
        "cannot connect to " + where + ": " + reason.message()};
}

error_code last_error() noexcept {
    return {errno, boost::system::system_category()};
}

/// Begins to connect; the stream's first wait tells how it ended.
Result<Socket> begin(const Endpoint& endpoint) {
    const int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
    const int descriptor = ::socket(endpoint.family(), type, 0);
    if (descriptor < 0) {
        return connect_error(endpoint.text, last_error());
    }
    Socket socket(descriptor, endpoint.text, true);
    const auto size = static_cast<socklen_t>(endpoint.socket_address.size());
    if (::connect(descriptor, endpoint.native(), size) != 0 && errno != EINPROGRESS) {
        return connect_error(endpoint.text, last_error());
    }
    return socket;
}

Duration time_until(Clock::time_point deadline) {
    return std::chrono::ceil<Duration>(deadline - Clock::now());
}

Awaitable<Result<StreamPtr>> connect_one(Loop& loop, const Endpoint& endpoint, Duration timeout) {
    auto socket = begin(endpoint);
    if (!socket.has_value()) {
        co_return socket.error();
    }
    auto stream = std::make_unique<Stream>(loop, *std::move(socket));
    stream->set_deadline(std::max(timeout, Duration(1)));
    error_code failure;
    try {
        failure = co_await stream->connected();
    } catch (const boost::system::system_error& ended) {
        failure = ended.code();
    }
    if (failure == boost::asio::error::operation_aborted) {
        throw boost::system::system_error(failure);
    }
    if (failure) {
        co_return connect_error(endpoint.text, failure);
    }
    stream->clear_deadline();
    co_return stream;
}

}  // namespace

Awaitable<Result<StreamPtr>> connect(
    Loop& loop, std::vector<Endpoint> endpoints, Duration timeout
) {
    const Clock::time_point deadline = Clock::now() + timeout;
    Result<StreamPtr> outcome(Error(ErrorCode::kConnect, "cannot connect: no address"));
    for (const Endpoint& endpoint : endpoints) {
        outcome = co_await connect_one(loop, endpoint, time_until(deadline));
        if (outcome.has_value() || outcome.error().code == ErrorCode::kTimeout) {
            break;
        }
    }
    co_return outcome;
}

Awaitable<Result<StreamPtr>> connect(
    Loop& loop, std::string host, std::uint16_t port, Duration timeout
) {
    const Clock::time_point deadline = Clock::now() + timeout;
    auto endpoints = co_await resolve(loop, std::move(host), port, timeout);
    if (!endpoints.has_value()) {
        co_return endpoints.error();
    }
    co_return co_await connect(loop, *std::move(endpoints), time_until(deadline));
}

}  // namespace pgveil::net
