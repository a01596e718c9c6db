#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace pgveil::migration {

/// What a person sees of a long run, on standard error: one line that changes on a terminal, else a
/// line every ten seconds. One thread.
class Progress {
public:
    Progress();
    /// Leaves the line as it stands last.
    ~Progress();
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    /// A line of its own.
    void say(const std::string& line);

    /// So many rows are done, and so many are known to be left.
    void rows(std::int64_t done, std::int64_t left);

private:
    void erase();

    bool is_terminal_;
    bool is_drawn_ = false;
    std::chrono::steady_clock::time_point begun_;
    std::chrono::steady_clock::time_point said_;
};

/// "1 h 20 min", "15 s".
std::string duration_text(std::int64_t seconds);

}  // namespace pgveil::migration
