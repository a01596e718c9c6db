#include "proxy/wire/cursor.hpp"

#include <algorithm>

namespace pgveil::wire {

void Cursor::fail(DecodeError error) noexcept {
    if (!error_) {
        error_ = error;
    }
    rest_ = {};
}

ByteView Cursor::bytes(std::size_t count) noexcept {
    if (count > rest_.size()) {
        fail(DecodeError::kTruncated);
        return {};
    }
    const ByteView taken = rest_.first(count);
    rest_ = rest_.subspan(count);
    return taken;
}

ByteView Cursor::rest() noexcept {
    return bytes(rest_.size());
}

std::uint8_t Cursor::int8() noexcept {
    const ByteView raw = bytes(1);
    return raw.empty() ? std::uint8_t{0} : raw[0];
}

std::uint16_t Cursor::int16() noexcept {
    const ByteView raw = bytes(2);
    return raw.empty() ? std::uint16_t{0} : static_cast<std::uint16_t>(raw[0] << 8 | raw[1]);
}

std::uint32_t Cursor::int32() noexcept {
    const ByteView raw = bytes(4);
    std::uint32_t value = 0;
    for (const std::uint8_t byte : raw) {
        value = value << 8 | byte;
    }
    return value;
}

std::string_view Cursor::cstring() noexcept {
    const auto end = std::ranges::find(rest_, std::uint8_t{0});
    if (end == rest_.end()) {
        fail(DecodeError::kMissingTerminator);
        return {};
    }
    const auto size = static_cast<std::size_t>(end - rest_.begin());
    const std::string_view text = as_text(rest_.first(size));
    rest_ = rest_.subspan(size + 1);
    return text;
}

std::optional<ByteView> Cursor::sized_bytes() noexcept {
    const auto size = static_cast<std::int32_t>(int32());
    if (size == -1) {
        return std::nullopt;
    }
    if (size < 0) {
        fail(DecodeError::kBadLength);
        return std::nullopt;
    }
    return bytes(static_cast<std::size_t>(size));
}

}  // namespace pgveil::wire
