#pragma once

#include <unistd.h>
#include <utility>

namespace pgveil::user {

/// Owns one POSIX file descriptor and closes it. Move-only; any thread, one at a time.
class Descriptor {
public:
    Descriptor() noexcept = default;

    explicit Descriptor(int descriptor) noexcept : descriptor_(descriptor) {}

    Descriptor(Descriptor&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(descriptor_, other.descriptor_);
        return *this;
    }

    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;

    ~Descriptor() {
        if (is_open()) {
            ::close(descriptor_);
        }
    }

    int get() const noexcept { return descriptor_; }

    bool is_open() const noexcept { return descriptor_ >= 0; }

private:
    int descriptor_ = -1;
};

}  // namespace pgveil::user
