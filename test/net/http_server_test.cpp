#include "net/http_server.hpp"

#include "test/net/harness.hpp"

#include <boost/asio/error.hpp>

namespace pgveil::net {

namespace {

HttpLimits small_limits() {
    HttpLimits limits;
    limits.head_bytes = 1024;
    limits.connections = 4;
    return limits;
}

/// A server with a few paths on a free port, and clients that say what a test wants.
class HttpHarness {
public:
    explicit HttpHarness(HttpLimits limits = small_limits()) {
        Address address;
        address.host = "127.0.0.1";
        auto opened = HttpServer::open(harness.loop, address, limits);
        if (!opened.has_value()) {
            ADD_FAILURE() << opened.error().message;
            return;
        }
        server = *std::move(opened);
        server->answer("/now", [this] {
            ++answered;
            return HttpResponse(200, "at once\n");
        });
        server->answer_later("/later", [this] { return later(); });
    }

    Awaitable<std::unique_ptr<Stream>> client() {
        auto connected = co_await connect(harness.loop, "127.0.0.1", server->port(), kSoon);
        EXPECT_TRUE(connected.has_value()) << connected.error().message;
        co_return *std::move(connected);
    }

    /// Sends `text` in one piece; everything that comes back until the server closes.
    Awaitable<std::string> exchange(std::string text) {
        auto stream = co_await client();
        stream->set_deadline(kSoon);
        stream->send(bytes_of(text));
        std::string answer = co_await read_all(*stream);
        co_return answer;
    }

    static Awaitable<std::string> read_all(Stream& stream) {
        Buffer buffer(stream.loop().buffers());
        std::string answer = co_await read_exactly(stream, buffer, std::size_t{1} << 20U);
        co_return answer;
    }

    Harness harness;
    std::unique_ptr<HttpServer> server;
    int answered = 0;

private:
    Awaitable<HttpResponse> later() {
        co_await harness.loop.sleep(Duration(20));
        HttpResponse response(503, "later\n");
        co_return response;
    }
};

std::string status_of(const std::string& answer) {
    return answer.substr(0, answer.find("\r\n"));
}

std::string body_of(const std::string& answer) {
    const std::size_t end = answer.find("\r\n\r\n");
    return end == std::string::npos ? "no head" : answer.substr(end + 4);
}

bool has_line(const std::string& answer, const std::string& line) {
    return answer.find("\r\n" + line + "\r\n") != std::string::npos;
}

/// What the server answers to `text`.
std::string answer_to(std::string text, HttpLimits limits = small_limits()) {
    HttpHarness http(limits);
    std::string answer;
    http.harness.run([&]() -> Awaitable<void> { answer = co_await http.exchange(text); });
    return answer;
}

TEST(HttpServer, AnswersGet) {
    const std::string answer = answer_to("GET /now HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(status_of(answer), "HTTP/1.1 200 OK");
    EXPECT_TRUE(has_line(answer, "Content-Length: 8")) << answer;
    EXPECT_TRUE(has_line(answer, "Content-Type: text/plain; charset=utf-8")) << answer;
    EXPECT_TRUE(has_line(answer, "Connection: close")) << answer;
    EXPECT_EQ(body_of(answer), "at once\n");
}

TEST(HttpServer, AnswersLater) {
    const std::string answer = answer_to("GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(status_of(answer), "HTTP/1.1 503 Service Unavailable");
    EXPECT_EQ(body_of(answer), "later\n");
}

TEST(HttpServer, AnswersHeadWithoutABody) {
    const std::string answer = answer_to("HEAD /now HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(status_of(answer), "HTTP/1.1 200 OK");
    EXPECT_TRUE(has_line(answer, "Content-Length: 8")) << answer;
    EXPECT_EQ(body_of(answer), "");
}

TEST(HttpServer, TakesNoNoticeOfAQueryAndOfVersion10) {
    EXPECT_EQ(body_of(answer_to("GET /now?debug=1 HTTP/1.0\r\n\r\n")), "at once\n");
}

TEST(HttpServer, AnotherPathIs404) {
    for (const char* const path : {"/", "/now/", "/NOW", "/now%20", "*", "http://a/now"}) {
        const std::string answer = answer_to("GET " + std::string(path) + " HTTP/1.1\r\n\r\n");
        EXPECT_EQ(status_of(answer), "HTTP/1.1 404 Not Found") << path;
    }
}

TEST(HttpServer, AnotherMethodIs405) {
    for (const char* const method : {"POST", "PUT", "DELETE", "OPTIONS", "TRACE", "BREW"}) {
        const std::string answer =
            answer_to(std::string(method) + " /now HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello");
        EXPECT_EQ(status_of(answer), "HTTP/1.1 405 Method Not Allowed") << method;
        EXPECT_TRUE(has_line(answer, "Allow: GET, HEAD")) << answer;
    }
}

TEST(HttpServer, WhatIsNoRequestIs400) {
    const std::string start_of_tls("\x16\x03\x01\x02\r\n\r\n");
    for (const std::string& text :
         {std::string("hello\r\n\r\n"),
          std::string("GET /now\r\n\r\n"),
          std::string("GET /now HTTP/2.0\r\n\r\n"),
          std::string("GET /now HTTP/1.1\r\nbad line\r\n\r\n"),
          std::string("GET /now HTTP/1.1\r\nContent-Length: x\r\n\r\n"),
          start_of_tls}) {
        EXPECT_EQ(status_of(answer_to(text)), "HTTP/1.1 400 Bad Request") << text;
    }
}

TEST(HttpServer, AHeadBeyondTheLimitIs431) {
    const std::string request = "GET /now HTTP/1.1\r\nX: ";
    const std::string fits = answer_to(request + std::string(500, 'x') + "\r\n\r\n");
    EXPECT_EQ(status_of(fits), "HTTP/1.1 200 OK");
    const std::string too_long = answer_to(request + std::string(5000, 'x') + "\r\n\r\n");
    EXPECT_EQ(status_of(too_long), "HTTP/1.1 431 Request Header Fields Too Large");
    const std::string endless = answer_to("GET /" + std::string(5000, 'x'));
    EXPECT_EQ(status_of(endless), "HTTP/1.1 431 Request Header Fields Too Large");
}

TEST(HttpServer, ReadsARequestInSinglePieces) {
    HttpHarness http;
    std::string answer;
    http.harness.run([&]() -> Awaitable<void> {
        auto stream = co_await http.client();
        for (const char letter : std::string_view("GET /now HTTP/1.1\r\nHost: a\r\n\r\n")) {
            stream->send(bytes_of(std::string_view(&letter, 1)));
            co_await http.harness.loop.sleep(Duration(1));
        }
        answer = co_await HttpHarness::read_all(*stream);
    });
    EXPECT_EQ(status_of(answer), "HTTP/1.1 200 OK");
}

TEST(HttpServer, AnswersAClientThatHasEndedItsDirection) {
    HttpHarness http;
    std::string answer;
    http.harness.run([&]() -> Awaitable<void> {
        auto stream = co_await http.client();
        stream->send(bytes_of("GET /now HTTP/1.1\r\n\r\n"));
        co_await stream->finish_output();
        answer = co_await HttpHarness::read_all(*stream);
    });
    EXPECT_EQ(body_of(answer), "at once\n");
}

TEST(HttpServer, ASlowClientIsClosedWhenItsTimeIsOver) {
    HttpLimits limits = small_limits();
    limits.time = Duration(100);
    EXPECT_EQ(answer_to("GET /now HTTP/1.1\r\nX:", limits), "") << "closed without an answer";
}

/// Ends when the peer closes; throws timed_out if it does not.
Awaitable<void> closed(Stream& stream, Duration time) {
    stream.set_deadline(time);
    const std::string rest = co_await HttpHarness::read_all(stream);
    EXPECT_EQ(rest, "");
}

TEST(HttpServer, ManySlowClientsDoNotHoldUpOthers) {
    HttpLimits limits = small_limits();
    limits.time = Duration(60000);  // they would stay
    HttpHarness http(limits);
    std::string answer;
    error_code oldest;
    error_code newest;
    http.harness.run([&]() -> Awaitable<void> {
        std::vector<std::unique_ptr<Stream>> slow;
        for (int i = 0; i < 50; ++i) {
            auto one = co_await http.client();
            one->send(bytes_of("GET /now HTTP/1.1\r\nX:"));
            slow.push_back(std::move(one));
        }
        answer = co_await http.exchange("GET /now HTTP/1.1\r\n\r\n");
        oldest = co_await error_of(closed(*slow.front(), kSoon));
        newest = co_await error_of(closed(*slow.back(), Duration(50)));
    });
    EXPECT_EQ(body_of(answer), "at once\n");
    EXPECT_EQ(http.answered, 1);
    EXPECT_NE(oldest, boost::asio::error::timed_out) << "the oldest gave its place";
    EXPECT_EQ(newest, boost::asio::error::timed_out) << "the newest keeps its place";
}

TEST(HttpServer, NoticesAPortThatIsTaken) {
    const HttpHarness http;
    Address taken;
    taken.host = "127.0.0.1";
    taken.port = http.server->port();
    Loop loop;
    const auto second = HttpServer::open(loop, taken);
    ASSERT_FALSE(second.has_value());
    EXPECT_EQ(second.error().code, ErrorCode::kListen);
}

TEST(HttpServer, StopsWithClientsThatWait) {
    HttpHarness http;
    std::unique_ptr<Stream> waiting;
    http.harness.run([&]() -> Awaitable<void> {
        waiting = co_await http.client();
        waiting->send(bytes_of("GET /later HTTP/1.1\r\n\r\n"));
        co_await http.harness.loop.sleep(Duration(5));
    });
    waiting.reset();  // before its loop
    EXPECT_EQ(http.answered, 0);
}

}  // namespace

}  // namespace pgveil::net
