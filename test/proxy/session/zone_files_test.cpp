#include "proxy/session/zone_files.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <unistd.h>

namespace pgveil::session {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kJuly2023 = 1'688'169'600;

// A TZif file of version 2 without transitions: all is in the footer.
std::string tzif(const std::string& rule) {
    const auto block = [](char types) {
        std::string header = "TZif2";
        header.append(15, '\0');
        for (const char count : {'\0', '\0', '\0', '\0', types, '\4'}) {
            header += std::string(3, '\0') + count;
        }
        return header + std::string(6, '\0') + std::string("UTC\0", 4);
    };
    return block('\1') + block('\1') + "\n" + rule + "\n";
}

class ZoneFilesTest : public ::testing::Test {
protected:
    void SetUp() override {
        folder_ = fs::temp_directory_path() / ("zones-" + std::to_string(getpid()));
        write("Europe/Berlin", tzif("CET-1CEST,M3.5.0,M10.5.0/3"));
        write("posix/Europe/Paris", tzif("CET-1CEST,M3.5.0,M10.5.0/3"));
        write("Europe/notes", "these are no zones");
    }

    void TearDown() override { fs::remove_all(folder_); }

    void write(const std::string& name, const std::string& bytes) const {
        fs::create_directories((folder_ / name).parent_path());
        std::ofstream(folder_ / name, std::ios::binary) << bytes;
    }

    fs::path folder_;
};

TEST_F(ZoneFilesTest, ReadsAZoneOnce) {
    const ZoneFiles zones(folder_.string());
    const types::TimeZone* const berlin = zones.find("Europe/Berlin");
    ASSERT_NE(berlin, nullptr);
    EXPECT_EQ(berlin->at_utc(kJuly2023).seconds_east, 7200);
    fs::remove(folder_ / "Europe/Berlin");
    EXPECT_EQ(zones.find("Europe/Berlin"), berlin);
}

TEST_F(ZoneFilesTest, MatchesNamesInAnyCase) {
    const ZoneFiles zones(folder_.string());
    EXPECT_NE(zones.find("EUROPE/berlin"), nullptr);
    EXPECT_EQ(zones.find("europe/BERLIN"), zones.find("Europe/Berlin"));
    EXPECT_EQ(zones.find("europe/BERLIN")->name(), "Europe/Berlin");
    EXPECT_EQ(zones.find("utc"), zones.find("UTC"));
}

TEST_F(ZoneFilesTest, ANameAsWrittenGoesBeforeOneInAnotherCase) {
    write("Europe/BERLIN", tzif("<+04>-4"));
    const ZoneFiles zones(folder_.string());
    EXPECT_EQ(zones.find("Europe/BERLIN")->at_utc(kJuly2023).seconds_east, 14400);
    EXPECT_EQ(zones.find("Europe/Berlin")->at_utc(kJuly2023).seconds_east, 7200);
}

TEST_F(ZoneFilesTest, InventedNamesDoNotHideRealOnes) {
    const ZoneFiles zones(folder_.string());
    for (int i = 0; i < 5000; ++i) {
        EXPECT_EQ(zones.find("Nowhere/Town" + std::to_string(i)), nullptr);
    }
    EXPECT_NE(zones.find("Europe/Berlin"), nullptr);
}

TEST_F(ZoneFilesTest, FindsAZoneThatCameLater) {
    const ZoneFiles zones(folder_.string());
    EXPECT_EQ(zones.find("Europe/Kyiv"), nullptr);
    write("Europe/Kyiv", tzif("EET-2EEST,M3.5.0/3,M10.5.0/4"));
    EXPECT_NE(zones.find("Europe/Kyiv"), nullptr);
}

TEST_F(ZoneFilesTest, RefusesWhatIsNoZone) {
    const ZoneFiles zones(folder_.string());
    for (const std::string& name :
         {std::string("Europe"),
          std::string("Europe/notes"),
          std::string("../etc/passwd"),
          std::string(),
          std::string("europe/paris"),
          std::string(300, 'a')}) {
        EXPECT_EQ(zones.find(name), nullptr) << name;
    }
}

TEST(ZoneFiles, WithoutAFolderKnowsUtc) {
    const ZoneFiles zones("/nowhere/at/all");
    EXPECT_NE(zones.find("UTC"), nullptr);
    EXPECT_EQ(zones.find("Europe/Berlin"), nullptr);
}

}  // namespace
}  // namespace pgveil::session
