#include "proxy/session/login_deadline.hpp"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include <utility>

namespace pgveil::session {

net::Awaitable<Result<ClientIdentity>> authenticate_in_time(
    net::Stream& client, net::Buffer& input, std::string user, KnownSecret secret
) {
    try {
        auto identity =
            co_await authenticate_client(client, input, std::move(user), std::move(secret));
        co_return identity;
    } catch (const boost::system::system_error& ended) {
        if (ended.code() != boost::asio::error::timed_out) {
            throw;
        }
    }
    client.clear_deadline();
    co_return refuse("57014", "canceling authentication due to timeout");
}

}  // namespace pgveil::session
