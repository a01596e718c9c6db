#pragma once

#include "keyshare/core/bytes.hpp"

#include <filesystem>
#include <sys/types.h>
#include <unistd.h>
#include <utility>

namespace pgveil::core {

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

/// Fills the buffer as far as there is something to read. Returns the bytes read, or -1 with errno
/// set; interrupted calls are repeated.
ssize_t read_up_to(const Descriptor& file, MutableByteView buffer);

/// False, with errno set: not all was written. Interrupted calls are repeated.
bool write_all(int descriptor, ByteView bytes);

/// The folder that a path's name stands in; "." where it names none.
std::filesystem::path folder_of(const std::filesystem::path& path);

/// Makes names in the folder durable (fsync). False with errno set.
bool sync_folder(const std::filesystem::path& folder);

}  // namespace pgveil::core
