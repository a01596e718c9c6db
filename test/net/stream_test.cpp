#include "test/net/harness.hpp"

#include <boost/asio/error.hpp>

#include <algorithm>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace pgveil::net {

namespace {

namespace error = boost::asio::error;

Awaitable<void> echo_session(std::unique_ptr<Stream> stream) {
    co_await echo(*stream);
}

TEST(Stream, EchoesBytesAndTheEnd) {
    Harness harness;
    harness.serve(echo_session);
    harness.run([&]() -> Awaitable<void> {
        auto stream = co_await harness.client();
        Buffer buffer(harness.loop.buffers());
        stream->send(bytes_of("hello"));
        EXPECT_EQ(co_await read_exactly(*stream, buffer, 5), "hello");
        EXPECT_EQ(harness.loop.buffers().lent(), 0U) << "idle connections hold no block";
        co_await stream->finish_output();
        EXPECT_EQ(co_await read_exactly(*stream, buffer, 1), "");
    });
}

TEST(Stream, SendsPiecesInOrderAndQueuedBytesFirst) {
    Harness harness;
    harness.serve(echo_session);
    harness.run([&]() -> Awaitable<void> {
        auto stream = co_await harness.client();
        Buffer buffer(harness.loop.buffers());
        stream->queue(bytes_of("one "));
        stream->queue(bytes_of("two "));
        const std::vector<ByteView> pieces{bytes_of("three "), bytes_of("four "), bytes_of("")};
        stream->send(pieces);
        stream->send(bytes_of("five"));
        EXPECT_EQ(co_await read_exactly(*stream, buffer, 23), "one two three four five");
    });
}

TEST(Stream, ReadsWhatCameTogetherWithTheEnd) {
    Harness harness;
    harness.serve([](std::unique_ptr<Stream> stream) -> Awaitable<void> {
        stream->send(bytes_of("last words"));
        co_await stream->finish_output();
    });
    harness.run([&]() -> Awaitable<void> {
        auto stream = co_await harness.client();
        co_await harness.loop.sleep(Duration(20));
        Buffer buffer(harness.loop.buffers());
        EXPECT_EQ(co_await read_exactly(*stream, buffer, 1000), "last words");
    });
}

constexpr std::size_t kMuch = std::size_t{32} << 20;

struct SlowReader {
    std::size_t sent = 0;
    std::size_t pending_max = 0;
    bool done = false;
};

Awaitable<void> send_much(std::unique_ptr<Stream> stream, SlowReader& seen) {
    const std::vector<std::uint8_t> chunk(50000, 'x');
    while (seen.sent < kMuch) {
        stream->send(chunk);
        seen.sent += chunk.size();
        seen.pending_max = std::max(seen.pending_max, stream->pending_output());
        co_await stream->drained(65536);
    }
    co_await stream->finish_output();
    seen.done = true;
}

TEST(Stream, HoldsAProducerBackWhenThePeerDoesNotRead) {
    Harness harness;
    SlowReader seen;
    harness.serve([&seen](std::unique_ptr<Stream> stream) -> Awaitable<void> {
        return send_much(std::move(stream), seen);
    });
    harness.run([&]() -> Awaitable<void> {
        auto stream = co_await harness.client();
        co_await harness.loop.sleep(Duration(100));
        EXPECT_FALSE(seen.done);
        const std::size_t stuck_at = seen.sent;
        co_await harness.loop.sleep(Duration(50));
        EXPECT_EQ(seen.sent, stuck_at);
        Buffer buffer(harness.loop.buffers());
        const std::string all = co_await read_exactly(*stream, buffer, SIZE_MAX);
        EXPECT_EQ(all.size(), seen.sent);
    });
    EXPECT_TRUE(seen.done);
    EXPECT_LE(seen.pending_max, 65536U + 50000U);
    EXPECT_EQ(harness.loop.buffers().lent(), 0U);
}

/// A peer that sends one byte and then resets the connection.
void send_and_reset(std::uint16_t port) {
    const int descriptor = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    ::send(descriptor, "x", 1, 0);
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    ::close(descriptor);
}

TEST(Stream, ThrowsWhenThePeerResets) {
    Harness harness;
    error_code seen;
    bool is_ended = false;
    harness.serve([&](std::unique_ptr<Stream> stream) -> Awaitable<void> {
        Buffer buffer(stream->loop().buffers());
        try {
            co_await read_exactly(*stream, buffer, 100);
        } catch (const boost::system::system_error& lost) {
            seen = lost.code();
        }
        EXPECT_EQ(co_await error_of(stream->readable()), seen);
        is_ended = true;
    });
    harness.run([&]() -> Awaitable<void> {
        send_and_reset(harness.port());
        while (!is_ended) {
            co_await harness.loop.sleep(Duration(1));
        }
    });
    EXPECT_EQ(seen, error::connection_reset);
}

TEST(Stream, WakesAWaitingReaderWhenItIsClosed) {
    Harness harness;
    harness.serve(echo_session);
    harness.run([&]() -> Awaitable<void> {
        auto stream = co_await harness.client();
        Timer closing(harness.loop, [&stream] { stream->close(); });
        closing.set(Duration(5));
        EXPECT_EQ(co_await error_of(stream->readable()), error::operation_aborted);
        EXPECT_FALSE(stream->is_open());
        EXPECT_EQ(co_await error_of(stream->drained()), error::operation_aborted);
    });
}

TEST(Stream, FailsAWaitWhenTheDeadlineHasPassedAndGoesOnWhenItIsCleared) {
    Harness harness;
    harness.serve(echo_session);
    harness.run([&]() -> Awaitable<void> {
        auto stream = co_await harness.client();
        stream->set_deadline(Duration(10));
        EXPECT_EQ(co_await error_of(stream->readable()), error::timed_out);
        stream->clear_deadline();
        stream->send(bytes_of("still here"));
        Buffer buffer(harness.loop.buffers());
        EXPECT_EQ(co_await read_exactly(*stream, buffer, 10), "still here");
    });
}

TEST(Stream, PeeksWithoutTaking) {
    Harness harness;
    harness.serve(echo_session);
    harness.run([&]() -> Awaitable<void> {
        auto stream = co_await harness.client();
        stream->send(bytes_of("\x16tls"));
        EXPECT_EQ(co_await stream->peek_first_byte(), 0x16);
        EXPECT_EQ(co_await stream->peek_first_byte(), 0x16);
        Buffer buffer(harness.loop.buffers());
        EXPECT_EQ(co_await read_exactly(*stream, buffer, 4), "\x16tls");
        co_await stream->finish_output();
        EXPECT_EQ(co_await stream->peek_first_byte(), std::nullopt);
    });
}

Awaitable<void> ask_once(Harness& harness, int& answered) {
    auto stream = co_await harness.client();
    Buffer buffer(harness.loop.buffers());
    for (int round = 0; round < 3; ++round) {
        stream->send(bytes_of("ping"));
        if (co_await read_exactly(*stream, buffer, 4) != "ping") {
            co_return;
        }
    }
    ++answered;
    co_await harness.loop.sleep(Duration(200));
}

TEST(Stream, ServesAThousandConnectionsAtOnce) {
    Harness harness;
    harness.serve(echo_session);
    int answered = 0;
    harness.run([&]() -> Awaitable<void> {
        for (int i = 0; i < 1000; ++i) {
            harness.loop.spawn(ask_once(harness, answered));
        }
        while (answered < 1000) {
            co_await harness.loop.sleep(Duration(5));
        }
    });
    EXPECT_EQ(answered, 1000);
}

TEST(Stream, LetsOthersRunBesideABusyPeer) {
    Harness harness;
    harness.serve(echo_session);
    harness.run([&]() -> Awaitable<void> {
        auto busy = co_await harness.client();
        auto quiet = co_await harness.client();
        const std::vector<std::uint8_t> chunk(65536, 'x');
        busy->send(chunk);
        quiet->send(bytes_of("hi"));
        Buffer buffer(harness.loop.buffers());
        EXPECT_EQ(co_await read_exactly(*quiet, buffer, 2), "hi");
    });
}

}  // namespace

}  // namespace pgveil::net
