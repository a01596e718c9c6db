// Settings under which a constant would be sealed as another value than PostgreSQL's.
#include "proxy/relay/server_settings.hpp"

#include "test/proxy/relay/conversation.hpp"

#include <gtest/gtest.h>

namespace pgveil::relay {
namespace {

TEST(ServerSettings, SaysWhichSettingIsMisread) {
    const NoZones zones;
    ServerSettings settings(zones);
    EXPECT_EQ(settings.misread(), "");
    settings.set("timezone_abbreviations", "Australia");
    EXPECT_EQ(settings.misread(), "timezone_abbreviations must be Default or India");
    settings.set("timezone_abbreviations", "India");
    EXPECT_EQ(settings.misread(), "");
    settings.set("timezone_abbreviations", "Default");
    EXPECT_EQ(settings.misread(), "");
}

}  // namespace
}  // namespace pgveil::relay
