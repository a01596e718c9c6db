#include "net/http_forwarder.hpp"

#include "net/http_linger.hpp"
#include "net/http_parsing.hpp"
#include "net/http_tunnel.hpp"
#include "net/race.hpp"

#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <new>
#include <utility>

namespace pgveil::net {

namespace {

namespace http = boost::beast::http;

constexpr const char* kSwitch = "Connection: Upgrade\r\nUpgrade: websocket\r\n";

/// How often a client's input is looked at that waits for the answer to an earlier request.
constexpr Duration kFullLook{100};

constexpr unsigned kStatusSwitching = 101;
constexpr unsigned kFinalStatus = 200;
constexpr unsigned kStatusBadRequest = 400;
constexpr unsigned kStatusHeadTooLarge = 431;
constexpr unsigned kStatusNotImplemented = 501;
constexpr unsigned kStatusBadGateway = 502;
constexpr unsigned kStatusUnavailable = 503;
constexpr unsigned kStatusVersion = 505;
constexpr unsigned kVersion11 = 11;

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
    const bool is_upgrade = request.count("Upgrade") > 0 && !is_websocket(request);
    if (is_upgrade || request.method == "CONNECT") {
        return kStatusNotImplemented;
    }
    const bool is_addressed = request.target.starts_with('/') && request.count("Host") == 1;
    return is_addressed ? 0 : kStatusBadRequest;
}

HttpResponse refusal_text(unsigned status) {
    HttpResponse response = error_response(status);
    if (status == kStatusNotImplemented) {
        response.body = "of upgrades only those to a WebSocket are passed on\n";
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

/// A client, for one request after the other.
struct HttpForwarder::Connection {
    Connection(Stream& from, BufferPool& pool) : client(&from), input(pool) {}

    Stream* client;
    Buffer input;
    std::unique_ptr<Stream> kept;  ///< to the application, with nothing under way; may be null
};

/// One request, its answer, and what both need.
struct HttpForwarder::Exchange {
    Exchange(Connection& of, BufferPool& pool)
        : connection(&of), client(of.client), input(&of.input), answer_input(pool) {}

    Connection* connection;
    Stream* client;
    Buffer* input;
    Buffer answer_input;
    std::unique_ptr<Stream> application;
    http::request_parser<http::buffer_body> request_parser;
    std::optional<http::response_parser<http::buffer_body>> response_parser;
    HttpRequest request;
    HttpVerdict verdict;
    std::string own_origin;          ///< as this client names us
    std::string trouble;             ///< of a connection that ended without an answer
    bool shares_connection = false;  ///< the application's serves requests before and after, too
    bool is_begun = false;           ///< a part of the answer is on its way, if an interim one
    bool is_answered = false;
    bool is_switched = false;  ///< to a WebSocket
    bool stays_open = false;   ///< the client may ask again
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
    Connection connection(client, loop_->buffers());
    const bool is_admitted = clients_ <= limits_.clients;
    bool stays_open = true;
    while (stays_open) {
        stays_open = co_await serve_request(connection, is_admitted);
    }
    if (connection.kept != nullptr) {
        connection.kept->close();
    }
}

/// True: the client may ask again.
Awaitable<bool> HttpForwarder::serve_request(Connection& connection, bool is_admitted) {
    Exchange exchange(connection, loop_->buffers());
    Stream& client = *connection.client;
    exchange.request_parser.header_limit(static_cast<std::uint32_t>(limits_.head_bytes));
    exchange.request_parser.body_limit(boost::none);
    client.set_deadline(limits_.head_time);
    const error_code error = co_await read_head(client, connection.input, exchange.request_parser);
    client.clear_deadline();
    if (error == http::error::end_of_stream) {
        co_return false;
    }
    const auto& head = exchange.request_parser.get();
    exchange.request = request_of(head);
    unsigned status = refusal_status(error, head.version(), exchange.request);
    if (!is_admitted) {
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
        co_return false;
    }
    co_return exchange.stays_open;
}

/// Leaves a refusal where the application gave no answer.
Awaitable<void> HttpForwarder::forward(Exchange& exchange) {
    exchange.own_origin = "http://" + std::string(exchange.request.find("Host").value_or(""));
    exchange.shares_connection =
        exchange.request_parser.is_done() && may_be_repeated(exchange.request);
    if (exchange.shares_connection && take_kept(exchange)) {
        co_await attempt(exchange);
    }
    // A kept connection may end just when it is used again (RFC 9112 section 9.3.1).
    if (!exchange.is_begun && !exchange.is_answered) {
        auto connected = co_await connect(*loop_, origin_);
        if (!connected.has_value()) {
            exchange.verdict.refusal = not_there(origin_, connected.error().message);
            co_return;
        }
        exchange.application = std::move(*connected);
        co_await attempt(exchange);
    }
    if (!exchange.is_answered) {
        exchange.verdict.refusal = not_there(origin_, exchange.trouble);
    }
}

bool HttpForwarder::take_kept(Exchange& exchange) {
    exchange.application = std::move(exchange.connection->kept);
    return exchange.application != nullptr && is_quiet(*exchange.application);
}

/// One connection to the application, from request to answer. It is kept where it can serve again.
Awaitable<void> HttpForwarder::attempt(Exchange& exchange) {
    exchange.answer_input.release();
    try {
        send_request_head(exchange);
        co_await race(pump_request(exchange), pump_response(exchange));
        if (exchange.is_switched) {
            co_await tunnel(
                *exchange.client, *exchange.input, *exchange.application, exchange.answer_input
            );
        }
    } catch (const boost::system::system_error& lost) {
        if (exchange.is_begun || exchange.is_answered || exchange.client->failure()) {
            throw;
        }
        exchange.trouble = lost.code().message();
        exchange.application->close();
        co_return;
    }
    const bool is_reusable = exchange.shares_connection && exchange.response_parser &&
                             exchange.response_parser->is_done() &&
                             exchange.response_parser->keep_alive() &&
                             exchange.answer_input.empty();
    if (is_reusable) {
        exchange.connection->kept = std::move(exchange.application);
    } else {
        exchange.application->close();
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
    std::string end = "Via: 1.1 pgveil-agent\r\n";
    if (is_websocket(exchange.request)) {
        end += kSwitch;
    } else if (!exchange.shares_connection) {
        end += "Connection: close\r\n";
    }
    application.queue(bytes_of_text(end + "\r\n"));
    application.flush();
}

/// Ends when the client leaves. What stands behind the request waits for its turn.
Awaitable<void> HttpForwarder::pump_request(Exchange& exchange) {
    Stream& client = *exchange.client;
    for (;;) {
        pass_body(exchange.request_parser, *exchange.input, *exchange.application);
        co_await exchange.application->drained(kForwardPendingMax);
        while (exchange.input->unparsed().size() >= kBlockSize) {
            co_await loop_->sleep(kFullLook);
        }
        co_await client.readable();
        if (client.read_some(*exchange.input).end) {
            break;
        }
    }
    exchange.is_answered = true;  // nobody is there any more
}

/// The last head of the answer; interim ones are passed on.
Awaitable<void> HttpForwarder::read_answer_head(Exchange& exchange) {
    unsigned status = 0;
    while (status < kFinalStatus && !exchange.is_switched) {
        auto& parser = exchange.response_parser.emplace();
        parser.header_limit(static_cast<std::uint32_t>(limits_.head_bytes));
        parser.body_limit(boost::none);
        parser.skip(exchange.request.method == "HEAD");
        const error_code error =
            co_await read_head(*exchange.application, exchange.answer_input, parser);
        if (error) {
            fail_with(error);
        }
        status = parser.get().result_int();
        exchange.is_switched = status == kStatusSwitching && is_websocket(exchange.request);
        if (status == kStatusSwitching && !exchange.is_switched) {
            fail_with(http::error::bad_status);
        }
        send_response_head(exchange);
    }
}

Awaitable<void> HttpForwarder::pump_response(Exchange& exchange) {
    co_await read_answer_head(exchange);
    auto& parser = *exchange.response_parser;
    Buffer& input = exchange.answer_input;
    while (!exchange.is_switched) {
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

/// Where a client's place is not needed, and both sides know where the answer ends.
bool HttpForwarder::may_stay(const Exchange& exchange) const {
    return exchange.request_parser.is_done() && exchange.request_parser.keep_alive() &&
           !exchange.response_parser->need_eof() && clients_ <= limits_.clients / 2;
}

void HttpForwarder::send_response_head(Exchange& exchange) const {
    const auto& head = exchange.response_parser->get();
    const unsigned status = head.result_int();
    HttpFields fields = end_to_end_fields(fields_of(head.base()));
    replace_in(fields, "Location", origin_.text(), exchange.own_origin);
    const std::string reason(head.reason().data(), head.reason().size());
    std::string text = "HTTP/1.1 " + std::to_string(status) + " " + reason + "\r\n";
    text += field_lines(fields);
    exchange.is_begun = true;
    if (exchange.is_switched) {
        text += kSwitch;
        exchange.is_answered = true;
    }
    if (status >= kFinalStatus) {
        exchange.stays_open = may_stay(exchange);
        text += exchange.stays_open ? "" : "Connection: close\r\n";
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
