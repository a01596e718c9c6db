#include "keyshare/share/shallow_json.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace pgveil::share {
namespace {

std::string nested(std::size_t depth) {
    return R"({"a":)" + std::string(depth, '[') + std::string(depth, ']') + "}";
}

TEST(ShallowJson, IsReadAsAnyOther) {
    EXPECT_EQ(parse_shallow_json(R"({"b":[1,{"c":"x"}]})")["b"][1]["c"], "x");
    EXPECT_EQ(write_json(parse_shallow_json(nested(60))), nested(60));
}

TEST(ShallowJson, WhatIsNestedTooDeeplyOrNoJsonIsDiscarded) {
    EXPECT_TRUE(parse_shallow_json(nested(70)).is_discarded());
    EXPECT_TRUE(parse_shallow_json(nested(1'000'000)).is_discarded());
    EXPECT_TRUE(parse_shallow_json(R"({"a":)").is_discarded());
    EXPECT_TRUE(parse_shallow_json("").is_discarded());
}

TEST(ShallowJson, ReaderOfADeepTextIsNotOk) {
    const std::string deep = nested(1'000'000);
    EXPECT_TRUE(parse_shallow_json(nested(2)).is_object());
    EXPECT_FALSE(JsonReader(std::string_view(deep)).ok());
}

}  // namespace
}  // namespace pgveil::share
