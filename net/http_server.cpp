#include "net/http_server.hpp"

#include "net/http_linger.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/status.hpp>
#include <boost/beast/http/verb.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <new>
#include <utility>

namespace pgveil::net {

namespace {

namespace http = boost::beast::http;

using Parser = http::request_parser<http::empty_body>;

unsigned code_of(http::status status) {
    return static_cast<unsigned>(status);
}

/// 0: the head is understood as far as it came.
unsigned status_of(const error_code& error) {
    if (!error || error == http::error::need_more) {
        return 0;
    }
    const bool is_too_long =
        error == http::error::header_limit || error == http::error::buffer_overflow;
    return code_of(
        is_too_long ? http::status::request_header_fields_too_large : http::status::bad_request
    );
}

std::string path_of(std::string_view target) {
    return std::string(target.substr(0, target.find('?')));
}

}  // namespace

Result<std::unique_ptr<HttpServer>> HttpServer::open(
    Loop& loop, const Address& address, HttpLimits limits
) {
    if (auto free = Listener::check_free(address); !free.has_value()) {
        return free.error();
    }
    std::unique_ptr<HttpServer> server(new HttpServer(loop, limits));
    HttpServer* const self = server.get();
    auto listener = Listener::open(loop, address, [self](std::unique_ptr<Stream> client) {
        self->accept(std::move(client));
    });
    if (!listener.has_value()) {
        return listener.error();
    }
    server->listener_ = *std::move(listener);
    return server;
}

void HttpServer::answer(std::string path, Answer answer) {
    routes_.push_back({std::move(path), std::move(answer), {}});
}

void HttpServer::answer_later(std::string path, LaterAnswer answer) {
    routes_.push_back({std::move(path), {}, std::move(answer)});
}

/// Who has been here longest has had the most time.
void HttpServer::accept(std::unique_ptr<Stream> client) {
    if (clients_.size() >= limits_.connections) {
        clients_.front()->close();
        clients_.pop_front();
    }
    clients_.push_back(client.get());
    loop_->spawn(serve(std::move(client)));
}

Awaitable<void> HttpServer::serve(std::unique_ptr<Stream> client) {
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

Awaitable<void> HttpServer::converse(Stream& client) {
    Buffer input(loop_->buffers());
    client.set_deadline(limits_.time);
    const Request request = co_await read_request(client, input);
    client.clear_deadline();
    const HttpResponse response = co_await respond(request);
    client.set_deadline(limits_.time);
    const std::string text = response_text(response, request.is_head);
    client.send(bytes_of_text(text));
    co_await client.finish_output();
    co_await linger(client, input);
}

/// Reads as far as the end of the head. Throws system_error when the client leaves before.
Awaitable<HttpServer::Request> HttpServer::read_request(Stream& client, Buffer& input) const {
    Parser parser;
    parser.header_limit(static_cast<std::uint32_t>(limits_.head_bytes));
    Request request;
    while (!parser.is_header_done() && request.error == 0) {
        co_await client.readable();
        const ReadResult read = client.read_some(input);
        const ByteView here = input.unparsed();
        error_code error;
        input.advance(parser.put(boost::asio::buffer(here.data(), here.size()), error));
        input.consume_parsed();
        request.error = status_of(error);
        if (read.end && request.error == 0 && !parser.is_header_done()) {
            throw boost::system::system_error(http::error::partial_message);
        }
    }
    if (request.error != 0) {
        co_return request;
    }
    const http::verb method = parser.get().method();
    const auto target = parser.get().target();
    request.is_head = method == http::verb::head;
    request.path = path_of(std::string_view(target.data(), target.size()));
    if (!request.is_head && method != http::verb::get) {
        request.error = code_of(http::status::method_not_allowed);
    }
    co_return request;
}

Awaitable<HttpResponse> HttpServer::respond(const Request& request) const {
    if (request.error != 0) {
        co_return error_response(request.error);
    }
    const auto route = std::ranges::find(routes_, request.path, &Route::path);
    if (route == routes_.end()) {
        co_return error_response(code_of(http::status::not_found));
    }
    if (route->at_once) {
        co_return route->at_once();
    }
    Awaitable<HttpResponse> later = route->later();
    HttpResponse response = co_await std::move(later);
    co_return response;
}

}  // namespace pgveil::net
