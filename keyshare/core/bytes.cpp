#include "keyshare/core/bytes.hpp"

#include "keyshare/core/invariant.hpp"

#include <algorithm>

namespace pgveil::core {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";

template <class Integer>
std::array<std::uint8_t, sizeof(Integer)> to_big_endian(Integer value) noexcept {
    std::array<std::uint8_t, sizeof(Integer)> out{};
    for (std::size_t i = 0; i < out.size(); ++i) {
        out[i] = static_cast<std::uint8_t>(value >> (8 * (out.size() - 1 - i)));
    }
    return out;
}

template <class Integer>
Integer from_big_endian(ByteView bytes) noexcept {
    invariant(bytes.size() >= sizeof(Integer), "an integer is read from enough bytes");
    std::uint64_t value = 0;
    for (const std::uint8_t byte : bytes.first(sizeof(Integer))) {
        value = (value << 8U) | byte;
    }
    return static_cast<Integer>(value);
}

}  // namespace

ByteView as_bytes(std::string_view text) noexcept {
    return {static_cast<const std::uint8_t*>(static_cast<const void*>(text.data())), text.size()};
}

std::string_view as_text(ByteView bytes) noexcept {
    return {static_cast<const char*>(static_cast<const void*>(bytes.data())), bytes.size()};
}

Bytes to_bytes(ByteView view) {
    return {view.begin(), view.end()};
}

void append(Bytes& to, ByteView more) {
    to.insert(to.end(), more.begin(), more.end());
}

std::string to_hex(ByteView bytes) {
    std::string out;
    out.reserve(bytes.size() * 2);
    for (const std::uint8_t byte : bytes) {
        out.push_back(kHexDigits[byte >> 4U]);
        out.push_back(kHexDigits[byte & 0x0FU]);
    }
    return out;
}

Result<Bytes> from_hex(std::string_view hex) {
    if (hex.size() % 2 != 0 || hex.find_first_not_of(kHexDigits) != std::string_view::npos) {
        return Error{
            ErrorCode::kEncoding, "not hexadecimal: pairs of the digits 0-9 a-f are expected"};
    }
    Bytes out;
    out.reserve(hex.size() / 2);
    for (std::size_t i = 0; i < hex.size(); i += 2) {
        const auto high = kHexDigits.find(hex[i]);
        const auto low = kHexDigits.find(hex[i + 1]);
        out.push_back(static_cast<std::uint8_t>((high << 4U) | low));
    }
    return out;
}

std::array<std::uint8_t, 2> big_endian16(std::uint16_t value) noexcept {
    return to_big_endian(value);
}

std::array<std::uint8_t, 4> big_endian32(std::uint32_t value) noexcept {
    return to_big_endian(value);
}

std::array<std::uint8_t, 8> big_endian64(std::uint64_t value) noexcept {
    return to_big_endian(value);
}

std::uint16_t read_big_endian16(ByteView bytes) noexcept {
    return from_big_endian<std::uint16_t>(bytes);
}

std::uint32_t read_big_endian32(ByteView bytes) noexcept {
    return from_big_endian<std::uint32_t>(bytes);
}

std::uint64_t read_big_endian64(ByteView bytes) noexcept {
    return from_big_endian<std::uint64_t>(bytes);
}

}  // namespace pgveil::core
