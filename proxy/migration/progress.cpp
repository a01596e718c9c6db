#include "proxy/migration/progress.hpp"

#include <algorithm>
#include <iostream>
#include <unistd.h>

namespace pgveil::migration {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::int64_t kMinuteS = 60;
constexpr std::int64_t kHourS = 3600;
constexpr std::int64_t kPercent = 100;

std::string bar(std::int64_t percent) {
    constexpr std::int64_t kWidth = 30;
    const auto full = static_cast<std::size_t>(percent * kWidth / kPercent);
    return "[" + std::string(full, '#') +
           std::string(static_cast<std::size_t>(kWidth) - full, '.') + "]";
}

}  // namespace

std::string duration_text(std::int64_t seconds) {
    if (seconds < 2 * kMinuteS) {
        return std::to_string(seconds) + " s";
    }
    const std::int64_t minutes = seconds / kMinuteS;
    return seconds < 2 * kHourS ? std::to_string(minutes) + " min"
                                : std::to_string(seconds / kHourS) + " h " +
                                      std::to_string(minutes % kMinuteS) + " min";
}

Progress::Progress()
    : is_terminal_(::isatty(STDERR_FILENO) == 1), begun_(Clock::now()), said_(begun_) {}

Progress::~Progress() {
    if (is_drawn_) {
        std::cerr << '\n';
    }
}

void Progress::erase() {
    if (is_drawn_) {
        std::cerr << "\r\033[K";
        is_drawn_ = false;
    }
}

void Progress::say(const std::string& line) {
    erase();
    std::cerr << "pgveil: " << line << '\n';
}

void Progress::rows(std::int64_t done, std::int64_t left) {
    constexpr auto kPause = std::chrono::seconds(10);
    constexpr auto kFrame = std::chrono::milliseconds(200);
    const auto now = Clock::now();
    if (now - said_ < (is_terminal_ ? Clock::duration(kFrame) : Clock::duration(kPause))) {
        return;
    }
    said_ = now;
    const auto spent_s = std::chrono::duration_cast<std::chrono::seconds>(now - begun_).count();
    const std::int64_t percent = kPercent * done / std::max<std::int64_t>(done + left, 1);
    const std::string text = std::to_string(done) + " of " + std::to_string(done + left) +
                             " rows, " + std::to_string(percent) + " %, about " +
                             duration_text(left * spent_s / std::max<std::int64_t>(done, 1)) +
                             " left";
    if (!is_terminal_) {
        say(text);
        return;
    }
    std::cerr << "\r\033[K" << bar(percent) << ' ' << text << std::flush;
    is_drawn_ = true;
}

}  // namespace pgveil::migration
