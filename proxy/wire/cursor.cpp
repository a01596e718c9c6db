#include "proxy/wire/cursor.hpp"

#include <algorithm>

namespace pgveil::wire {

void Cursor::fail(DecodeError error) noexcept {
    if (!error_) {
        error_ = error;
    }
    rest_ = {};
}

ByteView Cursor::rest() noexcept {
    return bytes(rest_.size());
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

}  // namespace pgveil::wire
