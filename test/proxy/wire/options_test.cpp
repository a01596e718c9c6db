#include "proxy/wire/options.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pgveil::wire {

namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string settings_of(std::string_view options) {
    const auto switches = parse_options(options);
    if (!switches.has_value()) {
        return "refused";
    }
    std::string text;
    for (const OptionSwitch& option : *switches) {
        text += option.sets_parameter() ? "[" + option.name : std::string("[-") + option.letter;
        text += (option.has_value ? "=" + std::string(option.value) : "") + "]";
    }
    return text;
}

TEST(SplitOptions, SplitsAtWhiteSpaceAndTakesEscapedCharactersAsTheyAre) {
    EXPECT_THAT(split_options(""), IsEmpty());
    EXPECT_THAT(split_options(" \t\n"), IsEmpty());
    EXPECT_THAT(split_options(" -c  a=b\t-F "), ElementsAre("-c", "a=b", "-F"));
    EXPECT_THAT(split_options(R"(-c a=b\ c)"), ElementsAre("-c", "a=b c"));
    EXPECT_THAT(split_options(R"(a\\b \c)"), ElementsAre(R"(a\b)", "c"));
    EXPECT_THAT(split_options(R"(a\)"), ElementsAre("a"));
    EXPECT_THAT(split_options(R"('a b')"), ElementsAre("'a", "b'"));
}

TEST(ParseOptions, ReadsEveryFormThatSetsAParameter) {
    EXPECT_EQ(settings_of("-c pgveil.user_id=7"), "[pgveil.user_id=7]");
    EXPECT_EQ(settings_of("-cpgveil.user_id=7"), "[pgveil.user_id=7]");
    EXPECT_EQ(settings_of("--pgveil.user-id=7"), "[pgveil.user_id=7]");
    EXPECT_EQ(settings_of("-ec pgveil.user-id=a=b"), "[-e][pgveil.user_id=a=b]");
    EXPECT_EQ(settings_of("-- pgveil.user_id=7"), "refused");
    EXPECT_EQ(settings_of(R"(-c pgveil.user_id=a\ b)"), "[pgveil.user_id=a b]");
    EXPECT_EQ(settings_of("-c PGVEIL.User-Id="), "[PGVEIL.User_Id=]");
    EXPECT_EQ(settings_of("-c geqo"), "[geqo]");
}

TEST(ParseOptions, KeepsOtherSwitches) {
    EXPECT_EQ(settings_of("-d 5 -F -S 64"), "[-d=5][-F][-S=64]");
    EXPECT_EQ(settings_of("-d5 --"), "[-d=5]");
}

TEST(ParseOptions, RefusesWhatTheServerRefuses) {
    EXPECT_EQ(settings_of("-c"), "refused");
    EXPECT_EQ(settings_of("word"), "refused");
    EXPECT_EQ(settings_of("-"), "refused");
    EXPECT_EQ(settings_of("-x"), "refused");
    EXPECT_EQ(settings_of("-F word"), "refused");
}

TEST(JoinOptions, WritesWhatParseOptionsReadsAsTheSame) {
    for (const std::string_view options :
         {R"(-c a=b\ c\\d --x-y=1 -ed 5 -F)", "-c geqo", "-c a=", R"(-c\ a=b)"}) {
        const auto first = parse_options(options);
        ASSERT_TRUE(first.has_value()) << options;
        const WipedText joined = join_options(*first);
        EXPECT_EQ(settings_of(joined), settings_of(options)) << joined;
    }
}

}  // namespace

}  // namespace pgveil::wire
