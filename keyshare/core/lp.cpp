#include "keyshare/core/lp.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>

namespace pgveil::core {
namespace {

constexpr std::size_t kLengthSize = 4;

std::size_t encoded_size(std::span<const ByteView> parts) {
    std::size_t size = 0;
    for (const ByteView part : parts) {
        invariant(
            part.size() <= std::numeric_limits<std::uint32_t>::max(), "a part is below 4 GiB"
        );
        size += kLengthSize + part.size();
    }
    return size;
}

template <class Sink>
void write_parts(std::span<const ByteView> parts, const Sink& sink) {
    for (const ByteView part : parts) {
        const auto length = big_endian32(static_cast<std::uint32_t>(part.size()));
        sink(ByteView(length));
        sink(part);
    }
}

std::span<const ByteView> as_span(std::initializer_list<ByteView> parts) {
    return {parts.begin(), parts.size()};
}

Error malformed() {
    return {
        ErrorCode::kEncoding,
        "length-prefixed bytes are cut off, too long or of another number of parts"};
}

}  // namespace

Bytes length_prefixed(std::span<const ByteView> parts) {
    Bytes out(encoded_size(parts));
    auto at = out.begin();
    write_parts(parts, [&at](ByteView piece) { at = std::copy(piece.begin(), piece.end(), at); });
    return out;
}

Bytes length_prefixed(std::initializer_list<ByteView> parts) {
    return length_prefixed(as_span(parts));
}

SecretBytes secret_length_prefixed(std::span<const ByteView> parts) {
    SecretBytes out;
    out.reserve(encoded_size(parts));
    write_parts(parts, [&out](ByteView piece) { out.append(piece); });
    return out;
}

SecretBytes secret_length_prefixed(std::initializer_list<ByteView> parts) {
    return secret_length_prefixed(as_span(parts));
}

Result<std::vector<ByteView>> split_length_prefixed_up_to(ByteView bytes, std::size_t most) {
    std::vector<ByteView> parts;
    while (!bytes.empty()) {
        if (bytes.size() < kLengthSize || parts.size() == most) {
            return malformed();
        }
        const std::size_t length = read_big_endian32(bytes);
        bytes = bytes.subspan(kLengthSize);
        if (length > bytes.size()) {
            return malformed();
        }
        parts.push_back(bytes.first(length));
        bytes = bytes.subspan(length);
    }
    return parts;
}

Result<std::vector<ByteView>> split_length_prefixed(ByteView bytes, std::size_t count) {
    auto parts = split_length_prefixed_up_to(bytes, count);
    if (parts.has_value() && parts->size() != count) {
        return malformed();
    }
    return parts;
}

}  // namespace pgveil::core
