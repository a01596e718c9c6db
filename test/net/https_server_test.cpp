#include "net/https_server.hpp"

#include "test/net/harness.hpp"
#include "test/net/tls_certificates.hpp"

namespace pgveil::net {

namespace {

/// A server that tells what it was asked, and clients that say what a test wants.
class HttpsHarness : public Harness {
public:
    HttpsHarness() {
        const CertificateFiles files = authority.issue({});
        auto tls =
            TlsContext::load_https_server(files.certificate, files.key, authority.authority_file());
        EXPECT_TRUE(tls.has_value());
        HttpsLimits limits;
        limits.head_bytes = 1024;
        limits.body_bytes = 2000;
        Address address;
        address.host = "127.0.0.1";
        auto opened = HttpsServer::open(
            loop, address, *tls, [](const HttpsRequest& request) { return told(request); }, limits
        );
        EXPECT_TRUE(opened.has_value());
        server = *std::move(opened);
    }

    /// What comes back for `text` until the server closes.
    std::string answer_to(std::string text, std::string protocol = "http/1.1") {
        std::string answer;
        run([&]() -> Awaitable<void> { answer = co_await exchange(text, protocol); });
        return answer;
    }

    TestAuthority authority;
    std::unique_ptr<HttpsServer> server;

private:
    static HttpResponse told(const HttpsRequest& request) {
        HttpResponse out(
            200,
            request.head.method + " " + request.path + " " + request.query + " [" + request.body +
                "]" + (request.peer ? " known" : " unknown") + "\n"
        );
        out.fields.push_back({"Told", "yes"});
        return out;
    }

    Awaitable<std::string> exchange(std::string text, std::string protocol) {
        auto connected = co_await connect(loop, "127.0.0.1", server->port(), kSoon);
        EXPECT_TRUE(connected.has_value());
        const std::unique_ptr<Stream> stream = *std::move(connected);
        stream->set_deadline(kSoon);
        auto trusted = TlsContext::load_client(authority.authority_file(), protocol);
        std::shared_ptr<const TlsContext> tls = *trusted;
        std::string host = "localhost";
        const Buffer nothing(loop.buffers());
        const auto upgraded =
            co_await stream->upgrade_to_tls_client(std::move(tls), std::move(host), nothing);
        if (!upgraded.has_value()) {
            co_return "no TLS";
        }
        EXPECT_EQ(stream->tls_version(), "TLSv1.3");
        stream->send(bytes_of(text));
        Buffer buffer(loop.buffers());
        std::string answer = co_await read_exactly(*stream, buffer, std::size_t{1} << 20U);
        co_return answer;
    }
};

std::size_t count_of(const std::string& text, const std::string& part) {
    std::size_t count = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
        ++count;
    }
    return count;
}

TEST(HttpsServer, AnswersRequestsInOrderOnOneConnection) {
    HttpsHarness https;
    const std::string answer = https.answer_to(
        "POST /a?x=1 HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"
        "POST /b HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
        "chunked\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n"
        "GET /c HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
    );
    EXPECT_EQ(count_of(answer, "HTTP/1.1 200 OK\r\n"), 3U) << answer;
    EXPECT_EQ(count_of(answer, "Connection: keep-alive\r\n"), 2U);
    EXPECT_EQ(count_of(answer, "Told: yes\r\n"), 3U);
    const std::size_t first = answer.find("POST /a x=1 [hello] unknown\n");
    const std::size_t second = answer.find("POST /b  [abcd] unknown\n");
    const std::size_t third = answer.find("GET /c  [] unknown\n");
    EXPECT_LT(first, second);
    EXPECT_LT(second, third);
    EXPECT_NE(third, std::string::npos);
}

TEST(HttpsServer, TellsAClientThatWaitsToGoOn) {
    HttpsHarness https;
    const std::string answer = https.answer_to(
        "POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n"
        "x"
    );
    EXPECT_NE(answer.find("[x]"), std::string::npos) << answer;
}

TEST(HttpsServer, RefusesWhatIsNoRequestOrTooLarge) {
    const auto status_of = [](const std::string& text) {
        HttpsHarness https;
        return https.answer_to(text).substr(0, 12);
    };
    EXPECT_EQ(status_of("nonsense\r\n\r\n"), "HTTP/1.1 400");
    EXPECT_EQ(status_of("GET / HTTP/1.1\r\nLong: " + std::string(2000, 'x')), "HTTP/1.1 431");
    EXPECT_EQ(
        status_of("POST / HTTP/1.1\r\nContent-Length: 2001\r\n\r\n" + std::string(2001, 'x')),
        "HTTP/1.1 413"
    );
    EXPECT_EQ(
        status_of("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n7d1\r\n"), "HTTP/1.1 413"
    );
}

TEST(HttpsServer, HeadGetsNoBodyAndOtherProtocolsNoConnection) {
    HttpsHarness https;
    const std::string answer =
        https.answer_to("HEAD / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    EXPECT_TRUE(answer.ends_with("\r\n\r\n")) << answer;
    HttpsHarness other;
    EXPECT_EQ(other.answer_to("GET / HTTP/1.1\r\n\r\n", "postgresql"), "no TLS");
}

}  // namespace

}  // namespace pgveil::net
