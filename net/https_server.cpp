#include "net/https_server.hpp"

#include "net/http_linger.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/status.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/system/system_error.hpp>

#include <new>
#include <utility>

namespace pgveil::net {

namespace {

namespace http = boost::beast::http;

using BodyParser = http::request_parser<http::string_body>;

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

unsigned number_of(http::status status) {
    return static_cast<unsigned>(status);
}

/// 0: what came is understood.
unsigned refusal_of(const error_code& error) {
    if (!error || error == http::error::need_more) {
        return 0;
    }
    if (error == http::error::body_limit) {
        return number_of(http::status::payload_too_large);
    }
    const bool is_too_long =
        error == http::error::header_limit || error == http::error::buffer_overflow;
    return number_of(
        is_too_long ? http::status::request_header_fields_too_large : http::status::bad_request
    );
}

void take_head(const BodyParser& parser, HttpsRequest& request) {
    const auto text_of = [](const auto& view) {
        return std::string(view.data(), view.size());
    };
    const auto& message = parser.get();
    request.head.method = text_of(message.method_string());
    request.head.target = text_of(message.target());
    for (const auto& field : message) {
        request.head.fields.push_back({text_of(field.name_string()), text_of(field.value())});
    }
    const std::size_t mark = request.head.target.find('?');
    request.path = request.head.target.substr(0, mark);
    request.query =
        mark == std::string::npos ? std::string() : request.head.target.substr(mark + 1);
}

bool expects_continue(const BodyParser& parser) {
    const auto found = parser.get().find(http::field::expect);
    return found != parser.get().end() &&
           is_same_name({found->value().data(), found->value().size()}, "100-continue");
}

}  // namespace

Result<std::unique_ptr<HttpsServer>> HttpsServer::open(
    Loop& loop,
    const Address& address,
    std::shared_ptr<const TlsContext> tls,
    Answer answer,
    HttpsLimits limits
) {
    if (auto free = Listener::check_free(address); !free.has_value()) {
        return free.error();
    }
    std::unique_ptr<HttpsServer> server(
        new HttpsServer(loop, std::move(tls), std::move(answer), limits)
    );
    HttpsServer* const self = server.get();
    auto listener = Listener::open(loop, address, [self](std::unique_ptr<Stream> client) {
        self->accept(std::move(client));
    });
    if (!listener.has_value()) {
        return listener.error();
    }
    server->listener_ = *std::move(listener);
    return server;
}

/// Who has been here longest has had the most time.
void HttpsServer::accept(std::unique_ptr<Stream> client) {
    if (clients_.size() >= limits_.connections) {
        clients_.front()->close();
        clients_.pop_front();
    }
    clients_.push_back(client.get());
    loop_->spawn(serve(std::move(client)));
}

Awaitable<void> HttpsServer::serve(std::unique_ptr<Stream> client) {
    try {
        co_await converse(*client);
    } catch (const boost::system::system_error&) {
        client->close();  // lost, too slow, or its place was needed
    } catch (const std::bad_alloc&) {
        client->close();
    }
    std::erase(clients_, client.get());
    client->close();
}

Awaitable<void> HttpsServer::converse(Stream& client) {
    Buffer input(loop_->buffers());
    client.set_deadline(limits_.time);
    std::shared_ptr<const TlsContext> tls = tls_;
    const Result<void> secured = co_await client.upgrade_to_tls_server(std::move(tls), input);
    if (!secured.has_value()) {
        co_return;
    }
    const std::optional<PeerCertificate> peer = client.peer_certificate();
    bool stays = true;
    while (stays) {
        HttpsRequest request;
        request.peer = peer;
        request.peer_address = client.peer_address();
        client.set_deadline(limits_.idle);
        if (input.empty()) {
            co_await client.readable();
        }
        stays = co_await exchange(client, input, request);
    }
    // Who sends too large a body reads the answer when all of it is out.
    co_await linger(client, input, 2 * limits_.body_bytes);
}

/// One request and its answer. False: the connection ends.
Awaitable<bool> HttpsServer::exchange(Stream& client, Buffer& input, HttpsRequest& request) {
    client.set_deadline(limits_.time);
    const Arrival arrival = co_await read_request(client, input, request);
    const HttpResponse response =
        arrival.refusal == 0 ? respond(request) : error_response(arrival.refusal);
    const bool is_head = request.head.method == "HEAD";
    const std::string text = response_text(response, is_head, arrival.stays);
    client.set_deadline(limits_.time);
    client.send(bytes_of_text(text));
    if (arrival.stays) {
        co_await client.drained();
    } else {
        co_await client.finish_output();
    }
    co_return arrival.stays;
}

/// Throws system_error when the client leaves before its request is whole.
Awaitable<HttpsServer::Arrival> HttpsServer::read_request(
    Stream& client, Buffer& input, HttpsRequest& request
) const {
    BodyParser parser;
    parser.eager(true);
    parser.header_limit(static_cast<std::uint32_t>(limits_.head_bytes));
    parser.body_limit(limits_.body_bytes);
    Arrival arrival;
    bool was_told = false;
    while (!parser.is_done() && arrival.refusal == 0) {
        const ByteView here = input.unparsed();
        error_code error;
        if (!here.empty()) {
            input.advance(parser.put(boost::asio::buffer(here.data(), here.size()), error));
            input.consume_parsed();
        }
        arrival.refusal = refusal_of(error);
        if (arrival.refusal != 0 || parser.is_done()) {
            break;
        }
        if (!was_told && parser.is_header_done() && expects_continue(parser)) {
            client.send(bytes_of_text(kContinue));
            was_told = true;
        }
        co_await client.readable();
        const ReadResult read = client.read_some(input);
        if (read.end && read.bytes == 0) {
            throw boost::system::system_error(http::error::partial_message);
        }
    }
    if (parser.is_header_done()) {
        take_head(parser, request);
    }
    request.body = std::move(parser.get().body());
    arrival.stays = arrival.refusal == 0 && parser.keep_alive();
    co_return arrival;
}

HttpResponse HttpsServer::respond(const HttpsRequest& request) const {
    try {
        return answer_(request);
    } catch (const std::bad_alloc&) {
        return error_response(number_of(http::status::service_unavailable));
    }
}

}  // namespace pgveil::net
