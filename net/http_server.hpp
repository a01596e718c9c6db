#pragma once

#include "net/http_message.hpp"
#include "net/listener.hpp"
#include "net/loop.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace pgveil::net {

/// What a client may take, in bytes, time and number.
struct HttpLimits {
    std::size_t head_bytes = 8192;  ///< request line and fields; more is 431
    Duration time{5000};            ///< to send the request, and again to take the answer
    std::size_t connections = 64;   ///< one more, and the oldest is closed
};

/// A small HTTP/1.1 server (RFC 9112) for machines that ask a process how it is: GET and HEAD of
/// fixed paths, one request per connection, no TLS, no bodies.
///
/// Whatever is not understood is answered 400, another path 404, another method 405 with Allow. A
/// client that sends nothing or slowly is closed when its time is over, or when its place is
/// needed; others do not wait for it.
/// Belongs to a loop and its thread: make it before the loop runs, destroy it after run() returned.
class HttpServer {
public:
    using Answer = std::function<HttpResponse()>;
    using LaterAnswer = std::function<Awaitable<HttpResponse>()>;

    /// @param address port 0 lets the kernel choose: port() tells
    static Result<std::unique_ptr<HttpServer>> open(
        Loop& loop, const Address& address, HttpLimits limits = {}
    );

    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;
    HttpServer(HttpServer&&) = delete;
    HttpServer& operator=(HttpServer&&) = delete;
    ~HttpServer() = default;

    /// What GET of `path` ("/metrics", without a query) gives.
    void answer(std::string path, Answer answer);
    /// The same where the answer takes time. It bounds that itself, and throws nothing but
    /// boost::system::system_error.
    void answer_later(std::string path, LaterAnswer answer);

    std::uint16_t port() const noexcept { return listener_->port(); }

private:
    struct Route {
        std::string path;
        Answer at_once;  ///< empty: later
        LaterAnswer later;
    };

    struct Request {
        unsigned error = 0;  ///< the status to answer; 0: it was understood
        bool is_head = false;
        std::string path;
    };

    HttpServer(Loop& loop, HttpLimits limits) : loop_(&loop), limits_(limits) {}

    void accept(std::unique_ptr<Stream> client);
    Awaitable<void> serve(std::unique_ptr<Stream> client);
    Awaitable<void> converse(Stream& client);
    Awaitable<Request> read_request(Stream& client, Buffer& input) const;
    Awaitable<HttpResponse> respond(const Request& request) const;

    Loop* loop_;
    HttpLimits limits_;
    std::vector<Route> routes_;
    std::list<Stream*> clients_;  ///< oldest first
    std::unique_ptr<Listener> listener_;
};

}  // namespace pgveil::net
