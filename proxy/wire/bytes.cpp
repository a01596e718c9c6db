#include "proxy/wire/bytes.hpp"

namespace pgveil::wire {

std::string_view as_text(ByteView bytes) noexcept {
    // char may alias any object; the views of this folder are made of it here and nowhere else.
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast)
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

ByteView as_bytes(std::string_view text) noexcept {
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast)
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

}  // namespace pgveil::wire
