#include "keyshare/custodian/nonces.hpp"

#include "keyshare/core/random.hpp"

#include <algorithm>

namespace pgveil::custodian {
namespace {

constexpr std::size_t kWaitingMax = 16;

}  // namespace

Nonces::Nonce Nonces::give(const std::string& whom, std::int64_t now_s) {
    std::deque<Given>& waiting = given_[whom];
    if (waiting.size() == kWaitingMax) {
        waiting.pop_front();
    }
    Given& fresh = waiting.emplace_back();
    core::system_random().fill(fresh.nonce);
    fresh.at_s = now_s;
    return fresh.nonce;
}

bool Nonces::take(const std::string& whom, core::ByteView nonce, std::int64_t now_s) {
    const auto of_asker = given_.find(whom);
    if (of_asker == given_.end()) {
        return false;
    }
    std::deque<Given>& waiting = of_asker->second;
    const auto found = std::ranges::find_if(waiting, [&](const Given& given) {
        return std::ranges::equal(given.nonce, nonce);
    });
    if (found == waiting.end()) {
        return false;
    }
    const bool is_in_time = found->at_s <= now_s && now_s - found->at_s < kSeconds;
    waiting.erase(found);
    return is_in_time;
}

}  // namespace pgveil::custodian
