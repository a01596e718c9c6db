#include "net/http_forwarder.hpp"

#include "test/net/harness.hpp"

namespace pgveil::net {

namespace {

constexpr std::size_t kEverything = std::size_t{1} << 26U;

/// A forwarder in front of an application that notes what it gets and answers what a test wants.
class ForwarderHarness {
public:
    explicit ForwarderHarness(std::string answer, std::string until = "\r\n\r\n")
        : answer_(std::move(answer)), until_(std::move(until)) {
        harness.serve([this](std::unique_ptr<Stream> stream) { return serve(std::move(stream)); });
        HttpOrigin origin;
        origin.host = "127.0.0.1";
        origin.port = harness.port();
        origin.authority = "app.example";
        auto judge = [this](HttpRequest& request) -> Awaitable<HttpVerdict> {
            HttpVerdict verdict;
            ++judged;
            if (request.target == "/refused") {
                verdict.refusal = HttpResponse(403, "not you\n");
            }
            verdict.more_fields = [](Stream& stream) {
                stream.queue(bytes_of("X-Added: yes\r\n"));
            };
            verdict.on_status = [this](unsigned code) {
                status = code;
            };
            co_return verdict;
        };
        Address address;
        address.host = "127.0.0.1";
        auto opened = HttpForwarder::open(harness.loop, address, origin, judge, {});
        if (opened.has_value()) {
            forwarder = *std::move(opened);
        }
    }

    /// Everything that comes back for `text` on a connection that ends with it.
    std::string exchange(std::string text) {
        const std::size_t line = text.find("\r\n");
        return converse(text.insert(line, "\r\nConnection: close"));
    }

    std::string converse(const std::string& text) {
        std::string answer;
        harness.run([&]() -> Awaitable<void> {
            auto connected = co_await connect(harness.loop, "127.0.0.1", forwarder->port(), kSoon);
            std::unique_ptr<Stream> stream = *std::move(connected);
            stream->set_deadline(kSoon);
            stream->send(bytes_of(text));
            Buffer buffer(harness.loop.buffers());
            answer = co_await read_exactly(*stream, buffer, kEverything);
        });
        return answer;
    }

    Harness harness;
    std::unique_ptr<HttpForwarder> forwarder;
    std::string received;  ///< by the application
    int judged = 0;
    unsigned status = 0;

private:
    Awaitable<void> serve(std::unique_ptr<Stream> stream) {
        Buffer buffer(harness.loop.buffers());
        try {
            while (!received.ends_with(until_)) {
                co_await stream->readable();
                const ReadResult read = stream->read_some(buffer);
                received += text_of(buffer.unparsed());
                buffer.release();
                if (read.end) {
                    break;
                }
            }
            stream->send(bytes_of(answer_));
            co_await stream->finish_output();
        } catch (const boost::system::system_error&) {
            stream->close();
        }
    }

    std::string answer_;
    std::string until_;
};

constexpr const char* kHello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

std::string request_with(const std::string& fields) {
    return "GET /a?b=c HTTP/1.1\r\nHost: localhost:1\r\n" + fields + "\r\n";
}

bool holds_line(const std::string& text, const std::string& line) {
    return text.find("\r\n" + line + "\r\n") != std::string::npos;
}

std::string first_line(const std::string& text) {
    return text.substr(0, text.find("\r\n"));
}

TEST(HttpForwarder, PassesARequestOnAndItsAnswerBack) {
    ForwarderHarness app(kHello);
    const std::string answer = app.exchange(request_with("Accept: text/html\r\nCookie: a=b\r\n"));
    EXPECT_EQ(first_line(app.received), "GET /a?b=c HTTP/1.1");
    EXPECT_TRUE(holds_line(app.received, "Host: app.example")) << app.received;
    EXPECT_TRUE(holds_line(app.received, "Accept: text/html")) << app.received;
    EXPECT_TRUE(holds_line(app.received, "Cookie: a=b")) << app.received;
    EXPECT_TRUE(holds_line(app.received, "X-Added: yes")) << app.received;
    EXPECT_TRUE(holds_line(app.received, "Via: 1.1 pgveil-agent")) << app.received;
    EXPECT_EQ(app.received.find("localhost"), std::string::npos) << app.received;
    EXPECT_EQ(first_line(answer), "HTTP/1.1 200 OK");
    EXPECT_TRUE(holds_line(answer, "Connection: close")) << answer;
    EXPECT_TRUE(answer.ends_with("\r\n\r\nhello")) << answer;
    EXPECT_EQ(app.status, 200U);
}

TEST(HttpForwarder, HopByHopFieldsEndHere) {
    ForwarderHarness app(
        "HTTP/1.1 200 OK\r\nConnection: X-Inner\r\nX-Inner: 1\r\nKeep-Alive: timeout=5\r\n"
        "X-Outer: 2\r\nContent-Length: 0\r\n\r\n"
    );
    const std::string answer = app.exchange(request_with(
        "Connection: keep-alive, X-Mine, Host, Content-Length\r\nX-Mine: 1\r\nX-Kept: 2\r\n"
        "Keep-Alive: 5\r\nTE: trailers\r\nProxy-Connection: close\r\nContent-Length: 0\r\n"
    ));
    for (const char* const gone :
         {"X-Mine", "Keep-Alive", "TE:", "Proxy-Connection", "keep-alive"}) {
        EXPECT_EQ(app.received.find(gone), std::string::npos) << gone << " in " << app.received;
    }
    EXPECT_TRUE(holds_line(app.received, "X-Kept: 2"));
    EXPECT_TRUE(holds_line(app.received, "Content-Length: 0")) << "it frames the message";
    EXPECT_EQ(answer.find("X-Inner"), std::string::npos) << answer;
    EXPECT_EQ(answer.find("Keep-Alive"), std::string::npos) << answer;
    EXPECT_TRUE(holds_line(answer, "X-Outer: 2"));
}

TEST(HttpForwarder, OurOriginAndTheApplicationsStandForEachOther) {
    ForwarderHarness app(
        "HTTP/1.1 302 Found\r\nLocation: http://app.example/next\r\nContent-Length: 0\r\n\r\n"
    );
    const std::string answer = app.exchange(
        request_with("Origin: http://localhost:1\r\nReferer: http://localhost:1/page\r\n")
    );
    EXPECT_TRUE(holds_line(app.received, "Origin: http://app.example")) << app.received;
    EXPECT_TRUE(holds_line(app.received, "Referer: http://app.example/page")) << app.received;
    EXPECT_TRUE(holds_line(answer, "Location: http://localhost:1/next")) << answer;
}

TEST(HttpForwarder, OtherOriginsStayWhatTheyAre) {
    std::string url = "http://app.example.org/";
    replace_origin(url, "http://app.example", "http://x");
    EXPECT_EQ(url, "http://app.example.org/");
    url = "http://app.example";
    replace_origin(url, "http://app.example", "http://x");
    EXPECT_EQ(url, "http://x");
}

TEST(HttpForwarder, StreamsALongBodyEachWay) {
    const std::string body = std::string(3U << 20U, 'b') + "END";
    const std::string size = std::to_string(body.size());
    ForwarderHarness app("HTTP/1.1 200 OK\r\nContent-Length: " + size + "\r\n\r\n" + body, "END");
    const std::string answer =
        app.exchange("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + size + "\r\n\r\n" + body);
    EXPECT_TRUE(app.received.ends_with("\r\n\r\n" + body));
    EXPECT_TRUE(answer.ends_with("\r\n\r\n" + body));
}

TEST(HttpForwarder, ChunksStayChunks) {
    const std::string chunks = "5;x=y\r\nhello\r\n1\r\n!\r\n0\r\nTrailer: t\r\n\r\n";
    ForwarderHarness app(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks, "Trailer: t\r\n\r\n"
    );
    const std::string answer =
        app.exchange("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks);
    EXPECT_TRUE(app.received.ends_with("\r\n\r\n" + chunks)) << app.received;
    EXPECT_TRUE(answer.ends_with("\r\n\r\n" + chunks)) << answer;
}

/// What stands behind a request that ends its connection would not be judged.
TEST(HttpForwarder, NothingBehindARequestIsPassedOn) {
    ForwarderHarness app(kHello, "\r\n\r\nabc");
    const std::string answer = app.exchange(
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET /smuggled HTTP/1.1\r\nHost: "
        "a\r\n\r\n"
    );
    EXPECT_TRUE(app.received.ends_with("\r\n\r\nabc")) << app.received;
    EXPECT_EQ(app.judged, 1);
    EXPECT_TRUE(answer.ends_with("hello"));
}

TEST(HttpForwarder, AnAnswerMayEndWithItsConnection) {
    ForwarderHarness app("HTTP/1.0 200 OK\r\n\r\nas long as it takes");
    EXPECT_TRUE(app.exchange(request_with("")).ends_with("\r\n\r\nas long as it takes"));
}

TEST(HttpForwarder, InterimAnswersPassAndHeadHasNoBody) {
    ForwarderHarness app(
        "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"
    );
    const std::string answer = app.exchange("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(first_line(answer), "HTTP/1.1 103 Early Hints");
    EXPECT_NE(answer.find("\r\n\r\nHTTP/1.1 200 OK\r\n"), std::string::npos) << answer;
    EXPECT_TRUE(answer.ends_with("\r\n\r\n"));
}

TEST(HttpForwarder, AnswersItselfWhatIsNotForTheApplication) {
    struct Case {
        std::string request;
        std::string answer;
    };

    const std::string host = "Host: a\r\n\r\n";
    const std::vector<Case> cases{
        {"GET /refused HTTP/1.1\r\n" + host, "HTTP/1.1 403 Forbidden"},
        {"GET / HTTP/1.1\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n" + host,
         "HTTP/1.1 501 Not Implemented"},
        {"CONNECT a:443 HTTP/1.1\r\n" + host, "HTTP/1.1 501 Not Implemented"},
        {"GET http://b/ HTTP/1.1\r\n" + host, "HTTP/1.1 400 Bad Request"},
        {"GET / HTTP/1.1\r\nHost: b\r\n" + host, "HTTP/1.1 400 Bad Request"},
        {"GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400 Bad Request"},
        {"GET / HTTP/1.0\r\n" + host, "HTTP/1.1 505 HTTP Version Not Supported"},
        {"GET /\r\n\r\n", "HTTP/1.1 400 Bad Request"},
        {"POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n" + host,
         "HTTP/1.1 400 Bad Request"},
        {"POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n" + host,
         "HTTP/1.1 400 Bad Request"},
        {"GET / HTTP/1.1\r\nX: " + std::string(40000, 'x') + "\r\n" + host,
         "HTTP/1.1 431 Request Header Fields Too Large"}};
    for (const Case& each : cases) {
        ForwarderHarness app(kHello);
        EXPECT_EQ(first_line(app.exchange(each.request)), each.answer)
            << each.request.substr(0, 200);
        EXPECT_EQ(app.received, "") << each.request.substr(0, 200);
    }
}

TEST(HttpForwarder, AnApplicationThatIsNoneIs502) {
    for (const char* const answer :
         {"", "hello\r\n\r\n", "HTTP/1.1 101 Switching Protocols\r\n\r\n"}) {
        ForwarderHarness app(answer);
        const std::string got = app.exchange(request_with(""));
        EXPECT_EQ(first_line(got), "HTTP/1.1 502 Bad Gateway") << answer;
        EXPECT_NE(got.find("http://app.example does not answer"), std::string::npos) << got;
    }
}

constexpr const char* kHandshake =
    "GET /socket HTTP/1.1\r\nHost: localhost:1\r\nConnection: keep-alive, Upgrade\r\n"
    "Upgrade: websocket\r\nSec-WebSocket-Key: k\r\n\r\n";

TEST(HttpForwarder, AWebSocketsBytesPassUntilItEnds) {
    ForwarderHarness app(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: a\r\n\r\nframes of the server"
    );
    const std::string answer = app.converse(kHandshake);
    EXPECT_EQ(first_line(answer), "HTTP/1.1 101 Switching Protocols");
    EXPECT_TRUE(holds_line(answer, "Connection: Upgrade")) << answer;
    EXPECT_TRUE(holds_line(answer, "Upgrade: websocket")) << answer;
    EXPECT_TRUE(holds_line(answer, "Sec-WebSocket-Accept: a")) << answer;
    EXPECT_TRUE(answer.ends_with("\r\n\r\nframes of the server")) << answer;
    EXPECT_TRUE(holds_line(app.received, "Connection: Upgrade")) << app.received;
    EXPECT_TRUE(holds_line(app.received, "Sec-WebSocket-Key: k")) << app.received;
    EXPECT_TRUE(holds_line(app.received, "X-Added: yes")) << app.received;
}

TEST(HttpGet, GivesABodyOrSaysWhyNot) {
    struct Case {
        std::string answer;
        std::string body;
    };

    for (const Case& each :
         {Case{kHello, "hello"},
          Case{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", "hi"},
          Case{"HTTP/1.0 200 OK\r\n\r\nto the end", "to the end"},
          Case{"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno", ""},
          Case{"HTTP/1.1 200 OK\r\nContent-Length: 20000\r\n\r\n" + std::string(20000, 'x'), ""},
          Case{"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ncut", ""}}) {
        ForwarderHarness app(each.answer);
        app.harness.run([&]() -> Awaitable<void> {
            HttpOrigin origin;
            origin.host = "127.0.0.1";
            origin.port = app.harness.port();
            origin.authority = "app.example";
            const auto got = co_await http_get(app.harness.loop, origin, "/key");
            EXPECT_EQ(got.has_value(), !each.body.empty()) << each.answer.substr(0, 80);
            if (got.has_value()) {
                EXPECT_EQ(*got, each.body);
            } else {
                EXPECT_NE(got.error().message.find("http://app.example/key"), std::string::npos);
            }
        });
        EXPECT_EQ(first_line(app.received), "GET /key HTTP/1.1");
    }
}

}  // namespace

}  // namespace pgveil::net
