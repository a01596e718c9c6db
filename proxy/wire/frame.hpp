#pragma once

#include "proxy/wire/bytes.hpp"

#include <cstddef>
#include <cstdint>

namespace pgveil::wire {

enum class PeekStatus {
    kNeedHead,   ///< fewer bytes than a head; `missing` more are needed to know the size
    kPartial,    ///< type and size are known; `missing` more bytes complete the message
    kWhole,      ///< the message is here
    kTooLarge,   ///< type and size are known, but size exceeds the limit: hold it whole never
    kMalformed,  ///< the length field cannot be true; nothing after it can be trusted
};

/// What stands at the reading position.
struct Peek {
    PeekStatus status = PeekStatus::kNeedHead;
    std::uint8_t type = 0;  ///< type byte; 0 for kNeedHead and startup packets
    std::size_t size = 0;  ///< of the whole message, type byte and length included; 0 for kNeedHead
    std::size_t missing = 0;  ///< bytes still to come (kNeedHead, kPartial)
};

/// One whole message; views into the buffer it was read from.
struct Frame {
    std::uint8_t type = 0;
    ByteView bytes;  ///< as it came: type byte, length, body
    ByteView body;
    bool is_begun = false;  ///< only the beginning is here; the rest is passed on as it comes
};

inline constexpr std::size_t kFrameHeadSize = 5;

/// Walks over the messages in a contiguous buffer. Copies nothing, allocates nothing, never throws.
///
/// How to drive it:
///     FrameReader frames(buffer.unparsed(), limit);
///     for (Peek peek = frames.peek(); peek.status == PeekStatus::kWhole; peek = frames.peek()) {
///         on_message(frames.take());
///     }
///     buffer.parsed(frames.consumed());   // then look at the last peek: wait for more, or give up
/// A message that is only passed on need not be whole: forward what is here (`skip`), remember
/// `missing`, and forward that many more bytes before the next reader is made.
class FrameReader {
public:
    /// @param limit largest message, in bytes with its head, that take() may hand out
    FrameReader(ByteView bytes, std::size_t limit) noexcept : bytes_(bytes), limit_(limit) {}

    Peek peek() const noexcept;

    /// The message that peek() called kWhole. Anything else is a mistake of the caller and yields
    /// an empty frame of type 0.
    Frame take() noexcept;

    /// Moves over `count` bytes (at most those here) of a message that is passed on in pieces.
    void skip(std::size_t count) noexcept;

    std::size_t consumed() const noexcept { return consumed_; }

    ByteView rest() const noexcept { return bytes_.subspan(consumed_); }

private:
    ByteView bytes_;
    std::size_t limit_;
    std::size_t consumed_ = 0;
};

/// The same for the packets that open a connection: 4 bytes of length that counts itself, no type.
/// @param limit largest packet in bytes, length included (PostgreSQL: 10000 + 4)
Peek peek_startup(ByteView bytes, std::size_t limit) noexcept;

}  // namespace pgveil::wire
