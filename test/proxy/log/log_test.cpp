#include "proxy/log/log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

namespace pgveil::log {
namespace {

using ::testing::HasSubstr;
using ::testing::internal::CaptureStderr;
using ::testing::internal::GetCapturedStderr;

std::string written_under(config::LogLevel level, config::LogFormat format) {
    config::LogSettings settings;
    settings.level = level;
    settings.format = format;
    CaptureStderr();
    set_up(settings);
    error("{id} failed", {{"id", "e1"}});
    warn("{id} warned", {{"id", "w1"}});
    info("{id} told", {{"id", "i1"}});
    debug("{id} whispered", {{"id", "d1"}});
    return GetCapturedStderr();
}

TEST(Log, ShowsWhatItsLevelAsksFor) {
    const auto lines = [](config::LogLevel level) {
        const std::string all = written_under(level, config::LogFormat::kText);
        return std::count(all.begin(), all.end(), '\n');
    };
    EXPECT_EQ(lines(config::LogLevel::kError), 1);
    EXPECT_EQ(lines(config::LogLevel::kWarn), 2);
    EXPECT_EQ(lines(config::LogLevel::kInfo), 3);
    EXPECT_EQ(lines(config::LogLevel::kDebug), 4);
}

TEST(Log, TextHasTimeLevelAndLine) {
    const std::string all = written_under(config::LogLevel::kWarn, config::LogFormat::kText);
    EXPECT_THAT(all, HasSubstr(" error e1 failed\n"));
    EXPECT_THAT(all, HasSubstr(" warning w1 warned\n"));
}

TEST(Log, EveryJsonLineIsOneObject) {
    const std::string all = written_under(config::LogLevel::kDebug, config::LogFormat::kJson);
    std::istringstream lines(all);
    int count = 0;
    for (std::string line; std::getline(lines, line); ++count) {
        const auto object = nlohmann::json::parse(line);
        EXPECT_THAT(
            object.at("time").get<std::string>(), testing::MatchesRegex("[0-9-]+T[0-9:]+[.][0-9]+Z")
        );
        EXPECT_EQ(object.at("id").get<std::string>().size(), 2U);
        EXPECT_TRUE(object.contains("level") && object.contains("message"));
    }
    EXPECT_EQ(count, 4);
}

}  // namespace
}  // namespace pgveil::log
