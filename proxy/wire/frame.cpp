#include "proxy/wire/frame.hpp"

#include "proxy/wire/cursor.hpp"

#include <algorithm>

namespace pgveil::wire {

namespace {

constexpr std::size_t kLengthSize = 4;

Peek need_head(std::size_t missing) noexcept {
    return {.status = PeekStatus::kNeedHead, .type = 0, .size = 0, .missing = missing};
}

/// @param head_size bytes before the body: what a length of exactly kLengthSize amounts to
Peek judge(
    std::size_t have, std::size_t head_size, std::uint32_t length, std::size_t limit
) noexcept {
    Peek peek;
    if (length < kLengthSize || length > INT32_MAX) {
        peek.status = PeekStatus::kMalformed;
        return peek;
    }
    peek.size = std::size_t{length} - kLengthSize + head_size;
    peek.missing = peek.size > have ? peek.size - have : 0;
    if (peek.size > limit) {
        peek.status = PeekStatus::kTooLarge;
    } else {
        peek.status = peek.missing > 0 ? PeekStatus::kPartial : PeekStatus::kWhole;
    }
    return peek;
}

}  // namespace

Peek FrameReader::peek() const noexcept {
    const ByteView here = rest();
    if (here.size() < kFrameHeadSize) {
        return need_head(kFrameHeadSize - here.size());
    }
    Cursor head(here);
    const std::uint8_t type = head.int8();
    Peek peek = judge(here.size(), kFrameHeadSize, head.int32(), limit_);
    peek.type = type;
    return peek;
}

Frame FrameReader::take() noexcept {
    const Peek next = peek();
    if (next.status != PeekStatus::kWhole) {
        return {};
    }
    const ByteView bytes = rest().first(next.size);
    consumed_ += next.size;
    return {.type = next.type, .bytes = bytes, .body = bytes.subspan(kFrameHeadSize)};
}

void FrameReader::skip(std::size_t count) noexcept {
    consumed_ += std::min(count, rest().size());
}

Peek peek_startup(ByteView bytes, std::size_t limit) noexcept {
    if (bytes.size() < kLengthSize) {
        return need_head(kLengthSize - bytes.size());
    }
    Cursor head(bytes);
    return judge(bytes.size(), kLengthSize, head.int32(), limit);
}

}  // namespace pgveil::wire
