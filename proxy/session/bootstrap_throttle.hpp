#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

namespace pgveil::session {

/// Slows down guessing of the one-time password: the answer to a wrong one is held back for 0.5 s,
/// then 1 s, 2 s, ... up to 16 s, counted per source address.
///
/// Promises: a right password is never delayed, whatever others did, so nobody can lock the tenant
/// out; memory and waiting answers are bounded (when too many sources or answers wait, the longest
/// quiet source is forgotten, and an answer beyond the bound leaves at once).
/// Not promised: that guessing stops. The password's 128 random bits are what makes it hopeless.
/// Thread-safe: one object for all workers.
class BootstrapThrottle {
public:
    using Clock = std::chrono::steady_clock;

    struct Limits {
        std::chrono::milliseconds first{500};
        std::chrono::milliseconds longest{16000};
        std::size_t sources = 1024;
        std::size_t waiting = 64;
        std::chrono::minutes forget_after{15};
    };

    /// Holds one of the places for waiting answers until destroyed.
    class Wait {
    public:
        Wait(BootstrapThrottle* throttle, std::chrono::milliseconds delay)
            : throttle_(throttle), delay_(delay) {}

        Wait(Wait&& other) noexcept;
        Wait(const Wait&) = delete;
        Wait& operator=(const Wait&) = delete;
        Wait& operator=(Wait&&) = delete;
        ~Wait();

        std::chrono::milliseconds delay() const { return delay_; }

    private:
        BootstrapThrottle* throttle_;
        std::chrono::milliseconds delay_;
    };

    BootstrapThrottle();
    explicit BootstrapThrottle(Limits limits);

    /// Notes a wrong password; says how long to hold back the answer (possibly zero).
    Wait on_wrong_password(std::string_view source, Clock::time_point now);

    /// Forgets the source's wrong passwords.
    void on_right_password(std::string_view source);

private:
    struct Source {
        unsigned wrong = 0;
        Clock::time_point last;
    };

    unsigned count(std::string_view source, Clock::time_point now);
    void make_room();
    void release();

    Limits limits_;
    std::mutex mutex_;
    std::map<std::string, Source, std::less<>> sources_;
    std::size_t waiting_ = 0;
};

}  // namespace pgveil::session
