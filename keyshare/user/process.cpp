#include "keyshare/user/process.hpp"

#include "keyshare/core/arena.hpp"

#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

namespace pgveil::user {

namespace {

std::optional<core::ArenaMode> parse_mode(std::string_view name) {
    using core::ArenaMode;
    for (const ArenaMode mode :
         {ArenaMode::kAuto, ArenaMode::kMemfdSecret, ArenaMode::kMlock, ArenaMode::kUnlocked}) {
        if (name == core::name_of(mode)) {
            return mode;
        }
    }
    return std::nullopt;
}

}  // namespace

Result<void> guard_process(std::size_t arena_bytes) {
    const char* wanted =
        std::getenv("PGVEIL_MEMORY");  // NOLINT(concurrency-mt-unsafe): first in main
    const auto mode = parse_mode(wanted == nullptr ? "auto" : wanted);
    if (!mode) {
        return unusable("PGVEIL_MEMORY must be auto, memfd_secret, mlock or unlocked");
    }
    core::ArenaOptions options;
    options.mode = *mode;
    options.size = arena_bytes == 0 ? options.size : arena_bytes;
    if (const auto arena = core::install_arena(options); !arena) {
        return unusable(
            arena.error().message + " (PGVEIL_MEMORY=unlocked does without locked memory)"
        );
    }
    if (const auto closed = core::disable_core_dumps(); !closed) {
        return unusable(closed.error().message);
    }
    return {};
}

}  // namespace pgveil::user
