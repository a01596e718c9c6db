#include "keyshare/core/secret.hpp"

#include "keyshare/core/arena.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <new>

namespace pgveil::core {
namespace {

constexpr std::size_t kFirstCapacity = 64;

std::uint8_t* allocate_or_throw(std::size_t size) {
    if (size == 0) {
        return nullptr;
    }
    auto* block = static_cast<std::uint8_t*>(allocate_secret(size));
    if (block == nullptr) {
        throw std::bad_alloc();
    }
    return block;
}

}  // namespace

// memcpy goes through vector registers and leaves the bytes in them; the dynamic linker then writes
// those registers to the stack when it binds the next function. A string copy uses none.
void copy_secret(MutableByteView to, ByteView from) noexcept {
    invariant(to.size() == from.size(), "a secret is copied into a place of its size");
    std::uint8_t* target = to.data();
    const std::uint8_t* source = from.data();
    std::size_t left = from.size();
#if defined(__x86_64__)
    asm volatile("rep movsb" : "+D"(target), "+S"(source), "+c"(left) : : "memory");
#else
    for (; left > 0; --left, ++target, ++source) {
        *static_cast<volatile std::uint8_t*>(target) = *source;
    }
#endif
}

SecretBytes::SecretBytes(std::size_t size)
    : block_(allocate_or_throw(size)), size_(size), capacity_(size) {}

SecretBytes::SecretBytes(SecretBytes&& other) noexcept
    : block_(std::exchange(other.block_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      capacity_(std::exchange(other.capacity_, 0)) {}

SecretBytes& SecretBytes::operator=(SecretBytes&& other) noexcept {
    if (this != &other) {
        wipe();
        block_ = std::exchange(other.block_, nullptr);
        size_ = std::exchange(other.size_, 0);
        capacity_ = std::exchange(other.capacity_, 0);
    }
    return *this;
}

SecretBytes::~SecretBytes() {
    wipe();
}

SecretBytes SecretBytes::copy_of(ByteView bytes) {
    SecretBytes copy(bytes.size());
    copy_secret(copy.reveal_mutable(), bytes);
    return copy;
}

void SecretBytes::resize_down(std::size_t size) {
    invariant(size <= size_, "a secret is only made shorter");
    if (size < size_) {
        OPENSSL_cleanse(reveal_mutable().subspan(size).data(), size_ - size);
    }
    size_ = size;
}

void SecretBytes::reserve(std::size_t capacity) {
    if (capacity <= capacity_) {
        return;
    }
    std::uint8_t* bigger = allocate_or_throw(capacity);
    copy_secret({bigger, size_}, reveal());
    free_secret(block_, capacity_);
    block_ = bigger;
    capacity_ = capacity;
}

void SecretBytes::append(ByteView more) {
    const std::size_t needed = size_ + more.size();
    if (needed > capacity_) {
        reserve(std::max({needed, 2 * capacity_, kFirstCapacity}));
    }
    copy_secret(MutableByteView(block_, capacity_).subspan(size_, more.size()), more);
    size_ = needed;
}

void SecretBytes::wipe() noexcept {
    free_secret(std::exchange(block_, nullptr), std::exchange(capacity_, 0));
    size_ = 0;
}

bool equal_in_constant_time(ByteView left, ByteView right) noexcept {
    return left.size() == right.size() &&
           CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0;
}

}  // namespace pgveil::core
