#include "proxy/wire/output.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace pgveil::wire {

namespace {

constexpr std::size_t kLengthAt = 1;

void require(bool condition, const char* what) noexcept {
    if (!condition) {
        static_cast<void>(std::fputs(what, stderr));
        std::abort();
    }
}

}  // namespace

void detail::wipe(void* bytes, std::size_t size) noexcept {
    if (size > 0) {
        explicit_bzero(bytes, size);
    }
}

void Output::append_text(std::string_view text) {
    append(as_bytes(text));
}

void Output::append_cstring(std::string_view text) {
    append_text(text.substr(0, text.find('\0')));
    append_int8(0);
}

void Output::patch_int32(std::size_t position, std::uint32_t value) noexcept {
    require(position + 4 <= bytes_.size(), "wire: patched outside the output\n");
    detail::store_int32(std::span(bytes_).subspan(position).first<4>(), value);
}

std::size_t Output::open_message(FrontendType type) {
    const std::size_t start = bytes_.size();
    append_int8(static_cast<std::uint8_t>(type));
    append_int32(0);
    return start;
}

std::size_t Output::open_message(BackendType type) {
    const std::size_t start = bytes_.size();
    append_int8(static_cast<std::uint8_t>(type));
    append_int32(0);
    return start;
}

void Output::close_message(std::size_t start) noexcept {
    const std::size_t length = bytes_.size() - start - kLengthAt;
    require(length <= INT32_MAX, "wire: message longer than the protocol can say\n");
    patch_int32(start + kLengthAt, static_cast<std::uint32_t>(length));
}

void Output::truncate(std::size_t size) noexcept {
    if (size < bytes_.size()) {
        const std::span<std::uint8_t> dropped = std::span(bytes_).subspan(size);
        detail::wipe(dropped.data(), dropped.size());
        bytes_.resize(size);
    }
}

void Output::release() noexcept {
    bytes_.clear();
    bytes_.shrink_to_fit();
}

}  // namespace pgveil::wire
