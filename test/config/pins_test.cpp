#include "config/pins.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <unistd.h>

namespace pgveil::config {
namespace {

class PinsFile : public testing::Test {
protected:
    PinsFile() { std::filesystem::create_directory(folder_); }

    ~PinsFile() override { std::filesystem::remove_all(folder_); }

    std::string write(const std::string& name, const std::string& text) const {
        const std::string path = folder_ / name;
        std::ofstream(path) << text;
        return path;
    }

    std::filesystem::path folder_ =
        std::filesystem::temp_directory_path() / ("pgveil-pins." + std::to_string(::getpid()));
};

TEST_F(PinsFile, WhatIsSavedIsLoaded) {
    const std::string path = folder_ / "p.pins.json";
    const Pins pins = {
        {{"public", "patients"}, {"r \"id\" 23", "r \"id\" 20"}}, {{"Odd \"one\"", "tä/~"}, {"p"}}};
    ASSERT_TRUE(save_pins(path, pins).has_value());
    const auto loaded = load_pins(path);
    ASSERT_TRUE(loaded.has_value());
    EXPECT_EQ(*loaded, pins);
    EXPECT_FALSE(std::filesystem::exists(path + ".new"));
}

TEST_F(PinsFile, StandsBesideThePolicyAndCountsWithIt) {
    const std::string policy = write(
        "policy.json", R"json({"tables": {"public.t": {"columns": {"c": {"type": "text"}}}}})json"
    );
    EXPECT_EQ(pins_path(policy), (folder_ / "policy.pins.json").string());
    ASSERT_TRUE(load_policy(policy).has_value());
    EXPECT_EQ((*load_policy(policy))->pinned_shapes("public", "t"), nullptr);
    write("policy.pins.json", R"json({"public": {"t": ["r \"c\" ciphertext"]}})json");
    const auto loaded = load_policy(policy);
    ASSERT_TRUE(loaded.has_value());
    ASSERT_NE((*loaded)->pinned_shapes("public", "t"), nullptr);
    EXPECT_TRUE((*loaded)->pinned_shapes("public", "t")->contains("r \"c\" ciphertext"));
    EXPECT_EQ((*loaded)->pinned_shapes("public", "other"), nullptr);
}

TEST_F(PinsFile, ADamagedFileIsAnErrorAndNotNoPins) {
    const std::string policy = write(
        "policy.json", R"json({"tables": {"public.t": {"columns": {"c": {"type": "text"}}}}})json"
    );
    for (const std::string text : {"", "{", R"({"public": []})", R"({"public": {"t": [1]}})"}) {
        write("policy.pins.json", text);
        const auto loaded = load_policy(policy);
        ASSERT_FALSE(loaded.has_value()) << text;
        EXPECT_NE(loaded.error().message.find("policy.pins.json"), std::string::npos);
    }
    EXPECT_FALSE(save_pins(folder_ / "nowhere" / "x", {}).has_value());
}

}  // namespace
}  // namespace pgveil::config
