#pragma once

#include "net/http_message.hpp"
#include "net/http_origin.hpp"
#include "net/listener.hpp"
#include "net/loop.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace pgveil::net {

/// What becomes of one request.
struct HttpVerdict {
    std::optional<HttpResponse> refusal;       ///< answered in place of the application
    std::function<void(Stream&)> more_fields;  ///< queues field lines of its own; may be empty
    std::function<void(unsigned)> on_status;   ///< the application's answer; may be empty
};

/// Stands in front of one web application: HTTP/1.1 without TLS from clients, HTTP/1.1 with or
/// without TLS to the application. Bodies stream through in both directions as they are framed, and
/// memory per request is bounded. A client's connection serves one request after the other, each of
/// them judged, while no more than half of the places are taken. The connection to the application
/// is used again for requests of the same client that have no body and may be repeated (GET, HEAD,
/// OPTIONS), and for no others, so that a body whose end is read otherwise there cannot hide a
/// request (RFC 9112 section 11.2).
///
/// A request for a WebSocket is judged and passed on as others; after the application has agreed
/// (101) bytes pass in both directions until one side ends.
///
/// Changes of a head: hop-by-hop fields go (RFC 9110 section 7.6.1), Host becomes the
/// application's, Via is added; Origin and Referer of our own origin become the application's, and
/// Location of an answer the other way round. Refused by itself: what is no request (400), other
/// upgrades (501), CONNECT (501), a target that is no path (400), HTTP/1.0 (505), more clients than
/// there is room for (503), an application that is not there (502).
///
/// Belongs to a loop and its thread: make it before the loop runs, destroy it after run() returned.
class HttpForwarder {
public:
    /// Asked once for each request that is understood, and may change its fields. It throws nothing
    /// but boost::system::system_error.
    using Judge = std::function<Awaitable<HttpVerdict>(HttpRequest& request)>;

    struct Limits {
        std::size_t head_bytes =
            32768;  ///< of a request or an answer, a field half of it; more is 431 or 502
        Duration head_time{30000};  ///< to send a request's head, and between two requests
        std::size_t clients = 64;
    };

    static Result<std::unique_ptr<HttpForwarder>> open(
        Loop& loop, const Address& address, HttpOrigin origin, Judge judge, Limits limits
    );

    HttpForwarder(const HttpForwarder&) = delete;
    HttpForwarder& operator=(const HttpForwarder&) = delete;
    HttpForwarder(HttpForwarder&&) = delete;
    HttpForwarder& operator=(HttpForwarder&&) = delete;
    ~HttpForwarder() = default;

    std::uint16_t port() const noexcept { return listener_->port(); }

private:
    struct Connection;
    struct Exchange;

    HttpForwarder(Loop& loop, HttpOrigin origin, Judge judge, Limits limits);

    void accept(std::unique_ptr<Stream> client);
    Awaitable<void> serve(std::unique_ptr<Stream> client);
    Awaitable<void> converse(Stream& client);
    Awaitable<bool> serve_request(Connection& connection, bool is_admitted);
    Awaitable<void> forward(Exchange& exchange);
    static bool take_kept(Exchange& exchange);
    Awaitable<void> attempt(Exchange& exchange);
    Awaitable<void> pump_request(Exchange& exchange);
    Awaitable<void> read_answer_head(Exchange& exchange);
    Awaitable<void> pump_response(Exchange& exchange);
    bool may_stay(const Exchange& exchange) const;
    void send_request_head(Exchange& exchange) const;
    void send_response_head(Exchange& exchange) const;
    Awaitable<void> finish(Stream& client) const;

    Loop* loop_;
    HttpOrigin origin_;
    Judge judge_;
    Limits limits_;
    std::size_t clients_ = 0;
    std::unique_ptr<Listener> listener_;
};

}  // namespace pgveil::net
