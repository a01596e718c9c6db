#include "proxy/log/line.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace pgveil::log {
namespace {

TEST(Line, PutsFieldsWhereTheTextNamesThem) {
    EXPECT_EQ(
        as_text("{request} refused with {sqlstate}", {{"request", "s1-2"}, {"sqlstate", "0A000"}}),
        "s1-2 refused with 0A000"
    );
    EXPECT_EQ(as_text("port {port}", {{"port", 6543}}), "port 6543");
}

TEST(Line, KeepsBracesThatNameNoField) {
    EXPECT_EQ(as_text("a {b} {c", {{"x", "y"}}), "a {b} {c");
    EXPECT_EQ(as_text("{a}", {{"a", "{b}"}, {"b", "c"}}), "{b}") << "values are not read again";
}

TEST(Line, IsOneLineWhateverTheValuesHold) {
    EXPECT_EQ(
        as_text("user {user}", {{"user", "x\n2026-01-01 info forged\x7f"}}),
        "user x\\x0a2026-01-01 info forged\\x7f"
    );
}

TEST(Line, AsJsonHasTheTextAndEveryFieldOnItsOwn) {
    const std::string line =
        as_json("{request} took {ms} ms", {{"request", "s1-2"}, {"ms", 12}, {"extra", "\"q\"\n"}});
    EXPECT_EQ(line.find('\n'), std::string::npos);
    const auto object = nlohmann::json::parse(line);
    EXPECT_EQ(object.at("message"), "s1-2 took 12 ms");
    EXPECT_EQ(object.at("request"), "s1-2");
    EXPECT_EQ(object.at("ms"), 12);
    EXPECT_EQ(object.at("extra"), "\"q\"\n");
}

TEST(Line, AsJsonReplacesWhatIsNotUtf8) {
    const auto object = nlohmann::json::parse(as_json("user {user}", {{"user", "a\xff"}}));
    EXPECT_EQ(object.at("user"), "a\xef\xbf\xbd");
}

}  // namespace
}  // namespace pgveil::log
