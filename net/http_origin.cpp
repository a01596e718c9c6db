#include "net/http_origin.hpp"

#include "net/connect.hpp"
#include "net/http_message.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/system/system_error.hpp>

#include <utility>

namespace pgveil::net {

namespace {

using GetParser = boost::beast::http::response_parser<boost::beast::http::string_body>;

constexpr std::size_t kGetBytesMax = 16384;

/// Feeds all that was received, as far as it can be read.
error_code feed_all(GetParser& parser, Buffer& input) {
    error_code error;
    std::size_t used = 1;
    while (used > 0 && !error && !parser.is_done() && !input.unparsed().empty()) {
        const ByteView here = input.unparsed();
        used = parser.put(boost::asio::buffer(here.data(), here.size()), error);
        input.advance(used);
        input.consume_parsed();
    }
    return error == boost::beast::http::error::need_more ? error_code() : error;
}

/// Throws system_error for everything but 200 and a body.
Awaitable<std::string> ask(Stream& application, std::string request) {
    application.send(bytes_of_text(request));
    Buffer input(application.loop().buffers());
    GetParser parser;
    parser.body_limit(kGetBytesMax);
    parser.eager(true);
    error_code error;
    bool has_ended = false;
    while (!parser.is_done() && !has_ended && !error) {
        co_await application.readable();
        has_ended = application.read_some(input).end;
        error = feed_all(parser, input);
    }
    if (!error && !parser.is_done()) {
        parser.put_eof(error);
    }
    if (!error && parser.get().result() != boost::beast::http::status::ok) {
        error = boost::beast::http::error::bad_status;
    }
    if (error) {
        throw boost::system::system_error(error);
    }
    std::string body = std::move(parser.get().body());
    co_return body;
}

}  // namespace

Awaitable<Result<std::unique_ptr<Stream>>> connect(Loop& loop, HttpOrigin origin) {
    auto connected = co_await connect(loop, origin.host, origin.port, origin.connect_timeout);
    if (!connected.has_value() || !origin.tls) {
        co_return connected;
    }
    std::unique_ptr<Stream> stream = std::move(*connected);
    const Buffer nothing(loop.buffers());
    stream->set_deadline(origin.connect_timeout);
    const auto upgraded = co_await stream->upgrade_to_tls_client(origin.tls, origin.host, nothing);
    if (!upgraded.has_value()) {
        co_return upgraded.error();
    }
    stream->clear_deadline();
    co_return stream;
}

Awaitable<Result<std::string>> http_get(Loop& loop, HttpOrigin origin, std::string path) {
    auto connected = co_await connect(loop, origin);
    if (!connected.has_value()) {
        co_return connected.error();
    }
    std::unique_ptr<Stream> application = std::move(*connected);
    application->set_deadline(origin.connect_timeout);
    const std::string request = "GET " + path + " HTTP/1.1\r\nHost: " + origin.authority +
                                "\r\nAccept: text/plain\r\nConnection: close\r\n\r\n";
    std::string reason;
    try {
        std::string body = co_await ask(*application, request);
        co_return body;
    } catch (const boost::system::system_error& failed) {
        if (failed.code() == boost::asio::error::operation_aborted) {
            throw;
        }
        reason = failed.code().message();
    }
    co_return Error(ErrorCode::kConnect, origin.text() + path + " is not there: " + reason);
}

}  // namespace pgveil::net
