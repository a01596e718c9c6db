#include "net/http_tunnel.hpp"

#include "net/http_parsing.hpp"
#include "net/race.hpp"

#include <boost/beast/http/rfc7230.hpp>

#include <algorithm>

namespace pgveil::net {

namespace {

bool names_upgrade(const HttpField& field) {
    return is_same_name(field.name, "Connection") &&
           boost::beast::http::token_list(field.value).exists("upgrade");
}

Awaitable<void> pass_bytes(Stream& from, Buffer& input, Stream& to) {
    bool has_ended = false;
    while (!has_ended) {
        to.send(input.unparsed());
        input.release();
        co_await to.drained(kForwardPendingMax);
        co_await from.readable();
        has_ended = from.read_some(input).end;
    }
    to.send(input.unparsed());
    input.release();
    co_await to.drained();
}

}  // namespace

bool is_websocket(const HttpRequest& request) {
    const auto upgrade = request.find("Upgrade");
    return request.method == "GET" && upgrade && is_same_name(*upgrade, "websocket") &&
           request.count("Upgrade") == 1 && request.count("Content-Length") == 0 &&
           request.count("Transfer-Encoding") == 0 &&
           std::ranges::any_of(request.fields, names_upgrade);
}

bool is_quiet(Stream& stream) {
    Buffer input(stream.loop().buffers());
    try {
        const ReadResult read = stream.read_some(input);
        return !read.end && read.bytes == 0;
    } catch (const boost::system::system_error&) {
        return false;
    }
}

Awaitable<void> tunnel(Stream& left, Buffer& left_input, Stream& right, Buffer& right_input) {
    co_await race(pass_bytes(left, left_input, right), pass_bytes(right, right_input, left));
}

}  // namespace pgveil::net
