#pragma once

#include <cstdio>
#include <cstdlib>

namespace pgveil::core {

/// Ends the process when `condition` does not hold; always on, also in release builds.
///
/// For our own mistakes only (a broken promise between two functions of this program). Never for
/// bytes that came from outside: those end in an Error. `what_must_hold` is a literal and carries
/// no secret. Any thread.
inline void invariant(bool condition, const char* what_must_hold) noexcept {
    if (condition) [[likely]] {
        return;
    }
    static_cast<void>(std::fputs("pgveil: internal error, this must hold: ", stderr));
    static_cast<void>(std::fputs(what_must_hold, stderr));
    static_cast<void>(std::fputc('\n', stderr));
    std::abort();
}

}  // namespace pgveil::core
