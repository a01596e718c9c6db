#include "proxy/wire/authentication.hpp"
#include "proxy/wire/error_response.hpp"
#include "test/proxy/session/live_fixture.hpp"

#include <arpa/inet.h>
#include <array>
#include <chrono>
#include <optional>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

namespace pgveil::session {
namespace {

using testing_support::Connection;
using testing_support::LiveLogin;

/// A client that sends bytes of its own making.
class RawClient {
public:
    explicit RawClient(std::uint16_t port)
        : descriptor_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        EXPECT_EQ(::connect(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    }

    RawClient(const RawClient&) = delete;
    RawClient& operator=(const RawClient&) = delete;
    RawClient(RawClient&&) = delete;
    RawClient& operator=(RawClient&&) = delete;

    ~RawClient() { ::close(descriptor_); }

    void send(wire::ByteView bytes) const {
        EXPECT_EQ(::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL), std::ssize(bytes));
    }

    /// Everything until the proxy closes; nothing if it does not within five seconds.
    std::optional<std::string> read_to_end() const {
        std::string text;
        for (;;) {
            const auto more = read_some();
            if (!more) {
                return std::nullopt;
            }
            if (more->empty()) {
                return text;
            }
            text += *more;
        }
    }

    std::optional<std::string> read_some() const {
        pollfd ready{descriptor_, POLLIN, 0};
        if (::poll(&ready, 1, 5000) != 1) {
            return std::nullopt;
        }
        std::array<char, 4096> bytes{};
        const ssize_t count = ::recv(descriptor_, bytes.data(), bytes.size(), 0);
        return std::string(bytes.data(), count > 0 ? static_cast<std::size_t>(count) : 0);
    }

private:
    int descriptor_;
};

wire::Output startup_message(std::uint32_t version, std::vector<wire::StartupParameter> pairs) {
    wire::Output out;
    wire::append_startup_message(out, version, pairs);
    return out;
}

class LiveWire : public LiveLogin {
protected:
    void SetUp() override {
        LiveLogin::SetUp();
        setup_.rules.requires_tls = false;
        setup_.rules.login_timeout = net::Duration(700);
        start();
    }

    void expect_closed_session() {
        for (int attempt = 0; attempt < 100 && proxy_->sessions() > 0; ++attempt) {
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
        }
        EXPECT_EQ(proxy_->sessions(), 0);
    }
};

TEST_F(LiveWire, ClosesTheSocketAfterAFatalError) {
    const RawClient client(proxy_->port());
    client.send(startup_message(wire::kProtocol30, {{"user", "n"}, {"replication", "1"}}).bytes());
    const auto answer = client.read_to_end();
    ASSERT_TRUE(answer.has_value());
    wire::FrameReader frames(wire::as_bytes(*answer), 4096);
    const wire::Frame frame = frames.take();
    const auto response = wire::decode_error_response(frame.body);
    ASSERT_TRUE(response.has_value());
    EXPECT_EQ(response->find('V'), "FATAL");
    EXPECT_EQ(response->find('C'), "0A000");
    EXPECT_EQ(frame.bytes.size(), answer->size()) << "nothing follows the FATAL";
}

TEST_F(LiveWire, ReceivesTheErrorEvenWithUnreadBytesOnTheWay) {
    const RawClient client(proxy_->port());
    wire::Output output = startup_message(wire::kProtocol30, {{"user", "n"}, {"replication", "1"}});
    output.append(core::Bytes(8000, 'x'));
    client.send(output.bytes());
    const auto answer = client.read_to_end();
    ASSERT_TRUE(answer.has_value());
    EXPECT_TRUE(answer->starts_with('E'));
}

TEST_F(LiveWire, NegotiatesGreaseDownToProtocol32) {
    const RawClient client(proxy_->port());
    client.send(startup_message(
                    0x0003270F, {{"user", "nurse"}, {"_pq_.test_protocol_negotiation", ""}}
    ).bytes());
    const auto answer = client.read_to_end();
    ASSERT_TRUE(answer.has_value());
    wire::FrameReader frames(wire::as_bytes(*answer), 4096);
    const auto negotiation = wire::decode_negotiate_protocol_version(frames.take().body);
    ASSERT_TRUE(negotiation.has_value());
    EXPECT_EQ(negotiation->version, wire::kProtocol32);
    ASSERT_EQ(negotiation->unrecognized.size(), 1U);
    EXPECT_EQ(*negotiation->unrecognized.begin(), "_pq_.test_protocol_negotiation");
    const auto offer = wire::decode_authentication(frames.take().body);
    ASSERT_TRUE(offer.has_value());
    EXPECT_EQ(offer->type, wire::AuthenticationType::kSASL);
    ASSERT_EQ(offer->mechanisms.size(), 1U) << "PLUS is not offered without TLS";
}

TEST_F(LiveWire, RefusesGssEncryptionAndGoesOn) {
    const RawClient client(proxy_->port());
    const core::Bytes request{0, 0, 0, 8, 4, 210, 22, 48};
    client.send(request);
    EXPECT_EQ(client.read_some(), "N");
    client.send(startup_message(wire::kProtocol30, {{"user", "nurse"}}).bytes());
    const auto offer = client.read_some();
    ASSERT_TRUE(offer.has_value());
    EXPECT_TRUE(offer->starts_with('R'));
}

TEST_F(LiveWire, ClosesWhenBytesFollowTheSslRequest) {
    const RawClient client(proxy_->port());
    wire::Output output;
    wire::append_ssl_request(output);
    output.append(startup_message(wire::kProtocol30, {{"user", "nurse"}}).bytes());
    client.send(output.bytes());
    const auto answer = client.read_to_end();
    ASSERT_TRUE(answer.has_value());
    EXPECT_EQ(*answer, "S");
    expect_closed_session();
}

TEST_F(LiveWire, SaysNothingToStrangersAndRepeatedRequests) {
    const std::vector<std::pair<core::Bytes, std::string>> cases{
        {core::to_bytes(core::as_bytes("GET / HTTP/1.1\r\nHost: x\r\n\r\n")), ""},
        {core::Bytes{0, 0, 0, 3}, ""},
        {core::Bytes{0x7F, 0xFF, 0xFF, 0xFF, 0, 3, 0, 0}, ""}};
    for (const auto& [bytes, expected] : cases) {
        const RawClient client(proxy_->port());
        client.send(bytes);
        EXPECT_EQ(client.read_to_end(), expected);
    }
    const RawClient twice(proxy_->port());
    const core::Bytes gss{0, 0, 0, 8, 4, 210, 22, 48};
    twice.send(gss);
    EXPECT_EQ(twice.read_some(), "N");
    twice.send(gss);
    EXPECT_EQ(twice.read_to_end(), "");
    expect_closed_session();
}

TEST_F(LiveWire, RefusesBytesThatWereSentBehindARequestForEncryption) {
    setup_.rules.tls = nullptr;
    start();
    const core::Bytes gss{0, 0, 0, 8, 4, 210, 22, 48};
    wire::Output tls;
    wire::append_ssl_request(tls);
    for (const wire::ByteView request : {wire::ByteView(gss), tls.bytes()}) {
        const RawClient client(proxy_->port());
        wire::Output output;
        output.append(request);
        output.append(startup_message(wire::kProtocol30, {{"user", "nurse"}}).bytes());
        client.send(output.bytes());
        const auto answer = client.read_to_end();
        ASSERT_TRUE(answer.has_value());
        EXPECT_TRUE(answer->starts_with("NE")) << *answer;
        EXPECT_NE(answer->find("received unencrypted data after"), std::string::npos);
    }
    expect_closed_session();
}

TEST_F(LiveWire, ReadsAStartupPacketThatComesByteForByte) {
    const RawClient client(proxy_->port());
    const auto message =
        startup_message(wire::kProtocol32, {{"user", "nurse"}, {"database", "clinic"}});
    for (const std::uint8_t byte : message.bytes()) {
        client.send(wire::ByteView(&byte, 1));
    }
    const auto offer = client.read_some();
    ASSERT_TRUE(offer.has_value());
    EXPECT_TRUE(offer->starts_with('R')) << "3.2 is spoken: there is nothing to negotiate";
}

TEST_F(LiveWire, GivesUpOnClientsThatDoNotFinishTheirLogin) {
    const RawClient silent(proxy_->port());
    const RawClient half(proxy_->port());
    const auto message = startup_message(wire::kProtocol30, {{"user", "nurse"}});
    half.send(message.bytes());
    EXPECT_EQ(silent.read_to_end(), "");
    EXPECT_TRUE(half.read_to_end().has_value());
    expect_closed_session();
}

TEST_F(LiveWire, SurvivesAStartupPacketCutAtEveryByte) {
    const auto message =
        startup_message(wire::kProtocol30, {{"user", "nurse"}, {"database", "clinic"}});
    for (std::size_t size = 0; size < message.size(); ++size) {
        const RawClient client(proxy_->port());
        client.send(message.bytes().first(size));
    }
    expect_closed_session();
    const Connection after = connect("sslmode=require");
    EXPECT_EQ(PQstatus(after.get()), CONNECTION_OK) << error_of(after);
}

}  // namespace
}  // namespace pgveil::session
