#pragma once

#include "net/connect.hpp"
#include "net/listener.hpp"
#include "net/loop.hpp"
#include "net/stream.hpp"

#include <boost/system/system_error.hpp>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace pgveil::net {

inline constexpr Duration kSoon{5000};

inline ByteView bytes_of(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

inline std::string text_of(ByteView bytes) {
    return {bytes.begin(), bytes.end()};
}

/// A loop, its listener on a free port of the loopback address, and a watchdog. `run` starts the
/// test's coroutine and returns when it has ended; what it throws fails the test.
class Harness {
public:
    using Session = std::function<Awaitable<void>(std::unique_ptr<Stream>)>;

    Loop loop;

    /// Every accepted connection is given to `session`.
    void serve(Session session) {
        session_ = std::move(session);
        Address address;
        address.host = "127.0.0.1";
        auto opened = Listener::open(loop, address, [this](std::unique_ptr<Stream> stream) {
            loop.spawn(session_(std::move(stream)));
        });
        ASSERT_TRUE(opened.has_value()) << opened.error().message;
        listener_ = *std::move(opened);
    }

    std::uint16_t port() const { return listener_->port(); }

    Awaitable<std::unique_ptr<Stream>> client() {
        auto connected = co_await connect(loop, "127.0.0.1", port(), kSoon);
        EXPECT_TRUE(connected.has_value()) << connected.error().message;
        co_return *std::move(connected);
    }

    void run(std::function<Awaitable<void>()> test) {
        Timer watchdog(loop, [this] {
            ADD_FAILURE() << "not done in time";
            loop.stop();
        });
        watchdog.set(Duration(20000));
        loop.spawn(guarded(test));
        loop.run();
        EXPECT_TRUE(finished_);
    }

private:
    Awaitable<void> guarded(const std::function<Awaitable<void>()>& test) {
        try {
            co_await test();
        } catch (const std::exception& exception) {
            ADD_FAILURE() << "threw " << exception.what();
        }
        finished_ = true;
        loop.stop();
    }

    Session session_;
    std::unique_ptr<Listener> listener_;
    bool finished_ = false;
};

/// Reads until `size` bytes are there (or the end) and takes them out of the buffer.
inline Awaitable<std::string> read_exactly(Stream& stream, Buffer& buffer, std::size_t size) {
    std::string text;
    while (text.size() < size) {
        co_await stream.readable();
        const ReadResult result = stream.read_some(buffer);
        buffer.advance(buffer.unparsed().size());
        text += text_of(buffer.parsed());
        buffer.consume_parsed();
        if (result.end) {
            break;
        }
    }
    co_return text;
}

/// Sends back what comes until the peer ends.
inline Awaitable<void> echo(Stream& stream) {
    Buffer buffer(stream.loop().buffers());
    for (;;) {
        co_await stream.readable();
        const ReadResult result = stream.read_some(buffer);
        buffer.advance(buffer.unparsed().size());
        stream.send(buffer.parsed());
        buffer.consume_parsed();
        if (result.end) {
            co_await stream.finish_output();
            co_return;
        }
        co_await stream.drained(65536);
    }
}

/// The error that a coroutine ends with; no error when it ends by itself.
inline Awaitable<error_code> error_of(Awaitable<void> failing) {
    try {
        co_await std::move(failing);
    } catch (const boost::system::system_error& error) {
        co_return error.code();
    }
    co_return error_code();
}

}  // namespace pgveil::net
