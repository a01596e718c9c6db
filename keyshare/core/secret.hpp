#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/error.hpp"
#include "keyshare/core/invariant.hpp"

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <span>
#include <string>
#include <utility>

namespace pgveil::core {

/// Secret bytes of variable length (decrypted values, tokens, derived keys of run-time size).
///
/// The memory lies in the locked arena (arena.hpp), or on the plain heap when no arena is
/// installed, and is wiped when the object dies, shrinks, grows or is assigned to. Moving hands the
/// block over: nothing is copied and the source is empty afterwards. There is no copy constructor
/// and no printing; copy_of() and reveal() are the only ways in and out, so a grep for `reveal`
/// finds every place that touches secret bytes. Everything that makes or enlarges an object throws
/// std::bad_alloc when the arena is full, like any allocation: how much is asked for depends on
/// what clients send, so it is no mistake of ours. The object is unchanged then. One object belongs
/// to one thread at a time.
class SecretBytes {
public:
    SecretBytes() noexcept = default;
    /// `size` zero bytes.
    explicit SecretBytes(std::size_t size);
    SecretBytes(SecretBytes&& other) noexcept;
    SecretBytes& operator=(SecretBytes&& other) noexcept;
    SecretBytes(const SecretBytes&) = delete;
    SecretBytes& operator=(const SecretBytes&) = delete;
    ~SecretBytes();

    static SecretBytes copy_of(ByteView bytes);

    std::size_t size() const noexcept { return size_; }

    bool empty() const noexcept { return size_ == 0; }

    /// The bytes; the view dies with the object and with every non-const call.
    ByteView reveal() const noexcept { return {block_, size_}; }

    MutableByteView reveal_mutable() noexcept { return {block_, size_}; }

    /// Keeps the first `size` bytes and wipes the rest; `size` must not exceed size().
    void resize_down(std::size_t size);

    /// Makes room for `capacity` bytes in total; an old block is wiped. Does not change size().
    void reserve(std::size_t capacity);

    /// Adds bytes at the end, growing by doubling; old blocks are wiped. `more` must not point into
    /// this object.
    void append(ByteView more);

    /// Wipes and releases at once; empty afterwards.
    void wipe() noexcept;

private:
    std::uint8_t* block_ = nullptr;
    std::size_t size_ = 0;
    std::size_t capacity_ = 0;
};

std::ostream& operator<<(std::ostream&, const SecretBytes&) = delete;

/// Copies secret bytes without leaving them in vector registers, which memcpy and std::copy do. The
/// sizes are equal (invariant), the places do not overlap.
void copy_secret(MutableByteView to, ByteView from) noexcept;

/// True when both have the same size and bytes. Time depends on the sizes only.
bool equal_in_constant_time(ByteView left, ByteView right) noexcept;

/// A secret of exactly N bytes. Different roles are different types, so a TKu cannot be passed
/// where a TKa is meant. `Role` is an empty (also incomplete) tag struct. Memory rules as
/// SecretBytes, std::bad_alloc included; a moved-from object holds nothing and reveal() on it is an
/// invariant failure.
template <class Role, std::size_t N = 32>
class Secret {
public:
    static constexpr std::size_t kSize = N;

    /// N zero bytes, to be written through reveal_mutable().
    Secret() : bytes_(N) {}

    /// Copies; kLength when `bytes` is not exactly N long.
    static Result<Secret> from(ByteView bytes) {
        if (bytes.size() != N) {
            return Error{
                ErrorCode::kLength,
                "a secret of " + std::to_string(N) + " bytes was expected, not " +
                    std::to_string(bytes.size())};
        }
        return Secret(SecretBytes::copy_of(bytes));
    }

    /// Takes the block over without copying; kLength as from().
    static Result<Secret> from(SecretBytes&& bytes) {
        if (bytes.size() != N) {
            return from(bytes.reveal());
        }
        return Secret(std::move(bytes));
    }

    /// An independent copy; said aloud because every copy is one more block to wipe.
    Secret duplicate() const { return Secret(SecretBytes::copy_of(reveal())); }

    std::span<const std::uint8_t, N> reveal() const noexcept {
        invariant(bytes_.size() == N, "a moved-from secret is not read");
        return bytes_.reveal().template first<N>();
    }

    std::span<std::uint8_t, N> reveal_mutable() noexcept {
        invariant(bytes_.size() == N, "a moved-from secret is not written");
        return bytes_.reveal_mutable().template first<N>();
    }

    /// Gives the block away as variable-length secret bytes.
    SecretBytes release() && noexcept { return std::move(bytes_); }

private:
    explicit Secret(SecretBytes bytes) noexcept : bytes_(std::move(bytes)) {}

    SecretBytes bytes_;
};

template <class Role, std::size_t N>
std::ostream& operator<<(std::ostream&, const Secret<Role, N>&) = delete;

}  // namespace pgveil::core
