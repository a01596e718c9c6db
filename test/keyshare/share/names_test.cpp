#include "keyshare/share/names.hpp"

#include <gtest/gtest.h>

#include <string>

namespace pgveil::share {
namespace {

TEST(Names, GroupsAreLowerCaseWords) {
    EXPECT_TRUE(is_group_name("default"));
    EXPECT_TRUE(is_group_name("m3_x"));
    EXPECT_FALSE(is_group_name(""));
    EXPECT_FALSE(is_group_name("_x"));
    EXPECT_FALSE(is_group_name("3x"));
    EXPECT_FALSE(is_group_name("Medical"));
    EXPECT_FALSE(is_group_name("a-b"));
    EXPECT_TRUE(is_group_name(std::string(63, 'a')));
    EXPECT_FALSE(is_group_name(std::string(64, 'a')));
}

TEST(Names, UserIdsArePrintableUtf8) {
    EXPECT_TRUE(is_plain_name("nurse@acme.example"));
    EXPECT_TRUE(is_plain_name("Zo\xC3\xAB"));
    EXPECT_TRUE(is_plain_name("\xF0\x9F\x90\x98"));
    EXPECT_FALSE(is_plain_name(""));
    EXPECT_FALSE(is_plain_name("a\nb"));
    EXPECT_FALSE(is_plain_name(std::string_view("a\0b", 3)));
    EXPECT_FALSE(is_plain_name("\xC2\x85"));
    EXPECT_TRUE(is_plain_name(std::string(255, 'a')));
    EXPECT_FALSE(is_plain_name(std::string(256, 'a')));
}

TEST(Names, RefusesBytesThatAreNotUtf8) {
    EXPECT_FALSE(is_plain_name("\xFF"));
    EXPECT_FALSE(is_plain_name("a\xC3"));
    EXPECT_FALSE(is_plain_name("\xC0\xAF"));          // a longer form of '/'
    EXPECT_FALSE(is_plain_name("\xED\xA0\x80"));      // a surrogate
    EXPECT_FALSE(is_plain_name("\xF4\x90\x80\x80"));  // beyond U+10FFFF
    EXPECT_FALSE(is_plain_name("\x80"));
}

}  // namespace
}  // namespace pgveil::share
