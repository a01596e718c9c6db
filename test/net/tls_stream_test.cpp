#include "net/tls_context.hpp"
#include "test/net/harness.hpp"
#include "test/net/tls_certificates.hpp"

#include <boost/asio/error.hpp>

#include <algorithm>

namespace pgveil::net {

namespace {

/// Both ends of a TLS connection, certificates included.
class TlsHarness : public Harness {
public:
    TestAuthority authority;
    std::vector<std::uint8_t> server_end_point;
    std::optional<TlsExporter> server_exporter;
    std::string server_protocol;

    void serve_echo(const CertificateWish& wish) {
        const CertificateFiles files = authority.issue(wish);
        auto loaded = TlsContext::load_server(files.certificate, files.key);
        ASSERT_TRUE(loaded.has_value()) << loaded.error().message;
        context_ = *loaded;
        serve([this](std::unique_ptr<Stream> stream) { return session(std::move(stream)); });
    }

    std::shared_ptr<const TlsContext> client_context() const { return trusting(authority); }

    static std::shared_ptr<const TlsContext> trusting(const TestAuthority& trusted) {
        auto loaded = TlsContext::load_client(trusted.authority_file());
        EXPECT_TRUE(loaded.has_value()) << loaded.error().message;
        return *loaded;
    }

    Awaitable<Result<void>> upgrade(Stream& stream, std::string host) {
        const Buffer nothing(loop.buffers());
        co_return co_await stream.upgrade_to_tls_client(client_context(), std::move(host), nothing);
    }

private:
    Awaitable<void> session(std::unique_ptr<Stream> stream) {
        const Buffer nothing(loop.buffers());
        const auto upgraded = co_await stream->upgrade_to_tls_server(context_, nothing);
        if (!upgraded.has_value()) {
            co_return;
        }
        const ByteView end_point = stream->server_end_point();
        server_end_point.assign(end_point.begin(), end_point.end());
        server_exporter = stream->tls_exporter();
        server_protocol = stream->application_protocol();
        co_await echo(*stream);
    }

    std::shared_ptr<const TlsContext> context_;
};

TEST(TlsStream, EchoesBytesAndTheEndOverTls) {
    TlsHarness harness;
    harness.serve_echo({});
    harness.run([&]() -> Awaitable<void> {
        auto stream = co_await harness.client();
        const auto upgraded = co_await harness.upgrade(*stream, "localhost");
        EXPECT_TRUE(upgraded.has_value()) << upgraded.error().message;
        EXPECT_EQ(stream->tls_version(), "TLSv1.3");
        stream->send(bytes_of("hello"));
        Buffer buffer(harness.loop.buffers());
        EXPECT_EQ(co_await read_exactly(*stream, buffer, 5), "hello");
        co_await stream->finish_output();
        EXPECT_EQ(co_await read_exactly(*stream, buffer, 1), "");
    });
    EXPECT_EQ(harness.server_protocol, "postgresql");
}

Awaitable<void> send_all(Stream& stream, const std::string& text) {
    for (std::size_t at = 0; at < text.size(); at += 50001) {
        stream.send(bytes_of(std::string_view(text).substr(at, 50001)));
        co_await stream.drained(100000);
    }
    co_await stream.finish_output();
}

TEST(TlsStream, KeepsTheOrderOfMegabytesInBothDirections) {
    TlsHarness harness;
    harness.serve_echo({});
    std::string text;
    for (int i = 0; text.size() < std::size_t{8} << 20; ++i) {
        text += std::to_string(i) + ",";
    }
    harness.run([&]() -> Awaitable<void> {
        auto stream = co_await harness.client();
        const auto upgraded = co_await harness.upgrade(*stream, "localhost");
        EXPECT_TRUE(upgraded.has_value());
        harness.loop.spawn(send_all(*stream, text));
        Buffer buffer(harness.loop.buffers());
        const std::string back = co_await read_exactly(*stream, buffer, SIZE_MAX);
        EXPECT_TRUE(back == text);
    });
    EXPECT_EQ(harness.loop.buffers().lent(), 0U);
}

TEST(TlsStream, SeesTheSameServerEndPointOnBothSides) {
    TlsHarness harness;
    harness.serve_echo({});
    harness.run([&]() -> Awaitable<void> {
        auto stream = co_await harness.client();
        const auto upgraded = co_await harness.upgrade(*stream, "localhost");
        EXPECT_TRUE(upgraded.has_value());
        stream->send(bytes_of("x"));
        Buffer buffer(harness.loop.buffers());
        co_await read_exactly(*stream, buffer, 1);
        EXPECT_EQ(stream->server_end_point().size(), 32U);
        EXPECT_TRUE(std::ranges::equal(stream->server_end_point(), harness.server_end_point));
    });
}

TEST(TlsStream, BothSidesOfOneConnectionHaveTheSameExporterAndNoOtherConnectionHasIt) {
    TlsHarness harness;
    harness.serve_echo({});
    std::vector<TlsExporter> seen;
    harness.run([&]() -> Awaitable<void> {
        for (int i = 0; i < 2; ++i) {
            auto stream = co_await harness.client();
            EXPECT_FALSE(stream->tls_exporter().has_value()) << "before TLS";
            const auto upgraded = co_await harness.upgrade(*stream, "localhost");
            EXPECT_TRUE(upgraded.has_value());
            stream->send(bytes_of("x"));
            Buffer buffer(harness.loop.buffers());
            co_await read_exactly(*stream, buffer, 1);
            const auto exporter = stream->tls_exporter();
            EXPECT_TRUE(exporter.has_value());
            EXPECT_EQ(exporter, harness.server_exporter);
            seen.push_back(exporter.value_or(TlsExporter{}));
        }
    });
    EXPECT_NE(seen.at(0), seen.at(1));
}

Awaitable<void> expect_refusal(
    TlsHarness& harness, std::string host, ErrorCode code, std::string text
) {
    auto stream = co_await harness.client();
    const auto upgraded = co_await harness.upgrade(*stream, std::move(host));
    EXPECT_FALSE(upgraded.has_value());
    EXPECT_EQ(upgraded.error().code, code) << upgraded.error().message;
    EXPECT_NE(upgraded.error().message.find(text), std::string::npos) << upgraded.error().message;
}

TEST(TlsStream, NamesTheWrongHost) {
    TlsHarness harness;
    harness.serve_echo({});
    harness.run([&] {
        return expect_refusal(harness, "example.org", ErrorCode::kWrongHost, "example.org");
    });
}

TEST(TlsStream, TakesACertificateForItsAddressOnly) {
    CertificateWish wish;
    wish.name = "127.0.0.1";
    wish.is_address = true;
    TlsHarness right;
    right.serve_echo(wish);
    right.run([&]() -> Awaitable<void> {
        auto stream = co_await right.client();
        const auto upgraded = co_await right.upgrade(*stream, "127.0.0.1");
        EXPECT_TRUE(upgraded.has_value()) << upgraded.error().message;
    });
    TlsHarness wrong;
    wrong.serve_echo({});
    wrong.run([&] { return expect_refusal(wrong, "127.0.0.1", ErrorCode::kWrongHost, "127.0.0.1"); }
    );
}

TEST(TlsStream, NamesTheCertificateOfAnExpiredServer) {
    // A server refuses to load an expired certificate, so this one expires between load and use.
    CertificateWish wish;
    wish.valid_until_seconds = 2;
    TlsHarness harness;
    harness.serve_echo(wish);
    harness.run([&]() -> Awaitable<void> {
        co_await harness.loop.sleep(Duration(3100));
        co_await expect_refusal(harness, "localhost", ErrorCode::kExpired, "expired");
    });
}

TEST(TlsStream, NamesAnAuthorityThatIsNotTrusted) {
    TlsHarness harness;
    harness.serve_echo({});
    const TestAuthority stranger;
    harness.run([&]() -> Awaitable<void> {
        auto stream = co_await harness.client();
        const Buffer nothing(harness.loop.buffers());
        const auto context = TlsHarness::trusting(stranger);
        const auto upgraded = co_await stream->upgrade_to_tls_client(context, "localhost", nothing);
        EXPECT_FALSE(upgraded.has_value());
        EXPECT_EQ(upgraded.error().code, ErrorCode::kUnknownAuthority) << upgraded.error().message;
    });
}

TEST(TlsStream, RefusesBytesThatArrivedBeforeTheHandshake) {
    TlsHarness harness;
    harness.serve_echo({});
    harness.run([&]() -> Awaitable<void> {
        auto stream = co_await harness.client();
        Buffer input(harness.loop.buffers());
        input.space()[0] = 'x';
        input.commit(1);
        const auto context = harness.client_context();
        const auto upgraded = co_await stream->upgrade_to_tls_client(context, "localhost", input);
        EXPECT_FALSE(upgraded.has_value());
        EXPECT_EQ(upgraded.error().code, ErrorCode::kBufferedPlaintext);
        EXPECT_FALSE(stream->is_tls());
    });
}

TEST(TlsStream, GivesUpAHandshakeAtTheDeadline) {
    Harness harness;
    TestAuthority authority;
    harness.serve([](std::unique_ptr<Stream> stream) -> Awaitable<void> {
        co_await stream->loop().sleep(kSoon);
    });
    harness.run([&]() -> Awaitable<void> {
        auto stream = co_await harness.client();
        stream->set_deadline(Duration(20));
        const Buffer nothing(harness.loop.buffers());
        const auto context = TlsHarness::trusting(authority);
        const auto upgraded = co_await stream->upgrade_to_tls_client(context, "localhost", nothing);
        EXPECT_FALSE(upgraded.has_value());
        EXPECT_EQ(upgraded.error().code, ErrorCode::kTimeout);
    });
}

TEST(TlsStream, SurvivesGarbageInsteadOfAHandshake) {
    TlsHarness harness;
    harness.serve_echo({});
    harness.run([&]() -> Awaitable<void> {
        auto stream = co_await harness.client();
        stream->send(bytes_of(std::string(1000, 'x')));
        Buffer buffer(harness.loop.buffers());
        const error_code code =
            co_await error_of([](Stream& from, Buffer& into) -> Awaitable<void> {
                co_await read_exactly(from, into, SIZE_MAX);
            }(*stream, buffer));
        EXPECT_TRUE(!code || code == boost::asio::error::connection_reset) << code.message();
    });
}

}  // namespace

}  // namespace pgveil::net
