#include "net/http_forwarder.hpp"

#include "net/http_linger.hpp"
#include "net/race.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <array>
#include <new>
#include <utility>

namespace pgveil::net {

namespace {

namespace http = boost::beast::http;

/// One side stops reading while the other has more than this to take, in bytes.
constexpr std::size_t kForwardPendingMax = std::size_t{256} * 1024;

constexpr unsigned kStatusBadRequest = 400;
constexpr unsigned kStatusHeadTooLarge = 431;
constexpr unsigned kStatusNotImplemented = 501;
constexpr unsigned kStatusBadGateway = 502;
constexpr unsigned kStatusUnavailable = 503;
constexpr unsigned kStatusVersion = 505;
constexpr unsigned kVersion11 = 11;

/// Feeds what was received; false if it is no message.
template <class Parser>
bool feed(Parser& parser, Buffer& input, error_code& error) {
    const ByteView here = input.unparsed();
    input.advance(parser.put(boost::asio::buffer(here.data(), here.size()), error));
    if (error == http::error::need_more || error == http::error::need_buffer) {
        error = {};
    }
    return !error;
}

[[noreturn]] void fail_with(const error_code& error) {
    throw boost::system::system_error(error);
}

/// Reads as far as the end of a head. The error says why it is none; end_of_stream: the peer left.
template <class Parser>
Awaitable<error_code> read_head(Stream& stream, Buffer& input, Parser& parser) {
    error_code error;
    bool has_ended = false;
    while (feed(parser, input, error) && !parser.is_header_done()) {
        input.consume_parsed();
        if (has_ended || input.unparsed().size() >= kBlockSize) {
            error = has_ended ? http::error::end_of_stream : http::error::header_limit;
            break;
        }
        co_await stream.readable();
        has_ended = stream.read_some(input).end;
    }
    input.consume_parsed();
    co_return error;
}

/// Passes on what belongs to the body, as it is framed, and follows where it ends.
template <class Parser>
void pass_body(Parser& parser, Buffer& input, Stream& to) {
    std::array<char, kBlockSize> unpacked;  // NOLINT(*-member-init): written before it is read
    bool is_moving = true;
    while (is_moving && !parser.is_done() && !input.unparsed().empty()) {
        auto& body = parser.get().body();
        body.data = unpacked.data();
        body.size = unpacked.size();
        error_code error;
        const bool is_whole = feed(parser, input, error);
        to.queue(input.parsed());
        is_moving = !input.parsed().empty();
        input.consume_parsed();
        if (!is_whole) {
            fail_with(error);
        }
        if (!is_moving && input.unparsed().size() >= kBlockSize) {
            fail_with(http::error::buffer_overflow);
        }
    }
    to.flush();
}

template <class Fields>
HttpFields fields_of(const Fields& from) {
    HttpFields fields;
    for (const auto& field : from) {
        const auto name = field.name_string();
        const auto value = field.value();
        fields.push_back({{name.data(), name.size()}, {value.data(), value.size()}});
    }
    return fields;
}

HttpRequest request_of(const http::request<http::buffer_body>& head) {
    HttpRequest request;
    request.method.assign(head.method_string().data(), head.method_string().size());
    request.target.assign(head.target().data(), head.target().size());
    request.fields = fields_of(head.base());
    return request;
}

/// What is wrong with a head before anybody judges it; 0: nothing.
unsigned refusal_status(const error_code& error, unsigned version, const HttpRequest& request) {
    if (error == http::error::header_limit || error == http::error::buffer_overflow) {
        return kStatusHeadTooLarge;
    }
    if (error) {
        return kStatusBadRequest;
    }
    if (version != kVersion11) {
        return kStatusVersion;
    }
    if (request.count("Upgrade") > 0 || request.method == "CONNECT") {
        return kStatusNotImplemented;
    }
    const bool is_addressed = request.target.starts_with('/') && request.count("Host") == 1;
    return is_addressed ? 0 : kStatusBadRequest;
}

HttpResponse refusal_text(unsigned status) {
    HttpResponse response = error_response(status);
    if (status == kStatusNotImplemented) {
        response.body = "WebSockets and other upgrades are not passed on\n";
    }
    return response;
}

HttpResponse not_there(const HttpOrigin& origin, const std::string& reason) {
    return {
        kStatusBadGateway,
        "the web application " + origin.text() + " does not answer: " + reason + "\n"};
}

void replace_in(
    HttpFields& fields, std::string_view name, const std::string& from, const std::string& to
) {
    for (HttpField& field : fields) {
        if (is_same_name(field.name, name)) {
            replace_origin(field.value, from, to);
        }
    }
}

}  // namespace

/// One request, its answer, and what both need.
struct HttpForwarder::Exchange {
    explicit Exchange(Stream& from, Buffer& buffer) : client(&from), input(&buffer) {}

    Stream* client;
    Buffer* input;
    std::unique_ptr<Stream> application;
    http::request_parser<http::buffer_body> request_parser;
    std::optional<http::response_parser<http::buffer_body>> response_parser;
    HttpRequest request;
    HttpVerdict verdict;
    std::string own_origin;  ///< as this client names us
    bool is_answered = false;
};

HttpForwarder::HttpForwarder(Loop& loop, HttpOrigin origin, Judge judge, Limits limits)
    : loop_(&loop), origin_(std::move(origin)), judge_(std::move(judge)), limits_(limits) {}

Result<std::unique_ptr<HttpForwarder>> HttpForwarder::open(
    Loop& loop, const Address& address, HttpOrigin origin, Judge judge, Limits limits
) {
    if (auto free = Listener::check_free(address); !free.has_value()) {
        return free.error();
    }
    std::unique_ptr<HttpForwarder> forwarder(
        new HttpForwarder(loop, std::move(origin), std::move(judge), limits)
    );
    HttpForwarder* const self = forwarder.get();
    auto listener = Listener::open(loop, address, [self](std::unique_ptr<Stream> client) {
        self->accept(std::move(client));
    });
    if (!listener.has_value()) {
        return listener.error();
    }
    forwarder->listener_ = *std::move(listener);
    return forwarder;
}

void HttpForwarder::accept(std::unique_ptr<Stream> client) {
    loop_->spawn(serve(std::move(client)));
}

Awaitable<void> HttpForwarder::serve(std::unique_ptr<Stream> client) {
    ++clients_;
    try {
        co_await converse(*client);
        co_await finish(*client);
    } catch (const boost::system::system_error&) {
        client->close();  // lost, or too slow
    } catch (const std::bad_alloc&) {
        client->close();
    }
    client->close();
    --clients_;
}

Awaitable<void> HttpForwarder::converse(Stream& client) {
    Buffer input(loop_->buffers());
    Exchange exchange(client, input);
    exchange.request_parser.header_limit(static_cast<std::uint32_t>(limits_.head_bytes));
    exchange.request_parser.body_limit(boost::none);
    client.set_deadline(limits_.head_time);
    const error_code error = co_await read_head(client, input, exchange.request_parser);
    client.clear_deadline();
    if (error == http::error::end_of_stream) {
        co_return;
    }
    const auto& head = exchange.request_parser.get();
    exchange.request = request_of(head);
    unsigned status = refusal_status(error, head.version(), exchange.request);
    if (clients_ > limits_.clients) {
        status = kStatusUnavailable;
    }
    if (status != 0) {
        exchange.verdict.refusal = refusal_text(status);
    } else {
        Awaitable<HttpVerdict> judging = judge_(exchange.request);
        exchange.verdict = co_await std::move(judging);
    }
    if (!exchange.verdict.refusal) {
        co_await forward(exchange);
    }
    if (exchange.verdict.refusal && !exchange.is_answered) {
        const bool is_head = exchange.request.method == "HEAD";
        client.send(bytes_of_text(response_text(*exchange.verdict.refusal, is_head)));
    }
}

/// Leaves a refusal where the application gave no answer.
Awaitable<void> HttpForwarder::forward(Exchange& exchange) {
    auto connected = co_await connect(*loop_, origin_);
    if (!connected.has_value()) {
        exchange.verdict.refusal = not_there(origin_, connected.error().message);
        co_return;
    }
    exchange.application = std::move(*connected);
    exchange.own_origin = "http://" + std::string(exchange.request.find("Host").value_or(""));
    std::string reason;
    try {
        send_request_head(exchange);
        co_await race(pump_request(exchange), pump_response(exchange));
    } catch (const boost::system::system_error& lost) {
        if (exchange.is_answered || exchange.client->failure()) {
            throw;
        }
        reason = lost.code().message();
    }
    exchange.application->close();
    if (!exchange.is_answered) {
        exchange.verdict.refusal = not_there(origin_, reason);
    }
}

void HttpForwarder::send_request_head(Exchange& exchange) const {
    HttpFields fields = end_to_end_fields(exchange.request.fields);
    for (const std::string_view name : {"Origin", "Referer"}) {
        replace_in(fields, name, exchange.own_origin, origin_.text());
    }
    std::erase_if(fields, [](const HttpField& field) { return is_same_name(field.name, "Host"); });
    Stream& application = *exchange.application;
    const std::string start = exchange.request.method + " " + exchange.request.target +
                              " HTTP/1.1\r\nHost: " + origin_.authority + "\r\n";
    application.queue(bytes_of_text(start + field_lines(fields)));
    if (exchange.verdict.more_fields) {
        exchange.verdict.more_fields(application);
    }
    application.queue(bytes_of_text("Via: 1.1 pgveil-agent\r\nConnection: close\r\n\r\n"));
    application.flush();
}

/// Ends when the client leaves.
Awaitable<void> HttpForwarder::pump_request(Exchange& exchange) {
    Stream& client = *exchange.client;
    for (;;) {
        pass_body(exchange.request_parser, *exchange.input, *exchange.application);
        co_await exchange.application->drained(kForwardPendingMax);
        if (exchange.request_parser.is_done()) {
            exchange.input->release();  // the client was told that nothing more is read
        }
        co_await client.readable();
        if (client.read_some(*exchange.input).end) {
            break;
        }
    }
    exchange.is_answered = true;  // nobody is there any more
}

Awaitable<void> HttpForwarder::pump_response(Exchange& exchange) {
    Buffer input(loop_->buffers());
    bool is_final = false;
    while (!is_final) {
        auto& parser = exchange.response_parser.emplace();
        parser.header_limit(static_cast<std::uint32_t>(limits_.head_bytes));
        parser.body_limit(boost::none);
        parser.skip(exchange.request.method == "HEAD");
        const error_code error = co_await read_head(*exchange.application, input, parser);
        is_final = parser.get().result_int() >= 200;
        if (error || parser.get().result_int() == 101) {
            fail_with(error ? error : http::error::bad_status);
        }
        send_response_head(exchange);
    }
    auto& parser = *exchange.response_parser;
    for (;;) {
        pass_body(parser, input, *exchange.client);
        if (parser.is_done()) {
            break;
        }
        co_await exchange.client->drained(kForwardPendingMax);
        co_await exchange.application->readable();
        if (exchange.application->read_some(input).end) {
            pass_body(parser, input, *exchange.client);
            error_code error;
            parser.put_eof(error);
            if (error) {
                fail_with(error);
            }
            break;
        }
    }
    co_await exchange.client->drained();
}

void HttpForwarder::send_response_head(Exchange& exchange) const {
    const auto& head = exchange.response_parser->get();
    const unsigned status = head.result_int();
    HttpFields fields = end_to_end_fields(fields_of(head.base()));
    replace_in(fields, "Location", origin_.text(), exchange.own_origin);
    const std::string reason(head.reason().data(), head.reason().size());
    std::string text = "HTTP/1.1 " + std::to_string(status) + " " + reason + "\r\n";
    text += field_lines(fields);
    if (status >= 200) {
        text += "Connection: close\r\n";
        exchange.is_answered = true;
        if (exchange.verdict.on_status) {
            exchange.verdict.on_status(status);
        }
    }
    exchange.client->send(bytes_of_text(text + "\r\n"));
}

/// What the client did not read yet gets its time.
Awaitable<void> HttpForwarder::finish(Stream& client) const {
    client.set_deadline(limits_.head_time);
    co_await client.finish_output();
    Buffer input(loop_->buffers());
    co_await linger(client, input);
}

}  // namespace pgveil::net
