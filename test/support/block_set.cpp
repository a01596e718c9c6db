#include "test/support/block_set.hpp"

#include <algorithm>
#include <cstring>

namespace pgveil::support {
namespace {

constexpr std::size_t kWord = 4;

std::uint64_t value_of(const std::uint8_t* bytes) {
    static_assert(sizeof(std::uint64_t) == kSecretBlockSize);
    std::uint64_t value = 0;
    std::memcpy(&value, bytes, sizeof value);
    return value;
}

std::size_t filter_index(std::uint64_t value, unsigned bits) {
    return static_cast<std::size_t>((value * 0x9E3779B97F4A7C15U) >> (64 - bits));
}

}  // namespace

void BlockSet::add(const SecretBlock& block) {
    SecretBlock reversed = block;
    std::ranges::reverse(reversed);
    SecretBlock words_reversed = reversed;
    std::rotate(words_reversed.begin(), words_reversed.begin() + kWord, words_reversed.end());
    insert(block, ByteOrder::kPlain);
    insert(reversed, ByteOrder::kReversed);
    insert(words_reversed, ByteOrder::kWordsReversed);
    ++count_;
}

void BlockSet::insert(const SecretBlock& bytes, ByteOrder order) {
    const std::uint64_t value = value_of(bytes.data());
    filter_->set(filter_index(value, kFilterBits));
    entries_.emplace(value, Entry{count_, order});
}

void BlockSet::find_in(core::ByteView memory, const std::function<void(const Hit&)>& visit) const {
    for (std::size_t at = 0; at + kSecretBlockSize <= memory.size(); ++at) {
        const std::uint64_t value = value_of(memory.subspan(at).data());
        if (!(*filter_)[filter_index(value, kFilterBits)]) {
            continue;
        }
        const auto [first, last] = entries_.equal_range(value);
        for (auto entry = first; entry != last; ++entry) {
            visit({entry->second.block, entry->second.order, at});
        }
    }
}

}  // namespace pgveil::support
