#include "net/http_linger.hpp"

#include <algorithm>

namespace pgveil::net {

Awaitable<void> linger(Stream& client, Buffer& input, std::size_t bytes_max) {
    std::size_t left = bytes_max;
    bool has_ended = false;
    while (!has_ended && left > 0) {
        input.release();
        co_await client.readable();
        const ReadResult read = client.read_some(input);
        has_ended = read.end;
        left -= std::min(left, read.bytes);
    }
}

}  // namespace pgveil::net
