#include "proxy/metrics/sqlstate_counter.hpp"

#include <algorithm>

namespace pgveil::metrics {

namespace {

constexpr std::size_t kSize = 5;
constexpr std::uint64_t kByte = 256;

bool belongs_to_sqlstate(char letter) {
    return (letter >= 'A' && letter <= 'Z') || (letter >= '0' && letter <= '9');
}

/// 0: not a SQLSTATE.
std::uint64_t code_of(std::string_view sqlstate) {
    if (sqlstate.size() != kSize || !std::ranges::all_of(sqlstate, belongs_to_sqlstate)) {
        return 0;
    }
    std::uint64_t code = 0;
    for (const char letter : sqlstate) {
        code = code * kByte + static_cast<unsigned char>(letter);
    }
    return code;
}

std::string text_of(std::uint64_t code) {
    std::string text(kSize, ' ');
    for (auto letter = text.rbegin(); letter != text.rend(); ++letter) {
        *letter = static_cast<char>(code % kByte);
        code /= kByte;
    }
    return text;
}

}  // namespace

void SqlstateCounter::add(std::string_view sqlstate) noexcept {
    const std::uint64_t code = code_of(sqlstate);
    for (Slot& slot : slots_) {
        const std::uint64_t here = slot.code.load(std::memory_order_relaxed);
        if (code != 0 && (here == code || here == 0)) {
            slot.count.add();
            slot.code.store(code, std::memory_order_release);
            return;
        }
    }
    other_.add();
}

void SqlstateCounter::add_to(Reading& reading) const {
    for (const Slot& slot : slots_) {
        const std::uint64_t code = slot.code.load(std::memory_order_acquire);
        if (code == 0) {
            break;
        }
        reading[text_of(code)] += slot.count.value();
    }
    if (other_.value() > 0) {
        reading[std::string(kOther)] += other_.value();
    }
}

}  // namespace pgveil::metrics
