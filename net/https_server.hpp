#pragma once

#include "net/http_message.hpp"
#include "net/listener.hpp"
#include "net/loop.hpp"
#include "net/tls_context.hpp"
#include "net/tls_peer.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>

namespace pgveil::net {

/// What a client may take, in bytes, time and number.
struct HttpsLimits {
    std::size_t head_bytes = 8192;                   ///< request line and fields; more is 431
    std::size_t body_bytes = std::size_t{2} << 20U;  ///< more is 413
    Duration time{10000};                            ///< TLS, one request, one answer: each
    Duration idle{60000};                            ///< until the next request
    std::size_t connections = 256;                   ///< one more, and the oldest is closed
};

/// One whole request.
struct HttpsRequest {
    HttpRequest head;
    std::string path;   ///< of the target, as it came: not decoded
    std::string query;  ///< behind the question mark
    std::string body;
    std::optional<PeerCertificate> peer;  ///< verified; nothing: the client has shown none
    std::string peer_address;
};

/// An HTTP/1.1 server (RFC 9112) behind TLS 1.3, for programs: bodies of bounded size, connections
/// that stay open, clients known by certificate. One function answers everything, at once and on
/// the loop's thread; HEAD gets the head of what it says.
///
/// Bytes that are no request are answered 400, too large ones 413 or 431, and the connection ends.
/// When memory runs out the answer is 503. A client that is slow or silent is closed when its time
/// is over, or when its place is needed.
/// Belongs to a loop and its thread: make it before the loop runs, destroy it after run() returned.
class HttpsServer {
public:
    using Answer = std::function<HttpResponse(const HttpsRequest&)>;

    /// @param address port 0 lets the kernel choose: port() tells
    /// @param tls of load_https_server()
    static Result<std::unique_ptr<HttpsServer>> open(
        Loop& loop,
        const Address& address,
        std::shared_ptr<const TlsContext> tls,
        Answer answer,
        HttpsLimits limits = {}
    );

    HttpsServer(const HttpsServer&) = delete;
    HttpsServer& operator=(const HttpsServer&) = delete;
    HttpsServer(HttpsServer&&) = delete;
    HttpsServer& operator=(HttpsServer&&) = delete;
    ~HttpsServer() = default;

    std::uint16_t port() const noexcept { return listener_->port(); }

    /// For connections from now on. On the loop's thread.
    void use(std::shared_ptr<const TlsContext> tls) { tls_ = std::move(tls); }

private:
    struct Arrival {
        unsigned refusal = 0;  ///< the status to answer; 0: a whole request came
        bool stays = false;    ///< the client goes on with this connection
    };

    HttpsServer(
        Loop& loop, std::shared_ptr<const TlsContext> tls, Answer answer, HttpsLimits limits
    )
        : loop_(&loop), tls_(std::move(tls)), answer_(std::move(answer)), limits_(limits) {}

    void accept(std::unique_ptr<Stream> client);
    Awaitable<void> serve(std::unique_ptr<Stream> client);
    Awaitable<void> converse(Stream& client);
    Awaitable<bool> exchange(Stream& client, Buffer& input, HttpsRequest& request);
    Awaitable<Arrival> read_request(Stream& client, Buffer& input, HttpsRequest& request) const;
    HttpResponse respond(const HttpsRequest& request) const;

    Loop* loop_;
    std::shared_ptr<const TlsContext> tls_;
    Answer answer_;
    HttpsLimits limits_;
    std::list<Stream*> clients_;  ///< oldest first
    std::unique_ptr<Listener> listener_;
};

}  // namespace pgveil::net
