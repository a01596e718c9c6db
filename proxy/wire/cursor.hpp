#pragma once

#include "proxy/wire/bytes.hpp"
#include "proxy/wire/error.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace pgveil::wire {

/// Bounds-checked reader of one message body. The first failure sticks: later reads return zeros
/// and empty views, so a decoder reads all its fields and asks once, at the end, with `finish`.
class Cursor {
public:
    explicit Cursor(ByteView bytes) noexcept : rest_(bytes) {}

    std::uint8_t int8() noexcept {
        const ByteView raw = bytes(1);
        return raw.empty() ? std::uint8_t{0} : raw[0];
    }

    std::uint16_t int16() noexcept {
        const ByteView raw = bytes(2);
        return raw.empty() ? std::uint16_t{0} : static_cast<std::uint16_t>(raw[0] << 8 | raw[1]);
    }

    std::uint32_t int32() noexcept {
        const ByteView raw = bytes(4);
        return raw.empty() ? 0U
                           : std::uint32_t{raw[0]} << 24 | std::uint32_t{raw[1]} << 16 |
                                 std::uint32_t{raw[2]} << 8 | raw[3];
    }

    std::string_view cstring() noexcept;  ///< without its NUL

    ByteView bytes(std::size_t count) noexcept {
        if (count > rest_.size()) {
            fail(DecodeError::kTruncated);
            return {};
        }
        const ByteView taken = rest_.first(count);
        rest_ = rest_.subspan(count);
        return taken;
    }

    ByteView rest() noexcept;  ///< everything that remains

    /// Int32 length, then that many bytes; length -1 is NULL (nullopt), other negatives fail.
    std::optional<ByteView> sized_bytes() noexcept {
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

    std::size_t left() const noexcept { return rest_.size(); }

    /// What remains, without taking it.
    ByteView ahead() const noexcept { return rest_; }

    void fail(DecodeError error) noexcept;

    const std::optional<DecodeError>& error() const noexcept { return error_; }

    /// `message` if every read succeeded and nothing is left over.
    template <class T>
    Result<T> finish(T message) const {
        if (error_) {
            return *error_;
        }
        if (!rest_.empty()) {
            return DecodeError::kLeftOverBytes;
        }
        return message;
    }

private:
    ByteView rest_;
    std::optional<DecodeError> error_;
};

}  // namespace pgveil::wire
