#pragma once

#include "keyshare/core/bytes.hpp"

#include <cstddef>
#include <vector>

namespace pgveil::core::testing {

/// A byte string to look for in this process without holding it: every byte is kept XORed with a
/// mask, so that the needle never finds itself.
class Needle {
public:
    static Needle of(ByteView bytes);
    static Needle reversed(ByteView bytes);

    std::size_t size() const { return masked_.size(); }

    bool matches(const volatile std::uint8_t* at) const;

    std::uint8_t first() const { return static_cast<std::uint8_t>(masked_.front() ^ kMask); }

private:
    static constexpr std::uint8_t kMask = 0x5A;

    std::vector<std::uint8_t> masked_;
};

/// The key itself, both halves, and the key reversed (libcrypto keeps big numbers least significant
/// byte first).
std::vector<Needle> needles_of_key(ByteView key);

/// Round keys 2 and 3 (of 0 to 14) of AES-256, which a context holds but no key buffer does.
std::vector<Needle> needles_of_aes_rounds(ByteView key);

struct Hits {
    std::size_t in_arena = 0;
    std::size_t elsewhere = 0;
};

/// Looks through every writable mapping of this process, memfd_secret included.
Hits scan(const std::vector<Needle>& needles);

}  // namespace pgveil::core::testing
