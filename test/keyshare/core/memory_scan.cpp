#include "test/keyshare/core/memory_scan.hpp"

#include "keyshare/core/arena.hpp"
#include "keyshare/core/secret.hpp"

#include <array>
#include <bit>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <limits>
#include <malloc.h>
#include <sstream>
#include <string>

namespace pgveil::core::testing {
namespace {

// Sanitizers map shadow memory in pieces of hundreds of megabytes; nothing of ours is that large.
constexpr std::uintptr_t kLargestMapping = std::uintptr_t{64} << 20U;

struct Range {
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;

    bool contains(std::uintptr_t at) const { return at >= begin && at < end; }
};

// glibc gives the end of the heap back when much of it is free: a mapping that was just listed
// would be shorter when it is read.
void keep_heap_whole() {
    mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
}

std::vector<Range> writable_mappings() {
    keep_heap_whole();
    std::vector<Range> ranges;
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) {
        std::istringstream fields(line);
        Range range;
        char dash = 0;
        std::string rights;
        fields >> std::hex >> range.begin >> dash >> range.end >> rights;
        if (rights.starts_with("rw") && range.end - range.begin <= kLargestMapping) {
            ranges.push_back(range);
        }
    }
    return ranges;
}

std::vector<Range> arena_ranges() {
    std::vector<Range> ranges;
    for_each_region([&ranges](ByteView region) {
        const auto begin = std::bit_cast<std::uintptr_t>(region.data());
        ranges.push_back({begin, begin + region.size()});
    });
    return ranges;
}

bool is_in(const std::vector<Range>& ranges, std::uintptr_t at) {
    for (const Range& range : ranges) {
        if (range.contains(at)) {
            return true;
        }
    }
    return false;
}

// Which bytes some needle starts with: nearly every byte of memory is passed over by this one
// look-up.
std::array<bool, 256> first_bytes(const std::vector<Needle>& needles) {
    std::array<bool, 256> known{};
    for (const Needle& needle : needles) {
        known.at(needle.first()) = true;
    }
    return known;
}

std::size_t matches_at(
    const std::vector<Needle>& needles, const volatile std::uint8_t* at, std::size_t left
) {
    std::size_t count = 0;
    for (const Needle& needle : needles) {
        count += needle.size() <= left && needle.matches(at) ? 1U : 0U;
    }
    return count;
}

// Reads memory that belongs to nobody (freed, redzones) on purpose.
__attribute__((no_sanitize("address"), no_sanitize("thread"))) Hits scan_range(
    const Range& range, const std::vector<Needle>& needles, const std::vector<Range>& arena
) {
    const auto known = first_bytes(needles);
    const bool* is_first = known.data();
    const auto* bytes = std::bit_cast<const volatile std::uint8_t*>(range.begin);
    const std::size_t size = range.end - range.begin;
    Hits hits;
    for (std::size_t i = 0; i < size; ++i) {
        if (is_first[bytes[i]]) {
            const std::size_t found = matches_at(needles, bytes + i, size - i);
            (is_in(arena, range.begin + i) ? hits.in_arena : hits.elsewhere) += found;
        }
    }
    return hits;
}

// AES's S-box, computed from its definition: the inverse in GF(2^8), then the affine map.
std::uint8_t multiply(std::uint8_t left, std::uint8_t right) {
    std::uint8_t product = 0;
    for (; right != 0; right = static_cast<std::uint8_t>(right >> 1U)) {
        product ^= (right & 1U) != 0 ? left : std::uint8_t{0};
        left =
            static_cast<std::uint8_t>((unsigned{left} << 1U) ^ ((left & 0x80U) != 0 ? 0x1BU : 0U));
    }
    return product;
}

std::uint8_t s_box(std::uint8_t value) {
    std::uint8_t inverse = 1;
    for (int i = 0; i < 254; ++i) {
        inverse = multiply(inverse, value);
    }
    std::uint8_t out = 0x63;
    for (int turn = 0; turn < 5; ++turn) {
        out ^= std::rotl(inverse, turn);
    }
    return out;
}

// The first eight words after the key itself: FIPS 197 section 5.2.
SecretBytes round_keys_2_and_3(ByteView key) {
    SecretBytes schedule = SecretBytes::copy_of(key);
    for (std::size_t word = 8; word < 16; ++word) {
        SecretBytes next(4);
        const ByteView known = schedule.reveal();
        for (std::size_t i = 0; i < 4; ++i) {
            const std::uint8_t previous = known[4 * (word - 1) + (word == 8 ? (i + 1) % 4 : i)];
            const bool substitutes = word == 8 || word == 12;
            next.reveal_mutable()[i] = static_cast<std::uint8_t>(
                (substitutes ? s_box(previous) : previous) ^ known[4 * (word - 8) + i] ^
                (word == 8 && i == 0 ? 1U : 0U)
            );
        }
        schedule.append(next.reveal());
    }
    return SecretBytes::copy_of(schedule.reveal().subspan(32));
}

}  // namespace

Needle Needle::of(ByteView bytes) {
    Needle needle;
    for (const std::uint8_t byte : bytes) {
        needle.masked_.push_back(byte ^ kMask);
    }
    return needle;
}

Needle Needle::reversed(ByteView bytes) {
    Needle needle;
    for (std::size_t i = bytes.size(); i-- > 0;) {
        needle.masked_.push_back(bytes[i] ^ kMask);
    }
    return needle;
}

__attribute__((no_sanitize("address"), no_sanitize("thread"))) bool Needle::matches(
    const volatile std::uint8_t* at
) const {
    const std::uint8_t* masked = masked_.data();
    for (std::size_t i = 0; i < masked_.size(); ++i) {
        if ((at[i] ^ kMask) != masked[i]) {
            return false;
        }
    }
    return true;
}

std::vector<Needle> needles_of_key(ByteView key) {
    const std::size_t half = key.size() / 2;
    return {
        Needle::of(key),
        Needle::of(key.first(half)),
        Needle::of(key.last(half)),
        Needle::reversed(key.first(half)),
        Needle::reversed(key.last(half))};
}

std::vector<Needle> needles_of_aes_rounds(ByteView key) {
    const SecretBytes rounds = round_keys_2_and_3(key);
    return {Needle::of(rounds.reveal().first(16)), Needle::of(rounds.reveal().last(16))};
}

Hits scan(const std::vector<Needle>& needles) {
    const std::vector<Range> arena = arena_ranges();
    Hits hits;
    for (const Range& range : writable_mappings()) {
        const Hits here = scan_range(range, needles, arena);
        hits.in_arena += here.in_arena;
        hits.elsewhere += here.elsewhere;
    }
    return hits;
}

}  // namespace pgveil::core::testing
