#include "proxy/session/message_reader.hpp"

#include "proxy/wire/output.hpp"

#include <boost/system/system_error.hpp>

#include <chrono>
#include <utility>

namespace pgveil::session {

namespace {

using PeekFunction = wire::Peek (*)(wire::ByteView, std::size_t);

constexpr net::Duration kFarewellTime{3000};

wire::Peek peek_frame(wire::ByteView bytes, std::size_t limit) {
    return wire::FrameReader(bytes, limit).peek();
}

wire::Peek peek_packet(wire::ByteView bytes, std::size_t limit) {
    return wire::peek_startup(bytes, limit);
}

/// Drops what was read before and waits until a whole message stands at unparsed().
net::Awaitable<Result<wire::Peek>> fill(
    net::Stream& stream, net::Buffer& input, PeekFunction peek_at, std::size_t limit
) {
    input.consume_parsed();
    bool has_ended = false;
    for (;;) {
        const wire::Peek peek = peek_at(input.unparsed(), limit);
        if (peek.status == wire::PeekStatus::kWhole) {
            co_return peek;
        }
        if (peek.status == wire::PeekStatus::kTooLarge ||
            peek.status == wire::PeekStatus::kMalformed) {
            co_return refuse("08P01", "invalid message length");
        }
        if (has_ended) {
            co_return silence();
        }
        if (peek.status == wire::PeekStatus::kPartial) {
            input.grow(peek.size);
        }
        co_await stream.readable();
        has_ended = stream.read_some(input).end;
    }
}

/// Sends what is pending and the end of our direction, waits for the client's if `lingers`, closes.
net::Awaitable<void> finish(net::Stream& client, bool lingers) {
    try {
        client.set_deadline(kFarewellTime);
        co_await client.finish_output();
        // Closing while input waits unread would send a reset, which can overtake an error.
        net::Buffer rest(client.loop().buffers());
        bool has_ended = !lingers;
        while (!has_ended) {
            co_await client.readable();
            has_ended = client.read_some(rest).end;
            rest.release();
        }
    } catch (const boost::system::system_error&) {
        // The client is gone or does not read: nobody is left to tell.
        client.close();
    }
    client.close();
}

}  // namespace

net::Awaitable<Result<wire::Frame>> next_message(
    net::Stream& stream, net::Buffer& input, std::size_t limit
) {
    const auto peek = co_await fill(stream, input, peek_frame, limit);
    if (!peek.has_value()) {
        co_return peek.error();
    }
    input.advance(peek->size);
    co_return wire::FrameReader(input.parsed(), limit).take();
}

net::Awaitable<Result<wire::ByteView>> next_startup_packet(
    net::Stream& stream, net::Buffer& input, std::size_t limit
) {
    const auto peek = co_await fill(stream, input, peek_packet, limit);
    if (!peek.has_value()) {
        // PostgreSQL logs it and says nothing to whoever does not speak its protocol.
        co_return silence("invalid length of startup packet");
    }
    input.advance(peek->size);
    co_return wire::ByteView(input.parsed());
}

net::Awaitable<void> finish_client(net::Stream& client) {
    co_await finish(client, true);
}

net::Awaitable<void> end_login(net::Stream& client, LoginError error) {
    const bool is_answered = !error.is_silent;
    wire::Output farewell;
    append_fatal(farewell, error);
    try {
        client.queue(farewell.bytes());
    } catch (const boost::system::system_error&) {
        client.close();
    }
    co_await finish(client, is_answered);
}

}  // namespace pgveil::session
