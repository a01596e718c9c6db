#pragma once

#include "net/http_message.hpp"
#include "net/loop.hpp"
#include "net/stream.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/system/system_error.hpp>

#include <array>
#include <cstddef>

/// HTTP messages that pass through as they are framed, by a parser of Boost.Beast with
/// http::buffer_body.
namespace pgveil::net {

/// One side stops reading while the other has more than this to take, in bytes.
inline constexpr std::size_t kForwardPendingMax = std::size_t{256} * 1024;

[[noreturn]] inline void fail_with(const error_code& error) {
    throw boost::system::system_error(error);
}

/// Feeds what was received; false if it is no message.
template <class Parser>
bool feed(Parser& parser, Buffer& input, error_code& error) {
    const ByteView here = input.unparsed();
    input.advance(parser.put(boost::asio::buffer(here.data(), here.size()), error));
    if (error == boost::beast::http::error::need_more ||
        error == boost::beast::http::error::need_buffer) {
        error = {};
    }
    return !error;
}

/// The field lines of a head of Boost.Beast.
template <class Fields>
HttpFields fields_of(const Fields& from) {
    HttpFields fields;
    for (const auto& field : from) {
        const auto name = field.name_string();
        const auto value = field.value();
        fields.push_back({{name.data(), name.size()}, {value.data(), value.size()}});
    }
    return fields;
}

/// Reads as far as the end of a head. The error says why it is none; end_of_stream: the peer left.
template <class Parser>
Awaitable<error_code> read_head(Stream& stream, Buffer& input, Parser& parser) {
    error_code error;
    bool has_ended = false;
    while (feed(parser, input, error) && !parser.is_header_done()) {
        input.consume_parsed();
        if (has_ended || input.unparsed().size() >= kBlockSize) {
            error = has_ended ? boost::beast::http::error::end_of_stream
                              : boost::beast::http::error::header_limit;
            break;
        }
        co_await stream.readable();
        has_ended = stream.read_some(input).end;
    }
    input.consume_parsed();
    co_return error;
}

/// Passes on what belongs to the body, as it is framed, and follows where it ends. Throws
/// system_error where it is none.
template <class Parser>
void pass_body(Parser& parser, Buffer& input, Stream& to) {
    std::array<char, kBlockSize> unpacked;  // NOLINT(*-member-init): written before it is read
    bool is_moving = true;
    while (is_moving && !parser.is_done() && !input.unparsed().empty()) {
        auto& body = parser.get().body();
        body.data = unpacked.data();
        body.size = unpacked.size();
        error_code error;
        const bool is_whole = feed(parser, input, error);
        to.queue(input.parsed());
        is_moving = !input.parsed().empty();
        input.consume_parsed();
        if (!is_whole) {
            fail_with(error);
        }
        if (!is_moving && input.unparsed().size() >= kBlockSize) {
            fail_with(boost::beast::http::error::buffer_overflow);
        }
    }
    to.flush();
}

}  // namespace pgveil::net
