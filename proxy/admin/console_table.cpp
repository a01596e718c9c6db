#include "proxy/admin/console_table.hpp"

#include <algorithm>
#include <array>
#include <ctime>
#include <limits>

namespace pgveil::admin {

Cell number(std::uint64_t value) {
    constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    return static_cast<std::int64_t>(std::min(value, kMax));
}

Cell time_cell(std::int64_t unix_s) {
    constexpr std::size_t kRoom = 64;
    if (unix_s == 0) {
        return {};
    }
    const std::time_t seconds = unix_s;
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    std::array<char, kRoom> text{};
    const std::size_t size =
        std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S UTC", &parts);
    return std::string(text.data(), size);
}

}  // namespace pgveil::admin
