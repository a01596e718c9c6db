#include "proxy/start.hpp"

#include "keyshare/core/arena.hpp"

#include <algorithm>
#include <cstdint>
#include <iostream>
#include <sys/resource.h>
#include <thread>

namespace pgveil::proxy {

namespace {

core::ArenaMode arena_mode(config::MemoryMode mode) {
    switch (mode) {
        case config::MemoryMode::kMemfdSecret: return core::ArenaMode::kMemfdSecret;
        case config::MemoryMode::kMlock: return core::ArenaMode::kMlock;
        case config::MemoryMode::kUnlocked: return core::ArenaMode::kUnlocked;
        case config::MemoryMode::kAuto: break;
    }
    return core::ArenaMode::kAuto;
}

/// What libssl takes for the connections to a store in PostgreSQL: one for each worker, and a few.
std::uint64_t arena_for_store(const config::Settings& settings) {
    constexpr std::uint64_t kPerConnection = 65536;
    constexpr std::uint64_t kBesidesWorkers = 4;
    if (!settings.store_database || settings.memory.arena_bytes != 0) {
        return 0;
    }
    const std::uint64_t workers =
        settings.workers != 0 ? settings.workers : std::thread::hardware_concurrency();
    return kPerConnection * (workers + kBesidesWorkers);
}

}  // namespace

int refuse_to_start(const std::string& message) {
    std::string line = message;
    std::replace(line.begin(), line.end(), '\n', ' ');
    std::cerr << "pgveil: " << line << '\n';
    return kExitConfiguration;
}

void raise_descriptor_limit() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        static_cast<void>(setrlimit(RLIMIT_NOFILE, &limit));
    }
}

std::optional<config::Settings> start(const std::string& settings_file) {
    auto settings = config::load_settings(settings_file);
    if (!settings.has_value()) {
        refuse_to_start(settings.error().message);
        return std::nullopt;
    }
    core::ArenaOptions options;
    options.mode = arena_mode(settings->memory.mode);
    options.size =
        settings->memory.arena_size(settings->limits.sessions) + arena_for_store(*settings);
    const auto arena = core::install_arena(options);
    if (!arena.has_value()) {
        refuse_to_start(arena.error().message);
        return std::nullopt;
    }
    const auto silent = core::disable_core_dumps();
    if (!silent.has_value()) {
        refuse_to_start(silent.error().message);
        return std::nullopt;
    }
    return std::move(*settings);
}

}  // namespace pgveil::proxy
