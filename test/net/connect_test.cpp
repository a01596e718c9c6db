#include "test/net/harness.hpp"

namespace pgveil::net {

namespace {

Awaitable<void> greet(std::unique_ptr<Stream> stream) {
    stream->send(bytes_of("hi"));
    co_await stream->finish_output();
}

TEST(Connect, ReachesAHostByName) {
    Harness harness;
    harness.serve(greet);
    harness.run([&]() -> Awaitable<void> {
        auto connected = co_await connect(harness.loop, "localhost", harness.port(), kSoon);
        if (!connected.has_value()) {
            ADD_FAILURE() << connected.error().message;
            co_return;
        }
        EXPECT_EQ((*connected)->peer_address(), "127.0.0.1:" + std::to_string(harness.port()));
        Buffer buffer(harness.loop.buffers());
        EXPECT_EQ(co_await read_exactly(**connected, buffer, 2), "hi");
    });
}

Awaitable<Error> connect_error(
    Harness& harness, std::string host, std::uint16_t port, Duration time
) {
    auto connected = co_await connect(harness.loop, std::move(host), port, time);
    EXPECT_FALSE(connected.has_value());
    co_return connected.error();
}

TEST(Connect, NamesTheAddressThatRefuses) {
    Harness harness;
    harness.run([&]() -> Awaitable<void> {
        const Error error = co_await connect_error(harness, "127.0.0.1", 1, kSoon);
        EXPECT_EQ(error.code, ErrorCode::kConnect);
        EXPECT_EQ(error.message, "cannot connect to 127.0.0.1:1: Connection refused");
    });
}

TEST(Connect, NamesTheHostThatHasNoAddress) {
    Harness harness;
    harness.run([&]() -> Awaitable<void> {
        const Error error = co_await connect_error(harness, "no-such-host.invalid", 1, kSoon);
        EXPECT_EQ(error.code, ErrorCode::kResolve);
        EXPECT_NE(error.message.find("\"no-such-host.invalid\""), std::string::npos);
    });
}

TEST(Connect, NamesTheSocketThatIsNotThere) {
    Harness harness;
    harness.run([&]() -> Awaitable<void> {
        const Error error = co_await connect_error(harness, "/nonexistent", 5432, kSoon);
        EXPECT_NE(error.message.find("/nonexistent/.s.PGSQL.5432"), std::string::npos);
    });
}

}  // namespace

}  // namespace pgveil::net
