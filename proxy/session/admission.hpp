#pragma once

#include "proxy/session/login_error.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

namespace pgveil::session {

/// Counts something by name (connections by address, sessions by user). Any thread; must outlive
/// its places.
class Counter {
public:
    /// One that is counted, until it dies. Empty by default: nothing is counted.
    class Place {
    public:
        Place() = default;
        Place(const Place&) = delete;
        Place& operator=(const Place&) = delete;
        Place(Place&& other) noexcept;
        Place& operator=(Place&& other) noexcept;

        ~Place() { leave(); }

        /// How many there were with this one, when it came; 0 if it is empty.
        std::size_t number() const { return number_; }

        /// Whether it is one too many; a limit of 0 is none.
        bool exceeds(std::uint32_t limit) const { return limit != 0 && number_ > limit; }

    private:
        friend class Counter;
        void leave();

        Counter* counter_ = nullptr;
        std::string name_;
        std::size_t number_ = 0;
    };

    Place enter(std::string name);
    std::size_t count(std::string_view name) const;

private:
    mutable std::mutex mutex_;
    std::map<std::string, std::size_t, std::less<>> counts_;
};

/// What the limits on connections count. Any thread.
struct Admission {
    Counter addresses;  ///< connections, from accept to close
    Counter users;      ///< logged-in sessions
    Counter logins;     ///< from the startup packet to the first ReadyForQuery, under one name
};

/// "192.0.2.1" of "192.0.2.1:5432", "[::1]" of "[::1]:5432".
std::string host_of(std::string_view peer_address);

// 53300, each naming the setting that says so.
LoginError too_many_from(std::string_view host, std::uint32_t limit);
LoginError too_many_of(std::string_view user, std::uint32_t limit);
LoginError too_many_logins(std::uint32_t limit);

}  // namespace pgveil::session
