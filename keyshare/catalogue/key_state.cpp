#include "keyshare/catalogue/key_state.hpp"

#include <array>
#include <utility>

namespace pgveil::catalogue {
namespace {

constexpr std::array<std::pair<KeyState, std::string_view>, 6> kStateNames = {{
    {KeyState::kPreActive, "pre-active"},
    {KeyState::kActive, "active"},
    {KeyState::kSuspended, "suspended"},
    {KeyState::kDeactivated, "deactivated"},
    {KeyState::kCompromised, "compromised"},
    {KeyState::kDestroyed, "destroyed"},
}};

}  // namespace

std::string_view name_of(KeyState state) {
    for (const auto& one : kStateNames) {
        if (one.first == state) {
            return one.second;
        }
    }
    return "unknown";
}

std::optional<KeyState> parse_state(std::string_view name) {
    for (const auto& one : kStateNames) {
        if (one.second == name) {
            return one.first;
        }
    }
    return std::nullopt;
}

bool may_become(KeyState from, KeyState to) {
    switch (from) {
        case KeyState::kPreActive:
            return to == KeyState::kActive || to == KeyState::kDeactivated ||
                   to == KeyState::kCompromised || to == KeyState::kDestroyed;
        case KeyState::kActive:
            return to == KeyState::kSuspended || to == KeyState::kDeactivated ||
                   to == KeyState::kCompromised || to == KeyState::kDestroyed;
        case KeyState::kSuspended:
            return to == KeyState::kActive || to == KeyState::kDeactivated ||
                   to == KeyState::kCompromised || to == KeyState::kDestroyed;
        case KeyState::kDeactivated:
            return to == KeyState::kCompromised || to == KeyState::kDestroyed;
        case KeyState::kCompromised: return to == KeyState::kDestroyed;
        case KeyState::kDestroyed: break;
    }
    return false;
}

KeyState state_at(KeyState written, const Cryptoperiod& period, std::int64_t now_s) {
    const bool is_live = written == KeyState::kPreActive || written == KeyState::kActive ||
                         written == KeyState::kSuspended;
    if (is_live && now_s >= period.until_s) {
        return KeyState::kDeactivated;
    }
    if (written == KeyState::kPreActive && now_s >= period.from_s) {
        return KeyState::kActive;
    }
    return written;
}

}  // namespace pgveil::catalogue
