#include "config/policy.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

namespace pgveil::config {
namespace {

using testing::HasSubstr;

std::string error_of(std::string_view text) {
    const auto policy = parse_policy("p.json", text);
    return policy.has_value() ? "" : policy.error().message;
}

/// A policy with two tables and one function.
std::string with_function(const std::string& name, const std::string& returns) {
    return R"({"tables":{"public.t":{"columns":{"c":{"type":"text"}}},)"
           R"("*.u":{"columns":{"d":{"type":"text","bind_to":["id"]},"e":{"type":"text"}}}},)"
           R"("functions":{")" +
           name + R"(":{"returns":")" + returns + R"("}}})";
}

TEST(PolicyFunctions, SayWhatTheyReturn) {
    const auto rows = parse_policy("p.json", with_function("app.\\\"F\\\"", "public.t"));
    ASSERT_TRUE(rows.has_value()) << rows.error().message;
    ASSERT_NE((*rows)->function("app", "F"), nullptr);
    EXPECT_EQ((*rows)->function("app", "F")->table, (PolicyName{"public", "t"}));
    EXPECT_EQ((*rows)->function("app", "F")->column, "");
    EXPECT_EQ((*rows)->function("public", "F"), nullptr);
    EXPECT_EQ((*rows)->function("app", "f"), nullptr);
    const auto value = parse_policy("p.json", with_function("app.f", "other.u.e"));
    ASSERT_TRUE(value.has_value()) << value.error().message;
    EXPECT_EQ((*value)->function("app", "f")->table, (PolicyName{"other", "u"}));
    EXPECT_EQ((*value)->function("app", "f")->column, "e");
}

TEST(PolicyFunctions, AreRefusedIfTheirValuesCannotBeOpened) {
    const std::string returns = "/functions/app.f/returns: ";
    for (const auto& [name, target, problem] : std::vector<std::array<std::string, 3>>{
             {"f", "public.t", "/functions/f: is not of the form schema.function"},
             {"*.f", "public.t", "/functions/*.f: is not of the form schema.function"},
             {"app.f", "t", returns + "is not of the form schema.table"},
             {"app.f", "*.u", returns + "is not of the form schema.table"},
             {"app.f", "public.none", returns + "names a table that does not stand"},
             {"app.f", "public.t.id", returns + "names a column that is not protected"},
             {"app.f", "public.u", returns + "names a column with bind_to"},
             {"app.f", "public.u.d", returns + "names a column with bind_to"}}) {
        EXPECT_THAT(error_of(with_function(name, target)), HasSubstr(problem)) << name << target;
    }
    EXPECT_THAT(
        error_of(R"({"tables":{"a.t":{"columns":{"c":{"type":"text"}}}},)"
                 R"("functions":{"a.f":{"returns":"a.t"},"\"a\".f":{"returns":"a.t"}}})"),
        HasSubstr("is the same function as another entry")
    );
}

}  // namespace
}  // namespace pgveil::config
