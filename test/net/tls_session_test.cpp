#include "net/tls_session.hpp"

#include "test/net/tls_certificates.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace pgveil::net {

namespace {

/// RFC 8446 section 5.2: head, type of the content, tag.
constexpr std::size_t kRecordOverhead = 5 + 1 + 16;

/// Both ends of a TLS connection on a socket pair, after the handshake.
class TlsPair : public testing::Test {
protected:
    void SetUp() override {
        std::array<int, 2> ends{};
        ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()), 0);
        server_socket_ = Socket(ends[0]);
        client_socket_ = Socket(ends[1]);
        const CertificateFiles files = authority_.issue({});
        auto server_context = TlsContext::load_server(files.certificate, files.key);
        auto client_context = TlsContext::load_client(authority_.authority_file());
        ASSERT_TRUE(server_context.has_value() && client_context.has_value());
        auto server = TlsSession::create(*server_context, server_socket_, "");
        auto client = TlsSession::create(*client_context, client_socket_, "localhost");
        ASSERT_TRUE(server.has_value() && client.has_value());
        server_ = std::move(*server);
        client_ = std::move(*client);
        shake_hands();
    }

    void shake_hands() {
        TlsStep of_client = TlsStep::kWantRead;
        TlsStep of_server = TlsStep::kWantRead;
        for (int round = 0; round < 10 && of_server != TlsStep::kDone; ++round) {
            note_events();
            of_client = of_client == TlsStep::kDone ? of_client : client_->handshake();
            note_events();
            of_server = server_->handshake();
        }
        ASSERT_TRUE(of_client == TlsStep::kDone && of_server == TlsStep::kDone);
    }

    void note_events() {
        client_socket_.note_events(EPOLLIN | EPOLLOUT);
        server_socket_.note_events(EPOLLIN | EPOLLOUT);
    }

    void write(std::size_t size) {
        const std::vector<std::uint8_t> bytes(size, 'x');
        EXPECT_EQ(client_->write(bytes).bytes, size);
    }

    /// Writes of this size until one is held up.
    void fill(std::size_t size) {
        const std::vector<std::uint8_t> bytes(size, 'x');
        IoResult result;
        do {
            result = client_->write(bytes);
        } while (result.status == IoStatus::kDone);
        EXPECT_EQ(result.status, IoStatus::kBlocked);
    }

    std::size_t read_all() {
        note_events();
        std::vector<std::uint8_t> space(65536);
        std::size_t count = 0;
        IoResult result;
        do {
            result = server_->read(space);
            count += result.bytes;
        } while (result.status == IoStatus::kDone);
        return count;
    }

    /// One call, and what it did.
    IoResult try_write(std::size_t size) {
        note_events();
        return client_->write(std::vector<std::uint8_t>(size, 'x'));
    }

    /// What the server has not read yet.
    std::size_t bytes_on_the_way() const {
        int bytes = 0;
        EXPECT_EQ(::ioctl(server_socket_.descriptor(), FIONREAD, &bytes), 0);
        return static_cast<std::size_t>(bytes);
    }

private:
    TestAuthority authority_;
    Socket server_socket_;
    Socket client_socket_;
    std::unique_ptr<TlsSession> server_;
    std::unique_ptr<TlsSession> client_;
};

TEST_F(TlsPair, SendsLargeWritesInOneRecordAfterSmallOnes) {
    write(100);
    EXPECT_EQ(bytes_on_the_way(), 100 + kRecordOverhead);
    write(16384);
    EXPECT_EQ(bytes_on_the_way(), 100 + 16384 + 2 * kRecordOverhead);
    write(10);
    write(5000);
    EXPECT_EQ(bytes_on_the_way(), 100 + 16384 + 10 + 5000 + 4 * kRecordOverhead);
}

// OpenSSL keeps the room of a record that was held up, and a larger one does not fit into it.
TEST_F(TlsPair, WritesLargeRecordsBehindASmallOneThatWasHeldUp) {
    fill(100);
    read_all();
    std::size_t written = 0;
    for (int round = 0; round < 4; ++round) {
        const IoResult result = try_write(16384);
        ASSERT_EQ(result.status, IoStatus::kDone) << "round " << round;
        written += result.bytes;
        EXPECT_EQ(read_all(), result.bytes);
    }
    EXPECT_GE(written, 3 * 16384U);
}

}  // namespace

}  // namespace pgveil::net
