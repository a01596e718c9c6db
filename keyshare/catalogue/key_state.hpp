#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace pgveil::catalogue {

/// The states of a key (NIST SP 800-57 Part 1 Rev. 5, section 7).
enum class KeyState : std::uint8_t {
    kPreActive,    ///< made, not to be used yet
    kActive,       ///< protects and processes
    kSuspended,    ///< for a while used for nothing new
    kDeactivated,  ///< at its end: only for what it has protected before
    kCompromised,  ///< somebody else may have it
    kDestroyed,    ///< gone; what is known of it stays
};

/// "pre-active", "active", "suspended", "deactivated", "compromised", "destroyed".
std::string_view name_of(KeyState state);
std::optional<KeyState> parse_state(std::string_view name);

/// Whether a key may go from one state to the other. Nothing leads out of kDestroyed, and out of
/// kCompromised only to it.
bool may_become(KeyState from, KeyState to);

/// Unix seconds; from `from_s` on, before `until_s`.
struct Cryptoperiod {
    std::int64_t from_s = 0;
    std::int64_t until_s = 0;

    friend bool operator==(const Cryptoperiod&, const Cryptoperiod&) = default;
};

/// The state that a key of this period is in now, if this one was written down: time activates a
/// key, and at the end of its period deactivates it.
KeyState state_at(KeyState written, const Cryptoperiod& period, std::int64_t now_s);

}  // namespace pgveil::catalogue
