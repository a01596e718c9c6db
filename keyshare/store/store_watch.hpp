#pragma once

#include "keyshare/store/postgresql.hpp"
#include "keyshare/store/store_place.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>

namespace pgveil::store {

/// Looks after a shared store from a thread of its own, on a connection of its own: as soon as
/// another proxy tells that it has committed (LISTEN), and several times within max_age_ms, because
/// a notification that was lost must not matter.
class StoreWatch {
public:
    struct Tasks {
        /// The store's version now, as it says itself. Returns what went wrong with taking it over;
        /// empty: all is known.
        std::function<std::string(std::uint64_t)> look;
        /// The store was asked at this time (ms of std::chrono::steady_clock), and all is known.
        std::function<void(std::int64_t)> seen;
        /// What is wrong now; empty: nothing.
        std::function<void(std::string)> trouble;
    };

    StoreWatch(PostgresqlPlace place, Tasks tasks);
    ~StoreWatch();
    StoreWatch(const StoreWatch&) = delete;
    StoreWatch& operator=(const StoreWatch&) = delete;

private:
    void run();
    Result<void> watch(Connection& connection);
    Result<void> look(Connection& connection);
    void pause() const;

    PostgresqlPlace place_;
    Tasks tasks_;
    int wake_ = -1;  // an eventfd
    std::atomic<bool> is_ending_ = false;
    std::thread thread_;
};

/// Milliseconds of std::chrono::steady_clock.
std::int64_t steady_ms();

}  // namespace pgveil::store
