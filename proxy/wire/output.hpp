#pragma once

#include "proxy/wire/bytes.hpp"
#include "proxy/wire/message_type.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgveil::wire {

namespace detail {

void wipe(void* bytes, std::size_t size) noexcept;

inline void store_int32(std::span<std::uint8_t, 4> bytes, std::uint32_t value) noexcept {
    bytes[0] = static_cast<std::uint8_t>(value >> 24);
    bytes[1] = static_cast<std::uint8_t>(value >> 16);
    bytes[2] = static_cast<std::uint8_t>(value >> 8);
    bytes[3] = static_cast<std::uint8_t>(value);
}

/// Wipes what it gives back, growth of a vector included; leaves new elements uninitialised.
template <class T>
struct WipingAllocator {
    using value_type = T;

    WipingAllocator() noexcept = default;

    template <class U>
    explicit WipingAllocator(const WipingAllocator<U>& /*other*/) noexcept {}

    T* allocate(std::size_t count) { return std::allocator<T>().allocate(count); }

    void deallocate(T* elements, std::size_t count) noexcept {
        wipe(elements, count * sizeof(T));
        std::allocator<T>().deallocate(elements, count);
    }

    template <class U>
    void construct(U* /*element*/) noexcept {}

    template <class U, class... Arguments>
    void construct(U* element, Arguments&&... arguments) {
        std::construct_at(element, std::forward<Arguments>(arguments)...);
    }

    bool operator==(const WipingAllocator&) const noexcept = default;
};

}  // namespace detail

/// Text that may hold a secret, such as the `options` of a startup packet. What it allocated is
/// wiped; up to 15 bytes stand in the object itself and are not.
using WipedText = std::basic_string<char, std::char_traits<char>, detail::WipingAllocator<char>>;

/// The byte buffer that every encoder appends to: grows as needed, wipes what it gives back (on
/// growth, clear, release and destruction). Move-only. Integers are written big-endian.
///
/// A message is written as
///     const std::size_t start = out.open_message(BackendType::kDataRow);
///     ... append ...
///     out.close_message(start);        // fills in the length
/// Not thread-safe. A message above 2^31-1 bytes is our own mistake and aborts.
class Output {
public:
    Output() noexcept = default;
    Output(const Output&) = delete;
    Output& operator=(const Output&) = delete;
    Output(Output&&) noexcept = default;
    Output& operator=(Output&&) noexcept = default;
    ~Output() = default;

    /// Valid until the next append, clear or release.
    ByteView bytes() const noexcept { return {bytes_.data(), bytes_.size()}; }

    std::size_t size() const noexcept { return bytes_.size(); }

    bool empty() const noexcept { return bytes_.empty(); }

    /// Of bytes elsewhere. Not vector::insert: with an allocator that constructs elements it copies
    /// them one by one.
    void append(ByteView bytes) {
        if (!bytes.empty()) {
            std::memcpy(append_space(bytes.size()).data(), bytes.data(), bytes.size());
        }
    }

    void append_text(std::string_view text);
    void append_cstring(std::string_view text);  ///< text and a NUL; stops at a NUL inside

    void append_int8(std::uint8_t value) { bytes_.push_back(value); }

    void append_int16(std::uint16_t value) {
        const std::span<std::uint8_t> bytes = append_space(2);
        bytes[0] = static_cast<std::uint8_t>(value >> 8);
        bytes[1] = static_cast<std::uint8_t>(value);
    }

    void append_int32(std::uint32_t value) {
        detail::store_int32(append_space(4).first<4>(), value);
    }

    /// `count` bytes at the end for the caller to fill; valid until the next append.
    std::span<std::uint8_t> append_space(std::size_t count) {
        const std::size_t start = bytes_.size();
        bytes_.resize(start + count);
        return std::span(bytes_).subspan(start);
    }

    /// Overwrites four bytes that were appended before.
    void patch_int32(std::size_t position, std::uint32_t value) noexcept;

    std::size_t open_message(FrontendType type);
    std::size_t open_message(BackendType type);
    void close_message(std::size_t start) noexcept;

    /// Drops everything from `size` on (wiped): undoes a message that turned out impossible.
    void truncate(std::size_t size) noexcept;

    void clear() noexcept { truncate(0); }

    /// Gives the memory back: an idle session keeps none.
    void release() noexcept;

private:
    std::vector<std::uint8_t, detail::WipingAllocator<std::uint8_t>> bytes_;
};

}  // namespace pgveil::wire
