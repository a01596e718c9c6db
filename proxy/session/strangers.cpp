#include "proxy/session/strangers.hpp"

#include "keyshare/core/arena.hpp"

#include <algorithm>
#include <cstddef>
#include <iterator>

namespace pgveil::session {

namespace {

/// For each that comes, as not all of them hold much.
constexpr std::size_t kSentAwayAtOnce = 4;

/// Three eighths are left for sessions at work and for what comes at once. Counted are pages, as
/// those that nobody uses whole serve no other size.
bool is_memory_short() {
    const core::ArenaReport arena = core::arena_report();
    return arena.claimed > arena.size / 8 * 5;
}

}  // namespace

void Strangers::make_room() {
    if (!is_memory_short()) {
        return;
    }
    const std::size_t count = std::min(kSentAwayAtOnce, oldest_first_.size());
    const auto end = std::next(oldest_first_.begin(), static_cast<std::ptrdiff_t>(count));
    std::for_each(oldest_first_.begin(), end, [](net::Stream* stream) {
        stream->set_deadline(net::Duration(0));
    });
    // They leave by themselves a moment later; until then the next in line are the oldest.
    oldest_first_.splice(oldest_first_.end(), oldest_first_, oldest_first_.begin(), end);
}

}  // namespace pgveil::session
