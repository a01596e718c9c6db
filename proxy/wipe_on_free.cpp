// The programs' own free() and realloc(): ordinary memory is wiped when it is given back. Plaintext
// of statements passes through it (the parser's tree, strings made from literals), in libraries
// that know nothing of secrets as well. Shares and keys do not: they live in the locked arena
// (keyshare/core/arena.hpp).
//
// The C library allows a program to bring its own allocator (glibc manual, "Replacing malloc");
// these two stand in front of glibc's, under the names that it keeps for that.

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <malloc.h>

extern "C" {
void __libc_free(void* block);  // NOLINT(bugprone-reserved-identifier)

void free(void* block) noexcept {
    if (block != nullptr) {
        explicit_bzero(block, malloc_usable_size(block));
        __libc_free(block);
    }
}

void* realloc(void* block, std::size_t size) noexcept {
    const std::size_t held = block == nullptr ? 0 : malloc_usable_size(block);
    if (held == 0) {
        return malloc(size);
    }
    if (size <= held && size > held / 2) {
        return block;
    }
    if (size == 0) {
        free(block);
        return nullptr;
    }
    void* const moved = malloc(size);
    if (moved != nullptr) {
        std::memcpy(moved, block, size < held ? size : held);
        free(block);
    }
    return moved;
}
}
