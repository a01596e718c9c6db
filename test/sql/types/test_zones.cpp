#include "test/sql/types/test_zones.hpp"

#include "sql/types/text.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace pgveil::types {

namespace {

std::string lower(std::string_view name) {
    std::string out(name);
    std::transform(out.begin(), out.end(), out.begin(), to_lower);
    return out;
}

std::string read_file(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace

TestZones::TestZones() {
    const std::filesystem::path folder = PGVEIL_SOURCE "/test/sql/types/zones";
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        std::string name = entry.path().filename().string();
        std::replace(name.begin(), name.end(), '.', '/');
        const std::string file = read_file(entry.path());
        auto zone = TimeZone::parse_tzif(name, core::as_bytes(file));
        EXPECT_TRUE(zone.has_value()) << name;
        if (zone.has_value()) {
            by_lower_name_.emplace(lower(name), std::move(*zone));
        }
    }
    by_lower_name_.emplace("utc", TimeZone::utc());
    by_lower_name_.emplace("<+05:30>-05:30", *TimeZone::parse_posix("<+05:30>-05:30"));
}

const TimeZone* TestZones::find(std::string_view name) const {
    const auto found = by_lower_name_.find(lower(name));
    return found == by_lower_name_.end() ? nullptr : &found->second;
}

}  // namespace pgveil::types
