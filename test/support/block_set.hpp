#pragma once

#include "keyshare/core/bytes.hpp"

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <unordered_map>

namespace pgveil::support {

/// Half an AES block: what one general register can spill. Random bytes of a whole process hit one
/// of 10 000 such blocks once in a hundred million scans.
inline constexpr std::size_t kSecretBlockSize = 8;

using SecretBlock = std::array<std::uint8_t, kSecretBlockSize>;

/// The byte orders in which implementations keep keys.
enum class ByteOrder {
    kPlain,
    kReversed,       ///< a number in little-endian limbs (BIGNUM)
    kWordsReversed,  ///< 32-bit words as integers (SHA-256, AES by tables)
};

/// Some thousand blocks, looked for all at once, at every offset and in every ByteOrder.
class BlockSet {
public:
    struct Hit {
        std::size_t block;  ///< in the order of add()
        ByteOrder order;
        std::size_t offset;
    };

    void add(const SecretBlock& block);

    std::size_t size() const { return count_; }

    /// A block across the end of `memory` is not seen: let pieces overlap by kSecretBlockSize - 1.
    void find_in(core::ByteView memory, const std::function<void(const Hit&)>& visit) const;

private:
    struct Entry {
        std::size_t block;
        ByteOrder order;
    };

    // Nearly every position of a memory is sorted out by one bit of this.
    static constexpr unsigned kFilterBits = 20;
    using Filter = std::bitset<std::size_t{1} << kFilterBits>;

    void insert(const SecretBlock& bytes, ByteOrder order);

    std::unique_ptr<Filter> filter_ = std::make_unique<Filter>();
    std::unordered_multimap<std::uint64_t, Entry> entries_;
    std::size_t count_ = 0;
};

}  // namespace pgveil::support
